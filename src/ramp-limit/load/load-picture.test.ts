import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../ocpp/version.ts';
import { chargerLoad, loadOf } from './load-picture.ts';
import { maximumPurpose, momentAt, TestCharger } from './test-charger.test.ts';

// Goal: what a charger takes now is what it has measured, or else the most that it can take.
// Method: conversations with a real memory; each rule from both sides.

function loadNow(charger: TestCharger, place?: number) {
  const { basis, load } = loadOf(chargerLoad(charger.picture, charger.options, place), place);
  return [load.lowW, load.highW, basis];
}

const idle = {
  'ocpp1.6': ['Available', 'Preparing', 'Finishing', 'Reserved', 'Unavailable', 'Faulted'],
  'ocpp2.0.1': ['Available', 'Reserved', 'Unavailable', 'Faulted'],
  'ocpp2.1': ['Available', 'Reserved', 'Unavailable', 'Faulted'],
};
const busy = {
  'ocpp1.6': ['Charging', 'SuspendedEV', 'SuspendedEVSE', 'Nonsense'],
  'ocpp2.0.1': ['Occupied', 'Charging'],
  'ocpp2.1': ['Occupied', 'Charging'],
};

for (const version of ocppVersions) {
  const charging = () => new TestCharger(version, ['Available', 'Available']).begin(1).wait(60);
  describe(`the present load in ${version}`, () => {
    for (const status of idle[version]) {
      test(`a place that is ${status}, without a transaction, takes nothing`, () => {
        const charger = new TestCharger(version, [status]);
        assert.deepEqual(loadNow(charger), [0, 0, 'nothing']);
        assert.deepEqual(loadNow(charger.measure(1, 5000)), [0, 0, 'nothing']);
        assert.deepEqual(loadNow(charger.begin(1)), [0, 22_000, 'rating']);
      });
    }

    for (const status of busy[version]) {
      test(`a place that is ${status}, without a transaction, may take all it can`, () => {
        const charger = new TestCharger(version, [status, 'Available']);
        assert.deepEqual(loadNow(charger), [0, 22_000, 'rating']);
        assert.deepEqual(loadNow(charger.set({ limits: 5000 })), [0, 5000, 'limit']);
        assert.deepEqual(loadNow(charger.wait(1).measure(1, 3000)), [3000, 3000, 'measured']);
      });
    }

    test('a charger of which nothing is known may take all it can, once', () => {
      const charger = new TestCharger(version);
      assert.deepEqual(loadNow(charger), [0, 22_000, 'rating']);
      assert.deepEqual(loadNow(charger, 3), [0, 22_000, 'rating']);
      charger.set({ place: 1, limits: 20_000 }).set({ id: 2, place: 2, limits: 20_000 });
      assert.deepEqual(loadNow(charger), [0, 22_000, 'limit']);
    });

    test('a place that is not known, of a charger that is, may take all it can', () => {
      const charger = new TestCharger(version, ['Available']);
      assert.deepEqual(loadNow(charger, 2), [0, 22_000, 'rating']);
      assert.deepEqual(loadNow(charger), [0, 0, 'nothing']);
    });

    test('a transaction takes what was measured, as long as that is not old', () => {
      const charger = charging().measure(1, 7000);
      assert.deepEqual(loadNow(charger), [7000, 7000, 'measured']);
      assert.deepEqual(loadNow(charger.wait(300)), [7000, 7000, 'measured']);
      assert.deepEqual(loadNow(charger.wait(1)), [0, 22_000, 'rating']);
      assert.deepEqual(loadNow(charger.set({ limits: 9000 })), [0, 9000, 'limit']);
    });

    test('what was measured in another transaction, or as it began, does not count', () => {
      const charger = new TestCharger(version, ['Available']).measure(1, 0).wait(5).begin(1);
      assert.deepEqual(loadNow(charger), [0, 22_000, 'rating']);
      charger.measure(1, 0);
      assert.deepEqual(loadNow(charger), [0, 22_000, 'rating']);
      assert.deepEqual(loadNow(charger.wait(1).measure(1, 10)), [10, 10, 'measured']);
    });

    test('what was measured under other limits does not count', () => {
      const charger = charging().measure(1, 10).wait(1).set({ limits: 9000 });
      assert.deepEqual(loadNow(charger), [0, 9000, 'limit']);
      assert.deepEqual(loadNow(charger.wait(1).measure(1, 5000)), [5000, 5000, 'measured']);
      charger.wait(1).accept('ClearChargingProfile', {});
      assert.deepEqual(loadNow(charger), [0, 22_000, 'rating']);
    });

    test('what was measured before a schedule lets the car take more does not count', () => {
      const limits = [
        [0, 0],
        [60, 9000],
        [120, 5000],
      ] as const;
      const charger = charging().set({ limits, schedule: { startSchedule: momentAt(60) } });
      charger.wait(59).measure(1, 0);
      assert.deepEqual(loadNow(charger), [0, 0, 'measured']);
      assert.deepEqual(loadNow(charger.wait(1)), [0, 9000, 'limit']);
      charger.measure(1, 9000).wait(60);
      assert.deepEqual(loadNow(charger), [9000, 9000, 'measured'], 'one that falls takes no more');
    });

    test('a car that feeds in is below zero', () => {
      assert.deepEqual(loadNow(charging().measure(1, -4000)), [-4000, -4000, 'measured']);
    });

    test('the places add up; of a charger with a rating, to no more than that', () => {
      const charger = new TestCharger(version, ['Available', 'Available', 'Available']);
      charger.begin(1).begin(2);
      assert.deepEqual(loadNow(charger), [0, 44_000, 'rating']);
      assert.deepEqual(loadNow(charger, 1), [0, 22_000, 'rating']);
      charger.ratedW = 30_000;
      assert.deepEqual(loadNow(charger), [0, 30_000, 'rating']);
      assert.deepEqual(loadNow(charger, 1), [0, 30_000, 'rating']);
      charger.wait(1).measure(2, 4000).set({ limits: 9000 }).wait(1).measure(2, 4000);
      assert.deepEqual(loadNow(charger), [4000, 13_000, 'limit']);
    });

    test('the maximum of the charger bounds all places together', () => {
      const charger = new TestCharger(version, ['Available', 'Available']).begin(1).begin(2);
      charger.set({ place: 0, limits: 10_000, purpose: maximumPurpose(version) });
      assert.deepEqual(loadNow(charger, 1), [0, 10_000, 'limit']);
      assert.deepEqual(loadNow(charger), [0, 10_000, 'limit']);
    });

    test('a rating that was exceeded is none', () => {
      const charger = charging().measure(1, 30_000);
      charger.ratedW = 11_000;
      assert.deepEqual(loadNow(charger), [30_000, 30_000, 'measured']);
      assert.deepEqual(loadNow(charger.wait(301)), [0, 30_000, 'rating']);
    });

    test('T1-19: a meter that says what no charger takes counts as the largest charger', () => {
      assert.deepEqual(loadNow(charging().measure(1, 1e300)), [4_000_000, 4_000_000, 'measured']);
    });

    test('what the grid meter says is no load of a place', () => {
      const charger = new TestCharger(version, ['Available']).measure(0, 90_000);
      assert.deepEqual(loadNow(charger), [0, 0, 'nothing']);
    });

    test('of two transactions at one place, the end of one was missed', () => {
      const charger = charging().begin(1, 9).wait(1).measure(1, 6000);
      assert.deepEqual(loadNow(charger), [6000, 6000, 'measured']);
    });
  });
}

describe('statuses of another version', () => {
  test('after an update to OCPP 2.0.1, old ones of OCPP 1.6 say nothing', () => {
    const old = new TestCharger('ocpp1.6', ['Charging', 'Charging', 'Charging']);
    const call = { from: 'charger', version: 'ocpp2.0.1', action: 'StatusNotification' } as const;
    const payload = { evseId: 1, connectorId: 1, connectorStatus: 'Available' };
    const atMs = old.talk.nowMs + 1;
    old.talk.memory.onCall({ ...call, id: 'x', payload, atMs });
    assert.deepEqual(loadNow(old), [0, 0, 'nothing']);
  });

  test('an EVSE is idle when all its connectors are', () => {
    const charger = new TestCharger('ocpp2.0.1', ['Available']);
    const say = (connectorId: number, connectorStatus: string) =>
      charger.talk.open('charger', 'StatusNotification', {
        evseId: 1,
        connectorId,
        connectorStatus,
      });
    say(2, 'Occupied');
    assert.deepEqual(loadNow(charger), [0, 22_000, 'rating']);
    say(2, 'Available');
    assert.deepEqual(loadNow(charger), [0, 0, 'nothing']);
  });

  test('that the charger itself is out of order says nothing of its places', () => {
    const charger = new TestCharger('ocpp1.6', ['Charging']).status(0, 'Faulted');
    assert.deepEqual(loadNow(charger), [0, 22_000, 'rating']);
  });
});
