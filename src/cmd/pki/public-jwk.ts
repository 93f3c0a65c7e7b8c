import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { SignatureAlgorithm } from '../../signing/algorithms.ts';

/** The members of a JWK that make the key. Source: RFC 7518 section 6; RFC 8037 section 2. */
function keyMembers(key: KeyObject): Readonly<Record<string, string>> {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const { crv, e, kty, n, x, y } = publicKey.export({ format: 'jwk' });
  const members = Object.entries({ crv, e, kty, n, x, y });
  return Object.fromEntries(
    members.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The name of a key that is made of the key: its thumbprint. Source: RFC 7638. */
export function fingerprintKid(key: KeyObject): string {
  // Their names happen to be in the order that the RFC wants.
  return createHash('sha256')
    .update(JSON.stringify(keyMembers(key)))
    .digest('base64url');
}

/** The public half of a key, as it is pinned. */
export function publicJwk(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  x5tS256: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...keyMembers(key),
    kid: fingerprintKid(key),
    alg: algorithm,
    use: 'sig',
    ...(x5tS256 !== undefined && { 'x5t#S256': x5tS256 }),
  };
}
