// The library registers its parts with it, and says so when it is missing.
import 'reflect-metadata';
import { createPrivateKey, type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { failed, ok, type Result } from '../../lib/result.ts';

/** What an authority issues with. */
export interface AuthorityOptions {
  /** PEM: its own certificate, then those above it. */
  readonly certificate: string | Buffer;
  /** PEM, without a passphrase. */
  readonly key: string | Buffer;
  /** How long what it issues is valid, also in fractions. The default is 365. */
  readonly issueDays?: number | undefined;
}

const issueDaysDefault = 365;
const dayMs = 86_400_000;
/** A charger's clock may be behind. */
const backdatedMs = 60_000;
/** Longest request of the schemas (SignCertificate). */
const requestLengthMax = 5500;

const curves: Readonly<Record<string, readonly [name: string, hash: string]>> = {
  prime256v1: ['P-256', 'SHA-256'],
  secp384r1: ['P-384', 'SHA-384'],
  secp521r1: ['P-521', 'SHA-512'],
};

/** Issues certificates for whoever asks: a simulated CSMS believes every request. */
export class CertificateAuthority {
  readonly #certificate: x509.X509Certificate;
  readonly #key: KeyObject;
  /** What chargers send after their own certificate: all but the root. */
  readonly #intermediates: string;
  readonly #issueDays: number;
  readonly #clock: Clock;
  readonly #random: Random;

  /** @throws {Error} when certificate or key cannot be read, or do not belong together. */
  constructor(options: AuthorityOptions, clock: Clock, random: Random) {
    const blocks =
      options.certificate
        .toString()
        .match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    const [own] = blocks;
    if (own === undefined)
      throw new Error('the certificate of the authority is no PEM certificate');
    this.#key = createPrivateKey(options.key);
    if (!new X509Certificate(own).checkPrivateKey(this.#key)) {
      throw new Error('the key of the authority does not belong to its certificate');
    }
    this.#certificate = new x509.X509Certificate(own);
    const isRoot = (pem: string): boolean => {
      const { subject, issuer } = new X509Certificate(pem);
      return subject === issuer;
    };
    this.#intermediates = blocks
      .filter((pem) => !isRoot(pem))
      .map((pem) => `${pem}\n`)
      .join('');
    this.#issueDays = options.issueDays ?? issueDaysDefault;
    this.#clock = clock;
    this.#random = random;
  }

  /** A certificate for this request (PKCS #10, PEM), with its chain. Fails with what is wrong. */
  async issue(csr: string): Promise<Result<string, string>> {
    if (csr.length > requestLengthMax) return failed('the request is too long');
    try {
      const request = new x509.Pkcs10CertificateRequest(csr);
      if (!(await request.verify(webcrypto))) return failed('the request is not signed by its key');
      return ok(await this.#sign(request));
    } catch (error) {
      return failed(error instanceof Error ? error.message : 'the request cannot be read');
    }
  }

  async #sign(request: x509.Pkcs10CertificateRequest): Promise<string> {
    const nowMs = this.#clock.nowMs();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        // A first byte of 1 keeps the number positive.
        serialNumber: `01${this.#random.uuid().replaceAll('-', '')}`,
        subject: request.subjectName,
        issuer: this.#certificate.subjectName,
        notBefore: new Date(nowMs - backdatedMs),
        notAfter: new Date(nowMs + this.#issueDays * dayMs),
        publicKey: request.publicKey,
        ...signing(this.#key),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          await x509.AuthorityKeyIdentifierExtension.create(
            this.#certificate.publicKey,
            false,
            webcrypto,
          ),
        ],
      },
      webcrypto,
    );
    return `${certificate.toString('pem')}\n${this.#intermediates}`;
  }
}

/** The key as Web Crypto wants it, and the algorithm for signatures with it. */
function signing(key: KeyObject) {
  const [namedCurve, curveHash] = curves[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? [];
  const hash = curveHash ?? 'SHA-256';
  const algorithm =
    namedCurve === undefined ? { name: 'RSASSA-PKCS1-v1_5', hash } : { name: 'ECDSA', namedCurve };
  const signingKey = key.toCryptoKey(algorithm, false, ['sign']);
  return { signingKey, signingAlgorithm: { ...algorithm, hash } };
}
