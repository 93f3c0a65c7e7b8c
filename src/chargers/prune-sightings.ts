import type { ExpressionBuilder, Transaction } from 'kysely';
import type { Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';

/** Rows that one step deletes, at most: a step takes some milliseconds of the database. */
const rowsPerStep = 500;
/** How long the claim of a charger that is in no registry is kept, in milliseconds. */
const claimKeptMs = 86_400_000;

/**
 * Deletes what was kept of chargers that nobody has written down one by one: the configuration file
 * admits them by a pattern, and whoever knows the pattern can invent as many as he likes. Those that
 * were seen longest ago go first; those that are connected stay.
 *
 * @param sightingsMax how many such chargers are kept.
 * @returns how many rows were deleted; when it is 0, nothing is left to do.
 * @throws StoreError
 */
export async function pruneSightings(store: Store, sightingsMax: number): Promise<number> {
  const { count } = await store.query((db) =>
    db
      .selectFrom('charger')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where('origin', '=', 'configured')
      .executeTakeFirstOrThrow(),
  );
  const excess = Math.min(rowsPerStep, Number(count) - sightingsMax);
  return store.transact(async (db) => {
    const chargers = excess > 0 ? await pruneChargers(db, excess) : 0;
    return chargers + (await pruneClaims(db, store.nowMs()));
  });
}

async function pruneChargers(db: Transaction<Tables>, countMax: number): Promise<number> {
  const oldest = await db
    .selectFrom('charger')
    .select('identity_key')
    .where('origin', '=', 'configured')
    .where((row) => row.not(row.exists(heldClaim(row))))
    .orderBy('last_seen_ms')
    .limit(countMax)
    .execute();
  const keys = oldest.map((row) => row.identity_key);
  if (keys.length === 0) return 0;
  await db.deleteFrom('charger_memory').where('identity_key', 'in', keys).execute();
  await db.deleteFrom('charger').where('identity_key', 'in', keys).execute();
  return keys.length;
}

function heldClaim(row: ExpressionBuilder<Tables, 'charger'>) {
  return row
    .selectFrom('claim')
    .select('claim.identity_key')
    .whereRef('claim.identity_key', '=', 'charger.identity_key')
    .where('claim.incarnation', 'is not', null);
}

/** Claims that nobody holds, of chargers that are not there any more, unless they are quarantined. */
async function pruneClaims(db: Transaction<Tables>, nowMs: number): Promise<number> {
  const orphans = await db
    .selectFrom('claim')
    .select('identity_key')
    .where('incarnation', 'is', null)
    .where('claimed_ms', '<', nowMs - claimKeptMs)
    .where((row) =>
      row.or([row('quarantined_until_ms', 'is', null), row('quarantined_until_ms', '<=', nowMs)]),
    )
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom('charger')
            .select('charger.identity_key')
            .whereRef('charger.identity_key', '=', 'claim.identity_key'),
        ),
      ),
    )
    .limit(rowsPerStep)
    .execute();
  const keys = orphans.map((row) => row.identity_key);
  if (keys.length === 0) return 0;
  await db
    .deleteFrom('claim')
    .where('identity_key', 'in', keys)
    .where('incarnation', 'is', null)
    .execute();
  return keys.length;
}
