import type { Transaction } from 'kysely';
import type { Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { appendRecords, lockChain } from './append-records.ts';
import { addToTotals, lockTotals } from './quarantine-totals.ts';

/** Rows that one step deletes, at most: a step takes some milliseconds of the database. */
const rowsPerStep = 500;

/** How much of an audit log is kept. */
export interface AuditRetention {
  readonly days: number;
  readonly recordsMax: number;
}

const dayMs = 86_400_000;

/**
 * How long a record that is too old may wait for others, in milliseconds. Each step leaves a record
 * of itself: without patience a log would in the end consist of those.
 */
const patienceMs = 3_600_000;

/**
 * Deletes the oldest records of `chain` that are too old or too many, a few at a time, and leaves a
 * record that says so. The newest record stays, whatever its age.
 *
 * @param nowMs Unix time in milliseconds.
 * @returns how many were deleted; when it is 0, nothing is left to do.
 * @throws StoreError
 */
export function pruneAudit(
  store: Store,
  chain: string,
  retention: AuditRetention,
  nowMs: number,
): Promise<number> {
  return store.transact((db) => pruneAuditStep(db, chain, retention, nowMs));
}

async function pruneAuditStep(
  db: Transaction<Tables>,
  chain: string,
  { days, recordsMax }: AuditRetention,
  nowMs: number,
): Promise<number> {
  const ends = await lockChain(db, chain);
  const oldest = await db
    .selectFrom('audit_record')
    .select(['sequence', 'at_ms', 'hash'])
    .where('chain', '=', chain)
    .where('sequence', '<', ends.head_sequence)
    .orderBy('sequence')
    .limit(rowsPerStep)
    .execute();
  const beforeMs = nowMs - days * dayMs;
  const expired = oldest.findIndex(({ at_ms }) => at_ms >= beforeMs);
  const tooOld = expired < 0 ? oldest.length : expired;
  const isDue =
    tooOld === rowsPerStep ||
    (oldest[0]?.at_ms ?? Number.POSITIVE_INFINITY) < beforeMs - patienceMs;
  const tooMany = excess(ends.head_sequence - ends.base_sequence, recordsMax);
  const last = oldest[Math.min(oldest.length, Math.max(isDue ? tooOld : 0, tooMany)) - 1];
  if (last === undefined) return 0;
  const { numDeletedRows } = await db
    .deleteFrom('audit_record')
    .where('chain', '=', chain)
    .where('sequence', '<=', last.sequence)
    .executeTakeFirstOrThrow();
  const count = Number(numDeletedRows);
  await db
    .updateTable('audit_chain')
    .set({ base_sequence: last.sequence, base_hash: last.hash })
    .where('chain', '=', chain)
    .execute();
  const fields = { count, throughSequence: last.sequence, hash: last.hash };
  await appendRecords(db, chain, [{ atMs: nowMs, event: 'AuditPruned', fields }]);
  return count;
}

/** How many to delete when `count` are there: some more than need be, for the reason above. */
function excess(count: number, recordsMax: number): number {
  if (count <= recordsMax) return 0;
  const slack = Math.min(rowsPerStep - 1, Math.floor(recordsMax / 10));
  return count + 1 - recordsMax + slack;
}

/** How much the quarantine keeps. */
export interface QuarantineRetention {
  readonly framesMax: number;
  readonly bytesMax: number;
}

/**
 * Deletes the oldest refused messages that are too many, a few at a time.
 *
 * @returns how many were deleted; when it is 0, nothing is left to do.
 * @throws StoreError
 */
export function pruneQuarantine(store: Store, retention: QuarantineRetention): Promise<number> {
  return store.transact((db) => pruneQuarantineStep(db, retention));
}

/** The same in a transaction that is under way. */
export async function pruneQuarantineStep(
  db: Transaction<Tables>,
  { framesMax, bytesMax }: QuarantineRetention,
): Promise<number> {
  const totals = await lockTotals(db);
  if (totals.frames <= framesMax && totals.bytes <= bytesMax) return 0;
  const oldest = await db
    .selectFrom('quarantined_frame')
    .select(['id', 'frame_bytes'])
    .orderBy('id')
    .limit(rowsPerStep)
    .execute();
  let { frames, bytes } = totals;
  let last: string | undefined;
  for (const { id, frame_bytes } of oldest) {
    if (frames <= framesMax && bytes <= bytesMax) break;
    frames -= 1;
    bytes -= frame_bytes;
    last = id;
  }
  if (last === undefined) {
    // Somebody has emptied the table by hand.
    await addToTotals(db, { frames: -totals.frames, bytes: -totals.bytes });
    return 0;
  }
  const deleted = await db
    .deleteFrom('quarantined_frame')
    .where('id', '<=', last)
    .returning('frame_bytes')
    .execute();
  await addToTotals(db, {
    frames: -deleted.length,
    bytes: -deleted.reduce((sum, { frame_bytes }) => sum + frame_bytes, 0),
  });
  return deleted.length;
}
