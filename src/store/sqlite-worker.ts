import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type {
  SqliteAnswer,
  SqliteRequest,
  SqliteResult,
  SqliteWorkerData,
} from './sqlite-protocol.ts';

/**
 * The thread that owns the SQLite file. node:sqlite blocks while the disk does, and the thread that
 * relays messages must not: so the disk is waited for here.
 */
const { file, lockFile } = workerData as SqliteWorkerData;

/** Compiled statements that are kept. Kysely writes the same text for the same query. */
const statementsMax = 256;

/** Held as long as this process lives, however it ends; the system lets go of it. */
let lock: DatabaseSync | undefined;
let database: DatabaseSync | undefined;
const statements = new Map<string, StatementSync>();

function open(): void {
  if (lockFile !== undefined) {
    lock = new DatabaseSync(lockFile, { timeout: 0 });
    lock.exec('pragma journal_mode = delete; begin exclusive');
  }
  database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
  // WAL: a command line that reads does not stop a gateway that writes. NORMAL survives the death
  // of the process; what must survive the power as well raises it to FULL for its transaction.
  switchToWal(database);
  database.exec(`
    pragma synchronous = normal;
    pragma trusted_schema = off;
    pragma journal_size_limit = 16777216;
    pragma cache_size = -8192;
  `);
}

/** How often, and how long after each other, it is tried again to switch an empty file to WAL. */
const switchAttempts = 100;
const switchPauseMs = 50;

/**
 * Whoever switches the file needs it alone for a moment, and SQLite does not wait for that as it
 * waits for other locks (sqlite.org/wal.html): of several who open an empty file, one succeeds.
 */
function switchToWal(opened: DatabaseSync): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      opened.exec('pragma journal_mode = wal');
      return;
    } catch (error) {
      const isBusy = (error as { readonly errcode?: number }).errcode === 5;
      if (!isBusy || attempt === switchAttempts) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, switchPauseMs);
    }
  }
}

function statementFor(opened: DatabaseSync, sql: string): StatementSync {
  const known = statements.get(sql);
  if (known !== undefined) return known;
  const statement = opened.prepare(sql);
  // SQLite may do what a pragma says when it is compiled (sqlite.org/pragma.html): a compiled one
  // that was kept would do nothing the second time.
  if (/^\s*pragma\b/i.test(sql)) return statement;
  statements.set(sql, statement);
  if (statements.size > statementsMax) {
    const oldest = statements.keys().next();
    if (oldest.done === false) statements.delete(oldest.value);
  }
  return statement;
}

function execute(sql: string, parameters: readonly unknown[]): SqliteResult {
  if (database === undefined) throw new Error('the database is closed');
  const statement = statementFor(database, sql);
  const values = parameters as readonly SQLInputValue[];
  if (statement.columns().length > 0) return { rows: statement.all(...values), changes: 0 };
  return { rows: [], changes: Number(statement.run(...values).changes) };
}

function close(): void {
  statements.clear();
  database?.close();
  database = undefined;
  lock?.close();
  lock = undefined;
}

function handle(request: SqliteRequest): SqliteAnswer {
  try {
    switch (request.do) {
      case 'open':
        open();
        return { id: request.id, result: { rows: [], changes: 0 } };
      case 'execute':
        return { id: request.id, result: execute(request.sql, request.parameters) };
      case 'close':
        close();
        return { id: request.id, result: { rows: [], changes: 0 } };
    }
  } catch (error) {
    const { message, errcode } = error as Error & { readonly errcode?: number };
    const fault = isLockFailure(request, errcode) ? 'lock' : 'statement';
    return { id: request.id, error: { fault, message, errcode } };
  }
}

/** SQLITE_BUSY on the lock file: another process holds it. */
function isLockFailure(request: SqliteRequest, errcode: number | undefined): boolean {
  return request.do === 'open' && database === undefined && errcode === 5;
}

parentPort?.on('message', (request: SqliteRequest) => {
  parentPort?.postMessage(handle(request));
  if (request.do === 'close') parentPort?.close();
});
