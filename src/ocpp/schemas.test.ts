import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { actionsOf, isSendAction } from './actions.ts';
import { ownProperty } from './message.ts';
import { type PayloadSide, schemaErrors, schemaOf, schemaReport } from './schemas.ts';
import { ocppVersions } from './version.ts';

// Goal: every payload that can cross has a validator that really refuses something. (Another
// gateway's OCPP 2.1 validation was a silent no-op for years.)
// Method: ask every validator of every version about a payload that none may accept.

const sides: readonly PayloadSide[] = ['request', 'response'];

describe('D9: schemas', () => {
  for (const version of ocppVersions) {
    for (const action of actionsOf(version)) {
      test(`${version} ${action} has working validators`, () => {
        for (const side of sides) {
          if (isSendAction(version, action) && side === 'response') {
            assert.equal(schemaOf(version, action, side), undefined);
            continue;
          }
          assert(schemaOf(version, action, side), side);
          for (const impossible of [null, [], 'text', 1]) {
            const errors = schemaErrors(version, action, side, impossible);
            assert.notEqual(errors.length, 0, `${side} ${JSON.stringify(impossible)}`);
          }
          const extra = schemaErrors(version, action, side, { notInAnySchema: 1 });
          const keywords = extra.map(({ keyword }) => keyword);
          // DataTransfer of OCPP 2.x is the only one that could be open; it is not.
          assert(keywords.includes('additionalProperties'), side);
        }
      });
    }
  }

  test('a payload is never changed by being checked', () => {
    const payload = Object.freeze({ status: 'Accepted', extra: null });
    schemaErrors('ocpp1.6', 'ClearCache', 'response', payload);
    assert.deepEqual(payload, { status: 'Accepted', extra: null });
  });

  test('all departures are found, not just the first', () => {
    const payload = { chargePointVendor: 1, chargePointModel: 'x'.repeat(21), extra: 1 };
    const errors = schemaErrors('ocpp1.6', 'BootNotification', 'request', payload);
    const keywords = errors.map(({ keyword }) => keyword).sort();
    assert.deepEqual(keywords, ['additionalProperties', 'maxLength', 'type']);
  });

  test('an unknown action or an inherited name has no schema', () => {
    for (const action of ['Nothing', '__proto__', 'constructor', 'toString']) {
      assert.equal(schemaOf('ocpp1.6', action, 'request'), undefined, action);
    }
  });
});

describe('schemas: dates', () => {
  const errorsOf = (timestamp: string): number =>
    schemaErrors('ocpp1.6', 'StopTransaction', 'request', {
      meterStop: 1,
      timestamp,
      transactionId: 1,
    }).length;

  test('an RFC 3339 date passes, a loose or impossible one does not', () => {
    assert.equal(errorsOf('2026-01-01T00:00:00Z'), 0);
    assert.equal(errorsOf('2026-01-01T00:00:00'), 1);
    assert.equal(errorsOf('222222017-01-01T00:00:00Z'), 1);
  });
});

describe('P13: one decimal is one decimal, whatever binary fractions say', () => {
  const errorsOf = (limit: number): readonly string[] =>
    schemaErrors('ocpp1.6', 'SetChargingProfile', 'request', {
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: 'TxProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule: {
          chargingRateUnit: 'A',
          chargingSchedulePeriod: [{ startPeriod: 0, limit }],
        },
      },
    }).map(({ keyword }) => keyword);

  test('every limit from 0.0 to 1000.0 in steps of 0.1 passes', () => {
    for (let tenths = 0; tenths <= 10_000; tenths += 1) {
      assert.deepEqual(errorsOf(tenths / 10), [], String(tenths / 10));
    }
  });

  test('sums that binary fractions spoil pass', () => {
    for (const limit of [0.1 + 0.2, 0.7 + 0.1, 1.1 * 3]) {
      assert.deepEqual(errorsOf(limit), [], String(limit));
    }
  });

  test('two decimals do not', () => {
    for (const limit of [16.15, 0.05, 32.01, 999.99, 6.25]) {
      assert.deepEqual(errorsOf(limit), ['multipleOf'], String(limit));
    }
  });
});

describe('schemas: the parts that rules lean on', () => {
  test('every schema refuses properties that it does not know, at its root', () => {
    for (const version of ocppVersions) {
      for (const action of actionsOf(version)) {
        for (const side of sides) {
          const schema = schemaOf(version, action, side);
          if (schema === undefined) continue;
          assert.equal(ownProperty(schema, 'additionalProperties'), false, `${version} ${action}`);
        }
      }
    }
  });
});

describe('a payload that departs in a hundred thousand places', () => {
  const flood = (length: number) => ({
    generatedAt: '2026-01-01T00:00:00Z',
    seqNo: 0,
    eventData: Array.from({ length }, (): object => ({})),
  });

  test('is looked at as far as its first departure', () => {
    for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
      const { errors, isComplete } = schemaReport(version, 'NotifyEvent', 'request', flood(80_000));
      assert.deepEqual([errors.length, isComplete], [1, false], version);
    }
  });

  test('and its smaller twin in whole, each departure once', () => {
    const report = (length: number): number =>
      schemaReport('ocpp2.0.1', 'NotifyEvent', 'request', flood(length)).errors.length;
    // Were each failing item to copy what was found before, this would be tens of millions.
    assert.equal(report(2000), 2000 * report(1));
  });

  test('is not kept by the validator', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const judged = (length: number): WeakRef<object> => {
      const payload = flood(length);
      assert.ok(schemaErrors('ocpp2.0.1', 'NotifyEvent', 'request', payload).length > 0);
      // The part that departs is what an error holds.
      return new WeakRef(payload.eventData[0] ?? payload);
    };
    const references = [judged(1), judged(80_000)];
    return new Promise<void>((resolve) => {
      // A WeakRef holds until the end of the turn in which it was made.
      setImmediate(() => {
        collect();
        assert.deepEqual(
          references.map((reference) => reference.deref()),
          [undefined, undefined],
        );
        resolve();
      });
    });
  });
});

test('a frame full of meter values is looked at in whole, so that it is judged by its worst', () => {
  const sample = { value: '12345', measurand: 'Energy.Active.Import.Register', unit: 'Wh' };
  const meterValue = Array.from({ length: 1600 }, () => ({
    timestamp: '2026-01-01T00:00:00Z',
    sampledValue: [sample],
  }));
  const stop = {
    transactionId: 1,
    meterStop: 1,
    timestamp: '2026-01-01T00:00:00Z',
    transactionData: [
      ...meterValue,
      { timestamp: '2026-01-01T00:00:00Z', sampledValue: [{ value: 1 }] },
    ],
  };
  assert.ok(JSON.stringify(stop).length > 200_000);
  const { errors, isComplete } = schemaReport('ocpp1.6', 'StopTransaction', 'request', stop);
  assert.deepEqual([errors.length, isComplete], [1, true]);
});
