import type { Random } from '../../src/lib/random.ts';

/** A call of a charger, and how it is to be answered. */
export interface PlannedCall {
  readonly action: string;
  readonly payload: string;
  readonly expects: 'result' | 'error';
}

const time = (): string => new Date().toISOString();

/** What a charger says first. */
export function bootNotification(serial: string): PlannedCall {
  return result(
    'BootNotification',
    `{"chargePointVendor":"Gatewatt","chargePointModel":"Fleet","chargePointSerialNumber":"${serial}"}`,
  );
}

/** That it is still there. */
export const heartbeat: PlannedCall = result('Heartbeat', '{}');

/** What a charger says in the course of a day: mostly meter values. */
export function dailyCall(random: Random): PlannedCall {
  const dice = random.fraction();
  if (dice < 0.25) return heartbeat;
  if (dice < 0.35) {
    const status = random.fraction() < 0.5 ? 'Available' : 'Preparing';
    return result(
      'StatusNotification',
      `{"connectorId":1,"errorCode":"NoError","status":"${status}","timestamp":"${time()}"}`,
    );
  }
  return result(
    'MeterValues',
    `{"connectorId":1,"meterValue":[{"timestamp":"${time()}","sampledValue":[` +
      `{"value":"${random.integer(1_000, 999_999)}","measurand":"Energy.Active.Import.Register","unit":"Wh"},` +
      `{"value":"${random.integer(0, 22_000)}","measurand":"Power.Active.Import","unit":"W"}]}]}`,
  );
}

/** What the gateway must not let through: a payload that is wrong, or an action of the CSMS. */
export function forbiddenCall(random: Random): PlannedCall {
  return random.fraction() < 0.5
    ? { action: 'MeterValues', payload: '{"connectorId":"one"}', expects: 'error' }
    : {
        action: 'RemoteStopTransaction',
        payload: '{"transactionId":1}',
        expects: 'error',
      };
}

/** What follows a RemoteStartTransaction that the charger has accepted. */
export function startTransaction(): PlannedCall {
  return result(
    'StartTransaction',
    `{"connectorId":1,"idTag":"FLEET","meterStart":0,"timestamp":"${time()}"}`,
  );
}

/** The end of it. */
export function stopTransaction(transactionId: number): PlannedCall {
  return result(
    'StopTransaction',
    `{"transactionId":${transactionId},"meterStop":1000,"timestamp":"${time()}"}`,
  );
}

/** The payload with which the CSMS answers a call of a charger. */
export function csmsAnswer(action: string, transactionId: () => number): string {
  switch (action) {
    case 'BootNotification':
      return `{"status":"Accepted","currentTime":"${time()}","interval":300}`;
    case 'Heartbeat':
      return `{"currentTime":"${time()}"}`;
    case 'StartTransaction':
      return `{"transactionId":${transactionId()},"idTagInfo":{"status":"Accepted"}}`;
    default:
      return '{}';
  }
}

function result(action: string, payload: string): PlannedCall {
  return { action, payload, expects: 'result' };
}
