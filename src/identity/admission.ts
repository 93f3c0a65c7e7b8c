import type { ChargerId } from '../chargers/charger-id.ts';
import { type ChargerRecord, canonicalIdentity } from '../chargers/record.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import { isOcppVersion, type OcppVersion } from '../ocpp/version.ts';

/** What a charger asks for that has shown who it is. */
export interface AdmissionRequest {
  readonly unverifiedId: ChargerId;
  /** The subprotocols that were offered, in the charger's order. */
  readonly offered: readonly string[];
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
export type AdmissionRefusal = 'SUBPROTOCOL_MISSING' | 'SUBPROTOCOL_NONE_IN_COMMON';

/** The operator's choices that admission needs. */
export interface AdmissionPolicy {
  readonly versions: readonly OcppVersion[];
}

/**
 * With which versions may this charger connect?
 *
 * Asked after it has shown who it is: a stranger learns nothing about versions.
 *
 * @param record what the operator has written down; undefined for a charger that nobody knows.
 * Source: OCPP-J 1.6 section 3.1.2; OCPP 2.0.1 part 4 section 3.1.2 (subprotocols).
 */
export function admitCharger(
  { unverifiedId, offered }: AdmissionRequest,
  record: ChargerRecord | undefined,
  { versions }: AdmissionPolicy,
): Result<AdmittedCharger, AdmissionRefusal> {
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
