import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Random, seededRandom, systemRandom } from './random.ts';

// Goal: chance stays in its bounds, and one seed is one sequence.
// Method: both sources through the same checks, many times; then seeds against each other.

const seed = 7;
const sources: Readonly<Record<string, Random>> = {
  'the system': systemRandom,
  [`seed ${seed}`]: seededRandom(seed),
};

describe('random', () => {
  for (const [name, random] of Object.entries(sources)) {
    test(`${name}: fractions are at least 0 and below 1`, () => {
      for (let round = 0; round < 2000; round += 1) {
        const fraction = random.fraction();
        assert(fraction >= 0 && fraction < 1, String(fraction));
      }
    });

    test(`${name}: integers reach both of their ends and pass neither`, () => {
      const seen = new Set<number>();
      for (let round = 0; round < 2000; round += 1) seen.add(random.integer(-1, 3));
      assert.deepEqual([...seen].sort(), [-1, 0, 1, 2, 3]);
      assert.equal(random.integer(5, 5), 5);
    });

    test(`${name}: UUIDs are version 4 of RFC 9562, and differ`, () => {
      const seen = new Set<string>();
      for (let round = 0; round < 500; round += 1) {
        const uuid = random.uuid();
        assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        seen.add(uuid);
      }
      assert.equal(seen.size, 500);
    });
  }

  test('one seed gives one sequence, another seed another', () => {
    const sequence = (from: number): readonly number[] => {
      const random = seededRandom(from);
      return Array.from({ length: 20 }, () => random.integer(0, 1_000_000));
    };
    assert.deepEqual(sequence(1), sequence(1));
    assert.notDeepEqual(sequence(1), sequence(2));
    assert.notDeepEqual(sequence(0), sequence(-1));
  });
});
