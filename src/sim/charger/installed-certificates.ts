import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import type { JsonObject } from '../../ocpp/message.ts';
import { textOf } from '../protocol/payload.ts';

/** Certificates that a station keeps. Small, as in a real one. */
const certificatesMax = 200;

/** The algorithms that hash data may be asked in (CertificateHashDataType). */
const hashes: Readonly<Record<string, string>> = {
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
};

interface InstalledCertificate {
  readonly type: string;
  readonly certificate: X509Certificate;
}

/** A certificate as GetInstalledCertificateIds tells it. */
export interface CertificateId {
  readonly type: string;
  readonly hashData: JsonObject;
}

/** The trust anchors that a CSMS has installed. Source: OCPP 2.0.1 part 2 chapter M. */
export class InstalledCertificates {
  readonly #certificates = new Map<string, InstalledCertificate>();

  /** Keeps a PEM certificate. Its fingerprint; undefined when it is none, or there is no room. */
  install(type: string, pem: string): string | undefined {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(pem);
    } catch {
      return undefined;
    }
    const id = certificate.fingerprint256;
    const isFull = this.#certificates.size >= certificatesMax && !this.#certificates.has(id);
    if (isFull) return undefined;
    this.#certificates.set(id, { type, certificate });
    return id;
  }

  /** Those of these types, or all when no type is named. */
  ids(types: readonly unknown[]): readonly CertificateId[] {
    return [...this.#certificates.values()]
      .filter(({ type }) => types.length === 0 || types.includes(type))
      .map(({ type, certificate }) => ({ type, hashData: hashData(certificate, 'SHA256') }));
  }

  /** Deletes the certificate of this hash data. Its fingerprint; undefined when there is none. */
  remove(wanted: JsonObject): string | undefined {
    const algorithm = textOf(wanted, 'hashAlgorithm');
    if (!Object.hasOwn(hashes, algorithm)) return undefined;
    for (const [id, { certificate }] of this.#certificates) {
      const own = hashData(certificate, algorithm);
      const isIt = Object.entries(own).every(
        ([key, value]) => textOf(wanted, key).toLowerCase() === value.toLowerCase(),
      );
      if (!isIt) continue;
      this.#certificates.delete(id);
      return id;
    }
    return undefined;
  }
}

/**
 * CertificateHashDataType. The key hash is right for certificates that sign themselves, as roots do;
 * the key of another issuer is not known here.
 *
 * Source: OCPP 2.0.1 part 2 section 2.7; RFC 6960 section 4.1.1.
 */
function hashData(
  certificate: X509Certificate,
  hashAlgorithm: string,
): Readonly<Record<string, string>> {
  const hash = (content: Buffer): string =>
    createHash(hashes[hashAlgorithm] ?? 'sha256')
      .update(content)
      .digest('hex');
  return {
    hashAlgorithm,
    issuerNameHash: hash(issuerOf(certificate.raw)),
    issuerKeyHash: hash(keyBits(certificate.publicKey)),
    // Without leading zeros (RFC 6960 does not say it; OCPP does).
    serialNumber: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, ''),
  };
}

/** The DER of the issuer's name: the field after version, serial number and algorithm. */
function issuerOf(certificate: Buffer): Buffer {
  let at = contentOf(certificate, contentOf(certificate, 0).start).start;
  // The version may be missing; it is the one field that has the tag [0].
  const fieldsBefore = certificate[at] === 0xa0 ? 3 : 2;
  for (let field = 0; field < fieldsBefore; field += 1) at = contentOf(certificate, at).end;
  return certificate.subarray(at, contentOf(certificate, at).end);
}

/** The public key without its algorithm: the bit string of the SubjectPublicKeyInfo. */
function keyBits(key: KeyObject): Buffer {
  const info = key.export({ type: 'spki', format: 'der' });
  const bits = contentOf(info, contentOf(info, contentOf(info, 0).start).end);
  // The first byte counts unused bits; a key has none.
  return info.subarray(bits.start + 1, bits.end);
}

/** Where the content of the DER element at `at` starts and ends. OpenSSL has checked the DER. */
function contentOf(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const short = der[at + 1] ?? 0;
  if (short < 0x80) return { start: at + 2, end: at + 2 + short };
  const bytes = short & 0x7f;
  const start = at + 2 + bytes;
  return { start, end: start + der.readUIntBE(at + 2, bytes) };
}
