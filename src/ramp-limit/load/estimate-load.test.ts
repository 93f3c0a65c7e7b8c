import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../ocpp/message.ts';
import { ocppVersions } from '../../ocpp/version.ts';
import { momentAt, movesOf, profileText, setPayload, TestCharger } from './test-charger.test.ts';

// Goal: starts, stops and outages count what they move.
// Method: a charger with two places, one of which takes 7 kW; each command with and without a car.

for (const version of ocppVersions) {
  const is16 = version === 'ocpp1.6';
  const start = is16 ? 'RemoteStartTransaction' : 'RequestStartTransaction';
  const stop = is16 ? 'RemoteStopTransaction' : 'RequestStopTransaction';
  const at = (place: number): JsonObject => (is16 ? { connectorId: place } : { evseId: place });
  const idOf = (id: number) => (is16 ? id : `${id}`);
  const free = () => new TestCharger(version, ['Available', 'Available']);
  const charging = () => free().begin(1).wait(60).measure(1, 7000);
  const loaded = () => free().begin(1).wait(60);

  describe(`starts in ${version}`, () => {
    test('T1-02: a start counts the rating of its place, as one command', () => {
      const estimate = free().estimate(start, at(1));
      assert.deepEqual(movesOf(estimate), [22_000, 0, 1000]);
      assert.deepEqual([estimate.basis, estimate.place, estimate.swing], ['rating', 1, 'up']);
      assert.equal(estimate.later, undefined);
    });

    test('or the limit that is in force there', () => {
      const charger = free().set({ place: 0, limits: 9000 });
      const estimate = charger.estimate(start, at(1));
      assert.deepEqual([...movesOf(estimate), estimate.basis], [9000, 0, 1000, 'limit']);
    });

    test('without a place, the charger chooses the one where most is allowed', () => {
      const charger = free().set({ place: 1, limits: 6000 });
      assert.deepEqual(charger.moves(start, {}), [22_000, 0, 1000]);
      charger.set({ id: 2, place: 2, limits: 9000 });
      const estimate = charger.estimate(start, {});
      assert.deepEqual([...movesOf(estimate), estimate.place], [9000, 0, 1000, undefined]);
      assert.deepEqual(charger.begin(2).moves(start, {}), [6000, 0, 1000], 'one that is free');
    });

    test('a place that no charger has is none', () => {
      for (const place of [0, -1, 65, 1.5, '1', null]) {
        const key = is16 ? 'connectorId' : 'evseId';
        assert.equal(free().estimate(start, { [key]: place }).place, undefined);
      }
    });

    test('the rating that the operator gives counts', () => {
      const charger = free();
      charger.ratedW = 50_000;
      assert.deepEqual(charger.moves(start, at(1)), [50_000, 0, 1000]);
    });

    test('a profile in the request limits what it starts, and not the others', () => {
      const purpose = 'TxProfile';
      for (const rest of [{}, { transactionId: idOf(1) }]) {
        const chargingProfile = profileText(version, { purpose, limits: 5000, rest });
        const estimate = loaded().estimate(start, { ...at(2), chargingProfile });
        assert.deepEqual([...movesOf(estimate), estimate.basis], [5000, 0, 1000, 'limit']);
        assert.deepEqual(estimate.later, { is: 'schedule', steps: [] });
        assert.deepEqual(loaded().moves(start, { chargingProfile }), [5000, 0, 1000]);
      }
    });

    test('T1-06: a start at nothing, with more to come, counts it when it comes', () => {
      const chargingProfile = profileText(version, {
        purpose: 'TxProfile',
        kind: 'Relative',
        limits: [
          [0, 0],
          [3600, 9000],
        ],
      });
      for (const place of [at(1), {}]) {
        const charger = free();
        const { later, ...rest } = charger.estimate(start, { ...place, chargingProfile });
        assert.deepEqual([rest.now.upW, rest.basis], [0, 'limit']);
        const atMs = charger.talk.nowMs + 3_600_000;
        const steps = [{ atMs, commandsMilli: 1000, upW: 9000, downW: 0 }];
        assert.deepEqual(later, { is: 'schedule', steps });
      }
    });

    test('T1-02: a profile of a start that nothing followed may count for the next, or not', () => {
      const profile = { purpose: 'TxProfile', limits: 0 };
      const charger = free();
      charger.accept(start, { ...at(1), chargingProfile: profileText(version, profile) });
      assert.equal(charger.picture.view.limits.profiles.length, 1);
      assert.deepEqual(charger.wait(5).moves(start, at(1)), [22_000, 0, 1000]);
      const own = profileText(version, { ...profile, id: 2, limits: 9000 });
      assert.deepEqual(charger.moves(start, { ...at(1), chargingProfile: own }), [9000, 0, 1000]);
    });

    test('a default that counts from the start begins with it', () => {
      const charger = free().set({
        kind: 'Relative',
        limits: [
          [0, 5000],
          [60, 9000],
        ],
      });
      const { later } = charger.estimate(start, at(1));
      assert.equal(later?.steps.length, 1);
      assert.equal(later?.steps[0]?.atMs, charger.talk.nowMs + 60_000);
    });

    test('T1-04: a profile of the whole charger in a request to start counts for all cars', () => {
      const chargingProfile = profileText(version, { limits: 0 });
      const estimate = loaded().begin(2).estimate(start, { chargingProfile });
      assert.deepEqual([estimate.now.upW, estimate.now.downW], [0, 44_000]);
    });

    test('T3-17: a profile that cannot be read refuses the start', () => {
      for (const chargingProfile of [null, 7, {}, [], profileText(version, { limits: [] })]) {
        const said = free().ask(start, { ...at(1), chargingProfile });
        assert.equal('code' in said && said.code, 'RAMP_PROFILE_INVALID');
      }
    });
  });

  describe(`stops in ${version}`, () => {
    test('T1-01: a stop counts what its transaction takes', () => {
      const estimate = charging().estimate(stop, { transactionId: idOf(1) });
      assert.deepEqual(movesOf(estimate), [0, 7000, 1000]);
      assert.deepEqual([estimate.basis, estimate.place, estimate.swing], ['measured', 1, 'down']);
    });

    test('or the most that it may take', () => {
      assert.deepEqual(loaded().moves(stop, { transactionId: idOf(1) }), [0, 22_000, 1000]);
      const limited = loaded().set({ limits: 9000 });
      assert.deepEqual(limited.moves(stop, { transactionId: idOf(1) }), [0, 9000, 1000]);
    });

    test('one of an unknown transaction counts the rating', () => {
      for (const transactionId of [idOf(99), null, {}, '', undefined]) {
        const estimate = charging().estimate(stop, { transactionId });
        assert.deepEqual([...movesOf(estimate), estimate.place], [0, 22_000, 1000, undefined]);
      }
    });

    test('one that takes nothing is a command all the same', () => {
      const idle = loaded()
        .measure(1, 0)
        .estimate(stop, { transactionId: idOf(1) });
      assert.deepEqual([...movesOf(idle), idle.basis, idle.swing], [0, 0, 1000, 'nothing', 'down']);
    });

    test('the end of feeding in is a rise', () => {
      assert.deepEqual(
        loaded()
          .measure(1, -5000)
          .moves(stop, { transactionId: idOf(1) }),
        [5000, 0, 1000],
      );
    });
  });

  describe(`restarts in ${version}`, () => {
    const immediate = { type: is16 ? 'Hard' : 'Immediate' };
    test('T1-09: a restart counts what the charger takes', () => {
      const estimate = charging().estimate('Reset', immediate);
      assert.deepEqual(movesOf(estimate), [0, 7000, 1000]);
      assert.deepEqual([estimate.place, estimate.swing], [undefined, 'down']);
      assert.deepEqual(loaded().begin(2).moves('Reset', immediate), [0, 44_000, 1000]);
    });

    test('one without a car is a command that moves nothing', () => {
      const estimate = free().estimate('Reset', immediate);
      assert.deepEqual([...movesOf(estimate), estimate.swing], [0, 0, 1000, 'none']);
    });

    test('whatever its type, it is one', () => {
      for (const type of ['Soft', 'Warm', 7, null]) {
        if (is16 || type !== 'Soft') {
          assert.deepEqual(charging().moves('Reset', { type }), [0, 7000, 1000]);
        }
      }
    });

    const firmwares: readonly (readonly [string, (moment: string) => JsonObject])[] = is16
      ? [
          ['UpdateFirmware', (moment) => ({ retrieveDate: moment })],
          ['SignedUpdateFirmware', (moment) => ({ firmware: { retrieveDateTime: moment } })],
        ]
      : [
          ['UpdateFirmware', (moment) => ({ firmware: { retrieveDateTime: moment } })],
          [
            'UpdateFirmware',
            (moment) => ({ firmware: { retrieveDateTime: momentAt(0), installDateTime: moment } }),
          ],
        ];
    for (const [action, payload] of firmwares) {
      const keys = JSON.stringify(payload('T'));
      test(`T1-13: ${action} ${keys} restarts at once, or at its moment`, () => {
        for (const moment of [momentAt(-5), momentAt(61), 'soon', '']) {
          const estimate = charging().estimate(action, payload(moment));
          assert.deepEqual([...movesOf(estimate), estimate.later], [0, 7000, 1000, undefined]);
        }
        const charger = charging();
        const estimate = charger.estimate(action, payload(momentAt(3600)));
        assert.deepEqual([...movesOf(estimate), estimate.basis], [0, 0, 0, 'nothing']);
        const atMs = charger.talk.nowMs + 3_540_000;
        const steps = [{ atMs, commandsMilli: 1000, upW: 0, downW: 44_000 }];
        assert.deepEqual(estimate.later, { is: 'restart', steps });
      });
    }

    test('T1-13: nothing restarts before the firmware is there, or at a moment of another action', () => {
      const charger = charging();
      const firmware = { retrieveDateTime: momentAt(3600), installDateTime: momentAt(0) };
      const action = is16 ? 'SignedUpdateFirmware' : 'UpdateFirmware';
      const { later } = charger.estimate(action, { firmware });
      assert.equal(later?.steps[0]?.atMs, charger.talk.nowMs + 3_540_000);
      const other = is16
        ? { retrieveDate: momentAt(0), firmware }
        : { retrieveDate: momentAt(3600) };
      assert.deepEqual(charger.moves('UpdateFirmware', other), [0, 7000, 1000]);
    });
  });

  describe(`availability in ${version}`, () => {
    const change = (value: unknown, place: number): JsonObject =>
      is16
        ? { connectorId: place, type: value }
        : { ...(place > 0 ? { evse: { id: place } } : {}), operationalStatus: value };
    const moves = (charger: TestCharger, value: unknown, place: number) => {
      const estimate = charger.estimate('ChangeAvailability', change(value, place));
      return [...movesOf(estimate), estimate.swing];
    };

    test('T1-10: out of service counts what the place, or the charger, takes', () => {
      assert.deepEqual(moves(charging(), 'Inoperative', 1), [0, 7000, 1000, 'down']);
      assert.deepEqual(moves(charging(), 'Inoperative', 0), [0, 7000, 1000, 'down']);
      assert.deepEqual(moves(loaded(), 'Inoperative', 1), [0, 22_000, 1000, 'down']);
    });

    test('of a place without a car it is nothing', () => {
      assert.deepEqual(moves(charging(), 'Inoperative', 2), [0, 0, 0, 'none']);
      assert.deepEqual(moves(free(), 'Inoperative', 0), [0, 0, 0, 'none']);
    });

    test('back in service counts what a car that waits will take', () => {
      const unavailable = new TestCharger(version, ['Unavailable', 'Available']);
      assert.deepEqual(moves(unavailable, 'Operative', 1), [22_000, 0, 1000, 'up']);
      assert.deepEqual(moves(unavailable, 'Operative', 0), [22_000, 0, 1000, 'up']);
      assert.deepEqual(moves(unavailable.set({ limits: 9000 }), 'Operative', 1), [
        9000,
        0,
        1000,
        'up',
      ]);
      const set = free().accept('ChangeAvailability', change('Inoperative', 0));
      assert.deepEqual(moves(set, 'Operative', 0), [44_000, 0, 1000, 'up']);
      assert.deepEqual(moves(new TestCharger(version), 'Operative', 1), [22_000, 0, 1000, 'up']);
    });

    test('of a place where a car is charging it is nothing, whatever its status', () => {
      const charger = new TestCharger(version, ['Unavailable']).begin(1);
      assert.deepEqual(moves(charger, 'Operative', 1), [0, 0, 0, 'none']);
    });

    test('of a place that is in service it is nothing', () => {
      assert.deepEqual(moves(free(), 'Operative', 1), [0, 0, 0, 'none']);
      assert.deepEqual(moves(charging(), 'Operative', 0), [0, 0, 0, 'none']);
      const set = free().accept('ChangeAvailability', change('Inoperative', 1));
      assert.deepEqual(moves(set, 'Operative', 2), [0, 0, 0, 'none']);
    });

    test('what cannot be read may be either', () => {
      for (const value of ['operative', null, 7, undefined]) {
        assert.deepEqual(moves(charging(), value, 1), [44_000, 44_000, 1000, 'up']);
      }
    });
  });

  describe(`cables in ${version}`, () => {
    test('T1-10: to release one counts what its place takes, or nothing', () => {
      assert.deepEqual(charging().moves('UnlockConnector', at(1)), [0, 7000, 1000]);
      assert.deepEqual(charging().moves('UnlockConnector', at(2)), [0, 0, 0]);
      assert.deepEqual(charging().moves('UnlockConnector', at(0)), [0, 7000, 1000]);
      assert.deepEqual(new TestCharger(version).moves('UnlockConnector', at(1)), [0, 22_000, 1000]);
    });
  });
}

describe('restarts of OCPP 2', () => {
  const charging = (version: 'ocpp2.0.1' | 'ocpp2.1') =>
    new TestCharger(version, ['Available', 'Available'])
      .begin(1)
      .begin(2)
      .wait(60)
      .measure(1, 7000)
      .measure(2, 5000);

  test('one of an EVSE counts what that takes', () => {
    const reset = { type: 'Immediate', evseId: 2 };
    const estimate = charging('ocpp2.0.1').estimate('Reset', reset);
    assert.deepEqual([...movesOf(estimate), estimate.place], [0, 5000, 1000, 2]);
  });

  test('one that waits for the cars moves nothing', () => {
    const estimate = charging('ocpp2.0.1').estimate('Reset', { type: 'OnIdle' });
    assert.deepEqual([...movesOf(estimate), estimate.swing], [0, 0, 1000, 'none']);
  });

  test('one after which the cars go on is a fall and a rise', () => {
    const reset = { type: 'ImmediateAndResume' };
    assert.deepEqual(charging('ocpp2.1').moves('Reset', reset), [12_000, 12_000, 1000]);
  });

  test('OnIdle means nothing to OCPP 1.6', () => {
    const charger = new TestCharger('ocpp1.6', ['Charging']);
    assert.deepEqual(charger.moves('Reset', { type: 'OnIdle' }), [0, 22_000, 1000]);
  });
});

describe('settings', () => {
  test('one that may be of a limit may do anything, and others nothing', () => {
    const charger = new TestCharger('ocpp1.6', ['Available']);
    const change = (key: string) => charger.moves('ChangeConfiguration', { key, value: '0' });
    assert.deepEqual(change('MaxChargingCurrent'), [22_000, 22_000, 1000]);
    assert.deepEqual(change('HeartbeatInterval'), [0, 0, 0]);
  });
});

test('the memory of the charger is the same after every estimate', () => {
  const charger = new TestCharger('ocpp1.6', ['Available']).begin(1).set({ limits: 5000 });
  const before = JSON.stringify(charger.talk.memory.save());
  charger.settle({ limits: 0 });
  charger.estimate('ClearChargingProfile', {});
  charger.estimate('RemoteStartTransaction', { chargingProfile: profileText('ocpp1.6', {}) });
  charger.ask('SetChargingProfile', setPayload('ocpp1.6', { limits: [] }));
  assert.equal(JSON.stringify(charger.talk.memory.save()), before);
});
