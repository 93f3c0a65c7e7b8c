import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { changesSince, latestRevision, noteChange } from '../../src/chargers/registry-changes.ts';
import { quarantineIdentity, releaseIdentity } from '../../src/chargers/registry-quarantine.ts';
import type { Store } from '../../src/store/store.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: running gateways learn of each change once, in its order, or learn that they missed some.
// Method: changes one by one, at once, rolled back and pruned, on both databases.

const cp1 = 'CP-1' as ChargerId;
const changes = async (store: Store, since: number, limit = 100) => {
  const found = await store.query((db) => changesSince(db, since, limit));
  return found.changes.map(({ revision, identityKey }) => `${revision} ${identityKey}`);
};

describeEachStore('changes', (open) => {
  test('are told from where one left off, in pages', async () => {
    await using opened = await open();
    const { store } = opened;
    assert.equal(await store.query(latestRevision), 0);
    assert.deepEqual(await store.query((db) => changesSince(db, 0, 10)), {
      changes: [],
      hasGap: false,
    });
    for (const name of ['a', 'b', 'c', 'd']) {
      await store.transact((db) => noteChange(db, name, 42));
    }
    assert.equal(await store.query(latestRevision), 4);
    assert.deepEqual(await changes(store, 0, 2), ['1 a', '2 b']);
    assert.deepEqual(await changes(store, 2, 2), ['3 c', '4 d']);
    assert.deepEqual(await changes(store, 2, 1), ['3 c']);
    assert.deepEqual(await store.query((db) => changesSince(db, 3, 10)), {
      changes: [{ revision: 4, identityKey: 'd', atMs: 42 }],
      hasGap: false,
    });
    assert.deepEqual(await store.query((db) => changesSince(db, 4, 10)), {
      changes: [],
      hasGap: false,
    });
    // The store was put back from a backup.
    assert.equal((await store.query((db) => changesSince(db, 5, 10))).hasGap, true);
  });

  test('that were rolled back leave no hole', async () => {
    await using opened = await open();
    const { store } = opened;
    await assert.rejects(
      store.transact(async (db) => {
        await noteChange(db, 'a', 1);
        throw new Error('no');
      }),
      /no/,
    );
    await store.transact((db) => noteChange(db, 'b', 1));
    assert.deepEqual(await changes(store, 0), ['1 b']);
  });

  test('that are noted at once all get a revision of their own', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    const revisions = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? store : other).transact((db) => noteChange(db, 'a', 1)),
      ),
    );
    assert.deepEqual(
      revisions.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test('older than ten thousand are deleted step by step, and whoever missed them is told', async () => {
    await using opened = await open();
    const { store } = opened;
    const rows = (from: number) =>
      Array.from({ length: 2000 }, (_, index) => ({
        revision: from + index,
        identity_key: 'a',
        at_ms: 1,
      }));
    await store.transact(async (db) => {
      for (let from = 1; from <= 10_001; from += 2000) {
        await db.insertInto('charger_change').values(rows(from)).execute();
      }
      await db.insertInto('counter').values({ name: 'charger-change', value: 12_000 }).execute();
    });
    await store.transact((db) => noteChange(db, 'b', 1));
    const oldest = async () => {
      const ask = (db: Parameters<Parameters<Store['query']>[0]>[0]) =>
        db.selectFrom('charger_change').select('revision').orderBy('revision').limit(1).execute();
      return (await store.query(ask))[0]?.revision;
    };
    assert.equal(await oldest(), 101);
    const late = await store.query((db) => changesSince(db, 50, 10));
    assert.deepEqual([late.hasGap, late.changes[0]?.revision], [true, 101]);
    assert.equal((await store.query((db) => changesSince(db, 0, 10))).hasGap, true);
    assert.equal((await store.query((db) => changesSince(db, 101, 10))).hasGap, false);
    for (let step = 0; step < 25; step += 1) {
      await store.transact((db) => noteChange(db, 'b', 1));
    }
    assert.equal(await oldest(), 12_026 - 10_000 + 1);
  });
});

describeEachStore('the quarantine of an identity', (open) => {
  test('begins with or without a claim, keeps the holder, and ends with its take-overs', async () => {
    await using opened = await open();
    const { store } = opened;
    const claim = async () => {
      const [row] = await store.query((db) => db.selectFrom('claim').selectAll().execute());
      return row;
    };
    const hold = (untilMs: number, reason: string) =>
      store.transact((db) => quarantineIdentity(db, cp1, { untilMs, reason }, store.nowMs()));
    const release = () =>
      store.transact((db) => releaseIdentity(db, 'cp-1' as ChargerId, store.nowMs()));
    assert.equal(await release(), 'not-quarantined');
    await hold(store.nowMs() + 1000, 'R');
    assert.deepEqual(await claim(), {
      identity_key: 'cp-1',
      epoch: 0,
      incarnation: null,
      claimed_ms: store.nowMs(),
      alive_ms: null,
      takeovers: 0,
      takeovers_since_ms: store.nowMs(),
      quarantined_until_ms: store.nowMs() + 1000,
      quarantine_reason: 'R',
    });
    await store.query((db) =>
      db.updateTable('claim').set({ epoch: 7, incarnation: 'I', takeovers: 60 }).execute(),
    );
    await hold(store.nowMs() + 2000, 'S');
    const held = await claim();
    assert.deepEqual(
      [held?.epoch, held?.incarnation, held?.quarantined_until_ms, held?.quarantine_reason],
      [7, 'I', store.nowMs() + 2000, 'S'],
    );
    assert.equal(await release(), 'released');
    const free = await claim();
    assert.deepEqual(
      [free?.epoch, free?.incarnation, free?.takeovers, free?.quarantined_until_ms],
      [7, 'I', 0, null],
    );
    assert.equal(await release(), 'not-quarantined');
    assert.deepEqual(await changes(store, 0), ['1 cp-1', '2 cp-1', '3 cp-1']);
    await hold(store.nowMs(), 'over');
    assert.equal(await release(), 'not-quarantined');
  });
});
