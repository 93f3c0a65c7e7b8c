import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  assertRefused,
  startConversation,
} from './live-conversation.ts';

// Goal: what real chargers do at the level of messages does not cost them their connection, and
// does not reach a CSMS that could choke on it.
// Method: each quirk as it was reported, in `standard`, with its strict twin where that differs.

const now = '2026-01-01T00:00:00Z';
const bootPayload = { chargePointVendor: 'AEFA', chargePointModel: 'M' };
/** R12, as a charger of 2026 sends it every minute. */
const brokenMeterValues =
  '[2,"m","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[{"timestamp":"2026-08-01T00:00:00","sampledValue":[{"value":"1"}]}]}]';

describe('field quirks', { timeout: 20_000 }, () => {
  test('R12: invalid JSON in every MeterValues is dropped and does not close in standard', async () => {
    await using conversation = await startConversation();
    const { charger, csms, gateway } = conversation;
    // The default forgives 30 in a minute: this is half an hour of such a charger.
    for (let count = 0; count < 30; count += 1) charger.send(brokenMeterValues);
    await assertNothingElseToCsms(conversation);
    assert.equal(csms.received.length, 1);
    const refused = gateway.events.filter((event) => event.name === 'FrameRefused');
    assert.equal(refused.length, 30);
    assert.ok(refused.every(({ code, penalty }) => `${code} ${penalty}` === 'FORMAT_JSON drop'));
  });

  test('R12: it closes when strikes repeat beyond rules.strikesMax', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 3 } } });
    const { charger, csms } = conversation;
    for (let count = 0; count < 4; count += 1) charger.send(brokenMeterValues);
    assert.equal((await charger.closed).code, 1008);
    assert.equal((await csms.closed).code, 1008);
    assert.equal(csms.received.length, 0);
  });

  test('R12: strict closes on the first', async () => {
    await using conversation = await startConversation({
      changes: { rules: { preset: 'strict' } },
    });
    const { charger, csms } = conversation;
    charger.send(brokenMeterValues);
    assert.deepEqual(await charger.closed, {
      code: 1002,
      reason: 'The message is not valid JSON.',
    });
    assert.equal((await csms.closed).code, 1008);
    assert.equal(csms.received.length, 0);
  });

  test('R11: whitespace and pretty-printing pass as they are', async () => {
    await using conversation = await startConversation({
      changes: { rules: { preset: 'strict' } },
    });
    const { charger, csms } = conversation;
    const call =
      ' [\r\n\t2 ,\n  "1",\n  "BootNotification",\n  {\n    "chargePointVendor" : "\\u0056",\n    "chargePointModel":"M"\n  }\n]\n';
    charger.send(call);
    assert.equal(await csms.next(), call);
    const answer = JSON.stringify(
      [3, '1', { currentTime: now, interval: 300, status: 'Accepted' }],
      undefined,
      2,
    );
    csms.send(answer);
    assert.equal(await charger.next(), answer);
  });

  test('bytes: number spellings, key order and non-ASCII texts pass as they are', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    const call =
      '[2,"1","StopTransaction",{"timestamp":"2026-01-01T00:00:00Z","transactionId":9223372036854775807,"meterStop":1.0e1,"idTag":"Zürich⚡"}]';
    charger.send(call);
    assert.equal(await csms.next(), call);
  });

  test('C18: empty text frames are ignored and are no strikes', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 1 } } });
    const { charger, csms, gateway } = conversation;
    for (let count = 0; count < 10; count += 1) {
      charger.send('');
      csms.send('');
    }
    await assertNothingElseToCsms(conversation);
    await assertNothingElseToCharger(conversation);
    assert.equal(csms.received.length, 2);
    const refused = gateway.events.filter((event) => event.name === 'FrameRefused');
    assert.equal(refused.length, 20);
    assert.ok(refused.every(({ code }) => code === 'FORMAT_EMPTY'));
  });

  test('C20: SecurityEventNotification passes before BootNotification', async () => {
    for (const version of ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const) {
      await using conversation = await startConversation({ version });
      const { charger, csms } = conversation;
      const call = JSON.stringify([
        2,
        '1',
        'SecurityEventNotification',
        { type: 'StartupOfTheDevice', timestamp: now },
      ]);
      charger.send(call);
      assert.equal(await csms.next(), call);
      csms.send('[3,"1",{}]');
      assert.equal(await charger.next(), '[3,"1",{}]');
    }
  });

  test('R9: BootNotification and StatusNotification back to back arrive one after the other', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 1 } } });
    const { charger, csms, gateway } = conversation;
    const boot = JSON.stringify([2, 'b', 'BootNotification', bootPayload]);
    const status = JSON.stringify([
      2,
      's',
      'StatusNotification',
      { connectorId: 0, errorCode: 'NoError', status: 'Available' },
    ]);
    charger.send(boot);
    charger.send(status);
    assert.equal(await csms.next(), boot);
    assert.equal(csms.received.length, 1);
    csms.sendMessage(3, 'b', { currentTime: now, interval: 300, status: 'Accepted' });
    assert.equal(await csms.next(), status);
    csms.send('[3,"s",{}]');
    await charger.next();
    assert.equal(await charger.next(), '[3,"s",{}]');
    assert.equal(gateway.events.filter((event) => event.name === 'FrameRefused').length, 0);
  });

  test('R1: MessageTypeId 1 is refused, and is no reason to close', async () => {
    await using conversation = await startConversation();
    conversation.charger.send('[1,"1","Heartbeat",{}]');
    await assertNothingElseToCsms(conversation);
  });

  test('P2: a StopTransaction with two junk bytes in its idTag passes, a RemoteStart does not', async () => {
    await using conversation = await startConversation();
    const { charger, csms, version } = conversation;
    const stop = { transactionId: 1, meterStop: 5, timestamp: now, idTag: 'x'.repeat(22) };
    charger.sendMessage(2, '1', 'StopTransaction', stop);
    assert.deepEqual(await csms.nextMessage(), [2, '1', 'StopTransaction', stop]);
    csms.sendMessage(2, '1', 'RemoteStartTransaction', { idTag: 'x'.repeat(22) });
    await assertRefused(csms, version, '1', 'PAYLOAD_LENGTH');
  });

  test('T2-26: ambiguous JSON never passes, whichever side sends it', async () => {
    const payloads = [
      '{"vendorId":"a","vendorId":"b"}',
      '{"vendorId":"a","VendorId":"b"}',
      '{"vendorId":"a","\\u0076endorId":"b"}',
      '{"vendorId":"a","__proto__":{}}',
      '{"vendorId":"a","data":"\\ud800"}',
      '{"vendorId":"a\\u0000b"}',
      '{"vendorId":"a","data":1e400}',
      `{"vendorId":"a","data":${'['.repeat(30)}${']'.repeat(30)}}`,
    ];
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 100 } } });
    for (const peer of [conversation.charger, conversation.csms]) {
      for (const payload of payloads) peer.send(`[2,"1","DataTransfer",${payload}]`);
      for (const text of ['\ufeff[2,"1","Heartbeat",{}]', '[2,"1","Heartbeat",{}]x', 'NaN', '[]']) {
        peer.send(text);
      }
    }
    // Only the gateway's refusals came back; of the twelve texts, seven have an id to refer to.
    for (const peer of [conversation.charger, conversation.csms]) {
      for (let count = 0; count < 7; count += 1) {
        assert.match(await peer.next(), /^\[4,"1","FormationViolation",/);
      }
    }
    await assertNothingElseToCsms(conversation);
    await assertNothingElseToCharger(conversation);
  });
});
