import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ChargingLimits, profileMatcher } from '../../sim/electrical/charging-limits.ts';
import { readChargingProfile } from '../../sim/electrical/charging-profile.ts';
import { milliOf } from './limit-change.ts';
import {
  beginMs,
  maximumPurpose,
  type ProfileText,
  profileText,
  setPayload,
  TestCharger,
} from './test-charger.test.ts';

// Goal: whatever cars do under the limits before and after a command, the load moves by no more
// than was counted.
// Method: random profiles, and cars that take random shares of what the simulator says they may, on
// one to three phases; two places share what the charger may take.

const placeW = 22_000;
const maximum = 'maximum';

const profile = fc.record({
  place: fc.integer({ min: 0, max: 2 }),
  purpose: fc.constantFrom('TxDefaultProfile', 'TxProfile', maximum),
  stackLevel: fc.integer({ min: 0, max: 2 }),
  unit: fc.constantFrom('A' as const, 'W' as const),
  limits: fc.oneof(
    fc.integer({ min: 0, max: 30_000 }),
    fc.tuple(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 30_000 })),
  ),
});
const cars = fc.array(
  fc.record({
    phases: fc.constantFrom(1 as const, 2 as const, 3 as const),
    wantedW: fc.oneof(fc.constant(placeW), fc.integer({ min: 0, max: placeW })),
  }),
  { minLength: 2, maxLength: 2 },
);

interface Car {
  readonly phases: 1 | 2 | 3;
  readonly wantedW: number;
}
interface Placed {
  readonly id: number;
  readonly text: ProfileText;
}

function textOf(version: 'ocpp1.6' | 'ocpp2.0.1', one: Drawn, id: number): Placed {
  const isMaximum = one.purpose === maximum;
  const amperes = (watts: number) => (one.unit === 'A' ? watts % 40 : watts);
  const [first, second] = typeof one.limits === 'number' ? [one.limits, undefined] : one.limits;
  const text: ProfileText = {
    id,
    place: isMaximum ? 0 : one.purpose === 'TxProfile' ? Math.max(1, one.place) : one.place,
    purpose: isMaximum ? maximumPurpose(version) : one.purpose,
    // Of one rank there is one profile, as chargers have it.
    stackLevel: one.stackLevel * 10 + id,
    unit: one.unit,
    limits:
      second === undefined
        ? amperes(first)
        : [
            [0, amperes(first)],
            [30, amperes(second)],
          ],
  };
  return { id, text };
}

type Drawn = typeof profile extends fc.Arbitrary<infer One> ? One : never;

/** What cars take that want what they want, under profiles, by the simulator's reading. */
function taken(
  version: 'ocpp1.6' | 'ocpp2.0.1',
  profiles: readonly Placed[],
  drawn: readonly Car[],
): number {
  const atMs = beginMs + 60_000;
  const loads = drawn.map(({ phases, wantedW }, index) => {
    const own = new ChargingLimits({ supply: 'AC', powerKwMax: 22, phases, batteryKwh: 60 });
    for (const { text } of profiles) {
      if (text.place === 0 && text.purpose === maximumPurpose(version)) continue;
      own.set(readChargingProfile(text.place ?? 0, profileText(version, text), beginMs));
    }
    const transaction = { id: `${index + 1}`, startMs: beginMs };
    const limitW = own.limitW({ connectorId: index + 1, atMs, sharing: 1, transaction });
    const mayW = Math.min(limitW, phases * 32 * 230);
    return Math.min(wantedW, mayW < 6 * 230 * phases ? 0 : mayW);
  });
  const all = new ChargingLimits({ supply: 'AC', powerKwMax: 44, phases: 3, batteryKwh: 60 });
  for (const { text } of profiles) {
    if (text.purpose !== maximumPurpose(version)) continue;
    all.set(readChargingProfile(0, profileText(version, text), beginMs));
  }
  const stationW = all.limitW({ connectorId: 1, atMs, sharing: 1 });
  return Math.min(
    loads.reduce((sum, watts) => sum + watts),
    stationW,
  );
}

/** Of several maxima the simulator takes the lowest, whatever their rank. */
function withOneMaximum(profiles: readonly Placed[]): readonly Placed[] {
  const isMaximum = ({ text }: Placed) => /Max/.test(text.purpose ?? '');
  const first = profiles.find(isMaximum);
  return profiles.filter((one) => !isMaximum(one) || one === first);
}

for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
  describe(`what cars do in ${version}`, () => {
    const charged = (drawn: readonly Drawn[]) => {
      const before = withOneMaximum(drawn.map((one, index) => textOf(version, one, index + 1)));
      const charger = new TestCharger(version, ['Available', 'Available']).begin(1).begin(2);
      for (const { text } of before) charger.set(text);
      return { before, charger: charger.wait(60) };
    };
    const many = fc.array(profile, { maxLength: 5 });

    test('T1-04: a new profile moves no more than was counted', () => {
      fc.assert(
        fc.property(many, profile, fc.integer({ min: 0, max: 5 }), cars, (drawn, one, at, two) => {
          const { before, charger } = charged(drawn);
          // In place of another, or beside it.
          const replaced = before[at];
          const next = textOf(version, one, replaced?.id ?? 9);
          const isMaximum = one.purpose === maximum;
          if (isMaximum && withOneMaximum([...before, next]).length <= before.length) return;
          const after = [...before.filter((other) => other !== replaced), next];
          const flat = { ...next, text: { ...next.text, limits: 9000 } };
          const text = typeof next.text.limits === 'number' ? next.text : flat.text;
          const placed = [...after.slice(0, -1), { id: next.id, text }];
          const { now } = charger.estimate('SetChargingProfile', setPayload(version, text));
          const movedW = taken(version, placed, two) - taken(version, before, two);
          assert.ok(movedW <= now.upW, `rises by ${movedW}, counted ${now.upW}`);
          assert.ok(-movedW <= now.downW, `falls by ${-movedW}, counted ${now.downW}`);
        }),
        { numRuns: 1000 },
      );
    });

    test('T1-05: a clearing moves no more than was counted', () => {
      const criteria = fc.record(
        {
          id: fc.integer({ min: 1, max: 5 }),
          place: fc.integer({ min: 0, max: 2 }),
          purpose: fc.constantFrom('TxDefaultProfile', 'TxProfile', maximumPurpose(version)),
          stackLevel: fc.integer({ min: 0, max: 25 }),
        },
        { requiredKeys: [] },
      );
      fc.assert(
        fc.property(many, criteria, cars, (drawn, { id, place, purpose, stackLevel }, two) => {
          const { before, charger } = charged(drawn);
          const rest = { chargingProfilePurpose: purpose, stackLevel };
          const payload =
            version === 'ocpp1.6'
              ? { id, connectorId: place, ...rest }
              : { chargingProfileId: id, chargingProfileCriteria: { evseId: place, ...rest } };
          const { now } = charger.estimate('ClearChargingProfile', payload);
          const isCleared = profileMatcher({ id, evseId: place, ...rest });
          const after = before.filter(({ text }) => {
            const source = profileText(version, text);
            return !isCleared(readChargingProfile(text.place ?? 0, source, beginMs));
          });
          const movedW = taken(version, after, two) - taken(version, before, two);
          assert.ok(movedW <= now.upW, `rises by ${movedW}, counted ${now.upW}`);
          assert.ok(-movedW <= now.downW, `falls by ${-movedW}, counted ${now.downW}`);
        }),
        { numRuns: 1000 },
      );
    });
  });
}

test('a part of all is rounded up, and no more than all', () => {
  const cases = [
    [0, 100, 0],
    [5, 0, 0],
    [1, 10, 100],
    [1, 1e12, 1],
    [1, 3, 334],
    [100, 100, 1000],
    [200, 100, 1000],
    [-5, 100, 0],
  ] as const;
  for (const [watts, whole, expected] of cases) assert.equal(milliOf(watts, whole), expected);
});
