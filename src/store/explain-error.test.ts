import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DatabaseError } from 'pg';
import { explainPostgresError, explainSqliteError } from './explain-error.ts';
import { PostgresConnectionError } from './postgres-dialect.ts';
import { SqliteError } from './sqlite-thread.ts';
import { StoreError } from './store-error.ts';

// Goal: a database that is away is told apart from a query of ours that is wrong.
// Method: a table of errors; undefined is a defect. test/contract has the same from real databases.

const statement = (errcode: number | undefined): SqliteError =>
  new SqliteError('statement', 'detail', errcode);

const sqliteCases: readonly (readonly [string, unknown, string | undefined])[] = [
  ['a full disk', statement(13), 'the disk is full'],
  ['a failed write', statement(778), 'the disk failed while reading or writing the SQLite file'],
  ['a busy file', statement(5), 'the SQLite file is busy'],
  ['a damaged index', statement(779), 'the SQLite file is damaged'],
  ['a broken constraint', statement(2067), undefined],
  ['a wrong query', statement(1), undefined],
  ['a value that cannot be bound', statement(undefined), undefined],
  ['a thread that ended', new SqliteError('ended', 'it ended', undefined), 'it ended'],
  ['an error of the code that asks', new TypeError('the disk is full'), undefined],
  ['no error', 'the disk is full', undefined],
];

const state = (code: string): DatabaseError => {
  const error = new DatabaseError('detail', 6, 'error');
  error.code = code;
  return error;
};
const connection = (code?: string): PostgresConnectionError =>
  new PostgresConnectionError(
    Object.assign(new Error('secret'), code === undefined ? {} : { code }),
  );

const postgresCases: readonly (readonly [string, unknown, string | undefined])[] = [
  ['a shutdown', state('57P01'), 'PostgreSQL is being stopped or started'],
  ['a slow query', state('57014'), 'PostgreSQL gave the query up because it took too long'],
  ['a deadlock', state('40P01'), 'PostgreSQL gave the transaction up in favour of another'],
  [
    'too many connections',
    state('53300'),
    'PostgreSQL is out of disk space, memory or connections',
  ],
  [
    'a missing right',
    state('42501'),
    'the PostgreSQL user lacks a right; it must own the database or its schema',
  ],
  ['a missing table', state('42P01'), undefined],
  ['a broken constraint', state('23505'), undefined],
  ['a text with NUL', state('22021'), undefined],
  [
    'a refused connection',
    connection('ECONNREFUSED'),
    'PostgreSQL cannot be reached (ECONNREFUSED)',
  ],
  [
    'a name that cannot be looked up',
    connection('EAI_AGAIN'),
    'PostgreSQL cannot be reached (EAI_AGAIN)',
  ],
  [
    'a bad certificate',
    connection('CERT_HAS_EXPIRED'),
    'PostgreSQL cannot be reached (CERT_HAS_EXPIRED)',
  ],
  ['a time-out', connection(), 'PostgreSQL does not answer, or refused the connection'],
  [
    'a wrong password',
    new PostgresConnectionError(state('28P01')),
    'PostgreSQL refused the user or the password',
  ],
  [
    'a refusal that we have no words for',
    new PostgresConnectionError(state('0A000')),
    'PostgreSQL refused the connection (0A000)',
  ],
  ['an error of the code that asks', new Error('connection terminated, timeout'), undefined],
  [
    'a system error of the code that asks',
    Object.assign(new Error(), { code: 'ECONNRESET' }),
    undefined,
  ],
];

describe('explain error', () => {
  for (const [name, error, message] of sqliteCases) {
    test(`SQLite: ${name} is ${message === undefined ? 'a defect' : 'a store that is away'}`, () => {
      const explained = explainSqliteError(error);
      assert.equal(explained?.message, message);
      if (explained !== undefined) assert.equal(explained.failure, 'unavailable');
    });
  }

  for (const [name, error, message] of postgresCases) {
    test(`PostgreSQL: ${name} is ${message === undefined ? 'a defect' : 'a store that is away'}`, () => {
      const explained = explainPostgresError(error);
      assert.equal(explained?.message, message);
      if (explained !== undefined) assert.equal(explained.failure, 'unavailable');
    });
  }

  test('a lock of another gateway is a failure of its own', () => {
    assert.equal(explainSqliteError(new SqliteError('lock', '', 5))?.failure, 'in-use');
  });

  test('what is explained already stays as it is', () => {
    const error = new StoreError('newer-schema', 'newer');
    assert.equal(explainSqliteError(error), error);
    assert.equal(explainPostgresError(error), error);
  });
});
