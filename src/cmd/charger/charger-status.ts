import type { ChargerId } from '../../chargers/charger-id.ts';
import { identityKey } from '../../chargers/charger-id.ts';
import type { BootStatus } from '../../chargers/memory/boot.ts';
import { ChargerMemory } from '../../chargers/memory/charger-memory.ts';
import type { ChargerView } from '../../chargers/memory/view.ts';
import type { Queries } from '../../store/store.ts';
import { timeOf } from './json-text.ts';

/** Who holds an identity, and who may not. */
export interface ClaimStatus {
  /** The running gateway that has the charger; null when it is not connected. */
  readonly connectedTo: string | null;
  /** When it was last claimed, be it connected or not; null when it never was. */
  readonly claimedAt: string | null;
  readonly epoch: number;
  /** Of the hour that began at `takeoversSince`. */
  readonly takeovers: number;
  readonly takeoversSince: string | null;
  /** Null when it is not quarantined, or no longer. */
  readonly quarantinedUntil: string | null;
  readonly quarantineReason: string | null;
}

/** The claims of some identities, by identity key. */
export async function claimsOf(
  db: Queries,
  ids: readonly ChargerId[],
  nowMs: number,
): Promise<ReadonlyMap<string, ClaimStatus>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('claim')
    // A claim whose gateway does not renew its lease is nobody's.
    .leftJoin('gateway_lease', (join) =>
      join
        .onRef('gateway_lease.incarnation', '=', 'claim.incarnation')
        .on('gateway_lease.expires_ms', '>', nowMs),
    )
    .selectAll('claim')
    .select('gateway_lease.gateway_id')
    .where('claim.identity_key', 'in', ids.map(identityKey))
    .execute();
  return new Map(
    rows.map((row) => {
      const isQuarantined = row.quarantined_until_ms !== null && row.quarantined_until_ms > nowMs;
      const status: ClaimStatus = {
        connectedTo: row.gateway_id,
        claimedAt: row.epoch === 0 ? null : timeOf(row.claimed_ms),
        epoch: row.epoch,
        takeovers: row.takeovers,
        takeoversSince: timeOf(row.takeovers_since_ms),
        quarantinedUntil: isQuarantined ? timeOf(row.quarantined_until_ms) : null,
        quarantineReason: isQuarantined ? row.quarantine_reason : null,
      };
      return [row.identity_key, status];
    }),
  );
}

/** The claim of one identity. */
export async function claimOf(
  db: Queries,
  id: ChargerId,
  nowMs: number,
): Promise<ClaimStatus | undefined> {
  return (await claimsOf(db, [id], nowMs)).get(identityKey(id));
}

/** What the CSMS last thought of some chargers, by identity key. */
export async function bootStatusesOf(
  db: Queries,
  ids: readonly ChargerId[],
): Promise<ReadonlyMap<string, BootStatus>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('charger_memory')
    .select(['identity_key', 'document'])
    .where('identity_key', 'in', ids.map(identityKey))
    .execute();
  return new Map(
    rows.map(({ identity_key, document }) => {
      return [identity_key, new ChargerMemory({ document, variables: '[]' }).boot.status];
    }),
  );
}

/** What gateways have learned about a charger, and when that was last written. */
export interface Learned {
  readonly view: ChargerView;
  readonly updatedAtMs: number;
}

/** All that was learned about one charger. */
export async function learnedOf(db: Queries, id: ChargerId): Promise<Learned | undefined> {
  const row = await db
    .selectFrom('charger_memory')
    .select(['document', 'variables', 'updated_ms'])
    .where('identity_key', '=', identityKey(id))
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { view: new ChargerMemory(row).view(), updatedAtMs: row.updated_ms };
}

/** One transaction of the table. */
export interface TransactionStatus {
  readonly transactionId: string;
  readonly status: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** The rest of what is known of it; null when it cannot be read. */
  readonly details: unknown;
}

/** The transactions of one charger that began last. */
export async function transactionsOf(
  db: Queries,
  id: ChargerId,
  limit: number,
): Promise<readonly TransactionStatus[]> {
  const rows = await db
    .selectFrom('charger_transaction')
    .selectAll()
    .where('identity_key', '=', identityKey(id))
    .orderBy('started_ms', 'desc')
    .orderBy('transaction_id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    transactionId: row.transaction_id,
    status: row.status,
    startedAt: timeOf(row.started_ms),
    endedAt: timeOf(row.ended_ms),
    details: parsed(row.document),
  }));
}

function parsed(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch {
    return null;
  }
}
