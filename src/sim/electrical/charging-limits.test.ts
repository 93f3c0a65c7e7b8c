/**
 * Goal: profiles of all versions make the limit that the specification says.
 * Method: profiles are set by hand, and the limit is asked for at chosen moments.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../ocpp/message.ts';
import { ChargingLimits, profileMatcher } from './charging-limits.ts';
import { readChargingProfile } from './charging-profile.ts';
import { acRating } from './electrical.ts';

const transaction = { id: '7', startMs: 0 };

function profile(id: number, purpose: string, limit: number, rest: JsonObject = {}): JsonObject {
  return {
    chargingProfileId: id,
    stackLevel: 0,
    chargingProfilePurpose: purpose,
    chargingProfileKind: 'Absolute',
    chargingSchedule: {
      chargingRateUnit: 'W',
      chargingSchedulePeriod: [{ startPeriod: 0, limit }],
    },
    ...rest,
  };
}

function limitsOf(...profiles: readonly (readonly [number, JsonObject])[]): ChargingLimits {
  const limits = new ChargingLimits(acRating);
  for (const [connectorId, source] of profiles) {
    limits.set(readChargingProfile(connectorId, source, 0));
  }
  return limits;
}

test('without a profile there is no limit', () => {
  const limitW = limitsOf().limitW({ connectorId: 1, atMs: 0, sharing: 1 });
  assert.equal(limitW, Number.POSITIVE_INFINITY);
});

test('a TxProfile goes before a TxDefaultProfile, and the station bounds both', () => {
  const limits = limitsOf(
    [0, profile(1, 'TxDefaultProfile', 3000)],
    [1, profile(2, 'TxProfile', 9000)],
    [0, profile(3, 'ChargePointMaxProfile', 10_000)],
  );
  const question = { connectorId: 1, atMs: 1000, transaction };
  assert.equal(limits.limitW({ ...question, sharing: 1 }), 9000);
  assert.equal(limits.limitW({ ...question, sharing: 2 }), 5000);
  assert.equal(limits.limitW({ connectorId: 1, atMs: 1000, sharing: 1 }), 3000);
  limits.endTransaction('7', 1);
  assert.equal(limits.limitW({ ...question, sharing: 1 }), 3000);
});

test('the highest stack level that has something to say counts', () => {
  const high = {
    stackLevel: 5,
    chargingSchedule: {
      duration: 60,
      startSchedule: '1970-01-01T00:00:00Z',
      chargingRateUnit: 'A',
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 6, numberPhases: 3 },
        { startPeriod: 30, limit: 16, numberPhases: 1 },
      ],
    },
  };
  const limits = limitsOf(
    [0, profile(1, 'TxDefaultProfile', 7000)],
    [0, profile(2, 'TxDefaultProfile', 0, high)],
  );
  const at = (seconds: number): number =>
    limits.limitW({ connectorId: 1, atMs: seconds * 1000, sharing: 1, transaction });
  assert.deepEqual([at(0), at(29), at(30), at(60)], [4140, 4140, 3680, 7000]);
  const composite = limits.composite({ connectorId: 1, atMs: 0, sharing: 1, transaction }, 90, 'W');
  assert.deepEqual(composite, [
    { startPeriod: 0, limit: 4140 },
    { startPeriod: 30, limit: 3680 },
    { startPeriod: 60, limit: 7000 },
  ]);
});

test('clearing follows the criteria', () => {
  const limits = limitsOf(
    [0, profile(1, 'TxDefaultProfile', 1)],
    [1, profile(2, 'TxDefaultProfile', 2)],
    [0, profile(3, 'ChargePointMaxProfile', 3)],
  );
  assert.equal(limits.clear(profileMatcher({ id: 9 })), 0);
  assert.equal(limits.clear(profileMatcher({ connectorId: 1 })), 1);
  assert.equal(limits.clear(profileMatcher({ chargingProfilePurpose: 'TxDefaultProfile' })), 1);
  assert.equal(limits.clear(profileMatcher({})), 1);
});

test('a station keeps a bounded number of profiles', () => {
  const limits = limitsOf();
  const results = Array.from({ length: 60 }, (_, id) =>
    limits.set(readChargingProfile(1, profile(id, 'TxDefaultProfile', 1, { stackLevel: id }), 0)),
  );
  assert.equal(results.filter(Boolean).length, 50);
});
