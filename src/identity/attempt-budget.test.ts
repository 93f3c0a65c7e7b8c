import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ManualClock, manualClock } from '../../test/support/manual-clock.ts';
import {
  AttemptBudget,
  type AttemptLimits,
  type Guess,
  knownPairAttemptsMax,
  recallsMax,
} from './attempt-budget.ts';

// Goal: each budget holds by itself, only failures count, and a known pair has one of its own.
// Method: a clock that stands still, so that the bounds are exact.

const limits = { perSourceMax: 3, perIdentityMax: 3, overallMax: 6, windowSeconds: 60 };

function budget(changes: Partial<AttemptLimits> = {}, clock: ManualClock = manualClock()) {
  return new AttemptBudget({ ...limits, ...changes }, clock);
}

function guess(source: string, identityKey: string, isKnownPair = false): Guess {
  return { source, identityKey, isKnownPair };
}

/** How many of `guesses` may be checked, if all of them are wrong. */
function failuresOf(attempts: AttemptBudget, guesses: readonly Guess[]): number {
  return guesses.filter((one) => attempts.reserve(one).is === 'reserved').length;
}

const many = Array.from({ length: 50 }, (_, index) => String(index));

describe('T2-02: wrong passwords', () => {
  test('from one source, for many identities', () => {
    const attempts = budget();
    assert.equal(
      failuresOf(
        attempts,
        many.map((id) => guess('s', id)),
      ),
      3,
    );
    assert.equal(attempts.reserve(guess('other', '1')).is, 'reserved');
  });

  test('for one identity, from many sources', () => {
    const attempts = budget();
    assert.equal(
      failuresOf(
        attempts,
        many.map((source) => guess(source, 'cp')),
      ),
      3,
    );
    assert.equal(attempts.reserve(guess('1', 'other')).is, 'reserved');
  });

  test('from many sources for many identities', () => {
    assert.equal(
      failuresOf(
        budget(),
        many.map((name) => guess(name, name)),
      ),
      6,
    );
  });

  test('what one budget refuses costs the others nothing', () => {
    const attempts = budget();
    assert.equal(
      failuresOf(
        attempts,
        many.map(() => guess('s', 'cp')),
      ),
      3,
    );
    // Three are left overall.
    assert.equal(
      failuresOf(
        attempts,
        many.map((name) => guess(name, name)),
      ),
      3,
    );
  });

  test('time forgives them, and says when', () => {
    const clock = manualClock();
    const attempts = budget({}, clock);
    failuresOf(
      attempts,
      many.map(() => guess('s', 'cp')),
    );
    assert.deepEqual(attempts.reserve(guess('s', 'cp')), {
      is: 'exhausted',
      retryAfterSeconds: 20,
    });
    assert.equal(attempts.secondsUntil(guess('s', 'cp')), 20);
    clock.advance(19_999);
    assert.deepEqual(attempts.reserve(guess('s', 'cp')), { is: 'exhausted', retryAfterSeconds: 1 });
    clock.advance(1);
    assert.equal(
      failuresOf(
        attempts,
        many.map(() => guess('s', 'cp')),
      ),
      1,
    );
  });

  test('in any window there are at most twice the budget, whatever the pace', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, (steps) => {
        const clock = manualClock();
        const attempts = budget({}, clock);
        const times: number[] = [];
        for (const step of steps) {
          clock.advance(step);
          if (attempts.reserve(guess('s', 'cp')).is === 'reserved') times.push(clock.elapsedMs());
        }
        for (const start of times) {
          const inWindow = times.filter((time) => time >= start && time < start + 60_000);
          assert(inWindow.length <= 6, String(inWindow));
        }
      }),
    );
  });
});

describe('right passwords', () => {
  test('cost nothing: what was reserved comes back to all three budgets', () => {
    const attempts = budget();
    for (let count = 0; count < 1000; count += 1) {
      const reservation = attempts.reserve(guess('nat', `cp-${count}`));
      assert(reservation.is === 'reserved');
      reservation.giveBack();
    }
    assert.equal(
      failuresOf(
        attempts,
        many.map((id) => guess('nat', id)),
      ),
      3,
    );
  });

  test('while they are checked, their tokens are not there for others', () => {
    const attempts = budget({ perSourceMax: 1 });
    const reservation = attempts.reserve(guess('s', 'cp'));
    assert(reservation.is === 'reserved');
    assert.equal(attempts.reserve(guess('s', 'cp')).is, 'exhausted');
    reservation.giveBack();
    assert.equal(attempts.reserve(guess('s', 'cp')).is, 'reserved');
  });
});

describe('a known pair', () => {
  const known = guess('s', 'cp', true);

  test('has a small budget of its own when the others are used up', () => {
    const attempts = budget();
    failuresOf(
      attempts,
      many.map((name) => guess('s', name)),
    );
    assert.equal(attempts.reserve(guess('s', 'cp')).is, 'exhausted');
    assert.equal(attempts.secondsUntil(known), 0);
    assert.equal(
      failuresOf(
        attempts,
        many.map(() => known),
      ),
      knownPairAttemptsMax,
    );
    assert(attempts.secondsUntil(known) > 0);
  });

  test('uses the others first, and gives back what it took', () => {
    const attempts = budget();
    assert.equal(
      failuresOf(
        attempts,
        many.map(() => known),
      ),
      3 + knownPairAttemptsMax,
    );
    const fresh = budget();
    failuresOf(
      fresh,
      many.map((name) => guess('s', name)),
    );
    for (let count = 0; count < 100; count += 1) {
      const reservation = fresh.reserve(known);
      assert(reservation.is === 'reserved');
      reservation.giveBack();
    }
  });

  test('says the shorter time', () => {
    const attempts = budget({ windowSeconds: 60 });
    failuresOf(
      attempts,
      many.map(() => known),
    );
    // 60 / 5 for the pair; 60 / 3 for the source.
    assert.equal(attempts.secondsUntil(known), 12);
    assert.equal(attempts.secondsUntil(guess('s', 'cp')), 20);
  });

  test('may be compared with what is remembered a number of times, and strangers never', () => {
    const attempts = budget();
    assert(!attempts.mayRecall(guess('s', 'cp')));
    for (let count = 0; count < recallsMax; count += 1) attempts.noteWrongRecall(guess('s', 'cp'));
    for (let count = 0; count < recallsMax; count += 1) {
      assert(attempts.mayRecall(known));
      attempts.noteWrongRecall(known);
    }
    assert(!attempts.mayRecall(known));
    assert(attempts.mayRecall(guess('s', 'other', true)));
    assert(attempts.mayRecall(guess('other', 'cp', true)));
  });
});
