import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounded, eitherOf, exactly, lowerOf, sumOf, wholeWatts } from './power-range.ts';

// Goal: ranges are added, compared and cut at both of their ends.
// Method: small examples.

test('one or the other is between the lowest and the highest', () => {
  assert.deepEqual(eitherOf({ lowW: 1, highW: 3 }, { lowW: 2, highW: 5 }), { lowW: 1, highW: 5 });
});

test('the lower of both is lower at both ends', () => {
  assert.deepEqual(lowerOf({ lowW: 1, highW: 9 }, { lowW: 2, highW: 5 }), { lowW: 1, highW: 5 });
  assert.deepEqual(lowerOf(exactly(3), exactly(4)), exactly(3));
});

test('both together are added at both ends', () => {
  assert.deepEqual(sumOf({ lowW: -1, highW: 3 }, exactly(5)), { lowW: 4, highW: 8 });
});

test('a rating bounds what is taken, and what is fed in', () => {
  const anything = { lowW: Number.NEGATIVE_INFINITY, highW: Number.POSITIVE_INFINITY };
  assert.deepEqual(bounded(anything, 7), { lowW: -7, highW: 7 });
  assert.deepEqual(bounded({ lowW: -1, highW: 3 }, 7), { lowW: -1, highW: 3 });
});

test('watts are rounded up, and never below zero', () => {
  const cases = [
    [0, 0],
    [-5, 0],
    [-0.2, 0],
    [1, 1],
    [1.2, 2],
    [6.3 * 230, 1449],
  ] as const;
  for (const [watts, expected] of cases)
    assert.ok(Object.is(wholeWatts(watts), expected), `${watts}`);
});
