import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OcppVersion } from '../ocpp/version.ts';
import { decode } from './decode.ts';
import type { Frame } from './frame.ts';
import { payloadSchema } from './payload.ts';
import type { Correlation } from './rule.ts';

// Goal: what healthy chargers get wrong is soft, what a command or a bill depends on is hard.
// Method: one payload a row, checked by rule 4 against the real schemas.

function frameOf(elements: readonly unknown[], version: OcppVersion): Frame {
  const { frame } = decode(Buffer.from(JSON.stringify(elements)), 'charger', version);
  assert(frame.kind !== 'unreadable');
  return frame;
}

/** `ok`, or severity and code of the worst departure. */
function judged(version: OcppVersion, action: string, payload: object): string {
  const frame = frameOf([2, '1', action, payload], version);
  return verdict(frame, version, { is: 'new' });
}

function judgedReply(version: OcppVersion, action: string, payload: object): string {
  const frame = frameOf([3, '1', payload], version);
  return verdict(frame, version, { is: 'answer', action });
}

function verdict(frame: Frame, version: OcppVersion, correlation: Correlation): string {
  const violation = payloadSchema.check({ frame, from: 'charger', version, correlation });
  return violation === undefined ? 'ok' : `${violation.severity} ${violation.code}`;
}

const boot = { chargePointVendor: 'V', chargePointModel: 'M' };
const status = { connectorId: 1, errorCode: 'NoError', status: 'Available' };
const start = { connectorId: 1, idTag: 'T', meterStart: 0, timestamp: '2026-01-01T00:00:00Z' };
const meter = (sample: object, more: object = {}) => ({
  connectorId: 1,
  meterValue: [{ timestamp: '2026-01-01T00:00:00Z', sampledValue: [sample] }],
  ...more,
});

describe('rule 4: OCPP 1.6 from the field', () => {
  const cases: readonly (readonly [string, string, object, string])[] = [
    ['what is right', 'BootNotification', boot, 'ok'],
    ['an empty required text', 'BootNotification', { ...boot, chargePointVendor: '' }, 'ok'],
    [
      'a text at its limit',
      'BootNotification',
      { ...boot, chargePointModel: 'x'.repeat(20) },
      'ok',
    ],
    [
      'a text over it',
      'BootNotification',
      { ...boot, chargePointModel: 'x'.repeat(21) },
      'soft PAYLOAD_LENGTH',
    ],
    [
      'a text far over it, the last that is soft',
      'BootNotification',
      { ...boot, chargePointModel: 'x'.repeat(512) },
      'soft PAYLOAD_LENGTH',
    ],
    [
      'a text too far over it',
      'BootNotification',
      { ...boot, chargePointModel: 'x'.repeat(513) },
      'hard PAYLOAD_LENGTH',
    ],
    ['a missing text', 'BootNotification', { chargePointVendor: 'V' }, 'hard PAYLOAD_MISSING'],
    ['an unknown property', 'BootNotification', { ...boot, extra: 1 }, 'soft PAYLOAD_EXTRA'],
    ['null for an optional one', 'BootNotification', { ...boot, iccid: null }, 'soft PAYLOAD_NULL'],
    [
      'null for a required one',
      'BootNotification',
      { ...boot, chargePointModel: null },
      'hard PAYLOAD_TYPE',
    ],
    ['a number for a text', 'BootNotification', { ...boot, iccid: 1 }, 'soft PAYLOAD_TYPE'],
    ['an object for a text', 'BootNotification', { ...boot, iccid: {} }, 'hard PAYLOAD_TYPE'],
    ['a list for a text', 'BootNotification', { ...boot, iccid: [] }, 'hard PAYLOAD_TYPE'],
    [
      'an unknown error code',
      'StatusNotification',
      { ...status, errorCode: 'Error' },
      'soft PAYLOAD_VALUE',
    ],
    [
      'an unknown status',
      'StatusNotification',
      { ...status, status: 'Idle' },
      'soft PAYLOAD_VALUE',
    ],
    [
      'a connector as text',
      'StatusNotification',
      { ...status, connectorId: '1' },
      'hard PAYLOAD_TYPE',
    ],
    [
      'a connector as fraction',
      'StatusNotification',
      { ...status, connectorId: 1.5 },
      'hard PAYLOAD_TYPE',
    ],
    [
      'a connector as null',
      'StatusNotification',
      { ...status, connectorId: null },
      'hard PAYLOAD_TYPE',
    ],
    ['an idTag as number', 'StartTransaction', { ...start, idTag: 5 }, 'hard PAYLOAD_TYPE'],
    ['a meter as text', 'StartTransaction', { ...start, meterStart: '0' }, 'hard PAYLOAD_TYPE'],
    [
      'a date without zone',
      'StartTransaction',
      { ...start, timestamp: '2026-01-01T00:00:00' },
      'soft PAYLOAD_DATE',
    ],
    [
      'a date with a short offset',
      'StartTransaction',
      { ...start, timestamp: '2026-01-01T00:00:00+02' },
      'soft PAYLOAD_DATE',
    ],
    ['an empty date', 'StartTransaction', { ...start, timestamp: '' }, 'hard PAYLOAD_DATE'],
    [
      'an absurd year',
      'StartTransaction',
      { ...start, timestamp: '222222017-01-01T00:00:00Z' },
      'hard PAYLOAD_YEAR',
    ],
    ['a meter value', 'MeterValues', meter({ value: '1' }), 'ok'],
    ['a meter value as number', 'MeterValues', meter({ value: 0 }), 'soft PAYLOAD_TYPE'],
    [
      'an unknown measurand',
      'MeterValues',
      meter({ value: '1', measurand: 'Request.Energy' }),
      'soft PAYLOAD_VALUE',
    ],
    ['an unknown unit', 'MeterValues', meter({ value: '1', unit: 'Hz' }), 'soft PAYLOAD_VALUE'],
    ['both spellings of Celsius', 'MeterValues', meter({ value: '1', unit: 'Celcius' }), 'ok'],
    [
      'a transaction as null',
      'MeterValues',
      meter({ value: '1' }, { transactionId: null }),
      'soft PAYLOAD_NULL',
    ],
    [
      'a transaction as text',
      'MeterValues',
      meter({ value: '1' }, { transactionId: '7' }),
      'hard PAYLOAD_TYPE',
    ],
    ['data as text', 'DataTransfer', { vendorId: 'V', data: 'x' }, 'ok'],
    [
      'data as object',
      'DataTransfer',
      { vendorId: 'V', data: { a: 1 } },
      'benign PAYLOAD_OPAQUE_DATA',
    ],
    ['data as null', 'DataTransfer', { vendorId: 'V', data: null }, 'benign PAYLOAD_OPAQUE_DATA'],
    ['two decimals', 'SetChargingProfile', profile(16.15), 'benign PAYLOAD_RANGE'],
    ['one decimal', 'SetChargingProfile', profile(16.1), 'ok'],
    [
      'a location that is no URI',
      'GetDiagnostics',
      { location: 'not a uri' },
      'hard PAYLOAD_FORMAT',
    ],
    [
      'soft and hard together',
      'BootNotification',
      { chargePointVendor: 1 },
      'hard PAYLOAD_MISSING',
    ],
  ];
  for (const [what, action, payload, expected] of cases) {
    test(`${what} (${action}) is ${expected}`, () => {
      assert.equal(judged('ocpp1.6', action, payload), expected);
    });
  }
});

function profile(limit: number): object {
  return {
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'TxProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: {
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit }],
      },
    },
  };
}

describe('rule 4: OCPP 2.x from the field', () => {
  const event = {
    eventType: 'Ended',
    timestamp: '2026-01-01T00:00:00Z',
    triggerReason: 'EVDeparted',
    seqNo: 1,
    transactionInfo: { transactionId: 'T' },
  };
  const cases: readonly (readonly [string, object, string])[] = [
    ['what is right', event, 'ok'],
    ['an unknown event type', { ...event, eventType: 'Stopped' }, 'hard PAYLOAD_VALUE'],
    ['an unknown trigger', { ...event, triggerReason: 'Whim' }, 'soft PAYLOAD_VALUE'],
    ['a sequence number as text', { ...event, seqNo: '1' }, 'hard PAYLOAD_TYPE'],
    [
      'null within an object',
      { ...event, transactionInfo: { transactionId: 'T', chargingState: null } },
      'soft PAYLOAD_NULL',
    ],
    [
      'null for what is required there',
      { ...event, transactionInfo: { transactionId: null } },
      'hard PAYLOAD_TYPE',
    ],
    ['null for an optional object', { ...event, idToken: null }, 'soft PAYLOAD_NULL'],
    [
      'null for what is required within a list',
      { ...event, meterValue: [{ timestamp: null, sampledValue: [{ value: 1 }] }] },
      'hard PAYLOAD_TYPE',
    ],
    ['an empty list', { ...event, meterValue: [] }, 'soft PAYLOAD_COUNT'],
    [
      'custom data with anything in it',
      { ...event, customData: { vendorId: 'V', a: [{ b: 1 }] } },
      'ok',
    ],
    [
      'an extra property within',
      { ...event, transactionInfo: { transactionId: 'T', x: 1 } },
      'soft PAYLOAD_EXTRA',
    ],
  ];
  for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
    for (const [what, payload, expected] of cases) {
      test(`${version}: ${what} is ${expected}`, () => {
        assert.equal(judged(version, 'TransactionEvent', payload), expected);
      });
    }
  }

  test('a list that is too long is hard', () => {
    const status = { statusCode: 'x', additionalInfo: 'y' };
    const payload = { status: 'Accepted', additionalInfo: Array(5).fill(status) };
    assert.equal(judged('ocpp2.0.1', 'SetVariableMonitoring', payload), 'hard PAYLOAD_MISSING');
    const component = { component: { name: 'C' }, variable: { name: 'V' } };
    const many = { requestId: 1, componentCriteria: Array(5).fill('Active') };
    assert.equal(judged('ocpp2.0.1', 'GetReport', many), 'hard PAYLOAD_COUNT');
    const few = { requestId: 1, componentVariable: [component] };
    assert.equal(judged('ocpp2.0.1', 'GetReport', few), 'ok');
  });

  test('signed meter data of OCPP 2.1 length is soft in 2.0.1', () => {
    const signed = (length: number) => ({
      evseId: 1,
      meterValue: [
        {
          timestamp: '2026-01-01T00:00:00Z',
          sampledValue: [
            {
              value: 1,
              signedMeterValue: {
                signedMeterData: 'x'.repeat(length),
                signingMethod: '',
                encodingMethod: '',
                publicKey: '',
              },
            },
          ],
        },
      ],
    });
    assert.equal(judged('ocpp2.0.1', 'MeterValues', signed(2500)), 'ok');
    assert.equal(judged('ocpp2.0.1', 'MeterValues', signed(32_768)), 'soft PAYLOAD_LENGTH');
    assert.equal(judged('ocpp2.0.1', 'MeterValues', signed(40_001)), 'hard PAYLOAD_LENGTH');
  });
});

describe('rule 4: replies', () => {
  test('are checked against the schema of the call that they answer', () => {
    const accepted = { status: 'Accepted' };
    assert.equal(judgedReply('ocpp1.6', 'Reset', accepted), 'ok');
    assert.equal(judgedReply('ocpp1.6', 'Heartbeat', accepted), 'hard PAYLOAD_MISSING');
    assert.equal(judgedReply('ocpp1.6', 'Reset', { status: 'Perhaps' }), 'soft PAYLOAD_VALUE');
    assert.equal(judgedReply('ocpp1.6', 'Reset', {}), 'hard PAYLOAD_MISSING');
  });

  test('to nothing, and to an action that does not exist, are not its business', () => {
    const frame = frameOf([3, '1', { any: 1 }], 'ocpp1.6');
    for (const is of ['unsolicited', 'late'] as const) {
      assert.equal(verdict(frame, 'ocpp1.6', { is }), 'ok');
    }
    for (const action of ['Nothing', '__proto__', 'constructor']) {
      assert.equal(verdict(frame, 'ocpp1.6', { is: 'answer', action }), 'ok');
      assert.equal(judged('ocpp1.6', action, { any: 1 }), 'ok');
    }
  });

  test('errors carry no payload', () => {
    const frame = frameOf([4, '1', 'GenericError', '', { any: 1 }], 'ocpp1.6');
    assert.equal(verdict(frame, 'ocpp1.6', { is: 'answer', action: 'Reset' }), 'ok');
  });
});
