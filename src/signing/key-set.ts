import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { failed, ok, type Result } from '../lib/result.ts';
import { isJsonObject, type JsonObject, ownProperty } from '../ocpp/message.ts';
import { parseStrictJson } from '../ocpp/strict-json.ts';
import { readCertificates, readFields } from '../pki/certificate.ts';
import { keyProblem } from '../pki/public-key.ts';
import { algorithmsOf, type SignatureAlgorithm } from './algorithms.ts';
import { decodeBase64url } from './base64url.ts';
import { refuse, type SignatureProblem } from './problem.ts';
import { thumbprintOf } from './signing-key.ts';

/** A public key that was pinned. */
export interface PinnedKey {
  readonly key: KeyObject;
  /** What it may be used with: what it is made for, as far as the operator allows it. */
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly kid: string | undefined;
  readonly x5tS256: string | undefined;
  /** Unix time in milliseconds; of its certificate, where it has one. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Where it comes from, for people. */
  readonly description: string;
}

/** What keys are pinned by. */
export interface KeySources {
  /** A JWK set. */
  readonly jwks?: string | undefined;
  /** PEM, each with one certificate or more. All of them are pinned as they are, without a chain. */
  readonly certificates: readonly string[];
}

/** Old and new keys of a change, of several signers. More would be no pinning. */
const keysMax = 32;
/** A set of that many keys. */
const setCharsMax = 256 * 1024;
const setDepthMax = 5;
const kidLengthMax = 255;
/** Members of a JWK that are secret. Source: RFC 7518 sections 6.2.2, 6.3.2 and 6.4. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * The keys that the CSMS may sign with. Several count at the same time, so that keys can be changed
 * without a moment at which neither does.
 *
 * The header of a signature names one of them and cannot bring its own.
 */
export class KeySet {
  readonly #keys: readonly PinnedKey[];
  readonly allowed: readonly SignatureAlgorithm[];

  constructor(keys: readonly PinnedKey[], allowed: readonly SignatureAlgorithm[]) {
    this.#keys = keys;
    this.allowed = allowed;
  }

  /** For the log. */
  get descriptions(): readonly string[] {
    return this.#keys.map(({ description }) => description);
  }

  /** The key that a header names. With two names, they must be those of one key. */
  find(
    { kid, x5tS256 }: { readonly kid: string | undefined; readonly x5tS256: string | undefined },
    nowMs: number,
  ): Result<PinnedKey, SignatureProblem> {
    if (kid === undefined && x5tS256 === undefined) {
      return refuse('unknown-key', 'the header names no key');
    }
    const named = this.#keys.find(
      (key) =>
        (kid === undefined || key.kid === kid) &&
        (x5tS256 === undefined || key.x5tS256 === x5tS256),
    );
    if (named === undefined) return refuse('unknown-key', 'no pinned key has this name');
    if (nowMs < named.notBeforeMs) {
      return refuse('unknown-key', `${named.description} is not valid yet`);
    }
    if (nowMs > named.notAfterMs) {
      return refuse('unknown-key', `${named.description} has expired`);
    }
    return ok(named);
  }
}

/**
 * Reads the keys that are pinned. The failure is for people, and repeats nothing of the texts.
 *
 * @param allowed the algorithms that the operator allows. A key for none of them is a mistake.
 */
export function readKeySet(
  { certificates, jwks }: KeySources,
  allowed: readonly SignatureAlgorithm[],
): Result<KeySet, string> {
  const keys: PinnedKey[] = [];
  if (jwks !== undefined) {
    const read = readJwks(jwks, allowed);
    if (!read.ok) return read;
    keys.push(...read.value);
  }
  for (const [index, pem] of certificates.entries()) {
    const read = readPinnedCertificates(pem, allowed);
    if (!read.ok) return failed(`certificate file ${index + 1}: ${read.error}`);
    for (const key of read.value) {
      // A key may be in both: a set that names its certificate, and the certificate.
      if (!keys.some(({ x5tS256 }) => x5tS256 === key.x5tS256)) keys.push(key);
    }
  }
  if (keys.length === 0) return failed('no key is pinned');
  if (keys.length > keysMax) return failed(`more than ${keysMax} keys are pinned`);
  const names = keys.map(({ kid }) => kid).filter((kid) => kid !== undefined);
  if (new Set(names).size !== names.length) return failed('two keys have the same kid');
  return ok(new KeySet(keys, allowed));
}

function readJwks(
  text: string,
  allowed: readonly SignatureAlgorithm[],
): Result<readonly PinnedKey[], string> {
  if (text.length > setCharsMax) return failed(`has more than ${setCharsMax} characters`);
  const json = parseStrictJson(text, { depthMax: setDepthMax });
  if (!json.ok || json.value.hazards.size > 0) return failed('is not JSON with one reading');
  const entries = ownProperty(json.value.value, 'keys');
  if (!Array.isArray(entries)) return failed('is not a JWK set: it has no keys');
  const keys: PinnedKey[] = [];
  for (const [index, entry] of entries.entries()) {
    const key = readJwk(entry, allowed);
    if (!key.ok) return failed(`key ${index + 1}: ${key.error}`);
    keys.push(key.value);
  }
  return ok(keys);
}

/** Source: RFC 7517 section 4. */
function readJwk(jwk: unknown, allowed: readonly SignatureAlgorithm[]): Result<PinnedKey, string> {
  if (!isJsonObject(jwk)) return failed('is not an object');
  const secret = privateMembers.find((name) => Object.hasOwn(jwk, name));
  if (secret !== undefined) return failed(`is not a public key: it has ${secret}`);
  const kid = ownProperty(jwk, 'kid');
  const x5tS256 = ownProperty(jwk, 'x5t#S256');
  if (kid !== undefined && !isName(kid)) return failed('its kid is not a text');
  if (x5tS256 !== undefined && !isThumbprint(x5tS256)) return failed('its x5t#S256 is not one');
  if (kid === undefined && x5tS256 === undefined) return failed('has neither kid nor x5t#S256');
  const use = ownProperty(jwk, 'use');
  if (use !== undefined && use !== 'sig') return failed('is not for signatures (use)');
  const operations = ownProperty(jwk, 'key_ops');
  const isToVerify = Array.isArray(operations) && operations.includes('verify');
  if (operations !== undefined && !isToVerify) return failed('is not for signatures (key_ops)');
  const key = publicKeyOf(jwk);
  if (key === undefined) return failed('cannot be read as EC, RSA or OKP key');
  const alg = ownProperty(jwk, 'alg');
  const algorithms = usableWith(key, allowed).filter((it) => alg === undefined || alg === it);
  const problem = problemOf(key, algorithms);
  if (problem !== undefined) return failed(problem);
  return ok({
    key,
    algorithms,
    kid,
    x5tS256,
    notBeforeMs: 0,
    notAfterMs: Number.POSITIVE_INFINITY,
    description: `${algorithms.join(' and ')} key ${fingerprintOf(key)}`,
  });
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= kidLengthMax;
}

function isThumbprint(value: unknown): value is string {
  return typeof value === 'string' && decodeBase64url(value)?.length === 32;
}

function publicKeyOf(jwk: JsonObject): KeyObject | undefined {
  try {
    // The few members that make the key, and nothing that could mean something else.
    const { crv, e, kty, n, x, y } = jwk;
    const key = createPublicKey({ key: { kty, crv, x, y, n, e } as never, format: 'jwk' });
    return key.type === 'public' ? key : undefined;
  } catch {
    return undefined;
  }
}

function readPinnedCertificates(
  pem: string,
  allowed: readonly SignatureAlgorithm[],
): Result<readonly PinnedKey[], string> {
  const certificates = readCertificates(pem, { charsMax: setCharsMax, countMax: keysMax });
  if (!certificates.ok) return certificates;
  const keys: PinnedKey[] = [];
  for (const [index, certificate] of certificates.value.entries()) {
    const key = certificate.publicKey;
    const algorithms = usableWith(key, allowed);
    const fields = readFields(certificate);
    const problem =
      fields === undefined ? 'cannot be read' : problemOf(certificate.publicKey, algorithms);
    if (fields === undefined || problem !== undefined) {
      return failed(`certificate ${index + 1}: ${problem}`);
    }
    const { notAfterMs, notBeforeMs } = fields;
    const until = new Date(notAfterMs).toISOString();
    keys.push({
      key,
      algorithms,
      kid: undefined,
      x5tS256: thumbprintOf(certificate),
      notBeforeMs,
      notAfterMs,
      description: `certificate with ${algorithms.join(' and ')} key ${fingerprintOf(key)} until ${until}`,
    });
  }
  return ok(keys);
}

function usableWith(
  key: KeyObject,
  allowed: readonly SignatureAlgorithm[],
): readonly SignatureAlgorithm[] {
  return algorithmsOf(key).filter((algorithm) => allowed.includes(algorithm));
}

function problemOf(key: KeyObject, algorithms: readonly SignatureAlgorithm[]): string | undefined {
  if (algorithms.length === 0) return 'is a key for none of the allowed algorithms';
  return keyProblem(key);
}

/** The beginning of a hash of the key, by which two people can see that they mean the same one. */
function fingerprintOf(key: KeyObject): string {
  const spki = key.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 16);
}
