import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualClock } from '../../test/support/manual-clock.ts';
import { TokenBuckets } from './token-buckets.ts';

// Goal: one key uses what it may and no more, and no number of keys fills the memory.
// Method: a clock that stands still, so that the bounds are exact.
describe('token buckets', () => {
  test('a burst passes, one more does not, and time brings tokens back one by one', () => {
    const clock = manualClock();
    const buckets = new TokenBuckets({ burst: 3, perSecond: 2 }, 10, clock);
    const take = (): boolean => buckets.take('a');
    assert.deepEqual([take(), take(), take(), take()], [true, true, true, false]);
    clock.advance(499);
    assert.equal(take(), false);
    clock.advance(1);
    assert.deepEqual([take(), take()], [true, false]);
  });

  test('no time, however long, brings more than a burst', () => {
    const clock = manualClock();
    const buckets = new TokenBuckets({ burst: 2, perSecond: 100 }, 10, clock);
    buckets.take('a');
    clock.advance(3_600_000);
    assert.deepEqual(
      [1, 2, 3].map(() => buckets.take('a')),
      [true, true, false],
    );
  });

  test('keys do not share', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0 }, 10, manualClock());
    assert.deepEqual(
      ['a', 'b', 'a', 'b'].map((key) => buckets.take(key)),
      [true, true, false, false],
    );
  });

  test('beyond the number of keys, the least recently used one is forgotten', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0 }, 2, manualClock());
    for (const key of ['a', 'b', 'a', 'c']) buckets.take(key);
    assert.equal(buckets.take('a'), false, 'used again, so it is remembered');
    assert.equal(buckets.take('b'), true, 'forgotten');
  });

  test('a key named like an object property is a key like any other', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0 }, 2, manualClock());
    assert.deepEqual([buckets.take('__proto__'), buckets.take('__proto__')], [true, false]);
  });
});
