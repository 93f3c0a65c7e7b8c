import { Kysely } from 'kysely';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { setPassword } from '../../src/chargers/credentials.ts';
import { addCharger } from '../../src/chargers/registry.ts';
import { hashGeneratedKey } from '../../src/identity/password-hash.ts';
import { migrateToLatest } from '../../src/store/migrate.ts';
import { sqliteDialect } from '../../src/store/sqlite-dialect.ts';
import type { SqliteResult } from '../../src/store/sqlite-protocol.ts';
import { SqliteError, SqliteThread } from '../../src/store/sqlite-thread.ts';
import type { Tables } from '../../src/store/tables.ts';
import type { ChargerPlan } from './peers/charger.ts';
import type { SimulatedDatabase } from './simulated-database.ts';

/** Makes the tables, and writes chargers and their passwords down, before anything is simulated. */
export async function addChargers(
  database: SimulatedDatabase,
  chargers: readonly ChargerPlan[],
  nowMs: number,
): Promise<void> {
  const db = new Kysely<Tables>({ dialect: sqliteDialect(new PromptSqlite(database)) });
  await migrateToLatest(db);
  await db.transaction().execute(async (transaction) => {
    for (const { identity, password } of chargers) {
      const id = identity as ChargerId;
      await addCharger(transaction, id, {}, nowMs);
      // The kind of hash that the gateway makes of its own keys: it needs no thread.
      const hash = hashGeneratedKey(Buffer.from(password));
      await setPassword(transaction, id, { hash, origin: 'provisioned' }, nowMs);
    }
  });
}

/** Answers at once. */
class PromptSqlite extends SqliteThread {
  readonly #database: SimulatedDatabase;

  constructor(database: SimulatedDatabase) {
    super({ file: ':memory:', lockFile: undefined });
    this.#database = database;
  }

  override open(): Promise<void> {
    return Promise.resolve();
  }

  override execute(sql: string, parameters: readonly unknown[]): Promise<SqliteResult> {
    try {
      return Promise.resolve(this.#database.execute(sql, parameters));
    } catch (error) {
      const { errcode, message } = error as Error & { readonly errcode?: number };
      return Promise.reject(new SqliteError('statement', message, errcode));
    }
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}
