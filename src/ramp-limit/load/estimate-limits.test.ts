import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../ocpp/message.ts';
import { type OcppVersion, ocppVersions } from '../../ocpp/version.ts';
import {
  maximumPurpose,
  momentAt,
  movesOf,
  type ProfileText,
  setPayload,
  TestCharger,
} from './test-charger.test.ts';

// Goal: a change of limits counts what it makes cars take more or less, at most.
// Method: a charger with two places; profiles that are accepted before, and one command.

function clearPayload(
  version: OcppVersion,
  by: { id?: unknown; place?: unknown; purpose?: unknown; stackLevel?: unknown } = {},
): JsonObject {
  const { id, place, purpose, stackLevel } = by;
  const rest = { chargingProfilePurpose: purpose, stackLevel };
  return version === 'ocpp1.6'
    ? { id, connectorId: place, ...rest }
    : { chargingProfileId: id, chargingProfileCriteria: { evseId: place, ...rest } };
}

for (const version of ocppVersions) {
  const is16 = version === 'ocpp1.6';
  const free = () => new TestCharger(version, ['Available', 'Available']);
  const charging = () => free().begin(1).wait(60);
  const maximum = maximumPurpose(version);
  const moves = (charger: TestCharger, text: ProfileText) => movesOf(charger.settle(text));

  describe(`a new profile in ${version}`, () => {
    test('T1-04: limit 0 to a charging car counts what it takes', () => {
      const measured = charging().measure(1, 7000).settle({ limits: 0, unit: 'A' });
      assert.deepEqual(movesOf(measured), [0, 7000, 1000]);
      assert.deepEqual([measured.basis, measured.swing, measured.place], ['measured', 'down', 1]);
      const unmeasured = charging().settle({ limits: 0, unit: 'A' });
      assert.deepEqual([...movesOf(unmeasured), unmeasured.basis], [0, 22_000, 1000, 'rating']);
    });

    test('T1-04: whatever the purpose, it counts', () => {
      const texts: readonly ProfileText[] = [
        { purpose: 'TxProfile' },
        { purpose: 'TxProfile', rest: { transactionId: is16 ? 1 : '1' } },
        { place: 0 },
        { place: 0, purpose: maximum },
        { purpose: maximum },
        ...(is16 ? [] : [{ place: 0, purpose: 'ChargingStationExternalConstraints' }]),
      ];
      for (const text of texts) {
        assert.deepEqual(moves(charging(), { ...text, limits: 0 }), [0, 22_000, 1000]);
      }
    });

    test('of a place without a car it is nothing', () => {
      for (const place of [0, 1, 2]) {
        const estimate = free().settle({ place, limits: 0 });
        assert.deepEqual([...movesOf(estimate), estimate.basis], [0, 0, 0, 'nothing']);
      }
      assert.deepEqual(moves(charging(), { place: 2, limits: 0 }), [0, 0, 0]);
    });

    test('of another transaction it is nothing, but where none is known it may be that one', () => {
      const text = { purpose: 'TxProfile', limits: 0, rest: { transactionId: is16 ? 99 : 'X' } };
      assert.deepEqual(moves(charging(), text), [0, 0, 0]);
      const unknown = new TestCharger(version, [is16 ? 'Charging' : 'Occupied']);
      assert.deepEqual(moves(unknown, text), [0, 22_000, 1000]);
    });

    test('a change of a tenth counts like a tenth', () => {
      for (const [unit, high, low] of [
        ['W', 20_000, 18_000],
        ['A', 30, 27],
      ] as const) {
        const charger = charging().set({ limits: high, unit });
        const highW = unit === 'A' ? high * 690 : high;
        const estimate = charger.settle({ limits: low, unit });
        assert.deepEqual(movesOf(estimate), [0, highW / 10, 100]);
        assert.deepEqual([estimate.basis, estimate.swing], ['limit', 'none']);
        const back = charging().set({ limits: low, unit }).settle({ limits: high, unit });
        assert.deepEqual(movesOf(back), [highW / 10, 0, 100]);
      }
    });

    test('all and nothing are whole commands; more than half is a swing', () => {
      const to = (from: number, limits: number) => {
        const { now, swing } = charging().set({ limits: from }).settle({ limits });
        return [now.upW, now.downW, now.commandsMilli, swing];
      };
      assert.deepEqual(to(22_000, 0), [0, 22_000, 1000, 'down']);
      assert.deepEqual(to(0, 22_000), [22_000, 0, 1000, 'up']);
      assert.deepEqual(to(10_000, 5000), [0, 5000, 500, 'none']);
      assert.deepEqual(to(10_000, 4900), [0, 5100, 510, 'down']);
      assert.deepEqual(to(5000, 12_000), [7000, 0, 584, 'up']);
      assert.deepEqual(to(10_000, 9999), [0, 1, 1, 'none']);
      assert.deepEqual(to(10_000, 10_000), [0, 0, 0, 'none']);
      assert.deepEqual(to(0, 0), [0, 0, 0, 'none']);
    });

    test('a little less than what a car needs is all that it took', () => {
      const charger = charging().set({ limits: 6, unit: 'A' });
      assert.deepEqual(moves(charger, { limits: 5.9, unit: 'A' }), [0, 4140, 1000]);
    });

    test('T1-05: more than a charger can do is what it can do', () => {
      const charger = charging().set({ limits: 5000 });
      assert.deepEqual(moves(charger, { limits: 1e6 }), [17_000, 0, 773]);
      assert.deepEqual(moves(charger, { limits: 1e9, unit: 'A' }), [17_000, 0, 773]);
      assert.deepEqual(moves(charging(), { limits: 1e6 }), [0, 0, 0]);
    });

    test('one that replaces another counts against that', () => {
      const charger = charging()
        .set({ id: 1, limits: 9000 })
        .set({ id: 2, stackLevel: 1, limits: 5000 });
      assert.deepEqual(moves(charger, { id: 2, stackLevel: 1, limits: 6000 }), [1000, 0, 167]);
      // Under a new number: the same step in OCPP 1.6, later one or the other.
      const same = moves(charger, { id: 3, stackLevel: 1, limits: 6000 });
      assert.deepEqual(same.slice(0, 2), is16 ? [1000, 0] : [1000, 0]);
      assert.deepEqual(moves(charger, { id: 4, stackLevel: 0, limits: 0 }), [0, 0, 0]);
    });

    test('one that counts only later changes nothing now', () => {
      const estimate = charging().settle({
        limits: 0,
        schedule: { startSchedule: momentAt(3600) },
      });
      assert.deepEqual(movesOf(estimate), [0, 0, 0]);
      assert.deepEqual(
        estimate.later?.steps.map(({ downW }) => downW),
        [44_000 / 2],
      );
      const past = charging().settle({ limits: 0, rest: { validTo: momentAt(-5) } });
      assert.deepEqual([movesOf(past), past.later?.steps], [[0, 0, 0], []]);
    });

    test('of one that began long ago, the present period counts', () => {
      const limits = [
        [0, 22_000],
        [60, 5000],
        [1e6, 0],
      ] as const;
      const text = { limits, schedule: { startSchedule: momentAt(-5000) } };
      assert.deepEqual(moves(charging(), text), [0, 17_000, 773]);
    });

    test('all places count together, up to the rating of the charger', () => {
      const both = () => charging().begin(2);
      assert.deepEqual(moves(both(), { place: 0, limits: 0 }), [0, 44_000, 1000]);
      const rated = both();
      rated.ratedW = 30_000;
      assert.deepEqual(moves(rated, { place: 0, limits: 0 }), [0, 30_000, 1000]);
      assert.deepEqual(moves(rated, { place: 1, limits: 0 }), [0, 30_000, 1000]);
    });

    test('one of two places is a whole command all the same', () => {
      assert.deepEqual(moves(charging().begin(2), { place: 1, limits: 0 }), [0, 22_000, 1000]);
    });

    test('the maximum of the charger bounds the sum, not each place', () => {
      const both = charging().begin(2).set({ place: 0, limits: 20_000, purpose: maximum });
      assert.deepEqual(
        moves(both, { place: 0, limits: 10_000, purpose: maximum }),
        [0, 10_000, 500],
      );
      assert.deepEqual(
        moves(both, { place: 0, limits: 90_000, purpose: maximum }),
        [24_000, 0, 546],
      );
      both.wait(1).measure(1, 7000).measure(2, 5000);
      assert.deepEqual(moves(both, { place: 0, limits: 10_000, purpose: maximum }), [0, 2000, 500]);
      assert.deepEqual(moves(both, { place: 0, limits: 0, purpose: maximum }), [0, 12_000, 1000]);
    });

    test('T3-17: one that cannot be read is refused', () => {
      const charger = charging();
      const payloads = [
        setPayload(version, { limits: [] }),
        setPayload(version, { place: -1 }),
        setPayload(version, { rest: { chargingSchedule: null } }),
        {},
        { connectorId: 1, evseId: 1 },
        is16 ? { connectorId: 1, chargingProfile: {} } : { evseId: 1, csChargingProfiles: {} },
      ];
      for (const payload of payloads) {
        const said = charger.ask('SetChargingProfile', payload);
        assert.equal('code' in said && said.code, 'RAMP_PROFILE_INVALID');
      }
    });

    test('T1-05: nobody can make the gateway forget a limit by setting others', () => {
      const charger = charging();
      for (let id = 1; id <= 32; id += 1) charger.set({ id, stackLevel: id, limits: 5000 });
      const refused = charger.ask(
        'SetChargingProfile',
        setPayload(version, { id: 99, stackLevel: 99 }),
      );
      const detail = 'there are more profiles than can be watched';
      assert.deepEqual(refused, { code: 'RAMP_PROFILE_INVALID', detail });
      assert.deepEqual(
        moves(charger, { id: 1, stackLevel: 1, limits: 0 }),
        [0, 0, 0],
        'one replaced',
      );
      charger.set({ id: 1, stackLevel: 1, rest: { validTo: momentAt(0) } });
      charger.set({ id: 0, stackLevel: 1, limits: 5000, rest: { validTo: momentAt(0) } });
      const expired = free();
      for (let id = 1; id <= 32; id += 1) {
        expired.set({ id, stackLevel: id, limits: 5000, rest: { validTo: momentAt(5) } });
      }
      expired.wait(5);
      assert.deepEqual(moves(expired, { id: 99, stackLevel: 99 }), [0, 0, 0], 'old ones may go');
    });

    test('T1-06: what comes later is all that the schedules of the charger then do', () => {
      const charger = charging().set({
        id: 1,
        place: 2,
        limits: [
          [0, 5000],
          [60, 9000],
        ],
      });
      const { later } = charger.settle({
        id: 2,
        place: 1,
        limits: [
          [0, 22_000],
          [120, 9000],
        ],
        schedule: { startSchedule: momentAt(60) },
      });
      assert.equal(later?.is, 'schedule');
      assert.deepEqual(
        later.steps.map((step) => [step.atMs - charger.talk.nowMs, step.upW, step.downW]),
        [
          [60_000, 4000, 0],
          [120_000, 0, 13_000],
        ],
      );
    });

    test('T1-06: more steps than can be watched are refused', () => {
      const limits = Array.from(
        { length: 300 },
        (_, index) => [index * 60, index % 2 ? 9000 : 5000] as const,
      );
      const text = {
        limits,
        kind: 'Recurring',
        schedule: { startSchedule: momentAt(0) },
        rest: { recurrencyKind: 'Daily' },
      };
      const charger = charging();
      const { later } = charger.settle(text);
      assert.equal(later?.steps.length, 600);
      charger.set(text);
      const other = { ...text, id: 2, place: 2, schedule: { startSchedule: momentAt(7) } };
      const said = charger.ask('SetChargingProfile', setPayload(version, other));
      const detail = 'there are more steps than can be watched';
      assert.deepEqual(said, { code: 'RAMP_PROFILE_INVALID', detail });
    });
  });

  describe(`clearing in ${version}`, () => {
    const clear = (charger: TestCharger, by: Parameters<typeof clearPayload>[1] = {}) =>
      charger.estimate('ClearChargingProfile', clearPayload(version, by));

    test('T1-05: the end of a limit counts what cars may take then', () => {
      const charger = charging().set({ limits: 5000 });
      for (const by of [
        {},
        { id: 1 },
        { place: 1 },
        { purpose: 'TxDefaultProfile' },
        { stackLevel: 0 },
      ]) {
        const estimate = clear(charger, by);
        assert.deepEqual(movesOf(estimate), [17_000, 0, 773]);
        assert.deepEqual([estimate.basis, estimate.swing], ['rating', 'up']);
        assert.deepEqual(estimate.later, { is: 'schedule', steps: [] });
      }
      assert.equal(clear(charger, { place: 1 }).place, 1);
      assert.equal(clear(charger).place, undefined);
    });

    test('of none it is nothing', () => {
      const charger = charging().set({ limits: 5000 });
      for (const by of [{ id: 9 }, { place: 2 }, { purpose: 'TxProfile' }, { stackLevel: 5 }]) {
        assert.deepEqual(movesOf(clear(charger, by)), [0, 0, 0]);
      }
      assert.deepEqual(movesOf(clear(charging())), [0, 0, 0]);
      assert.deepEqual(movesOf(clear(free().set({ limits: 5000 }))), [0, 0, 0]);
    });

    test('what was below comes back, and that may be a fall', () => {
      const charger = charging().set({ limits: 0 }).set({ id: 2, stackLevel: 1, limits: 22_000 });
      assert.deepEqual(movesOf(clear(charger, { id: 2 })), [0, 22_000, 1000]);
    });

    test('T1-05: a number beside criteria that do not fit may clear it all the same', () => {
      const charger = charging().set({ limits: 5000 });
      assert.deepEqual(movesOf(clear(charger, { id: 1, stackLevel: 99 })), [17_000, 0, 773]);
      assert.deepEqual(movesOf(clear(charger, { id: 9, place: 1 })), [17_000, 0, 773]);
      assert.deepEqual(movesOf(clear(charger, { id: 9, place: 2 })), [0, 0, 0]);
    });

    test('T1-05: what cannot be read may clear anything', () => {
      const charger = charging().set({ limits: 5000 });
      const bad = [{ id: '1' }, { place: null }, { purpose: 7 }, { stackLevel: 0.5 }];
      for (const by of bad) assert.deepEqual(movesOf(clear(charger, by)), [44_000, 44_000, 1000]);
      if (!is16) {
        const payload = { chargingProfileCriteria: [] };
        assert.deepEqual(charger.moves('ClearChargingProfile', payload), [44_000, 44_000, 1000]);
      }
    });

    test('the steps of what is cleared are no longer to come; a clearing is never refused', () => {
      const charger = free();
      const limits = Array.from(
        { length: 300 },
        (_, index) => [index * 60, index % 2 ? 9000 : 5000] as const,
      );
      for (const id of [1, 2]) {
        charger.set({
          id,
          place: id,
          limits,
          kind: 'Recurring',
          schedule: { startSchedule: momentAt(id) },
          rest: { recurrencyKind: 'Daily' },
        });
      }
      const stepsOf = (by: Parameters<typeof clearPayload>[1]) =>
        clear(charger, by).later?.steps.length;
      assert.equal(stepsOf({ id: 9 }), 600, 'the first of 1200');
      assert.equal(stepsOf({ id: 1 }), 600);
      assert.equal(stepsOf({}), 0);
    });
  });
}
