/**
 * A quick look at a text, which clears ordinary ones.
 *
 * `findHazards` in `strict-json.ts` looks at characters of a string, and folds and keeps each key.
 * That was a fifth of what a message cost (`npm run bench:path`), and hardly any text has what it
 * looks for. This looks at the bytes, keeps nothing, and clears a text only where it is sure.
 */

/** Deeper than any message that is read here; beyond it, somebody else looks. */
const depthBound = 64;
/** Keys of all open objects together. A frame that is full of meter values has a dozen. */
const keysMax = 256;

/** Of each open object where its keys begin in `keyHashes`; `inList` for an open list. */
const opened = new Int16Array(depthBound);
/** Of the keys of all open objects, the outermost first. */
const keyHashes = new Int32Array(keysMax);
const inList = -1;
/** Read as a backslash, so that nothing is looked for beyond the end of what is no JSON after all. */
const pastEnd = 0x5c;

/**
 * Is there nothing in the text that two parsers could read differently? `false` says only that it
 * has to be looked at closely.
 *
 * @param bytes a text that is JSON, in UTF-8.
 * @param depthMax objects and lists that may be open at any point.
 */
export function isPlainJson(bytes: Uint8Array, depthMax: number): boolean {
  const depthEnd = Math.min(depthMax, depthBound);
  const { length } = bytes;
  let depth = 0;
  let keys = 0;
  let keyExpected = false;
  let at = 0;
  while (at < length) {
    const byte = bytes[at] ?? 0;
    at += 1;
    if (byte === 0x22) {
      if (keyExpected) {
        keyExpected = false;
        let hash = 0;
        for (;;) {
          const character = bytes[at] ?? pastEnd;
          at += 1;
          if (character === 0x22) break;
          // Escapes and other alphabets have ways of their own to be equal.
          if (character === 0x5c || character >= 0x80) return false;
          hash = hashWith(hash, character);
        }
        if (keys === keysMax || prototypeHashes.has(hash)) return false;
        for (let other = opened[depth - 1] ?? 0; other < keys; other += 1) {
          if (keyHashes[other] === hash) return false;
        }
        keyHashes[keys] = hash;
        keys += 1;
      } else {
        for (;;) {
          const character = bytes[at] ?? pastEnd;
          at += 1;
          if (character === 0x22) break;
          if (character === 0x5c) return false;
        }
      }
    } else if (byte === 0x2c) {
      keyExpected = depth > 0 && opened[depth - 1] !== inList;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (depth === depthEnd) return false;
      keyExpected = byte === 0x7b;
      opened[depth] = keyExpected ? keys : inList;
      depth += 1;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
      keyExpected = false;
      const first = opened[depth] ?? inList;
      if (first !== inList) keys = first;
    } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      const start = at - 1;
      for (;;) {
        const character = bytes[at] ?? 0;
        if ((character < 0x30 || character > 0x39) && character !== 0x2e) break;
        at += 1;
      }
      // Fifteen characters cannot leave what a double holds exactly, unless an exponent helps them.
      if (at - start > 15 || ((bytes[at] ?? 0) | 0x20) === 0x65) return false;
    }
  }
  return true;
}

/** FNV-1a over letters of either case: equal keys have equal hashes, whatever their case. */
function hashWith(hash: number, character: number): number {
  return Math.imul(hash ^ (character | 0x20), 0x01000193);
}

const prototypeHashes: ReadonlySet<number> = new Set(
  ['__proto__', 'constructor', 'prototype'].map((key) =>
    Buffer.from(key).reduce((hash, character) => hashWith(hash, character), 0),
  ),
);
