import type { Transaction } from 'kysely';
import type { ChargerCredentialTable, Tables } from '../store/tables.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { noNext } from './credentials.ts';
import { noteChange } from './registry-changes.ts';

/**
 * Takes the password of the charger away from it, and what was to follow it. If the default of its
 * batch does not hold any more, that stays so: `allowDefault` is for those who want it back. The
 * caller has called `lockRegistry`.
 */
export function clearPassword(
  db: Transaction<Tables>,
  id: ChargerId,
  nowMs: number,
): Promise<void> {
  return forget(db, id, { rotation_requested_ms: null }, nowMs);
}

/**
 * Lets the charger in with the default password of its batch once more, for one that was reset: the
 * password of its own is forgotten. The security profile that it has used stays.
 */
export function allowDefault(db: Transaction<Tables>, id: ChargerId, nowMs: number): Promise<void> {
  return forget(db, id, { default_retired_ms: null }, nowMs);
}

async function forget(
  db: Transaction<Tables>,
  id: ChargerId,
  also: Partial<ChargerCredentialTable>,
  nowMs: number,
): Promise<void> {
  await noteChange(db, identityKey(id), nowMs);
  await db
    .updateTable('charger_credential')
    .set({
      password_hash: null,
      password_origin: null,
      password_set_ms: null,
      password_form: null,
      ...noNext,
      ...also,
    })
    .where('identity_key', '=', identityKey(id))
    .execute();
}
