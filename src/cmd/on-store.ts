import type { Transaction } from 'kysely';
import { appendRecords } from '../audit/append-records.ts';
import type { AuditEntry } from '../audit/audit-entry.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import { describeMistake, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import type { EventFields } from '../events/fields.ts';
import { systemClock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import type { Tables } from '../store/tables.ts';
import { openConfiguredStore } from './configured-store.ts';
import { describeSystemError } from './describe-system-error.ts';
import { exitCodes } from './exit-codes.ts';
import { operatorName } from './operator-name.ts';

/** What a command works with. */
export interface StoreVisit {
  readonly config: Config;
  readonly store: Store;
}

/**
 * Opens the store that `configFile` names, lets `visit` do its work, and closes it. A gateway may
 * use the same store meanwhile.
 *
 * @returns the exit code: that of `visit`, or that of what went wrong, which is on standard error.
 */
export async function onStore(
  configFile: string,
  visit: (visit: StoreVisit) => Promise<number>,
): Promise<number> {
  const config = await loadConfig(configFile);
  if (!config.ok) {
    for (const mistake of config.error) complain(describeMistake(configFile, mistake));
    return exitCodes.usage;
  }
  let store: Store | undefined;
  try {
    store = await openConfiguredStore(config.value, configFile, false, systemClock());
    return await visit({ config: config.value, store });
  } catch (error) {
    if (!isStoreError(error) && !isSystemError(error)) throw error;
    complain(`gatewatt: ${describeSystemError(error)}`);
    return exitCodes.failed;
  } finally {
    await store?.close();
  }
}

/** One line on standard error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What the audit log says of an operator, by event. */
type ActName =
  | 'CertificateBound'
  | 'CertificateUnbound'
  | 'ChargerAdded'
  | 'ChargerChanged'
  | 'ChargerRemoved'
  | 'CsmsPasswordSet'
  | 'DefaultPasswordAllowed'
  | 'IdentityQuarantined'
  | 'IdentityReleased'
  | 'LoadCommandCancelled'
  | 'LoadCommandReleaseRequested'
  | 'PasswordSet'
  | 'ProfileRaiseRequested'
  | 'RotationRequested';

/** The same of what concerns a feeder. */
type FeederActName = 'FeederLiftEnded' | 'FeederLifted';

/** Something that an operator did. */
export interface Act {
  readonly event: ActName | FeederActName | 'ChargersImported';
  /** Undefined for what concerns many. */
  readonly charger?: ChargerId | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Something that an operator did with one charger. */
export function actOn<Name extends ActName>(
  event: Name,
  charger: ChargerId,
  fields: Omit<EventFields[Name], 'charger' | 'by'>,
): Act {
  return { event, charger, fields };
}

/** Something that an operator did with a feeder. */
export function actOnFeeder<Name extends FeederActName>(
  event: Name,
  fields: Omit<EventFields[Name], 'by'>,
): Act {
  return { event, fields };
}

/** Puts what the operator did into the audit log, in the transaction that does it. */
export async function recordAct<Name extends ActName>(
  visit: StoreVisit,
  db: Transaction<Tables>,
  event: Name,
  charger: ChargerId,
  fields: Omit<EventFields[Name], 'charger' | 'by'>,
): Promise<void> {
  await recordActs(visit, db, [actOn(event, charger, fields)]);
}

/** Acts that are made into records at once. */
const actsAtOnce = 1024;

/** The same for many, in their order. Comes last in a transaction, as `appendRecords` does. */
export async function recordActs(
  { config, store }: StoreVisit,
  db: Transaction<Tables>,
  acts: Iterable<Act>,
): Promise<void> {
  const by = operatorName();
  let records: AuditEntry[] = [];
  for (const { event, charger, fields } of acts) {
    records.push({ atMs: store.nowMs(), event, charger, fields: { by, ...fields } });
    if (records.length < actsAtOnce) continue;
    await appendRecords(db, config.gateway.id, records);
    records = [];
  }
  await appendRecords(db, config.gateway.id, records);
}

/** Errors of the operating system have a code in capitals; those of JavaScript do not. */
function isSystemError(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^E[A-Z]+$/.test(code);
}
