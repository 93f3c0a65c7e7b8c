import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { setCharger } from '../../../src/chargers/registry.ts';
import { openVisitor } from '../../support/live-gateway.ts';
import { assertNothingElseToCsms, startConversation } from './live-conversation.ts';

// Goal: a charger's messages are in the audit log when an operator wants it, without secrets, and
// not otherwise.
// Method: one conversation, before and after the setting is changed under the running gateway.

describe('messages of a charger', () => {
  test('are recorded when its entry says so, without their secrets, and only then', async () => {
    await using conversation = await startConversation();
    const { charger, csms, gateway } = conversation;
    await assertNothingElseToCsms(conversation, 'before');
    {
      await using visitor = await openVisitor(gateway.dataDirectory);
      const { store } = visitor;
      const settings = { recordsMessages: true };
      await store.transact((db) => setCharger(db, 'CP-1' as ChargerId, settings, store.nowMs()));
    }
    // The gateway looks at changes by itself: until it has, messages are not recorded.
    for (let round = 0; !gateway.events.some(({ name }) => name === 'FrameRecorded'); round += 1) {
      assert(round < 100_000);
      await assertNothingElseToCsms(conversation, `round-${round}`);
    }
    await assertNothingElseToCsms(conversation, 'after');
    const secret =
      '[2,"s","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter2hunter2"}]';
    csms.send(secret);
    assert.equal(await charger.next(), secret, 'the message itself passes as it is');
    await gateway.event('FrameRecorded', ({ frame }) => frame.includes('ChangeConfiguration'));
    await gateway.stop();
    await using visitor = await openVisitor(gateway.dataDirectory);
    const rows = await visitor.store.query((db) =>
      db.selectFrom('audit_record').selectAll().where('event', '=', 'FrameRecorded').execute(),
    );
    const documents = rows.map(({ document }) => document).join('\n');
    assert.match(documents, /ChangeConfiguration/);
    // Both the call and its answer.
    assert.equal(documents.split('after').length - 1, 2);
    assert.match(documents, /after[^\n]*Heartbeat/);
    assert.doesNotMatch(documents, /hunter2|before/);
  });
});
