import type { ChargerId } from '../chargers/charger-id.ts';
import { type ChargerRecord, canonicalIdentity } from '../chargers/record.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import { isOcppVersion, type OcppVersion } from '../ocpp/version.ts';

/** Who asks to be let in, as far as the upgrade request says. Nothing of it is verified. */
export interface AdmissionRequest {
  readonly unverifiedId: ChargerId;
  /** The subprotocols that were offered, in the charger's order. */
  readonly offered: readonly string[];
  /** The OCPP security profile of the listener. */
  readonly securityProfile: number;
}

/** A charger that may connect. */
export interface AdmittedCharger {
  readonly id: ChargerId;
  readonly record: ChargerRecord | undefined;
  /** The versions that charger and gateway share, in the charger's order. Never empty. */
  readonly versions: readonly OcppVersion[];
  /** False when the charger offered nothing and its record assumed the version. */
  readonly offeredSubprotocol: boolean;
}

/** Why a charger may not connect. */
export type AdmissionRefusal =
  | 'IDENTITY_UNKNOWN'
  | 'SECURITY_PROFILE_TOO_LOW'
  | 'SUBPROTOCOL_MISSING'
  | 'SUBPROTOCOL_NONE_IN_COMMON';

/** The operator's choices that admission needs. */
export interface AdmissionPolicy {
  readonly unknown: 'reject' | 'enroll';
  readonly versions: readonly OcppVersion[];
}

/**
 * May this charger connect, and with which versions?
 *
 * @param record what the operator has written down; undefined for a charger that nobody knows.
 *
 * Who it is comes first: a stranger learns nothing about versions.
 *
 * Source: OCPP-J 1.6 section 3.1.2; OCPP 2.0.1 part 4 section 3.1.2 (subprotocols).
 */
export function admitCharger(
  { unverifiedId, offered, securityProfile }: AdmissionRequest,
  record: ChargerRecord | undefined,
  { unknown, versions }: AdmissionPolicy,
): Result<AdmittedCharger, AdmissionRefusal> {
  if (record === undefined && unknown === 'reject') return failed('IDENTITY_UNKNOWN');
  if (securityProfile < (record?.requiredSecurityProfile ?? 0)) {
    return failed('SECURITY_PROFILE_TOO_LOW');
  }
  const id = canonicalIdentity(unverifiedId, record);
  if (offered.length === 0) {
    // A guessed version would check every message against the wrong schemas.
    const assumed = record?.assumeSubprotocol;
    if (assumed === undefined) return failed('SUBPROTOCOL_MISSING');
    if (!versions.includes(assumed)) return failed('SUBPROTOCOL_NONE_IN_COMMON');
    return ok({ id, record, versions: [assumed], offeredSubprotocol: false });
  }
  const common = offered.filter(isOcppVersion).filter((version) => versions.includes(version));
  const distinct = [...new Set(common)];
  if (distinct.length === 0) return failed('SUBPROTOCOL_NONE_IN_COMMON');
  return ok({ id, record, versions: distinct, offeredSubprotocol: true });
}
