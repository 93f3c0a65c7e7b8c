import type { X509Certificate } from 'node:crypto';
import type { CertificateBinding } from '../../chargers/charger-credential.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { certificateCandidates, readCertificates, strengthProblem } from '../../pki/certificate.ts';
import { isPlainText } from '../../pki/distinguished-name.ts';

/** Digits of a serial number. Source: RFC 5280 section 4.1.2.2, 20 octets. */
const serialDigitsMax = 40;

/** A certificate that was given to be bound, and what should be known of it. */
export interface ReadCertificate {
  readonly binding: CertificateBinding;
  /** Sentences for the operator. */
  readonly remarks: readonly string[];
}

/**
 * How the certificate in `pem` is told: by its common name if it has exactly one that can be
 * printed, and by its fingerprint otherwise. Of a chain, the first one counts.
 */
export function bindingOfPem(pem: string, nowMs: number): Result<ReadCertificate, string> {
  const certificates = readCertificates(pem);
  if (!certificates.ok) return certificates;
  const [leaf] = certificates.value;
  if (leaf === undefined) return failed('there is no certificate in it');
  const candidates = certificateCandidates(leaf);
  const binding =
    candidates.find(({ kind }) => kind === 'common-name') ??
    candidates.find(({ kind }) => kind === 'fingerprint');
  if (binding === undefined) return failed('the certificate cannot be told from others');
  return ok({ binding, remarks: remarksOn(leaf, pem, nowMs) });
}

/** A common name as a binding, or what is wrong with it. */
export function bindingOfName(name: string): Result<CertificateBinding, string> {
  return isPlainText(name)
    ? ok({ kind: 'common-name', value: name })
    : failed('must be 1 to 64 characters of printable ASCII');
}

/** A serial number in hexadecimal digits as a binding, or what is wrong with it. */
export function bindingOfSerial(serial: string): Result<CertificateBinding, string> {
  const digits = serial.replaceAll(':', '').toLowerCase().replace(/^0+/, '');
  const isSerial = /^[0-9a-f]+$/.test(digits) && digits.length <= serialDigitsMax;
  return isSerial
    ? ok({ kind: 'serial-number', value: digits })
    : failed(`must be 1 to ${serialDigitsMax} hexadecimal digits, not all of them 0`);
}

/** For people and the audit log. */
export function bindingText({ kind, value }: CertificateBinding): string {
  return `${kind.replace('-', ' ')} ${value}`;
}

function remarksOn(leaf: X509Certificate, pem: string, nowMs: number): readonly string[] {
  const problem = strengthProblem(leaf);
  return [
    ...(leaf.validToDate.getTime() < nowMs ? ['the certificate has expired'] : []),
    ...(leaf.validFromDate.getTime() > nowMs ? ['the certificate is not valid yet'] : []),
    ...(problem === undefined ? [] : [`the certificate will be refused: ${problem}`]),
    ...(/PRIVATE KEY-----/.test(pem)
      ? ['a private key stands beside the certificate; nobody but the charger needs it']
      : []),
  ];
}
