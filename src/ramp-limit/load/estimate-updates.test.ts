import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../ocpp/message.ts';
import { estimateLoad } from './estimate-load.ts';
import { movesOf, setPayload, TestCharger } from './test-charger.test.ts';

// Goal: new values of dynamic schedules count like new profiles, and limits that nobody knows count
// once, when they come or go.
// Method: a charger of OCPP 2 with a profile, and one command.

describe('dynamic schedules of OCPP 2.1', () => {
  const charging = () =>
    new TestCharger('ocpp2.1', ['Available', 'Available'])
      .begin(1)
      .set({ id: 7, kind: 'Dynamic', limits: 9000 })
      .wait(60);
  const update = (charger: TestCharger, scheduleUpdate: unknown, chargingProfileId: unknown = 7) =>
    charger.ask('UpdateDynamicSchedule', { chargingProfileId, scheduleUpdate });
  const pull = (
    charger: TestCharger,
    payload: JsonObject,
    chargingProfileId: number | undefined = 7,
  ) => {
    const command = {
      version: 'ocpp2.1',
      action: 'PullDynamicScheduleUpdate',
      loadClass: 'limit',
      payload,
      chargingProfileId,
    } as const;
    const result = estimateLoad(command, charger.picture, charger.options);
    return result.ok ? result.value : result.error;
  };
  const expectMoves = (said: ReturnType<typeof update>, expected: readonly number[]) => {
    assert.ok('now' in said, JSON.stringify(said));
    assert.deepEqual(movesOf(said), expected);
  };

  for (const [how, change] of [
    ['an update', update],
    [
      'a pull',
      (charger: TestCharger, scheduleUpdate: unknown) =>
        pull(charger, { status: 'Accepted', scheduleUpdate }),
    ],
  ] as const) {
    test(`T1-07: the new limit in ${how} counts`, () => {
      expectMoves(change(charging(), { limit: 0 }), [0, 9000, 1000]);
      expectMoves(change(charging(), { limit: 22_000 }), [13_000, 0, 591]);
      expectMoves(change(charging(), { limit: 9000 }), [0, 0, 0]);
      const said = change(charging(), { limit: 0 });
      assert.ok('now' in said);
      assert.deepEqual([said.place, said.swing, said.basis], [1, 'down', 'limit']);
      assert.deepEqual(said.later, { is: 'schedule', steps: [] });
    });

    test(`T1-07: ${how} that feeds in is refused, unless it is to count`, () => {
      for (const values of [{ setpoint: -5000 }, { dischargeLimit: -1 }, { limit: -1 }]) {
        const said = change(charging(), values);
        assert.equal('code' in said && said.code, 'RAMP_DISCHARGE');
      }
      const counting = charging();
      counting.options = { ...counting.options, discharge: 'count' };
      expectMoves(change(counting, { limit: 0, setpoint: -5000 }), [0, 14_000, 1000]);
      expectMoves(change(counting, { limit: 9000, dischargeLimit: -1e6 }), [0, 31_000, 1000]);
    });

    test(`${how} without values is refused; of reactive power, it is nothing`, () => {
      for (const values of [{}, null, [], 7, { limit: '0' }]) {
        const said = change(charging(), values);
        assert.equal('code' in said && said.code, 'RAMP_PROFILE_INVALID', JSON.stringify(values));
      }
      expectMoves(change(charging(), { setpointReactive: 100 }), [0, 0, 0]);
    });

    test(`${how} of single phases may be anything`, () => {
      expectMoves(change(charging(), { limit: 9000, limit_L2: 0 }), [13_000, 9000, 1000]);
    });
  }

  test('of a profile that is not known, it may be anything', () => {
    for (const id of [8, '7', null]) {
      expectMoves(update(charging(), { limit: 9000 }, id), [44_000, 44_000, 1000]);
    }
    const accepted = { status: 'Accepted', scheduleUpdate: { limit: 9000 } };
    expectMoves(pull(charging(), accepted, 8), [44_000, 44_000, 1000]);
    const counting = charging();
    counting.options = { ...counting.options, discharge: 'count' };
    expectMoves(update(counting, { setpoint: -1 }, 8), [88_000, 88_000, 1000]);
  });

  test('a reply to a pull that has no update is nothing; a status beside one changes nothing', () => {
    expectMoves(pull(charging(), { status: 'Rejected' }), [0, 0, 0]);
    expectMoves(pull(charging(), {}), [0, 0, 0]);
    expectMoves(
      pull(charging(), { status: 'Rejected', scheduleUpdate: { limit: 0 } }),
      [0, 9000, 1000],
    );
  });

  test('T1-07: a profile that feeds in is refused, unless it is to count', () => {
    const chargingSchedulePeriod = [{ startPeriod: 0, limit: 9000, setpoint: -5000 }];
    const text = { schedule: { chargingSchedulePeriod } };
    for (const [action, payload] of [
      ['SetChargingProfile', setPayload('ocpp2.1', text)],
      ['RequestStartTransaction', setPayload('ocpp2.1', text)],
    ] as const) {
      const charger = charging();
      const said = charger.ask(action, payload);
      assert.equal('code' in said && said.code, 'RAMP_DISCHARGE');
      charger.options = { ...charger.options, discharge: 'count' };
      assert.ok('now' in charger.ask(action, payload));
    }
  });
});

describe('what is not known, before and after', () => {
  test('a limit of others that nobody knows makes a known change no larger', () => {
    const charger = new TestCharger('ocpp2.0.1', ['Occupied']).begin(1).set({ limits: 9000 });
    const chargingLimit = { chargingLimitSource: 'EMS' };
    charger.talk.open('charger', 'NotifyChargingLimit', { chargingLimit });
    assert.deepEqual(movesOf(charger.settle({ limits: 6000 })), [0, 3000, 334]);
    assert.deepEqual(movesOf(charger.settle({ id: 2, stackLevel: 1, limits: 0 })), [0, 9000, 1000]);
  });

  test('a profile that may be anything counts when it comes, and when it goes', () => {
    const rough = {
      id: 2,
      stackLevel: 1,
      schedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: 0, limit_L2: 0 }] },
    };
    const charger = new TestCharger('ocpp2.1', ['Occupied']).begin(1).set({ limits: 9000 });
    assert.deepEqual(movesOf(charger.settle(rough)), [13_000, 9000, 1000]);
    charger.set(rough);
    assert.deepEqual(
      movesOf(charger.estimate('ClearChargingProfile', { chargingProfileId: 2 })),
      [9000, 13_000, 1000],
    );
    // It is the same, before and after something else.
    assert.deepEqual(movesOf(charger.settle({ limits: 5000 })), [0, 0, 0]);
    assert.deepEqual(
      movesOf(
        charger.settle({ id: 3, place: 0, purpose: 'ChargingStationMaxProfile', limits: 9000 }),
      ),
      [0, 13_000, 591],
    );
  });

  test('one schedule of several: what the car may have chosen counts', () => {
    const schedule = (id: number, limit: number) => ({
      id,
      chargingRateUnit: 'W',
      chargingSchedulePeriod: [{ startPeriod: 0, limit }],
    });
    const charger = new TestCharger('ocpp2.0.1', ['Occupied']).begin(1);
    charger.set({ rest: { chargingSchedule: [schedule(1, 5000), schedule(2, 9000)] } });
    assert.deepEqual(movesOf(charger.settle({ limits: 7000 })), [2000, 2000, 446]);
  });
});
