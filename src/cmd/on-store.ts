import type { Transaction } from 'kysely';
import { appendRecords } from '../audit/append-records.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import { describeMistake, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import type { EventFields } from '../events/catalogue.ts';
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
  | 'ChargerAdded'
  | 'ChargerChanged'
  | 'ChargerRemoved'
  | 'IdentityQuarantined'
  | 'IdentityReleased';

/** Puts what the operator did into the audit log, in the transaction that does it. */
export async function recordAct<Name extends ActName>(
  { config, store }: StoreVisit,
  db: Transaction<Tables>,
  event: Name,
  charger: ChargerId,
  fields: Omit<EventFields[Name], 'charger' | 'by'>,
): Promise<void> {
  const record = { atMs: store.nowMs(), event, charger, fields: { by: operatorName(), ...fields } };
  await appendRecords(db, config.gateway.id, [record]);
}

/** Errors of the operating system have a code in capitals; those of JavaScript do not. */
function isSystemError(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^E[A-Z]+$/.test(code);
}
