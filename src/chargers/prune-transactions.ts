import type { Store } from '../store/store.ts';

/** Rows that one step deletes, at most: a step takes some milliseconds of the database. */
const rowsPerStep = 500;

/** How many transactions are kept. */
export interface TransactionRetention {
  readonly days: number;
  readonly transactionsMax: number;
}

const dayMs = 86_400_000;

/**
 * Deletes the transactions that were started longest ago, if they are too old or too many.
 *
 * @returns how many were deleted; when it is 0, nothing is left to do.
 * @throws StoreError
 */
export async function pruneTransactions(
  store: Store,
  { days, transactionsMax }: TransactionRetention,
): Promise<number> {
  const beforeMs = store.nowMs() - days * dayMs;
  const { count } = await store.query((db) =>
    db
      .selectFrom('charger_transaction')
      .select((row) => row.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow(),
  );
  const excess = Math.max(0, Number(count) - transactionsMax);
  return store.transact(async (db) => {
    const oldest = await db
      .selectFrom('charger_transaction')
      .select(['identity_key', 'transaction_id', 'started_ms'])
      .orderBy('started_ms')
      .limit(rowsPerStep)
      .execute();
    const due = oldest.filter(({ started_ms }, index) => started_ms < beforeMs || index < excess);
    for (const { identity_key, transaction_id } of due) {
      await db
        .deleteFrom('charger_transaction')
        .where('identity_key', '=', identity_key)
        .where('transaction_id', '=', transaction_id)
        .execute();
    }
    return due.length;
  });
}
