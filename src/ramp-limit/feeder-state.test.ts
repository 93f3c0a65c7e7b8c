import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type FeederState,
  feederStateText,
  freshFeederState,
  limitsAt,
  partOf,
  rampLanes,
  savedFeederState,
} from './feeder-state.ts';
import type { Feeder } from './feeders.ts';
import { dimensions, type Limits } from './ledger.ts';
import { noChange } from './load-change.ts';
import { calm } from './oscillation.ts';

// Goal: the limits of a feeder are its budgets, changed by what operators and oscillation do to them,
// and never above its ceiling.
// Method: one feeder in each of its states, for each lane; then texts that nobody has written.

const none: Limits = { commandsMilli: undefined, upW: undefined, downW: undefined };
const nowMs = 1_000_000;

const feeder: Feeder = {
  name: 'street',
  parent: undefined,
  chargerRatedW: undefined,
  intervalMs: 10_000,
  budget: { commandsMilli: 4000, upW: 50_001, downW: 70_000 },
  ceiling: none,
  reserve: { commandsMilli: 1000, upW: 5000, downW: 0 },
};
const limitsOf = (
  state: FeederState,
  lane: Parameters<typeof limitsAt>[3] = 'ordinary',
  of: Partial<Feeder> = {},
): Limits => limitsAt({ ...feeder, ...of }, state, nowMs, lane).limits;

const slowed = (untilMs: number): FeederState => ({
  ...freshFeederState,
  oscillation: { ...calm, slowedUntilMs: untilMs },
});
const lifted = (limits: Partial<Limits>, untilMs: number): FeederState => ({
  ...freshFeederState,
  lift: { limits: { ...none, ...limits }, untilMs },
});

describe('the limits of a feeder', () => {
  test('are its budgets, and the reserve with them for emergencies', () => {
    assert.deepEqual(limitsOf(freshFeederState), feeder.budget);
    assert.deepEqual(limitsOf(freshFeederState, 'released'), feeder.budget);
    assert.deepEqual(limitsOf(freshFeederState, 'emergency'), {
      commandsMilli: 5000,
      upW: 55_001,
      downW: 70_000,
    });
  });

  test('are none where there is no budget, for emergencies as well', () => {
    for (const lane of rampLanes) {
      assert.deepEqual(limitsOf(freshFeederState, lane, { budget: none }), none);
    }
  });

  test('are never above the ceiling', () => {
    const ceiling = { commandsMilli: 4500, upW: 50_500, downW: 70_500 };
    assert.deepEqual(limitsOf(freshFeederState, 'ordinary', { ceiling }), feeder.budget);
    assert.deepEqual(limitsOf(freshFeederState, 'emergency', { ceiling }), {
      ...ceiling,
      downW: 70_000,
    });
    for (const lane of rampLanes) {
      assert.deepEqual(limitsOf(freshFeederState, lane, { budget: none, ceiling }), ceiling);
      const state = lifted({ commandsMilli: 9000, upW: 9e6 }, nowMs + 1);
      assert.deepEqual(limitsOf(state, lane, { ceiling }), ceiling);
    }
    const allowance = limitsAt({ ...feeder, ceiling }, freshFeederState, nowMs, 'ordinary');
    assert.deepEqual(allowance.ceiling, ceiling);
  });
});

describe('an operator who lifts a feeder', () => {
  const limits = { commandsMilli: 8000, upW: 90_000, downW: 1000 };

  test('sets other budgets, up or down, until the time is over', () => {
    assert.deepEqual(limitsOf(lifted(limits, nowMs + 1)), limits);
    assert.deepEqual(limitsOf(lifted(limits, nowMs)), feeder.budget);
  });

  test('may take a limit away', () => {
    assert.deepEqual(limitsOf(lifted({ upW: 1 }, nowMs + 1)), { ...none, upW: 1 });
  });

  test('leaves emergencies their reserve', () => {
    assert.equal(limitsOf(lifted(limits, nowMs + 1), 'emergency').commandsMilli, 9000);
  });
});

describe('a feeder that oscillates', () => {
  test('has half of its budgets until it is calm, but for emergencies', () => {
    const half = { commandsMilli: 2000, upW: 25_000, downW: 35_000 };
    assert.deepEqual(limitsOf(slowed(nowMs + 1)), half);
    assert.deepEqual(limitsOf(slowed(nowMs + 1), 'released'), half);
    assert.deepEqual(limitsOf(slowed(nowMs)), feeder.budget);
    assert.deepEqual(
      limitsOf(slowed(nowMs + 1), 'emergency'),
      limitsOf(freshFeederState, 'emergency'),
    );
  });

  test('has half of what an operator has lifted it to', () => {
    const state = { ...slowed(nowMs + 1), ...{ lift: lifted({ upW: 9000 }, nowMs + 1).lift } };
    assert.deepEqual(limitsOf(state), { ...none, upW: 4500 });
  });

  for (const [budget, left] of [
    [2000, 1000],
    [1999, 1000],
    [1000, 1000],
    [600, 600],
    [2001, 1000],
    [3000, 1500],
  ] as const) {
    test(`still lets ${left} of ${budget} thousandths of a command through`, () => {
      const of = { budget: { ...none, commandsMilli: budget } };
      assert.deepEqual(limitsOf(slowed(nowMs + 1), 'ordinary', of), {
        ...none,
        commandsMilli: left,
      });
    });
  }
});

describe('the part of a budget that a change takes', () => {
  test('is the largest of all dimensions', () => {
    const limits = { commandsMilli: 2000, upW: 10_000, downW: 20_000 };
    const change = { commandsMilli: 1000, upW: 2000, downW: 15_000 };
    assert.equal(partOf(change, limits), 0.75);
    assert.equal(partOf({ ...change, downW: 0 }, limits), 0.5);
    assert.equal(partOf(noChange, limits), 0);
  });

  test('is nothing where there is no limit', () => {
    const change = { commandsMilli: 1000, upW: 2000, downW: 15_000 };
    assert.equal(partOf(change, none), 0);
    assert.equal(partOf(change, { ...none, upW: 0 }), 0);
  });
});

describe('the state of a feeder', () => {
  const limit = fc.option(fc.integer({ min: 0 }), { nil: undefined });
  const lift = fc
    .tuple(limit, limit, limit, fc.nat())
    .map(([commandsMilli, upW, downW, untilMs]) => {
      return { limits: { commandsMilli, upW, downW }, untilMs };
    });
  const state = fc
    .tuple(fc.option(lift, { nil: undefined }), fc.nat())
    .map(([lift, slowedUntilMs]): FeederState => {
      return { lift, oscillation: { ...calm, slowedUntilMs } };
    });

  test('comes back as it was stored', () => {
    fc.assert(
      fc.property(state, (one) => assert.deepEqual(savedFeederState(feederStateText(one)), one)),
    );
    assert.deepEqual(savedFeederState(undefined), freshFeederState);
  });

  test('that is damaged is as good as none', () => {
    const texts = ['', '{', 'null', '7', '"text"', '[]', '{}', '{"lift":null,"oscillation":[]}'];
    for (const text of texts) assert.deepEqual(savedFeederState(text), freshFeederState, text);
    for (const lift of ['7', '{"limits":{"upW":9}}', '{"untilMs":"9e99","limits":7}']) {
      const saved = savedFeederState(`{"lift":${lift}}`);
      assert.deepEqual(limitsOf(saved), feeder.budget, lift);
    }
  });

  test('lifts nothing when one of its limits cannot be read, and what is null has none', () => {
    const lifted = (limits: string) =>
      savedFeederState(`{"lift":{"untilMs":${nowMs + 1},"limits":${limits}}}`).lift;
    for (const limits of [
      '{"upW":-1,"downW":null,"commandsMilli":null}',
      '{"upW":0.5,"downW":null,"commandsMilli":null}',
      '{"upW":null,"downW":null,"commandsMilli":"7"}',
      '{"upW":1,"downW":1}',
      'null',
    ]) {
      assert.equal(lifted(limits), undefined, limits);
    }
    const read = lifted('{"upW":7,"downW":null,"commandsMilli":null}');
    assert.deepEqual(read?.limits, { commandsMilli: undefined, upW: 7, downW: undefined });
  });

  test('never brings a limit above the ceiling, or one that is no number, whatever it says', () => {
    const ceiling = { commandsMilli: 4000, upW: 60_000, downW: 70_000 };
    const hostile = fc.jsonValue();
    const damagedLift = fc.record(
      {
        untilMs: fc.constant(nowMs + 1),
        limits: fc.oneof(hostile, fc.record({ upW: hostile, downW: hostile })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(hostile, damagedLift), hostile, (one, other) => {
        const saved = savedFeederState(JSON.stringify({ lift: one, oscillation: other }));
        for (const lane of rampLanes) {
          const limits = limitsOf(saved, lane, { ceiling });
          for (const dimension of dimensions) {
            const least = limits[dimension];
            assert.ok(least !== undefined && least >= 0 && least <= ceiling[dimension]);
          }
        }
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.deepEqual(limitsOf(savedFeederState(text)), feeder.budget);
      }),
    );
  });
});
