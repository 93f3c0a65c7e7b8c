import type { Transaction } from 'kysely';
import type { Queries } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

/** Changes that are kept for gateways that ask late. */
const changesKept = 10_000;
/** Changes that one further change may delete: more than it adds, few enough to be quick. */
const prunedMax = 100;
const counterName = 'charger-change';

/** That an operator, or the claims, changed something about a charger. */
export interface ChargerChange {
  /** Rises by one with each change, in the order in which the changes took effect. */
  readonly revision: number;
  readonly identityKey: string;
  readonly atMs: number;
}

/** What has changed since somebody last asked. */
export interface ChargerChanges {
  /** In their order. Ask again from the last one: there may be more. */
  readonly changes: readonly ChargerChange[];
  /** Changes are missing, or the store was put back from a backup: anything may have changed. */
  readonly hasGap: boolean;
}

/**
 * Waits until no other operator changes the registry, and keeps others out of it until the
 * transaction ends. What is read after it is what will be changed.
 */
export async function lockRegistry(db: Transaction<Tables>): Promise<void> {
  // A change that changes nothing locks the row: SQLite knows no `select for update`.
  await db
    .insertInto('counter')
    .values({ name: counterName, value: 0 })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet(({ ref }) => ({ value: ref('counter.value') })),
    )
    .execute();
}

/**
 * Tells all gateways that something about a charger is different now: its entry, or its quarantine.
 *
 * The counter's row is locked until the transaction ends, so that changes become visible in the
 * order of their revisions.
 *
 * @param key of `identityKey`.
 */
export async function noteChange(
  db: Transaction<Tables>,
  key: string,
  nowMs: number,
): Promise<number> {
  const { value: revision } = await db
    .insertInto('counter')
    .values({ name: counterName, value: 1 })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet(({ ref, eb }) => ({ value: eb(ref('counter.value'), '+', 1) })),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  await db
    .insertInto('charger_change')
    .values({ revision, identity_key: key, at_ms: nowMs })
    .execute();
  await db
    .deleteFrom('charger_change')
    .where('revision', 'in', (oldest) =>
      oldest
        .selectFrom('charger_change')
        .select('revision')
        .where('revision', '<=', revision - changesKept)
        .orderBy('revision')
        .limit(prunedMax),
    )
    .execute();
  return revision;
}

/** The changes after `revision`, at most `limit`. */
export async function changesSince(
  db: Queries,
  revision: number,
  limit: number,
): Promise<ChargerChanges> {
  // The one that is known already is asked for too: if it is there, none after it is missing.
  const rows = await db
    .selectFrom('charger_change')
    .selectAll()
    .where('revision', '>=', revision)
    .orderBy('revision')
    .limit(limit + 1)
    .execute();
  const [first] = rows;
  const isKnown = first?.revision === revision;
  const hasGap = revision === 0 ? first !== undefined && first.revision > 1 : !isKnown;
  const changes = (isKnown ? rows.slice(1) : rows.slice(0, limit)).map((row) => ({
    revision: row.revision,
    identityKey: row.identity_key,
    atMs: row.at_ms,
  }));
  return { changes, hasGap };
}

/** The revision of the last change; 0 before the first one. */
export async function latestRevision(db: Queries): Promise<number> {
  const row = await db
    .selectFrom('counter')
    .select('value')
    .where('name', '=', counterName)
    .executeTakeFirst();
  return row?.value ?? 0;
}
