import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  assertRefused,
  startConversation,
} from './live-conversation.ts';

// Goal: a reply that breaks a rule never reaches the caller, and never leaves it, or the call
// behind it, waiting for ever.
// Method: each bad reply answers an open call with another call waiting behind it.

const now = '2026-01-01T00:00:00Z';
const clearCache = (id: string): string => JSON.stringify([2, id, 'ClearCache', {}]);
const accepted = (id: string): string => JSON.stringify([3, id, { status: 'Accepted' }]);

/** Replies of a charger to ClearCache that are refused. */
const badReplies = [
  ['a missing property', '[3,"1",{}]'],
  ['a wrong type', '[3,"1",{"status":{}}]'],
  ['an ambiguous payload', '[3,"1",{"status":"Accepted","status":"Rejected"}]'],
  ['two elements', '[3,"1"]'],
  ['four elements', '[3,"1",{"status":"Accepted"},{}]'],
  ['no object', '[3,"1","Accepted"]'],
  ['an ambiguous error', '[4,"1","GenericError","",{"a":1,"a":2}]'],
  ['an error without a code', '[4,"1"]'],
] as const;

describe('refused replies', { timeout: 30_000 }, () => {
  for (const version of ocppVersions) {
    for (const [what, text] of badReplies) {
      test(`rule 4: standard answers the caller in place of ${what} (${version})`, async () => {
        await using conversation = await startConversation({ version });
        const { charger, csms } = conversation;
        csms.send(clearCache('1'));
        csms.send(clearCache('2'));
        assert.equal(await charger.next(), clearCache('1'));
        charger.send(text);
        await assertRefused(csms, version, '1', 'REPLY_REFUSED');
        assert.equal(await charger.next(), clearCache('2'));
        charger.send(accepted('2'));
        assert.equal(await csms.next(), accepted('2'));
        // A better answer to the same call comes too late.
        charger.send(accepted('1'));
        await assertNothingElseToCsms(conversation);
        assert.equal(csms.received.length, 3);
      });
    }
  }

  test('rule 4: the charger is answered when a reply of the CSMS is refused', async () => {
    await using conversation = await startConversation();
    const { charger, csms, version } = conversation;
    const replies = [
      '[3,"1",{"currentTime":"yesterday"}]',
      '[3,"1",{}]',
      `[4,"1","InternalError","${'x'.repeat(256)}",{}]`,
    ];
    for (const reply of replies) {
      charger.sendMessage(2, '1', 'Heartbeat', {});
      await csms.next();
      csms.send(reply);
      await assertRefused(charger, version, '1', 'REPLY_REFUSED');
    }
    await assertNothingElseToCharger(conversation);
  });

  test('rule 4: a reply of the CSMS that is only untidy passes: else no charger would boot', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    for (const reply of [
      '[3,"1",{"currentTime":"2026-06-13T12:16:34.207573"}]',
      '[3,"1",{"currentTime":"2026-01-01T00:00:00Z","status":"Accepted"}]',
    ]) {
      charger.sendMessage(2, '1', 'Heartbeat', {});
      await csms.next();
      csms.send(reply);
      assert.equal(await charger.next(), reply);
    }
  });

  test('rule 4: a soft departure in a reply of the charger passes as it is', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    csms.send(clearCache('1'));
    await charger.next();
    const answer = '[3,"1",{"status":"Accepted","extra":1}]';
    charger.send(answer);
    assert.equal(await csms.next(), answer);
  });

  test('rule 4: strict drops a bad payload, and the next call goes', async () => {
    await using conversation = await startConversation({
      changes: { rules: { preset: 'strict' } },
    });
    const { charger, csms, gateway } = conversation;
    csms.send(clearCache('1'));
    csms.send(clearCache('2'));
    await charger.next();
    charger.send('[3,"1",{"status":"Perhaps"}]');
    assert.equal(await charger.next(), clearCache('2'));
    charger.send(accepted('2'));
    assert.equal(await csms.next(), accepted('2'));
    const refused = await gateway.event('FrameRefused');
    assert.equal(`${refused.code} ${refused.penalty}`, 'PAYLOAD_VALUE drop');
  });

  test('rule 1: strict closes on a reply that is no OCPP message', async () => {
    await using conversation = await startConversation({
      changes: { rules: { preset: 'strict' } },
    });
    const { charger, csms } = conversation;
    csms.send(clearCache('1'));
    await charger.next();
    charger.send('[3,"1"]');
    assert.deepEqual(await charger.closed, {
      code: 1002,
      reason: 'The message is not an OCPP message.',
    });
    assert.equal((await csms.closed).code, 1008);
    assert.equal(csms.received.length, 0);
  });

  test('R7: an error with missing elements passes as it is', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    const errors = [
      '[4,"1","NotSupported"]',
      '[4,"1","NotSupported",""]',
      '[4,"1","NotSupported","","details"]',
      '[4,"1","MyOwnError","why not",{}]',
    ];
    for (const text of errors) {
      csms.send(clearCache('1'));
      assert.equal(await charger.next(), clearCache('1'));
      charger.send(text);
      assert.equal(await csms.next(), text);
    }
  });

  test('R6: 1.6 lets null stand for an empty payload, where the schema allows an empty one', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    charger.send('[2,"1","Heartbeat",null]');
    assert.equal(await csms.next(), '[2,"1","Heartbeat",null]');
    csms.sendMessage(3, '1', { currentTime: now });
    await charger.next();
    const status = { connectorId: 1, errorCode: 'NoError', status: 'Available' };
    charger.sendMessage(2, '2', 'StatusNotification', status);
    await csms.next();
    csms.send('[3,"2",null]');
    assert.equal(await charger.next(), '[3,"2",null]');
  });
});
