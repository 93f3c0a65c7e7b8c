import type { OcppVersion } from '../ocpp/version.ts';
import type { UnverifiedHashData } from '../pki/certificate-hashes.ts';
import type { RuleInput } from '../rules/rule.ts';

/**
 * What the rules of context may know of a charger: the side of `chargers/memory` that they need.
 */
export interface PolicyContext {
  readonly version: OcppVersion;
  /** Whether the CSMS takes the charger for registered; see `chargers/memory/boot.ts`. */
  readonly bootStatus: 'Accepted' | 'Pending' | 'Rejected' | 'unaccepted' | 'assumed' | 'unknown';
  /** Has the CSMS asked the charger to send this action? */
  wasTriggered(action: string): boolean;
  /** Is this a transaction of the charger, as far as the gateway has seen? */
  ownsTransaction(transactionId: string): boolean;
  /**
   * How many other chargers have this transaction: `unknown` when the store could not be asked,
   * undefined when nobody has asked it yet.
   */
  otherOwnersOf(transactionId: string): number | 'unknown' | undefined;
  /** The OCPP security profile of this connection. */
  readonly securityProfile: number;
  /** The highest one that the charger has used, this connection included. */
  readonly usedProfile: number;
  /** What becomes of the CSMS's own changes of the charger's password. */
  readonly credentialChanges: 'refuse' | 'track';
  /** Why only a few messages may pass; undefined when all may. */
  readonly restriction: Restriction | undefined;

  // Certificates; see `certificates.ts`.
  /** May a charger take this for a certificate that the present connection depends on? */
  isOwnCertificate(data: UnverifiedHashData): boolean;
  /**
   * Is a certificate with this CN the one of another charger? `unknown` when the store could not be
   * asked, undefined when nobody has asked it yet.
   */
  isForeignName(commonName: string): boolean | 'unknown' | undefined;
  /** The CNs that certificates of the charger have; none when nobody has said so. */
  readonly commonNames: readonly string[];
  /** Has the charger asked for few enough certificates of late? */
  readonly mayRequestCertificate: boolean;
  /** The last request for a certificate of the charger itself; undefined when none was seen. */
  readonly lastSigningRequest: SigningRequest | undefined;
  /** Unix time in milliseconds. */
  nowMs(): number;
}

/** What a rule of context may look at. */
export interface PolicyInput extends RuleInput {
  readonly context: PolicyContext;
}

/** What the certificate that answers a SignCertificate must have. */
export interface SigningRequest {
  /** The SHA-256 of the public key (SPKI), in lower-case hexadecimal digits. */
  readonly spkiSha256: string;
  /** OCPP 2.1 only. */
  readonly requestId?: number;
}

/** Something that the store must be asked before a message can be judged. */
export type LookUp =
  | { readonly about: 'transaction'; readonly transactionId: string }
  | { readonly about: 'certificate'; readonly commonName: string };

/** With what a charger has connected that only serves to get something better. */
export type Restriction = 'default-password' | 'expired-certificate';
