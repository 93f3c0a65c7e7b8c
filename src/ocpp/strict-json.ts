import { failed, ok, type Result } from '../lib/result.ts';
import { isPlainJson } from './plain-json.ts';

/**
 * JSON that no two parsers can read differently.
 *
 * The gateway decides on its own reading and forwards the original bytes, so a text that the peer's
 * parser would read in another way would carry a message past every rule (parser differential).
 * JSON.parse stays the authority on grammar; the scan after it finds what JSON.parse hides.
 *
 * Source: docs/decisions/0003-original-bytes.md.
 */
export interface StrictJson {
  readonly value: unknown;
  /** What another parser might read differently; empty for ordinary texts. */
  readonly hazards: ReadonlySet<JsonHazard>;
}

/** One way in which two parsers could disagree. */
export type JsonHazard =
  /** Two keys of one object are equal, or equal but for ASCII case (some parsers fold it). */
  | 'duplicate-key'
  /** `__proto__`, `constructor` or `prototype` as a key. */
  | 'prototype-key'
  /** Half of a UTF-16 surrogate pair, written as an escape. */
  | 'lone-surrogate'
  /** U+0000 inside a string: C code ends there. */
  | 'nul-character'
  /** An integer within 64 bits, but beyond what an IEEE 754 double holds exactly. */
  | 'inexact-integer'
  /** A number that a double turns into infinity, zero or a rounded neighbour. */
  | 'number-out-of-range';

/** Why a text is not JSON to us at all. */
export type JsonFailure = 'syntax' | 'byte-order-mark' | 'too-deep';

/** Limits of `parseStrictJson`. */
export interface JsonLimits {
  /** Open objects and arrays at any point. */
  readonly depthMax: number;
}

const prototypeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses `text` and reports what in it is ambiguous.
 *
 * @param bytes the same text in UTF-8, where the caller has it at hand.
 */
export function parseStrictJson(
  text: string,
  limits: JsonLimits,
  bytes: Uint8Array = Buffer.from(text, 'utf8'),
): Result<StrictJson, JsonFailure> {
  if (text.charCodeAt(0) === 0xfeff) return failed('byte-order-mark');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed('syntax');
  }
  if (isPlainJson(bytes, limits.depthMax)) return ok({ value, hazards: noHazards });
  const hazards = findHazards(text, limits.depthMax);
  return hazards === 'too-deep' ? failed(hazards) : ok({ value, hazards });
}

const noHazards: ReadonlySet<JsonHazard> = new Set();

/** One pass over a text that is known to be grammatical. */
function findHazards(text: string, depthMax: number): ReadonlySet<JsonHazard> | 'too-deep' {
  let hazards: Set<JsonHazard> | undefined;
  const report = (hazard: JsonHazard): void => {
    hazards ??= new Set();
    hazards.add(hazard);
  };
  // The keys of each open object, folded to lower case; undefined for an open array.
  const open: (Set<string> | undefined)[] = [];
  let keyExpected = false;
  let at = 0;
  while (at < text.length) {
    const character = text.charCodeAt(at);
    switch (character) {
      case 0x7b: // {
      case 0x5b: // [
        if (open.length === depthMax) return 'too-deep';
        open.push(character === 0x7b ? new Set() : undefined);
        keyExpected = character === 0x7b;
        at += 1;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        keyExpected = false;
        at += 1;
        break;
      case 0x2c: // ,
        keyExpected = open.at(-1) !== undefined;
        at += 1;
        break;
      case 0x22: {
        const end = endOfString(text, at);
        const content = stringContent(text, at, end, report);
        if (keyExpected) {
          noteKey(open.at(-1), content, report);
          keyExpected = false;
        }
        at = end;
        break;
      }
      default:
        if (character === 0x2d || (character >= 0x30 && character <= 0x39)) {
          const end = endOfNumber(text, at);
          checkNumber(text.slice(at, end), report);
          at = end;
        } else {
          at += 1;
        }
    }
  }
  return hazards ?? noHazards;
}

/** The index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const character = text.charCodeAt(at);
    if (character === 0x22) return at + 1;
    at += character === 0x5c ? 2 : 1;
  }
}

function stringContent(
  text: string,
  start: number,
  end: number,
  report: (hazard: JsonHazard) => void,
): string {
  const raw = text.slice(start + 1, end - 1);
  // Without an escape there is nothing to hide: the bytes were valid UTF-8, and JSON's grammar
  // has refused raw control characters.
  if (!raw.includes('\\')) return raw;
  const content = JSON.parse(text.slice(start, end)) as string;
  if (!content.isWellFormed()) report('lone-surrogate');
  if (content.includes('\u0000')) report('nul-character');
  return content;
}

function noteKey(
  keys: Set<string> | undefined,
  key: string,
  report: (hazard: JsonHazard) => void,
): void {
  const folded = foldKey(key);
  if (keys?.has(folded)) report('duplicate-key');
  keys?.add(folded);
  if (prototypeKeys.has(key)) report('prototype-key');
}

/**
 * What keys have in common that some parser takes for one. Upper case first: it maps the long s and
 * the Kelvin sign to S and K, as Unicode case folding does, and as parsers in Go do.
 */
export function foldKey(key: string): string {
  return key.toUpperCase().toLowerCase();
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const character = text.charCodeAt(at);
    const isNumberCharacter =
      (character >= 0x30 && character <= 0x39) || // 0-9
      character === 0x2e || // .
      (character | 0x20) === 0x65 || // e E
      character === 0x2b || // +
      character === 0x2d; // -
    if (!isNumberCharacter) return at;
    at += 1;
  }
}

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

function checkNumber(spelled: string, report: (hazard: JsonHazard) => void): void {
  // Fifteen characters cannot leave the exact range, unless an exponent helps them.
  if (spelled.length <= 15 && !/[eE]/.test(spelled)) return;
  const value = Number(spelled);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    report(isInt64(spelled) ? 'inexact-integer' : 'number-out-of-range');
  } else if (Number.isInteger(value) && isRoundedToInteger(spelled, value)) {
    report('number-out-of-range');
  }
}

/** Is it zero or an integer to a double, but not as it is spelled? */
function isRoundedToInteger(spelled: string, value: number): boolean {
  const mantissa = spelled.replace(/[eE].*$/, '');
  if (value === 0) return /[1-9]/.test(mantissa);
  return mantissa === spelled && /\.\d*[1-9]/.test(spelled);
}

function isInt64(spelled: string): boolean {
  if (!/^-?\d{1,19}$/.test(spelled)) return false;
  const value = BigInt(spelled);
  return value >= int64Min && value <= int64Max;
}
