import type { OcppVersion } from '../../../src/ocpp/version.ts';

/**
 * What a charger is doing when a command comes.
 *
 * - `idle`: it has said that nobody charges there.
 * - `charging`: a car takes what the charger can give.
 * - `limited`: the same, under charging profile 1, which gives it 6 A.
 * - `limited-idle`: profile 1 is there, and no car.
 * - `zero`: no car, and the profile gives none anything.
 * - `full`: a car that takes nothing, as was measured.
 */
export type Situation = 'idle' | 'charging' | 'limited' | 'limited-idle' | 'zero' | 'full';

/** A command, and the situation in which it comes. */
export interface Told {
  readonly when: Situation;
  readonly payload: object;
}

/** One action that may change load. */
export interface ActionCase {
  /** It moves what a whole charger takes. */
  readonly moves: Told;
  /** It moves nothing. A text says why nobody can know that of this action. */
  readonly benign: Told | string;
  /** What the charger answers. */
  readonly answer?: object;
}

/** The transaction of every car here. */
export const transactionNumber = 1;
const transactionId = `${transactionNumber}`;
const past = '2026-01-01T00:00:00Z';

type Cases = Readonly<Record<string, ActionCase>>;

const schedule = (limit: number) => ({
  chargingRateUnit: 'A',
  chargingSchedulePeriod: [{ startPeriod: 0, limit }],
});

/** Charging profile 1 of OCPP 1.6, as SetChargingProfile has it. */
export const profile16 = (limit: number) => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: { startSchedule: past, ...schedule(limit) },
  },
});

/** The same of OCPP 2.0.1 and 2.1. */
export const profile2 = (limit: number, chargingProfileKind = 'Absolute') => ({
  evseId: 1,
  chargingProfile: {
    id: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind,
    chargingSchedule: [{ id: 1, startSchedule: past, ...schedule(limit) }],
  },
});

const cases16: Cases = {
  RemoteStartTransaction: {
    moves: { when: 'idle', payload: { connectorId: 1, idTag: 'TAG' } },
    benign: { when: 'zero', payload: { connectorId: 1, idTag: 'TAG' } },
  },
  RemoteStopTransaction: {
    moves: { when: 'charging', payload: { transactionId: transactionNumber } },
    benign: { when: 'full', payload: { transactionId: transactionNumber } },
  },
  SetChargingProfile: {
    moves: { when: 'charging', payload: profile16(0) },
    benign: { when: 'idle', payload: profile16(0) },
  },
  ClearChargingProfile: {
    moves: { when: 'limited', payload: { id: 1 } },
    benign: { when: 'limited-idle', payload: { id: 1 } },
  },
  Reset: {
    moves: { when: 'charging', payload: { type: 'Hard' } },
    benign: { when: 'idle', payload: { type: 'Hard' } },
  },
  ChangeAvailability: {
    moves: { when: 'charging', payload: { connectorId: 0, type: 'Inoperative' } },
    benign: { when: 'idle', payload: { connectorId: 0, type: 'Inoperative' } },
  },
  UnlockConnector: {
    moves: { when: 'charging', payload: { connectorId: 1 } },
    benign: { when: 'idle', payload: { connectorId: 1 } },
    answer: { status: 'Unlocked' },
  },
  UpdateFirmware: {
    moves: { when: 'charging', payload: { location: 'https://f.example/1', retrieveDate: past } },
    benign: { when: 'idle', payload: { location: 'https://f.example/1', retrieveDate: past } },
    answer: {},
  },
  SignedUpdateFirmware: {
    moves: { when: 'charging', payload: signedUpdate() },
    benign: { when: 'idle', payload: signedUpdate() },
  },
  ChangeConfiguration: {
    moves: { when: 'idle', payload: { key: 'VendorMaxCurrent', value: '6' } },
    benign: { when: 'charging', payload: { key: 'HeartbeatInterval', value: '60' } },
  },
};

const variable = (component: string, name: string) => ({
  setVariableData: [{ attributeValue: '6', component: { name: component }, variable: { name } }],
});
const start2 = { evseId: 1, remoteStartId: 1, idToken: { idToken: 'TAG', type: 'Central' } };

const cases201: Cases = {
  RequestStartTransaction: {
    moves: { when: 'idle', payload: start2 },
    benign: { when: 'zero', payload: start2 },
  },
  RequestStopTransaction: {
    moves: { when: 'charging', payload: { transactionId } },
    benign: { when: 'full', payload: { transactionId } },
  },
  SetChargingProfile: {
    moves: { when: 'charging', payload: profile2(0) },
    benign: { when: 'idle', payload: profile2(0) },
  },
  ClearChargingProfile: {
    moves: { when: 'limited', payload: { chargingProfileId: 1 } },
    benign: { when: 'limited-idle', payload: { chargingProfileId: 1 } },
  },
  Reset: {
    moves: { when: 'charging', payload: { type: 'Immediate' } },
    benign: { when: 'charging', payload: { type: 'OnIdle' } },
  },
  ChangeAvailability: {
    moves: { when: 'charging', payload: { operationalStatus: 'Inoperative' } },
    benign: { when: 'idle', payload: { operationalStatus: 'Inoperative' } },
  },
  UnlockConnector: {
    moves: { when: 'charging', payload: { evseId: 1, connectorId: 1 } },
    benign: { when: 'idle', payload: { evseId: 1, connectorId: 1 } },
    answer: { status: 'Unlocked' },
  },
  UpdateFirmware: {
    moves: { when: 'charging', payload: signedUpdate() },
    benign: { when: 'idle', payload: signedUpdate() },
  },
  SetVariables: {
    moves: { when: 'idle', payload: variable('VendorCtrlr', 'CurrentLimit') },
    benign: { when: 'charging', payload: variable('OCPPCommCtrlr', 'HeartbeatInterval') },
    answer: {
      setVariableResult: [
        {
          attributeStatus: 'Accepted',
          component: { name: 'VendorCtrlr' },
          variable: { name: 'CurrentLimit' },
        },
      ],
    },
  },
};

const nobodyKnows = 'nobody knows what the charger, or somebody else, makes of it';
const derControl = {
  isDefault: true,
  controlId: 'c-1',
  controlType: 'LimitMaxDischarge',
  limitMaxDischarge: { priority: 0, pctMaxDischargePower: 50 },
};

const cases21: Cases = {
  ...cases201,
  UpdateDynamicSchedule: {
    moves: { when: 'limited', payload: dynamicUpdate(600) },
    benign: { when: 'limited-idle', payload: dynamicUpdate(600) },
  },
  UsePriorityCharging: {
    moves: { when: 'limited', payload: { transactionId, activate: true } },
    benign: { when: 'charging', payload: { transactionId, activate: true } },
  },
  NotifyAllowedEnergyTransfer: {
    moves: { when: 'charging', payload: { transactionId, allowedEnergyTransfer: ['DC'] } },
    benign: nobodyKnows,
  },
  AFRRSignal: {
    moves: { when: 'charging', payload: { timestamp: past, signal: 1 } },
    benign: nobodyKnows,
  },
  SetDERControl: {
    moves: { when: 'charging', payload: derControl },
    benign: nobodyKnows,
  },
  ClearDERControl: {
    moves: { when: 'charging', payload: { isDefault: true } },
    benign: nobodyKnows,
  },
};

/** For each version, every action of class L: what the CSMS may say to change load. */
export const actionCases: Readonly<Record<OcppVersion, Cases>> = {
  'ocpp1.6': cases16,
  'ocpp2.0.1': cases201,
  'ocpp2.1': cases21,
};

/** The reply of the CSMS to PullDynamicScheduleUpdate (OCPP 2.1). */
export const pullCase = {
  moves: { when: 'limited', answer: pulledUpdate(600) },
  benign: { when: 'limited-idle', answer: pulledUpdate(600) },
} as const;

function dynamicUpdate(limit: number) {
  return { chargingProfileId: 1, scheduleUpdate: { limit } };
}

function pulledUpdate(limit: number) {
  return { status: 'Accepted', scheduleUpdate: { limit } };
}

function signedUpdate() {
  return {
    requestId: 1,
    firmware: {
      location: 'https://f.example/1',
      retrieveDateTime: past,
      signingCertificate: 'certificate',
      signature: 'signature',
    },
  };
}
