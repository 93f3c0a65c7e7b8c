import type { OcppVersion } from './version.ts';

/** How a command changes the load of a charger. */
export type LoadClass =
  /** A car begins to charge. */
  | 'start'
  /** A transaction ends. */
  | 'stop'
  /** Charging profiles, which say how much may be taken. */
  | 'limit'
  /** The charger, or an EVSE, restarts. */
  | 'reset'
  /** A connector goes into service, or out of it. */
  | 'availability'
  /** A cable is released. */
  | 'unlock'
  /** New firmware, with a restart. */
  | 'firmware'
  /** What the car may take is decided elsewhere (OCPP 2.1). */
  | 'signal'
  /** How the charger reacts to voltage and frequency (OCPP 2.1). */
  | 'der'
  /** A configuration key, or a variable, which may be one of a limit. */
  | 'setting';

const common = {
  ChangeAvailability: 'availability',
  ClearChargingProfile: 'limit',
  Reset: 'reset',
  SetChargingProfile: 'limit',
  UnlockConnector: 'unlock',
  UpdateFirmware: 'firmware',
} as const;

const since2 = {
  ...common,
  RequestStartTransaction: 'start',
  RequestStopTransaction: 'stop',
  SetVariables: 'setting',
} as const;

/**
 * The actions of the CSMS that change load, by version.
 *
 * Source: PNNL-35706 section 4.0 names the starts and stops, and SetChargingProfile as future work;
 * the others have the same effect, by their descriptions in OCPP 1.6 chapter 5, "Improved security
 * for OCPP 1.6-J" edition 3 chapter 5, and OCPP 2.0.1 and 2.1 part 2.
 */
export const loadActions: Readonly<Record<OcppVersion, Readonly<Record<string, LoadClass>>>> = {
  'ocpp1.6': {
    ...common,
    ChangeConfiguration: 'setting',
    RemoteStartTransaction: 'start',
    RemoteStopTransaction: 'stop',
    SignedUpdateFirmware: 'firmware',
  },
  'ocpp2.0.1': since2,
  'ocpp2.1': {
    ...since2,
    AFRRSignal: 'signal',
    ClearDERControl: 'der',
    NotifyAllowedEnergyTransfer: 'signal',
    SetDERControl: 'der',
    UpdateDynamicSchedule: 'limit',
    UsePriorityCharging: 'signal',
  },
};

/** The calls of a charger that a CSMS answers with a limit (OCPP 2.1 part 2, chapter K). */
export const loadReplyActions: Readonly<Record<OcppVersion, readonly string[]>> = {
  'ocpp1.6': [],
  'ocpp2.0.1': [],
  'ocpp2.1': ['PullDynamicScheduleUpdate'],
};

/** How `action` of the CSMS changes load; undefined when it does not. */
export function loadClassOf(version: OcppVersion, action: string): LoadClass | undefined {
  const table = loadActions[version];
  return Object.hasOwn(table, action) ? table[action] : undefined;
}
