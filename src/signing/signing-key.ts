import { createHash, createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { failed, ok, type Result } from '../lib/result.ts';
import { readCertificates } from '../pki/certificate.ts';
import { keyProblem } from '../pki/public-key.ts';
import { algorithmsOf, type SignatureAlgorithm } from './algorithms.ts';

/** A private key that signs, and the names by which others find its public half. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly algorithm: SignatureAlgorithm;
  readonly kid: string | undefined;
  /** The `x5t#S256` of its certificate. */
  readonly x5tS256: string | undefined;
}

/** What a signing key is read from. */
export interface SigningKeyTexts {
  /** PKCS #8, PEM, without a passphrase. */
  readonly keyPem: string | Buffer;
  readonly algorithm: SignatureAlgorithm;
  readonly kid?: string | undefined;
  readonly certificatePem?: string | undefined;
}

/** Reads a key to sign with. The failure is for people, and repeats nothing of the texts. */
export function readSigningKey(texts: SigningKeyTexts): Result<SigningKey, string> {
  const { algorithm, certificatePem, keyPem, kid } = texts;
  const key = privateKeyIn(keyPem);
  if (key === undefined) return failed('the key is not a private key in PEM without passphrase');
  if (!algorithmsOf(key).includes(algorithm)) return failed(`the key is not one for ${algorithm}`);
  const weakness = keyProblem(key);
  if (weakness !== undefined) return failed(weakness);
  if (certificatePem === undefined) {
    if (kid === undefined) return failed('the key needs a keyId or a certificate');
    return ok({ key, algorithm, kid, x5tS256: undefined });
  }
  const certificates = readCertificates(certificatePem);
  if (!certificates.ok) return failed(`the certificate: ${certificates.error}`);
  const [certificate] = certificates.value;
  if (certificate === undefined || !certificate.checkPrivateKey(key)) {
    return failed('the certificate is not one of the key');
  }
  return ok({ key, algorithm, kid, x5tS256: thumbprintOf(certificate) });
}

/** The `x5t#S256` of a certificate. Source: RFC 7515 section 4.1.8. */
export function thumbprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url');
}

function privateKeyIn(pem: string | Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
