import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { Claims } from '../../src/chargers/claims.ts';
import { pruneSightings } from '../../src/chargers/prune-sightings.ts';
import { addCharger } from '../../src/chargers/registry.ts';
import { noteSeen } from '../../src/chargers/registry-sightings.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { Store } from '../../src/store/store.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: whoever invents identities that a pattern admits fills no table, and pushes out nobody who
// is connected or was written down.
// Method: chargers seen at known times, one step of pruning after the other, on both databases.

const dayMs = 86_400_000;
const id = (text: string): ChargerId => text as ChargerId;

const claimsOf = (store: Store): Claims =>
  new Claims(
    store,
    { gatewayId: 'gw', leaseMs: 10 * dayMs, takeoversPerHourMax: 10, quarantineMs: 1000 },
    seededRandom(1),
  );

const see = (store: Store, name: string, atMs: number): Promise<void> =>
  store.query((db) => noteSeen(db, [{ id: id(name), origin: 'configured', atMs }]));

const keysOf = async (store: Store, table: 'charger' | 'claim'): Promise<readonly string[]> => {
  const rows = await store.query((db) =>
    db.selectFrom(table).select('identity_key').orderBy('identity_key').execute(),
  );
  return rows.map((row) => row.identity_key);
};

describeEachStore('chargers that a pattern admits', (open) => {
  test('are forgotten when they are too many, those seen longest ago first', async () => {
    await using opened = await open();
    const { store } = opened;
    for (const [at, name] of ['d', 'c', 'b', 'a'].entries()) await see(store, name, at);
    assert.equal(await pruneSightings(store, 4), 0);
    assert.equal(await pruneSightings(store, 2), 2);
    assert.deepEqual(await keysOf(store, 'charger'), ['a', 'b']);
    assert.equal(await pruneSightings(store, 2), 0);
  });

  test('stay while they are connected, and so do those that were written down', async () => {
    await using opened = await open();
    const { store } = opened;
    const claims = claimsOf(store);
    await claims.start();
    await see(store, 'connected', 1);
    await see(store, 'gone', 2);
    await see(store, 'written', 0);
    await store.transact((db) => addCharger(db, id('written'), {}, 3));
    const taken = await claims.take(id('connected'));
    assert.equal(taken.is, 'taken');
    assert.equal(await pruneSightings(store, 1), 1);
    assert.deepEqual(await keysOf(store, 'charger'), ['connected', 'written']);
    // Too many, but nobody may go.
    assert.equal(await pruneSightings(store, 0), 0);
  });

  test('take their claims with them after a day, unless these are held or quarantined', async () => {
    await using opened = await open();
    const { store } = opened;
    const claims = claimsOf(store);
    await claims.start();
    for (const name of ['free', 'held', 'known', 'quarantined']) {
      const taken = await claims.take(id(name));
      assert(taken.is === 'taken');
      if (name === 'held') continue;
      await store.transact((db) => claims.release(db, [taken.claim]));
    }
    await see(store, 'known', 1);
    await store.query((db) =>
      db
        .updateTable('claim')
        .set({ quarantined_until_ms: store.nowMs() + 2 * dayMs })
        .where('identity_key', '=', 'quarantined')
        .execute(),
    );
    assert.equal(await pruneSightings(store, 10), 0);
    opened.clock.advance(dayMs + 1);
    assert.equal(await pruneSightings(store, 10), 1);
    assert.deepEqual(await keysOf(store, 'claim'), ['held', 'known', 'quarantined']);
    opened.clock.advance(2 * dayMs);
    assert.equal(await pruneSightings(store, 10), 1);
    assert.deepEqual(await keysOf(store, 'claim'), ['held', 'known']);
  });
});
