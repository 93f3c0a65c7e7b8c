import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ChargingLimits } from '../../sim/electrical/charging-limits.ts';
import { readChargingProfile } from '../../sim/electrical/charging-profile.ts';
import type { ElectricalRating } from '../../sim/electrical/electrical.ts';
import {
  beginMs,
  limitOf,
  maximumPurpose,
  momentAt,
  type ProfileText,
  profileText,
  TestCharger,
} from './test-charger.test.ts';

// Goal: the range of the limit holds whatever a charger makes of its profiles.
// Method: random profiles, of which the simulator has a reading of its own: it must be in the range.

describe('another reading of OCPP', () => {
  const rating: ElectricalRating = { supply: 'AC', powerKwMax: 22, phases: 3, batteryKwh: 60 };

  /** Profiles that have one meaning, or several of which the simulator has one. */
  const profiles = fc.array(
    fc.record({
      place: fc.integer({ min: 0, max: 2 }),
      purpose: fc.constantFrom('TxDefaultProfile', 'TxDefaultProfile', 'TxProfile', 'maximum'),
      kind: fc.constantFrom('Absolute', 'Recurring', 'Relative'),
      stackLevel: fc.integer({ min: 0, max: 3 }),
      unit: fc.constantFrom('A' as const, 'W' as const),
      limits: fc
        .array(fc.tuple(fc.integer({ min: 1, max: 7200 }), fc.integer({ min: 0, max: 22_000 })), {
          maxLength: 4,
        })
        .map((pairs) => {
          const seconds = [0, ...pairs.map(([second]) => second).sort((a, b) => a - b)];
          return [...new Set(seconds)].map((second, index) => {
            return [second, pairs[index]?.[1] ?? 5000] as const;
          });
        }),
      startSeconds: fc.option(fc.integer({ min: -100_000, max: 7200 }), { nil: undefined }),
      duration: fc.option(fc.integer({ min: 1, max: 90_000 }), { nil: undefined }),
      recurrencyKind: fc.constantFrom('Daily', 'Weekly'),
      validSeconds: fc.option(fc.integer({ min: -3600, max: 3600 }), { nil: undefined }),
    }),
    { maxLength: 6 },
  );

  for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
    test(`${version}: what the simulator takes for the limit is one of the possible ones`, () => {
      fc.assert(
        fc.property(profiles, fc.integer({ min: 0, max: 7200 }), fc.boolean(), (many, at, isOn) => {
          const charger = new TestCharger(version, ['Available', 'Available']);
          const simulated = new ChargingLimits(rating);
          if (isOn) charger.begin(1);
          let hasMaximum = false;
          for (const [index, one] of many.entries()) {
            const isMaximum = one.purpose === 'maximum';
            // Of several maxima the simulator takes the lowest, whatever their rank.
            if (isMaximum && hasMaximum) continue;
            hasMaximum ||= isMaximum;
            const place = isMaximum ? 0 : one.purpose === 'TxProfile' ? 1 : one.place;
            const amperes = one.unit === 'A';
            const text: ProfileText = {
              // Two of one rank are no valid state, and the simulator takes the last.
              id: index + 1,
              place,
              purpose: isMaximum ? maximumPurpose(version) : one.purpose,
              kind: isMaximum && one.kind === 'Relative' ? 'Absolute' : one.kind,
              stackLevel: one.stackLevel * 10 + index,
              unit: one.unit,
              limits: one.limits.map(([second, watts]) => [second, amperes ? watts % 33 : watts]),
              schedule: {
                duration: one.duration,
                startSchedule:
                  one.startSeconds === undefined ? undefined : momentAt(one.startSeconds),
              },
              rest: {
                recurrencyKind: one.kind === 'Recurring' ? one.recurrencyKind : undefined,
                validFrom: one.validSeconds === undefined ? undefined : momentAt(one.validSeconds),
              },
            };
            charger.set(text);
            simulated.set(readChargingProfile(place, profileText(version, text), beginMs));
          }
          charger.wait(at);
          const [lowW, highW] = limitOf(charger);
          const transaction = isOn ? { id: '1', startMs: beginMs } : undefined;
          const question = { connectorId: 1, atMs: beginMs + at * 1000, sharing: 1, transaction };
          const limitW = Math.min(22_000, simulated.limitW(question));
          assert.ok(lowW <= limitW && limitW <= highW, `${lowW} <= ${limitW} <= ${highW}`);
        }),
        { numRuns: 600 },
      );
    });
  }
});
