import type { Transaction } from 'kysely';
import type { Tables } from '../store/tables.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { noteChange } from './registry-changes.ts';

/**
 * Takes the password of the charger away from it, and what was to follow it. If the default of its
 * batch does not hold any more, that stays so: `allowDefault` is for those who want it back. The
 * caller has called `lockRegistry`.
 */
export async function clearPassword(
  db: Transaction<Tables>,
  id: ChargerId,
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
      next_hash: null,
      next_origin: null,
      next_state: null,
      next_since_ms: null,
      rotation_requested_ms: null,
    })
    .where('identity_key', '=', identityKey(id))
    .execute();
}
