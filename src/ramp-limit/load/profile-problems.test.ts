import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { schemaErrors } from '../../ocpp/schemas.ts';
import { type OcppVersion, ocppVersions } from '../../ocpp/version.ts';
import { profileProblem } from './profile-problems.ts';
import { isDischargingPeriod, isDischargingProfile, updateFault } from './schedule-problems.ts';
import { maximumPurpose, type ProfileText, profileText, setPayload } from './test-charger.test.ts';

// Goal: a profile that does not say in one way only what it limits, and when, is refused; all
// others are taken.
// Method: a good profile of each version, with one thing changed.

const detailOf = (version: OcppVersion, text: ProfileText, place: unknown = 1) =>
  profileProblem(version, profileText(version, text), { is: place })?.detail;

const period = (values: object): ProfileText => ({
  schedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: 5, ...values }] },
});

for (const version of ocppVersions) {
  const is16 = version === 'ocpp1.6';
  describe(`T3-17: ${version} refuses`, () => {
    const faults: readonly (readonly [ProfileText, string, place?: unknown])[] = [
      [
        {
          limits: [
            [0, 1],
            [60, 2],
            [30, 3],
          ],
        },
        'the periods are not in order',
      ],
      [
        {
          limits: [
            [0, 1],
            [60, 2],
            [60, 3],
          ],
        },
        'the periods are not in order',
      ],
      [
        {
          limits: [
            [0, 1],
            [0, 3],
          ],
        },
        'the periods are not in order',
      ],
      [{ limits: [[1, 1]] }, 'the first period does not start at 0'],
      [{ limits: [[-1, 1]] }, 'a period starts at no possible second'],
      [
        {
          limits: [
            [0, 1],
            [0.5, 1],
          ],
        },
        'a period starts at no possible second',
      ],
      [
        {
          limits: [
            [0, 1],
            [1e9 + 1, 1],
          ],
        },
        'a period starts at no possible second',
      ],
      [period({ startPeriod: '0' }), 'a period starts at no possible second'],
      [{ limits: [] }, 'the charging schedule has no periods'],
      [{ schedule: { chargingSchedulePeriod: {} } }, 'the charging schedule has no periods'],
      [{ schedule: { chargingSchedulePeriod: [7] } }, 'a period is no object'],
      [
        { limits: Array.from({ length: 301 }, (_, index) => [index, 1] as const) },
        'there are too many periods',
      ],
      [{ rest: { chargingSchedule: undefined } }, 'there is no charging schedule'],
      [{ rest: { chargingSchedule: null } }, 'there is no charging schedule'],
      [{ rest: { chargingSchedule: [] } }, 'there is no charging schedule'],
      [{ rest: { chargingSchedule: [[]] } }, 'there is no charging schedule'],
      [period({ limit: Number.NaN }), 'a limit is no number'],
      [period({ limit: Number.POSITIVE_INFINITY }), 'a limit is no number'],
      [period({ limit: '16' }), 'a limit is no number'],
      [period({ limit: null }), 'a limit is no number'],
      [period({ numberPhases: 0 }), 'there are one to three phases'],
      [period({ numberPhases: 4 }), 'there are one to three phases'],
      [period({ numberPhases: 1.5 }), 'there are one to three phases'],
      [{ schedule: { duration: 0 } }, 'the duration is no whole number of seconds from 1'],
      [{ schedule: { duration: -1 } }, 'the duration is no whole number of seconds from 1'],
      [{ schedule: { duration: 1.5 } }, 'the duration is no whole number of seconds from 1'],
      [{ schedule: { duration: '60' } }, 'the duration is no whole number of seconds from 1'],
      [{ schedule: { chargingRateUnit: 'kW' } }, 'the unit is unknown'],
      [{ schedule: { chargingRateUnit: undefined } }, 'the unit is unknown'],
      [{ schedule: { startSchedule: 'soon' } }, 'startSchedule cannot be read'],
      [{ schedule: { startSchedule: null } }, 'startSchedule cannot be read'],
      [{ schedule: { startSchedule: '20260-01-01T00:00:00Z' } }, 'startSchedule cannot be read'],
      [{ rest: { validFrom: 'soon' } }, 'validFrom cannot be read'],
      [{ rest: { validTo: 7 } }, 'validTo cannot be read'],
      [
        { rest: { validFrom: '2026-01-01T00:00:00Z', validTo: '2026-01-01T00:00:00Z' } },
        'the profile ends before it is valid',
      ],
      [{ purpose: 'TxMaxProfile' }, 'the purpose is unknown'],
      [
        { purpose: is16 ? 'ChargingStationMaxProfile' : 'ChargePointMaxProfile' },
        'the purpose is unknown',
      ],
      [{ kind: 'absolute' }, 'the kind is unknown'],
      [{ kind: 'Recurring' }, 'the profile recurs, but not daily or weekly'],
      [
        { kind: 'Recurring', rest: { recurrencyKind: 'Yearly' } },
        'the profile recurs, but not daily or weekly',
      ],
      [{ stackLevel: -1 }, 'the stack level is no whole number from 0'],
      [{ stackLevel: 1.5 }, 'the stack level is no whole number from 0'],
      [{ rest: { stackLevel: undefined } }, 'the stack level is no whole number from 0'],
      [{ rest: { id: undefined, chargingProfileId: '1' } }, 'the profile has no id'],
      [{ purpose: 'TxProfile' }, 'a transaction has no place 0', 0],
      [{ rest: { transactionId: null } }, 'the transaction id cannot be read'],
      [{}, 'no charger has such a place', -1],
      [{}, 'no charger has such a place', 65],
      [{}, 'no charger has such a place', '1'],
      [{}, 'no charger has such a place', null],
    ];
    for (const [text, expected, place = 1] of faults) {
      test(`${JSON.stringify(text)}: ${expected}`, () => {
        assert.equal(detailOf(version, text, place), expected);
      });
    }

    test('what is no profile', () => {
      for (const profile of [undefined, null, 7, 'text', [], [{}]]) {
        const problem = profileProblem(version, profile, { is: 1 });
        assert.deepEqual(problem, {
          code: 'RAMP_PROFILE_INVALID',
          detail: 'there is no charging profile',
        });
      }
    });
  });

  describe(`${version} takes`, () => {
    const good: readonly (readonly [string, ProfileText, place?: number])[] = [
      ['a limit', {}],
      ['no limit at all', { limits: 0 }],
      ['an absurd limit', { limits: 1e12, unit: 'A' }],
      ['300 periods', { limits: Array.from({ length: 300 }, (_, index) => [index, 1] as const) }],
      ['one phase', period({ numberPhases: 1 })],
      ['a start long past', { schedule: { startSchedule: '1970-01-01T00:00:00Z' } }],
      ['a start far ahead', { schedule: { startSchedule: '2399-01-01T00:00:00Z' } }],
      ['a start without a zone', { schedule: { startSchedule: '2026-01-01T00:00:00' } }],
      ['an end that is "never"', { rest: { validTo: '9999-12-31T23:59:59Z' } }],
      ['an end long past', { rest: { validTo: '2001-01-01T00:00:00Z' } }],
      ['a day that recurs', { kind: 'Recurring', rest: { recurrencyKind: 'Daily' } }],
      ['a schedule for each transaction', { kind: 'Relative' }],
      ['a high stack level', { stackLevel: 1_000_000_000 }],
      ['the whole charger', { purpose: maximumPurpose(version) }, 0],
      ['a default of all places', {}, 0],
      ['the last place', {}, 64],
      [
        'a transaction that is not known',
        { purpose: 'TxProfile', rest: { transactionId: is16 ? 4711 : 'T' } },
      ],
    ];
    for (const [what, text, place = 1] of good) {
      test(what, () => assert.equal(detailOf(version, text, place), undefined));
    }

    test('a profile in a request to start, which has no place', () => {
      const profile = profileText(version, { purpose: 'TxProfile' });
      assert.equal(profileProblem(version, profile), undefined);
    });

    test('nothing that the schema would refuse for its form', () => {
      // So that the good ones are good: a mistake of the test would pass for one of the code.
      for (const [, text, place = 1] of good) {
        const payload = JSON.parse(JSON.stringify(setPayload(version, { ...text, place })));
        const errors = schemaErrors(version, 'SetChargingProfile', 'request', payload);
        const paths = errors.map(({ instancePath }) => instancePath);
        // Dates that are not exact are a matter of another rule.
        assert.deepEqual(
          paths.filter((path) => !/(?:valid|start)[A-Z]/.test(path)),
          [],
        );
      }
    });
  });
}

describe('below zero', () => {
  for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
    test(`${version}: a limit is refused`, () => {
      assert.equal(detailOf(version, { limits: -1 }), 'a limit is negative');
      assert.equal(detailOf(version, period({ limit: undefined })), 'a limit is no number');
    });
  }

  const values = [
    { setpoint: -1 },
    { setpoint_L2: -1 },
    { dischargeLimit: -1 },
    { dischargeLimit_L3: -0.1 },
    { limit: -1 },
    { v2xBaseline: -1 },
    {
      v2xFreqWattCurve: [
        { frequency: 50, power: 1 },
        { frequency: 51, power: -1 },
      ],
    },
    { v2xSignalWattCurve: [{ signal: 1, power: -1 }] },
    { operationMode: 'CentralFrequency' },
    { operationMode: 'LocalLoadBalancing', dischargeLimit: -5 },
    { operationMode: 'Anything' },
    { operationMode: 7 },
  ];
  for (const value of values) {
    test(`T1-07: ocpp2.1: ${JSON.stringify(value)} feeds in, and is no fault`, () => {
      assert.equal(detailOf('ocpp2.1', period(value)), undefined);
      assert.equal(isDischargingProfile(profileText('ocpp2.1', period(value))), true);
    });
  }

  const charging = [
    {},
    { setpoint: 0, dischargeLimit: 0 },
    { operationMode: 'ChargingOnly' },
    { operationMode: 'Idle' },
    { operationMode: 'CentralSetpoint', setpoint: 5 },
    { operationMode: 'ExternalLimits', dischargeLimit: 0 },
    { v2xFreqWattCurve: [{ frequency: 50, power: 1 }] },
  ];
  for (const value of charging) {
    test(`ocpp2.1: ${JSON.stringify(value)} does not feed in`, () => {
      assert.equal(isDischargingProfile(profileText('ocpp2.1', period(value))), false);
    });
  }

  test('ocpp2.1: other faults of values are faults', () => {
    assert.equal(
      detailOf('ocpp2.1', period({ dischargeLimit: 1 })),
      'a limit of discharging is positive',
    );
    assert.equal(detailOf('ocpp2.1', period({ limit_L2: '5' })), 'a limit is no number');
    assert.equal(detailOf('ocpp2.1', period({ limit: undefined })), undefined);
    assert.equal(detailOf('ocpp2.1', { kind: 'Dynamic' }), undefined);
    assert.equal(detailOf('ocpp2.0.1', { kind: 'Dynamic' }), 'the kind is unknown');
  });
});

describe('several schedules', () => {
  const list = (count: number, periods = 1) => {
    const [schedule] = profileText('ocpp2.0.1', {
      limits: Array.from({ length: periods }, (_, index) => [index, 1] as const),
    })['chargingSchedule'] as readonly object[];
    return { rest: { chargingSchedule: Array.from({ length: count }, () => schedule) } };
  };
  test('a profile may have three, with 300 periods in all', () => {
    assert.equal(detailOf('ocpp2.0.1', list(3, 100)), undefined);
    assert.equal(detailOf('ocpp2.0.1', list(3, 101)), 'there are too many periods');
    assert.equal(detailOf('ocpp2.0.1', list(4)), 'there are too many charging schedules');
  });
  test('OCPP 1.6 has one, later versions have a list', () => {
    assert.equal(detailOf('ocpp1.6', list(1)), 'there is no charging schedule');
    const schedule = profileText('ocpp1.6', {})['chargingSchedule'];
    assert.equal(
      detailOf('ocpp2.1', { rest: { chargingSchedule: schedule } }),
      'there is no charging schedule',
    );
  });
});

describe('updates of a dynamic schedule', () => {
  const cases: readonly (readonly [unknown, string | undefined])[] = [
    [{ limit: 5 }, undefined],
    [{ setpoint: -5 }, undefined],
    [{ setpointReactive: 5 }, undefined],
    [{}, 'there is no update'],
    [{ other: 5 }, 'there is no update'],
    [undefined, 'there is no update'],
    [[], 'there is no update'],
    [{ limit: '5' }, 'a limit is no number'],
    [{ dischargeLimit: 5 }, 'a limit of discharging is positive'],
  ];
  for (const [update, expected] of cases) {
    test(`${JSON.stringify(update)}: ${expected ?? 'taken'}`, () => {
      assert.equal(updateFault(update), expected);
    });
  }
  test('below zero they feed in', () => {
    assert.equal(isDischargingPeriod({ setpoint: -5 }), true);
    assert.equal(isDischargingPeriod({ limit: 5, dischargeLimit: 0 }), false);
  });
});
