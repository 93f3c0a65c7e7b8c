import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ocppVersions } from '../../ocpp/version.ts';
import { shiftedPayload } from './shift-schedule.ts';
import {
  beginMs,
  momentAt,
  type ProfileText,
  profileText,
  setPayload,
  TestCharger,
} from './test-charger.test.ts';

// Goal: everything that a profile plans can be delayed, and nothing else changes.
// Method: a profile of each form, delayed by ten minutes; what was delayed is estimated again.

const shiftSeconds = 600;
const at = (seconds: number) => momentAt(seconds).replace('.000Z', 'Z');

for (const version of ocppVersions) {
  const is16 = version === 'ocpp1.6';
  const start = is16 ? 'RemoteStartTransaction' : 'RequestStartTransaction';
  const { command } = TestCharger.prototype;
  const commandOf = (action: string, payload: object) =>
    command.call(new TestCharger(version), action, { ...payload });

  const shifted = (text: ProfileText) =>
    shiftedPayload(
      commandOf('SetChargingProfile', setPayload(version, text)),
      shiftSeconds,
      beginMs,
    );

  describe(`delays in ${version}`, () => {
    const cases: readonly (readonly [string, ProfileText, ProfileText | undefined])[] = [
      [
        'the start of what begins later',
        {
          schedule: { startSchedule: at(60), duration: 90 },
          limits: [
            [0, 0],
            [30, 1],
          ],
        },
        {
          schedule: { startSchedule: at(660), duration: 90 },
          limits: [
            [0, 0],
            [30, 1],
          ],
        },
      ],
      [
        'the start of what recurs, also where that is past',
        {
          kind: 'Recurring',
          schedule: { startSchedule: at(-60) },
          rest: { recurrencyKind: 'Daily' },
        },
        {
          kind: 'Recurring',
          schedule: { startSchedule: at(540) },
          rest: { recurrencyKind: 'Daily' },
        },
      ],
      [
        'the periods of what begins at once, and its end',
        {
          limits: [
            [0, 0],
            [30, 1],
            [60, 2],
          ],
          schedule: { duration: 90 },
        },
        {
          limits: [
            [0, 0],
            [630, 1],
            [660, 2],
          ],
          schedule: { duration: 690 },
        },
      ],
      [
        'of what has begun, the periods that are to come',
        {
          limits: [
            [0, 0],
            [30, 1],
            [60, 2],
          ],
          schedule: { startSchedule: at(-30) },
        },
        {
          limits: [
            [0, 0],
            [30, 1],
            [660, 2],
          ],
          schedule: { startSchedule: at(-30) },
        },
      ],
      [
        'the periods of what begins with a transaction',
        {
          kind: 'Relative',
          limits: [
            [0, 0],
            [30, 1],
          ],
        },
        {
          kind: 'Relative',
          limits: [
            [0, 0],
            [630, 1],
          ],
        },
      ],
      [
        'the time within which it is valid',
        { rest: { validFrom: at(60), validTo: at(120) } },
        { rest: { validFrom: at(660), validTo: at(720) } },
      ],
      ['not a past', { rest: { validFrom: at(-60), validTo: at(0) } }, undefined],
      ['not a "never"', { rest: { validTo: '9999-12-31T23:59:59Z' } }, undefined],
      ['not one limit for ever', { limits: 0 }, undefined],
      [
        'not what is over',
        {
          limits: [
            [0, 0],
            [30, 1],
          ],
          schedule: { startSchedule: at(-30) },
        },
        undefined,
      ],
    ];
    for (const [what, text, expected] of cases) {
      test(`T1-06: ${what}`, () => {
        const before = JSON.stringify(setPayload(version, text));
        const result = shifted(text);
        const rest = expected === undefined ? undefined : setPayload(version, expected);
        assert.deepEqual(result, rest);
        assert.equal(JSON.stringify(setPayload(version, text)), before);
      });
    }

    test('a profile in a request to start is delayed as well', () => {
      const profile = { kind: 'Relative', purpose: 'TxProfile' };
      const payload = {
        idTag: 'TAG',
        chargingProfile: profileText(version, {
          ...profile,
          limits: [
            [0, 0],
            [60, 1],
          ],
        }),
      };
      assert.deepEqual(shiftedPayload(commandOf(start, payload), shiftSeconds, beginMs), {
        idTag: 'TAG',
        chargingProfile: profileText(version, {
          ...profile,
          limits: [
            [0, 0],
            [660, 1],
          ],
        }),
      });
    });

    test('what is not understood stays, and the payload is not touched', () => {
      const text = {
        limits: [
          [0, 0],
          [60, 1],
        ] as const,
        rest: { customData: { vendorId: 'V', deep: [1, { a: null }] } },
      };
      const payload = { ...setPayload(version, text), other: { nested: [1] } };
      const copy = structuredClone(payload);
      const result = shiftedPayload(
        commandOf('SetChargingProfile', payload),
        shiftSeconds,
        beginMs,
      );
      assert.deepEqual(payload, copy);
      const moved = {
        ...text,
        limits: [
          [0, 0],
          [660, 1],
        ] as const,
      };
      assert.deepEqual(result, { ...setPayload(version, moved), other: { nested: [1] } });
      assert.notEqual(result?.['other'], payload.other);
    });

    test('other commands, and delays of nothing, have nothing to delay', () => {
      const payload = setPayload(version, {
        limits: [
          [0, 0],
          [60, 1],
        ],
      });
      const set = commandOf('SetChargingProfile', payload);
      for (const seconds of [0, -5, Number.NaN]) {
        assert.equal(shiftedPayload(set, seconds, beginMs), undefined);
      }
      for (const action of ['ClearChargingProfile', 'Reset']) {
        assert.equal(shiftedPayload(commandOf(action, payload), shiftSeconds, beginMs), undefined);
      }
      assert.equal(shiftedPayload(commandOf(start, {}), shiftSeconds, beginMs), undefined);
    });

    test('T1-06: the steps of what was delayed come so much later', () => {
      for (const text of [
        {
          limits: [
            [0, 5000],
            [60, 9000],
          ] as const,
        },
        { limits: 5000, schedule: { startSchedule: at(60) } },
        { limits: 5000, rest: { validFrom: at(60) } },
      ]) {
        const charger = new TestCharger(version, ['Available']);
        const moments = (payload: object | undefined) =>
          charger
            .estimate('SetChargingProfile', { ...payload })
            .later?.steps.map(({ atMs }) => (atMs - beginMs) / 1000);
        assert.deepEqual(moments(setPayload(version, text)), [60]);
        assert.deepEqual(moments(shifted(text)), [660]);
      }
    });
  });
}

test('each of several schedules is delayed', () => {
  const schedule = (id: number, second: number, rest: object = {}) => ({
    id,
    chargingRateUnit: 'W',
    chargingSchedulePeriod: [
      { startPeriod: 0, limit: 0, numberPhases: 3 },
      { startPeriod: second, limit: 1 },
    ],
    ...rest,
  });
  const payload = (chargingSchedule: readonly object[]) =>
    setPayload('ocpp2.0.1', { rest: { chargingSchedule } });
  const given = payload([schedule(1, 60), schedule(2, 30, { startSchedule: at(5) })]);
  const command = new TestCharger('ocpp2.0.1').command('SetChargingProfile', given);
  assert.deepEqual(
    shiftedPayload(command, shiftSeconds, beginMs),
    payload([schedule(1, 660), schedule(2, 30, { startSchedule: at(605) })]),
  );
});
