import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import { connectCharger } from '../../support/text-peer.ts';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  assertRefused,
  type LiveConversation,
  startConversation,
} from './live-conversation.ts';

// Goal: no reply and no reused id can be taken for something that it is not, and a retry, which
// the errata allow, is no attack.
// Method: a hand-driven charger and CSMS around a real gateway; what must not arrive is proven by
// a sentinel that arrives after it.

const now = '2026-01-01T00:00:00Z';
const heartbeat = (id: string): string => JSON.stringify([2, id, 'Heartbeat', {}]);
const heartbeatAnswer = (id: string): string => JSON.stringify([3, id, { currentTime: now }]);
const reset = (id: string): string => JSON.stringify([2, id, 'Reset', { type: 'Soft' }]);
const accepted = (id: string): string => JSON.stringify([3, id, { status: 'Accepted' }]);

function refusals({ gateway }: LiveConversation): readonly string[] {
  return gateway.events.flatMap((event) =>
    event.name === 'FrameRefused' ? [`${event.from} ${event.code} ${event.penalty}`] : [],
  );
}

describe('retries', { timeout: 20_000 }, () => {
  test('R2: a retry of an open call is not passed on twice and shares its one answer', async () => {
    await using conversation = await startConversation();
    const { charger, csms, gateway } = conversation;
    for (let count = 0; count < 4; count += 1) charger.send(heartbeat('1'));
    assert.equal(await csms.next(), heartbeat('1'));
    await gateway.event('CallRetried', () => countOf(conversation, 'CallRetried') === 3);
    csms.send(heartbeatAnswer('1'));
    assert.equal(await charger.next(), heartbeatAnswer('1'));
    await assertNothingElseToCsms(conversation);
    assert.equal(charger.received.length, 2);
    assert.deepEqual(refusals(conversation), []);
  });

  test('R2: a retry of a call that still waits is not queued twice', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    for (const id of ['1', '2', '2', '2']) charger.send(heartbeat(id));
    for (const id of ['1', '2']) {
      assert.equal(await csms.next(), heartbeat(id));
      csms.send(heartbeatAnswer(id));
      assert.equal(await charger.next(), heartbeatAnswer(id));
    }
    await assertNothingElseToCsms(conversation);
  });

  test('R2: the same id every time, answered every time, passes every time', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 1 } } });
    const { charger, csms } = conversation;
    for (let count = 0; count < 5; count += 1) {
      charger.send(heartbeat('always'));
      assert.equal(await csms.next(), heartbeat('always'));
      csms.send(heartbeatAnswer('always'));
      assert.equal(await charger.next(), heartbeatAnswer('always'));
    }
    assert.deepEqual(refusals(conversation), []);
  });

  test('T4-05: same id and bytes after a reconnect raise no alarm', async () => {
    await using conversation = await startConversation();
    const { charger, csms, gateway, server } = conversation;
    charger.send(heartbeat('1'));
    await csms.next();
    // The line breaks before the answer; the charger comes back and asks again.
    charger.socket.terminate();
    await csms.closed;
    await gateway.event('SessionClosed');
    const again = await connectCharger(gateway.url('CP-1'));
    const upstream = await server.nextConnection();
    again.send(heartbeat('1'));
    assert.equal(await upstream.next(), heartbeat('1'));
    upstream.send(heartbeatAnswer('1'));
    assert.equal(await again.next(), heartbeatAnswer('1'));
    assert.deepEqual(refusals(conversation), []);
    await again.close();
  });
});

describe('reused ids', { timeout: 20_000 }, () => {
  for (const from of ['charger', 'csms'] as const) {
    test(`T2-16: other bytes under the id of an open call of the ${from} are dropped`, async () => {
      await using conversation = await startConversation();
      const caller = conversation[from];
      const callee = from === 'charger' ? conversation.csms : conversation.charger;
      const call = from === 'charger' ? heartbeat('1') : reset('1');
      const other =
        from === 'charger' ? '[2,"1","Heartbeat",{ }]' : '[2,"1","Reset",{"type":"Hard"}]';
      const answer = from === 'charger' ? heartbeatAnswer('1') : accepted('1');
      caller.send(call);
      assert.equal(await callee.next(), call);
      caller.send(other);
      await conversation.gateway.event('FrameRefused');
      // No CallError came for it: under that id it would have answered the first call.
      callee.send(answer);
      assert.equal(await caller.next(), answer);
      await assertNothingElseToCsms(conversation);
      await assertNothingElseToCharger(conversation);
      assert.deepEqual(refusals(conversation), [`${from} MATCH_ID_IN_USE drop`]);
    });
  }

  const broken = [
    ['forbidden', '[2,"1","BootNotification",{}]'],
    ['ambiguous', '[2,"1","Reset",{"type":"Soft","type":"Hard"}]'],
    ['unreadable', '[2,"1","Reset"]'],
    ['of an unknown action', '[2,"1","Explode",{}]'],
  ] as const;
  for (const [what, text] of broken) {
    test(`T2-16: a refusal never answers the open call of the same id: ${what}`, async () => {
      await using conversation = await startConversation();
      const { charger, csms, gateway } = conversation;
      csms.send(reset('1'));
      assert.equal(await charger.next(), reset('1'));
      csms.send(text);
      await gateway.event('FrameRefused');
      charger.send(accepted('1'));
      assert.equal(await csms.next(), accepted('1'));
      await assertNothingElseToCharger(conversation);
      assert.equal(csms.received.length, 2);
    });
  }

  test('T2-16: an answered id with other bytes passes from a charger and not from a CSMS', async () => {
    await using conversation = await startConversation();
    const { charger, csms, version } = conversation;
    charger.send(heartbeat('7'));
    await csms.next();
    csms.send(heartbeatAnswer('7'));
    await charger.next();
    const boot = '[2,"7","BootNotification",{"chargePointVendor":"v","chargePointModel":"m"}]';
    charger.send(boot);
    assert.equal(await csms.next(), boot);
    csms.sendMessage(3, '7', { currentTime: now, interval: 60, status: 'Accepted' });
    await charger.next();

    csms.send(reset('8'));
    await charger.next();
    charger.send(accepted('8'));
    await csms.next();
    csms.send('[2,"8","Reset",{"type":"Hard"}]');
    await assertRefused(csms, version, '8', 'MATCH_ID_REUSED');
    await assertNothingElseToCharger(conversation);
  });

  for (const version of ocppVersions) {
    test(`T2-16: ids that are no ids never pass (${version})`, async () => {
      await using conversation = await startConversation({ version });
      const { charger } = conversation;
      const texts = ['""', '"-1"', '7', 'null', '{}', `"${'x'.repeat(256)}"`];
      for (const id of texts) charger.send(`[2,${id},"Heartbeat",{}]`);
      if (version === 'ocpp1.6') {
        // Only "-1" can be sent back; OCPP 1.6 has no word for the others.
        await assertRefused(charger, version, '-1', 'FORMAT_MESSAGE_ID');
      } else {
        for (const _ of texts) await assertRefused(charger, version, '-1', 'FORMAT_MESSAGE_ID');
      }
      await assertNothingElseToCsms(conversation);
    });
  }

  test('R4: an id of 37 characters passes in 1.6 and is refused in 2.x', async () => {
    const id = 'x'.repeat(37);
    await using old = await startConversation();
    old.charger.send(heartbeat(id));
    assert.equal(await old.csms.next(), heartbeat(id));
    await using recent = await startConversation({ version: 'ocpp2.0.1' });
    recent.charger.send(heartbeat(id));
    await assertRefused(recent.charger, 'ocpp2.0.1', id, 'FORMAT_MESSAGE_ID_LONG');
  });
});

describe('unsolicited replies', { timeout: 20_000 }, () => {
  for (const preset of ['standard', 'strict'] as const) {
    for (const from of ['charger', 'csms'] as const) {
      test(`T2-15: replies of the ${from} to nothing reach nobody (${preset})`, async () => {
        await using conversation = await startConversation({ changes: { rules: { preset } } });
        const { charger, csms } = conversation;
        for (let count = 0; count < 10; count += 1) {
          conversation[from].send(accepted(`ghost-${count}`));
          conversation[from].sendMessage(4, `ghost-${count}`, 'GenericError', '', {});
        }
        await assertNothingElseToCsms(conversation);
        await assertNothingElseToCharger(conversation);
        assert.equal(csms.received.length, 2);
        assert.equal(charger.received.length, 2);
        assert.deepEqual(
          new Set(refusals(conversation)),
          new Set([`${from} MATCH_UNSOLICITED drop`]),
        );
      });
    }
  }

  test('T2-15: a reply to a call of the replier itself, or one that waits, is unsolicited', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    charger.send(heartbeat('own'));
    assert.equal(await csms.next(), heartbeat('own'));
    charger.send(heartbeatAnswer('own'));
    csms.send(reset('open'));
    csms.send(reset('waits'));
    assert.equal(await charger.next(), reset('open'));
    charger.send(accepted('waits'));
    charger.send(accepted('open'));
    assert.equal(await csms.next(), accepted('open'));
    assert.equal(await charger.next(), reset('waits'));
    charger.send(accepted('waits'));
    assert.equal(await csms.next(), accepted('waits'));
    csms.send(heartbeatAnswer('own'));
    assert.equal(await charger.next(), heartbeatAnswer('own'));
    assert.deepEqual(refusals(conversation), [
      'charger MATCH_UNSOLICITED drop',
      'charger MATCH_UNSOLICITED drop',
    ]);
  });

  test('D4: an unsolicited reply does not cancel the open call', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    csms.send(reset('real'));
    csms.send(reset('second'));
    assert.equal(await charger.next(), reset('real'));
    charger.send(accepted('other'));
    charger.sendMessage(4, 'REAL', 'InternalError', '', {});
    charger.sendMessage(4, 'second', 'InternalError', '', {});
    charger.send(accepted('real'));
    assert.equal(await csms.next(), accepted('real'));
    assert.equal(await charger.next(), reset('second'));
    charger.send(accepted('second'));
    assert.equal(await csms.next(), accepted('second'));
    assert.equal(csms.received.length, 2);
  });

  test('T2-15: a flood of replies to nothing costs its sender the connection, and only it', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 5 } } });
    const { charger, csms, gateway, server } = conversation;
    const neighbour = await connectCharger(gateway.url('CP-2'));
    const neighbourUpstream = await server.nextConnection();
    for (let count = 0; count < 1000; count += 1) charger.send(accepted(`ghost-${count}`));
    assert.deepEqual(await charger.closed, {
      code: 1008,
      reason: 'Too many unacceptable messages.',
    });
    assert.equal((await csms.closed).code, 1008);
    assert.equal(csms.received.length, 0);
    const ended = await gateway.event('SessionClosed');
    assert.equal(`${ended.charger} ${ended.code} ${ended.endedBy}`, 'CP-1 STRIKES charger');
    // Five are forgiven, the sixth is one too many, and the rest is not even looked at.
    assert.equal(countOf(conversation, 'FrameRefused'), 6);

    neighbour.send(heartbeat('1'));
    assert.equal(await neighbourUpstream.next(), heartbeat('1'));
    await neighbour.close();
  });

  test('T2-15: the benign twin, one stray reply now and then, stays', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 5 } } });
    const { charger, csms } = conversation;
    for (let count = 0; count < 5; count += 1) charger.send(accepted(`ghost-${count}`));
    await assertNothingElseToCsms(conversation);
    assert.equal(csms.received.length, 1);
  });

  test('T2-15: a CSMS that floods loses the connection as well', async () => {
    await using conversation = await startConversation({ changes: { rules: { strikesMax: 5 } } });
    const { charger, csms } = conversation;
    for (let count = 0; count < 6; count += 1) csms.send(heartbeatAnswer(`ghost-${count}`));
    assert.equal((await csms.closed).code, 1008);
    assert.deepEqual(await charger.closed, {
      code: 1011,
      reason: 'The management system has been disconnected.',
    });
    assert.equal(charger.received.length, 0);
  });
});

function countOf({ gateway }: LiveConversation, name: string): number {
  return gateway.events.filter((event) => event.name === name).length;
}
