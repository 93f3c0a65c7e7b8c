import { ownProperty } from '../../ocpp/message.ts';
import { integerAt, isTrueAt, listAt, numberAt, textAt } from './read-property.ts';

/** One period of a schedule, in the words of OCPP. Values of single phases are left out. */
export interface SchedulePeriod {
  /** Seconds from the start of the schedule. */
  readonly startPeriod: number;
  readonly limit: number | undefined;
  readonly numberPhases: number | undefined;
  /** OCPP 2.1. */
  readonly setpoint: number | undefined;
  /** OCPP 2.1. */
  readonly dischargeLimit: number | undefined;
}

/** A charging schedule, in the words of OCPP. */
export interface ChargingSchedule {
  readonly chargingRateUnit: string | undefined;
  readonly startSchedule: string | undefined;
  /** In seconds. */
  readonly duration: number | undefined;
  readonly chargingSchedulePeriod: readonly SchedulePeriod[];
  /** Were there more periods than are kept? */
  readonly isCut: boolean;
  /** Does it say more about the load than is kept: of single phases, of grid services (OCPP 2.1)? */
  readonly isRough: boolean;
}

/** OCPP 2.0.1 allows three schedules in a profile. */
export const schedulesMax = 3;
/** Over the schedules of one profile: one for each five minutes of a day, and some more. */
export const profilePeriodsMax = 300;
/** Of a schedule that nobody has set: one for each hour of a day. */
const otherPeriodsMax = 24;
/** No charger has a megawatt limit of this size; larger numbers are cut to it. */
const limitMax = 1_000_000_000;
const unitCharsMax = 8;
const timestampCharsMax = 40;

/** The schedules at `key`, with at most `periodsKept` periods: one in OCPP 1.6, a list since. */
export function schedulesAt(
  object: unknown,
  key: string,
  periodsKept: number = otherPeriodsMax,
): readonly ChargingSchedule[] {
  const value = ownProperty(object, key);
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  let left = periodsKept;
  return list.slice(0, schedulesMax).map((item) => {
    const schedule = scheduleOf(item, left);
    left -= schedule.chargingSchedulePeriod.length;
    return schedule;
  });
}

/** Reads a schedule of whatever version, of which at most `periodsKept` periods are kept. */
export function scheduleOf(
  object: unknown,
  periodsKept: number = otherPeriodsMax,
): ChargingSchedule {
  const periods = listAt(object, 'chargingSchedulePeriod');
  const kept = periods.slice(0, periodsKept);
  return {
    chargingRateUnit: textAt(object, 'chargingRateUnit', unitCharsMax),
    // A composite schedule of OCPP 2.0.1 has the other name.
    startSchedule:
      textAt(object, 'startSchedule', timestampCharsMax) ??
      textAt(object, 'scheduleStart', timestampCharsMax),
    duration: integerAt(object, 'duration'),
    chargingSchedulePeriod: kept.map(periodOf),
    isCut: periods.length > periodsKept || isTrueAt(object, 'isCut'),
    isRough:
      ownProperty(object, 'limitAtSoC') !== undefined ||
      isTrueAt(object, 'useLocalTime') ||
      kept.some(saysMore) ||
      isTrueAt(object, 'isRough'),
  };
}

/** A copy of what counts in an UpdateDynamicSchedule, or in the reply to a pull (OCPP 2.1). */
export function scheduleUpdateOf(update: unknown): object {
  return {
    limit: ownProperty(update, 'limit'),
    setpoint: ownProperty(update, 'setpoint'),
    dischargeLimit: ownProperty(update, 'dischargeLimit'),
    isRough: saysMore(update) || isTrueAt(update, 'isRough'),
  };
}

/** The schedule with its last period changed as an UpdateDynamicSchedule says (OCPP 2.1). */
export function updatedSchedule(schedule: ChargingSchedule, update: unknown): ChargingSchedule {
  const periods = schedule.chargingSchedulePeriod.map((period) => ({
    ...period,
    limit: limitAt(update, 'limit') ?? period.limit,
    setpoint: limitAt(update, 'setpoint') ?? period.setpoint,
    dischargeLimit: limitAt(update, 'dischargeLimit') ?? period.dischargeLimit,
  }));
  const isRough = schedule.isRough || isTrueAt(scheduleUpdateOf(update), 'isRough');
  return { ...schedule, chargingSchedulePeriod: periods, isRough };
}

/** What OCPP 2.1 can say of a period besides the values that are kept. */
const furtherKeys = [
  'limit_L2',
  'limit_L3',
  'setpoint_L2',
  'setpoint_L3',
  'dischargeLimit_L2',
  'dischargeLimit_L3',
  'v2xBaseline',
  'v2xFreqWattCurve',
  'v2xSignalWattCurve',
] as const;
/** In these, the car does what limit and setpoint say. */
const plainModes: readonly unknown[] = [undefined, 'ChargingOnly', 'CentralSetpoint'];

function saysMore(period: unknown): boolean {
  return (
    furtherKeys.some((key) => ownProperty(period, key) !== undefined) ||
    !plainModes.includes(ownProperty(period, 'operationMode')) ||
    isTrueAt(period, 'evseSleep')
  );
}

function periodOf(object: unknown): SchedulePeriod {
  return {
    startPeriod: limitAt(object, 'startPeriod') ?? 0,
    limit: limitAt(object, 'limit'),
    numberPhases: limitAt(object, 'numberPhases'),
    setpoint: limitAt(object, 'setpoint'),
    dischargeLimit: limitAt(object, 'dischargeLimit'),
  };
}

/** Limits have one decimal in OCPP; three are kept, so that each has a short text. */
function limitAt(object: unknown, key: string): number | undefined {
  const value = numberAt(object, key);
  if (value === undefined) return undefined;
  return Math.round(Math.min(limitMax, Math.max(-limitMax, value)) * 1000) / 1000;
}
