import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ocppVersions } from '../../ocpp/version.ts';
import { ChargingLimits } from '../../sim/electrical/charging-limits.ts';
import { readChargingProfile } from '../../sim/electrical/charging-profile.ts';
import { acRating } from '../../sim/electrical/electrical.ts';
import { scheduledSteps, stepsMax } from './schedule-steps.ts';
import {
  beginMs,
  maximumPurpose,
  momentAt,
  type ProfileText,
  profileText,
  TestCharger,
} from './test-charger.test.ts';

// Goal: every step that schedules make by themselves is known beforehand, at its moment.
// Method: schedules of each kind; and random ones, whose steps must add up to what the simulator
// says of the limits before and after.

const startSchedule = momentAt(0);
const limits = [
  [0, 5000],
  [60, 9000],
  [120, 7000],
] as const;

for (const version of ocppVersions) {
  const free = () => new TestCharger(version, ['Available']);

  describe(`the steps of ${version}`, () => {
    test('without a schedule there are none', () => {
      assert.deepEqual(free().steps(), []);
      assert.deepEqual(new TestCharger(version).steps(), []);
      assert.deepEqual(free().set({ limits: 5000 }).steps(), []);
    });

    test('T1-06: each period is one, as if a car were charging', () => {
      const expected = [
        [60, 4000, 0],
        [120, 0, 2000],
      ];
      const text = { limits, schedule: { startSchedule } };
      assert.deepEqual(free().set(text).steps(), expected);
      assert.deepEqual(free().begin(1).set(text).steps(), expected);
      assert.deepEqual(new TestCharger(version).set(text).steps(), expected);
      assert.deepEqual(free().set({ limits }).steps(), expected, 'from its acceptance on');
      assert.deepEqual(
        free().set(text).wait(60).steps(),
        expected.slice(1).map(() => [60, 0, 2000]),
      );
    });

    test('T1-06: beginning and end are steps, and so are those of validity', () => {
      const later = { limits: 5000, schedule: { startSchedule: momentAt(60), duration: 30 } };
      const expected = [
        [60, 0, 17_000],
        [90, 17_000, 0],
      ];
      assert.deepEqual(free().set(later).steps(), expected);
      const valid = { limits: 5000, rest: { validFrom: momentAt(60), validTo: momentAt(90) } };
      assert.deepEqual(free().set(valid).steps(), expected);
      const past = { limits, schedule: { startSchedule }, rest: { validTo: momentAt(60) } };
      assert.deepEqual(free().set(past).steps(), [[60, 17_000, 0]]);
    });

    test('T1-06: absolute schedules are followed as far as they say, to the millisecond', () => {
      const far = { limits: 0, schedule: { startSchedule: '2099-12-31T23:59:59.123Z' } };
      const { nowMs, view } = free().set(far).picture;
      const result = scheduledSteps(view.limits, { nowMs, ratedW: 9000, view }, free().options);
      const atMs = Date.parse('2099-12-31T23:59:59.123Z');
      const steps = [{ atMs, commandsMilli: 1000, upW: 0, downW: 9000 }];
      assert.deepEqual(result, { ok: true, value: steps });
    });

    test('T1-06: what recurs is followed for two days', () => {
      const text = { limits, kind: 'Recurring', schedule: { startSchedule, duration: 180 } };
      const daily = free().set({ ...text, rest: { recurrencyKind: 'Daily' } });
      const day = (from: number) => [
        [from + 60, 4000, 0],
        [from + 120, 0, 2000],
        [from + 180, 15_000, 0],
        [from + 86_400, 0, 17_000],
      ];
      assert.deepEqual(daily.steps(), [...day(0), ...day(86_400)]);
      const weekly = free().set({ ...text, rest: { recurrencyKind: 'Weekly' } });
      assert.deepEqual(weekly.steps(), day(0).slice(0, 3));
      assert.deepEqual(weekly.wait(6 * 86_400).steps()[0], [86_400, 0, 17_000]);
    });

    test('what follows a whole day without a pause goes on at the next', () => {
      const text = { limits, kind: 'Recurring', schedule: { startSchedule } };
      const daily = free()
        .set({ ...text, rest: { recurrencyKind: 'Daily' } })
        .wait(200);
      assert.deepEqual(daily.steps().slice(0, 2), [
        [86_200, 0, 2000],
        [86_260, 4000, 0],
      ]);
    });

    test('one that begins with a transaction has steps once there is one', () => {
      const charger = free().set({ limits, kind: 'Relative' });
      assert.deepEqual(charger.steps(), []);
      charger.wait(1000).begin(1).wait(30);
      assert.deepEqual(charger.steps(), [
        [30, 4000, 0],
        [90, 0, 2000],
      ]);
      assert.deepEqual(charger.end(1).steps(), []);
    });

    test('of several transactions, each has its own', () => {
      const charger = new TestCharger(version, ['Available', 'Available', 'Available']);
      charger.set({ place: 0, kind: 'Relative', limits }).begin(1).wait(10).begin(2).wait(20);
      assert.deepEqual(charger.steps(), [
        [30, 4000, 0],
        [40, 4000, 0],
        [90, 0, 2000],
        [100, 0, 2000],
      ]);
    });

    test('one of a transaction has steps as long as that is open', () => {
      const transactionId = version === 'ocpp1.6' ? 1 : '1';
      const text = {
        limits,
        purpose: 'TxProfile',
        schedule: { startSchedule },
        rest: { transactionId },
      };
      const charger = free().begin(1).set(text);
      assert.deepEqual(charger.steps().length, 2);
      const other = free().begin(1, 9).set(text);
      assert.deepEqual(other.steps(), []);
      assert.deepEqual(charger.end(1).steps(), []);
    });

    test('steps of several places at one moment are one', () => {
      const charger = new TestCharger(version, ['Available', 'Available', 'Available']);
      charger.set({ place: 0, limits, schedule: { startSchedule } });
      assert.deepEqual(charger.steps(), [
        [60, 12_000, 0],
        [120, 0, 6000],
      ]);
      charger.set({
        id: 2,
        place: 1,
        limits: [
          [0, 9000],
          [60, 5000],
        ],
        schedule: { startSchedule },
      });
      assert.deepEqual(charger.steps(), [
        [60, 8000, 4000],
        [120, 0, 4000],
      ]);
      charger.ratedW = 10_000;
      assert.deepEqual(charger.steps()[0], [60, 8000, 4000]);
    });

    test('they are no larger than the charger', () => {
      const charger = new TestCharger(version, ['Available', 'Available', 'Available']);
      charger.ratedW = 10_000;
      charger.set({
        place: 0,
        limits: [
          [0, 0],
          [60, 9000],
        ],
        schedule: { startSchedule },
      });
      assert.deepEqual(charger.steps(), [[60, 10_000, 0]]);
    });

    test('the maximum of the charger steps once, not for each place', () => {
      const charger = new TestCharger(version, ['Available', 'Available']);
      charger.set({
        place: 0,
        purpose: maximumPurpose(version),
        limits,
        schedule: { startSchedule },
      });
      assert.deepEqual(charger.steps(), [
        [60, 4000, 0],
        [120, 0, 2000],
      ]);
    });

    test('what is hidden behind a higher rank makes no step', () => {
      const charger = free().set({ limits, schedule: { startSchedule } });
      charger.set({
        id: 2,
        stackLevel: 1,
        limits: 6000,
        schedule: { startSchedule, duration: 100 },
      });
      assert.deepEqual(charger.steps(), [
        [100, 3000, 0],
        [120, 0, 2000],
      ]);
    });

    test('the part of all that a step moves is its part of a command', () => {
      const charger = free().set({
        limits: [
          [0, 0],
          [1, 9000],
          [2, 8100],
          [3, 8100],
        ],
        schedule: { startSchedule },
      });
      const { picture } = charger;
      const result = scheduledSteps(picture.view.limits, picture, charger.options);
      assert.deepEqual(
        result.ok && result.value.map(({ commandsMilli }) => commandsMilli),
        [1000, 100],
      );
    });

    test('more than can be watched are a problem', () => {
      const many = Array.from({ length: 300 }, (_, at) => [at, 5000 + (at % 2)] as const);
      const charger = free();
      for (const id of [1, 2]) {
        charger.set({
          id,
          place: id,
          limits: many,
          schedule: { startSchedule: momentAt(id * 400) },
        });
      }
      assert.equal(charger.steps().length, stepsMax);
      charger.set({
        id: 2,
        place: 2,
        limits: many,
        schedule: { startSchedule: momentAt(800), duration: 300 },
      });
      const { picture } = charger;
      assert.deepEqual(scheduledSteps(picture.view.limits, picture, charger.options), {
        ok: false,
        error: {
          code: 'RAMP_PROFILE_INVALID',
          detail: 'there are more steps than can be watched',
        },
      });
    });

    test('T3-17: what is out of order may do anything where it says that it steps', () => {
      const charger = free().set({
        limits: [
          [0, 5000],
          [60, 5000],
          [30, 5000],
        ],
        schedule: { startSchedule },
      });
      assert.deepEqual(charger.steps(), [
        [30, 22_000, 22_000],
        [60, 22_000, 22_000],
      ]);
    });
  });
}

describe('the limits of others', () => {
  test('they step as well', () => {
    const charger = new TestCharger('ocpp2.0.1', ['Available']);
    const chargingSchedulePeriod = [
      { startPeriod: 0, limit: 5000 },
      { startPeriod: 60, limit: 9000 },
    ];
    charger.talk.open('charger', 'NotifyChargingLimit', {
      chargingLimit: { chargingLimitSource: 'EMS' },
      chargingSchedule: [{ id: 1, startSchedule, chargingRateUnit: 'W', chargingSchedulePeriod }],
    });
    assert.deepEqual(charger.steps(), [[60, 4000, 0]]);
  });
});

describe('another reading of OCPP', () => {
  /** Profiles that have one meaning, with limits that no car is too weak for. */
  const profiles = fc.array(
    fc.record({
      isMaximum: fc.boolean(),
      kind: fc.constantFrom('Absolute', 'Recurring'),
      recurrencyKind: fc.constantFrom('Daily', 'Weekly'),
      startSeconds: fc.integer({ min: -200_000, max: 100_000 }),
      duration: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
      validFrom: fc.option(fc.integer({ min: -1000, max: 100_000 }), { nil: undefined }),
      validTo: fc.option(fc.integer({ min: -1000, max: 100_000 }), { nil: undefined }),
      seconds: fc.uniqueArray(fc.integer({ min: 1, max: 90_000 }), { maxLength: 5 }),
      watts: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 4140, max: 30_000 })), {
        minLength: 6,
        maxLength: 6,
      }),
    }),
    { maxLength: 5 },
  );

  for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
    test(`${version}: the steps up to a moment are the difference of the limits`, () => {
      fc.assert(
        fc.property(profiles, fc.integer({ min: 0, max: 172_800 }), (many, untilSeconds) => {
          const charger = new TestCharger(version, ['Available']);
          const simulated = new ChargingLimits(acRating);
          let maxima = 0;
          for (const [index, one] of many.entries()) {
            maxima += one.isMaximum ? 1 : 0;
            if (one.isMaximum && maxima > 1) continue;
            const isRecurring = one.kind === 'Recurring';
            // Whether one recurs before its first time is open; so it begins in the past.
            const start = isRecurring ? -Math.abs(one.startSeconds) : one.startSeconds;
            const at = (seconds: number | undefined) =>
              seconds === undefined ? undefined : momentAt(seconds);
            const order = [0, ...one.seconds].sort((first, second) => first - second);
            const text: ProfileText = {
              id: index + 1,
              place: one.isMaximum ? 0 : 1,
              purpose: one.isMaximum ? maximumPurpose(version) : 'TxDefaultProfile',
              kind: one.kind,
              stackLevel: index,
              limits: order.map((second, period) => [second, one.watts[period] ?? 0]),
              schedule: { startSchedule: momentAt(start), duration: one.duration },
              rest: {
                recurrencyKind: isRecurring ? one.recurrencyKind : undefined,
                validFrom: at(one.validFrom),
                validTo: at(one.validTo),
              },
            };
            charger.set(text);
            simulated.set(
              readChargingProfile(text.place ?? 1, profileText(version, text), beginMs),
            );
          }
          const limitW = (seconds: number) =>
            Math.min(
              22_000,
              simulated.limitW({ connectorId: 1, atMs: beginMs + seconds * 1000, sharing: 1 }),
            );
          const moved = charger
            .steps()
            .filter(([seconds]) => seconds <= untilSeconds)
            .reduce((sum, [, upW, downW]) => sum + upW - downW, 0);
          assert.equal(moved, limitW(untilSeconds) - limitW(0));
        }),
        { numRuns: 500 },
      );
    });
  }
});
