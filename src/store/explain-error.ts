import { DatabaseError } from 'pg';
import { PostgresConnectionError } from './postgres-dialect.ts';
import { SqliteError } from './sqlite-thread.ts';
import { isStoreError, StoreError } from './store-error.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html) that are no fault of a query. */
const sqliteReasons: Readonly<Record<number, string>> = {
  5: 'the SQLite file is busy',
  6: 'the SQLite file is locked',
  7: 'there is not enough memory',
  8: 'the SQLite file cannot be written',
  10: 'the disk failed while reading or writing the SQLite file',
  11: 'the SQLite file is damaged',
  13: 'the disk is full',
  14: 'the SQLite file cannot be opened',
  15: 'the SQLite file is busy',
  23: 'access to the SQLite file was denied',
  26: 'the file is not an SQLite database',
};

/** What an error of the SQLite thread means; undefined for a defect of ours. */
export function explainSqliteError(error: unknown): StoreError | undefined {
  if (isStoreError(error)) return error;
  if (!(error instanceof SqliteError)) return undefined;
  if (error.fault === 'lock') {
    return new StoreError(
      'in-use',
      'another gateway uses this data directory; stop it, or give this one its own gateway.dataDir',
      { cause: error },
    );
  }
  if (error.fault === 'ended') {
    return new StoreError('unavailable', error.message, { cause: error });
  }
  // The low byte is the primary code.
  const reason = error.errcode === undefined ? undefined : sqliteReasons[error.errcode & 0xff];
  return reason === undefined ? undefined : new StoreError('unavailable', reason, { cause: error });
}

/**
 * SQLSTATEs of PostgreSQL (appendix A of its manual), and classes of them, that are no fault of a
 * query.
 */
const postgresReasons: Readonly<Record<string, string>> = {
  '08': 'the connection to PostgreSQL failed',
  '25': 'PostgreSQL is read-only or ended the transaction',
  '28': 'PostgreSQL refused the user or the password',
  '3D': 'the PostgreSQL database does not exist',
  '3F': 'the PostgreSQL schema does not exist',
  '40': 'PostgreSQL gave the transaction up in favour of another',
  '42501': 'the PostgreSQL user lacks a right; it must own the database or its schema',
  '53': 'PostgreSQL is out of disk space, memory or connections',
  '55': 'PostgreSQL has locked what is needed',
  '57': 'PostgreSQL is being stopped or started',
  '57014': 'PostgreSQL gave the query up because it took too long',
  '58': 'PostgreSQL had a system error',
  XX: 'PostgreSQL had an internal error',
};

/** What an error of the PostgreSQL client means; undefined for a defect of ours. */
export function explainPostgresError(error: unknown): StoreError | undefined {
  if (isStoreError(error)) return error;
  // The message of the client can name host and user, and is left to the cause.
  if (error instanceof PostgresConnectionError) {
    return new StoreError('unavailable', connectionReason(error.cause), { cause: error });
  }
  if (!(error instanceof DatabaseError)) return undefined;
  const reason = stateReason(error.code);
  return reason === undefined ? undefined : new StoreError('unavailable', reason, { cause: error });
}

function stateReason(code: string | undefined): string | undefined {
  return code === undefined
    ? undefined
    : (postgresReasons[code] ?? postgresReasons[code.slice(0, 2)]);
}

function connectionReason(cause: unknown): string {
  if (cause instanceof DatabaseError) {
    return stateReason(cause.code) ?? `PostgreSQL refused the connection (${cause.code})`;
  }
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_INVALID_URL') return 'the URL of PostgreSQL is not valid';
  // Of the system (ECONNREFUSED) or of TLS (CERT_HAS_EXPIRED).
  if (code !== undefined) return `PostgreSQL cannot be reached (${code})`;
  return 'PostgreSQL does not answer, or refused the connection';
}
