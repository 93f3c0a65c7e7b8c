import { createHash, type X509Certificate } from 'node:crypto';
import { publicKeyBits, readFields } from './certificate.ts';
import { withoutLeadingZeros } from './der.ts';

/** The hashes that OCPP allows here. */
export const hashAlgorithms = ['SHA256', 'SHA384', 'SHA512'] as const;
/** One of them. */
export type HashAlgorithm = (typeof hashAlgorithms)[number];

/** How OCPP names a certificate (CertificateHashDataType); all in lower-case hexadecimal digits. */
export interface CertificateHashes {
  readonly issuerNameHash: string;
  /** Undefined when the issuer is not known. */
  readonly issuerKeyHash: string | undefined;
  /** Without leading zeros. */
  readonly serialNumber: string;
}

/**
 * The name that OCPP gives a certificate; undefined when it cannot be read.
 *
 * @param issuer the certificate of its issuer; for a self-signed one that is itself.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3, CertificateHashDataType; RFC 6960 section
 * 4.1.1: the DER of the issuer's name, and the bits of the issuer's key without tag and length.
 */
export function certificateHashes(
  certificate: X509Certificate,
  issuer: X509Certificate | undefined,
  algorithm: HashAlgorithm,
): CertificateHashes | undefined {
  const fields = readFields(certificate);
  if (fields === undefined) return undefined;
  const hash = (bytes: Buffer): string =>
    createHash(algorithm.toLowerCase()).update(bytes).digest('hex');
  const issuerFields = issuer && readFields(issuer);
  const issuerKey = issuerFields && publicKeyBits(issuerFields.spki);
  return {
    issuerNameHash: hash(fields.issuer),
    issuerKeyHash: issuerKey && hash(issuerKey),
    serialNumber: fields.serialNumber,
  };
}

/** What a peer sent as the name of a certificate. */
export interface UnverifiedHashData {
  readonly hashAlgorithm: unknown;
  readonly issuerNameHash: unknown;
  readonly issuerKeyHash: unknown;
  readonly serialNumber: unknown;
}

/**
 * May a charger understand `data` as this certificate? The serial number and one of the hashes are
 * enough: chargers differ in how much they compare, and in what they hash. With a hash algorithm
 * that is not known here, the serial number is enough.
 */
export function mayMean(
  data: UnverifiedHashData,
  certificate: X509Certificate,
  issuer: X509Certificate | undefined,
): boolean {
  const algorithm = hashAlgorithms.find((one) => one === data.hashAlgorithm);
  const hashes = certificateHashes(certificate, issuer, algorithm ?? 'SHA256');
  if (hashes === undefined) return false;
  if (digitsOf(data.serialNumber) !== hashes.serialNumber) return false;
  return (
    algorithm === undefined ||
    digitsOf(data.issuerNameHash) === withoutLeadingZeros(hashes.issuerNameHash) ||
    (hashes.issuerKeyHash !== undefined &&
      digitsOf(data.issuerKeyHash) === withoutLeadingZeros(hashes.issuerKeyHash))
  );
}

/** Both cases, and leading zeros or none, are seen. */
function digitsOf(value: unknown): string | undefined {
  const isDigits = typeof value === 'string' && /^(?:0x)?[0-9a-f]{1,128}$/i.test(value);
  return isDigits ? withoutLeadingZeros(value.toLowerCase().replace(/^0x/, '')) : undefined;
}
