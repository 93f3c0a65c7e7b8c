import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../lib/random.ts';
import { type Place, WaitingLine } from './waiting-line.ts';

// Goal: whoever joins and leaves, from whichever place, the ends and the length are right.
// Method: many random acts, beside an array that does the same slowly.

describe('a line of those who wait', () => {
  test('is what an array would be, after any joining and leaving', () => {
    const seed = 20260101;
    const random = seededRandom(seed);
    const line = new WaitingLine<number>();
    const expected: Place<number>[] = [];
    for (let act = 0; act < 5_000; act += 1) {
      // It grows and shrinks in turns, so that it is empty now and then.
      if (random.fraction() < (Math.floor(act / 500) % 2 === 0 ? 0.6 : 0.3)) {
        expected.push(line.join(act));
      } else {
        const [place] = expected.splice(random.integer(0, expected.length - 1), 1);
        if (place === undefined) continue;
        line.leave(place);
        // Whoever has left does not leave again.
        line.leave(place);
      }
      const ends = [line.oldest?.item, line.youngest?.item, line.size];
      const wanted = [expected[0]?.item, expected.at(-1)?.item, expected.length];
      assert.deepEqual(ends, wanted, `seed ${seed}, act ${act}`);
    }
  });
});
