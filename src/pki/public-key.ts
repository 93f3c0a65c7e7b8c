import { createPublicKey, type KeyObject } from 'node:crypto';

/**
 * Keys with a strength of 112 bits or more.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3 and OCPP 2.0.1 part 2, A00: RSA with 2048
 * bits, elliptic curves with 224 bits.
 */
const rsaBitsMin = 2048;
/** Longer keys add nothing, and to verify with them costs milliseconds, which strangers could ask. */
const rsaBitsMax = 4096;
/** Nobody uses larger ones, which cost as much as longer keys. */
const rsaExponentMax = 2n ** 32n;
/** With 1, every text is its own signature. */
const rsaExponentMin = 3n;

/** Curves with 224 bits or more, as Node calls them. */
const curves: ReadonlySet<string> = new Set([
  'secp224r1',
  'prime256v1',
  'secp256k1',
  'secp384r1',
  'secp521r1',
  'brainpoolP224r1',
  'brainpoolP256r1',
  'brainpoolP320r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
]);

/** The key in the DER of a SubjectPublicKeyInfo; undefined when Node cannot read it. */
export function readPublicKey(spki: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/** Is it expensive to verify a signature with this key, as no honest authority makes it? */
export function isCostly(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return modulusLength > rsaBitsMax || publicExponent > rsaExponentMax;
}

/** Why a key is too weak, for people; undefined when it is not. */
export function keyProblem(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      if (modulusLength < rsaBitsMin) return `its RSA key has fewer than ${rsaBitsMin} bits`;
      if (modulusLength > rsaBitsMax) return `its RSA key has more than ${rsaBitsMax} bits`;
      if (publicExponent > rsaExponentMax) return 'the exponent of its RSA key is too large';
      if (publicExponent < rsaExponentMin) return 'the exponent of its RSA key is 1';
      return undefined;
    case 'ec':
      // A curve that is spelled out in the key, instead of named, may be any curve.
      return curves.has(namedCurve ?? '')
        ? undefined
        : 'the curve of its key is too small or unknown';
    case 'ed25519':
    case 'ed448':
      return undefined;
    default:
      return 'its key is of a kind that is not used in OCPP';
  }
}
