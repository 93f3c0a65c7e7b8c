import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Clock } from '../../src/lib/clock.ts';
import { openStore, type StoreLocation } from '../../src/store/open-store.ts';
import type { Store, StoreKind } from '../../src/store/store.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { findPostgres, type PostgresServer, startPostgres } from './postgres.ts';

/** What a test may choose about its store. */
export interface TestStoreOptions {
  /** The clock of the store, instead of one that stands still. */
  readonly clock?: Clock;
}

/** A store on an empty database of its own, and what belongs to it. */
export interface TestStore {
  readonly store: Store;
  /** The clock of `store`, unless the test has chosen another. */
  readonly clock: ManualClock;
  readonly location: StoreLocation;
  /**
   * Opens the same database once more, as another gateway or the command line would.
   *
   * @param clock its own idea of the time; that of `store` without it.
   */
  openAnother(clock?: Clock): Promise<Store>;
  /** Closes them all, and removes the database. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a store on an empty database. */
export type OpenTestStore = (options?: TestStoreOptions) => Promise<TestStore>;

/**
 * Declares the tests of `suite` once for each database.
 *
 * Without a PostgreSQL server on the machine, its half is skipped and says so; but it fails where
 * CI=true is set, because there nobody would read it.
 */
export function describeEachStore(
  name: string,
  suite: (open: OpenTestStore, kind: StoreKind) => void,
): void {
  describe(`${name} (SQLite)`, () => suite(opener(emptySqlite), 'sqlite'));
  describePostgres(`${name} (PostgreSQL)`, () => suite(opener(emptyPostgres), 'postgres'));
}

/** Declares tests that need PostgreSQL, on the same terms. */
export function describePostgres(name: string, suite: () => void): void {
  const reason = 'no PostgreSQL server is installed (on Debian: apt-get install postgresql)';
  if (findPostgres() !== undefined) {
    describe(name, suite);
  } else if (process.env['CI'] === 'true') {
    describe(name, () => {
      test('finds a PostgreSQL server', () => assert.fail(reason));
    });
  } else {
    describe(name, { skip: reason }, suite);
  }
}

/** Opens one store, outside of `describeEachStore`. */
export const openSqliteTestStore: OpenTestStore = opener(emptySqlite);

/** A database without tables. */
export interface EmptyDatabase {
  readonly location: StoreLocation;
  /** The same, for those who come second: an SQLite file has one gateway. */
  readonly visitorLocation: StoreLocation;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes an SQLite directory. */
export async function emptySqlite(): Promise<EmptyDatabase> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-store-'));
  return {
    location: { type: 'sqlite', directory, isGateway: true },
    visitorLocation: { type: 'sqlite', directory, isGateway: false },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Makes a PostgreSQL database in the server that the tests of this process share. */
export async function emptyPostgres(): Promise<EmptyDatabase> {
  const server = await sharedPostgres();
  const database = await server.createDatabase();
  const location: StoreLocation = { type: 'postgres', url: server.url(database) };
  return {
    location,
    visitorLocation: location,
    [Symbol.asyncDispose]: () => server.returnDatabase(database),
  };
}

let shared: Promise<PostgresServer> | undefined;

/** The server that the tests of this process share; it is started when it is first needed. */
export function sharedPostgres(): Promise<PostgresServer> {
  shared ??= startPostgres();
  return shared;
}

after(async () => {
  const server = await shared;
  await server?.[Symbol.asyncDispose]();
});

function opener(makeDatabase: () => Promise<EmptyDatabase>): OpenTestStore {
  return async (options = {}) => {
    const database = await makeDatabase();
    const clock = manualClock();
    const storeClock = options.clock ?? clock;
    const opened: Store[] = [];
    const dispose = async (): Promise<void> => {
      await Promise.all(opened.map((store) => store.close()));
      await database[Symbol.asyncDispose]();
    };
    const openAt = async (location: StoreLocation, itsClock: Clock): Promise<Store> => {
      const store = await openStore(location, itsClock);
      opened.push(store);
      return store;
    };
    try {
      return {
        store: await openAt(database.location, storeClock),
        clock,
        location: database.location,
        openAnother: (itsClock = storeClock) => openAt(database.visitorLocation, itsClock),
        [Symbol.asyncDispose]: dispose,
      };
    } catch (error) {
      await dispose();
      throw error;
    }
  };
}
