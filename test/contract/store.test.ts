import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import type { Queries, Store } from '../../src/store/store.ts';
import { isStoreError } from '../../src/store/store-error.ts';
import { manualClock } from '../support/manual-clock.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: both databases keep the same promises, so that nobody who uses the store asks which it is.
// Method: each test runs on an SQLite file and in a PostgreSQL server, in a database of its own.

const hourMs = 3_600_000;

describeEachStore('store', (open, kind) => {
  test('a transaction that fails in the middle leaves nothing behind', async () => {
    await using opened = await open();
    const { store } = opened;
    for (const transact of transactions(store)) {
      const failure = new Error('in the middle');
      await assert.rejects(
        transact(async (db) => {
          await put(db, 'a', 1);
          throw failure;
        }),
        (error) => error === failure,
      );
      assert.deepEqual(await all(store), []);
    }
    assert.equal(store.isAvailable, true);
  });

  test('a transaction that succeeds is kept, and gives its result', async () => {
    await using opened = await open();
    const { store } = opened;
    for (const [index, transact] of transactions(store).entries()) {
      const result = await transact(async (db) => {
        await put(db, `a${index}`, index);
        return index;
      });
      assert.equal(result, index);
    }
    assert.deepEqual(await all(store), [
      { name: 'a0', value: 0 },
      { name: 'a1', value: 1 },
    ]);
  });

  test('nothing is kept of a transaction in which a statement failed and nobody minded', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.query((db) => put(db, 'a', 1));
    await assert.rejects(
      store.transact(async (db) => {
        await put(db, 'b', 2);
        await put(db, 'a', 3).catch(() => {});
        await put(db, 'c', 4).catch(() => {});
      }),
      (error) => !isStoreError(error),
    );
    assert.deepEqual(await all(store), [{ name: 'a', value: 1 }]);
    await store.transact((db) => put(db, 'd', 5));
    assert.equal(store.isAvailable, true);
  });

  test('two stores on one database see what the other has committed, and no more', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    await store.transact(async (db) => {
      await put(db, 'a', 1);
      assert.deepEqual(await all(other), []);
    });
    assert.deepEqual(await all(other), [{ name: 'a', value: 1 }]);
    await other.query((db) => put(db, 'b', 2));
    assert.equal((await all(store)).length, 2);
  });

  test('writers of two stores wait for each other, and none of them fails', async () => {
    await using opened = await open();
    const stores = [opened.store, await opened.openAnother()];
    await opened.store.query((db) => put(db, 'a', 0));
    const values = await Promise.all(
      stores.flatMap((store) =>
        Array.from({ length: 20 }, () => store.transact((db) => increment(db, 'a'))),
      ),
    );
    values.sort((a, b) => a - b);
    assert.deepEqual(
      values,
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
    assert.deepEqual(await all(opened.store), [{ name: 'a', value: 40 }]);
  });

  test('many queries at once all get their own answer', async () => {
    await using opened = await open();
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        opened.store.query(async (db) => {
          const { rows } = await sql<{ n: number }>`select cast(${index} as bigint) as n`.execute(
            db,
          );
          return rows[0]?.n;
        }),
      ),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 500 }, (_, index) => index),
    );
  });

  test('a closed store says so, and closing waits for what is under way', async () => {
    await using opened = await open();
    const { store } = opened;
    const heard: boolean[] = [];
    store.onHealth((isAvailable) => heard.push(isAvailable));
    const underWay = store.transact(async (db) => {
      await put(db, 'a', 1);
      await put(db, 'b', 2);
    });
    await Promise.all([store.close(), store.close()]);
    await underWay;
    for (const ask of [...transactions(store), store.query.bind(store)]) {
      await assert.rejects(
        ask(async () => {}),
        { name: 'StoreError', failure: 'unavailable', message: 'the store is closed' },
      );
    }
    const reopened = await opened.openAnother();
    assert.equal((await all(reopened)).length, 2);
    assert.deepEqual(heard, []);
  });

  test('the time is that of the database, whatever the wall clock does', async () => {
    let stepMs = 0;
    const moving = manualClock(Date.now() + hourMs);
    await using opened = await open({
      clock: { ...moving, nowMs: () => moving.nowMs() + stepMs },
    });
    const { store } = opened;
    // SQLite has no time of its own: it is that of the machine.
    const offMs = store.nowMs() - Date.now();
    assert.ok(Math.abs(offMs - (kind === 'sqlite' ? hourMs : 0)) < 10_000, `${offMs}`);
    const beforeMs = store.nowMs();
    assert.ok(Number.isInteger(beforeMs));
    stepMs = -5 * hourMs;
    assert.equal(store.nowMs(), beforeMs);
    moving.advance(1234);
    assert.equal(store.nowMs(), beforeMs + 1234);
    await store.synchronize();
    assert.ok(Math.abs(store.nowMs() - beforeMs) < 10_000);
  });

  test('numbers come back as the numbers they were', async () => {
    await using opened = await open();
    const { store } = opened;
    const values = [0, -1, 2 ** 31, 2 ** 32 + 1, Date.UTC(2026, 0, 1), Number.MAX_SAFE_INTEGER];
    for (const [index, value] of values.entries()) {
      await store.query((db) => put(db, `${index}`, value));
    }
    assert.deepEqual(
      (await all(store)).map(({ value }) => value),
      values,
    );
    const above = await store.query((db) =>
      db
        .selectFrom('counter')
        .select('name')
        .where('value', '>', 2 ** 32)
        .execute(),
    );
    assert.equal(above.length, 3);
  });

  test('texts come back as the texts they were', async () => {
    await using opened = await open();
    const { store } = opened;
    const texts = [
      '',
      "'; drop table counter; --",
      '"\\$1 ?',
      '🔌 Zähler',
      '\u0001\n\r\t',
      '\u2028',
    ];
    for (const text of texts) {
      await store.query((db) => put(db, text, 1));
      const found = await store.query((db) =>
        db.selectFrom('counter').select('name').where('name', '=', text).execute(),
      );
      assert.deepEqual(found, [{ name: text }]);
    }
  });

  test('a text with NUL is stored by SQLite, and refused by PostgreSQL as a defect of ours', async () => {
    await using opened = await open();
    const { store } = opened;
    const stored = store.transact((db) => put(db, 'a\0b', 1));
    if (kind === 'sqlite') {
      await stored;
      assert.deepEqual(await all(store), [{ name: 'a\0b', value: 1 }]);
    } else {
      await assert.rejects(stored, { name: 'error', code: '22021' });
    }
    assert.equal(store.isAvailable, true);
    await store.query((db) => put(db, 'c', 1));
  });

  test('an error that is not of the database comes out as it is', async () => {
    await using opened = await open();
    const { store } = opened;
    for (const failure of [
      Object.assign(new Error('connection terminated, timeout'), { code: 'ECONNREFUSED' }),
      new TypeError('not queryable'),
    ]) {
      await assert.rejects(
        store.query(() => Promise.reject(failure)),
        (error) => error === failure,
      );
      await assert.rejects(
        store.transact(() => Promise.reject(failure)),
        (error) => error === failure,
      );
    }
    await assert.rejects(
      store.query((db) => sql`select * from no_such_table`.execute(db)),
      (error) => !isStoreError(error),
    );
    assert.equal(store.isAvailable, true);
  });

  test('a value that no database can take is a defect of ours', async () => {
    await using opened = await open();
    const { store } = opened;
    const circular: { self?: object } = {};
    circular.self = circular;
    for (const value of kind === 'sqlite' ? [circular, Symbol('a')] : [circular]) {
      await assert.rejects(
        store.query((db) => sql`select ${value}`.execute(db)),
        (error) => !isStoreError(error),
      );
    }
    assert.deepEqual(await all(store), []);
  });
});

/** Both kinds of transaction. */
function transactions(store: Store): readonly Store['transact'][] {
  return [(ask) => store.transact(ask), (ask) => store.transactDurably(ask)];
}

async function put(db: Queries, name: string, value: number): Promise<void> {
  await db.insertInto('counter').values({ name, value }).execute();
}

async function increment(db: Queries, name: string): Promise<number> {
  const { value } = await db
    .updateTable('counter')
    .set((it) => ({ value: it('value', '+', 1) }))
    .where('name', '=', name)
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}

function all(store: Store): Promise<readonly { name: string; value: number }[]> {
  return store.query((db) => db.selectFrom('counter').selectAll().orderBy('name').execute());
}
