import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { sql } from 'kysely';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { isStoreError } from '../../src/store/store-error.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import type { PostgresServer } from '../support/postgres.ts';
import { runModule } from '../support/store-process.ts';
import { describePostgres, emptyPostgres, sharedPostgres } from '../support/stores.ts';

// Goal: a PostgreSQL server that goes away, in whichever way, is noticed in a bounded time and said
// in a sentence that names no secret; and the same store works again when it is back.
// Method: a real server is stopped, killed, frozen, and asked for what it does not have.

/** Short, because the tests wait for it. */
const timeoutMs = 1000;
/** More than connecting and asking may take, on a slow machine. */
const boundMs = 20_000;

describePostgres('a PostgreSQL server', () => {
  for (const mode of ['fast', 'immediate'] as const) {
    test(`that is stopped (${mode}) is away until it is back`, async () => {
      await using opened = await openHere();
      const { store, server, clock, heard } = opened;
      await store.query(ask);
      await server.stop(mode);
      await assert.rejects(store.query(ask), unavailable(/PostgreSQL/));
      await rests(store);
      for (let attempt = 0; attempt < 3; attempt += 1) {
        clock.advance(500);
        await assert.rejects(
          store.transact(ask),
          unavailable(/PostgreSQL cannot be reached \(ECONN/),
        );
      }
      assert.equal(store.isAvailable, false);
      await server.start();
      // A store that rests does not look.
      await rests(store);
      clock.advance(500);
      // That it can be read, and written once, does not prove it.
      await store.query(ask);
      await store.transact(ask);
      assert.equal(store.isAvailable, false);
      clock.advance(1_000);
      await store.query(ask);
      assert.equal(store.isAvailable, false);
      await store.transact(ask);
      assert.equal(store.isAvailable, true);
      assert.deepEqual(
        heard.map(([isAvailable]) => isAvailable),
        [false, true],
      );
    });

    test(`that is stopped (${mode}) in the middle of a transaction takes all of it back`, async () => {
      await using opened = await openHere();
      const { store, server, clock } = opened;
      for (const transact of [store.transact.bind(store), store.transactDurably.bind(store)]) {
        const inTheMiddle = transact(async (db) => {
          await db.insertInto('counter').values({ name: 'a', value: 1 }).execute();
          await server.stop(mode);
          await db.insertInto('counter').values({ name: 'b', value: 2 }).execute();
        });
        await assert.rejects(inTheMiddle, unavailable(/PostgreSQL/));
        await server.start();
        clock.advance(500);
        const rows = await store.query((db) => db.selectFrom('counter').selectAll().execute());
        assert.deepEqual(rows, []);
      }
    });
  }

  test('that hangs is away after a bounded time, for all who ask, and then comes back', async () => {
    await using opened = await openHere();
    const { store, server, clock, heard } = opened;
    await Promise.all(Array.from({ length: 8 }, () => store.query(ask)));
    await server.pause();
    const startMs = performance.now();
    const asked = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        index % 2 === 0 ? store.query(ask) : store.transact(ask),
      ),
    );
    assert.ok(performance.now() - startMs < boundMs);
    for (const outcome of asked) {
      assert.equal(outcome.status, 'rejected');
      assert.ok(unavailable(/PostgreSQL does not answer/)(outcome.reason));
    }
    clock.advance(500);
    await assert.rejects(store.query(ask), unavailable(/PostgreSQL does not answer/));
    await server.resume();
    clock.advance(1_500);
    // Each connection, were one kept that still waits for its old answer.
    await Promise.all(Array.from({ length: 16 }, () => store.query(ask)));
    await store.transact(ask);
    assert.deepEqual(
      heard.map(([isAvailable]) => isAvailable),
      [false, true],
    );
  });

  test('that hangs in the middle of a transaction does not keep any of it', async () => {
    await using opened = await openHere();
    const { store, server, clock } = opened;
    const startMs = performance.now();
    const inTheMiddle = store.transact(async (db) => {
      await db.insertInto('counter').values({ name: 'a', value: 1 }).execute();
      await server.pause();
      await db.insertInto('counter').values({ name: 'b', value: 2 }).execute();
    });
    await assert.rejects(inTheMiddle, unavailable(/PostgreSQL does not answer/));
    assert.ok(performance.now() - startMs < boundMs);
    await server.resume();
    clock.advance(500);
    const rows = await store.query((db) => db.selectFrom('counter').selectAll().execute());
    assert.deepEqual(rows, []);
  });

  test('that hangs lets a store be opened neither, nor a process that closes it live on', async () => {
    await using opened = await openHere();
    const { server, location } = opened;
    await using other = runModule(
      { openStore: 'src/store/open-store.ts', systemClock: 'src/lib/clock.ts' },
      `const store = await openStore(parameter, systemClock());
       console.log('open');
       process.stdin.once('data', async () => {
         await store.close();
         process.stdin.destroy();
       });`,
      location,
    );
    assert.equal(await other.line(), 'open');
    await server.pause();
    other.child.stdin?.write('close\n');
    const startMs = performance.now();
    assert.equal(await other.exit, 0);
    await assert.rejects(
      openStore(location, manualClock()),
      unavailable(/PostgreSQL does not answer/),
    );
    assert.ok(performance.now() - startMs < boundMs);
    await server.resume();
  });

  test('gives a query up that takes too long, and the connection stays', async () => {
    await using opened = await openHere();
    const { store, clock } = opened;
    await assert.rejects(
      store.query((db) => sql`select pg_sleep(60)`.execute(db)),
      unavailable(/gave the query up because it took too long/),
    );
    clock.advance(500);
    await store.query(ask);
  });

  test('ends one connection, and the store does not notice but once', async () => {
    await using opened = await openHere();
    const { store, clock } = opened;
    const end = store.transact((db) =>
      sql`select pg_terminate_backend(pg_backend_pid())`.execute(db),
    );
    await assert.rejects(end, unavailable(/PostgreSQL/));
    clock.advance(500);
    await store.query(ask);
  });

  test('that cannot be used is told of in one sentence without the password', async () => {
    await using database = await emptyPostgres();
    assert.ok(database.location.type === 'postgres');
    const good = new URL(database.location.url);
    const changed = (change: (url: URL) => void): string => {
      const url = new URL(good);
      change(url);
      return url.href;
    };
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const address = closed.address();
    closed.close();
    assert.ok(typeof address === 'object' && address !== null);
    const admin = await openStore(database.location, manualClock());
    await admin.query((db) => sql`create role nobody login password 'geheim'`.execute(db));
    await admin.query((db) => sql`revoke create on schema public from public`.execute(db));
    await admin.query((db) => sql`drop table kysely_migration, kysely_migration_lock`.execute(db));
    await admin.close();

    const cases: readonly (readonly [string, RegExp])[] = [
      [
        changed((url) => {
          url.password = 'geheim';
        }),
        /^PostgreSQL refused the user or the password$/,
      ],
      [
        changed((url) => {
          url.password = '';
        }),
        /^PostgreSQL does not answer, or refused the connection$/,
      ],
      [
        changed((url) => {
          url.pathname = '/no_such_database';
        }),
        /^the PostgreSQL database does not exist$/,
      ],
      [
        changed((url) => {
          url.port = String(address.port);
        }),
        /^PostgreSQL cannot be reached \(ECONNREFUSED\)$/,
      ],
      [
        changed((url) => {
          url.hostname = 'no-such-host.invalid';
        }),
        /^PostgreSQL cannot be reached \((?:ENOTFOUND|EAI_AGAIN)\)$/,
      ],
      [
        changed((url) => {
          url.search = 'sslmode=verify-full';
        }),
        /^PostgreSQL does not answer, or refused the connection$/,
      ],
      [
        changed((url) => {
          url.username = 'nobody';
          url.password = 'geheim';
        }),
        /^the PostgreSQL user lacks a right; it must own the database or its schema$/,
      ],
      ['postgres://gatewatt:geheim@127.0.0.1:99999/x', /^the URL of PostgreSQL is not valid$/],
      ['postgres://gatewatt:geheim@[:::/x', /^the URL of PostgreSQL is not valid$/],
    ];
    for (const [url, message] of cases) {
      const failure = await openStore({ type: 'postgres', url }, manualClock()).then(
        async (store) => store.close(),
        (error: unknown) => error,
      );
      assert.ok(unavailable(message)(failure), inspect(failure));
      const shown = inspect(failure, { depth: 9, showHidden: true });
      for (const secret of [good.password, decodeURIComponent(good.password), 'geheim']) {
        assert.ok(!shown.includes(secret), shown);
      }
    }
  });

  test('of the tests ends with the process that started it, however that ends', async () => {
    await using other = runModule(
      { startPostgres: 'test/support/postgres.ts' },
      `const server = await startPostgres();
       console.log(JSON.stringify({ ids: await server.processIds(), folder: server.folder }));
       setInterval(() => {}, 1000);`,
      {},
    );
    const { ids, folder } = JSON.parse(await other.line()) as { ids: number[]; folder: string };
    // Those of connections that were closed meanwhile have ended, but never the first, the server.
    assert.ok(ids.length > 1 && ids.slice(0, 1).every(isRunning) && existsSync(folder));
    other.child.kill('SIGKILL');
    const endMs = performance.now() + boundMs;
    while ((ids.some(isRunning) || existsSync(folder)) && performance.now() < endMs)
      await delay(20);
    assert.deepEqual(ids.filter(isRunning), []);
    assert.ok(!existsSync(folder));
  });
});

interface OpenedHere {
  readonly store: Store;
  readonly server: PostgresServer;
  readonly clock: ManualClock;
  readonly location: { readonly type: 'postgres'; readonly url: string };
  readonly heard: (readonly [boolean, string])[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** A store with short time-outs. The server runs again when the test is over. */
async function openHere(): Promise<OpenedHere> {
  const server = await sharedPostgres();
  const database = await emptyPostgres();
  assert.ok(database.location.type === 'postgres');
  const location = { ...database.location, timeoutMs };
  const clock = manualClock();
  const store = await openStore(location, clock);
  const heard: (readonly [boolean, string])[] = [];
  store.onHealth((isAvailable, detail) => heard.push([isAvailable, detail]));
  return {
    store,
    server,
    clock,
    location,
    heard,
    [Symbol.asyncDispose]: async () => {
      await server.resume();
      await store.close();
      await server.start();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function ask(db: Parameters<Parameters<Store['query']>[0]>[0]): Promise<void> {
  await db.selectFrom('counter').selectAll().execute();
}

/** A store that has failed refuses without asking. */
async function rests(store: Store): Promise<void> {
  let isAsked = false;
  const failure = store.query(async () => {
    isAsked = true;
  });
  await assert.rejects(failure, unavailable(/^the store has failed a moment ago$/));
  assert.equal(isAsked, false);
}

function unavailable(message: RegExp): (error: unknown) => boolean {
  return (error) =>
    isStoreError(error) && error.failure === 'unavailable' && message.test(error.message);
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}
