import { sql } from 'kysely';
import type { Queries } from '../store/store.ts';
import type { RowOf } from '../store/tables.ts';
import { type ChargerCredential, credentialFromRow } from './charger-credential.ts';
import { chargerFromRow, type RegisteredCharger } from './charger-entry.ts';
import { type ChargerId, identityKey } from './charger-id.ts';

/** What the store has of a charger. */
export interface Registered {
  /** As `findCharger` finds it. */
  readonly entry: RegisteredCharger | undefined;
  /** As `findCredential` finds it. */
  readonly credential: ChargerCredential;
}

/**
 * The entry and the credential of `id` at one moment, in one query: each is built, handed to the thread
 * of the database and answered, and each charger that connects is looked up twice.
 */
export async function findRegistered(db: Queries, id: ChargerId): Promise<Registered> {
  const key = identityKey(id);
  const row = await db
    // A row also when neither table has one, so that the database does the same for everybody.
    .selectFrom(
      sql<{ asked_key: string }>`(select cast(${key} as text) as asked_key)`.as<'asked'>('asked'),
    )
    .leftJoin('charger', 'charger.identity_key', 'asked.asked_key')
    .leftJoin('charger_credential', 'charger_credential.identity_key', 'asked.asked_key')
    .selectAll(['charger', 'charger_credential'])
    .select([
      'charger.identity_key as charger_key',
      'charger_credential.identity_key as credential_key',
    ])
    .executeTakeFirstOrThrow();
  // But for the keys, no column of one table has the name of one of the other.
  const hasEntry = row.charger_key !== null;
  const hasCredential = row.credential_key !== null;
  return {
    entry: hasEntry ? chargerFromRow(row as RowOf<'charger'>) : undefined,
    credential: credentialFromRow(hasCredential ? (row as RowOf<'charger_credential'>) : undefined),
  };
}
