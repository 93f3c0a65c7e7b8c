// The library registers its parts with it, and says so when it is missing.
import 'reflect-metadata';
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { SignatureAlgorithm } from '../../signing/algorithms.ts';

/** What a certificate says. */
export interface CertificateSubject {
  readonly commonName: string;
  readonly days: number;
}

const dayMs = 86_400_000;
/** The clock of whoever pins it may be behind. */
const backdatedMs = 60_000;

const webAlgorithms = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  RS384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  EdDSA: { name: 'Ed25519' },
} as const;

/**
 * A certificate of `key` over itself, PEM. It is to be pinned as it is: it can issue nothing, and
 * may be used for signatures alone.
 */
export async function selfSignedCertificate(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  { commonName, days }: CertificateSubject,
  clock: Clock,
  random: Random,
): Promise<string> {
  const signingAlgorithm = webAlgorithms[algorithm];
  const name = [{ CN: [commonName] }];
  const nowMs = clock.nowMs();
  const certificate = await x509.X509CertificateGenerator.create(
    {
      // A first byte of 1 keeps the number positive.
      serialNumber: `01${random.uuid().replaceAll('-', '')}`,
      subject: name,
      issuer: name,
      notBefore: new Date(nowMs - backdatedMs),
      notAfter: new Date(nowMs + days * dayMs),
      publicKey: createPublicKey(key).toCryptoKey(signingAlgorithm, true, ['verify']),
      signingKey: key.toCryptoKey(signingAlgorithm, false, ['sign']),
      signingAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString('pem')}\n`;
}
