import type { JsonObject } from '../../ocpp/message.ts';
import { numberOf, objectOf, optionalNumber, optionalText, textOf } from '../protocol/payload.ts';
import type { ChargerAnswer, ChargerParts } from './charger-parts.ts';
import type { CertificatePurpose } from './own-certificate.ts';
import type { SettingChange } from './settings.ts';

/** What came of a change of a setting; some take effect after a reset. */
export type CredentialChange = SettingChange | 'after-reset';

const purposes: readonly CertificatePurpose[] = [
  'ChargingStationCertificate',
  'V2GCertificate',
  'V2G20Certificate',
];

/**
 * Changes the setting `key`, if it is one that says how the charger identifies itself; undefined
 * when it is another. A new connection waits until the answer has gone.
 *
 * Source: A01 and A05 in "Improved security for OCPP 1.6-J" edition 3 and in OCPP 2.0.1 part 2.
 */
export function changeCredential(
  key: string,
  value: string,
  parts: ChargerParts,
  afterReply: (effect: () => void) => void,
): CredentialChange | undefined {
  const { security, version } = parts;
  if (key === 'AuthorizationKey') return changePassword(value, parts, afterReply);
  if (key === 'SecurityProfile' && version === 'ocpp1.6') {
    if (!/^[0-3]$/.test(value) || !security.raise(Number(value))) return 'bad-value';
    parts.noteSecurityEvent('ReconfigurationOfSecurityParameters');
    afterReply(() => parts.redial());
    return 'changed';
  }
  if (key === 'NetworkConfigurationPriority') {
    // It takes effect with the next reset (B10 in 2.0.1).
    return security.prioritise(value) ? parts.settings.change(key, value) : 'bad-value';
  }
  return undefined;
}

function changePassword(
  value: string,
  { security, redial, noteSecurityEvent }: ChargerParts,
  afterReply: (effect: () => void) => void,
): CredentialChange {
  const result = security.changePassword(value);
  switch (result) {
    case 'not-supported':
      return 'unknown';
    case 'rejected':
      return 'bad-value';
    case 'reboot-required':
      return 'after-reset';
    case 'accepted':
      noteSecurityEvent('ReconfigurationOfSecurityParameters');
      if (security.reconnectsForPassword()) afterReply(redial);
      return 'changed';
  }
}

/** Answers SetNetworkProfile (2.x, B09). */
export function setNetworkProfile(payload: JsonObject, { security }: ChargerParts): JsonObject {
  const slot = numberOf(payload, 'configurationSlot', -1);
  const isKept = security.setSlot(slot, objectOf(payload, 'connectionData'));
  return { status: isKept ? 'Accepted' : 'Rejected' };
}

/** Makes a key, and asks the CSMS for a certificate. Undefined: for every purpose (2.x). */
export function signCertificate(
  { security, settings, notify, certificateName, version }: ChargerParts,
  certificateType: CertificatePurpose | undefined,
): void {
  const purpose = certificateType ?? 'ChargingStationCertificate';
  const { csr, requestId } = security.certificate.request(purpose, {
    commonName: certificateName,
    organization: settings.byKey('CpoName')?.value ?? '',
  });
  const payload = {
    csr,
    ...(version !== 'ocpp1.6' && certificateType !== undefined && { certificateType }),
    ...(version === 'ocpp2.1' && { requestId }),
  };
  notify({ action: 'SignCertificate', payload });
}

/** Answers CertificateSigned, and connects with the certificate if it is for that. */
export function certificateSigned(
  ...[payload, parts, afterReply]: Parameters<ChargerAnswer>
): JsonObject {
  const { security, clock, redial, noteSecurityEvent, version } = parts;
  const type = optionalText(payload, 'certificateType');
  const purpose = purposes.find((known) => known === type) ?? 'ChargingStationCertificate';
  const isTaken = security.certificate.take(
    textOf(payload, 'certificateChain'),
    purpose,
    optionalNumber(payload, 'requestId'),
    clock.nowMs(),
  );
  if (!isTaken) {
    const station = version === 'ocpp1.6' ? 'ChargePoint' : 'ChargingStation';
    noteSecurityEvent(`Invalid${station}Certificate`);
    return { status: 'Rejected' };
  }
  if (purpose === 'ChargingStationCertificate' && security.profile() === 3) afterReply(redial);
  return { status: 'Accepted' };
}

/** Answers InstallCertificate; a root for the CSMS is trusted from the next connection on. */
export function installRoot(payload: JsonObject, { records, security }: ChargerParts): JsonObject {
  const type = textOf(payload, 'certificateType');
  const certificate = textOf(payload, 'certificate');
  const installed = records.certificates.install(type, certificate);
  if (installed === undefined) return { status: 'Rejected' };
  if (isCsmsRoot(type)) security.trustRoot(installed, certificate);
  return { status: 'Accepted' };
}

/** Answers DeleteCertificate. */
export function deleteRoot(payload: JsonObject, { records, security }: ChargerParts): JsonObject {
  const deleted = records.certificates.remove(objectOf(payload, 'certificateHashData'));
  if (deleted === undefined) return { status: 'NotFound' };
  security.trustRoot(deleted, undefined);
  return { status: 'Accepted' };
}

function isCsmsRoot(type: string): boolean {
  return type === 'CentralSystemRootCertificate' || type === 'CSMSRootCertificate';
}
