import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruneTransactions } from '../../src/chargers/prune-transactions.ts';
import type { Store } from '../../src/store/store.ts';
import { isStoreError } from '../../src/store/store-error.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: the table of transactions does not grow without end, and loses the oldest ones alone.
// Method: rows of known ages, and one step of pruning after the other, on both databases.

const dayMs = 86_400_000;
const keep = { days: 1000, transactionsMax: 100_000 };

const insert = (store: Store, count: number, startedMs: (index: number) => number) =>
  store.transact(async (db) => {
    for (let from = 0; from < count; from += 500) {
      const rows = Array.from({ length: Math.min(500, count - from) }, (_, at) => ({
        identity_key: `cp-${(from + at) % 3}`,
        transaction_id: `t-${from + at}`,
        status: at % 2 === 0 ? 'open' : 'ended',
        started_ms: startedMs(from + at),
        ended_ms: null,
        document: '{}',
      }));
      await db.insertInto('charger_transaction').values(rows).execute();
    }
  });

const left = async (store: Store) => {
  const rows = await store.query((db) =>
    db.selectFrom('charger_transaction').select('transaction_id').orderBy('started_ms').execute(),
  );
  return rows.map((row) => row.transaction_id);
};

describeEachStore('transactions that are kept', (open) => {
  test('are those of the last days', async () => {
    await using opened = await open();
    const { store } = opened;
    assert.equal(await pruneTransactions(store, keep), 0);
    const nowMs = store.nowMs();
    await insert(store, 5, (index) => nowMs - index * dayMs);
    assert.equal(await pruneTransactions(store, { ...keep, days: 4 }), 0);
    assert.equal(await pruneTransactions(store, { ...keep, days: 2 }), 2);
    assert.deepEqual(await left(store), ['t-2', 't-1', 't-0']);
    opened.clock.advance(1);
    assert.equal(await pruneTransactions(store, { ...keep, days: 2 }), 1);
    assert.equal(await pruneTransactions(store, { ...keep, days: 2 }), 0);
    assert.deepEqual(await left(store), ['t-1', 't-0']);
  });

  test('are no more than may be, the youngest', async () => {
    await using opened = await open();
    const { store } = opened;
    await insert(store, 10, (index) => store.nowMs() - index);
    assert.equal(await pruneTransactions(store, { ...keep, transactionsMax: 10 }), 0);
    assert.equal(await pruneTransactions(store, { ...keep, transactionsMax: 7 }), 3);
    assert.equal(await pruneTransactions(store, { ...keep, transactionsMax: 7 }), 0);
    assert.deepEqual(await left(store), ['t-6', 't-5', 't-4', 't-3', 't-2', 't-1', 't-0']);
  });

  test('both at once delete what one of them would', async () => {
    await using opened = await open();
    const { store } = opened;
    const nowMs = store.nowMs();
    await insert(store, 6, (index) => nowMs - index * dayMs);
    assert.equal(await pruneTransactions(store, { days: 4, transactionsMax: 3 }), 3);
    await insert(store, 1, () => nowMs - 10 * dayMs).catch(() => {});
    assert.deepEqual(await left(store), ['t-2', 't-1', 't-0']);
  });

  test('are reached in steps of five hundred', async () => {
    await using opened = await open();
    const { store } = opened;
    await insert(store, 1200, (index) => store.nowMs() - 2 * dayMs - index);
    const steps: number[] = [];
    for (let times = 0; times < 4; times += 1) {
      steps.push(await pruneTransactions(store, { ...keep, days: 1 }));
    }
    assert.deepEqual(steps, [500, 500, 200, 0]);
    await insert(store, 1200, (index) => store.nowMs() - index);
    assert.equal(await pruneTransactions(store, { ...keep, transactionsMax: 100 }), 500);
    assert.equal((await left(store))[0], 't-699');
  });

  test('a store that is away prunes nothing and says so', async () => {
    await using opened = await open();
    await opened.store.close();
    await assert.rejects(pruneTransactions(opened.store, keep), isStoreError);
  });
});
