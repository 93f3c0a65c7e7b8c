import { sql, type Transaction } from 'kysely';
import type { Queries } from '../store/store.ts';
import type { RowOf, Tables } from '../store/tables.ts';
import {
  type ChargerOrigin,
  changedSettings,
  chargerFromRow,
  type RegisteredCharger,
  type SettingsChange,
} from './charger-entry.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import { lockRegistry, noteChange } from './registry-changes.ts';

/**
 * The registry: which chargers there are, and what the operator has set for them.
 *
 * All that an operator does begins with `lockRegistry`, and ends with `noteChange` if it changed
 * something. What gateways do beside it (`registry-sightings.ts`) touches other columns.
 */

/** Entries that one query reads. */
const pageRows = 1000;

/** Which entries to list. All that is given must match. */
export interface ChargerQuery {
  /** A pattern for the identity, `*` being a wildcard. Case does not matter. */
  readonly match?: string | undefined;
  readonly feeder?: string | undefined;
  readonly origin?: ChargerOrigin | undefined;
  /** Entries at most. */
  readonly limit: number;
  /** Only entries after this one: the last of the page before. */
  readonly after?: ChargerId | undefined;
}

/** The entry of `id`, if there is one. */
export async function findCharger(
  db: Queries,
  id: ChargerId,
): Promise<RegisteredCharger | undefined> {
  const row = await rowOf(db, id);
  return row === undefined ? undefined : chargerFromRow(row);
}

/** Entries in the order of the database, which is the same on each page. */
export async function listChargers(
  db: Queries,
  query: ChargerQuery,
): Promise<readonly RegisteredCharger[]> {
  const found: RegisteredCharger[] = [];
  let after = query.after === undefined ? undefined : identityKey(query.after);
  while (found.length < query.limit) {
    const rows = await page(db, query, after, Math.min(pageRows, query.limit));
    const entries = rows
      .map(chargerFromRow)
      // The feeder is in the document, which the database does not look into.
      .filter(({ settings }) => query.feeder === undefined || settings.feeder === query.feeder);
    found.push(...entries);
    after = rows.at(-1)?.identity_key;
    if (rows.length < Math.min(pageRows, query.limit)) break;
  }
  return found.slice(0, query.limit);
}

/**
 * Adds a charger, or makes one that came by itself the operator's; then `settings` are set on top
 * of what was set before.
 *
 * @returns `exists` when it is the operator's already: nothing is changed. `confirmed` when it had
 *   enrolled itself.
 */
export async function addCharger(
  db: Transaction<Tables>,
  id: ChargerId,
  settings: SettingsChange,
  nowMs: number,
): Promise<'added' | 'confirmed' | 'exists'> {
  const key = identityKey(id);
  await lockRegistry(db);
  const row = await rowOf(db, id);
  if (row?.origin === 'operator') return 'exists';
  await noteChange(db, key, nowMs);
  const operators = {
    identity: id,
    origin: 'operator',
    settings: changedSettings(row?.settings ?? '{}', settings),
  };
  // A gateway may note or enroll the charger between the two: then it is there, without settings.
  await db
    .insertInto('charger')
    .values({ identity_key: key, created_ms: nowMs, ...operators })
    .onConflict((conflict) => conflict.column('identity_key').doUpdateSet(operators))
    .execute();
  return row?.origin === 'enrolled' ? 'confirmed' : 'added';
}

/** Changes the settings of a charger, whoever put it into the registry. */
export async function setCharger(
  db: Transaction<Tables>,
  id: ChargerId,
  change: SettingsChange,
  nowMs: number,
): Promise<'changed' | 'unknown'> {
  const key = identityKey(id);
  await lockRegistry(db);
  const row = await rowOf(db, id);
  if (row === undefined) return 'unknown';
  await noteChange(db, key, nowMs);
  await db
    .updateTable('charger')
    .set({ settings: changedSettings(row.settings, change) })
    .where('identity_key', '=', key)
    .execute();
  return 'changed';
}

/**
 * Removes a charger, what was learned about it, and all that it authenticates itself with: whoever
 * comes by its name afterwards begins anew. Its transactions stay: they are somebody's bills. So
 * does its claim: epochs only rise, and a quarantine is not ended by being forgotten.
 *
 * @returns `unknown` when there was neither an entry nor a credential: nothing is changed.
 */
export async function removeCharger(
  db: Transaction<Tables>,
  id: ChargerId,
  nowMs: number,
): Promise<'removed' | 'unknown'> {
  const key = identityKey(id);
  await lockRegistry(db);
  const entry = await rowOf(db, id);
  // The configuration file may admit a charger that has a password and no entry yet.
  const hadCredential = await removeCredential(db, key);
  if (entry === undefined && !hadCredential) return 'unknown';
  await noteChange(db, key, nowMs);
  // In the order in which gateways write to the two tables: so neither waits for the other.
  await db.deleteFrom('charger_memory').where('identity_key', '=', key).execute();
  await db.deleteFrom('charger').where('identity_key', '=', key).execute();
  return 'removed';
}

/** @returns whether there was anything. */
async function removeCredential(db: Transaction<Tables>, key: string): Promise<boolean> {
  const tables = ['charger_credential', 'charger_certificate'] as const;
  let rows = 0n;
  for (const table of tables) {
    const { numDeletedRows } = await db
      .deleteFrom(table)
      .where('identity_key', '=', key)
      .executeTakeFirstOrThrow();
    rows += numDeletedRows;
  }
  return rows > 0n;
}

function rowOf(db: Queries, id: ChargerId): Promise<RowOf<'charger'> | undefined> {
  return db
    .selectFrom('charger')
    .selectAll()
    .where('identity_key', '=', identityKey(id))
    .executeTakeFirst();
}

function page(
  db: Queries,
  { match, origin }: ChargerQuery,
  after: string | undefined,
  rows: number,
): Promise<readonly RowOf<'charger'>[]> {
  let select = db.selectFrom('charger').selectAll().orderBy('identity_key').limit(rows);
  if (after !== undefined) select = select.where('identity_key', '>', after);
  if (origin !== undefined) select = select.where('origin', '=', origin);
  if (match !== undefined) {
    const pattern = likePattern(match.toLowerCase());
    select = select.where(sql<boolean>`identity_key like ${pattern} escape '!'`);
  }
  return select.execute();
}

/** `*` is a wildcard and nothing else is. */
function likePattern(glob: string): string {
  return glob.replace(/[%_!]/g, '!$&').replace(/\*+/g, '%');
}
