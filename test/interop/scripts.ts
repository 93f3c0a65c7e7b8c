import type { OcppVersion } from '../../src/ocpp/version.ts';
import type { Answer, Step } from './ocpp-rpc-pair.ts';

const at = '2026-01-01T00:00:00.000Z';
const payload = (fields: Readonly<Record<string, unknown>>): Answer => ({ payload: fields });
const ok = payload({ status: 'Accepted' });
const empty = payload({});

/** A day in the life of an OCPP 1.6 charger. */
const script16: readonly Step[] = [
  {
    from: 'charger',
    action: 'BootNotification',
    request: {
      chargePointVendor: 'ocpp-rpc',
      chargePointModel: 'Größe M',
      firmwareVersion: '2.2.1',
    },
    answer: payload({ currentTime: at, interval: 300, status: 'Accepted' }),
  },
  {
    from: 'charger',
    action: 'StatusNotification',
    request: { connectorId: 0, errorCode: 'NoError', status: 'Available', timestamp: at },
    answer: empty,
  },
  {
    from: 'csms',
    action: 'GetConfiguration',
    request: { key: ['HeartbeatInterval', 'Unheard'] },
    answer: payload({
      configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '300' }],
      unknownKey: ['Unheard'],
    }),
  },
  {
    from: 'csms',
    action: 'ChangeConfiguration',
    request: { key: 'HeartbeatInterval', value: '60' },
    answer: payload({ status: 'RebootRequired' }),
  },
  {
    from: 'charger',
    action: 'Authorize',
    request: { idTag: 'TAG' },
    answer: payload({ idTagInfo: { status: 'Accepted', expiryDate: at } }),
  },
  {
    from: 'csms',
    action: 'RemoteStartTransaction',
    request: { connectorId: 1, idTag: 'TAG' },
    answer: ok,
  },
  {
    from: 'charger',
    action: 'StartTransaction',
    request: { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp: at },
    answer: payload({ transactionId: 2147483647, idTagInfo: { status: 'Accepted' } }),
  },
  {
    from: 'csms',
    action: 'SetChargingProfile',
    request: {
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 1,
        transactionId: 2147483647,
        stackLevel: 0,
        chargingProfilePurpose: 'TxProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule: {
          chargingRateUnit: 'A',
          chargingSchedulePeriod: [{ startPeriod: 0, limit: 16.1, numberPhases: 3 }],
        },
      },
    },
    answer: ok,
  },
  {
    from: 'charger',
    action: 'MeterValues',
    request: {
      connectorId: 1,
      transactionId: 2147483647,
      meterValue: [
        {
          timestamp: at,
          sampledValue: [
            { value: '1.10', measurand: 'Energy.Active.Import.Register', unit: 'kWh' },
            { value: '16.0', measurand: 'Current.Import', unit: 'A', phase: 'L1' },
          ],
        },
      ],
    },
    answer: empty,
  },
  {
    from: 'csms',
    action: 'TriggerMessage',
    request: { requestedMessage: 'Heartbeat' },
    answer: ok,
  },
  { from: 'charger', action: 'Heartbeat', request: {}, answer: payload({ currentTime: at }) },
  {
    from: 'csms',
    action: 'DataTransfer',
    request: { vendorId: 'com.example', messageId: 'm', data: '{"nested":"\\u00e9"}' },
    answer: payload({ status: 'UnknownVendorId' }),
  },
  {
    from: 'charger',
    action: 'DataTransfer',
    request: { vendorId: 'com.example' },
    answer: { error: 'NotSupported', text: 'no tunnels', details: { asked: true } },
  },
  // An error answer, whose 1.6 spelling ocpp-rpc has the wrong way round.
  {
    from: 'csms',
    action: 'UnlockConnector',
    request: { connectorId: 1 },
    answer: { error: 'OccurenceConstraintViolation', text: '', details: {} },
  },
  {
    from: 'csms',
    action: 'ClearCache',
    request: {},
    answer: { error: 'FormatViolation', text: 'never', details: { a: [1, 2.5, null] } },
  },
  {
    from: 'csms',
    action: 'RemoteStopTransaction',
    request: { transactionId: 2147483647 },
    answer: ok,
  },
  {
    from: 'charger',
    action: 'StopTransaction',
    request: { transactionId: 2147483647, meterStop: 1100, timestamp: at, reason: 'Remote' },
    answer: payload({ idTagInfo: { status: 'Accepted' } }),
  },
  { from: 'csms', action: 'Reset', request: { type: 'Soft' }, answer: ok },
];

const idToken = { idToken: 'TAG', type: 'ISO14443' };
const heartbeatInterval = {
  component: { name: 'OCPPCommCtrlr' },
  variable: { name: 'HeartbeatInterval' },
};

function transactionEvent(eventType: string, triggerReason: string, seqNo: number): Step {
  return {
    from: 'charger',
    action: 'TransactionEvent',
    request: {
      eventType,
      timestamp: at,
      triggerReason,
      seqNo,
      transactionInfo: { transactionId: 'T-1', chargingState: 'Charging' },
      evse: { id: 1, connectorId: 1 },
      meterValue: [{ timestamp: at, sampledValue: [{ value: 1.5 }] }],
    },
    answer: payload(eventType === 'Started' ? { idTokenInfo: { status: 'Accepted' } } : {}),
  };
}

/** The same day under OCPP 2.x. */
const script2x: readonly Step[] = [
  {
    from: 'charger',
    action: 'BootNotification',
    request: { reason: 'PowerUp', chargingStation: { vendorName: 'ocpp-rpc', model: 'Größe M' } },
    answer: payload({ currentTime: at, interval: 300, status: 'Accepted' }),
  },
  {
    from: 'charger',
    action: 'StatusNotification',
    request: { timestamp: at, connectorStatus: 'Available', evseId: 1, connectorId: 1 },
    answer: empty,
  },
  {
    from: 'csms',
    action: 'GetVariables',
    request: { getVariableData: [heartbeatInterval] },
    answer: payload({
      getVariableResult: [
        { ...heartbeatInterval, attributeStatus: 'Accepted', attributeValue: '300' },
      ],
    }),
  },
  {
    from: 'csms',
    action: 'SetVariables',
    request: { setVariableData: [{ ...heartbeatInterval, attributeValue: '60' }] },
    answer: payload({ setVariableResult: [{ ...heartbeatInterval, attributeStatus: 'Accepted' }] }),
  },
  {
    from: 'charger',
    action: 'Authorize',
    request: { idToken },
    answer: payload({ idTokenInfo: { status: 'Accepted' } }),
  },
  {
    from: 'csms',
    action: 'RequestStartTransaction',
    request: { idToken, remoteStartId: 7, evseId: 1 },
    answer: payload({ status: 'Accepted', transactionId: 'T-1' }),
  },
  transactionEvent('Started', 'RemoteStart', 0),
  {
    from: 'csms',
    action: 'SetChargingProfile',
    request: {
      evseId: 1,
      chargingProfile: {
        id: 1,
        stackLevel: 0,
        chargingProfilePurpose: 'TxProfile',
        chargingProfileKind: 'Relative',
        transactionId: 'T-1',
        chargingSchedule: [
          {
            id: 1,
            chargingRateUnit: 'W',
            chargingSchedulePeriod: [{ startPeriod: 0, limit: 11000.5 }],
          },
        ],
      },
    },
    answer: ok,
  },
  transactionEvent('Updated', 'MeterValuePeriodic', 1),
  {
    from: 'charger',
    action: 'MeterValues',
    request: { evseId: 1, meterValue: [{ timestamp: at, sampledValue: [{ value: 230.1 }] }] },
    answer: empty,
  },
  {
    from: 'csms',
    action: 'TriggerMessage',
    request: { requestedMessage: 'Heartbeat' },
    answer: ok,
  },
  { from: 'charger', action: 'Heartbeat', request: {}, answer: payload({ currentTime: at }) },
  {
    from: 'csms',
    action: 'DataTransfer',
    request: { vendorId: 'com.example', data: { deep: [{ er: 'é' }] } },
    answer: payload({ status: 'UnknownVendorId' }),
  },
  {
    from: 'charger',
    action: 'DataTransfer',
    request: { vendorId: 'com.example' },
    answer: { error: 'NotSupported', text: 'no tunnels', details: { asked: true } },
  },
  {
    from: 'csms',
    action: 'UnlockConnector',
    request: { evseId: 1, connectorId: 1 },
    answer: { error: 'OccurrenceConstraintViolation', text: '', details: {} },
  },
  { from: 'csms', action: 'RequestStopTransaction', request: { transactionId: 'T-1' }, answer: ok },
  transactionEvent('Ended', 'RemoteStop', 2),
  { from: 'csms', action: 'Reset', request: { type: 'OnIdle' }, answer: ok },
];

/** The scripted conversation of each version. */
export const scripts: Readonly<Record<OcppVersion, readonly Step[]>> = {
  'ocpp1.6': script16,
  'ocpp2.0.1': script2x,
  'ocpp2.1': script2x,
};
