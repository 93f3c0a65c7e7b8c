import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ManualClock, manualClock } from '../../test/support/manual-clock.ts';
import { LookTimer } from './look-timer.ts';

// Goal: whatever there is to see is seen in time, by one look after the other, and no wish to look is
// lost.
// Method: looks that last until the test ends them, on a clock that it moves.

/** A timer whose looks the test ends. */
function timer(clock: ManualClock = manualClock(0)) {
  const beganAtMs: number[] = [];
  const ends: ((againAtMs: number) => void)[] = [];
  const looks = new LookTimer({
    clock,
    nowMs: () => clock.nowMs(),
    look: () => {
      beganAtMs.push(clock.nowMs());
      return new Promise<number>((resolve) => ends.push(resolve));
    },
  });
  return {
    clock,
    looks,
    beganAtMs,
    /** Ends the look that is under way. */
    end: async (againAtMs: number) => {
      ends.shift()?.(againAtMs);
      await looks.idle();
    },
  };
}

describe('a look timer', () => {
  test('looks at the earliest moment that somebody wants', async () => {
    const { beganAtMs, clock, end, looks } = timer();
    looks.wakeAt(500);
    looks.wakeAt(300);
    looks.wakeAt(400);
    clock.advance(1000);
    assert.deepEqual(beganAtMs, [300]);
    await end(Infinity);
    clock.advance(1000);
    assert.deepEqual(beganAtMs, [300], 'the others had the same to see');
  });

  test('looks again when the look says so, or when somebody wants it sooner', async () => {
    const { beganAtMs, clock, end, looks } = timer();
    looks.wakeAt(0);
    clock.advance(0);
    await end(700);
    clock.advance(700);
    await end(2000);
    looks.wakeAt(900);
    clock.advance(1300);
    assert.deepEqual(beganAtMs, [0, 700, 900]);
  });

  test('looks again at once when something has happened while it looked', async () => {
    const { beganAtMs, clock, end, looks } = timer();
    looks.wakeAt(0);
    clock.advance(100);
    looks.wakeAt(100);
    assert.equal(looks.isLooking, true);
    assert.deepEqual(beganAtMs, [0], 'not two at a time');
    await end(Infinity);
    assert.equal(looks.isLooking, false);
    clock.advance(0);
    assert.deepEqual(beganAtMs, [0, 100]);
    // Once: the second look knows all.
    await end(Infinity);
    clock.advance(1000);
    assert.deepEqual(beganAtMs, [0, 100]);
  });

  test('is asked to look now: then it does, unless it is looking', async () => {
    const { beganAtMs, clock, end, looks } = timer();
    looks.wakeAt(500);
    const first = looks.lookNow();
    const second = looks.lookNow();
    await end(Infinity);
    await Promise.all([first, second]);
    clock.advance(1000);
    assert.deepEqual(beganAtMs, [0]);
  });

  test('wants what is past at once', async () => {
    const { beganAtMs, clock, looks } = timer();
    clock.advance(1000);
    looks.wakeAt(1);
    clock.advance(0);
    assert.deepEqual(beganAtMs, [1000]);
  });

  test('looks no more when it is stopped, also after the look that is under way', async () => {
    const { beganAtMs, clock, end, looks } = timer();
    looks.wakeAt(0);
    clock.advance(0);
    looks.wakeAt(10);
    looks.stop();
    await end(100);
    looks.wakeAt(200);
    await looks.lookNow();
    clock.advance(1000);
    assert.deepEqual(beganAtMs, [0]);
    const other = timer();
    other.looks.wakeAt(10);
    other.looks.stop();
    other.clock.advance(1000);
    assert.deepEqual(other.beganAtMs, []);
  });
});
