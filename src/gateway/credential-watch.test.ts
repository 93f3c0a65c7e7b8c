import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openFallibleStore } from '../../test/support/fallible-store.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import { findCredential, stagePassword } from '../chargers/credentials.ts';
import { CredentialWatch } from './credential-watch.ts';

// Goal: of a password that the CSMS sets, the gateway keeps what the charger may have and forgets
// what it cannot have, however the session ends.
// Method: a watch over a real store, and a password from before that would be lost.

const charger = 'CP-1' as ChargerId;
const call = { id: 'set', action: 'ChangeConfiguration' };
const changes = [{ is: 'password', password: Buffer.from('0011223344556677'), index: 0 }] as const;

async function setUp() {
  const fallible = await openFallibleStore();
  const { store } = fallible;
  const watch = new CredentialWatch(charger, 'ocpp1.6', { store, emit: () => {} });
  const earlier = { hash: 'earlier', origin: 'csms' } as const;
  await store.transact((db) => stagePassword(db, charger, earlier, 'any', 1));
  return {
    watch,
    next: async () => (await store.query((db) => findCredential(db, charger))).next,
    [Symbol.asyncDispose]: () => fallible[Symbol.asyncDispose](),
  };
}

describe('a password that the CSMS sets', () => {
  test('is kept when it was sent and nobody knows what became of it', async () => {
    await using it = await setUp();
    assert.equal(await it.watch.begin(call, changes, undefined), true);
    it.watch.sending('set');
    const staged = await it.next();
    assert.notEqual(staged?.hash, 'earlier');
    await it.watch.stop();
    assert.deepEqual(await it.next(), staged);
  });

  test('is forgotten when the session ends before its turn, and the earlier one is back', async () => {
    await using it = await setUp();
    assert.equal(await it.watch.begin(call, changes, undefined), true);
    it.watch.sending('another');
    await it.watch.stop();
    assert.equal((await it.next())?.hash, 'earlier');
  });

  test('is forgotten when the session ends while it is noted', async () => {
    await using it = await setUp();
    const begun = it.watch.begin(call, changes, undefined);
    await it.watch.stop();
    assert.equal(await begun, false);
    assert.equal((await it.next())?.hash, 'earlier');
  });
});
