import type { SessionCredential } from '../../src/gateway/session-credential.ts';

/** What a charger on a listener without authentication has connected with. */
export function noCredential(changes: Partial<SessionCredential> = {}): SessionCredential {
  return {
    securityProfile: 0,
    usedProfile: 0,
    by: 'none',
    isProven: false,
    passwordHash: undefined,
    passwordSetAtMs: undefined,
    rotationRequestedAtMs: undefined,
    restriction: undefined,
    changes: 'refuse',
    certificates: [],
    certificate: undefined,
    commonNames: [],
    isStillTrusted: () => true,
    isOwnCertificate: () => false,
    ...changes,
  };
}
