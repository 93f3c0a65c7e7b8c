import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Conversation } from './conversation.test.ts';

// Goal: the memory knows the status of each connector and what was last measured there.
// Method: what a charger says, in the spelling of each version, and what it must not make of it.

const states = (talk: Conversation) =>
  talk.memory
    .view()
    .connectors.map(({ evseId, connectorId, status, errorCode }) => [
      evseId,
      connectorId,
      status,
      errorCode,
    ]);

const readings = (talk: Conversation) =>
  talk.memory
    .view()
    .meterValues.flatMap(({ place, readings: list }) =>
      list.map(({ measurand, phase, location, value, unit }) => [
        place,
        measurand,
        phase,
        location,
        value,
        unit,
      ]),
    );

function measure(talk: Conversation, place: unknown, ...sampledValue: readonly unknown[]) {
  const key = talk.version === 'ocpp1.6' ? 'connectorId' : 'evseId';
  const meterValue = [{ timestamp: 'T', sampledValue }];
  return talk.call('charger', 'MeterValues', { [key]: place, meterValue }).urgency;
}

describe('status', () => {
  test('ocpp1.6: of each connector and of the charger itself; a change is urgent', () => {
    const talk = new Conversation('ocpp1.6');
    const say = (connectorId: unknown, status: unknown, errorCode = 'NoError') =>
      talk.call('charger', 'StatusNotification', { connectorId, status, errorCode }).urgency;
    assert.equal(say(0, 'Available'), 'soon');
    assert.equal(say(1, 'Available'), 'soon');
    assert.equal(say(1, 'Available'), 'eventually');
    assert.equal(say(1, 'Available', 'HighTemperature'), 'soon');
    assert.equal(say(1, 'Faulted', 'HighTemperature'), 'soon');
    for (const [place, status] of [
      ['1', 'Available'],
      [null, 'Available'],
      [2, 7],
    ]) {
      assert.equal(say(place, status), 'none');
    }
    assert.deepEqual(states(talk), [
      [undefined, 0, 'Available', 'NoError'],
      [undefined, 1, 'Faulted', 'HighTemperature'],
    ]);
  });

  for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
    test(`${version}: from StatusNotification, and from events about AvailabilityState`, () => {
      const talk = new Conversation(version);
      const place = { evseId: 1, connectorId: 2 };
      talk.open('charger', 'StatusNotification', { ...place, connectorStatus: 'Occupied' });
      const about = (name: string, evse: unknown, variable: string, actualValue: string) => ({
        component: { name, evse },
        variable: { name: variable },
        actualValue,
      });
      const eventData = [
        about('Connector', { id: 1, connectorId: 2 }, 'AvailabilityState', 'Faulted'),
        about('EVSE', { id: 1 }, 'AvailabilityState', 'Unavailable'),
        about('ChargingStation', { id: 1 }, 'AvailabilityState', 'Available'),
        about('Connector', { id: 1, connectorId: 2 }, 'Other', 'Available'),
        about('Other', { id: 1, connectorId: 2 }, 'AvailabilityState', 'Available'),
      ];
      assert.equal(talk.call('charger', 'NotifyEvent', { eventData }).urgency, 'soon');
      assert.deepEqual(states(talk), [
        [1, 2, 'Faulted', undefined],
        [1, undefined, 'Unavailable', undefined],
        [undefined, 0, 'Available', undefined],
      ]);
      assert.equal(talk.memory.view().variables.length, 5);
      const elsewhere = { evseId: 2, connectorId: 2, connectorStatus: 'Occupied' };
      assert.equal(talk.call('charger', 'StatusNotification', elsewhere).urgency, 'soon');
      assert.equal(states(talk)[0]?.[2], 'Faulted', 'connectors have equal numbers at two EVSEs');
    });
  }

  for (const [version, payload, place] of [
    ['ocpp1.6', { connectorId: 1, type: 'Inoperative' }, [undefined, 1]],
    ['ocpp2.0.1', { evse: { id: 1 }, operationalStatus: 'Inoperative' }, [1, undefined]],
    ['ocpp2.1', { operationalStatus: 'Inoperative' }, [undefined, 0]],
  ] as const) {
    test(`${version}: ChangeAvailability counts when the charger takes it, now or later`, () => {
      const talk = new Conversation(version);
      for (const status of ['Rejected', 'accepted']) {
        assert.equal(talk.exchange('csms', 'ChangeAvailability', payload, { status }), 'none');
      }
      assert.deepEqual(talk.memory.view().connectors, []);
      for (const status of ['Scheduled', 'Accepted']) {
        assert.equal(talk.exchange('csms', 'ChangeAvailability', payload, { status }), 'soon');
        const restored = new Conversation(version, talk.memory.save());
        const [state] = restored.memory.view().connectors;
        assert.deepEqual([state?.evseId, state?.connectorId], place);
        assert.equal(state?.availability, 'Inoperative');
        assert.equal(state?.isScheduled, status === 'Scheduled');
      }
    });
  }

  test('of 64 connectors at most', () => {
    const talk = new Conversation('ocpp1.6');
    for (let connectorId = 0; connectorId < 70; connectorId += 1) {
      talk.open('charger', 'StatusNotification', { connectorId, status: 'Available' });
    }
    assert.equal(states(talk).length, 64);
  });

  test('texts are cut, and lose what could mislead a terminal', () => {
    const talk = new Conversation('ocpp1.6');
    const status = `\u001b[2J\u202e${'x'.repeat(100)}`;
    talk.open('charger', 'StatusNotification', { connectorId: 1, status });
    assert.equal(states(talk)[0]?.[2], `?[2J?${'x'.repeat(35)}`);
  });
});

describe('meter values', () => {
  test('the last value of each measurand, phase and location counts; what is left out is as in OCPP', () => {
    const talk = new Conversation('ocpp1.6');
    assert.equal(measure(talk, 1, { value: '1' }, { value: '2.5' }), 'eventually');
    measure(talk, 1, { value: '-3e2', measurand: 'Current.Import', phase: 'L1', location: 'EV' });
    measure(talk, 1, { value: '7', measurand: 'Current.Import', phase: 'L1' });
    measure(talk, 2, { value: 4, measurand: 'SoC', unit: 'Percent' });
    assert.deepEqual(readings(talk), [
      [1, 'Energy.Active.Import.Register', undefined, 'Outlet', 2.5, 'Wh'],
      [1, 'Current.Import', 'L1', 'EV', -300, 'A'],
      [1, 'Current.Import', 'L1', 'Outlet', 7, 'A'],
      [2, 'SoC', undefined, 'Outlet', 4, 'Percent'],
    ]);
  });

  test('what is no number teaches nothing', () => {
    const talk = new Conversation('ocpp1.6');
    for (const value of [
      '',
      ' ',
      'abc',
      '0x10',
      '1,5',
      'Infinity',
      '1e999',
      null,
      {},
      Number.NaN,
    ]) {
      assert.equal(measure(talk, 1, { value }), 'none', JSON.stringify(value));
    }
    assert.equal(measure(talk, 1, { value: '12', format: 'SignedData' }), 'none');
    assert.equal(measure(talk, '1', { value: '12' }), 'none');
    assert.deepEqual(readings(talk), []);
  });

  for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
    test(`${version}: a value has its multiplier applied`, () => {
      const talk = new Conversation(version);
      measure(talk, 1, {
        value: 23,
        measurand: 'Voltage',
        unitOfMeasure: { unit: 'V', multiplier: -1 },
      });
      measure(talk, 1, { value: 2, measurand: 'SoC', unitOfMeasure: { multiplier: 2 } });
      measure(talk, 1, { value: 2, measurand: 'Frequency', unitOfMeasure: { multiplier: 999 } });
      assert.deepEqual(readings(talk), [
        [1, 'Voltage', undefined, 'Outlet', 2.3, 'V'],
        [1, 'SoC', undefined, 'Outlet', 200, undefined],
      ]);
    });

    test(`${version}: values in an event count for the EVSE that the transaction began at`, () => {
      const talk = new Conversation(version);
      const event = { eventType: 'Started', transactionInfo: { transactionId: 'T' } };
      talk.open('charger', 'TransactionEvent', { ...event, evse: { id: 3 } });
      const meterValue = [{ sampledValue: [{ value: 9, measurand: 'Power.Active.Import' }] }];
      talk.open('charger', 'TransactionEvent', { ...event, eventType: 'Updated', meterValue });
      assert.equal(talk.memory.measuredPowerW(3), 9);
    });
  }

  test('at most 32 at one place', () => {
    const talk = new Conversation('ocpp1.6');
    for (let index = 0; index < 40; index += 1)
      measure(talk, 1, { value: '1', measurand: `M${index}` });
    assert.equal(readings(talk).length, 32);
  });

  const power = (value: string, changes: object = {}) => ({
    value,
    measurand: 'Power.Active.Import',
    unit: 'W',
    ...changes,
  });
  const cases: readonly (readonly [string, readonly unknown[], number | undefined])[] = [
    [
      'the sum that the charger gives, before its phases',
      [power('9', { phase: 'L1' }), power('7')],
      7,
    ],
    [
      'phases added up',
      [power('1', { phase: 'L1' }), power('2', { phase: 'L2-N' }), power('4', { phase: 'L3' })],
      7,
    ],
    [
      'neither neutral nor phase to phase',
      [power('1', { phase: 'N' }), power('2', { phase: 'L1-L2' })],
      undefined,
    ],
    ['kW as W', [power('7.2', { unit: 'kW' })], 7200],
    ['no unit as W', [power('7', { unit: undefined })], 7],
    ['no other unit', [power('7', { unit: 'VA' })], undefined],
    ['the outlet before the inlet', [power('9', { location: 'Inlet' }), power('8')], 8],
    ['the inlet where there is no more', [power('9', { location: 'Inlet' })], 9],
    ['not what the vehicle says', [power('9', { location: 'EV' })], undefined],
    ['no other measurand', [power('9', { measurand: 'Power.Active.Export' })], undefined],
  ];
  for (const [what, samples, expected] of cases) {
    test(`the measured power: ${what}`, () => {
      const talk = new Conversation('ocpp1.6');
      measure(talk, 1, ...samples);
      assert.equal(talk.memory.measuredPowerW(1), expected);
      assert.equal(talk.memory.measuredPowerW(2), undefined);
      const powers = expected === undefined ? [] : [{ place: 1, watts: expected, atMs: 1_000_000 }];
      assert.deepEqual(talk.memory.loadView().powers, powers);
    });
  }

  test('what was measured again has its new value, in whatever order it is told', () => {
    const talk = new Conversation('ocpp1.6');
    const told = (...samples: readonly object[]): readonly unknown[] => {
      measure(talk, 1, ...samples);
      return readings(talk).map(([, measurand, , , value, unit]) => [measurand, value, unit]);
    };
    const current = (value: string) => ({ value, measurand: 'Current.Import', unit: 'A' });
    const p = 'Power.Active.Import';
    const c = 'Current.Import';
    assert.deepEqual(told(power('1'), current('2')), [
      [p, 1, 'W'],
      [c, 2, 'A'],
    ]);
    assert.deepEqual(told(power('3'), current('4')), [
      [p, 3, 'W'],
      [c, 4, 'A'],
    ]);
    assert.deepEqual(told(current('5'), power('6')), [
      [p, 6, 'W'],
      [c, 5, 'A'],
    ]);
    assert.deepEqual(told(power('7', { unit: 'kW' })), [
      [p, 7, 'kW'],
      [c, 5, 'A'],
    ]);
    assert.deepEqual(told(power('8', { unit: 'kW', format: 'SignedData' }), current('9')), [
      [p, 7, 'kW'],
      [c, 9, 'A'],
    ]);
    assert.deepEqual(told(power('x', { unit: 'kW' }), current('')), [
      [p, 7, 'kW'],
      [c, 9, 'A'],
    ]);
    assert.deepEqual(told(power('1', { unit: 'kW', phase: 'L1' })), [
      [p, 7, 'kW'],
      [c, 9, 'A'],
      [p, 1, 'kW'],
    ]);
    const before = talk.memory.view().meterValues[0]?.readings[0];
    told(power('10', { unit: 'kW' }));
    assert.equal(before?.value, 7, 'what was read out is not what comes later');
  });

  test('phases added up are as old as the oldest of them', () => {
    const talk = new Conversation('ocpp1.6');
    measure(talk, 1, power('1', { phase: 'L1' }));
    talk.nowMs += 5;
    measure(talk, 1, power('2', { phase: 'L2' }));
    assert.deepEqual(talk.memory.loadView().powers, [{ place: 1, watts: 3, atMs: 1_000_000 }]);
  });
});
