import { createHash, X509Certificate } from 'node:crypto';
import { failed, ok, type Result } from '../lib/result.ts';
import {
  bitStringBytes,
  contextTag,
  type DerReader,
  derTags,
  integerDigits,
  malformed,
  objectIdentifier,
  parseDer,
  timeMs,
} from './der.ts';
import { type DistinguishedName, isPlainText, readName } from './distinguished-name.ts';
import { type Extensions, noExtensions, takeExtensions } from './extensions.ts';
import { readPem } from './pem.ts';
import { keyProblem, readPublicKey } from './public-key.ts';
import { readSignatureAlgorithm, signatureProblem } from './signature-algorithm.ts';

/** How many characters a chain may have. Source: OCPP, CertificateSigned.certificateChain. */
export const chainCharsMax = 10_000;
/** How many certificates may be in it. */
export const chainLengthMax = 8;
/** Bytes of one certificate: what is left of those characters without Base64. */
const certificateBytesMax = 7_500;

/** What is read of a certificate beside what Node makes of it. */
export interface CertificateFields {
  /** Lower-case hexadecimal digits without leading zeros. */
  readonly serialNumber: string;
  /** DER, as it stands in the certificate. */
  readonly issuer: Buffer;
  /** DER, as it stands in the certificate. */
  readonly subject: Buffer;
  readonly subjectName: DistinguishedName;
  /** Unix time in milliseconds; the last one that is valid is `notAfterMs`. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  /** DER of the AlgorithmIdentifier. */
  readonly signatureAlgorithm: Buffer;
  readonly extensions: Extensions;
}

/**
 * The certificates of a PEM text, at least one; the failure is a text for people that repeats
 * nothing of it.
 */
export function readCertificates(
  pem: string,
  { charsMax, countMax } = { charsMax: chainCharsMax, countMax: chainLengthMax },
): Result<readonly X509Certificate[], string> {
  const blocks = readPem(pem, ['CERTIFICATE', 'X509 CERTIFICATE'], { charsMax, countMax });
  if (!blocks.ok) return blocks;
  const certificates: X509Certificate[] = [];
  for (const [index, block] of blocks.value.entries()) {
    const certificate = certificateIn(block);
    if (certificate === undefined) return failed(`certificate ${index + 1} cannot be read`);
    certificates.push(certificate);
  }
  return ok(certificates);
}

function certificateIn(der: Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der);
    // OpenSSL ignores what follows the certificate.
    const isWhole = certificate.raw.equals(der);
    return isWhole && readFields(certificate) !== undefined ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** The fields of a certificate; undefined when it is too large or is not as RFC 5280 wants it. */
export function readFields(certificate: X509Certificate): CertificateFields | undefined {
  const { raw } = certificate;
  return raw.length > certificateBytesMax ? undefined : parseDer(raw, takeFields);
}

/** CN and O of the subject; none of either when the certificate cannot be read. */
export function subjectOf(certificate: X509Certificate): DistinguishedName {
  return readFields(certificate)?.subjectName ?? { commonNames: [], organizations: [] };
}

/** Something by which a certificate may be told to be a charger's. */
export interface CertificateCandidate {
  readonly kind: 'common-name' | 'serial-number' | 'fingerprint';
  readonly value: string;
}

/**
 * What a charger's record may name this certificate by: its CN when there is exactly one and it is
 * plain text, its serial number and its SHA-256. None when it cannot be read.
 */
export function certificateCandidates(
  certificate: X509Certificate,
): readonly CertificateCandidate[] {
  const fields = readFields(certificate);
  if (fields === undefined) return [];
  const [commonName = '', ...others] = fields.subjectName.commonNames;
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex');
  const candidates: readonly CertificateCandidate[] = [
    { kind: 'common-name', value: others.length === 0 ? commonName : '' },
    { kind: 'serial-number', value: fields.serialNumber },
    { kind: 'fingerprint', value: fingerprint },
  ];
  return candidates.filter(({ value }) => isPlainText(value));
}

/** The SHA-256 of a public key (SPKI), in lower-case hexadecimal digits. */
export function spkiSha256(spki: Buffer): string {
  return createHash('sha256').update(spki).digest('hex');
}

/**
 * Why the key or the signature of a certificate has less than 112 bits of strength, for people;
 * undefined when it has more.
 */
export function strengthProblem(certificate: X509Certificate): string | undefined {
  const fields = readFields(certificate);
  if (fields === undefined) return 'it cannot be read';
  const algorithm = readSignatureAlgorithm(fields.signatureAlgorithm);
  return publicKeyProblem(fields) ?? signatureProblem(algorithm);
}

/** Like `strengthProblem`, of the key alone: the signature of a root on itself protects nothing. */
export function publicKeyProblem({ spki }: CertificateFields): string | undefined {
  const key = readPublicKey(spki);
  return key === undefined ? 'its key cannot be read' : keyProblem(key);
}

/** Source: RFC 5280 section 4.1. */
function takeFields(reader: DerReader): CertificateFields {
  const certificate = reader.enter(derTags.sequence);
  const body = certificate.enter(derTags.sequence);
  const signatureAlgorithm = certificate.take(derTags.sequence).bytes;
  bitStringBytes(certificate.take(derTags.bitString));
  certificate.end();

  const hasVersion = body.takeIf(contextTag(0)) !== undefined;
  const serialNumber = integerDigits(body.take(derTags.integer));
  // The one that is signed and the one that is not must agree.
  if (!body.take(derTags.sequence).bytes.equals(signatureAlgorithm)) malformed();
  const issuer = body.take(derTags.sequence).bytes;
  const validity = body.enter(derTags.sequence);
  const notBeforeMs = timeMs(validity.take());
  const notAfterMs = timeMs(validity.take());
  validity.end();
  const subject = body.take(derTags.sequence).bytes;
  const spki = body.take(derTags.sequence).bytes;
  body.takeIf(0x81);
  body.takeIf(0x82);
  const extended = hasVersion ? body.takeIf(contextTag(3)) : undefined;
  body.end();
  return {
    serialNumber,
    issuer,
    subject,
    subjectName: readName(subject) ?? malformed(),
    notBeforeMs,
    notAfterMs,
    spki,
    signatureAlgorithm,
    extensions:
      extended === undefined
        ? noExtensions
        : (parseDer(extended.content, takeExtensions) ?? malformed()),
  };
}

/** The bits of the public key in an SPKI, without tag, length and number of unused bits. */
export function publicKeyBits(spki: Buffer): Buffer | undefined {
  return parseDer(spki, (reader) => {
    const info = reader.enter(derTags.sequence);
    const algorithm = info.enter(derTags.sequence);
    objectIdentifier(algorithm.take(derTags.objectIdentifier));
    const bits = bitStringBytes(info.take(derTags.bitString));
    info.end();
    return bits;
  });
}
