import { measuredValues } from '../electrical/measurands.ts';
import { dateTimeText, objectOf, optionalNumber, rounded, textOf } from '../protocol/payload.ts';
import type { ChargerDialect, Reading } from './station-types.ts';

/** How a charger of OCPP 1.6 says things. Source: OCPP 1.6 chapter 4. */
export const chargerDialect16: ChargerDialect = {
  boot: ({ vendor, model, serialNumber, firmwareVersion }) => ({
    action: 'BootNotification',
    payload: {
      chargePointVendor: vendor.slice(0, 20),
      chargePointModel: model.slice(0, 20),
      chargePointSerialNumber: serialNumber.slice(0, 25),
      firmwareVersion: firmwareVersion.slice(0, 50),
    },
  }),
  status: (connectorId, status, atMs) => ({
    action: 'StatusNotification',
    payload: {
      connectorId,
      errorCode: status === 'Faulted' ? 'OtherError' : 'NoError',
      status,
      timestamp: dateTimeText(atMs),
    },
  }),
  authorize: (idTag) => ({ action: 'Authorize', payload: { idTag } }),
  refusesIdTag: (reply) => {
    const status = textOf(objectOf(reply, 'idTagInfo'), 'status');
    return status !== '' && status !== 'Accepted';
  },
  started: ({ transaction, reading }) => ({
    action: 'StartTransaction',
    payload: {
      connectorId: transaction.connectorId,
      idTag: transaction.idTag,
      meterStart: rounded(transaction.meterStartWh, 0),
      timestamp: dateTimeText(reading.atMs),
    },
  }),
  updated: ({ transaction, reading }, cause) =>
    cause === 'state'
      ? undefined
      : {
          action: 'MeterValues',
          payload: {
            connectorId: transaction.connectorId,
            ...(transaction.id !== undefined && { transactionId: Number(transaction.id) }),
            meterValue: [meterValue(reading)],
          },
        },
  ended: ({ transaction, reading }, cause) =>
    // Without an id there is nothing that could be stopped at the CSMS.
    transaction.id === undefined
      ? undefined
      : {
          action: 'StopTransaction',
          payload: {
            transactionId: Number(transaction.id),
            idTag: transaction.idTag,
            meterStop: rounded(reading.registerWh, 0),
            timestamp: dateTimeText(reading.atMs),
            reason: cause,
            transactionData: [meterValue(reading)],
          },
        },
  transactionIdOf: (reply) => optionalNumber(reply, 'transactionId')?.toString(),
  meterValues: (connectorId, reading) => ({
    action: 'MeterValues',
    payload: { connectorId, meterValue: [meterValue(reading)] },
  }),
};

function meterValue(reading: Reading): object {
  return {
    timestamp: dateTimeText(reading.atMs),
    sampledValue: measuredValues(reading).map(({ measurand, value, unit, phase }) => ({
      // Values are texts in 1.6 (section 7.46).
      value: String(value),
      context: reading.context,
      measurand,
      unit,
      location: measurand === 'SoC' ? 'EV' : 'Outlet',
      ...(phase !== undefined && { phase }),
    })),
  };
}
