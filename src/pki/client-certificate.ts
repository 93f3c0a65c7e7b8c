import type { X509Certificate } from 'node:crypto';
import { failed, ok, type Result } from '../lib/result.ts';
import { chainLengthMax, publicKeyProblem, readFields, strengthProblem } from './certificate.ts';
import { allowsClient, type ChainPath, findPath } from './chain-path.ts';
import { keyUsageBits } from './extensions.ts';
import type { ClientTrust, KnownCertificate } from './trust.ts';

/** What a client of TLS has shown. */
export interface CertificateEvidence {
  readonly leaf: X509Certificate;
  /** The other certificates, as they were sent. */
  readonly chain: readonly X509Certificate[];
  /** Has OpenSSL verified the chain, with the same authorities and without revocation lists? */
  readonly isChainVerified: boolean;
}

/** What a listener asks of certificates. */
export interface ChainOptions {
  /** One of these must be an O of the leaf; any when the list is empty. */
  readonly organizations: readonly string[];
  /** How long a revocation list is used after the next one is due. */
  readonly crlGraceHours: number;
  /** `restrict` accepts an expired leaf, and says so. */
  readonly expired: 'refuse' | 'restrict';
}

/** What can be wrong with a certificate, whoever it belongs to: names of errors. */
export type ChainProblem =
  | 'CERTIFICATE_UNREADABLE'
  | 'CERTIFICATE_UNTRUSTED'
  | 'CERTIFICATE_IS_CA'
  | 'CERTIFICATE_WEAK'
  | 'CERTIFICATE_NOT_YET_VALID'
  | 'CERTIFICATE_EXPIRED'
  | 'CERTIFICATE_ORGANIZATION'
  | 'CERTIFICATE_REVOKED'
  | 'CERTIFICATE_REVOCATION_UNKNOWN';

/** Why a certificate is refused. */
export interface ChainRefusal {
  readonly code: ChainProblem;
  /** For the operator; repeats nothing that the peer has sent. */
  readonly detail: string;
}

/** A certificate that is accepted, whoever it belongs to. */
export interface ChainVerdict {
  readonly isExpired: boolean;
}

/**
 * Is this a good certificate of some charger? The first thing that is wrong decides.
 *
 * OpenSSL must agree in the end, so that a defect here lets nobody in. Of an expired leaf it can say
 * nothing, so there what only OpenSSL understands is refused.
 *
 * Source: OCPP 2.0.1 part 2, A00.FR.404, A00.FR.429 and section A00 on certificates; "Improved
 * security for OCPP 1.6-J" edition 3, section on certificate properties; RFC 5280 section 6.
 */
export function judgeChain(
  { chain, isChainVerified, leaf }: CertificateEvidence,
  trust: ClientTrust,
  { crlGraceHours, expired, organizations }: ChainOptions,
  nowMs: number,
): Result<ChainVerdict, ChainRefusal> {
  const known = knownCertificate(leaf);
  if (known === undefined) return refuse('CERTIFICATE_UNREADABLE', 'it is no X.509 certificate');
  if (chain.length >= chainLengthMax) {
    return refuse(
      'CERTIFICATE_UNREADABLE',
      `its chain has more than ${chainLengthMax} certificates`,
    );
  }
  // What cannot be read leads nowhere.
  const sent = chain.map(knownCertificate).filter((one) => one !== undefined);
  const found = findPath(known, sent, trust, nowMs);
  if (!found.ok) return refuse('CERTIFICATE_UNTRUSTED', found.error);
  const path = found.value;

  const { extensions, notAfterMs, notBeforeMs, subjectName } = known.fields;
  if (extensions.isCa) return refuse('CERTIFICATE_IS_CA', 'it says that it is an authority');
  if (!isForClient(known)) {
    return refuse('CERTIFICATE_UNTRUSTED', 'it says that it is not for clients');
  }
  const weakness = weaknessOf(path);
  if (weakness !== undefined) return refuse('CERTIFICATE_WEAK', weakness);
  if (nowMs < notBeforeMs) {
    return refuse('CERTIFICATE_NOT_YET_VALID', `valid from ${isoDate(notBeforeMs)}`);
  }
  const isExpired = nowMs > notAfterMs;
  if (isExpired && expired === 'refuse') {
    return refuse('CERTIFICATE_EXPIRED', `since ${isoDate(notAfterMs)}`);
  }
  const isOfOrganization =
    organizations.length === 0 ||
    subjectName.organizations.some((organization) => organizations.includes(organization));
  if (!isOfOrganization) {
    return refuse('CERTIFICATE_ORGANIZATION', 'none of its organisations is one of the listener');
  }
  const graceMs = crlGraceHours * hourMs;
  const status = trust.usesLists ? revocationIn(path, trust, { graceMs, nowMs }) : 'good';
  if (status === 'revoked') {
    return refuse('CERTIFICATE_REVOKED', 'it, or an issuer in its chain, is on a list');
  }
  if (status === 'unknown') {
    return refuse('CERTIFICATE_REVOCATION_UNKNOWN', 'the list of an issuer is missing or too old');
  }
  if (isExpired ? path.some(({ fields }) => fields.extensions.hasUnread) : !isChainVerified) {
    return refuse('CERTIFICATE_UNTRUSTED', 'OpenSSL has not verified its chain');
  }
  return ok({ isExpired });
}

const hourMs = 3_600_000;

function refuse(code: ChainProblem, detail: string): Result<never, ChainRefusal> {
  return failed({ code, detail });
}

function knownCertificate(certificate: X509Certificate): KnownCertificate | undefined {
  const fields = readFields(certificate);
  return fields && { certificate, fields };
}

/** The same conditions as OpenSSL's: signing in TLS is a digital signature or a key agreement. */
function isForClient({ fields }: KnownCertificate): boolean {
  const { keyUsage } = fields.extensions;
  const wanted = keyUsageBits.digitalSignature | keyUsageBits.keyAgreement;
  const maySign = keyUsage === undefined || (keyUsage & wanted) !== 0;
  return maySign && allowsClient(fields.extensions);
}

/** Of the last one, which is trusted as it is, only the key counts: nobody relies on its signature. */
function weaknessOf(path: ChainPath): string | undefined {
  for (const [index, { certificate, fields }] of path.entries()) {
    const isLast = index === path.length - 1;
    const problem = isLast ? publicKeyProblem(fields) : strengthProblem(certificate);
    if (problem !== undefined) return index === 0 ? problem : `an issuer in its chain: ${problem}`;
  }
  return undefined;
}

/** The worst that the lists say of a certificate in the path; its last one is trusted as it is. */
function revocationIn(
  path: ChainPath,
  trust: ClientTrust,
  times: { readonly graceMs: number; readonly nowMs: number },
): 'good' | 'revoked' | 'unknown' {
  const statuses = path.slice(0, -1).map(({ fields }, index) => {
    const issuer = path[index + 1];
    return issuer === undefined
      ? 'unknown'
      : trust.revocationOf(fields.serialNumber, issuer.fields, times);
  });
  if (statuses.includes('revoked')) return 'revoked';
  return statuses.includes('unknown') ? 'unknown' : 'good';
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString();
}
