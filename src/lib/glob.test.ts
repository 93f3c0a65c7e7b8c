import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { matchesGlob } from './glob.ts';
import { seededRandom } from './random.ts';

// Goal: a pattern matches what its author means, and no text makes it slow.
// Method: a table of both sides, random patterns against a regular expression, and a text that
// makes backtracking matchers explode.

const matching: readonly (readonly [string, string])[] = [
  ['', ''],
  ['*', ''],
  ['*', 'anything at all'],
  ['CP-1', 'CP-1'],
  ['DEPOT-N-*', 'DEPOT-N-'],
  ['DEPOT-N-*', 'DEPOT-N-17'],
  ['*-17', 'DEPOT-N-17'],
  ['D*-*7', 'DEPOT-N-17'],
  ['**', 'x'],
  ['a*b*c', 'a-b-b-c-b-c'],
  ['*.*', '1.2.3'],
];

const different: readonly (readonly [string, string])[] = [
  ['', 'x'],
  ['CP-1', 'CP-10'],
  ['CP-1', 'cp-1'],
  ['CP-1*', 'CP-2'],
  ['*CP', 'CP-1'],
  ['a*b*c', 'a-c-b'],
  ['CP.1', 'CP-1'],
  ['CP-?', 'CP-1'],
  ['[CP]-1', 'C-1'],
  ['CP-\\*', 'CP-1'],
];

describe('glob', () => {
  for (const [pattern, text] of matching) {
    test(`"${pattern}" matches "${text}"`, () => assert.equal(matchesGlob(pattern, text), true));
  }
  for (const [pattern, text] of different) {
    test(`"${pattern}" does not match "${text}"`, () => {
      assert.equal(matchesGlob(pattern, text), false);
    });
  }

  test('random patterns agree with a regular expression', () => {
    const seed = 20_260_101;
    const random = seededRandom(seed);
    const text = (alphabet: string): string =>
      Array.from({ length: random.integer(0, 8) }, () =>
        alphabet.charAt(random.integer(0, alphabet.length - 1)),
      ).join('');
    for (let round = 0; round < 5000; round += 1) {
      const [pattern, subject] = [text('ab*'), text('ab')];
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(subject);
      const detail = `seed ${seed}: "${pattern}" against "${subject}"`;
      assert.equal(matchesGlob(pattern, subject), expected, detail);
    }
  });

  test('a text of a charger cannot make a pattern of the operator explode', () => {
    const startedAt = performance.now();
    assert.equal(matchesGlob('*a*a*a*a*a*a*a*a*b', 'a'.repeat(20_000)), false);
    // A backtracking matcher would need longer than the universe has existed.
    assert(performance.now() - startedAt < 1000);
  });
});
