import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admittedCall, admittedResult } from '../../test/support/conversation.ts';
import { openFallibleStore } from '../../test/support/fallible-store.ts';
import { noCredential } from '../../test/support/session-credential.ts';
import { bindCertificate } from '../chargers/certificate-bindings.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import { Claims } from '../chargers/claims.ts';
import { Memories } from '../chargers/memories.ts';
import { ChargerMemory } from '../chargers/memory/charger-memory.ts';
import { seededRandom } from '../lib/random.ts';
import type { RulePolicy } from '../rules/presets.ts';
import { StoreError } from '../store/store-error.ts';
import { KnownCharger } from './known-charger.ts';

// Goal: what was learned, what the operator wrote down, and what the store says become the rules and
// modes of a session; and what a session leaves behind is there for the next one.
// Method: one charger over a real store that fails when the test says so.

const charger = 'CP-1' as ChargerId;
const claim = { charger, epoch: 1 };
const transaction = (transactionId: string) => ({ about: 'transaction', transactionId }) as const;
const standard: RulePolicy = { preset: 'standard', overrides: [] };

async function setUp(policy = standard) {
  const fallible = await openFallibleStore();
  const { clock, store } = fallible;
  const options = { gatewayId: 'gw', leaseMs: 1000, takeoversPerHourMax: 1, quarantineMs: 1 };
  const claims = new Claims(store, options, seededRandom(1));
  const listener = { onReleased: () => {}, onLost: () => {}, onDefect: () => {} };
  const memories = new Memories(store, claims, clock, listener);
  const know = (memory = new ChargerMemory()) =>
    new KnownCharger(
      {
        charger,
        version: 'ocpp1.6',
        listener: 'field',
        credential: noCredential(),
        record: undefined,
        claim,
        memory,
      },
      { clock, memories, policy, store },
    );
  return {
    fallible,
    memories,
    know,
    owns: (identityKey: string, transactionId: string) =>
      store.query((db) =>
        db
          .insertInto('charger_transaction')
          .values({
            identity_key: identityKey,
            transaction_id: transactionId,
            status: 'open',
            started_ms: 1,
            document: '{}',
          })
          .execute(),
      ),
    binds: (identity: string, value: string) =>
      store.transact((db) =>
        bindCertificate(db, identity as ChargerId, { kind: 'common-name', value }, 1),
      ),
    [Symbol.asyncDispose]: () => fallible[Symbol.asyncDispose](),
  };
}

describe('what a session knows of its charger', () => {
  test('the owners of a transaction are asked for one message at a time', async () => {
    await using setup = await setUp();
    const known = setup.know();
    assert.equal(known.context.otherOwnersOf('7'), undefined);
    await known.lookUp(transaction('7'));
    assert.equal(known.context.otherOwnersOf('7'), 0);
    await setup.owns('cp-2', '7');
    known.forget(transaction('7'));
    assert.equal(known.context.otherOwnersOf('7'), undefined);
    await known.lookUp(transaction('7'));
    assert.equal(known.context.otherOwnersOf('7'), 1);
    await setup.owns('cp-3', '7');
    await known.lookUp(transaction('7'));
    assert.equal(known.context.otherOwnersOf('7'), 2);
  });

  test('a store that is away answers nothing, and a defect is told', async () => {
    await using setup = await setUp();
    const known = setup.know();
    setup.fallible.failure = new StoreError('unavailable', 'away');
    await known.lookUp(transaction('7'));
    assert.equal(known.context.otherOwnersOf('7'), 'unknown');
    setup.fallible.failure = new TypeError('broken');
    setup.fallible.clock.advance(1000);
    await assert.rejects(known.lookUp(transaction('8')), /broken/);
    assert.equal(known.context.otherOwnersOf('8'), 'unknown', 'fails closed');
  });

  test('T2-14: whose the name of a certificate is, is asked for one message at a time', async () => {
    await using setup = await setUp();
    const known = setup.know();
    const question = { about: 'certificate', commonName: 'SERIAL-2' } as const;
    const isForeign = () => known.context.isForeignName('SERIAL-2');
    await known.lookUp(question);
    assert.equal(isForeign(), false);
    assert.equal(known.context.isForeignName('SERIAL-3'), undefined);
    await setup.binds('CP-1', 'SERIAL-2');
    await known.lookUp(question);
    assert.equal(isForeign(), false, 'its own');
    known.forget(question);
    assert.equal(isForeign(), undefined);
    await setup.binds('CP-2', 'SERIAL-4');
    await known.lookUp({ about: 'certificate', commonName: 'SERIAL-4' });
    assert.equal(known.context.isForeignName('SERIAL-4'), true);
    setup.fallible.failure = new StoreError('unavailable', 'away');
    await known.lookUp(question);
    assert.equal(isForeign(), 'unknown');
  });

  test('calls of the connection before are stale, by side and id, for one connection', async () => {
    await using setup = await setUp();
    const memory = new ChargerMemory();
    const first = setup.know(memory);
    first.end([
      { from: 'charger', id: 'up', action: 'Heartbeat' },
      { from: 'csms', id: 'down', action: 'Reset' },
    ]);
    assert.deepEqual(
      memory.outstanding.map(({ from, id }) => `${from} ${id}`),
      ['charger up', 'csms down'],
    );
    assert.equal(setup.memories.unwrittenCount, 1);
    const second = setup.know(memory);
    assert.equal(second.isStale('charger', 'up'), true);
    assert.equal(second.isStale('csms', 'down'), true);
    assert.equal(second.isStale('csms', 'up'), false);
    assert.equal(second.isStale('charger', 'UP'), false);
    assert.deepEqual(memory.outstanding, []);
    assert.equal(setup.know(memory).isStale('charger', 'up'), false);
  });

  test('what passes is learned, with the time of the wall clock', async () => {
    await using setup = await setUp();
    const memory = new ChargerMemory();
    const known = setup.know(memory);
    assert.equal(known.context.bootStatus, 'unknown');
    const payload = { chargePointVendor: 'V', chargePointModel: 'M' };
    known.learn('charger', admittedCall(2, '1', 'BootNotification', payload));
    const answer = { status: 'Pending', interval: 1, currentTime: '2026-01-01T00:00:00Z' };
    known.learn('csms', admittedResult(3, '1', answer));
    assert.equal(known.context.bootStatus, 'Pending');
    assert.equal(memory.boot.sinceMs, setup.fallible.clock.nowMs());
    known.learn('csms', admittedCall(2, '2', 'TriggerMessage', { requestedMessage: 'Heartbeat' }));
    assert.equal(known.context.wasTriggered('Heartbeat'), true);

    // A call that is over teaches nothing any more.
    known.learn('charger', admittedCall(2, '3', 'BootNotification', payload));
    known.callOver('charger', '3');
    known.learn('csms', admittedResult(3, '3', { ...answer, status: 'Accepted' }));
    assert.equal(known.context.bootStatus, 'Pending');
  });

  test('what the charger said last time, and what the operator wrote down, choose the modes', async () => {
    const overrides = [
      { match: { vendor: 'Huawei*' }, rule: 'payload', mode: 'monitor' },
      { match: { vendor: 'Other*' }, rule: 'payload', mode: 'off' },
    ] as const;
    const policy: RulePolicy = { preset: 'standard', overrides };
    await using setup = await setUp(policy);
    const modeOf = (known: KnownCharger) => known.modes.modeOf('payload', 'hard', 'charger');
    const memory = new ChargerMemory();
    const known = setup.know(memory);
    assert.equal(modeOf(known), 'enforce');
    known.describe({ vendor: 'Huawei', model: undefined, firmware: undefined });
    assert.equal(modeOf(known), 'monitor');
    const payload = { chargePointVendor: 'Huawei', chargePointModel: 'M' };
    known.learn('charger', admittedCall(2, '1', 'BootNotification', payload));
    known.learn('csms', admittedResult(3, '1', { status: 'Accepted' }));
    assert.equal(modeOf(setup.know(memory)), 'monitor');
    known.applyRecord({ id: charger, vendor: 'Other Ltd' });
    assert.equal(modeOf(known), 'off');
    const ruleModes = [{ rule: 'payload', mode: 'enforce', from: 'charger' }] as const;
    known.applyRecord({ id: charger, ruleModes });
    assert.equal(modeOf(known), 'enforce', 'what is said of this one charger goes first');
    const unknownOnes = [{ rule: 'gravity', mode: 'off' }] as const;
    known.applyRecord({ id: charger, ruleModes: unknownOnes });
    assert.equal(modeOf(known), 'monitor', 'what a newer release wrote down is not understood');
  });
});
