import { isJsonObject } from '../ocpp/message.ts';
import type { Store } from '../store/store.ts';
import type { RowOf } from '../store/tables.ts';
import { appendRecords } from './append-records.ts';
import { addToTotals, lockTotals } from './quarantine-totals.ts';

/** A refused message in the quarantine, without the message itself. */
export interface QuarantineEntry {
  /** Sorts by time. */
  readonly id: string;
  /** Unix time in milliseconds. */
  readonly atMs: number;
  /** The gateway that refused it. */
  readonly gatewayId: string;
  readonly charger: string;
  /** Rule, code, severity, action, penalty and the like: see `FrameFinding`. */
  readonly finding: Readonly<Record<string, unknown>>;
  /** What it takes in the store. */
  readonly frameBytes: number;
}

/** The same with the message. */
export interface QuarantineRecord extends QuarantineEntry {
  /** The message as text, without its secrets. */
  readonly frame: string;
}

/** Which entries are asked for. */
export interface QuarantineFilter {
  /** In any spelling. */
  readonly charger?: string | undefined;
  /** Only those before this id. */
  readonly beforeId?: string | undefined;
  readonly limit: number;
}

/** The newest entries first. @throws StoreError */
export async function listQuarantined(
  store: Store,
  { charger, beforeId, limit }: QuarantineFilter,
): Promise<readonly QuarantineEntry[]> {
  const rows = await store.query((db) => {
    const newest = db
      .selectFrom('quarantined_frame')
      .select(['id', 'at_ms', 'gateway_id', 'charger', 'finding', 'frame_bytes'])
      .orderBy('id', 'desc')
      .limit(limit);
    const ofCharger =
      charger === undefined ? newest : newest.where('identity_key', '=', charger.toLowerCase());
    return (beforeId === undefined ? ofCharger : ofCharger.where('id', '<', beforeId)).execute();
  });
  return rows.map(entryOf);
}

/** One refused message; undefined when it is not (or no longer) there. @throws StoreError */
export async function findQuarantined(
  store: Store,
  id: string,
): Promise<QuarantineRecord | undefined> {
  const row = await store.query((db) =>
    db.selectFrom('quarantined_frame').selectAll().where('id', '=', id).executeTakeFirst(),
  );
  return row === undefined ? undefined : recordOf(row);
}

/** Who takes a message out of the quarantine, and which audit log has it. */
export interface Release {
  readonly by: string;
  readonly chain: string;
  /** Unix time in milliseconds. */
  readonly atMs: number;
}

/**
 * Takes a refused message out of the quarantine, and records who did.
 *
 * It is not sent to anybody: its sender had its answer when it was refused.
 *
 * @returns the message; undefined when it is not there (any more).
 * @throws StoreError
 */
export function releaseQuarantined(
  store: Store,
  id: string,
  { by, chain, atMs }: Release,
): Promise<QuarantineRecord | undefined> {
  return store.transactDurably(async (db) => {
    await lockTotals(db);
    const row = await db
      .deleteFrom('quarantined_frame')
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) return undefined;
    await addToTotals(db, { frames: -1, bytes: -row.frame_bytes });
    const { charger } = row;
    const fields = { by, frameId: id };
    await appendRecords(db, chain, [{ atMs, event: 'QuarantinedFrameReleased', charger, fields }]);
    return recordOf(row);
  });
}

type FrameRow = RowOf<'quarantined_frame'>;

function entryOf(row: Omit<FrameRow, 'frame' | 'identity_key'>): QuarantineEntry {
  const { id, at_ms, gateway_id, charger, finding, frame_bytes } = row;
  const fields = parsed(finding);
  return {
    id,
    atMs: at_ms,
    gatewayId: gateway_id,
    charger,
    finding: isJsonObject(fields) ? fields : {},
    frameBytes: frame_bytes,
  };
}

function recordOf(row: FrameRow): QuarantineRecord {
  const frame = parsed(row.frame);
  return { ...entryOf(row), frame: typeof frame === 'string' ? frame : row.frame };
}

/** A row that somebody has changed by hand must not hide the others. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
