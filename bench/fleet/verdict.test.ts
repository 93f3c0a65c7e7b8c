import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { atMost, isSteady, lagFinding, verdictOf } from './verdict.ts';

// Goal: a benchmark does not say that all is well when it is not, or when nothing was measured.
// Method: numbers on both sides of each limit, and none at all.
describe('the verdict of a fleet', () => {
  const repeated = (value: number, times: number): readonly number[] => Array(times).fill(value);
  const lag = { p50Ms: 10, p90Ms: 12, p99Ms: 20, maxMs: 30 };

  test('what grows from the second quarter to the last is not steady', () => {
    const quarters = (last: number): readonly number[] => [
      ...repeated(10, 4),
      ...repeated(100, 4),
      ...repeated(100, 4),
      ...repeated(last, 4),
    ];
    assert.equal(isSteady('memory', quarters(105), 1.05).isGood, true);
    assert.equal(isSteady('memory', quarters(106), 1.05).isGood, false);
  });

  test('the first quarter, in which everything fills up, does not count', () => {
    assert.equal(isSteady('memory', [1, 100, 100, 100], 1.05).isGood, true);
  });

  test('too few samples, and samples without a number, show nothing', () => {
    assert.equal(isSteady('memory', [], 1.05).isGood, false);
    assert.equal(isSteady('memory', [1, 1, 1], 1.05).isGood, false);
    assert.equal(isSteady('memory', repeated(Number.NaN, 8), 1.05).isGood, false);
    assert.equal(atMost('lost', Number.NaN, 0).isGood, false);
    assert.equal(lagFinding('idle', []).isGood, false);
    assert.equal(
      lagFinding('idle', [{ ...lag, p99Ms: Number.NaN, maxMs: Number.NaN }]).isGood,
      false,
    );
    assert.equal(verdictOf([]).isGood, false);
  });

  test('a long turn now and then is allowed, many are not', () => {
    const once = { ...lag, maxMs: 400 };
    const often = { ...lag, p99Ms: 60, maxMs: 400 };
    assert.equal(lagFinding('idle', [lag, lag, once]).isGood, true);
    assert.equal(
      lagFinding(
        'idle',
        repeated(1, 60).map(() => once),
      ).isGood,
      true,
    );
    assert.equal(lagFinding('idle', [...repeated(1, 9).map(() => lag), often]).isGood, true);
    assert.equal(
      lagFinding('idle', [...repeated(1, 8).map(() => lag), often, often]).isGood,
      false,
    );
    assert.equal(lagFinding('idle', [{ ...often, p90Ms: 60 }]).isGood, false);
  });

  test('one bad finding, or an early end, is no good verdict', () => {
    const good = atMost('lost', 0, 0);
    assert.equal(verdictOf([good, good]).isGood, true);
    assert.equal(verdictOf([good, atMost('lost', 1, 0)]).isGood, false);
    assert.equal(verdictOf([good], false).isGood, false);
  });
});
