import type { LoadClass } from '../ocpp/load-actions.ts';
import { type JsonObject, ownProperty } from '../ocpp/message.ts';
import type { OcppVersion } from '../ocpp/version.ts';

/**
 * What the gateway says for the charger when a command has to wait for longer than its caller does.
 * Where OCPP has a word for "later", it is said.
 *
 * Source: PNNL-35706 section 4.0 (the CSMS is answered at once).
 */
export function earlyAnswer(version: OcppVersion, action: string, payload: JsonObject): JsonObject {
  if (action === 'ChangeAvailability') {
    const key = version === 'ocpp1.6' ? 'type' : 'operationalStatus';
    const isOff = ownProperty(payload, key) === 'Inoperative';
    return { status: isOff ? 'Scheduled' : 'Accepted' };
  }
  if (action === 'Reset' && version !== 'ocpp1.6') return { status: 'Scheduled' };
  return { status: 'Accepted' };
}

/** The classes of commands for which the gateway may answer. Of the others nobody can know. */
export function isAnswerable(loadClass: LoadClass, action: string): boolean {
  switch (loadClass) {
    case 'start':
    case 'stop':
    case 'availability':
    case 'reset':
      return true;
    case 'limit':
      return action === 'SetChargingProfile' || action === 'ClearChargingProfile';
    case 'unlock':
    case 'firmware':
    case 'signal':
    case 'der':
    case 'setting':
      return false;
  }
}

const goodStatuses: readonly unknown[] = ['Accepted', 'Scheduled'];

/** Has the charger done what the CSMS was told? */
export function isAsTold(reply: JsonObject): boolean {
  return goodStatuses.includes(ownProperty(reply, 'status'));
}
