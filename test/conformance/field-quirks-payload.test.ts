import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ownProperty } from '../../src/ocpp/message.ts';
import { schemaOf } from '../../src/ocpp/schemas.ts';
import { type OcppVersion, otherPeer, type Peer } from '../../src/ocpp/version.ts';
import { testConversation } from '../support/conversation.ts';

// Goal: what real chargers get wrong passes through the default preset, and what only looks like it
// does not: rows P1 to P17 of docs/divergences.md. (Rows of connections: test/integration.)
// Method: one test a row, on the message path with the standard preset, and its opposite beside it.

const at = '2026-01-01T00:00:00Z';
const boot = { chargePointVendor: 'V', chargePointModel: 'M' };
const stop = { idTag: 'T', meterStop: 1, timestamp: at, transactionId: 7 };

/** `passed`, `flagged CODE ...` or `refused CODE` for one call on a fresh conversation. */
function outcome(
  from: Peer,
  action: string,
  payload: unknown,
  version: OcppVersion = 'ocpp1.6',
): string {
  return outcomeOf(from, JSON.stringify([2, '1', action, payload]), version);
}

function outcomeOf(from: Peer, text: string, version: OcppVersion = 'ocpp1.6'): string {
  const { flagged, out, refused } = testConversation(version, 'standard').pass(from, text);
  if (refused !== undefined) return `refused ${refused.code}`;
  assert.deepEqual(out, [{ to: otherPeer(from), text, isOwn: false }], 'byte for byte');
  return flagged.length === 0 ? 'passed' : `flagged ${flagged.join(' ')}`;
}

describe('what real chargers do: payloads', () => {
  test('P1: a model of 23 and a serial of 33 characters pass up, and no such text passes down', () => {
    const long = {
      ...boot,
      chargePointModel: 'x'.repeat(23),
      chargePointSerialNumber: 'x'.repeat(33),
    };
    assert.equal(outcome('charger', 'BootNotification', long), 'flagged PAYLOAD_LENGTH');
    const start = { idTag: 'x'.repeat(21) };
    assert.equal(outcome('csms', 'RemoteStartTransaction', start), 'refused PAYLOAD_LENGTH');
  });

  test('P2: a StopTransaction with a 22-character idTag passes, whatever soft defects it has', () => {
    const junk = { ...stop, idTag: `${'T'.repeat(20)}\u0001\u0002`, reason: 'Whim', extra: null };
    assert.equal(outcome('charger', 'StopTransaction', junk), 'flagged PAYLOAD_EXTRA');
    const { idTag: _, ...withoutTag } = stop;
    assert.equal(outcome('charger', 'StopTransaction', withoutTag), 'passed');
  });

  test('P2: a TransactionEvent that ends, and a fault, pass with soft defects even where enforced', () => {
    const overrides = [{ match: { charger: '*' }, rule: 'payload', mode: 'enforce' } as const];
    const ended = {
      eventType: 'Ended',
      timestamp: at,
      triggerReason: 'Whim',
      seqNo: 1,
      transactionInfo: { transactionId: 'x'.repeat(40) },
    };
    const pass = (action: string, payload: object, version: OcppVersion) =>
      testConversation(version, 'standard', overrides).passMessage(
        'charger',
        2,
        '1',
        action,
        payload,
      ).refused?.code;
    assert.equal(pass('TransactionEvent', ended, 'ocpp2.0.1'), undefined);
    const { eventType: _, ...rest } = ended;
    assert.equal(
      pass('TransactionEvent', { ...rest, eventType: 'Updated' }, 'ocpp2.0.1'),
      'PAYLOAD_VALUE',
    );
    const fault = { connectorId: 1, errorCode: 'Whim', status: 'Faulted' };
    assert.equal(pass('StatusNotification', fault, 'ocpp1.6'), undefined);
    assert.equal(
      pass('StatusNotification', { ...fault, status: 'Available' }, 'ocpp1.6'),
      'PAYLOAD_VALUE',
    );
  });

  test('P3: an empty chargePointVendor passes: a boot loop helps nobody', () => {
    const payload = { ...boot, chargePointVendor: '' };
    assert.equal(outcome('charger', 'BootNotification', payload), 'passed');
  });

  test('P4: null for an optional property passes, null for a required one does not', () => {
    const optional = { ...boot, iccid: null, imsi: null };
    assert.equal(outcome('charger', 'BootNotification', optional), 'flagged PAYLOAD_NULL');
    const required = { ...boot, chargePointModel: null };
    assert.equal(outcome('charger', 'BootNotification', required), 'refused PAYLOAD_TYPE');
  });

  test('P5: numbers for texts pass up where nothing depends on them', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '7', 'GetConfiguration', {});
    const key = { key: 'HeartbeatInterval', readonly: false, value: 1 };
    const { flagged, out } = conversation.passMessage('charger', 3, '7', {
      configurationKey: [key],
    });
    assert.deepEqual([flagged, out.length], [['PAYLOAD_TYPE'], 1]);
    // The end of a transaction passes all the same; its beginning does not.
    const odd = { ...stop, transactionId: '7' };
    assert.equal(outcome('charger', 'StopTransaction', odd), 'flagged PAYLOAD_TYPE');
    const start = { connectorId: '1', idTag: 'T', meterStart: 0, timestamp: at };
    assert.equal(outcome('charger', 'StartTransaction', start), 'refused PAYLOAD_TYPE');
  });

  test('P6: a date without zone and one with a short offset pass up', () => {
    for (const timestamp of ['2026-01-01T00:00:00', '2026-01-01T00:00:00+02']) {
      const payload = { ...stop, timestamp };
      assert.equal(outcome('charger', 'StopTransaction', payload), 'flagged PAYLOAD_DATE');
    }
  });

  test('P7: any number of fractional digits up to twelve is a date', () => {
    for (const fraction of ['.1', '.123456', '.123456789012']) {
      const payload = { ...stop, timestamp: `2026-01-01T00:00:00${fraction}Z` };
      assert.equal(outcome('charger', 'StopTransaction', payload), 'passed');
    }
  });

  test('P8: absurd years are refused, even at the end of a transaction; empty dates elsewhere', () => {
    const start = { connectorId: 1, idTag: 'T', meterStart: 0 };
    for (const timestamp of ['', '9999-01-01T00:00:00Z']) {
      const begun = { ...start, timestamp };
      assert.equal(outcome('charger', 'StartTransaction', begun), 'refused PAYLOAD_DATE');
      const ended = { ...stop, timestamp };
      assert.equal(outcome('charger', 'StopTransaction', ended), 'flagged PAYLOAD_DATE');
    }
    const absurd = { ...stop, timestamp: '222222017-01-01T00:00:00Z' };
    assert.equal(outcome('charger', 'StopTransaction', absurd), 'refused PAYLOAD_YEAR');
  });

  test('P9: unknown measurands, units and error codes pass up; unknown values in commands do not', () => {
    const sample = (sampled: object) => ({
      connectorId: 1,
      meterValue: [{ timestamp: at, sampledValue: [{ value: '1', ...sampled }] }],
    });
    for (const sampled of [{ measurand: 'Request.Energy' }, { unit: 'Hz' }, { context: 'bad' }]) {
      assert.equal(outcome('charger', 'MeterValues', sample(sampled)), 'flagged PAYLOAD_VALUE');
    }
    const status = { connectorId: 1, errorCode: 'Error', status: 'Available' };
    assert.equal(outcome('charger', 'StatusNotification', status), 'flagged PAYLOAD_VALUE');
    assert.equal(outcome('csms', 'Reset', { type: 'Gentle' }), 'refused PAYLOAD_VALUE');
  });

  test('P10: values in lower case count as unknown: they pass up and not down', () => {
    const status = { connectorId: 1, errorCode: 'noerror', status: 'available' };
    assert.equal(outcome('charger', 'StatusNotification', status), 'flagged PAYLOAD_VALUE');
    assert.equal(outcome('csms', 'Reset', { type: 'hard' }), 'refused PAYLOAD_VALUE');
  });

  test('P11: an empty list of samples passes up', () => {
    const value = { meterValue: [{ timestamp: at, sampledValue: [] }] };
    const in2x = outcome('charger', 'MeterValues', { evseId: 1, ...value }, 'ocpp2.0.1');
    assert.equal(in2x, 'flagged PAYLOAD_COUNT');
    // The official schema of OCPP 1.6 sets no minimum.
    assert.equal(outcome('charger', 'MeterValues', { connectorId: 1, ...value }), 'passed');
  });

  test('P12: transaction ids of -1, 0 and 2^63-1 pass up', () => {
    for (const id of ['-1', '0', '9223372036854775807']) {
      const text = `[2,"1","StopTransaction",{"meterStop":1,"timestamp":"${at}","transactionId":${id}}]`;
      const expected = id.length > 16 ? 'flagged FORMAT_NUMBER_INEXACT' : 'passed';
      assert.equal(outcomeOf('charger', text), expected);
    }
    const down = '[2,"1","RemoteStopTransaction",{"transactionId":9223372036854775807}]';
    assert.equal(outcomeOf('csms', down), 'refused FORMAT_NUMBER_INEXACT');
  });

  test('P13: limits of one decimal pass, whatever binary fractions make of them', () => {
    const profile = (limit: number) => ({
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
    });
    for (const limit of [0.3, 1.2, 16.1, 21.7, 21.4]) {
      assert.equal(outcome('csms', 'SetChargingProfile', profile(limit)), 'passed', String(limit));
    }
    assert.equal(outcome('csms', 'SetChargingProfile', profile(16.15)), 'flagged PAYLOAD_RANGE');
  });

  test('P14: DataTransfer with an object for its data passes both ways', () => {
    for (const from of ['charger', 'csms'] satisfies Peer[]) {
      const payload = { vendorId: 'V', data: { a: [1, { b: null }] } };
      assert.equal(outcome(from, 'DataTransfer', payload), 'flagged PAYLOAD_OPAQUE_DATA');
      assert.equal(outcome(from, 'DataTransfer', payload, 'ocpp2.0.1'), 'passed');
    }
  });

  test('P15: extra properties pass up and not down; customData passes both ways', () => {
    const extra = { connectorId: 1, errorCode: 'NoError', status: 'Available', vendorThing: 1 };
    assert.equal(outcome('charger', 'StatusNotification', extra), 'flagged PAYLOAD_EXTRA');
    assert.equal(outcome('csms', 'ClearCache', { extra: 1 }), 'refused PAYLOAD_EXTRA');
    const customData = { vendorId: 'V', any: { thing: [1] } };
    for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
      assert.equal(outcome('charger', 'Heartbeat', { customData }, version), 'passed');
      assert.equal(outcome('csms', 'ClearCache', { customData }, version), 'passed');
    }
  });

  test('P16: the schemas are the official ones: idToken has 36 characters in 2.0.1, 255 in 2.1', () => {
    const lengths = (['ocpp2.0.1', 'ocpp2.1'] as const).map((version) => {
      const definitions = ownProperty(schemaOf(version, 'Authorize', 'request'), 'definitions');
      const type = ownProperty(ownProperty(definitions, 'IdTokenType'), 'properties');
      return ownProperty(ownProperty(type, 'idToken'), 'maxLength');
    });
    assert.deepEqual(lengths, [36, 255]);
  });

  test('P17: the gateway passes dates on as they are spelled, and writes none itself', () => {
    const payload = { ...stop, timestamp: '2026-01-01T01:00:00.5+01:00' };
    assert.equal(outcome('charger', 'StopTransaction', payload), 'passed');
    const { out } = testConversation('ocpp1.6', 'standard').passMessage(
      'csms',
      2,
      '1',
      'Heartbeat',
      {},
    );
    assert.doesNotMatch(out[0]?.text ?? '', /\d{4}-\d{2}-\d{2}/);
  });
});
