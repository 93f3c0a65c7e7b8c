import type { JsonObject } from '../../../src/ocpp/message.ts';
import type { OcppVersion } from '../../../src/ocpp/version.ts';

/** A transaction, as its charger knows it. */
export interface ChargerTransaction {
  /** Used once: it names the transaction. At most 20 characters. */
  readonly token: string;
  readonly startedAt: string;
  /** In OCPP 1.6 the CSMS says it, and it is unknown before. */
  id: string | number | undefined;
  /** How many events were told (OCPP 2.0.1). */
  events: number;
}

/** An action, and what is said with it at the moment when it is sent. */
export interface Saying {
  readonly action: string;
  readonly payload: () => JsonObject;
}

/** How a version says what chargers and CSMS of a simulation have to say. */
export interface Dialect {
  readonly boot: JsonObject;
  status(isCharging: boolean, at: string): JsonObject;
  start(transaction: ChargerTransaction): { readonly action: string; readonly payload: JsonObject };
  measure(transaction: ChargerTransaction, at: string): Saying;
  stop(transaction: ChargerTransaction, at: string): Saying;
  remoteStart(
    token: string,
    number: number,
  ): { readonly action: string; readonly payload: JsonObject };
  remoteStop(transactionId: string | number): {
    readonly action: string;
    readonly payload: JsonObject;
  };
}

const sixteen: Dialect = {
  boot: { chargePointVendor: 'Simulated', chargePointModel: 'One', firmwareVersion: '1.0' },
  status: (isCharging, timestamp) => ({
    connectorId: 1,
    errorCode: 'NoError',
    status: isCharging ? 'Charging' : 'Available',
    timestamp,
  }),
  start: ({ startedAt, token }) => ({
    action: 'StartTransaction',
    payload: { connectorId: 1, idTag: token, meterStart: 0, timestamp: startedAt },
  }),
  measure: (transaction, timestamp) => ({
    action: 'MeterValues',
    payload: () => ({
      connectorId: 1,
      ...(transaction.id !== undefined && { transactionId: transaction.id }),
      meterValue: [{ timestamp, sampledValue: [{ value: '1200' }] }],
    }),
  }),
  stop: (transaction, timestamp) => ({
    action: 'StopTransaction',
    payload: () => ({
      transactionId: transaction.id ?? 0,
      meterStop: 4200,
      timestamp,
      reason: 'Local',
    }),
  }),
  remoteStart: (token) => ({
    action: 'RemoteStartTransaction',
    payload: { idTag: token, connectorId: 1 },
  }),
  remoteStop: (transactionId) => ({
    action: 'RemoteStopTransaction',
    payload: { transactionId },
  }),
};

function eventOf(
  transaction: ChargerTransaction,
  eventType: string,
  triggerReason: string,
  timestamp: string,
): JsonObject {
  transaction.events += 1;
  return {
    eventType,
    timestamp,
    triggerReason,
    seqNo: transaction.events - 1,
    transactionInfo: { transactionId: transaction.token },
    evse: { id: 1, connectorId: 1 },
  };
}

const two: Dialect = {
  boot: {
    reason: 'PowerUp',
    chargingStation: { model: 'Two', vendorName: 'Simulated', firmwareVersion: '1.0' },
  },
  status: (isCharging, timestamp) => ({
    timestamp,
    connectorStatus: isCharging ? 'Occupied' : 'Available',
    evseId: 1,
    connectorId: 1,
  }),
  start: (transaction) => ({
    action: 'TransactionEvent',
    payload: {
      ...eventOf(transaction, 'Started', 'Authorized', transaction.startedAt),
      idToken: { idToken: transaction.token, type: 'Central' },
    },
  }),
  measure: (transaction, at) => {
    const payload = eventOf(transaction, 'Updated', 'MeterValuePeriodic', at);
    return { action: 'TransactionEvent', payload: () => payload };
  },
  stop: (transaction, at) => {
    const payload = eventOf(transaction, 'Ended', 'StopAuthorized', at);
    return { action: 'TransactionEvent', payload: () => payload };
  },
  remoteStart: (token, remoteStartId) => ({
    action: 'RequestStartTransaction',
    payload: { idToken: { idToken: token, type: 'Central' }, remoteStartId, evseId: 1 },
  }),
  remoteStop: (transactionId) => ({
    action: 'RequestStopTransaction',
    payload: { transactionId: String(transactionId) },
  }),
};

/** How each version says it. */
export const dialects: Readonly<Record<OcppVersion, Dialect>> = {
  'ocpp1.6': sixteen,
  'ocpp2.0.1': two,
  'ocpp2.1': two,
};
