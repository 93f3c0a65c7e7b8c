import { argon2, createHash, timingSafeEqual } from 'node:crypto';
import type { PasswordForm } from '../chargers/charger-credential.ts';
import { invariant } from '../lib/assert.ts';
import { secretBytes } from '../lib/random.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import { passwordLengthMax } from './basic-auth.ts';

/** What one Argon2id computation costs. */
export interface Argon2Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

/** A slow hash as it is stored, taken apart. */
export interface SlowHash {
  readonly is: 'argon2id';
  readonly cost: Argon2Cost;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** A fast hash as it is stored, taken apart. */
export interface FastHash {
  readonly is: 'sha256';
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** Computes the 32 bytes of an Argon2id hash. Rejects when there is no memory for it. */
export type SlowDigest = (password: Buffer, salt: Buffer, cost: Argon2Cost) => Promise<Buffer>;

/** Source: OWASP Password Storage Cheat Sheet, Argon2id; RFC 9106 section 3.1. */
export const ownCost: Argon2Cost = { memoryKiB: 19_456, passes: 2, lanes: 1 };
/** Bytes of the salts that the gateway makes. */
export const saltLength = 16;
const tagLength = 32;

/**
 * What a stored hash may ask for at most. A row of the database must not be able to take all memory
 * of the gateway, or a processor for minutes.
 */
const costMax: Argon2Cost = { memoryKiB: 65_536, passes: 8, lanes: 4 };
const saltLengthMax = 32;
const storedLengthMax = 160;

/**
 * The bytes that a presented password stands for.
 *
 * In OCPP 1.6 the key is set as 32 to 40 hexadecimal digits, and the 16 to 20 bytes that they spell
 * are the password. Some chargers send the digits instead (C10). Both are the same password here,
 * in upper and lower case. What is no such text is itself.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3 section 6, AuthorizationKey; OCTT 1.6
 * TC_085_CS.
 */
export function canonicalPassword(bytes: Buffer): Buffer {
  return isHexForm(bytes) ? Buffer.from(bytes.toString('latin1'), 'hex') : bytes;
}

/** How a presented password spells its bytes. */
export function passwordForm(bytes: Buffer): PasswordForm {
  return isHexForm(bytes) ? 'hex' : 'raw';
}

function isHexForm(bytes: Buffer): boolean {
  if (bytes.length < 32 || bytes.length > 40 || bytes.length % 2 !== 0) return false;
  return /^[0-9a-f]+$/i.test(bytes.toString('latin1'));
}

/** Argon2id of Node.js, in its pool of threads. */
export const argon2id: SlowDigest = (password, salt, { lanes, memoryKiB, passes }) =>
  new Promise((resolve, reject) => {
    const parameters = {
      message: password,
      nonce: salt,
      parallelism: lanes,
      tagLength,
      memory: memoryKiB,
      passes,
    };
    argon2('argon2id', parameters, (error, tag) => {
      if (error === null) resolve(tag);
      else reject(error);
    });
  });

/**
 * The slow hash of a password, to be stored: for whatever people, manufacturers or a CSMS chose.
 *
 * @param like a stored hash of the same charger. The new one gets its salt and cost, so that one
 *   computation compares a password with both. Without effect when it is no slow hash.
 * @returns a text in the PHC string format.
 */
export async function hashPassword(bytes: Buffer, like?: string): Promise<string> {
  const model = like === undefined ? undefined : readHash(like);
  const { cost, salt } =
    model?.is === 'argon2id' ? model : { cost: ownCost, salt: secretBytes(saltLength) };
  const tag = await argon2id(canonicalPassword(bytes), salt, cost);
  const { lanes, memoryKiB, passes } = cost;
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(tag)}`;
}

/**
 * The fast hash of a key that the gateway itself has made, to be stored. Nobody can guess 128
 * random bits, so a slow hash would add nothing, and thousands of chargers that come back at once
 * cost nothing. Never for what anybody chose.
 *
 * @param key at least 16 random bytes.
 */
export function hashGeneratedKey(key: Buffer): string {
  const password = canonicalPassword(key);
  invariant(password.length >= 16, 'a generated key has at least 128 bits');
  const salt = secretBytes(saltLength);
  return `$sha256$${unpadded(salt)}$${unpadded(fastDigest(password, salt))}`;
}

/** The 32 bytes of a fast hash. */
export function fastDigest(canonical: Buffer, salt: Buffer): Buffer {
  return createHash('sha256').update(salt).update(canonical).digest();
}

/** Are the two tags the same? Takes the same time either way. */
export function isSameTag(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/**
 * Takes a stored hash apart.
 *
 * @returns undefined for what cannot be read, or asks for more than a hash may cost. Nothing ever
 *   matches that.
 */
export function readHash(stored: string): SlowHash | FastHash | undefined {
  if (stored.length > storedLengthMax) return undefined;
  const slow = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d)\$([^$]+)\$([^$]+)$/.exec(stored);
  if (slow !== null) {
    const [memoryKiB = 0, passes = 0, lanes = 0] = slow.slice(1, 4).map(Number);
    const cost = { memoryKiB, passes, lanes };
    const bytes = saltAndTag(slow[4], slow[5]);
    return bytes === undefined || !isAffordable(cost)
      ? undefined
      : { is: 'argon2id', cost, ...bytes };
  }
  const fast = /^\$sha256\$([^$]+)\$([^$]+)$/.exec(stored);
  if (fast === null) return undefined;
  const bytes = saltAndTag(fast[1], fast[2]);
  return bytes === undefined ? undefined : { is: 'sha256', ...bytes };
}

/** Below the minimum, Argon2 itself is undefined: RFC 9106 section 3.1. */
function isAffordable({ lanes, memoryKiB, passes }: Argon2Cost): boolean {
  const isEnough = lanes >= 1 && passes >= 1 && memoryKiB >= 8 * lanes;
  const isTooMuch =
    lanes > costMax.lanes || passes > costMax.passes || memoryKiB > costMax.memoryKiB;
  return isEnough && !isTooMuch;
}

function saltAndTag(
  saltText: string | undefined,
  tagText: string | undefined,
): { readonly salt: Buffer; readonly tag: Buffer } | undefined {
  const salt = readUnpadded(saltText ?? '');
  const tag = readUnpadded(tagText ?? '');
  if (salt === undefined || salt.length < saltLength || salt.length > saltLengthMax) {
    return undefined;
  }
  return tag?.length === tagLength ? { salt, tag } : undefined;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** Only the text that `unpadded` would write is read. */
function readUnpadded(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return unpadded(bytes) === text ? bytes : undefined;
}

/** What is wrong with a password that somebody wants to set. */
export interface PasswordProblem {
  /** `unusable`: it cannot work. `weak`: it works, but it is not what OCPP asks for. */
  readonly is: 'unusable' | 'weak';
  /** A sentence for the operator. Holds nothing of the password. */
  readonly text: string;
}

/**
 * What is wrong with `bytes` as the password of a charger?
 *
 * Chargers with shorter and longer passwords than OCPP allows exist (C11), so that is said and not
 * refused.
 *
 * @param version the OCPP version of the charger, if it is known.
 * @returns undefined for a good one.
 * Source: "Improved security for OCPP 1.6-J" edition 3 section 6, AuthorizationKey; OCPP 2.0.1 part
 *   2, BasicAuthPassword, with the errata of 2025-01; the same of OCPP 2.1.
 */
export function describePasswordProblem(
  bytes: Buffer,
  version?: OcppVersion,
): PasswordProblem | undefined {
  if (bytes.length === 0) return { is: 'unusable', text: 'The password is empty.' };
  if (bytes.length > passwordLengthMax) {
    const text = `The password has ${bytes.length} bytes, more than ${passwordLengthMax}.`;
    return { is: 'unusable', text };
  }
  const text = weaknessOf(bytes, version);
  return text === undefined ? undefined : { is: 'weak', text };
}

function weaknessOf(bytes: Buffer, version: OcppVersion | undefined): string | undefined {
  switch (version) {
    case 'ocpp1.6': {
      const { length } = canonicalPassword(bytes);
      if (length >= 16 && length <= 20) return undefined;
      return 'OCPP 1.6 asks for 16 to 20 bytes, or 32 to 40 hexadecimal digits.';
    }
    case 'ocpp2.0.1':
      if (isTextOf(bytes, 16, 40)) return undefined;
      return 'OCPP 2.0.1 asks for 16 to 40 characters.';
    case 'ocpp2.1':
      if (isTextOf(bytes, 16, 64)) return undefined;
      return 'OCPP 2.1 asks for 16 to 64 characters.';
    case undefined:
      if (bytes.length >= 16 && bytes.length <= 64) return undefined;
      return 'OCPP asks for at least 16 bytes, and for at most 64.';
  }
}

function isTextOf(bytes: Buffer, charactersMin: number, charactersMax: number): boolean {
  const text = bytes.toString('utf8');
  // What is no UTF-8 comes back as other bytes.
  if (!Buffer.from(text, 'utf8').equals(bytes)) return false;
  const { length } = Array.from(text);
  return length >= charactersMin && length <= charactersMax;
}
