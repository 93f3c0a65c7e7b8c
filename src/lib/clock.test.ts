import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualClock } from '../../test/support/manual-clock.ts';
import { sleep, systemClock } from './clock.ts';

// Goal: both clocks keep the contract of Clock.
// Method: the manual clock with time standing still; the system's with delays of nothing, because
// tests do not sleep.

describe('the manual clock', () => {
  test('stands still until it is told to move', () => {
    const clock = manualClock(5_000);
    assert.deepEqual([clock.nowMs(), clock.elapsedMs()], [5_000, 0]);
    clock.advance(250);
    assert.deepEqual([clock.nowMs(), clock.elapsedMs()], [5_250, 250]);
  });

  test('runs timers in the order in which they fall due, each at its moment', () => {
    const clock = manualClock();
    const seen: string[] = [];
    clock.after(20, () => seen.push(`b at ${clock.elapsedMs()}`));
    clock.after(10, () => {
      seen.push(`a at ${clock.elapsedMs()}`);
      clock.after(5, () => seen.push(`a's own at ${clock.elapsedMs()}`));
    });
    clock.after(20, () => seen.push(`c at ${clock.elapsedMs()}`));
    clock.after(31, () => seen.push('too late'));
    clock.advance(30);
    assert.deepEqual(seen, ['a at 10', "a's own at 15", 'b at 20', 'c at 20']);
    assert.equal(clock.elapsedMs(), 30);
  });

  test('a cancelled timer never runs, however often it is cancelled', () => {
    const clock = manualClock();
    const timer = clock.after(1, () => assert.fail('ran'));
    timer.cancel();
    timer.cancel();
    clock.advance(10);
  });

  test('sleep ends when its time has come', async () => {
    const clock = manualClock();
    const slept = sleep(clock, 100);
    clock.advance(100);
    await slept;
  });
});

describe('the system clock', () => {
  test('runs a timer once, and never one that was cancelled', async () => {
    const clock = systemClock();
    clock.after(0, () => assert.fail('ran')).cancel();
    let count = 0;
    await new Promise<void>((resolve) => {
      clock.after(0, () => {
        count += 1;
        resolve();
      });
    });
    await sleep(clock, 0);
    assert.equal(count, 1);
  });

  test('elapsed time has fractions and never goes back', () => {
    const clock = systemClock({ keepAlive: false });
    let last = clock.elapsedMs();
    for (let round = 0; round < 1000; round += 1) {
      const now = clock.elapsedMs();
      assert(now >= last);
      last = now;
    }
    assert.equal(Math.abs(clock.nowMs() - Date.now()) < 1000, true);
  });
});
