import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { loadActions, loadClassOf, loadReplyActions } from '../../ocpp/load-actions.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import { type OcppVersion, ocppVersions } from '../../ocpp/version.ts';
import type { LoadChange } from '../load-change.ts';
import { estimateLoad } from './estimate-load.ts';
import type { LoadCommand } from './load-command.ts';
import { scheduledSteps } from './schedule-steps.ts';
import { shiftedPayload } from './shift-schedule.ts';
import { profileText, setPayload, TestCharger } from './test-charger.test.ts';

// Goal: nothing that a CSMS, or a charger, can send makes an estimate throw, or be no number.
// Method: odd payloads, random ones, and profiles with one thing broken, for every action that
// changes load, on chargers in several states.

const commandsOf = (version: OcppVersion): readonly string[] => [
  ...Object.keys(loadActions[version]),
  ...loadReplyActions[version],
];

function commandOf(version: OcppVersion, action: string, payload: JsonObject): LoadCommand {
  const loadClass = loadClassOf(version, action) ?? 'limit';
  return { version, action, loadClass, payload, chargingProfileId: 1 };
}

const details = new Set<string>();

function checkNumbers({ commandsMilli, downW, upW }: LoadChange): void {
  for (const value of [commandsMilli, downW, upW]) {
    assert.ok(Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0), `${value}`);
  }
  assert.ok(commandsMilli <= 1000);
}

function check(charger: TestCharger, command: LoadCommand): LoadChange | undefined {
  const { options, picture } = charger;
  const before = JSON.stringify(command.payload);
  const result = estimateLoad(command, picture, options);
  const shifted = shiftedPayload(command, 60, picture.nowMs);
  assert.equal(JSON.stringify(command.payload), before, 'the payload is as it was');
  if (shifted !== undefined) estimateLoad({ ...command, payload: shifted }, picture, options);
  if (!result.ok) {
    details.add(result.error.detail);
    return undefined;
  }
  const { later, now, place } = result.value;
  checkNumbers(now);
  assert.ok(place === undefined || (Number.isInteger(place) && place >= 0));
  let lastMs = picture.nowMs;
  for (const step of later?.steps ?? []) {
    checkNumbers(step);
    assert.ok(step.atMs > lastMs && Number.isSafeInteger(step.atMs), `${step.atMs}`);
    lastMs = step.atMs;
  }
  return now;
}

/** Chargers in several states, each of which takes something. */
function chargers(version: OcppVersion): readonly TestCharger[] {
  const known = new TestCharger(version, ['Available', 'Available']).begin(1).wait(60);
  known.measure(1, 7000).set({
    id: 1,
    place: 0,
    limits: [
      [0, 9000],
      [3600, 5000],
    ],
  });
  known.set({ id: 2, limits: 5000, purpose: 'TxProfile', kind: 'Relative' });
  const counting = new TestCharger(version, ['Faulted']).begin(1).set({ id: 1, kind: 'Dynamic' });
  counting.options = { ...counting.options, discharge: 'count', derControls: 'count' };
  counting.ratedW = 50_000;
  return [new TestCharger(version), known, counting];
}

const words = fc.constantFrom(
  'Accepted',
  'Operative',
  'Inoperative',
  'Immediate',
  'TxProfile',
  'TxDefaultProfile',
  'PriorityCharging',
  'ChargePointMaxProfile',
  'ChargingStationMaxProfile',
  'Absolute',
  'Recurring',
  'Relative',
  'Daily',
  'W',
  'A',
  '1',
  'DC_BPT',
  '2026-01-05T13:00:00Z',
  '9999-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z',
  'MaxCurrent',
  '',
  '\u0000',
);
const names = fc.constantFrom(
  'connectorId',
  'evseId',
  'evse',
  'id',
  'transactionId',
  'type',
  'operationalStatus',
  'activate',
  'allowedEnergyTransfer',
  'key',
  'setVariableData',
  'component',
  'variable',
  'name',
  'firmware',
  'retrieveDateTime',
  'retrieveDate',
  'chargingProfile',
  'csChargingProfiles',
  'chargingProfileId',
  'chargingProfileCriteria',
  'chargingProfilePurpose',
  'chargingProfileKind',
  'stackLevel',
  'recurrencyKind',
  'validFrom',
  'validTo',
  'chargingSchedule',
  'chargingRateUnit',
  'startSchedule',
  'duration',
  'chargingSchedulePeriod',
  'startPeriod',
  'limit',
  'numberPhases',
  'setpoint',
  'dischargeLimit',
  'scheduleUpdate',
  '__proto__',
);
const leaf = fc.oneof(
  words,
  fc.integer({ min: -2, max: 70 }),
  fc.double(),
  fc.constantFrom(0, 1, 1e308, -1e308, Number.MAX_SAFE_INTEGER),
  fc.boolean(),
  fc.constant(null),
);
const { object } = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 5 }, leaf, tie('list'), tie('object')),
  list: fc.array(tie('tree'), { maxLength: 4 }),
  object: fc.array(fc.tuple(names, tie('tree')), { maxLength: 10 }).map(Object.fromEntries),
}));

/** `source` with the value at a random path replaced by anything. */
function broken(source: JsonObject, steps: readonly number[], value: unknown): JsonObject {
  const copy = structuredClone(source) as Record<string, unknown>;
  let at = copy;
  for (const step of steps) {
    const keys = Object.keys(at);
    const key = keys[step % keys.length];
    if (key === undefined) break;
    const child = at[key];
    if (typeof child !== 'object' || child === null || step % 5 === 0) {
      if (value === undefined) delete at[key];
      else at[key] = value;
      break;
    }
    at = child as Record<string, unknown>;
  }
  return copy;
}

for (const version of ocppVersions) {
  const start = version === 'ocpp1.6' ? 'RemoteStartTransaction' : 'RequestStartTransaction';
  describe(`hostile commands of ${version}`, () => {
    const odd: readonly JsonObject[] = [
      {},
      JSON.parse('{"__proto__":{"connectorId":1},"constructor":1,"transactionId":{"a":1}}'),
      Object.create({ connectorId: 1, csChargingProfiles: profileText(version, {}) }),
      { connectorId: 1e308, evseId: -0, evse: [], transactionId: Number.NaN },
      { connectorId: '1', evseId: null, csChargingProfiles: [], chargingProfile: [[]] },
    ];
    test('an odd payload of any action is survived', () => {
      for (const charger of chargers(version)) {
        for (const action of commandsOf(version)) {
          for (const payload of odd) check(charger, commandOf(version, action, payload));
        }
      }
    });

    test('whatever a random payload says, the numbers are whole, and not below zero', () => {
      const states = chargers(version);
      const actions = fc.constantFrom(...commandsOf(version));
      fc.assert(
        fc.property(actions, object, fc.nat(2), (action, payload, at) => {
          const charger = states[at];
          if (charger !== undefined)
            check(charger, commandOf(version, action, payload as JsonObject));
        }),
        { numRuns: 1000 },
      );
    });

    test('T3-17: a profile with one thing broken is counted, or refused, and never nothing', () => {
      const states = chargers(version);
      const good = setPayload(version, {
        limits: [
          [0, 0],
          [60, 100],
          [120, 0],
        ],
        stackLevel: 50,
        unit: 'A',
        schedule: { duration: 3600, startSchedule: '2026-01-05T11:59:00Z' },
        rest: { validFrom: '2026-01-05T11:00:00Z', validTo: '2026-01-06T11:00:00Z' },
      });
      fc.assert(
        fc.property(
          fc.constantFrom('SetChargingProfile', start),
          fc.array(fc.nat(1000), { minLength: 1, maxLength: 6 }),
          fc.oneof(leaf, object, fc.constant(undefined)),
          fc.nat(2),
          (action, steps, value, at) => {
            const charger = states[at];
            if (charger === undefined) return;
            const payload = broken(good, steps, value);
            check(charger, commandOf(version, action, payload));
          },
        ),
        { numRuns: 1000 },
      );
    });

    test('T3-17: a broken profile never counts as nothing', () => {
      const charger = new TestCharger(version, ['Available']).begin(1).set({ limits: 5000 });
      const breaks: readonly object[] = [
        { schedule: { chargingSchedulePeriod: [{ startPeriod: 5, limit: 5000 }] } },
        { schedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: '5000' }] } },
        { schedule: { chargingRateUnit: 'w' } },
        { kind: 'absolute' },
        { purpose: 'txDefaultProfile' },
        { rest: { stackLevel: '0' } },
        { rest: { validTo: 'never' } },
        { rest: { chargingSchedule: {} } },
      ];
      for (const text of breaks) {
        const said = charger.ask('SetChargingProfile', setPayload(version, text));
        assert.ok('code' in said, JSON.stringify(text));
        const begun = charger.ask(start, {
          ...setPayload(version, text),
          chargingProfile: profileText(version, text),
        });
        assert.ok('code' in begun, JSON.stringify(text));
      }
    });

    test('whatever a charger has accepted or reported, its steps are numbers', () => {
      const texts = fc.array(
        fc.record({
          payload: object,
          steps: fc.array(fc.nat(1000), { maxLength: 6 }),
          value: fc.oneof(leaf, object),
        }),
        { maxLength: 4 },
      );
      fc.assert(
        fc.property(texts, (many) => {
          const charger = new TestCharger(version, ['Available', 'Available']).begin(1);
          for (const [index, { payload, steps, value }] of many.entries()) {
            const good = setPayload(version, {
              id: index,
              stackLevel: index,
              kind: 'Recurring',
              limits: [
                [0, 0],
                [60, 100],
              ],
              rest: { recurrencyKind: 'Daily' },
            });
            charger.accept('SetChargingProfile', broken(good, steps, value));
            charger.accept('SetChargingProfile', payload as JsonObject);
            charger.talk.open('charger', 'ReportChargingProfiles', payload);
            charger.talk.open('charger', 'NotifyChargingLimit', payload);
          }
          const { options, picture } = charger;
          const result = scheduledSteps(picture.view.limits, picture, options);
          for (const step of result.ok ? result.value : []) checkNumbers(step);
          check(charger, commandOf(version, 'ClearChargingProfile', {}));
          check(charger, commandOf(version, 'Reset', {}));
          check(charger, commandOf(version, start, {}));
        }),
        { numRuns: 150 },
      );
    });
  });
}

test('what is wrong is said in words of the gateway alone', () => {
  for (const detail of details) assert.match(detail, /^[a-zA-Z0-9 ,]{1,70}$/);
  assert.ok(details.size > 10, `${details.size}`);
});
