import { sql, type Transaction } from 'kysely';
import type { Tables } from '../store/tables.ts';

/** How much the quarantine holds. */
export interface QuarantineTotals {
  readonly frames: number;
  readonly bytes: number;
}

/**
 * Two rows of `counter`, changed together with the frames: to count a full quarantine each time
 * would read all of it.
 */
const framesCounter = 'quarantined-frames';
const bytesCounter = 'quarantined-bytes';

/** How much the quarantine holds. Until the commit nobody else changes it; this comes first. */
export async function lockTotals(db: Transaction<Tables>): Promise<QuarantineTotals> {
  const rows = await db
    .insertInto('counter')
    .values([
      { name: framesCounter, value: 0 },
      { name: bytesCounter, value: 0 },
    ])
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((row) => ({ value: row.ref('counter.value') })),
    )
    .returningAll()
    .execute();
  const total = (name: string): number => rows.find((row) => row.name === name)?.value ?? 0;
  return { frames: total(framesCounter), bytes: total(bytesCounter) };
}

/** Adds `change`, which may be negative. */
export async function addToTotals(
  db: Transaction<Tables>,
  change: QuarantineTotals,
): Promise<void> {
  for (const [name, amount] of [
    [framesCounter, change.frames],
    [bytesCounter, change.bytes],
  ] as const) {
    await db
      .updateTable('counter')
      // Whatever was done to the table by hand, a quarantine does not hold less than nothing.
      .set({ value: sql`case when value + ${amount} < 0 then 0 else value + ${amount} end` })
      .where('name', '=', name)
      .execute();
  }
}
