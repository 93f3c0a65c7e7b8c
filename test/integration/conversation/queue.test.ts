import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  assertRefused,
  startConversation,
} from './live-conversation.ts';

// Goal: one open call per direction, in order, and neither side can make the other wait for ever.
// Method: a hand-driven charger and CSMS around a real gateway; deadlines of one second where time
// must pass, and events, not sleeps, to wait for them.

const now = '2026-01-01T00:00:00Z';
const heartbeat = (id: string): string => JSON.stringify([2, id, 'Heartbeat', {}]);
const heartbeatAnswer = (id: string): string => JSON.stringify([3, id, { currentTime: now }]);
const clearCache = (id: string): string => JSON.stringify([2, id, 'ClearCache', {}]);
const accepted = (id: string): string => JSON.stringify([3, id, { status: 'Accepted' }]);
const tenIds = Array.from({ length: 10 }, (_, index) => `n${index}`);

describe('queue', { timeout: 30_000 }, () => {
  test('R9: ten calls at once arrive one by one, in their order', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    for (const id of tenIds) charger.send(heartbeat(id));
    for (const [index, id] of tenIds.entries()) {
      assert.equal(await csms.next(), heartbeat(id));
      // The answer goes back before the next call comes: nothing else may have arrived by now.
      assert.equal(csms.received.length, index + 1);
      csms.send(heartbeatAnswer(id));
      assert.equal(await charger.next(), heartbeatAnswer(id));
    }
  });

  test('R9: the same holds for the calls of the CSMS', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    for (const id of tenIds) csms.send(clearCache(id));
    for (const [index, id] of tenIds.entries()) {
      assert.equal(await charger.next(), clearCache(id));
      assert.equal(charger.received.length, index + 1);
      charger.send(accepted(id));
      assert.equal(await csms.next(), accepted(id));
    }
  });

  test('queue: replies overtake waiting calls', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    csms.send(clearCache('down'));
    assert.equal(await charger.next(), clearCache('down'));
    charger.send(heartbeat('up-1'));
    charger.send(heartbeat('up-2'));
    charger.send(accepted('down'));
    assert.equal(await csms.next(), heartbeat('up-1'));
    // up-2 came before the reply, waits for up-1, and does not hold the reply up.
    assert.equal(await csms.next(), accepted('down'));
    csms.send(heartbeatAnswer('up-1'));
    assert.equal(await csms.next(), heartbeat('up-2'));
    csms.send(heartbeatAnswer('up-2'));
  });

  for (const version of ocppVersions) {
    test(`R9: crossing calls with one id do not block each other (${version})`, async () => {
      await using conversation = await startConversation({ version });
      const { charger, csms } = conversation;
      charger.send(heartbeat('1'));
      csms.send(clearCache('1'));
      assert.equal(await csms.next(), heartbeat('1'));
      assert.equal(await charger.next(), clearCache('1'));
      charger.send(accepted('1'));
      csms.send(heartbeatAnswer('1'));
      assert.equal(await csms.next(), accepted('1'));
      assert.equal(await charger.next(), heartbeatAnswer('1'));
    });
  }

  test('R10: a charger may answer RemoteStart after its own StartTransaction', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    csms.sendMessage(2, 'r', 'RemoteStartTransaction', { idTag: 'T', connectorId: 1 });
    await charger.next();
    const start = { connectorId: 1, idTag: 'T', meterStart: 0, timestamp: now };
    charger.sendMessage(2, 's', 'StartTransaction', start);
    assert.deepEqual(await csms.nextMessage(), [2, 's', 'StartTransaction', start]);
    charger.send(accepted('r'));
    assert.equal(await csms.next(), accepted('r'));
    const started = { transactionId: 1, idTagInfo: { status: 'Accepted' } };
    csms.sendMessage(3, 's', started);
    assert.deepEqual(await charger.nextMessage(), [3, 's', started]);
  });

  test('queue: a SEND does not wait for the open call', async () => {
    await using conversation = await startConversation({ version: 'ocpp2.1' });
    const { charger, csms } = conversation;
    charger.send(heartbeat('1'));
    charger.send(heartbeat('2'));
    const stream = { id: 1, pending: 0, basetime: now, data: [{ t: 0, v: '1' }] };
    const send = JSON.stringify([6, 's', 'NotifyPeriodicEventStream', stream]);
    charger.send(send);
    assert.equal(await csms.next(), heartbeat('1'));
    assert.equal(await csms.next(), send);
    csms.send(heartbeatAnswer('1'));
    assert.equal(await csms.next(), heartbeat('2'));
    csms.send(heartbeatAnswer('2'));
  });

  for (const version of ocppVersions) {
    test(`QUEUE_FULL: one call too many is answered, the others arrive (${version})`, async () => {
      await using conversation = await startConversation({
        version,
        changes: { queue: { callsMax: 3 } },
      });
      const { charger, csms, gateway } = conversation;
      const ids = tenIds.slice(0, 6);
      charger.send(heartbeat('n0'));
      await csms.next();
      for (const id of ids.slice(1)) charger.send(heartbeat(id));
      // n0 is open; n1, n2 and n3 wait; n4 and n5 find no room.
      await assertRefused(charger, version, 'n4', 'QUEUE_FULL');
      await assertRefused(charger, version, 'n5', 'QUEUE_FULL');
      for (const id of ids.slice(0, 4)) {
        if (id !== 'n0') assert.equal(await csms.next(), heartbeat(id));
        csms.send(heartbeatAnswer(id));
        assert.equal(await charger.next(), heartbeatAnswer(id));
      }
      await assertNothingElseToCsms(conversation);
      const refused = gateway.events.filter((event) => event.name === 'CallRefused');
      assert.deepEqual(
        refused.map(({ code, from }) => `${code} ${from}`),
        ['QUEUE_FULL charger', 'QUEUE_FULL charger'],
      );
    });
  }
});

describe('deadlines', { timeout: 30_000 }, () => {
  const changes = { queue: { inFlightSeconds: 1 } };

  for (const from of ['charger', 'csms'] as const) {
    test(`in flight: a call of the ${from} that nobody answers fails, and the next one goes`, async () => {
      await using conversation = await startConversation({ changes });
      const { charger, csms, gateway, version } = conversation;
      const caller = from === 'charger' ? charger : csms;
      const callee = from === 'charger' ? csms : charger;
      const call = from === 'charger' ? heartbeat : clearCache;
      const answer = from === 'charger' ? heartbeatAnswer : accepted;
      caller.send(call('slow'));
      caller.send(call('next'));
      assert.equal(await callee.next(), call('slow'));
      await assertRefused(caller, version, 'slow', 'QUEUE_EXPIRED');
      assert.equal(await callee.next(), call('next'));

      // R3: the answer that comes after all is dropped and counted, and is no strike.
      callee.send(answer('slow'));
      callee.send(answer('next'));
      assert.equal(await caller.next(), answer('next'));
      const late = await gateway.event('FrameRefused');
      assert.equal(late.code, 'MATCH_LATE');
      assert.equal(late.penalty, 'drop');
      assert.equal(caller.received.length, 2);
    });
  }

  test('R3: duplicate replies are dropped without a strike, however many', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 1 } } });
    const { charger, csms, gateway } = conversation;
    charger.send(heartbeat('1'));
    await csms.next();
    for (let count = 0; count < 6; count += 1) csms.send(heartbeatAnswer('1'));
    assert.equal(await charger.next(), heartbeatAnswer('1'));
    await assertNothingElseToCsms(conversation);
    await assertNothingElseToCharger(conversation);
    assert.equal(charger.received.length, 3);
    const late = gateway.events.filter((event) => event.name === 'FrameRefused');
    assert.deepEqual(
      late.map(({ code }) => code),
      Array.from({ length: 5 }, () => 'MATCH_LATE'),
    );
  });

  test('a waiting call of the CSMS is answered in its time, and never sent', async () => {
    await using conversation = await startConversation({
      changes: { csms: { callTimeoutSeconds: 1 }, queue: { inFlightSeconds: 30 } },
    });
    const { charger, csms, version } = conversation;
    csms.send(clearCache('open'));
    csms.sendMessage(2, 'stale', 'GetLocalListVersion', {});
    assert.equal(await charger.next(), clearCache('open'));
    // Long before the open call's own deadline of 30 seconds.
    await assertRefused(csms, version, 'stale', 'QUEUE_EXPIRED');
    charger.send(accepted('open'));
    assert.equal(await csms.next(), accepted('open'));
    await assertNothingElseToCharger(conversation);
    assert.equal(charger.received.length, 2);
  });

  test('a waiting call of a charger never expires', async () => {
    await using conversation = await startConversation({
      changes: { csms: { callTimeoutSeconds: 1 }, queue: { inFlightSeconds: 3 } },
    });
    const { charger, csms, gateway, version } = conversation;
    charger.send(heartbeat('open'));
    charger.send(heartbeat('waiting'));
    csms.send(clearCache('clock'));
    csms.send(clearCache('clock-waiting'));
    assert.equal(await csms.next(), heartbeat('open'));
    // The gateway's own clock says that the time of a waiting CSMS call is up.
    await assertRefused(csms, version, 'clock-waiting', 'QUEUE_EXPIRED');
    csms.send(heartbeatAnswer('open'));
    assert.equal(await csms.next(), heartbeat('waiting'));
    csms.send(heartbeatAnswer('waiting'));
    assert.equal(await charger.next(), clearCache('clock'));
    assert.equal(await charger.next(), heartbeatAnswer('open'));
    assert.equal(await charger.next(), heartbeatAnswer('waiting'));
    const refused = gateway.events.filter((event) => event.name === 'CallRefused');
    assert.deepEqual(
      refused.map(({ from }) => from),
      ['csms'],
    );
  });

  test('monitor: late replies pass, and a call that was never sent is still answered', async () => {
    await using conversation = await startConversation({
      changes: {
        rules: { preset: 'monitor' },
        queue: { inFlightSeconds: 2 },
        csms: { callTimeoutSeconds: 1 },
      },
    });
    const { charger, csms, gateway, version } = conversation;
    csms.send(clearCache('slow'));
    csms.send(clearCache('never-sent'));
    assert.equal(await charger.next(), clearCache('slow'));
    await assertRefused(csms, version, 'never-sent', 'QUEUE_EXPIRED');
    await gateway.event('CallRefused', ({ action: _, code }) => code === 'QUEUE_EXPIRED');
    // An answer of the gateway's for `slow` would be a second one, because this one passes.
    await gateway.event(
      'CallRefused',
      () => gateway.events.filter((event) => event.name === 'CallRefused').length === 2,
    );
    charger.send(accepted('slow'));
    assert.equal(await csms.next(), accepted('slow'));
    assert.equal(csms.received.length, 2);
  });
});
