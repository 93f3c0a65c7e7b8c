import type { Insertable, Transaction } from 'kysely';
import type { RowOf, Tables } from '../store/tables.ts';
import { type AuditColumns, type AuditEntry, columnsOf } from './audit-entry.ts';
import { auditHash, genesisHash } from './audit-hash.ts';

/**
 * Appends to the audit log `chain`, in the transaction of what is being recorded: both happen, or
 * neither.
 *
 * Waits for other writers of the same chain, the command line for one, until they have committed.
 * So that no two of them wait for each other, this comes last in a transaction.
 */
export async function appendRecords(
  db: Transaction<Tables>,
  chain: string,
  entries: readonly AuditEntry[],
): Promise<void> {
  await appendColumns(db, chain, entries.map(columnsOf));
}

/** The same for entries whose columns were made before. */
export async function appendColumns(
  db: Transaction<Tables>,
  chain: string,
  entries: readonly AuditColumns[],
): Promise<void> {
  if (entries.length === 0) return;
  const { head_sequence, head_hash } = await lockChain(db, chain);
  let sequence = head_sequence;
  let hash = head_hash;
  const rows = entries.map((entry) => {
    sequence += 1;
    const record = { chain, sequence, ...entry };
    hash = auditHash(hash, record);
    return { ...record, hash };
  });
  await insertRows(db, rows);
  await db
    .updateTable('audit_chain')
    .set({ head_sequence: sequence, head_hash: hash })
    .where('chain', '=', chain)
    .execute();
}

/** The ends of `chain`, which is begun if there is none. Until the commit nobody else has them. */
export async function lockChain(
  db: Transaction<Tables>,
  chain: string,
): Promise<RowOf<'audit_chain'>> {
  return (
    db
      .insertInto('audit_chain')
      .values({
        chain,
        base_sequence: 0,
        base_hash: genesisHash,
        head_sequence: 0,
        head_hash: genesisHash,
      })
      // Changes nothing. Both databases lock a row that is written to, and return it as it is then.
      .onConflict((conflict) =>
        conflict
          .column('chain')
          .doUpdateSet((row) => ({ head_sequence: row.ref('audit_chain.head_sequence') })),
      )
      .returningAll()
      .executeTakeFirstOrThrow()
  );
}

/** Rows of one statement, at most: a statement may have 32 766 parameters in SQLite. */
const rowsPerStatement = 64;

async function insertRows(
  db: Transaction<Tables>,
  rows: readonly Insertable<Tables['audit_record']>[],
): Promise<void> {
  let size = rowsPerStatement;
  for (let at = 0; at < rows.length; at += size) {
    // Powers of two make seven different statements, which a database compiles once each.
    while (size > rows.length - at) size /= 2;
    await db
      .insertInto('audit_record')
      .values(rows.slice(at, at + size))
      .execute();
  }
}
