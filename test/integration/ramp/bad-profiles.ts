import type { CallErrorCode } from '../../../src/errors/catalogue.ts';
import type { OcppVersion } from '../../../src/ocpp/version.ts';
import { profile2, profile16 } from './action-cases.ts';

/** A command that the limiter must not let pass, however much room there is. */
export interface BadCommand {
  readonly what: string;
  readonly action: string;
  readonly payload: object;
  readonly code: CallErrorCode;
}

/** Charging profiles whose load nobody can tell, or which feed in, and other controls of that. */
export function badCommands(version: OcppVersion): readonly BadCommand[] {
  return [...badProfiles(version), ...(version === 'ocpp2.1' ? badOf21 : [])];
}

const at = '2030-01-01T00:00:00Z';
const later = '2030-01-02T00:00:00Z';

/** What makes a good profile bad: members of the profile, and of its first schedule. */
const spoilt: readonly (readonly [what: string, profile: object, schedule: object])[] = [
  ['ends before it is valid', { validFrom: later, validTo: at }, {}],
  ['recurs without saying how often', { chargingProfileKind: 'Recurring' }, {}],
  ['begins at no first second', {}, { chargingSchedulePeriod: periods([60, 6]) }],
  ['has periods out of order', {}, { chargingSchedulePeriod: periods([0, 6], [60, 8], [30, 9]) }],
  ['has two periods at one second', {}, { chargingSchedulePeriod: periods([0, 6], [0, 8]) }],
  ['lasts no time', {}, { duration: 0 }],
];

function badProfiles(version: OcppVersion): readonly BadCommand[] {
  const isNegative = { chargingSchedulePeriod: periods([0, -6]) };
  return [
    ...spoilt.map(([what, profile, schedule]) => bad(version, what, { profile, schedule })),
    bad(version, 'is at a place that no charger has', { place: 65 }),
    bad(version, 'is of a transaction at the whole charger', {
      place: 0,
      profile: { chargingProfilePurpose: 'TxProfile' },
    }),
    bad(version, 'has a limit below zero', {
      schedule: isNegative,
      // In OCPP 2.1 that is a limit of feeding in.
      code: version === 'ocpp2.1' ? 'RAMP_DISCHARGE' : 'RAMP_PROFILE_INVALID',
    }),
    startWith(version, { chargingSchedulePeriod: periods([60, 6]) }),
  ];
}

interface Spoiling {
  readonly place?: number;
  readonly profile?: object;
  readonly schedule?: object;
  readonly code?: CallErrorCode;
}

function bad(version: OcppVersion, what: string, spoiling: Spoiling): BadCommand {
  const { code = 'RAMP_PROFILE_INVALID', place = 1, profile = {}, schedule = {} } = spoiling;
  return {
    what: `a profile that ${what}`,
    action: 'SetChargingProfile',
    payload:
      version === 'ocpp1.6'
        ? { connectorId: place, csChargingProfiles: spoil(version, profile, schedule) }
        : { evseId: place, chargingProfile: spoil(version, profile, schedule) },
    code,
  };
}

function startWith(version: OcppVersion, schedule: object): BadCommand {
  const chargingProfile = spoil(version, { chargingProfilePurpose: 'TxProfile' }, schedule);
  const what = 'a start with a profile that begins at no first second';
  const code = 'RAMP_PROFILE_INVALID';
  if (version === 'ocpp1.6') {
    const payload = { connectorId: 1, idTag: 'TAG', chargingProfile };
    return { what, action: 'RemoteStartTransaction', payload, code };
  }
  const idToken = { idToken: 'TAG', type: 'Central' };
  const payload = { evseId: 1, remoteStartId: 1, idToken, chargingProfile };
  return { what, action: 'RequestStartTransaction', payload, code };
}

function spoil(version: OcppVersion, profile: object, schedule: object): object {
  if (version === 'ocpp1.6') {
    const { csChargingProfiles: good } = profile16(6);
    return { ...good, ...profile, chargingSchedule: { ...good.chargingSchedule, ...schedule } };
  }
  const { chargingProfile: good } = profile2(6);
  const schedules = good.chargingSchedule.map((one) => ({ ...one, ...schedule }));
  return { ...good, ...profile, chargingSchedule: schedules };
}

function periods(...list: readonly (readonly [startPeriod: number, limit: number])[]) {
  return list.map(([startPeriod, limit]) => ({ startPeriod, limit }));
}

const dynamic = (scheduleUpdate: object) => ({ chargingProfileId: 1, scheduleUpdate });

const badOf21: readonly BadCommand[] = [
  {
    what: 'an update that feeds in',
    action: 'UpdateDynamicSchedule',
    payload: dynamic({ setpoint: -5000 }),
    code: 'RAMP_DISCHARGE',
  },
  {
    what: 'an update of nothing',
    action: 'UpdateDynamicSchedule',
    payload: dynamic({}),
    code: 'RAMP_PROFILE_INVALID',
  },
  {
    what: 'a transfer in both directions',
    action: 'NotifyAllowedEnergyTransfer',
    payload: { transactionId: '1', allowedEnergyTransfer: ['AC_BPT'] },
    code: 'RAMP_DISCHARGE',
  },
  {
    what: 'a control of how the charger reacts to the grid',
    action: 'SetDERControl',
    payload: {
      isDefault: true,
      controlId: 'c',
      controlType: 'LimitMaxDischarge',
      limitMaxDischarge: { priority: 0, pctMaxDischargePower: 50 },
    },
    code: 'RAMP_DER_CONTROL',
  },
  {
    what: 'the end of such controls',
    action: 'ClearDERControl',
    payload: { isDefault: true },
    code: 'RAMP_DER_CONTROL',
  },
];
