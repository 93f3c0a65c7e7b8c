import { type Kysely, sql, type Transaction } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import { StoreError } from './store-error.ts';
import type { Tables } from './tables.ts';

/** What a query is written against. */
export type Queries = Kysely<Tables> | Transaction<Tables>;

/** Which database. */
export type StoreKind = 'sqlite' | 'postgres';

/** What a store needs of its database. */
export interface StoreBackend {
  readonly kind: StoreKind;
  readonly db: Kysely<Tables>;
  /** Milliseconds to add to `Clock.elapsedMs` to get the database's time. */
  timeOffsetMs(): Promise<number>;
  /** Turns an error of the database into a StoreError, or says that it is a defect of ours. */
  explain(error: unknown): StoreError | undefined;
  /** Brings the tables up to date. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}

/** How long the store is left alone after it failed, in milliseconds. */
const restMs = 500;
/**
 * How long nothing may have failed before the store counts as available again, in milliseconds:
 * longer than those who have something to write wait for their next attempt. On a full disk small
 * writes succeed between large ones that fail.
 */
const settledMs = 1_500;

/**
 * The database that gateways share.
 *
 * Whatever fails because the database is away fails with a StoreError, and `isAvailable` says so
 * until writing works again. For a moment after a failure everything fails at once: a crowd
 * of chargers must not wait in line for a database that is not there.
 */
export class Store {
  readonly kind: StoreKind;
  readonly #backend: StoreBackend;
  readonly #clock: Clock;
  #timeOffsetMs: number;
  #isAvailable = true;
  #failedAtMs = -Infinity;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  #onHealth: (isAvailable: boolean, detail: string) => void = () => {};

  private constructor(backend: StoreBackend, clock: Clock, timeOffsetMs: number) {
    this.kind = backend.kind;
    this.#backend = backend;
    this.#clock = clock;
    this.#timeOffsetMs = timeOffsetMs;
  }

  /** @throws StoreError */
  static async over(backend: StoreBackend, clock: Clock): Promise<Store> {
    try {
      return new Store(backend, clock, await backend.timeOffsetMs());
    } catch (error) {
      throw backend.explain(error) ?? error;
    }
  }

  /** Can it be read and written, as far as was seen? */
  get isAvailable(): boolean {
    return this.#isAvailable;
  }

  /** Calls `listener` whenever `isAvailable` changes. `detail` is for operators. */
  onHealth(listener: (isAvailable: boolean, detail: string) => void): void {
    this.#onHealth = listener;
  }

  /**
   * The time of the store in Unix milliseconds: that of the database server where there is one,
   * because leases of several gateways must not depend on each one's idea of the time.
   */
  nowMs(): number {
    return Math.round(this.#clock.elapsedMs() + this.#timeOffsetMs);
  }

  /** Compares the clocks again. @throws StoreError */
  async synchronize(): Promise<void> {
    this.#timeOffsetMs = await this.#guard(() => this.#backend.timeOffsetMs());
  }

  /** Runs queries that need no transaction. @throws StoreError */
  query<T>(ask: (db: Queries) => Promise<T>): Promise<T> {
    return this.#guard(() => ask(this.#backend.db));
  }

  /** Runs all of `ask` or nothing of it. @throws StoreError */
  transact<T>(ask: (db: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.#write(() => this.#backend.db.transaction().execute(ask));
  }

  /** The same; when it resolves, a power failure takes nothing of it back. @throws StoreError */
  transactDurably<T>(ask: (db: Transaction<Tables>) => Promise<T>): Promise<T> {
    // PostgreSQL waits for its log at each commit unless somebody has told it otherwise.
    if (this.kind === 'postgres') return this.transact(ask);
    return this.#write(() =>
      this.#backend.db.connection().execute(async (connection) => {
        await sql`pragma synchronous = full`.execute(connection);
        try {
          return await connection.transaction().execute(ask);
        } finally {
          await sql`pragma synchronous = normal`.execute(connection);
        }
      }),
    );
  }

  /** Ends what is under way, which is bounded by time-outs, and then the store. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#backend.close();
  }

  async #write<T>(action: () => Promise<T>): Promise<T> {
    const result = await this.#guard(action);
    if (this.#clock.elapsedMs() - this.#failedAtMs >= settledMs) this.#tell(true, '');
    return result;
  }

  async #guard<T>(action: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new StoreError('unavailable', 'the store is closed');
    if (this.#clock.elapsedMs() - this.#failedAtMs < restMs) {
      throw new StoreError('unavailable', 'the store has failed a moment ago');
    }
    const running = action();
    this.#underWay.add(running);
    try {
      return await running;
    } catch (error) {
      const explained = this.#backend.explain(error);
      if (explained === undefined) throw error;
      this.#failedAtMs = this.#clock.elapsedMs();
      this.#tell(false, explained.message);
      throw explained;
    } finally {
      this.#underWay.delete(running);
    }
  }

  #tell(isAvailable: boolean, detail: string): void {
    if (isAvailable === this.#isAvailable || this.#closing !== undefined) return;
    this.#isAvailable = isAvailable;
    this.#onHealth(isAvailable, detail);
  }
}
