import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { Random } from '../../src/lib/random.ts';
import type { SqliteResult } from '../../src/store/sqlite-protocol.ts';
import { SqliteError, SqliteThread } from '../../src/store/sqlite-thread.ts';
import type { Life } from './life.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** Compiled statements that are kept. */
const statementsMax = 500;

/** Says which statements are not executed, though they seem to be. What it throws, the gateway gets. */
export type StatementSpoiler = (sql: string) => 'forget' | undefined;

/** The database file of a simulation: it outlives the gateways that use it. */
export class SimulatedDatabase {
  readonly #database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
  readonly #statements = new Map<string, StatementSync>();
  readonly #spoil: StatementSpoiler;
  #writes = 0;

  /** @param spoil spoils statements of the gateway, for tests of the simulation itself. */
  constructor(spoil: StatementSpoiler = () => undefined) {
    this.#spoil = spoil;
  }

  /** The same for a statement of the gateway. */
  executeForGateway(sql: string, parameters: readonly unknown[]): SqliteResult {
    if (this.#spoil(sql) === 'forget') return { rows: [], changes: 1 };
    return this.execute(sql, parameters);
  }

  /** @throws what node:sqlite throws. */
  execute(sql: string, parameters: readonly unknown[] = []): SqliteResult {
    const statement = this.#statementFor(sql);
    const values = parameters as readonly SQLInputValue[];
    if (!/^\s*select\b/i.test(sql)) this.#writes += 1;
    if (statement.columns().length > 0) return { rows: statement.all(...values), changes: 0 };
    return { rows: [], changes: Number(statement.run(...values).changes) };
  }

  /** Is what was written last not committed yet? */
  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Rises with each statement that may write: whoever has looked since need not look again. */
  get writes(): number {
    return this.#writes;
  }

  /** What a process leaves that dies. */
  abandon(): void {
    if (this.isInTransaction) this.#database.exec('rollback');
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #statementFor(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    // What a pragma says may be done when it is compiled.
    if (/^\s*pragma\b/i.test(sql)) return statement;
    if (this.#statements.size >= statementsMax) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** How long a statement takes, in milliseconds. */
const quickestMs = 0.1;
const slowMs = 5;
const stalledMs = 500;

/** How slow a database is. */
export interface DatabasePace {
  /** How many of all statements take very long: 0 to 1. */
  stalls: number;
}

/** What one gateway has in the place of the thread with the file: it dies with the gateway. */
export class SimulatedSqlite extends SqliteThread {
  readonly #database: SimulatedDatabase;
  readonly #time: SimulatedTime;
  readonly #random: Random;
  readonly #life: Life;
  readonly #pace: DatabasePace;

  constructor(
    database: SimulatedDatabase,
    {
      life,
      pace,
      random,
      time,
    }: {
      readonly time: SimulatedTime;
      readonly random: Random;
      readonly life: Life;
      readonly pace: DatabasePace;
    },
  ) {
    super({ file: ':memory:', lockFile: undefined });
    this.#database = database;
    this.#time = time;
    this.#random = random;
    this.#life = life;
    this.#pace = pace;
  }

  override open(): Promise<void> {
    return Promise.resolve();
  }

  /** Half of the time passes before it is done, half before the answer: a death can come between. */
  override execute(sql: string, parameters: readonly unknown[]): Promise<SqliteResult> {
    const { promise, reject, resolve } = Promise.withResolvers<SqliteResult>();
    const { isDead } = this.#life;
    if (isDead) return promise;
    const halfMs = this.#delayMs() / 2;
    this.#time.after(halfMs, () => {
      if (this.#life.isDead) return;
      let answer: () => void;
      try {
        const result = this.#database.executeForGateway(sql, parameters);
        answer = () => resolve(result);
      } catch (error) {
        const { errcode, message } = error as Error & { readonly errcode?: number };
        answer = () => reject(new SqliteError('statement', message, errcode));
      }
      this.#time.after(halfMs, () => {
        if (!this.#life.isDead) answer();
      });
    });
    return promise;
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  #delayMs(): number {
    if (this.#random.fraction() < this.#pace.stalls) return stalledMs;
    // Most are quick.
    return quickestMs + (slowMs - quickestMs) * this.#random.fraction() ** 3;
  }
}
