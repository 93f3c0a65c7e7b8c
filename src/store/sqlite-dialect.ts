import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { SqliteResult } from './sqlite-protocol.ts';
import type { SqliteThread } from './sqlite-thread.ts';

/** Kysely on the SQLite thread. */
export function sqliteDialect(thread: SqliteThread): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new SqliteThreadDriver(thread),
    createIntrospector: (db: Kysely<never>): DatabaseIntrospector => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** SQLite makes tables inside a transaction like anything else: a migration happens or does not. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  /** The driver has its own queue: that of Kysely takes quadratic time, and keeps no order. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** One connection, which one user has at a time, in the order in which they asked. */
class SqliteThreadDriver implements Driver {
  readonly #thread: SqliteThread;
  readonly #connection: SqliteThreadConnection;
  /** Resolves when the last one in the queue is done. */
  #lastIsDone: Promise<void> = Promise.resolve();
  /** Tells the next one in the queue that it is its turn. */
  #done: () => void = () => {};

  constructor(thread: SqliteThread) {
    this.#thread = thread;
    this.#connection = new SqliteThreadConnection(thread);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#lastIsDone;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastIsDone = promise;
    await before;
    this.#done = resolve;
    try {
      // A thread that has ended is started again here, and never in the middle of a transaction.
      await this.#thread.open();
    } catch (error) {
      resolve();
      throw error;
    }
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    await this.#connection.begin();
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.commit();
  }

  async rollbackTransaction(): Promise<void> {
    await this.#connection.rollBack();
  }

  async releaseConnection(): Promise<void> {
    this.#done();
  }

  /** Whoever started the thread ends it. */
  async destroy(): Promise<void> {}
}

class SqliteThreadConnection implements DatabaseConnection {
  readonly #thread: SqliteThread;
  #isInTransaction = false;
  /** What failed in this transaction. */
  #failure: unknown;

  constructor(thread: SqliteThread) {
    this.#thread = thread;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = await this.#execute(query.sql, query.parameters);
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) };
  }

  async begin(): Promise<void> {
    // At once for writing: a transaction that finds out later that it wants to write can fail then.
    await this.#execute('begin immediate');
    this.#isInTransaction = true;
  }

  async commit(): Promise<void> {
    await this.#execute('commit');
    this.#isInTransaction = false;
  }

  async rollBack(): Promise<void> {
    this.#isInTransaction = false;
    this.#failure = undefined;
    try {
      await this.#thread.execute('rollback', []);
    } catch {
      // SQLite has rolled back by itself, or has ended. The error that led here is the one to report.
    }
  }

  /**
   * As in PostgreSQL, nothing more can be done in a transaction after an error. A full disk makes
   * SQLite roll back by itself: what came after it would be outside of any transaction.
   */
  async #execute(sql: string, parameters: readonly unknown[] = []): Promise<SqliteResult> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await this.#thread.execute(sql, parameters);
    } catch (error) {
      if (this.#isInTransaction) this.#failure = error;
      throw error;
    }
  }

  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    yield await Promise.reject(new Error('SQLite queries are not streamed here'));
  }
}
