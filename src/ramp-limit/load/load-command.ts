import { integerAt } from '../../chargers/memory/read-property.ts';
import type { LoadClass } from '../../ocpp/load-actions.ts';
import { type JsonObject, ownProperty } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { placeMax } from './profile-problems.ts';

/** Something of the CSMS that may change load: a call, or the reply to a pull of limits. */
export interface LoadCommand {
  readonly version: OcppVersion;
  readonly action: string;
  readonly loadClass: LoadClass;
  /** It need not meet its schema: some modes let pass what does not. */
  readonly payload: JsonObject;
  /** In the reply to a PullDynamicScheduleUpdate: what the charger had asked for. */
  readonly chargingProfileId?: number | undefined;
}

/**
 * The EVSE that a command names, or the connector in OCPP 1.6; undefined where it names none, or
 * none that a charger has: then it is about the whole charger.
 */
export function placeIn({ action, payload, version }: LoadCommand): number | undefined {
  const place =
    version === 'ocpp1.6'
      ? integerAt(payload, 'connectorId')
      : action === 'ChangeAvailability'
        ? integerAt(ownProperty(payload, 'evse'), 'id')
        : integerAt(payload, 'evseId');
  return place !== undefined && place > 0 && place <= placeMax ? place : undefined;
}

/** Where the charging profile of a command is; undefined where it can have none. */
export function profileKey({ action, loadClass, version }: LoadCommand): string | undefined {
  if (loadClass === 'start') return 'chargingProfile';
  if (action !== 'SetChargingProfile') return undefined;
  return version === 'ocpp1.6' ? 'csChargingProfiles' : 'chargingProfile';
}
