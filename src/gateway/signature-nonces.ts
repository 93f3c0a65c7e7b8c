import type { Store } from '../store/store.ts';

/**
 * Notes that a signed command has come.
 *
 * @returns whether it is the first time, over all gateways and restarts.
 * @throws StoreError
 */
export async function takeNonce(
  store: Store,
  chargerKey: string,
  { issuedAtMs, value }: { readonly value: string; readonly issuedAtMs: number },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await store.query((db) =>
    db
      .insertInto('signature_nonce')
      .values({ identity_key: chargerKey, nonce: value, issued_ms: issuedAtMs })
      .onConflict((row) => row.columns(['identity_key', 'nonce']).doNothing())
      .executeTakeFirst(),
  );
  return numInsertedOrUpdatedRows === 1n;
}

/** Rows that are deleted in one go. */
const prunedMax = 5_000;

/**
 * Forgets nonces of commands that are too old to be accepted at all.
 *
 * @returns how many; there may be more.
 */
export async function pruneNonces(store: Store, beforeMs: number): Promise<number> {
  const rows = await store.query((db) =>
    db
      .deleteFrom('signature_nonce')
      .where(({ eb, refTuple, selectFrom }) =>
        eb(
          refTuple('identity_key', 'nonce'),
          'in',
          selectFrom('signature_nonce')
            .select(['identity_key', 'nonce'])
            .where('issued_ms', '<', beforeMs)
            .limit(prunedMax)
            .$asTuple('identity_key', 'nonce'),
        ),
      )
      .executeTakeFirst(),
  );
  return Number(rows.numDeletedRows);
}
