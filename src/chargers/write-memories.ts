import { transactionKey } from '../ocpp/transaction-id.ts';
import { storableText } from '../store/storable-text.ts';
import type { Queries } from '../store/store.ts';
import { identityKey } from './charger-id.ts';
import type { Claim } from './claims.ts';
import type { Identification } from './memory/boot.ts';
import type { ChargerMemory } from './memory/charger-memory.ts';
import type { SavedMemory } from './memory/saved-memory.ts';
import type { TransactionRecord } from './memory/transaction-record.ts';
import { noteReported, noteSeen, type Sighting } from './registry-sightings.ts';

/** What is written of one charger at once. */
export interface WrittenCharger {
  readonly claim: Claim;
  readonly memory: ChargerMemory;
  readonly saved: SavedMemory;
  /** Those that changed. */
  readonly transactions: readonly TransactionRecord[];
  /** What the charger said of itself, if that changed. */
  readonly identification: Identification | undefined;
}

/** Rows of one statement; PostgreSQL allows 65 535 parameters in one. */
const rowsMax = 500;

/** Writes what is known of some chargers, in the transaction of the caller. */
export async function writeMemories(
  db: Queries,
  chargers: readonly WrittenCharger[],
  nowMs: number,
): Promise<void> {
  if (chargers.length === 0) return;
  await writeDocuments(db, chargers, nowMs);
  const transactions = chargers.flatMap(({ claim, transactions }) =>
    transactions.map((record) => transactionRow(identityKey(claim.charger), record)),
  );
  for (let at = 0; at < transactions.length; at += rowsMax) {
    await writeTransactions(db, transactions.slice(at, at + rowsMax));
  }
  // Whatever admitted them: those that an operator has removed meanwhile stay removed.
  const sightings = chargers.map(({ claim }): Sighting => {
    return { id: claim.charger, origin: 'operator', atMs: nowMs };
  });
  await noteSeen(db, sightings);
  for (const { claim, identification } of chargers) {
    if (identification === undefined) continue;
    const { firmwareVersion: firmware, model, serialNumber, vendor } = identification;
    await noteReported(db, claim.charger, { vendor, model, serialNumber, firmware });
  }
}

/** Longer than any that is learned. */
const transactionIdLengthMax = 256;

/** A transaction id as its column has it. */
export function storedTransactionId(transactionId: string): string {
  return storableText(transactionKey(transactionId), transactionIdLengthMax);
}

async function writeDocuments(
  db: Queries,
  chargers: readonly WrittenCharger[],
  nowMs: number,
): Promise<void> {
  const keys = chargers.map(({ claim }) => identityKey(claim.charger));
  const present = await db
    .selectFrom('charger')
    .select('identity_key')
    .where('identity_key', 'in', keys)
    .execute();
  const known = new Set(present.map((row) => row.identity_key));
  // What was learned of a charger that an operator has removed is forgotten with it.
  const kept = chargers.filter(({ claim }) => known.has(identityKey(claim.charger)));
  if (kept.length === 0) return;
  const rows = kept.map(({ claim, saved }) => ({
    identity_key: identityKey(claim.charger),
    epoch: claim.epoch,
    document: saved.document,
    variables: saved.variables,
    updated_ms: nowMs,
  }));
  await db
    .insertInto('charger_memory')
    .values(rows)
    .onConflict((row) =>
      row
        .column('identity_key')
        .doUpdateSet((update) => ({
          epoch: update.ref('excluded.epoch'),
          document: update.ref('excluded.document'),
          variables: update.ref('excluded.variables'),
          updated_ms: update.ref('excluded.updated_ms'),
        }))
        // A gateway that was cut off must not overwrite what its successor has learned.
        .whereRef('charger_memory.epoch', '<=', 'excluded.epoch'),
    )
    .execute();
}

type TransactionRow = ReturnType<typeof transactionRow>;

function transactionRow(key: string, record: TransactionRecord) {
  const { transactionId, status, startedAtMs, endedAtMs, ...rest } = record;
  return {
    identity_key: key,
    transaction_id: storedTransactionId(transactionId),
    status,
    started_ms: startedAtMs,
    ended_ms: endedAtMs ?? null,
    document: JSON.stringify(rest),
  };
}

async function writeTransactions(db: Queries, rows: readonly TransactionRow[]): Promise<void> {
  await db
    .insertInto('charger_transaction')
    .values([...rows])
    .onConflict((row) =>
      // A CSMS that was set up anew counts from 1 again: the newer transaction is the one to know.
      row
        .columns(['identity_key', 'transaction_id'])
        .doUpdateSet((update) => ({
          status: update.ref('excluded.status'),
          started_ms: update.ref('excluded.started_ms'),
          ended_ms: update.ref('excluded.ended_ms'),
          document: update.ref('excluded.document'),
        }))
        // What has ended goes on for a gateway only that was cut off and did not see the end.
        .where((update) =>
          update.or([
            update('charger_transaction.status', '=', 'open'),
            update('excluded.status', '=', 'ended'),
            update('excluded.started_ms', '>', update.ref('charger_transaction.started_ms')),
          ]),
        ),
    )
    .execute();
}
