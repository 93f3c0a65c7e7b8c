import { type RawBuilder, sql } from 'kysely';
import { storableText } from '../store/storable-text.ts';
import type { Queries } from '../store/store.ts';
import type { ChargerOrigin, ReportedCharger } from './charger-entry.ts';
import { type ChargerId, identityKey } from './charger-id.ts';

/** Chargers that one statement notes: SQLite takes 32 766 parameters, PostgreSQL 65 535. */
const rowsPerStatement = 500;
/** What a charger says of itself is kept up to this many characters; OCPP allows 50. */
const reportedLengthMax = 128;

/**
 * Puts a charger that nobody knows into the registry, as `chargers.unknown: enroll` says.
 *
 * One statement counts and inserts. Of connections that arrive together each may see the count
 * without the others: `enrolledMax` may be exceeded by as many, and never by more.
 *
 * @returns `known` when the registry admits the charger already; `full` when it was not enrolled.
 */
export async function enrollCharger(
  db: Queries,
  id: ChargerId,
  enrolledMax: number,
  nowMs: number,
): Promise<'known' | 'enrolled' | 'full'> {
  if (await isAdmitted(db, id)) return 'known';
  const at = sql`cast(${nowMs} as bigint)`;
  // A charger that the configuration file once admitted is enrolled like one that is new.
  const { numAffectedRows = 0n } = await sql`
    insert into charger
      (identity_key, identity, origin, settings, created_ms, first_seen_ms, last_seen_ms)
    select cast(${identityKey(id)} as text), cast(${id} as text), 'enrolled', '{}',
      ${at}, ${at}, ${at}
    where (select count(*) from charger where origin = 'enrolled') < cast(${enrolledMax} as bigint)
    on conflict (identity_key) do update set origin = 'enrolled'
      where charger.origin = 'configured'
  `.execute(db);
  if (numAffectedRows > 0n) return 'enrolled';
  return (await isAdmitted(db, id)) ? 'known' : 'full';
}

async function isAdmitted(db: Queries, id: ChargerId): Promise<boolean> {
  const row = await db
    .selectFrom('charger')
    .select('origin')
    .where('identity_key', '=', identityKey(id))
    .executeTakeFirst();
  return row?.origin === 'operator' || row?.origin === 'enrolled';
}

/** That a charger was connected at a time. */
export interface Sighting {
  readonly id: ChargerId;
  /**
   * What admitted it. `configured`: the configuration file does, so it gets an entry if it has
   * none. Others get none: an operator may have removed it in the meantime.
   */
  readonly origin: ChargerOrigin;
  readonly atMs: number;
}

/** Notes when chargers were first and last seen, in a statement for each 500. */
export async function noteSeen(db: Queries, sightings: readonly Sighting[]): Promise<void> {
  const last = new Map<string, Sighting>();
  for (const sighting of sightings) {
    const key = identityKey(sighting.id);
    const other = last.get(key);
    if (other === undefined || other.atMs <= sighting.atMs) last.set(key, sighting);
  }
  // Gateways that lock the same rows in the same order do not wait for each other in a circle.
  const inOrder = [...last.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const isConfigured = ([, { origin }]: readonly [string, Sighting]): boolean =>
    origin === 'configured';
  for (const rows of inChunks(inOrder.filter(isConfigured))) await upsertSeen(db, rows);
  for (const rows of inChunks(inOrder.filter((row) => !isConfigured(row)))) {
    await updateSeen(db, rows);
  }
}

type KeyedSighting = readonly [key: string, sighting: Sighting];

async function upsertSeen(db: Queries, rows: readonly KeyedSighting[]): Promise<void> {
  await db
    .insertInto('charger')
    .values(
      rows.map(([key, { id, atMs }]) => ({
        identity_key: key,
        identity: id,
        origin: 'configured',
        settings: '{}',
        created_ms: atMs,
        first_seen_ms: atMs,
        last_seen_ms: atMs,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('identity_key').doUpdateSet(seenAt(sql`excluded.last_seen_ms`)),
    )
    .execute();
}

async function updateSeen(db: Queries, rows: readonly KeyedSighting[]): Promise<void> {
  const cases = rows.map(([key, { atMs }]) => sql`when ${key} then cast(${atMs} as bigint)`);
  const at = sql`case identity_key ${sql.join(cases, sql` `)} end`;
  await db
    .updateTable('charger')
    .set(seenAt(at))
    .where(
      'identity_key',
      'in',
      rows.map(([key]) => key),
    )
    .execute();
}

/** Gateways write in any order: the latest sighting stays. */
function seenAt(at: RawBuilder<unknown>): {
  readonly first_seen_ms: RawBuilder<number>;
  readonly last_seen_ms: RawBuilder<number>;
} {
  return {
    first_seen_ms: sql<number>`coalesce(charger.first_seen_ms, ${at})`,
    last_seen_ms: sql<number>`
      case when charger.last_seen_ms > ${at} then charger.last_seen_ms else ${at} end`,
  };
}

function* inChunks<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += rowsPerStatement) {
    yield items.slice(start, start + rowsPerStatement);
  }
}

/** Keeps what a charger said of itself; what it did not say this time is forgotten. */
export async function noteReported(
  db: Queries,
  id: ChargerId,
  reported: ReportedCharger,
): Promise<void> {
  await db
    .updateTable('charger')
    .set({
      reported_vendor: reportedText(reported.vendor),
      reported_model: reportedText(reported.model),
      reported_serial: reportedText(reported.serialNumber),
      reported_firmware: reportedText(reported.firmware),
    })
    .where('identity_key', '=', identityKey(id))
    .execute();
}

function reportedText(text: string | undefined): string | null {
  return text === undefined ? null : storableText(text, reportedLengthMax);
}
