import assert from 'node:assert/strict';
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  base64url,
  CompactSign,
  calculateJwkThumbprint,
  compactVerify,
  FlattenedSign,
  flattenedVerify,
  importJWK,
} from 'jose';
import { publicJwk as pinnedJwk } from '../../src/cmd/pki/public-jwk.ts';
import { algorithmsOf, signatureAlgorithms } from '../../src/signing/algorithms.ts';
import {
  checkSignature,
  compactParts,
  flattenedParts,
  type JwsParts,
  readJws,
} from '../../src/signing/jws.ts';
import {
  goodHeader,
  keySetOf,
  privateKeyFor,
  problemWith,
  signed,
  testSigner,
} from '../support/signing.ts';

// Goal: our signatures are JSON Web Signatures, and not something that only we read.
// Method: the examples of the RFCs, as data; then `jose`, an implementation that is not ours,
// verifies what we sign, and signs what we verify, in both formats and with every algorithm.

interface Vector {
  readonly source: string;
  readonly key: JsonWebKey;
  /** Compact, or an object. */
  readonly token: unknown;
  readonly expect: string;
}

for (const file of ['rfc-7515.json', 'rfc-7520.json']) {
  const place = new URL(`signatures/${file}`, import.meta.url);
  const vectors = JSON.parse(readFileSync(place, 'utf8')) as readonly Vector[];
  describe(`the examples in ${file}`, () => {
    for (const { expect, key, source, token } of vectors) {
      test(`${source} is ${expect}`, () => assert.equal(judge(token, key), expect));

      if (expect !== 'verified') continue;
      test(`${source} is verified by jose as well`, async () => {
        const { alg } = JSON.parse(
          Buffer.from(partsOf(token).protected, 'base64url').toString(),
        ) as { readonly alg: string };
        const imported = await importJWK({ ...key } as never, alg);
        if (typeof token === 'string') await compactVerify(token, imported);
        else await flattenedVerify(token as never, imported);
      });

      test(`${source} with another payload is altered`, () => {
        const parts = { ...partsOf(token), payload: base64url.encode('other') };
        assert.equal(judge(parts, key), 'altered');
      });
    }
  });
}

describe('jose', () => {
  const call = '[2,"id-1","Reset",{"type":"Soft"}]';

  for (const algorithm of signatureAlgorithms) {
    const key = privateKeyFor(algorithm);
    const signer = testSigner(algorithm);
    const publicKey = createPublicKey(key);

    test(`${algorithm}: jose verifies what we sign`, async () => {
      const options = { algorithms: [algorithm] };
      const frame = signed(call, 'whole-frame', { signer }).toString();
      const whole = await compactVerify(frame, publicKey, options);
      assert.equal(Buffer.from(whole.payload).toString(), call);

      const message = JSON.parse(signed(call, 'ocpp', { signer }).toString()) as unknown[];
      const flattened = await flattenedVerify(message[3] as never, publicKey, options);
      assert.equal(Buffer.from(flattened.payload).toString(), '{"type":"Soft"}');
    });

    test(`${algorithm}: we verify what jose signs`, async () => {
      const keys = keySetOf([key]);
      const header = { ...goodHeader(), alg: algorithm, kid: signer.kid ?? '' };
      const frame = await new CompactSign(Buffer.from(call)).setProtectedHeader(header).sign(key);
      assert.equal(problemWith(frame, { keys }), 'nothing');

      const flattened = await new FlattenedSign(Buffer.from('{"type":"Soft"}'))
        .setProtectedHeader({ ...header, jti: 'another' })
        .sign(key);
      const message = JSON.stringify([2, 'id-1', 'Reset-Signed', flattened]);
      assert.equal(problemWith(message, { keys }), 'nothing');
    });

    test(`${algorithm}: jose names the key as we do, and reads it`, async () => {
      const jwk = pinnedJwk(key, algorithm, undefined);
      assert.equal(await calculateJwkThumbprint({ ...jwk } as never), jwk['kid']);
      await importJWK({ ...jwk } as never, algorithm);
    });
  }
});

function partsOf(token: unknown): JwsParts {
  return typeof token === 'string' ? (compactParts(token) as JwsParts) : (token as JwsParts);
}

/** What we say of a JWS, with this key pinned. */
function judge(token: unknown, jwk: JsonWebKey): string {
  const key = createPublicKey({ key: jwk, format: 'jwk' } as never);
  const parts =
    typeof token === 'string'
      ? { ok: true as const, value: partsOf(token) }
      : flattenedParts(token);
  if (!parts.ok) return parts.error.is;
  const jws = readJws(parts.value);
  if (!jws.ok) return jws.error.is;
  const checked = checkSignature(jws.value, { key, algorithms: algorithmsOf(key) });
  return checked.ok ? 'verified' : checked.error.is;
}
