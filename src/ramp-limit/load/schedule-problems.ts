import { profilePeriodsMax, schedulesMax } from '../../chargers/memory/charging-schedule.ts';
import { listAt } from '../../chargers/memory/read-property.ts';
import { isJsonObject, type JsonObject, ownProperty } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { momentIn } from './moment.ts';

/** Some 31 years; what is later is no plan. */
const startPeriodMax = 1_000_000_000;

/** What is wrong with the schedules of a profile; undefined when nothing is. */
export function scheduleFault(version: OcppVersion, profile: unknown): string | undefined {
  const given = ownProperty(profile, 'chargingSchedule');
  // OCPP 1.6 has one, later versions have a list.
  const list = version === 'ocpp1.6' ? [given] : Array.isArray(given) ? given : [];
  const schedules = list.slice(0, schedulesMax + 1).filter(isJsonObject);
  if (schedules.length === 0 || schedules.length < Math.min(list.length, schedulesMax)) {
    return 'there is no charging schedule';
  }
  if (list.length > schedulesMax) return 'there are too many charging schedules';
  let periodsLeft = profilePeriodsMax;
  for (const schedule of schedules) {
    const periods = listAt(schedule, 'chargingSchedulePeriod');
    periodsLeft -= periods.length;
    if (periodsLeft < 0) return 'there are too many periods';
    const fault = faultOf(schedule) ?? periodsFault(version, periods);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Is `value` a whole number from `min` to `max`? */
export function isWhole(
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): value is number {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

/** What is wrong with the new values of a schedule (OCPP 2.1); undefined when nothing is. */
export function updateFault(update: unknown): string | undefined {
  if (!isJsonObject(update)) return 'there is no update';
  const says = (key: string) => ownProperty(update, key) !== undefined;
  if (![...signedKeys, ...reactiveKeys].some(says)) return 'there is no update';
  return valuesFault('ocpp2.1', update);
}

/** Does a profile let a car feed into the grid? */
export function isDischargingProfile(profile: unknown): boolean {
  const given = ownProperty(profile, 'chargingSchedule');
  const schedules: readonly unknown[] = Array.isArray(given) ? given : [given];
  return schedules.some((schedule) =>
    listAt(schedule, 'chargingSchedulePeriod').some(isDischargingPeriod),
  );
}

/** Does a period, or an update of one, let a car feed into the grid (OCPP 2.1 part 2, Q)? */
export function isDischargingPeriod(period: unknown): boolean {
  const mode = ownProperty(period, 'operationMode');
  // In these the charger, or somebody else, chooses; unless the limit is 0, they may choose that.
  const isFree = mode !== undefined && !chargingModes.includes(mode);
  return (
    (isFree && ownProperty(period, 'dischargeLimit') !== 0) ||
    [...signedKeys, 'v2xBaseline'].some((key) => isNegative(ownProperty(period, key))) ||
    curveKeys.some((key) =>
      listAt(period, key).some((point) => isNegative(ownProperty(point, 'power'))),
    )
  );
}

const limitKeys = ['limit', 'limit_L2', 'limit_L3'] as const;
const dischargeKeys = ['dischargeLimit', 'dischargeLimit_L2', 'dischargeLimit_L3'] as const;
const setpointKeys = ['setpoint', 'setpoint_L2', 'setpoint_L3'] as const;
const signedKeys = [...limitKeys, ...dischargeKeys, ...setpointKeys] as const;
const reactiveKeys = ['setpointReactive', 'setpointReactive_L2', 'setpointReactive_L3'] as const;
const curveKeys = ['v2xFreqWattCurve', 'v2xSignalWattCurve'] as const;
const chargingModes: readonly unknown[] = ['Idle', 'ChargingOnly', 'CentralSetpoint'];
const units: readonly unknown[] = ['A', 'W'];

function faultOf(schedule: JsonObject): string | undefined {
  const duration = ownProperty(schedule, 'duration');
  if (!units.includes(ownProperty(schedule, 'chargingRateUnit'))) return 'the unit is unknown';
  if (momentIn(ownProperty(schedule, 'startSchedule')) === 'unreadable') {
    return 'startSchedule cannot be read';
  }
  if (duration !== undefined && !isWhole(duration, 1)) {
    return 'the duration is no whole number of seconds from 1';
  }
  return undefined;
}

function periodsFault(version: OcppVersion, periods: readonly unknown[]): string | undefined {
  if (periods.length === 0) return 'the charging schedule has no periods';
  let before = -1;
  for (const period of periods) {
    if (!isJsonObject(period)) return 'a period is no object';
    const start = ownProperty(period, 'startPeriod');
    if (!isWhole(start, 0, startPeriodMax)) return 'a period starts at no possible second';
    if (before < 0 && start !== 0) return 'the first period does not start at 0';
    if (start <= before) return 'the periods are not in order';
    before = start;
    const phases = ownProperty(period, 'numberPhases');
    if (phases !== undefined && !isWhole(phases, 1, 3)) return 'there are one to three phases';
    const fault = valuesFault(version, period);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function valuesFault(version: OcppVersion, values: JsonObject): string | undefined {
  const limit = ownProperty(values, 'limit');
  if (version !== 'ocpp2.1') {
    if (!isNumber(limit)) return 'a limit is no number';
    return isNegative(limit) ? 'a limit is negative' : undefined;
  }
  // Below zero a limit is one of discharging here, for older systems.
  for (const key of signedKeys) {
    const value = ownProperty(values, key);
    if (value !== undefined && !isNumber(value)) return 'a limit is no number';
  }
  const isPositive = (key: string) => Number(ownProperty(values, key) ?? 0) > 0;
  return dischargeKeys.some(isPositive) ? 'a limit of discharging is positive' : undefined;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isNegative(value: unknown): boolean {
  return typeof value === 'number' && value < 0;
}
