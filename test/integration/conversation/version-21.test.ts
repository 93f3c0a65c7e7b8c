import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  assertRefused,
  startConversation,
} from './live-conversation.ts';

// Goal: the two messages that OCPP 2.1 added pass where they belong and nowhere else.
// Method: SEND and CALLRESULTERROR in every version, from both sides, in and out of place.

const now = '2026-01-01T00:00:00Z';
const stream = { id: 1, pending: 0, basetime: now, data: [{ t: 0, v: '1' }] };
const send = JSON.stringify([6, 's', 'NotifyPeriodicEventStream', stream]);
const heartbeat = (id: string): string => JSON.stringify([2, id, 'Heartbeat', {}]);
const heartbeatAnswer = (id: string): string => JSON.stringify([3, id, { currentTime: now }]);
const complaint = (id: string): string =>
  JSON.stringify([5, id, 'FormatViolation', 'no such time', {}]);

describe('SEND', { timeout: 20_000 }, () => {
  test('R13: NotifyPeriodicEventStream passes from a 2.1 charger, and is not answered', async () => {
    await using conversation = await startConversation({
      version: 'ocpp2.1',
      changes: { rules: { preset: 'strict' } },
    });
    const { charger, csms } = conversation;
    for (let count = 0; count < 5; count += 1) {
      charger.send(send);
      assert.equal(await csms.next(), send);
    }
    await assertNothingElseToCsms(conversation);
    assert.equal(charger.received.length, 1);
  });

  test('T2-18: a SEND from the CSMS, of a CALL action, or with a bad payload is dropped', async () => {
    for (const preset of ['standard', 'strict'] as const) {
      await using conversation = await startConversation({
        version: 'ocpp2.1',
        changes: { rules: { preset } },
      });
      const { charger, csms, gateway } = conversation;
      csms.send(send);
      csms.send('[6,"r","Reset",{"type":"Immediate"}]');
      charger.send('[6,"h","Heartbeat",{}]');
      charger.send('[6,"u","Unheard",{}]');
      charger.send('[6,"p","NotifyPeriodicEventStream",{}]');
      await assertNothingElseToCsms(conversation);
      await assertNothingElseToCharger(conversation);
      assert.equal(charger.received.length + csms.received.length, 4);
      const refused = gateway.events.flatMap((event) =>
        event.name === 'FrameRefused' ? [`${event.from} ${event.code} ${event.penalty}`] : [],
      );
      assert.deepEqual(
        new Set(refused),
        new Set([
          'csms DIRECTION_WRONG_SENDER drop',
          'csms DIRECTION_WRONG_KIND drop',
          'charger DIRECTION_WRONG_KIND drop',
          'charger DIRECTION_UNKNOWN_ACTION drop',
          'charger PAYLOAD_MISSING drop',
        ]),
      );
    }
  });

  test('T2-18: NotifyPeriodicEventStream as a CALL is refused', async () => {
    await using conversation = await startConversation({ version: 'ocpp2.1' });
    const { charger } = conversation;
    charger.sendMessage(2, 's', 'NotifyPeriodicEventStream', stream);
    await assertRefused(charger, 'ocpp2.1', 's', 'DIRECTION_WRONG_KIND');
    await assertNothingElseToCsms(conversation);
  });

  for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
    test(`T2-18: ${version} has no SEND and no CALLRESULTERROR`, async () => {
      await using conversation = await startConversation({ version });
      const { charger, csms, gateway } = conversation;
      charger.send(heartbeat('1'));
      await csms.next();
      csms.send(heartbeatAnswer('1'));
      await charger.next();
      charger.send(send);
      charger.send(complaint('1'));
      csms.send(send);
      csms.send(complaint('1'));
      await gateway.event(
        'FrameRefused',
        () => gateway.events.filter(({ name }) => name === 'FrameRefused').length === 4,
      );
      if (version === 'ocpp2.0.1') {
        // A SEND looks like a call, and 2.0.1 answers unknown message types (part 4 section 4.4).
        const text = /^\[4,"s","MessageTypeNotSupported",/;
        for (const peer of [charger, csms]) {
          const answered = peer.received.filter((it) => text.test(it)).length;
          assert.ok(answered <= 1);
          if (answered === 1) await peer.next();
        }
      }
      await assertNothingElseToCsms(conversation);
      await assertNothingElseToCharger(conversation);
    });
  }
});

describe('CALLRESULTERROR', { timeout: 20_000 }, () => {
  for (const from of ['charger', 'csms'] as const) {
    test(`R13: a 2.1 ${from} may complain about the answer to its own call`, async () => {
      await using conversation = await startConversation({ version: 'ocpp2.1' });
      const caller = conversation[from];
      const callee = from === 'charger' ? conversation.csms : conversation.charger;
      const call = from === 'charger' ? heartbeat('1') : '[2,"1","ClearCache",{}]';
      const answer = from === 'charger' ? heartbeatAnswer('1') : '[3,"1",{"status":"Accepted"}]';
      caller.send(call);
      assert.equal(await callee.next(), call);
      callee.send(answer);
      assert.equal(await caller.next(), answer);
      caller.send(complaint('1'));
      assert.equal(await callee.next(), complaint('1'));
    });
  }

  test('T2-15: a complaint about nothing, too early, or by the wrong side is dropped', async () => {
    await using conversation = await startConversation({ version: 'ocpp2.1' });
    const { charger, csms, gateway } = conversation;
    charger.send(heartbeat('1'));
    await csms.next();
    // Not answered yet.
    charger.send(complaint('1'));
    csms.send(heartbeatAnswer('1'));
    await charger.next();
    // It was the charger's call: the CSMS gave the answer and cannot complain about it.
    csms.send(complaint('1'));
    charger.send(complaint('never-called'));
    // An error is no result.
    charger.send(heartbeat('2'));
    await csms.next();
    csms.sendMessage(4, '2', 'InternalError', '', {});
    await charger.next();
    charger.send(complaint('2'));
    await assertNothingElseToCsms(conversation);
    await assertNothingElseToCharger(conversation);
    const refused = gateway.events.flatMap((event) =>
      event.name === 'FrameRefused' ? [event.code] : [],
    );
    assert.deepEqual(
      refused,
      Array.from({ length: 4 }, () => 'MATCH_UNSOLICITED'),
    );
  });
});

test('the versions of this file are all there are', () => {
  assert.deepEqual(ocppVersions, ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1']);
});
