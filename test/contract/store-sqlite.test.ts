import assert from 'node:assert/strict';
import { chmod, mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { openStore, type StoreLocation } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { isStoreError } from '../../src/store/store-error.ts';
import { manualClock } from '../support/manual-clock.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { runModule } from '../support/store-process.ts';
import { emptySqlite, openSqliteTestStore } from '../support/stores.ts';

// Goal: an SQLite file has one gateway, is nobody else's business, and whatever is wrong with it is
// said in a sentence; the thread that has it ends with the store, and starts again when it dies.
// Method: other processes, damaged files, threads that are ended from outside.

const imports = { openStore: 'src/store/open-store.ts', systemClock: 'src/lib/clock.ts' };
/** Opens the store as a gateway, says so or why not, and waits. */
const gateway = `
  await openStore(parameter, systemClock()).then(
    () => console.log('open'),
    ({ failure }) => console.log(failure),
  );
  setInterval(() => {}, 1000);`;

describe('an SQLite store', () => {
  test('has one gateway, in this process and in others, and any number of visitors', async () => {
    await using opened = await openSqliteTestStore();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      // Whoever is refused must not take the lock with it when it closes its files.
      await assert.rejects(openStore(opened.location, manualClock()), inUse);
      await using other = runModule(imports, gateway, opened.location);
      assert.equal(await other.line(), 'in-use');
      const visitor = await opened.openAnother();
      await visitor.transact((db) => db.deleteFrom('counter').execute());
      await visitor.close();
    }
    await opened.store.close();
    await (await openStore(opened.location, manualClock())).close();
  });

  test('is free again when the gateway that had it was killed', async () => {
    await using database = await emptySqlite();
    await using other = runModule(imports, gateway, database.location);
    assert.equal(await other.line(), 'open');
    await assert.rejects(openStore(database.location, manualClock()), inUse);
    other.child.kill('SIGKILL');
    assert.equal(await other.exit, 'SIGKILL');
    await (await openStore(database.location, manualClock())).close();
  });

  test('can be read by its owner only, whatever rights its files had', async () => {
    await using database = await emptySqlite();
    const directory = path.join(directoryOf(database.location), 'made', 'here');
    const location = { type: 'sqlite', directory, isGateway: true } as const;
    for (const spoil of [false, true]) {
      if (spoil) {
        for (const name of await readdir(directory)) await chmod(path.join(directory, name), 0o666);
      }
      const store = await openStore(location, manualClock());
      await store.transact((db) => db.deleteFrom('counter').execute());
      const names = await readdir(directory);
      assert.deepEqual(names.sort(), [
        'gatewatt.lock',
        'gatewatt.lock-journal',
        'gatewatt.sqlite',
        'gatewatt.sqlite-shm',
        'gatewatt.sqlite-wal',
      ]);
      for (const name of names) assert.equal(await modeOf(path.join(directory, name)), 0o600, name);
      assert.equal(await modeOf(directory), 0o700);
      await store.close();
    }
  });

  test('that is no database, or a damaged one, is refused, and then free', async () => {
    await using database = await emptySqlite();
    const file = path.join(directoryOf(database.location), 'gatewatt.sqlite');
    const workers = recordWorkers();
    await writeFile(file, Buffer.alloc(8192, 'no database '));
    await assert.rejects(
      openStore(database.location, manualClock()),
      unavailable(/^the file is not an SQLite database$/),
    );
    await writeFile(file, '');
    await (await openStore(database.location, manualClock())).close();
    {
      await using handle = await open(file, 'r+');
      const { size } = await handle.stat();
      // All but the page that says what this is.
      await handle.write(Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
    }
    await assert.rejects(
      openStore(database.location, manualClock()),
      unavailable(/^the SQLite file is damaged$/),
    );
    await writeFile(file, '');
    await (await openStore(database.location, manualClock())).close();
    assert.deepEqual(workers.running(), []);
  });

  test('whose directory cannot be made or written says so', async (t) => {
    await using database = await emptySqlite();
    const directory = path.join(directoryOf(database.location), 'file');
    await writeFile(directory, '');
    await assert.rejects(
      openStore({ type: 'sqlite', directory, isGateway: true }, manualClock()),
      unavailable(/^the data directory .+ cannot be used \(E[A-Z]+\)$/),
    );
    // Rights do not keep root from writing: a disk that is read-only does.
    const disk = await mountSmallDisk(t);
    if (disk === undefined) return;
    await using small = disk;
    const there = path.join(small.directory, 'data');
    await mkdir(there);
    const location = { type: 'sqlite', directory: there, isGateway: false } as const;
    await small.setReadOnly(true);
    await assert.rejects(
      openStore(location, manualClock()),
      unavailable(/^the data directory .+ cannot be used \(EROFS\)$/),
    );
    await small.setReadOnly(false);
    await (await openStore(location, manualClock())).close();
    await small.setReadOnly(true);
    await assert.rejects(
      openStore(location, manualClock()),
      unavailable(/^the SQLite file cannot be (?:written|opened)$/),
    );
  });

  test('starts its thread again when that has ended, and keeps the lock', async () => {
    const workers = recordWorkers();
    await using opened = await openSqliteTestStore();
    const { store, clock } = opened;
    const heard: boolean[] = [];
    store.onHealth((isAvailable) => heard.push(isAvailable));
    await store.query((db) => db.insertInto('counter').values({ name: 'a', value: 1 }).execute());
    for (const transact of [store.transact.bind(store), store.transactDurably.bind(store)]) {
      const inTheMiddle = transact(async (db) => {
        await db.updateTable('counter').set({ value: 2 }).execute();
        await workers.running().at(-1)?.terminate();
        await db.updateTable('counter').set({ value: 3 }).execute();
      });
      await assert.rejects(inTheMiddle, unavailable(/^the SQLite thread has ended$/));
      assert.equal(store.isAvailable, false);
      clock.advance(1_500);
      assert.deepEqual(await valuesOf(store), [1]);
      await store.transact(async () => {});
      await assert.rejects(openStore(opened.location, manualClock()), inUse);
    }
    assert.deepEqual(heard, [false, true, false, true]);
    // Ended while it works: everyone who waits hears of it, or is served by the next thread.
    const asked = Promise.allSettled([valuesOf(store), valuesOf(store), valuesOf(store)]);
    await workers.running().at(-1)?.terminate();
    for (const outcome of await asked) {
      if (outcome.status === 'fulfilled') assert.deepEqual(outcome.value, [1]);
      else assert.ok(isStoreError(outcome.reason));
    }
    clock.advance(500);
    assert.deepEqual(await valuesOf(store), [1]);
    await store.close();
    assert.deepEqual(workers.running(), []);
  });

  test('waits for the disk in each durable transaction, and in no other', async () => {
    await using opened = await openSqliteTestStore();
    const { store } = opened;
    const levelIn = async (db: Parameters<Parameters<Store['query']>[0]>[0]): Promise<unknown> => {
      const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(db);
      return rows[0]?.synchronous;
    };
    // A pragma that was compiled once and kept would do nothing from the second time on.
    for (let time = 0; time < 3; time += 1) {
      assert.equal(await store.transactDurably(levelIn), 2);
      assert.equal(await store.transact(levelIn), 1);
      await assert.rejects(
        store.transactDurably(() => Promise.reject(new Error('ours'))),
        /ours/,
      );
      assert.equal(await store.query(levelIn), 1);
    }
  });

  test('sees the columns that another process has added', async () => {
    await using opened = await openSqliteTestStore();
    const { store } = opened;
    await store.query((db) => db.insertInto('counter').values({ name: 'a', value: 1 }).execute());
    assert.deepEqual(await valuesOf(store), [1]);
    const other = await opened.openAnother();
    await other.query((db) => sql`alter table counter add column extra text`.execute(db));
    const rows = await store.query((db) => db.selectFrom('counter').selectAll().execute());
    assert.deepEqual({ ...rows[0] }, { name: 'a', value: 1, extra: null });
  });

  test('lets the process end that forgets to close it, but not while it is asked', async () => {
    await using database = await emptySqlite();
    await using other = runModule(
      imports,
      `const store = await openStore(parameter, systemClock());
       store.query((db) => db.selectFrom('counter').selectAll().execute()).then((rows) => {
         console.log(rows.length);
       });`,
      database.location,
    );
    assert.equal(await other.line(), '0');
    assert.equal(await other.exit, 0);
  });
});

const inUse = { name: 'StoreError', failure: 'in-use', message: /another gateway uses this/ };

function unavailable(message: RegExp): (error: unknown) => boolean {
  return (error) =>
    isStoreError(error) && error.failure === 'unavailable' && message.test(error.message);
}

async function valuesOf(store: Store): Promise<readonly number[]> {
  const rows = await store.query((db) => db.selectFrom('counter').selectAll().execute());
  return rows.map(({ value }) => value);
}

function directoryOf(location: StoreLocation): string {
  assert.ok(location.type === 'sqlite');
  return location.directory;
}

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

/** The threads that this process starts from now on. */
function recordWorkers(): { running(): readonly Worker[] } {
  const running = new Set<Worker>();
  process.on('worker', (worker) => {
    running.add(worker);
    worker.once('exit', () => running.delete(worker));
  });
  return { running: () => [...running] };
}
