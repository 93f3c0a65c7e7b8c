import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualClock } from '../../test/support/manual-clock.ts';
import { Strikes } from './strikes.ts';

// Goal: a charger that breaks a message now and then keeps its connection; one that sends nothing
// else loses it.
// Method: counts of strikes at chosen moments.

const limits = { strikesMax: 3, windowSeconds: 60 };

describe('strikes', () => {
  test('as many as allowed pass, one more is one too many', () => {
    const strikes = new Strikes(limits, manualClock());
    assert.deepEqual(
      [1, 2, 3, 4].map(() => strikes.add()),
      [false, false, false, true],
    );
  });

  test('R12: one broken message every 20 seconds, for a day, is forgiven', () => {
    const clock = manualClock();
    const strikes = new Strikes(limits, clock);
    for (let sent = 0; sent < 4320; sent += 1) {
      assert.equal(strikes.add(), false, `message ${sent}`);
      clock.advance(20_000);
    }
  });

  test('a little faster than forgiven ends the connection in the end', () => {
    const clock = manualClock();
    const strikes = new Strikes(limits, clock);
    let sent = 0;
    while (!strikes.add()) {
      sent += 1;
      assert(sent < 100, 'never ended');
      clock.advance(15_000);
    }
    assert(sent >= limits.strikesMax);
  });

  test('there is no edge between two windows to hide at', () => {
    const clock = manualClock();
    const strikes = new Strikes(limits, clock);
    clock.advance(59_999);
    for (const _ of [1, 2, 3]) strikes.add();
    clock.advance(2);
    assert.equal(strikes.add(), true);
  });

  test('a long silence forgives all, and no more than all', () => {
    const clock = manualClock();
    const strikes = new Strikes(limits, clock);
    for (const _ of [1, 2, 3]) strikes.add();
    clock.advance(86_400_000);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => strikes.add()),
      [false, false, false, true],
    );
  });
});
