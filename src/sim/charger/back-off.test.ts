/** Goal: waits grow, and stay bounded. Method: the whole table of attempts, with a fixed chance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../lib/random.ts';
import { backOffSeconds } from './back-off.ts';

const backOff = { waitSecondsMin: 1, waitSecondsMax: 60, randomSecondsMax: 2 };

test('the wait doubles to its bound, and a random part is added', () => {
  const random = { ...seededRandom(1), fraction: () => 0.5 };
  const waits = [1, 2, 3, 6, 7, 50, 1e9].map((attempt) => backOffSeconds(backOff, attempt, random));
  assert.deepEqual(waits, [2, 3, 5, 33, 61, 61, 61]);
});

test('the random part spreads the attempts', () => {
  const random = seededRandom(3);
  const waits = new Set(Array.from({ length: 20 }, () => backOffSeconds(backOff, 1, random)));
  assert.equal(waits.size, 20);
  for (const wait of waits) assert.ok(wait >= 1 && wait < 3);
});
