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

  test('the time until there are tokens is the time after which they can be taken', () => {
    const clock = manualClock();
    const buckets = new TokenBuckets({ burst: 2, perSecond: 0.5 }, 10, clock);
    assert.equal(buckets.secondsUntil('a', 2), 0);
    buckets.take('a', 2);
    assert.deepEqual([buckets.secondsUntil('a'), buckets.secondsUntil('a', 2)], [2, 4]);
    clock.advance(1999);
    assert.equal(buckets.take('a'), false);
    clock.advance(1);
    assert.equal(buckets.secondsUntil('a'), 0);
    assert.equal(buckets.take('a'), true);
    assert.equal(buckets.secondsUntil('a', 3), Number.POSITIVE_INFINITY);
  });

  test('to ask makes no key known, and forgets none', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0 }, 1, manualClock());
    buckets.take('a');
    buckets.secondsUntil('b');
    buckets.giveBack('b');
    assert.equal(buckets.take('a'), false);
  });

  test('what is given back can be taken again, and is never more than a burst', () => {
    const clock = manualClock();
    const buckets = new TokenBuckets({ burst: 2, perSecond: 1 }, 10, clock);
    buckets.take('a');
    clock.advance(1000);
    buckets.giveBack('a', 5);
    const take = (): boolean => buckets.take('a');
    assert.deepEqual([take(), take(), take()], [true, true, false]);
    buckets.giveBack('a');
    assert.deepEqual([take(), take()], [true, false]);
    clock.advance(500);
    buckets.giveBack('a', 0.25);
    assert.equal(take(), false, 'time counts once');
    buckets.giveBack('a', 0.25);
    assert.deepEqual([take(), take()], [true, false]);
  });
});
