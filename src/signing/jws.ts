import { isUtf8 } from 'node:buffer';
import { ok, type Result } from '../lib/result.ts';
import { isJsonObject } from '../ocpp/message.ts';
import {
  isSignatureAlgorithm,
  isSignedBy,
  type SignatureAlgorithm,
  signWith,
} from './algorithms.ts';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { PinnedKey } from './key-set.ts';
import { refuse, type SignatureProblem } from './problem.ts';
import { readSignedHeader, type SignedHeader } from './signed-header.ts';
import type { SigningKey } from './signing-key.ts';

/** A JSON Web Signature that could be read. Nobody has verified it. */
export interface UnverifiedJws {
  readonly header: SignedHeader;
  /** UTF-8. */
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** What the signature is over. */
  readonly signedBytes: Buffer;
}

/** The three parts, in base64url. */
export interface JwsParts {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** Characters of a header. Ours have about 300. */
const headerCharsMax = 4096;
/** Characters of a signature. With RSA keys of 4096 bits they have 683. */
const signatureCharsMax = 1024;

/** The parts of a compact JWS; undefined when there are not three. Source: RFC 7515 section 7.1. */
export function compactParts(text: string): JwsParts | undefined {
  // Counted first: a text of dots would make an array as long as itself.
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first === -1 || second === -1 || text.includes('.', second + 1)) return undefined;
  return {
    protected: text.slice(0, first),
    payload: text.slice(first + 1, second),
    signature: text.slice(second + 1),
  };
}

/** Does this object look like a flattened JWS? What is no text in it is not looked at. */
export function looksLikeFlattened(value: unknown): boolean {
  return isJsonObject(value) && flattenedMembers.every((name) => Object.hasOwn(value, name));
}

const flattenedMembers = ['protected', 'payload', 'signature'] as const;

/**
 * The parts of a flattened JWS, which has these three members and no others: what an unprotected
 * header says, anybody could have said.
 *
 * Source: RFC 7515 section 7.2.2.
 */
export function flattenedParts(value: unknown): Result<JwsParts, SignatureProblem> {
  if (!isJsonObject(value)) return refuse('unreadable', 'the signature is not an object');
  if (Object.hasOwn(value, 'header')) {
    return refuse('forbidden-header', 'there is an unprotected header');
  }
  if (Object.keys(value).length !== flattenedMembers.length) {
    return refuse('unreadable', 'the signature has other members than a flattened JWS');
  }
  const [header, payload, signature] = flattenedMembers.map((name) => value[name]);
  if (typeof header !== 'string' || typeof payload !== 'string' || typeof signature !== 'string') {
    return refuse('unreadable', 'a part of the signature is not a text');
  }
  return ok({ protected: header, payload, signature });
}

/** Reads the three parts. The payload has no bound of its own: the message has one. */
export function readJws(parts: JwsParts): Result<UnverifiedJws, SignatureProblem> {
  if (parts.protected.length > headerCharsMax) {
    return refuse('oversized', `the header has more than ${headerCharsMax} characters`);
  }
  if (parts.signature.length > signatureCharsMax) {
    return refuse('oversized', `the signature has more than ${signatureCharsMax} characters`);
  }
  const headerBytes = decodeBase64url(parts.protected);
  const payload = decodeBase64url(parts.payload);
  const signature = decodeBase64url(parts.signature);
  if (headerBytes === undefined || payload === undefined || signature === undefined) {
    return refuse('unreadable', 'a part is not canonical base64url');
  }
  // The WebSocket has only seen that the letters of the encoding are UTF-8.
  if (!isUtf8(headerBytes) || !isUtf8(payload)) {
    return refuse('unreadable', 'a part is not UTF-8');
  }
  const header = readSignedHeader(headerBytes);
  if (!header.ok) return header;
  const signedBytes = Buffer.from(`${parts.protected}.${parts.payload}`, 'latin1');
  return ok({ header: header.value, payload, signature, signedBytes });
}

/** The algorithm that a header names, if it is allowed. The header decides nothing else. */
export function allowedAlgorithm(
  { alg }: SignedHeader,
  allowed: readonly SignatureAlgorithm[],
): Result<SignatureAlgorithm, SignatureProblem> {
  if (isSignatureAlgorithm(alg) && allowed.includes(alg)) return ok(alg);
  return refuse('wrong-algorithm', `the algorithm is not one of ${allowed.join(', ')}`);
}

/** Has this key made the signature, with an algorithm that is allowed and is one of the key? */
export function checkSignature(
  { header, signature, signedBytes }: UnverifiedJws,
  { algorithms, key }: Pick<PinnedKey, 'algorithms' | 'key'>,
): Result<SignatureAlgorithm, SignatureProblem> {
  const algorithm = allowedAlgorithm(header, algorithms);
  if (!algorithm.ok) return refuse('wrong-algorithm', 'the algorithm is not one of the key');
  if (isSignedBy(key, algorithm.value, signedBytes, signature)) return algorithm;
  return refuse('altered', 'the signature does not belong to the text');
}

/** Signs `payload`. The header gets the algorithm and the name of the key, and then `claims`. */
export function makeJws(
  payload: Uint8Array,
  claims: Readonly<Record<string, string | number>>,
  { algorithm, key, kid, x5tS256 }: SigningKey,
): JwsParts {
  const named = {
    alg: algorithm,
    ...(kid !== undefined && { kid }),
    ...(x5tS256 !== undefined && { 'x5t#S256': x5tS256 }),
  };
  const header = encodeBase64url(JSON.stringify({ ...named, ...claims }));
  const encoded = encodeBase64url(payload);
  const data = Buffer.from(`${header}.${encoded}`, 'latin1');
  const signature = encodeBase64url(signWith(key, algorithm, data));
  return { protected: header, payload: encoded, signature };
}
