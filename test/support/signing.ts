import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { fingerprintKid } from '../../src/cmd/pki/public-jwk.ts';
import type { Result } from '../../src/lib/result.ts';
import { type SignatureAlgorithm, signWith } from '../../src/signing/algorithms.ts';
import { encodeBase64url } from '../../src/signing/base64url.ts';
import { type KeySet, readKeySet } from '../../src/signing/key-set.ts';
import type { SignatureProblem } from '../../src/signing/problem.ts';
import { ReplayWindow } from '../../src/signing/replay-window.ts';
import { signMessage } from '../../src/signing/sign.ts';
import type { SigningKey } from '../../src/signing/signing-key.ts';
import {
  type SignatureExpectations,
  type SignatureFormat,
  type VerifiedFrame,
  verifySigned,
} from '../../src/signing/verify.ts';

// Keys, signed messages and their verification for tests. No key is committed; each algorithm has
// one that is made once per process.

/** When the messages of tests are signed. */
export const signedAtMs = Date.UTC(2026, 0, 1, 12);
/** Whom they are for. */
export const charger = 'CP-1';

const pairs = new Map<SignatureAlgorithm, KeyObject>();

/** The private key of tests for `algorithm`. */
export function privateKeyFor(algorithm: SignatureAlgorithm): KeyObject {
  const known = pairs.get(algorithm);
  if (known !== undefined) return known;
  const made = newPrivateKey(algorithm);
  pairs.set(algorithm, made);
  return made;
}

/** A key that nobody has pinned. */
export function newPrivateKey(algorithm: SignatureAlgorithm): KeyObject {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'RS256':
    case 'RS384':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey;
  }
}

/** The signer of tests. */
export function testSigner(algorithm: SignatureAlgorithm = 'ES256'): SigningKey {
  const key = privateKeyFor(algorithm);
  return { key, algorithm, kid: kidOf(key), x5tS256: undefined };
}

/** The `kid` of a key of tests. */
export function kidOf(key: KeyObject): string {
  return fingerprintKid(key);
}

/** A public key as it stands in a set. */
export interface TestJwk {
  readonly kid: string;
  readonly [member: string]: unknown;
}

/** The public half as JWK. */
export function publicJwk(key: KeyObject): TestJwk {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid: kidOf(key) })) as never;
}

/** A set with these keys. */
export function keySetOf(
  keys: readonly KeyObject[],
  allowed: readonly SignatureAlgorithm[] = ['ES256', 'RS256', 'RS384', 'EdDSA'],
): KeySet {
  const set = readKeySet(
    { jwks: JSON.stringify({ keys: keys.map(publicJwk) }), certificates: [] },
    allowed,
  );
  if (!set.ok) throw new Error(set.error);
  return set.value;
}

/** A window for tests that are not about it. */
export function testWindow(): ReplayWindow {
  return new ReplayWindow({ noncesMax: 1000, keepMs: 70_000 });
}

let nonces = 0;

/** Signs `text` for the charger of tests. */
export function signed(
  text: string,
  format: SignatureFormat,
  changes: {
    readonly signer?: SigningKey;
    readonly charger?: string;
    readonly nowMs?: number;
    readonly nonce?: string;
    readonly actionOfReply?: (id: string) => string | undefined;
  } = {},
): Buffer {
  nonces += 1;
  const frame = signMessage(Buffer.from(text), format, changes.signer ?? testSigner(), {
    charger: changes.charger ?? charger,
    nowMs: changes.nowMs ?? signedAtMs,
    nonce: changes.nonce ?? `nonce-${nonces}`,
    actionOfReply: changes.actionOfReply ?? (() => 'Heartbeat'),
  });
  if (!frame.ok) throw new Error(frame.error);
  return frame.value.bytes;
}

/** Verifies with the key of tests, at the moment at which it was signed. */
export function verified(
  bytes: Uint8Array | string,
  changes: Partial<SignatureExpectations> = {},
): Result<VerifiedFrame, SignatureProblem> {
  return verifySigned(Buffer.from(bytes as string), {
    formats: ['ocpp', 'whole-frame'],
    keys: pinned(),
    demand: { messageId: true, charger: true, time: true, nonce: true },
    charger,
    nowMs: signedAtMs,
    maxAgeMs: 60_000,
    clockSkewMs: 10_000,
    replays: testWindow(),
    actionOfReply: () => 'Heartbeat',
    ...changes,
  });
}

let pinnedKeys: KeySet | undefined;

function pinned(): KeySet {
  pinnedKeys ??= keySetOf([privateKeyFor('ES256')]);
  return pinnedKeys;
}

/** What is wrong with a message; `nothing` when it passes. */
export function problemWith(
  bytes: Uint8Array | string,
  changes: Partial<SignatureExpectations> = {},
): string {
  const result = verified(bytes, changes);
  return result.ok ? 'nothing' : result.error.is;
}

/** What a forger may choose. */
export interface Forgery {
  /** An object, or the text of the header where an object could not hold it. */
  readonly header: object | string;
  readonly payload?: string;
  /** Makes the signature; the pinned ES256 key does by default. */
  readonly sign?: (data: Buffer) => Buffer;
}

/** A Reset with a header of the forger's, signed with a good key all the same. */
export function forged(forgery: Forgery): string {
  const parts = forgedParts(forgery);
  return JSON.stringify([2, 'id-1', 'Reset-Signed', parts]);
}

/** The three parts of a forged JWS. */
export function forgedParts({ header, payload = '{"type":"Soft"}', sign }: Forgery): {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
} {
  const head = encodeBase64url(typeof header === 'string' ? header : JSON.stringify(header));
  const body = encodeBase64url(payload);
  const data = Buffer.from(`${head}.${body}`);
  const make = sign ?? ((bytes) => signWith(privateKeyFor('ES256'), 'ES256', bytes));
  return { protected: head, payload: body, signature: encodeBase64url(make(data)) };
}

/** A header with which the Reset of `forged` passes. */
export function goodHeader(): Readonly<Record<string, unknown>> {
  nonces += 1;
  return {
    alg: 'ES256',
    kid: testSigner().kid,
    OCPPAction: 'Reset',
    OCPPMessageTypeId: 2,
    OCPPMessageId: 'id-1',
    aud: charger,
    iat: signedAtMs / 1000,
    jti: `nonce-${nonces}`,
  };
}
