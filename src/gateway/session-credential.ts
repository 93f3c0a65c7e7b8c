import type { X509Certificate } from 'node:crypto';
import type { CertificateBinding } from '../chargers/charger-credential.ts';
import type { Authenticated } from '../identity/authentication.ts';
import { certificateCandidates, subjectOf } from '../pki/certificate.ts';
import { mayMean, type UnverifiedHashData } from '../pki/certificate-hashes.ts';
import type { CertificateEvidence } from '../pki/client-certificate.ts';
import type { Restriction } from '../policy/context.ts';
import type { AdmittedArrival } from './admit-arrival.ts';

/** With what a charger has connected, as far as its session cares. */
export interface SessionCredential {
  /** The OCPP security profile of the listener. */
  readonly securityProfile: number;
  /** The highest one that the charger has used, this connection included. */
  readonly usedProfile: number;
  /** `default password` and `first password` are those that `Authenticated` has in its words. */
  readonly by: 'none' | 'password' | 'default password' | 'first password' | 'certificate';
  /** Has it shown who it is, by more than the default password of its batch? */
  readonly isProven: boolean;
  /** Of the password that it came with; undefined when the store has none for it. */
  readonly passwordHash: string | undefined;
  /** When that password was set; undefined likewise. */
  readonly passwordSetAtMs: number | undefined;
  /** When an operator asked for a new password; undefined when nobody does. */
  readonly rotationRequestedAtMs: number | undefined;
  readonly restriction: Restriction | undefined;
  /** What becomes of the CSMS's own changes of its password. */
  readonly changes: 'refuse' | 'track';
  /** How its certificate is told to be its own; empty when it came without one. */
  readonly certificates: readonly CertificateBinding[];
  /** The certificate that it came with; undefined when it came without one. */
  readonly certificate: X509Certificate | undefined;
  /** The common names of the certificate that it came with. */
  readonly commonNames: readonly string[];
  /**
   * Do the authorities and revocation lists of now still say that its certificate is good? True
   * without one.
   */
  isStillTrusted(): boolean;
  /** Is this the certificate that it came with? */
  isOwnCertificate(data: UnverifiedHashData): boolean;
}

/** What a charger has shown on its way in. */
export interface ShownCredential {
  readonly clientCertificate: CertificateEvidence | undefined;
  readonly passwordHash: string | undefined;
  readonly securityProfile: number;
  readonly changes: 'refuse' | 'track';
  isStillTrusted(): boolean;
}

/** With what this charger has connected. */
export function sessionCredential(
  { authenticated, found }: AdmittedArrival,
  { changes, clientCertificate, isStillTrusted, passwordHash, securityProfile }: ShownCredential,
): SessionCredential {
  const { password, rotationRequestedAtMs, usedProfile } = found.credential;
  const leaf = authenticated.by === 'certificate' ? clientCertificate?.leaf : undefined;
  const issuer = clientCertificate?.chain.find((sent) => leaf?.checkIssued(sent));
  const isCurrent = authenticated.by === 'password' && authenticated.matched === 'current';
  return {
    securityProfile,
    usedProfile: Math.max(securityProfile, usedProfile),
    by: shownBy[authenticated.by],
    isProven: isProven(authenticated),
    passwordHash,
    passwordSetAtMs: isCurrent ? password?.setAtMs : undefined,
    rotationRequestedAtMs,
    restriction: restrictionOf(authenticated),
    changes,
    certificates: leaf === undefined ? [] : certificateCandidates(leaf),
    certificate: leaf,
    commonNames: leaf === undefined ? [] : subjectOf(leaf).commonNames,
    isStillTrusted: () => leaf === undefined || isStillTrusted(),
    isOwnCertificate: (data) => leaf !== undefined && mayMean(data, leaf, issuer),
  };
}

/** Has a charger shown who it is, by more than the default password of its batch? */
export function isProven({ by }: Authenticated): boolean {
  return by !== 'nobody' && by !== 'default-password';
}

const shownBy = {
  nobody: 'none',
  password: 'password',
  'default-password': 'default password',
  'first-password': 'first password',
  certificate: 'certificate',
} as const satisfies Readonly<Record<Authenticated['by'], SessionCredential['by']>>;

function restrictionOf(authenticated: Authenticated): Restriction | undefined {
  if (authenticated.by === 'default-password') return 'default-password';
  const isExpired = authenticated.by === 'certificate' && authenticated.isExpired;
  return isExpired ? 'expired-certificate' : undefined;
}
