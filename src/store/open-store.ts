import { chmod, mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { Kysely, sql } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import { explainPostgresError, explainSqliteError } from './explain-error.ts';
import { migrateToLatest } from './migrate.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { SqliteThread } from './sqlite-thread.ts';
import { Store, type StoreBackend } from './store.ts';
import { StoreError } from './store-error.ts';
import type { Tables } from './tables.ts';

/** Where the tables are. */
export type StoreLocation =
  | {
      readonly type: 'sqlite';
      /** Holds `gatewatt.sqlite`. It is made if it is missing. */
      readonly directory: string;
      /** A gateway: it keeps the file to itself, but for visitors from the command line. */
      readonly isGateway: boolean;
    }
  | {
      readonly type: 'postgres';
      readonly url: string;
      /** PostgreSQL is away when it does not answer in this time, in milliseconds. */
      readonly timeoutMs?: number;
    };

/** The SQLite file of a gateway, in its data directory. */
const sqliteFileName = 'gatewatt.sqlite';
const lockFileName = 'gatewatt.lock';

/** See `StoreLocation`. */
const postgresTimeoutMs = 5_000;
/** A new index on a large table takes its time. */
const postgresMigrationMs = 600_000;

/**
 * Opens the store, and brings its tables up to date.
 *
 * @throws StoreError
 */
export async function openStore(location: StoreLocation, clock: Clock): Promise<Store> {
  const backend =
    location.type === 'sqlite'
      ? await openSqlite(location.directory, location.isGateway, clock)
      : openPostgres(location, clock);
  try {
    // First, because it tells soon when the database is away.
    const store = await Store.over(backend, clock);
    await backend.migrate();
    return store;
  } catch (error) {
    await backend.close();
    throw backend.explain(error) ?? error;
  }
}

async function openSqlite(
  directory: string,
  isGateway: boolean,
  clock: Clock,
): Promise<StoreBackend> {
  const file = path.join(directory, sqliteFileName);
  const lockFile = isGateway ? path.join(directory, lockFileName) : undefined;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // SQLite gives its other files the rights of this one: what is in them is nobody's business.
    await makePrivate(file);
    if (lockFile !== undefined) await makePrivate(lockFile);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StoreError(
      'unavailable',
      `the data directory ${directory} cannot be used (${code})`,
      {
        cause: error,
      },
    );
  }
  const thread = new SqliteThread({ file, lockFile });
  try {
    await thread.open();
  } catch (error) {
    throw explainSqliteError(error) ?? error;
  }
  const db = new Kysely<Tables>({ dialect: sqliteDialect(thread) });
  // One machine, one time; and no step of the wall clock moves a lease.
  const timeOffsetMs = clock.nowMs() - clock.elapsedMs();
  return {
    kind: 'sqlite',
    db,
    timeOffsetMs: async () => timeOffsetMs,
    explain: explainSqliteError,
    migrate: () => migrateToLatest(db),
    close: async () => {
      await db.destroy();
      await thread.close();
    },
  };
}

/** Makes an empty file that only its owner can use, unless there is one. */
async function makePrivate(file: string): Promise<void> {
  try {
    // Never opens one that is there: to close it again would take the locks away that this process
    // has on it (sqlite.org/howtocorrupt.html, 2.2).
    const handle = await open(file, 'wx', 0o600);
    await handle.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) await chmod(file, 0o600);
  }
}

function openPostgres(location: StoreLocation & { type: 'postgres' }, clock: Clock): StoreBackend {
  const { url, timeoutMs = postgresTimeoutMs } = location;
  const connect = (queryMs: number): Kysely<Tables> =>
    new Kysely({ dialect: postgresDialect(url, { connectMs: timeoutMs, queryMs }) });
  const db = connect(timeoutMs);
  return {
    kind: 'postgres',
    db,
    timeOffsetMs: async () => {
      const askedMs = clock.elapsedMs();
      const { rows } = await sql<{ readonly now_ms: number }>`
        select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as now_ms
      `.execute(db);
      const halfwayMs = (askedMs + clock.elapsedMs()) / 2;
      return (rows[0]?.now_ms ?? clock.nowMs()) - halfwayMs;
    },
    explain: explainPostgresError,
    migrate: async () => {
      const patient = connect(postgresMigrationMs);
      try {
        await migrateToLatest(patient);
      } finally {
        await patient.destroy();
      }
    },
    close: () => db.destroy(),
  };
}
