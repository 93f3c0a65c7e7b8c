import path from 'node:path';
import type { Transaction } from 'kysely';
import { bindCertificate, unbindCertificates } from '../../chargers/certificate-bindings.ts';
import type { ChargerCredential } from '../../chargers/charger-credential.ts';
import type { SecurityProfile, SettingsChange } from '../../chargers/charger-entry.ts';
import { type ChargerId, identityKey } from '../../chargers/charger-id.ts';
import { setCsmsPassword, setPassword } from '../../chargers/credentials.ts';
import { allowDefault, clearPassword } from '../../chargers/forget-password.ts';
import { raiseProfile } from '../../chargers/profile-raises.ts';
import type { Config } from '../../config/schema/config.ts';
import { hashPassword } from '../../identity/password-hash.ts';
import { seal } from '../../identity/sealed-text.ts';
import { matchesGlob } from '../../lib/glob.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import type { Tables } from '../../store/tables.ts';
import { readKeyFile } from '../key-file.ts';
import { type Act, actOn } from '../on-store.ts';
import { bindingText } from './binding-text.ts';
import type { CredentialChange } from './credential-options.ts';

/** Thrown in a transaction so that nothing of it happens. The message is for the operator. */
export class RefusedChange extends Error {}

/** A change whose secrets are in the form in which the store takes them. */
export interface SealedChange {
  readonly change: CredentialChange;
  readonly passwordHash: string | undefined;
  readonly csmsPassword: string | undefined;
}

/** Hashes and encrypts, which takes time, before a transaction begins. */
export async function sealChange(
  change: CredentialChange,
  id: ChargerId,
  config: Config,
  configFile: string,
): Promise<Result<SealedChange, string>> {
  const key = change.csmsPassword && (await sealingKey(config, configFile));
  if (key?.ok === false) return key;
  return ok({
    change,
    passwordHash: change.password && (await hashPassword(change.password)),
    csmsPassword:
      change.csmsPassword && key && seal(change.csmsPassword, key.value, identityKey(id)),
  });
}

/** The key that `csms.auth` names, or why there is none. */
export async function sealingKey(
  { csms }: Config,
  configFile: string,
): Promise<Result<Buffer, string>> {
  if (csms.auth.type !== 'perCharger') {
    return failed('a CSMS password needs csms.auth perCharger in the configuration');
  }
  return readKeyFile(path.resolve(path.dirname(configFile), csms.auth.keyFile));
}

/** Refuses what the ratchet of the security profile does not allow. @throws RefusedChange */
export function checkProfiles(
  { usedProfile }: ChargerCredential,
  settings: SettingsChange,
  { raiseTo }: CredentialChange,
): void {
  const required = settings.requiredSecurityProfile ?? undefined;
  if (required !== undefined && required < usedProfile) {
    throw new RefusedChange(`--security-profile: ${ratchetText(usedProfile)}`);
  }
  if (raiseTo !== undefined && raiseTo <= usedProfile) {
    throw new RefusedChange(`--raise-to: the charger has used security profile ${usedProfile}`);
  }
}

/** Why a security profile is never lowered. Source: OCPP security overview, A05.FR.09. */
export function ratchetText(usedProfile: SecurityProfile): string {
  return (
    `the charger has used security profile ${usedProfile}, and a lower one is never accepted ` +
    'again; if it really must be, remove the charger and add it anew'
  );
}

/**
 * Does what is to be done to a charger that is in the registry. The caller has called
 * `lockRegistry`.
 *
 * @returns what the audit log is to hold.
 * @throws RefusedChange
 */
export async function applyChange(
  db: Transaction<Tables>,
  id: ChargerId,
  { change, csmsPassword, passwordHash }: SealedChange,
  nowMs: number,
): Promise<readonly Act[]> {
  const { allowsDefault, bindings, clears, raiseTo } = change;
  const acts: Act[] = [];
  const cleared = [...clears].filter((field) => field !== 'certificates');
  if (cleared.length > 0) acts.push(actOn('ChargerChanged', id, { settings: { cleared } }));
  if (clears.has('password')) await clearPassword(db, id, nowMs);
  if (clears.has('csms-password')) await setCsmsPassword(db, id, null, nowMs);
  if (clears.has('certificates')) {
    for (const binding of await unbindCertificates(db, id, nowMs)) {
      acts.push(actOn('CertificateUnbound', id, { binding: bindingText(binding) }));
    }
  }
  for (const binding of bindings) {
    const bound = await bindCertificate(db, id, binding, nowMs);
    if (bound.is === 'taken') {
      throw new RefusedChange(`the certificate (${bindingText(binding)}) is bound to ${bound.by}`);
    }
    if (bound.is === 'bound') {
      acts.push(actOn('CertificateBound', id, { binding: bindingText(binding) }));
    }
  }
  if (passwordHash !== undefined) {
    await setPassword(db, id, { hash: passwordHash, origin: 'operator' }, nowMs);
    acts.push(actOn('PasswordSet', id, { origin: 'operator' }));
  }
  if (csmsPassword !== undefined) {
    await setCsmsPassword(db, id, csmsPassword, nowMs);
    acts.push(actOn('CsmsPasswordSet', id, {}));
  }
  if (allowsDefault) {
    await allowDefault(db, id, nowMs);
    acts.push(actOn('DefaultPasswordAllowed', id, {}));
  }
  if (raiseTo !== undefined) {
    await raiseProfile(db, id, raiseTo, nowMs);
    acts.push(actOn('ProfileRaiseRequested', id, { to: raiseTo }));
  }
  return acts;
}

/**
 * What the operator may have overlooked about a change that was made.
 *
 * @param before what the charger had.
 */
export function remarksOnChange(
  { allowsDefault, clears, password }: CredentialChange,
  id: ChargerId,
  before: ChargerCredential,
  { credentials, csms }: Config,
): readonly string[] {
  const key = identityKey(id);
  const hasBatch = credentials.batches.some(({ chargers }) =>
    chargers.some((pattern) => matchesGlob(pattern.toLowerCase(), key)),
  );
  const dropsNext = allowsDefault || password !== undefined || clears.has('password');
  return [
    ...(dropsNext && before.next !== undefined
      ? [`A new password was on its way to ${id}: if the charger has it, it cannot connect with it`]
      : []),
    ...(allowsDefault && !hasBatch ? [`${id} is in none of credentials.batches`] : []),
    ...(password !== undefined && csms.auth.type === 'forward'
      ? ['The CSMS must know the same password: csms.auth is forward']
      : []),
  ];
}
