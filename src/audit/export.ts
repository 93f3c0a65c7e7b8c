import { sql } from 'kysely';
import type { Store } from '../store/store.ts';
import type { RowOf } from '../store/tables.ts';

/** One record of an audit log, as it is stored. */
export type AuditRecord = RowOf<'audit_record'>;

/** Which records are asked for. */
export interface AuditFilter {
  readonly chain: string;
  /** Unix milliseconds; records of that moment are in. */
  readonly sinceMs?: number | undefined;
  /** Unix milliseconds; records of that moment are not in any more. */
  readonly untilMs?: number | undefined;
  /** In any spelling. */
  readonly charger?: string | undefined;
  readonly event?: string | undefined;
}

/** Places in the log that one query looks at, whatever it finds there. */
const window = 1_000;

/**
 * The records of a log that `filter` lets through, in their order, up to the one that was the last
 * when this began. They come in groups, some of them empty.
 *
 * @param onProgress hears how many places were looked at, and how many there are.
 * @throws StoreError
 */
export async function* exportRecords(
  store: Store,
  filter: AuditFilter,
  onProgress: (read: number, all: number) => void = () => {},
): AsyncGenerator<readonly AuditRecord[]> {
  const { first, last } = await readRange(store, filter.chain);
  for (let from = first; from <= last; from += window) {
    yield await readWindow(store, filter, from, Math.min(from + window - 1, last));
    onProgress(Math.min(from + window, last + 1) - first, last + 1 - first);
  }
}

async function readRange(
  store: Store,
  chain: string,
): Promise<{ readonly first: number; readonly last: number }> {
  const ends = await store.query((db) =>
    db
      .selectFrom('audit_chain')
      .select(['base_sequence', 'head_sequence'])
      .select(({ selectFrom }) =>
        selectFrom('audit_record')
          .select(({ fn }) => fn.max('sequence').as('last'))
          .where('chain', '=', chain)
          .as('last'),
      )
      .where('chain', '=', chain)
      .executeTakeFirst(),
  );
  if (ends === undefined) return { first: 1, last: 0 };
  const { base_sequence, head_sequence, last } = ends;
  const lastThere = Number(last ?? 0);
  return {
    first: base_sequence + 1,
    // A head that somebody has moved far away must not make this endless.
    last: Number.isFinite(lastThere) ? Math.min(head_sequence, lastThere) : head_sequence,
  };
}

function readWindow(
  store: Store,
  { chain, sinceMs, untilMs, charger, event }: AuditFilter,
  first: number,
  last: number,
): Promise<readonly AuditRecord[]> {
  return store.query((db) => {
    let records = db
      .selectFrom('audit_record')
      .selectAll()
      .where('chain', '=', chain)
      .where('sequence', '>=', first)
      .where('sequence', '<=', last)
      .orderBy('sequence');
    if (sinceMs !== undefined) records = records.where('at_ms', '>=', sinceMs);
    if (untilMs !== undefined) records = records.where('at_ms', '<', untilMs);
    if (event !== undefined) records = records.where('event', '=', event);
    if (charger !== undefined) {
      records = records.where(sql`lower(charger)`, '=', charger.toLowerCase());
    }
    return records.execute();
  });
}
