import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { sql } from 'kysely';
import { openStore } from '../../src/store/open-store.ts';
import type { Queries, Store } from '../../src/store/store.ts';
import { isStoreError } from '../../src/store/store-error.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { openSqliteTestStore } from '../support/stores.ts';

// Goal: a full disk is said to be one; what was written stays readable; nothing is half written; and
// once there is room, writing works again, in the same store.
// Method: a disk of two megabytes that is filled; and SQLite's own limit, which fails inside of a
// statement instead of at its end. Every transaction writes one row and counts it: both or neither.

describe('an SQLite store', () => {
  for (const spills of [false, true]) {
    const where = spills ? 'in the middle of a transaction' : 'at the end of a transaction';
    test(`survives a disk that is full ${where}`, async (t) => {
      const disk = await mountSmallDisk(t);
      if (disk === undefined) return;
      await using small = disk;
      const clock = manualClock();
      const directory = path.join(small.directory, 'data');
      const store = await openStore({ type: 'sqlite', directory, isGateway: true }, clock);
      // A small cache writes to the disk before the transaction is over.
      if (spills) await store.query((db) => sql`pragma cache_size = 4`.execute(db));
      await survives(store, clock, {
        fill: small.fill,
        free: small.free,
      });
      await store.close();
      const reopened = await openStore({ type: 'sqlite', directory, isGateway: true }, clock);
      await assertWhole(reopened);
      await reopened.close();
    });
  }

  test('survives a limit that a statement runs into', async () => {
    await using opened = await openSqliteTestStore();
    const { store, clock } = opened;
    const limit = async (pages: number): Promise<void> => {
      await store.query((db) => sql`pragma max_page_count = ${sql.lit(pages)}`.execute(db));
    };
    // A limit below what is there means: no page more.
    await survives(store, clock, { fill: () => limit(1), free: () => limit(1_000_000) });
  });
});

interface Room {
  fill(): Promise<void>;
  free(): Promise<void>;
}

async function survives(store: Store, clock: ManualClock, { fill, free }: Room): Promise<void> {
  const heard: (readonly [boolean, string])[] = [];
  store.onHealth((isAvailable, detail) => heard.push([isAvailable, detail]));
  await store.transact((db) =>
    db.insertInto('counter').values({ name: 'frames', value: 0 }).execute(),
  );
  const ways: readonly Store['transact'][] = [
    (ask) => store.transact(ask),
    (ask) => store.transactDurably(ask),
  ];
  let written = 0;
  for (let round = 0; round < 2; round += 1) {
    for (const transact of ways) {
      await transact((db) => addFrames(db, `${written}`, 1));
      written += 1;
      await fill();
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const failing = transact((db) => addFrames(db, `${written}`, 20));
        await assert.rejects(failing, isFull);
        await assert.rejects(
          transact(async () => {}),
          /has failed a moment ago/,
        );
        clock.advance(500);
        assert.equal(await countFrames(store), written);
        await assertWhole(store);
      }
      const alone = store.query((db) => addFrame(db, 'alone', 600_000));
      await assert.rejects(alone, isFull);
      clock.advance(1_500);
      await free();
      await transact((db) => addFrames(db, `${written}`, 1));
      written += 1;
      assert.equal(await countFrames(store), written);
    }
  }
  await assertWhole(store);
  assert.equal(store.isAvailable, true);
  assert.ok(heard.every(([isAvailable, detail]) => isAvailable || detail === 'the disk is full'));
}

function isFull(error: unknown): boolean {
  return (
    isStoreError(error) && error.failure === 'unavailable' && error.message === 'the disk is full'
  );
}

async function addFrames(db: Queries, id: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await db
      .updateTable('counter')
      .set((it) => ({ value: it('value', '+', 1) }))
      .where('name', '=', 'frames')
      .execute();
    await addFrame(db, `${id}-${index}`, 30_000);
  }
}

async function addFrame(db: Queries, id: string, bytes: number): Promise<void> {
  await db
    .insertInto('quarantined_frame')
    .values({
      id,
      at_ms: 0,
      gateway_id: 'g',
      identity_key: 'cp',
      charger: 'cp',
      finding: '{}',
      frame: 'x'.repeat(bytes),
      frame_bytes: bytes,
    })
    .execute();
}

async function countFrames(store: Store): Promise<number> {
  const { count } = await store.query((db) =>
    db
      .selectFrom('quarantined_frame')
      .select((it) => it.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow(),
  );
  return count;
}

/** Nothing is damaged, and nothing half written. */
async function assertWhole(store: Store): Promise<void> {
  const check = await store.query((db) =>
    sql<{ integrity_check: string }>`pragma integrity_check`.execute(db),
  );
  assert.deepEqual(
    check.rows.map((row) => row.integrity_check),
    ['ok'],
  );
  const { value } = await store.query((db) =>
    db.selectFrom('counter').select('value').where('name', '=', 'frames').executeTakeFirstOrThrow(),
  );
  assert.equal(value, await countFrames(store));
}
