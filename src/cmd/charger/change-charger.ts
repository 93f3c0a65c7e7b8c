import type { Transaction } from 'kysely';
import type { SettingsChange } from '../../chargers/charger-entry.ts';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { findCredential } from '../../chargers/credentials.ts';
import { findCharger } from '../../chargers/registry.ts';
import { lockRegistry } from '../../chargers/registry-changes.ts';
import { systemClock } from '../../lib/clock.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import type { Tables } from '../../store/tables.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Act, complain, recordActs, type StoreVisit } from '../on-store.ts';
import {
  applyChange,
  checkProfiles,
  RefusedChange,
  remarksOnChange,
  sealChange,
} from './credential-changes.ts';
import { type ReadCredentials, readCredentials } from './credential-options.ts';
import { readCredentialReport } from './credential-report.ts';
import { feederRemark } from './feeder-remark.ts';
import { jsonText } from './json-text.ts';
import { type GivenOptions, readSettings } from './setting-options.ts';

/** What the options of `add` or `set` change. */
export interface ReadChanges extends ReadCredentials {
  readonly settings: SettingsChange;
}

/**
 * What the options and the files that they name change, or all mistakes in them.
 *
 * @param others names that `--clear` takes beside settings.
 */
export async function readChanges(
  given: GivenOptions,
  others: readonly string[],
): Promise<Result<ReadChanges, readonly string[]>> {
  const settings = readSettings(given, others);
  const credentials = await readCredentials(given, systemClock().nowMs());
  if (settings.ok && credentials.ok) return ok({ ...credentials.value, settings: settings.value });
  return failed([
    ...(settings.ok ? [] : settings.error),
    ...(credentials.ok ? [] : credentials.error),
  ]);
}

/** What was done to the entry, before its credential changes. */
export interface EntryChange {
  readonly outcome: 'added' | 'confirmed' | 'changed';
  /** What the audit log is to hold of it. */
  acts(identity: ChargerId): readonly Act[];
}

/**
 * Changes an entry of the registry and its credential, and says so. All of it happens, or nothing.
 *
 * @param changeEntry writes the entry; the registry is locked. Throws RefusedChange.
 * @returns the exit code.
 */
export async function changeCharger(
  visit: StoreVisit,
  id: ChargerId,
  options: { readonly config: string; readonly json?: true },
  { change, remarks, settings }: ReadChanges,
  changeEntry: (db: Transaction<Tables>) => Promise<EntryChange>,
): Promise<number> {
  const { config, store } = visit;
  const sealed = await sealChange(change, id, config, options.config);
  if (!sealed.ok) {
    complain(sealed.error);
    return exitCodes.failed;
  }
  const nowMs = store.nowMs();
  const inTransaction = async (db: Transaction<Tables>) => {
    await lockRegistry(db);
    const { acts, outcome } = await changeEntry(db);
    const before = await findCredential(db, id);
    checkProfiles(before, settings, change);
    const entry = await findCharger(db, id);
    const { identity = id, settings: allSettings = {} } = entry ?? {};
    const credentialActs = await applyChange(db, identity, sealed.value, nowMs);
    const credential = await readCredentialReport(db, id, allSettings, nowMs);
    await recordActs(visit, db, [...acts(identity), ...credentialActs]);
    return { before, result: { identity, outcome, settings: allSettings, credential } };
  };
  try {
    const { before, result } = await store.transactDurably(inTransaction);
    const { identity, outcome } = result;
    process.stdout.write(options.json === true ? jsonText(result) : said(identity, outcome));
    for (const remark of [
      ...remarks,
      ...remarksOnChange(change, identity, before, config),
      feederRemark(settings, config),
    ]) {
      if (remark !== undefined) complain(remark);
    }
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof RefusedChange)) throw error;
    complain(error.message);
    return exitCodes.failed;
  }
}

function said(id: ChargerId, outcome: EntryChange['outcome']): string {
  if (outcome === 'confirmed') return `${id} is added; it had enrolled itself\n`;
  return `${id} is ${outcome}\n`;
}
