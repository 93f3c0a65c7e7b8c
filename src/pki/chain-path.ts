import type { X509Certificate } from 'node:crypto';
import { failed, ok, type Result } from '../lib/result.ts';
import { chainLengthMax } from './certificate.ts';
import { nameKey } from './distinguished-name.ts';
import { type Extensions, keyPurposes } from './extensions.ts';
import { isCostly } from './public-key.ts';
import { type ClientTrust, isAuthority, type KnownCertificate } from './trust.ts';

/** From a leaf up to an authority that is trusted: each one is issued by the next. */
export type ChainPath = readonly KnownCertificate[];

/**
 * Finds the way from `leaf` over the certificates that were sent to a trusted authority, and on to
 * its root if that is trusted too.
 *
 * Each certificate is used once, so whatever was sent, there are no more signatures to verify than
 * certificates of the same name, times `chainLengthMax`. The failure is a text for people.
 *
 * Source: RFC 5280 section 6.1.
 */
export function findPath(
  leaf: KnownCertificate,
  sent: readonly KnownCertificate[],
  trust: ClientTrust,
  nowMs: number,
): Result<ChainPath, string> {
  const used = new Set([fingerprintOf(leaf)]);
  let paths: readonly ChainPath[] = [[leaf]];
  let problem = 'no authority that is trusted has issued it';
  for (let length = 1; length <= chainLengthMax && paths.length > 0; length += 1) {
    const longer: ChainPath[] = [];
    for (const path of paths) {
      const [last = leaf] = path.slice(-1);
      if (isTop(last, trust)) return ok(path);
      for (const issuer of issuersNamedBy(last, sent, trust)) {
        if (used.has(fingerprintOf(issuer)) || !hasIssued(issuer, last)) continue;
        used.add(fingerprintOf(issuer));
        const reason = whyNoIssuer(issuer, path.length - 1, nowMs);
        if (reason === undefined) longer.push([...path, issuer]);
        else problem = reason;
      }
    }
    paths = longer;
  }
  return failed(problem);
}

/** Do the purposes of a certificate, if it names any, allow a client of TLS? */
export function allowsClient({ extendedKeyUsage }: Extensions): boolean {
  return (
    extendedKeyUsage === undefined ||
    extendedKeyUsage.includes(keyPurposes.clientAuth) ||
    extendedKeyUsage.includes(keyPurposes.any)
  );
}

/** Does the way end here? At a trusted authority that no other trusted one is named as issuer of. */
function isTop(known: KnownCertificate, trust: ClientTrust): boolean {
  const fingerprint = fingerprintOf(known);
  const isTrusted = trust
    .named(known.fields.subject)
    .some((authority) => fingerprintOf(authority) === fingerprint);
  return isTrusted && (isSelfIssued(known) || trust.named(known.fields.issuer).length === 0);
}

function isSelfIssued({ fields }: KnownCertificate): boolean {
  return nameKey(fields.subject) === nameKey(fields.issuer);
}

/** Trusted ones first. */
function issuersNamedBy(
  { fields }: KnownCertificate,
  sent: readonly KnownCertificate[],
  trust: ClientTrust,
): readonly KnownCertificate[] {
  const name = nameKey(fields.issuer);
  const others = sent.filter((other) => nameKey(other.fields.subject) === name);
  return [...trust.named(fields.issuer), ...others];
}

function hasIssued(issuer: KnownCertificate, subject: KnownCertificate): boolean {
  return isIssuedBy(subject.certificate, issuer.certificate);
}

function isIssuedBy(subject: X509Certificate, issuer: X509Certificate): boolean {
  try {
    if (!subject.checkIssued(issuer) || isCostly(issuer.publicKey)) return false;
    return subject.verify(issuer.publicKey);
  } catch {
    // A key that OpenSSL cannot use.
    return false;
  }
}

function whyNoIssuer(
  { fields }: KnownCertificate,
  intermediates: number,
  nowMs: number,
): string | undefined {
  const { extensions, notAfterMs, notBeforeMs } = fields;
  if (!isAuthority(fields)) return 'an issuer in its chain is not an authority';
  if (nowMs < notBeforeMs) return 'an issuer in its chain is valid in the future only';
  if (nowMs > notAfterMs) return 'an issuer in its chain has expired';
  if (extensions.pathLength !== undefined && intermediates > extensions.pathLength) {
    return 'its chain is longer than an issuer in it allows';
  }
  return allowsClient(extensions)
    ? undefined
    : 'an issuer in its chain may not issue certificates of clients';
}

function fingerprintOf({ certificate }: KnownCertificate): string {
  return certificate.fingerprint256;
}
