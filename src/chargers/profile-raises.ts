import { sql, type Transaction } from 'kysely';
import type { Queries } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import type { SecurityProfile } from './charger-entry.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { emptyRow } from './credentials.ts';
import { noteChange } from './registry-changes.ts';

/**
 * Counts that a charger whose profile is being raised has come with a lower one.
 *
 * @returns how often it has by now; 0 when no raise is under way.
 */
export async function noteFallback(db: Queries, id: ChargerId): Promise<number> {
  const row = await db
    .updateTable('charger_credential')
    .set(({ eb }) => ({ fallbacks: eb('fallbacks', '+', 1) }))
    .where('identity_key', '=', identityKey(id))
    .where('candidate_profile', 'is not', null)
    .returning('fallbacks')
    .executeTakeFirst();
  return row?.fallbacks ?? 0;
}

/**
 * Begins a raise of the security profile: the charger may come with its old one until it has come
 * with this one. If it has used `to` already, a raise that was under way ends.
 */
export async function raiseProfile(
  db: Transaction<Tables>,
  id: ChargerId,
  to: SecurityProfile,
  nowMs: number,
): Promise<void> {
  const isAbove = sql<boolean>`charger_credential.used_profile < cast(${to} as bigint)`;
  await noteChange(db, identityKey(id), nowMs);
  await db
    .insertInto('charger_credential')
    .values({
      ...emptyRow(id),
      candidate_profile: to === 0 ? null : to,
      candidate_since_ms: to === 0 ? null : nowMs,
    })
    .onConflict((conflict) =>
      conflict.column('identity_key').doUpdateSet({
        candidate_profile: sql`case when ${isAbove} then excluded.candidate_profile end`,
        candidate_since_ms: sql`case when ${isAbove} then excluded.candidate_since_ms end`,
        fallbacks: 0,
      }),
    )
    .execute();
}
