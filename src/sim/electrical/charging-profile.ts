import type { JsonObject } from '../../ocpp/message.ts';
import {
  listOf,
  momentOf,
  numberOf,
  objectOf,
  optionalNumber,
  textOf,
} from '../protocol/payload.ts';

/** When a profile counts, over all versions. */
export type ProfilePurpose = 'station' | 'default' | 'transaction' | 'priority' | 'other';

/** A charging profile of any version, in one shape. */
export interface ChargingProfile {
  readonly id: number;
  /** 0 is the whole station. */
  readonly connectorId: number;
  readonly purpose: ProfilePurpose;
  readonly stackLevel: number;
  readonly kind: string;
  readonly recurrencySeconds: number | undefined;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly transactionId: string | undefined;
  readonly schedule: ChargingSchedule;
  /** As it was received, for the reports that give it back. */
  readonly source: JsonObject;
  /** The purpose as it was received, to compare with criteria. */
  readonly purposeText: string;
}

/** What may be drawn, and when. */
export interface ChargingSchedule {
  readonly unit: 'W' | 'A';
  /** Undefined: the schedule begins when the profile is set, or with the transaction. */
  readonly startMs: number | undefined;
  readonly durationSeconds: number;
  readonly periods: readonly ChargingPeriod[];
}

/** One step of a schedule. */
export interface ChargingPeriod {
  readonly startSeconds: number;
  /** In the unit of the schedule; Infinity where 2.1 gives no limit. */
  readonly limit: number;
  readonly phases: number;
}

const purposes: Readonly<Record<string, ProfilePurpose>> = {
  ChargePointMaxProfile: 'station',
  ChargingStationMaxProfile: 'station',
  ChargingStationExternalConstraints: 'station',
  TxDefaultProfile: 'default',
  TxProfile: 'transaction',
  PriorityCharging: 'priority',
};

const recurrencies: Readonly<Record<string, number>> = { Daily: 86_400, Weekly: 604_800 };

/** Reads a profile of 1.6 (`chargingProfileId`, one schedule) or 2.x (`id`, one to three). */
export function readChargingProfile(
  connectorId: number,
  source: JsonObject,
  setAtMs: number,
): ChargingProfile {
  const schedules = listOf(source, 'chargingSchedule');
  const schedule = schedules.length > 0 ? schedules[0] : objectOf(source, 'chargingSchedule');
  const kind = textOf(source, 'chargingProfileKind');
  const purposeText = textOf(source, 'chargingProfilePurpose');
  const transactionId = textOf(source, 'transactionId') || optionalNumber(source, 'transactionId');
  const startMs = momentOf(schedule, 'startSchedule');
  return {
    id: optionalNumber(source, 'chargingProfileId') ?? numberOf(source, 'id'),
    connectorId,
    purpose: Object.hasOwn(purposes, purposeText) ? (purposes[purposeText] ?? 'other') : 'other',
    stackLevel: numberOf(source, 'stackLevel'),
    kind,
    recurrencySeconds:
      kind === 'Recurring' ? recurrencies[textOf(source, 'recurrencyKind')] : undefined,
    validFromMs: momentOf(source, 'validFrom') ?? Number.NEGATIVE_INFINITY,
    validToMs: momentOf(source, 'validTo') ?? Number.POSITIVE_INFINITY,
    transactionId: transactionId === undefined ? undefined : String(transactionId),
    schedule: {
      unit: textOf(schedule, 'chargingRateUnit') === 'A' ? 'A' : 'W',
      startMs: startMs ?? (kind === 'Relative' ? undefined : setAtMs),
      durationSeconds: numberOf(schedule, 'duration', Number.POSITIVE_INFINITY),
      periods: listOf(schedule, 'chargingSchedulePeriod').map(readPeriod),
    },
    source,
    purposeText,
  };
}

function readPeriod(source: unknown): ChargingPeriod {
  return {
    startSeconds: numberOf(source, 'startPeriod'),
    // 2.1 has periods that set a set point instead; for charging it is what a limit is.
    limit:
      optionalNumber(source, 'limit') ?? numberOf(source, 'setpoint', Number.POSITIVE_INFINITY),
    phases: numberOf(source, 'numberPhases', 3),
  };
}

/**
 * The period of `profile` that is in force at `atMs`; undefined when none is.
 * `transactionStartMs` is where a relative schedule begins.
 */
export function periodAt(
  profile: ChargingProfile,
  atMs: number,
  transactionStartMs: number | undefined,
): ChargingPeriod | undefined {
  const { schedule, recurrencySeconds } = profile;
  if (atMs < profile.validFromMs || atMs >= profile.validToMs) return undefined;
  const startMs = schedule.startMs ?? transactionStartMs ?? atMs;
  let seconds = (atMs - startMs) / 1000;
  if (recurrencySeconds !== undefined) {
    seconds = ((seconds % recurrencySeconds) + recurrencySeconds) % recurrencySeconds;
  }
  if (seconds < 0 || seconds >= schedule.durationSeconds) return undefined;
  return schedule.periods.findLast((period) => period.startSeconds <= seconds);
}
