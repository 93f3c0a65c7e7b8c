import type { Transaction } from 'kysely';
import type { Tables } from '../store/tables.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { noteChange } from './registry-changes.ts';

/** Keeps everybody from connecting with an identity for some time, known or not. */
export async function quarantineIdentity(
  db: Transaction<Tables>,
  id: ChargerId,
  quarantine: { readonly untilMs: number; readonly reason: string },
  nowMs: number,
): Promise<void> {
  const held = {
    quarantined_until_ms: quarantine.untilMs,
    quarantine_reason: quarantine.reason,
  };
  const key = identityKey(id);
  await db
    .insertInto('claim')
    .values({
      identity_key: key,
      epoch: 0,
      incarnation: null,
      claimed_ms: nowMs,
      takeovers: 0,
      takeovers_since_ms: nowMs,
      ...held,
    })
    .onConflict((conflict) => conflict.column('identity_key').doUpdateSet(held))
    .execute();
  await noteChange(db, key, nowMs);
}

/**
 * Ends a quarantine before its time. The take-overs that led to it are forgotten, or the next one
 * would lead to it again.
 */
export async function releaseIdentity(
  db: Transaction<Tables>,
  id: ChargerId,
  nowMs: number,
): Promise<'released' | 'not-quarantined'> {
  const key = identityKey(id);
  const { numUpdatedRows } = await db
    .updateTable('claim')
    .set({
      quarantined_until_ms: null,
      quarantine_reason: null,
      takeovers: 0,
      takeovers_since_ms: nowMs,
    })
    .where('identity_key', '=', key)
    .where('quarantined_until_ms', '>', nowMs)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return 'not-quarantined';
  await noteChange(db, key, nowMs);
  return 'released';
}
