import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BrokenInvariant, invariant } from './assert.ts';

// Goal: what we broke ourselves is told apart from what a peer can cause.
// Method: both sides of the condition.
describe('invariant', () => {
  test('a condition that holds passes', () => invariant(true, 'never seen'));

  test('a condition that does not is a BrokenInvariant that says what', () => {
    assert.throws(
      () => invariant(false, 'the lane is empty'),
      (error) => error instanceof BrokenInvariant && error.message === 'the lane is empty',
    );
  });
});
