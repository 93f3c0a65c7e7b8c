import { identityKey } from '../../../chargers/charger-id.ts';
import {
  type ImportedCharger,
  importChargers,
  type KnownBefore,
  knownBefore,
} from '../../../chargers/import-chargers.ts';
import { lockRegistry } from '../../../chargers/registry-changes.ts';
import { seal } from '../../../identity/sealed-text.ts';
import { failed, ok, type Result } from '../../../lib/result.ts';
import { type Act, actOn, recordActs, type StoreVisit } from '../../on-store.ts';
import { bindingText } from '../binding-text.ts';
import type { Finding } from './columns.ts';
import { findingsInStore } from './compare-rows.ts';
import type { FileCharger } from './judge-row.ts';

/** What is to be written. */
export interface Import {
  readonly chargers: readonly FileCharger[];
  /** Of their passwords, in the same order. */
  readonly hashes: readonly (string | undefined)[];
  /** Undefined when the gateway has no passwords towards the CSMS. */
  readonly sealingKey: Buffer | undefined;
  readonly isUpdate: boolean;
  /** In hexadecimal digits, for the audit log. */
  readonly fileSha256: string;
}

/** What was written. */
export interface ImportCounts {
  readonly added: number;
  readonly changed: number;
  readonly passwords: number;
  readonly certificates: number;
}

/**
 * Writes all chargers of a file and their audit records, or nothing. Somebody may have changed the
 * registry since it was looked at: what is wrong by now is a finding.
 */
export async function writeImport(
  visit: StoreVisit,
  { chargers, fileSha256, hashes, isUpdate, sealingKey }: Import,
): Promise<Result<ImportCounts, readonly Finding[]>> {
  const { store } = visit;
  const imported = chargers.map(({ id, settings, binding, csmsPassword }, index) => ({
    id,
    settings,
    binding,
    passwordHash: hashes[index],
    csmsPassword: csmsPassword && sealingKey && seal(csmsPassword, sealingKey, identityKey(id)),
  }));
  return store.transactDurably(async (db) => {
    await lockRegistry(db);
    const before = await knownBefore(db, chargers);
    const findings = findingsInStore(chargers, before, isUpdate);
    // Nothing has been written yet.
    if (findings.length > 0) return failed(findings);
    await importChargers(db, imported, before, store.nowMs());
    await recordActs(visit, db, actsOf(imported, before, fileSha256));
    const changed = before.filter(({ entry }) => entry?.origin === 'operator').length;
    return ok({
      added: chargers.length - changed,
      changed,
      passwords: imported.filter(({ passwordHash }) => passwordHash !== undefined).length,
      certificates: imported.filter(({ binding }) => binding !== undefined).length,
    });
  });
}

/** One record for the file, and those of each charger, so that its history tells of it. */
function* actsOf(
  chargers: readonly ImportedCharger[],
  before: readonly KnownBefore[],
  fileSha256: string,
): Generator<Act> {
  yield { event: 'ChargersImported', fields: { count: chargers.length, fileSha256 } };
  for (const [index, { id, settings, passwordHash, csmsPassword, binding }] of chargers.entries()) {
    const isChanged = before[index]?.entry?.origin === 'operator';
    if (!isChanged) yield actOn('ChargerAdded', id, { settings });
    else if (Object.keys(settings).length > 0) yield actOn('ChargerChanged', id, { settings });
    if (passwordHash !== undefined) yield actOn('PasswordSet', id, { origin: 'imported' });
    if (csmsPassword !== undefined) yield actOn('CsmsPasswordSet', id, {});
    if (binding !== undefined) {
      yield actOn('CertificateBound', id, { binding: bindingText(binding) });
    }
  }
}
