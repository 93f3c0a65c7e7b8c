import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../ocpp/version.ts';
import {
  limitOf,
  maximumPurpose,
  momentAt,
  type ProfileText,
  TestCharger,
} from './test-charger.test.ts';

// Goal: the limit of a place is what OCPP says, and a range where OCPP leaves room.
// Method: profiles that a real memory has learned; the limit is asked for at chosen moments.

const exactly = (watts: number) => [watts, watts];

for (const version of ocppVersions) {
  const free = () => new TestCharger(version, ['Available', 'Available']);
  const charging = () => free().begin(1);

  describe(`the limit in ${version}`, () => {
    test('without a profile it is the rating', () => {
      assert.deepEqual(limitOf(charging()), exactly(22_000));
    });

    test('a limit beyond the rating is the rating', () => {
      assert.deepEqual(limitOf(charging().set({ limits: 1e9 })), exactly(22_000));
      assert.deepEqual(limitOf(charging().set({ limits: 1e9, unit: 'A' })), exactly(22_000));
    });

    test('a TxProfile goes before a TxDefaultProfile, for its transaction', () => {
      const charger = charging().set({ limits: 5000 });
      const purpose = 'TxProfile';
      charger.set({
        id: 2,
        limits: 8000,
        purpose,
        rest: { transactionId: charger.is16 ? 1 : '1' },
      });
      assert.deepEqual(limitOf(charger), exactly(8000));
      charger.end(1).begin(1, 7);
      assert.deepEqual(limitOf(charger), exactly(5000), 'it has ended with its transaction');
    });

    test('a TxProfile of another transaction, or of another place, does not count', () => {
      const purpose = 'TxProfile';
      const other = charging().set({ limits: 0, purpose, rest: { transactionId: 9 } });
      assert.deepEqual(limitOf(other), exactly(22_000));
      assert.deepEqual(limitOf(charging().set({ limits: 0, purpose, place: 2 })), exactly(22_000));
      assert.deepEqual(limitOf(charging().set({ limits: 0, purpose })), exactly(0));
    });

    test('the maximum of the charger bounds each place', () => {
      const charger = charging().set({ limits: 9000 });
      charger.set({ id: 2, place: 0, limits: 7000, purpose: maximumPurpose(version) });
      assert.deepEqual(limitOf(charger), exactly(7000));
      assert.deepEqual(limitOf(charger, 2), exactly(7000));
    });

    test('a maximum of the charger that was set for one place may be without effect', () => {
      const charger = charging().set({ limits: 7000, purpose: maximumPurpose(version) });
      assert.deepEqual(limitOf(charger), [7000, 22_000]);
      assert.deepEqual(limitOf(charger, 2), exactly(22_000));
    });

    test('the highest stack level that has something to say counts', () => {
      const charger = charging()
        .set({ id: 1, stackLevel: 1, limits: 5000 })
        .set({ id: 2, stackLevel: 2, limits: 6000, schedule: { duration: 60 } })
        .set({ id: 3, stackLevel: 3, limits: 7000, rest: { validFrom: momentAt(30) } });
      assert.deepEqual(limitOf(charger), exactly(6000));
      assert.deepEqual(limitOf(charger.wait(30)), exactly(7000));
      charger.set({ id: 3, stackLevel: 3, limits: 7000, rest: { validTo: momentAt(40) } });
      assert.deepEqual(limitOf(charger.wait(9)), exactly(7000));
      assert.deepEqual(limitOf(charger.wait(1)), exactly(6000));
      // It began with the profile, or with the car: here at the same moment.
      assert.deepEqual(limitOf(charger.wait(19)), exactly(6000));
      assert.deepEqual(limitOf(charger.wait(1)), exactly(5000));
    });

    test('a default of the place goes before one of all; of a lower stack level, perhaps', () => {
      const all = charging().set({ place: 0, limits: 5000, stackLevel: 2 });
      assert.deepEqual(limitOf(all), exactly(5000));
      all.set({ id: 2, limits: 6000, stackLevel: 2 });
      assert.deepEqual(limitOf(all), exactly(6000));
      all.set({ id: 2, limits: 6000, stackLevel: 1 });
      assert.deepEqual(limitOf(all), [5000, 6000]);
      assert.deepEqual(limitOf(all, 2), exactly(5000));
    });

    test('a limit in amperes is one on each phase; on how many, the car decides', () => {
      const charger = charging().set({ limits: 16, unit: 'A' });
      assert.deepEqual(limitOf(charger), [16 * 230, 16 * 230 * 3]);
      const chargingSchedulePeriod = [{ startPeriod: 0, limit: 16, numberPhases: 1 }];
      charger.set({ unit: 'A', schedule: { chargingSchedulePeriod } });
      assert.deepEqual(limitOf(charger), exactly(16 * 230));
    });

    test('of a charger that is too large for AC, an ampere may be one of a battery', () => {
      const charger = charging().set({ limits: 16, unit: 'A' });
      assert.deepEqual(limitOf(charger, 1, 150_000), [16 * 230, 16_000]);
    });

    test('what is too little for a car makes it pause, or not', () => {
      assert.deepEqual(limitOf(charging().set({ limits: 5.9, unit: 'A' })), [0, 4071]);
      assert.deepEqual(limitOf(charging().set({ limits: 6, unit: 'A' })), [1380, 4140]);
      assert.deepEqual(limitOf(charging().set({ limits: 4000 })), [0, 4000]);
      assert.deepEqual(limitOf(charging().set({ limits: 4140 })), exactly(4140));
    });

    test('an absolute schedule begins at its start, or when it was accepted', () => {
      const limits = [
        [0, 5000],
        [60, 6000],
      ] as const;
      const later = free().set({ limits, schedule: { startSchedule: momentAt(10) } });
      assert.deepEqual(limitOf(later), exactly(22_000));
      assert.deepEqual(limitOf(later.wait(10)), exactly(5000));
      assert.deepEqual(limitOf(later.wait(60)), exactly(6000));
      const accepted = free().wait(10).set({ limits });
      assert.deepEqual(limitOf(accepted.wait(59)), exactly(5000));
      assert.deepEqual(limitOf(accepted.wait(1)), exactly(6000));
    });

    test('an absolute schedule without a start may count from that of charging', () => {
      const charger = charging().wait(30);
      charger.set({
        limits: [
          [0, 5000],
          [60, 6000],
        ],
      });
      assert.deepEqual(limitOf(charger), exactly(5000));
      assert.deepEqual(limitOf(charger.wait(30)), [5000, 6000]);
      assert.deepEqual(limitOf(charger.wait(30)), exactly(6000));
    });

    test('a relative schedule begins with the transaction', () => {
      const limits = [
        [0, 5000],
        [60, 6000],
      ] as const;
      const charger = free().set({ limits, kind: 'Relative' }).wait(600);
      assert.deepEqual(limitOf(charger), exactly(5000), 'a car that came now would get this');
      assert.deepEqual(limitOf(charger.begin(1).wait(59)), exactly(5000));
      assert.deepEqual(limitOf(charger.wait(1)), exactly(6000));
    });

    test('of a car that nobody saw come, any part of a relative schedule may count', () => {
      const charger = new TestCharger(version, [version === 'ocpp1.6' ? 'Charging' : 'Occupied']);
      charger.set({
        kind: 'Relative',
        limits: [
          [0, 5000],
          [60, 6000],
        ],
      });
      assert.deepEqual(limitOf(charger), [5000, 6000]);
      charger.set({ kind: 'Relative', limits: 5000, schedule: { duration: 60 } });
      assert.deepEqual(limitOf(charger), [5000, 22_000]);
    });

    test('a schedule that recurs is the same each day, or week; before its first, perhaps', () => {
      const limits = [
        [0, 5000],
        [3600, 6000],
      ] as const;
      const day = { limits, kind: 'Recurring', schedule: { startSchedule: momentAt(-86_400) } };
      const daily = charging().set({ ...day, rest: { recurrencyKind: 'Daily' } });
      assert.deepEqual(limitOf(daily), exactly(5000));
      assert.deepEqual(limitOf(daily.wait(3600)), exactly(6000));
      assert.deepEqual(limitOf(daily.wait(82_799)), exactly(6000));
      assert.deepEqual(limitOf(daily.wait(1)), exactly(5000));
      const weekly = charging().set({ ...day, rest: { recurrencyKind: 'Weekly' } });
      assert.deepEqual(limitOf(weekly), exactly(6000));
      assert.deepEqual(limitOf(weekly.wait(6 * 86_400)), exactly(5000));
      const schedule = { startSchedule: momentAt(1800) };
      const rest = { recurrencyKind: 'Daily' };
      const first = charging().set({ ...day, schedule, rest });
      assert.deepEqual(limitOf(first), [6000, 22_000]);
      assert.deepEqual(limitOf(first.wait(1800)), exactly(5000));
    });
  });

  describe(`what cannot be read in ${version}`, () => {
    const unreadable: readonly (readonly [string, ProfileText])[] = [
      [
        'periods out of order',
        {
          limits: [
            [0, 1],
            [60, 2],
            [30, 3],
          ],
        },
      ],
      [
        'two periods at one moment',
        {
          limits: [
            [0, 1],
            [0, 2],
          ],
        },
      ],
      ['a first period that is late', { limits: [[60, 1]] }],
      ['no periods', { limits: [] }],
      ['a unit that is none', { schedule: { chargingRateUnit: 'kW' } }],
      ['no schedule', { rest: { chargingSchedule: undefined } }],
      ['a kind that is none', { kind: 'Sometimes' }],
      ['no stack level', { rest: { stackLevel: null } }],
      ['a start that cannot be read', { schedule: { startSchedule: 'soon' } }],
      ['an end that cannot be read', { rest: { validTo: 'soon' } }],
      ['a duration of nothing', { schedule: { duration: 0 } }],
      ['recurrence without a period', { kind: 'Recurring' }],
      [
        'phases that a car does not have',
        {
          schedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: 1, numberPhases: 9 }] },
        },
      ],
      [
        'a limit that is no number',
        {
          schedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: '1' }] },
        },
      ],
    ];
    for (const [what, text] of unreadable) {
      test(`T3-17: ${what} may limit to anything`, () => {
        const charger = charging().set(text);
        assert.equal(charger.picture.view.limits.profiles.length, 1);
        assert.deepEqual(limitOf(charger), [0, 22_000]);
        assert.deepEqual(limitOf(charger, 1, 22_000, 'count'), [-22_000, 22_000]);
      });
    }

    test('after the last period that is kept, nobody knows', () => {
      const limits = Array.from({ length: 301 }, (_, index) => [index, 5000] as const);
      const charger = free().set({ limits });
      assert.deepEqual(limitOf(charger.wait(298)), exactly(5000));
      assert.deepEqual(limitOf(charger.wait(1)), [0, 22_000]);
    });
  });
}

describe('transactions that the gateway came late to', () => {
  const limits = [
    [0, 5000],
    [60, 6000],
  ] as const;

  test('of one that was seen when it went on, any part of a relative schedule may count', () => {
    const charger = new TestCharger('ocpp2.0.1', ['Occupied']).set({ kind: 'Relative', limits });
    const event = {
      eventType: 'Updated',
      evse: { id: 1 },
      transactionInfo: { transactionId: 'T' },
    };
    charger.talk.open('charger', 'TransactionEvent', event);
    assert.deepEqual(limitOf(charger), [5000, 6000]);
  });

  test('of two at one place, the last counts', () => {
    const charger = new TestCharger('ocpp1.6', ['Charging']).set({ kind: 'Relative', limits });
    charger.begin(1, 7).wait(60).begin(1, 8);
    assert.deepEqual(limitOf(charger), exactly(5000));
  });
});

describe('several schedules in a profile', () => {
  test('the car chooses one of them', () => {
    const charger = new TestCharger('ocpp2.0.1', ['Occupied']).begin(1);
    const schedule = (id: number, limit: number, rest: object = {}) => ({
      id,
      chargingRateUnit: 'W',
      chargingSchedulePeriod: [{ startPeriod: 0, limit }],
      ...rest,
    });
    const list = [schedule(1, 5000), schedule(2, 9000), schedule(3, 7000)];
    charger.set({ rest: { chargingSchedule: list } });
    assert.deepEqual(limitOf(charger), [5000, 9000]);
    charger.set({
      rest: { chargingSchedule: [schedule(1, 5000), schedule(2, 0, { duration: 5 })] },
    });
    assert.deepEqual(limitOf(charger), [0, 5000]);
    assert.deepEqual(limitOf(charger.wait(5)), [5000, 22_000]);
  });

  test('two profiles of one rank: one or the other', () => {
    const charger = new TestCharger('ocpp2.0.1', ['Occupied']).begin(1);
    charger.set({ id: 1, limits: 5000 }).set({ id: 2, limits: 7000 });
    assert.deepEqual(limitOf(charger), [5000, 7000]);
  });
});

describe('limits of others', () => {
  const limited = (chargingSchedule: object | undefined, evseId?: number) => {
    const charger = new TestCharger('ocpp2.0.1', ['Occupied', 'Occupied']).begin(1);
    const chargingLimit = { chargingLimitSource: 'EMS' };
    charger.talk.open('charger', 'NotifyChargingLimit', {
      chargingLimit,
      chargingSchedule,
      evseId,
    });
    return charger;
  };
  const schedule = [
    { id: 1, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 6000 }] },
  ];

  test('they bound the charger, or one EVSE', () => {
    assert.deepEqual(limitOf(limited(schedule)), exactly(6000));
    assert.deepEqual(limitOf(limited(schedule, 1)), exactly(6000));
    assert.deepEqual(limitOf(limited(schedule, 2)), exactly(22_000));
  });

  test('without a schedule they bound to anything', () => {
    assert.deepEqual(limitOf(limited(undefined)), [0, 22_000]);
  });

  test('a profile of theirs bounds as well', () => {
    const charger = new TestCharger('ocpp2.0.1', ['Occupied']).begin(1);
    const purpose = 'ChargingStationExternalConstraints';
    charger.set({ place: 0, purpose, limits: 6000 });
    assert.deepEqual(limitOf(charger), exactly(6000));
    charger.set({ id: 2, place: 1, purpose, limits: 5000 });
    assert.deepEqual(limitOf(charger), exactly(5000));
  });
});

describe('what OCPP 2.1 adds', () => {
  const charging = () => new TestCharger('ocpp2.1', ['Occupied']).begin(1);
  const period = (values: object) => ({
    schedule: { chargingSchedulePeriod: [{ startPeriod: 0, ...values }] },
  });

  test('priority may be on: then its profile counts', () => {
    const charger = charging().set({ limits: 5000 });
    charger.set({ id: 2, limits: 9000, purpose: 'PriorityCharging' });
    assert.deepEqual(limitOf(charger), [5000, 9000]);
  });

  test('what is generated on the spot comes on top of the maximum', () => {
    const charger = charging().set({
      id: 1,
      place: 0,
      limits: 6000,
      purpose: 'ChargingStationMaxProfile',
    });
    charger.set({ id: 2, place: 0, limits: 1000, purpose: 'LocalGeneration' });
    assert.deepEqual(limitOf(charger), [6000, 22_000]);
    charger.set({ id: 3, limits: 7000 });
    assert.deepEqual(limitOf(charger), [6000, 7000]);
  });

  test('a dynamic schedule counts from its last update', () => {
    const charger = charging().set({ kind: 'Dynamic', limits: 5000, schedule: { duration: 60 } });
    const update = { chargingProfileId: 1, scheduleUpdate: { limit: 6000 } };
    charger.wait(30).accept('UpdateDynamicSchedule', update);
    assert.deepEqual(limitOf(charger.wait(59)), exactly(6000));
    assert.deepEqual(limitOf(charger.wait(1)), exactly(22_000));
  });

  test('a set point is what the car takes; with a limit, one or the other', () => {
    assert.deepEqual(limitOf(charging().set(period({ setpoint: 5000 }))), exactly(5000));
    assert.deepEqual(
      limitOf(charging().set(period({ setpoint: 5000, limit: 9000 }))),
      [5000, 9000],
    );
    assert.deepEqual(limitOf(charging().set(period({}))), [0, 22_000]);
  });

  test('below zero the car feeds in', () => {
    assert.deepEqual(limitOf(charging().set(period({ setpoint: -5000 }))), exactly(-5000));
    assert.deepEqual(limitOf(charging().set(period({ limit: -5000 }))), [-5000, 0]);
    const both = period({ limit: 9000, dischargeLimit: -1e9 });
    assert.deepEqual(limitOf(charging().set(both)), [-22_000, 9000]);
  });

  test('what is said of single phases may come to anything', () => {
    assert.deepEqual(limitOf(charging().set(period({ limit: 0, limit_L2: 32 }))), [0, 22_000]);
  });
});
