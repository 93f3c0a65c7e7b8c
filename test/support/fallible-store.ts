import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Kysely, type KyselyPlugin } from 'kysely';
import { explainSqliteError } from '../../src/store/explain-error.ts';
import { migrateToLatest } from '../../src/store/migrate.ts';
import { sqliteDialect } from '../../src/store/sqlite-dialect.ts';
import { SqliteThread } from '../../src/store/sqlite-thread.ts';
import { Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

/** A real store on SQLite that fails or waits when a test says so. */
export interface FallibleStore {
  readonly store: Store;
  readonly clock: ManualClock;
  /** While it is there, every query fails with it. A StoreError is a store that is away. */
  failure: Error | undefined;
  /** While it is there, queries have been done but do not answer before it resolves. */
  gate: Promise<void> | undefined;
  /** Queries so far, but for those that begin and end transactions. */
  queries: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens one on an empty database. */
export async function openFallibleStore(): Promise<FallibleStore> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-fallible-'));
  const thread = new SqliteThread({
    file: path.join(directory, 'test.sqlite'),
    lockFile: undefined,
  });
  await thread.open();
  const plain = new Kysely<Tables>({ dialect: sqliteDialect(thread) });
  await migrateToLatest(plain);
  const clock = manualClock();
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      fallible.queries += 1;
      if (fallible.failure !== undefined) throw fallible.failure;
      return node;
    },
    transformResult: async ({ result }) => {
      await fallible.gate;
      return result;
    },
  };
  const store = await Store.over(
    {
      kind: 'sqlite',
      db: plain.withPlugin(plugin),
      timeOffsetMs: async () => clock.nowMs() - clock.elapsedMs(),
      explain: explainSqliteError,
      migrate: () => migrateToLatest(plain),
      close: async () => {
        await plain.destroy();
        await thread.close();
      },
    },
    clock,
  );
  const fallible: FallibleStore = {
    store,
    clock,
    failure: undefined,
    gate: undefined,
    queries: 0,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return fallible;
}
