import type { OcppVersion } from '../../src/ocpp/version.ts';
import type { PolicyContext } from '../../src/policy/context.ts';

/** The context of a charger that the CSMS has accepted and that speaks of nobody else's affairs. */
export function acceptedContext(
  version: OcppVersion,
  changes: Partial<PolicyContext> = {},
): PolicyContext {
  return {
    version,
    bootStatus: 'Accepted',
    wasTriggered: () => false,
    ownsTransaction: () => false,
    otherOwnersOf: () => 0,
    securityProfile: 2,
    usedProfile: 2,
    credentialChanges: 'track',
    restriction: undefined,
    isOwnCertificate: () => false,
    isForeignName: () => false,
    commonNames: [],
    mayRequestCertificate: true,
    lastSigningRequest: undefined,
    nowMs: () => 0,
    ...changes,
  };
}
