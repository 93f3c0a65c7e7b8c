import { measuredValues } from '../electrical/measurands.ts';
import { dateTimeText, objectOf, textOf } from '../protocol/payload.ts';
import type { Outgoing } from './outbox.ts';
import type {
  ChargerDialect,
  ConnectorStatus,
  Reading,
  StopCause,
  TransactionMoment,
  UpdateCause,
} from './station-types.ts';

const connectorStatuses: Readonly<Record<ConnectorStatus, string>> = {
  Available: 'Available',
  Preparing: 'Occupied',
  Charging: 'Occupied',
  SuspendedEVSE: 'Occupied',
  SuspendedEV: 'Occupied',
  Finishing: 'Occupied',
  Reserved: 'Reserved',
  Unavailable: 'Unavailable',
  Faulted: 'Faulted',
};

const chargingStates: Readonly<Partial<Record<ConnectorStatus, string>>> = {
  Preparing: 'EVConnected',
  Charging: 'Charging',
  SuspendedEVSE: 'SuspendedEVSE',
  SuspendedEV: 'SuspendedEV',
  Finishing: 'EVConnected',
};

const updateTriggers: Readonly<Record<UpdateCause, string>> = {
  periodic: 'MeterValuePeriodic',
  state: 'ChargingStateChanged',
  trigger: 'Trigger',
};

/** By cause: stoppedReason and triggerReason (OCPP 2.0.1 part 2 sections 3.72 and 3.82). */
const stops: Readonly<Record<StopCause, readonly [stoppedReason: string, trigger: string]>> = {
  Local: ['Local', 'StopAuthorized'],
  Remote: ['Remote', 'RemoteStop'],
  DeAuthorized: ['DeAuthorized', 'Deauthorized'],
  HardReset: ['ImmediateReset', 'ResetCommand'],
  SoftReset: ['ImmediateReset', 'ResetCommand'],
  UnlockCommand: ['Remote', 'UnlockCommand'],
  EVDisconnected: ['EVDisconnected', 'EVCommunicationLost'],
};

/** How a charger of OCPP 2.0.1 or 2.1 says things. Source: OCPP 2.0.1 part 2 chapters B, E, G, J. */
export const chargerDialect2x: ChargerDialect = {
  boot: ({ vendor, model, serialNumber, firmwareVersion }, reason) => ({
    action: 'BootNotification',
    payload: {
      chargingStation: {
        vendorName: vendor.slice(0, 50),
        model: model.slice(0, 20),
        serialNumber: serialNumber.slice(0, 25),
        firmwareVersion: firmwareVersion.slice(0, 50),
      },
      reason,
    },
  }),
  status: (evseId, status, atMs) => ({
    action: 'StatusNotification',
    payload: {
      timestamp: dateTimeText(atMs),
      connectorStatus: connectorStatuses[status],
      evseId,
      connectorId: 1,
    },
  }),
  authorize: (idTag) => ({ action: 'Authorize', payload: { idToken: idToken(idTag) } }),
  refusesIdTag: (reply) => {
    const status = textOf(objectOf(reply, 'idTokenInfo'), 'status');
    return status !== '' && status !== 'Accepted';
  },
  started: (moment) => {
    const { idTag, remoteStartId } = moment.transaction;
    const triggerReason = remoteStartId === undefined ? 'Authorized' : 'RemoteStart';
    const info = remoteStartId === undefined ? {} : { remoteStartId };
    return event(moment, 'Started', triggerReason, info, { idToken: idToken(idTag) });
  },
  updated: (moment, cause) => event(moment, 'Updated', updateTriggers[cause], {}, {}),
  ended: (moment, cause) => {
    const [stoppedReason, triggerReason] = stops[cause];
    const token = cause === 'Local' ? { idToken: idToken(moment.transaction.idTag) } : {};
    return event(moment, 'Ended', triggerReason, { stoppedReason }, token);
  },
  transactionIdOf: () => undefined,
  meterValues: (evseId, reading) => ({
    action: 'MeterValues',
    payload: { evseId, meterValue: [meterValue(reading)] },
  }),
};

function event(
  moment: TransactionMoment,
  eventType: string,
  triggerReason: string,
  info: object,
  rest: object,
): Outgoing {
  const { transaction, reading, seqNo, offline, status } = moment;
  const chargingState = chargingStates[status];
  return {
    action: 'TransactionEvent',
    payload: {
      eventType,
      timestamp: dateTimeText(reading.atMs),
      triggerReason,
      seqNo,
      ...(offline && { offline }),
      ...(reading.supply === 'AC' && { numberOfPhasesUsed: reading.phasesUsed }),
      transactionInfo: {
        transactionId: transaction.id ?? '',
        ...(chargingState !== undefined && { chargingState }),
        ...info,
      },
      evse: { id: transaction.connectorId, connectorId: 1 },
      meterValue: [meterValue(reading)],
      ...rest,
    },
  };
}

function meterValue(reading: Reading): object {
  return {
    timestamp: dateTimeText(reading.atMs),
    sampledValue: measuredValues(reading).map(({ measurand, value, unit, phase }) => ({
      value,
      context: reading.context,
      measurand,
      unitOfMeasure: { unit },
      location: measurand === 'SoC' ? 'EV' : 'Outlet',
      ...(phase !== undefined && { phase }),
    })),
  };
}

function idToken(idTag: string): object {
  return { idToken: idTag, type: 'ISO14443' };
}
