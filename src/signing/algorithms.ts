import { type KeyObject, sign, verify } from 'node:crypto';

/**
 * The algorithms that there are. OCPP has the first three; EdDSA only where an operator asks for it.
 *
 * Never HMAC, with which whoever can verify can sign, and never `none`. What is not here does not
 * exist for the gateway, whatever a configuration says.
 *
 * Source: OCPP 2.0.1 part 4 section 7; RFC 7518 section 3.1; RFC 8037 section 3.1.
 */
export const signatureAlgorithms = ['ES256', 'RS256', 'RS384', 'EdDSA'] as const;
/** One of them. */
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

/** Is `text` one of them, in this spelling? */
export function isSignatureAlgorithm(text: string): text is SignatureAlgorithm {
  return (signatureAlgorithms as readonly string[]).includes(text);
}

/** The algorithms of a key, public or private. None for a key that is of no use here. */
export function algorithmsOf(key: KeyObject): readonly SignatureAlgorithm[] {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? ['ES256'] : [];
    case 'rsa':
      return ['RS256', 'RS384'];
    case 'ed25519':
      return ['EdDSA'];
    default:
      return [];
  }
}

const hashes = { ES256: 'sha256', RS256: 'sha256', RS384: 'sha384', EdDSA: null } as const;

/**
 * Has `key` made `signature` over `data`? Never throws.
 *
 * An ECDSA signature can be turned into a second one by anybody, so the same text may come with
 * another signature: whoever looks for replays must not look at the signature.
 */
export function isSignedBy(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!algorithmsOf(key).includes(algorithm)) return false;
  try {
    // Two numbers of 32 bytes, one after the other (RFC 7518 section 3.4), and not DER.
    return verify(hashes[algorithm], data, { key, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    return false;
  }
}

/** Signs `data` with a private key, which must be one for `algorithm`. */
export function signWith(key: KeyObject, algorithm: SignatureAlgorithm, data: Uint8Array): Buffer {
  return sign(hashes[algorithm], data, { key, dsaEncoding: 'ieee-p1363' });
}
