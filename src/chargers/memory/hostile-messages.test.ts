import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { actionsOf } from '../../ocpp/actions.ts';
import { ocppVersions } from '../../ocpp/version.ts';
import { ChargerMemory } from './charger-memory.ts';
import { Conversation } from './conversation.test.ts';
import type { SavedMemory } from './saved-memory.ts';

// Goal: nothing that a peer sends can break a memory, or make it large.
// Method: odd payloads of every action; random ones; and as much of everything as a charger can say.

/** Characters that `save` may have: the sum of the bounds of all parts. */
const savedCharsMax = 640 * 1024;

const sizeOf = ({ document, variables }: SavedMemory) => document.length + variables.length;

describe('hostile messages', () => {
  const hostile: readonly unknown[] = [
    null,
    7,
    'text',
    [],
    [[]],
    true,
    {},
    JSON.parse('{"__proto__":{"status":"Accepted"},"constructor":1,"status":{"a":1}}'),
  ];

  for (const version of ocppVersions) {
    test(`${version}: an odd payload of any action, from either side, is survived`, () => {
      const talk = new Conversation(version);
      for (const action of [...actionsOf(version), '__proto__', 'constructor', '']) {
        for (const from of ['charger', 'csms'] as const) {
          for (const payload of hostile) {
            for (const reply of hostile) talk.exchange(from, action, payload, reply);
          }
        }
      }
      assert.deepEqual(talk.memory.view().transactions, []);
      assert.deepEqual(talk.memory.view().connectors, []);
    });
  }

  test('a property of the prototype is no property of the message', () => {
    const talk = new Conversation('ocpp1.6');
    const reply = JSON.parse('{"__proto__":{"status":"Accepted"}}');
    talk.exchange('charger', 'BootNotification', {}, reply);
    talk.exchange('charger', 'BootNotification', {}, Object.create({ status: 'Accepted' }));
    assert.equal(talk.memory.boot.status, 'unknown');
  });

  test('whatever random messages say, nothing throws, and what was saved is read again', () => {
    fc.assert(
      fc.property(fc.array(randomExchange, { maxLength: 40 }), (exchanges) => {
        const talk = new Conversation('ocpp1.6');
        for (const { version, from, action, payload, reply } of exchanges) {
          talk.nowMs += 1;
          const call = { from, version, id: 'x', action, payload, atMs: talk.nowMs };
          talk.memory.onCall(call);
          talk.answer(from, 'x', reply);
        }
        const saved = talk.memory.save();
        assert.ok(sizeOf(saved) <= savedCharsMax);
        const restored = new ChargerMemory(saved);
        assert.deepEqual(restored.save(), saved);
        assert.deepEqual(plain(restored.view()), plain(talk.memory.view()));
      }),
      { numRuns: 400 },
    );
  });

  test('long schedules take no more room than many', () => {
    const talk = filled();
    const period = { startPeriod: 1e300, limit: -1e300, numberPhases: 1e300, setpoint: -0.1234567 };
    for (const id of [1, 2, 3]) {
      const chargingSchedulePeriod = Array.from({ length: 999 }, () => period);
      const profile = {
        id,
        chargingProfilePurpose: 'TxProfile',
        chargingSchedule: [{ chargingSchedulePeriod }],
      };
      const payload = { evseId: id, chargingProfile: profile };
      talk.exchange('csms', 'SetChargingProfile', payload, { status: 'Accepted' });
    }
    const { profiles } = talk.memory.view().limits;
    const periods = profiles.flatMap(({ chargingSchedule }) =>
      chargingSchedule.flatMap((one) => one.chargingSchedulePeriod),
    );
    assert.equal(periods.length, 600);
    assert.ok(sizeOf(talk.memory.save()) <= savedCharsMax);
  });

  test('a charger that fills every part to the brim stays within the bound', () => {
    const { memory } = filled();
    const saved = memory.save();
    const view = memory.view();
    assert.equal(view.limits.profiles.length, 32);
    assert.equal(view.transactions.length, 32 + 16);
    assert.ok(sizeOf(saved) > savedCharsMax / 4, `${sizeOf(saved)}: the test does not fill it`);
    assert.ok(sizeOf(saved) <= savedCharsMax, `${sizeOf(saved)}`);
    // Not deepEqual: nobody can read the difference of two such texts.
    const again = new ChargerMemory(saved).save();
    assert.ok(again.document === saved.document);
    assert.ok(again.variables === saved.variables);
  });
});

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const words = fc.constantFrom(
  'Accepted',
  'Started',
  'Ended',
  'TxProfile',
  'Connector',
  'key',
  '1',
  '\u0000',
);
const leaf = fc.oneof(
  words,
  fc.integer({ min: -2, max: 5 }),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const names = fc.constantFrom(
  'status',
  'connectorId',
  'evseId',
  'evse',
  'id',
  'transactionId',
  'transactionInfo',
  'eventType',
  'idTag',
  'meterValue',
  'sampledValue',
  'value',
  'measurand',
  'chargingProfile',
  'chargingSchedule',
  'csChargingProfiles',
  'chargingProfileId',
  'chargingProfilePurpose',
  'chargingSchedulePeriod',
  'limit',
  'key',
  'configurationKey',
  'component',
  'variable',
  'name',
  'reportData',
  'eventData',
  'variableAttribute',
  'setVariableData',
  'setVariableResult',
  'attributeStatus',
  'actualValue',
  'attributeValue',
  'schedule',
  'timestamp',
  'chargingLimit',
  'chargingLimitSource',
  '__proto__',
);
const { tree, object } = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 5 }, leaf, tie('list'), tie('object')),
  list: fc.array(tie('tree'), { maxLength: 4 }),
  object: fc.array(fc.tuple(names, tie('tree')), { maxLength: 8 }).map(Object.fromEntries),
}));
const randomExchange = fc.constantFrom(...ocppVersions).chain((version) =>
  fc.record({
    version: fc.constant(version),
    from: fc.constantFrom('charger' as const, 'csms' as const),
    action: fc.constantFrom(...actionsOf(version)),
    payload: tree,
    reply: fc.oneof(object, fc.constant({ status: 'Accepted', transactionId: 4 })),
  }),
);

/** A conversation with a charger that has as much to say as it can, with texts that need escapes. */
function filled(): Conversation {
  const talk = new Conversation('ocpp2.1');
  const long = '"\\'.repeat(500);
  const range = (length: number) => Array.from({ length }, (_, index) => index);
  const chargingStation = {
    vendorName: long,
    model: long,
    serialNumber: long,
    firmwareVersion: long,
  };
  talk.exchange('charger', 'BootNotification', { chargingStation }, { status: 'Accepted' });
  const chargingSchedulePeriod = range(999).map(() => ({
    startPeriod: -1e300,
    limit: -1e300,
    numberPhases: -1e300,
    setpoint: 0.1234567,
    dischargeLimit: -1e300,
  }));
  const schedule = { chargingRateUnit: long, startSchedule: long, chargingSchedulePeriod };
  // As many as leave room for 32 profiles with three schedules.
  const short = { ...schedule, chargingSchedulePeriod: chargingSchedulePeriod.slice(0, 6) };
  for (const number of range(200)) {
    const evse = { id: number, connectorId: number };
    const place = { evseId: number, connectorId: number, connectorStatus: long };
    talk.open('charger', 'StatusNotification', place);
    const profile = {
      id: number,
      chargingProfilePurpose: long,
      chargingProfileKind: long,
      recurrencyKind: long,
      validFrom: long,
      validTo: long,
      transactionId: 'x'.repeat(100),
      chargingSchedule: range(9).map(() => short),
    };
    talk.exchange(
      'csms',
      'SetChargingProfile',
      { evseId: 1, chargingProfile: profile },
      { status: 'Accepted' },
    );
    const limit = {
      chargingLimit: { chargingLimitSource: `${number}${long}` },
      chargingSchedule: [schedule],
    };
    talk.open('charger', 'NotifyChargingLimit', limit);
    const sampledValue = range(40).map((index) => ({
      measurand: `${index}${long}`,
      phase: long,
      location: long,
      value: -1.23456789012345e-300,
      unitOfMeasure: { unit: long },
    }));
    talk.open('charger', 'MeterValues', {
      evseId: number,
      meterValue: [{ timestamp: long, sampledValue }],
    });
    const event = {
      timestamp: long,
      seqNo: Number.MAX_SAFE_INTEGER,
      evse,
      idToken: { idToken: long },
      transactionInfo: {
        transactionId: `${number}`.padEnd(100, 'x'),
        chargingState: long,
        stoppedReason: long,
      },
    };
    talk.open('charger', 'TransactionEvent', { eventType: 'Started', ...event });
    if (number % 2 === 0)
      talk.open('charger', 'TransactionEvent', { eventType: 'Ended', ...event });
    const component = { name: `${number}${long}`, instance: long, evse };
    const item = { component, variable: { name: `${number}${long}`, instance: long } };
    const variableAttribute = [{ value: long }, { type: 'Target', value: long }];
    const told = { type: long, techInfo: long, timestamp: '2026-01-01T00:00:00.000000000Z' };
    talk.open('charger', 'SecurityEventNotification', told);
    talk.open('charger', 'NotifyReport', { reportData: [{ ...item, variableAttribute }] });
  }
  return talk;
}
