import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { makeAuthority } from '../../test/support/certificates.ts';
import {
  keySetOf,
  newPrivateKey,
  privateKeyFor,
  publicJwk,
  type TestJwk,
} from '../../test/support/signing.ts';
import { type SignatureAlgorithm, signatureAlgorithms } from './algorithms.ts';
import { readKeySet } from './key-set.ts';
import { thumbprintOf } from './signing-key.ts';

// Goal: what is pinned are strong public keys with a name, each for the algorithms that it is made
// for and that the operator allows, and nothing else in the file has a meaning.
// Method: read sets of every kind, good and bad; look for keys by every combination of names.

const nowMs = Date.now();

describe('readKeySet', () => {
  test('a key of each kind is found by its kid, with the algorithms of its kind', () => {
    const expected: readonly (readonly [SignatureAlgorithm, readonly string[]])[] = [
      ['ES256', ['ES256']],
      ['RS256', ['RS256', 'RS384']],
      ['EdDSA', ['EdDSA']],
    ];
    for (const [algorithm, algorithms] of expected) {
      const key = privateKeyFor(algorithm);
      const found = keySetOf([key]).find(name(publicJwk(key).kid), nowMs);
      assert.ok(found.ok);
      assert.deepEqual(found.value.algorithms, algorithms);
    }
  });

  test('a key for one algorithm is not used with another', () => {
    const jwk: TestJwk = { ...publicJwk(privateKeyFor('RS256')), alg: 'RS384' };
    const set = read([jwk]);
    assert.ok(set.ok);
    const found = set.value.find(name(jwk.kid), nowMs);
    assert.ok(found.ok);
    assert.deepEqual(found.value.algorithms, ['RS384']);
  });

  test('a certificate is found by its x5t#S256, within its time', async () => {
    const authority = await makeAuthority();
    const day = 86_400_000;
    const { certificatePem } = await authority.issue({
      commonName: 'signer',
      notBefore: new Date(nowMs - day),
      notAfter: new Date(nowMs + day),
    });
    const set = readKeySet({ certificates: [certificatePem] }, signatureAlgorithms);
    assert.ok(set.ok, set.ok ? '' : set.error);
    const x5tS256 = thumbprintOf(new X509Certificate(certificatePem));
    const at = (timeMs: number): string => {
      const found = set.value.find({ kid: undefined, x5tS256 }, timeMs);
      return found.ok ? 'found' : found.error.is;
    };
    assert.equal(at(nowMs), 'found');
    assert.equal(at(nowMs + 2 * day), 'unknown-key');
    assert.equal(at(nowMs - 2 * day), 'unknown-key');
  });

  test('two names must be those of one key', () => {
    const one: TestJwk = { ...publicJwk(newPrivateKey('ES256')), 'x5t#S256': 'A'.repeat(43) };
    const other = publicJwk(newPrivateKey('ES256'));
    const set = read([one, other]);
    assert.ok(set.ok);
    const find = (kid: unknown, x5tS256: string | undefined): boolean =>
      set.value.find({ kid: kid as string, x5tS256 }, nowMs).ok;
    assert.equal(find(one.kid, 'A'.repeat(43)), true);
    assert.equal(find(other.kid, 'A'.repeat(43)), false);
    assert.equal(find(undefined, 'A'.repeat(43)), true);
    assert.equal(find(undefined, undefined), false);
    assert.equal(find('unknown', undefined), false);
  });

  const good = publicJwk(privateKeyFor('ES256'));
  const bad: readonly (readonly [what: string, jwks: unknown])[] = [
    ['no list of keys', {}],
    ['an empty list', { keys: [] }],
    ['a key that is no object', { keys: ['x'] }],
    ['a secret for HMAC', { keys: [{ kty: 'oct', k: 'AAAA', kid: 'a' }] }],
    [
      'a private key',
      { keys: [{ ...privateKeyFor('ES256').export({ format: 'jwk' }), kid: 'private' }] },
    ],
    ['a key without a name', { keys: [{ ...good, kid: undefined }] }],
    ['a name that is no text', { keys: [{ ...good, kid: 7 }] }],
    [
      'two keys with one name',
      { keys: [good, { ...publicJwk(newPrivateKey('ES256')), kid: good.kid }] },
    ],
    ['a key for encryption', { keys: [{ ...good, use: 'enc' }] }],
    ['a key to sign with', { keys: [{ ...good, key_ops: ['sign'] }] }],
    ['a key for an algorithm that is not its own', { keys: [{ ...good, alg: 'RS256' }] }],
    ['a key for no algorithm that is known', { keys: [{ ...good, alg: 'none' }] }],
    ['a thumbprint that is none', { keys: [{ ...good, 'x5t#S256': 'short' }] }],
    ['a point that is not on the curve', { keys: [{ ...good, x: 'A'.repeat(43) }] }],
    [
      'another curve',
      { keys: [jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)] },
    ],
    [
      'a short RSA key',
      { keys: [jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)] },
    ],
    [
      'more keys than anybody changes',
      { keys: Array.from({ length: 33 }, (_, at) => ({ ...good, kid: `${at}` })) },
    ],
  ];
  for (const [what, jwks] of bad) {
    test(`${what} is a mistake, and the message repeats nothing of the file`, () => {
      const set = readKeySet({ jwks: JSON.stringify(jwks), certificates: [] }, signatureAlgorithms);
      assert.equal(set.ok, false);
      if (!set.ok) assert.ok(!set.error.includes(String(good['x'])));
    });
  }

  test('a file with two readings is a mistake', () => {
    const text = JSON.stringify({ keys: [good] });
    const double = text.replace('"kty"', '"kid":"other","kty"');
    assert.equal(readKeySet({ jwks: double, certificates: [] }, signatureAlgorithms).ok, false);
    assert.equal(readKeySet({ jwks: 'x', certificates: [] }, signatureAlgorithms).ok, false);
  });

  test('a key for none of the algorithms that are allowed is a mistake', () => {
    assert.equal(read([good], ['RS256']).ok, false);
    assert.equal(read([publicJwk(privateKeyFor('EdDSA'))], ['ES256', 'RS256']).ok, false);
  });

  test('nothing pinned is a mistake', () => {
    assert.deepEqual(readKeySet({ certificates: [] }, signatureAlgorithms), {
      ok: false,
      error: 'no key is pinned',
    });
  });
});

function read(
  keys: readonly object[],
  allowed: readonly SignatureAlgorithm[] = signatureAlgorithms,
) {
  return readKeySet({ jwks: JSON.stringify({ keys }), certificates: [] }, allowed);
}

function name(kid: unknown): { readonly kid: string; readonly x5tS256: undefined } {
  return { kid: String(kid), x5tS256: undefined };
}

function jwkOf(key: Parameters<typeof createPublicKey>[0] & object): object {
  return { ...createPublicKey(key as never).export({ format: 'jwk' }), kid: 'a' };
}
