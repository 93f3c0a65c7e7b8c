import type { Random } from '../../src/lib/random.ts';

/** One of `list`, which must not be empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(0, list.length - 1)] as T;
}

type Mutator = (text: string, random: Random) => string;

/** `text` with one to three defects. What comes out is always valid UTF-8, as ws guarantees. */
export function mutate(text: string, random: Random): string {
  let mutated = text;
  const count = random.integer(1, 3);
  for (let done = 0; done < count; done += 1) mutated = pick(random, mutators)(mutated, random);
  // A lone surrogate cannot be sent; what arrives in its place is U+FFFD.
  return mutated.slice(0, textLengthMax).toWellFormed();
}

const textLengthMax = 65_536;

/** Values that have confused parsers, schemas or databases. */
const oddValues = [
  'null',
  'true',
  '0',
  '-0',
  '-1',
  '1.0',
  '1e2',
  '1e400',
  '1e-400',
  '0.1',
  '9007199254740993',
  '9223372036854775807',
  '18446744073709551616',
  '1234567890123456789012345678901234567890',
  '"a"',
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\ud83d\\ude00"',
  '"2026-01-01T00:00:00"',
  '"222222017-01-01T00:00:00Z"',
  '"2026-02-30T00:00:00Z"',
  '"__proto__"',
  '"constructor"',
  '{}',
  '[]',
  '[[]]',
  '{"__proto__":{}}',
  '{"a":1,"A":2}',
  '{"key":"AuthorizationKey","value":"secret"}',
  'NaN',
  'Infinity',
  "'a'",
  '01',
  '',
];

const oddKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'customData', 'id', 'ID', ''];

/** The pieces of a text: strings, numbers and words, and single characters. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|\w+|[^\s]/gsu;

function replaceToken(text: string, random: Random, by: (token: string) => string): string {
  const all = [...text.matchAll(tokens)];
  if (all.length === 0) return by('');
  const { 0: token, index } = pick(random, all);
  return `${text.slice(0, index)}${by(token)}${text.slice(index + token.length)}`;
}

const mutators: readonly Mutator[] = [
  // Bytes.
  (text, random) => {
    const bytes = Buffer.from(text);
    if (bytes.length === 0) return '[';
    bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    return bytes.toString('utf8');
  },
  (text, random) => {
    const at = random.integer(0, text.length);
    return text.slice(0, at) + String.fromCharCode(random.integer(0, 0x2ff)) + text.slice(at);
  },
  (text, random) => {
    const at = random.integer(0, text.length);
    return text.slice(0, at) + text.slice(at + random.integer(1, 4));
  },
  (text, random) => text.slice(0, random.integer(0, text.length)),
  (text, random) => text + pick(random, ['x', ']', '}', ',', '\u0000', text]),
  (text) => `\ufeff${text}`,
  // Tokens: types, numbers, texts.
  (text, random) => replaceToken(text, random, () => pick(random, oddValues)),
  (text, random) => replaceToken(text, random, () => pick(random, oddValues)),
  (text, random) => replaceToken(text, random, () => ''),
  (text, random) => replaceToken(text, random, (token) => `${token},${token}`),
  (text, random) => replaceToken(text, random, (token) => ` \n\t${token}\r `),
  (text, random) => replaceToken(text, random, (token) => `[${token}]`),
  (text, random) =>
    replaceToken(text, random, (token) => {
      const length = pick(random, [21, 26, 37, 51, 129, 256, 513, 2501, 10_001]);
      return token.startsWith('"') ? `"${'y'.repeat(length)}"` : token;
    }),
  (text, random) =>
    replaceToken(text, random, (token) =>
      token.startsWith('"') ? token.toUpperCase() : `${token}${random.integer(0, 9)}`,
    ),
  // Escapes.
  (text, random) =>
    replaceToken(text, random, (token) => {
      if (!/^"[ -~]+"$/.test(token) || token.includes('\\')) return token;
      const at = random.integer(1, Math.max(1, token.length - 2));
      const code = token.charCodeAt(at).toString(16).padStart(4, '0');
      return `${token.slice(0, at)}\\u${code}${token.slice(at + 1)}`;
    }),
  // Structure.
  (text, random) => {
    const depth = pick(random, [1, 8, 23, 24, 25, 500]);
    return replaceToken(text, random, (token) => '['.repeat(depth) + token + ']'.repeat(depth));
  },
  (text, random) => text.replace('{', `{"${pick(random, oddKeys)}":${pick(random, oddValues)},`),
  (text) => text.replace(/"(\w+)":/, '"$1":1,"$1":'),
  (text) => text.replace(/"(\w+)":/, (_, key: string) => `"${key.toUpperCase()}":1,"${key}":`),
  (text, random) => text.replace(/^\[\d/, `[${random.integer(0, 9)}`),
  (text, random) => text.replace(/^(\[\d),"[^"]*"/, `$1,${pick(random, oddValues)}`),
  (text, random) => text.replace(/\]$/, `,${pick(random, oddValues)}]`),
  (text) => text.replace(/,[^,]*\]$/, ']'),
];
