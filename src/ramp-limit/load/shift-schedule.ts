import { listAt } from '../../chargers/memory/read-property.ts';
import { isJsonObject, type JsonObject, ownProperty } from '../../ocpp/message.ts';
import { type LoadCommand, profileKey } from './load-command.ts';
import { momentIn, momentText } from './moment.ts';

/** By how much what is planned is delayed, and what counts as planned. */
interface Shift {
  readonly seconds: number;
  readonly nowMs: number;
}

/** Later than this, a moment means "never", and stays. */
const plannedMaxMs = Date.UTC(2100, 0, 1);

/**
 * The payload of `command` with everything that its charging profile does after now done so many
 * seconds later: the start of a schedule that has not begun or that recurs, or else the periods that
 * have not begun, and the ends. Undefined when there is nothing to delay, or no profile.
 *
 * It is a copy, and the rest of it is as it was. What it does now may be something else than before,
 * so it has to be estimated again.
 */
export function shiftedPayload(
  command: LoadCommand,
  shiftSeconds: number,
  nowMs: number,
): JsonObject | undefined {
  const key = profileKey(command);
  const profile = key === undefined ? undefined : ownProperty(command.payload, key);
  if (key === undefined || !isJsonObject(profile) || !(shiftSeconds > 0)) return undefined;
  const shift = { seconds: Math.round(shiftSeconds), nowMs };
  const shifted = shiftedProfile(profile, shift);
  return isEqual(shifted, profile)
    ? undefined
    : { ...structuredClone(command.payload), [key]: shifted };
}

function shiftedProfile(profile: JsonObject, shift: Shift): JsonObject {
  const copy: Record<string, unknown> = structuredClone(profile);
  for (const key of ['validFrom', 'validTo']) {
    const text = laterText(ownProperty(profile, key), shift);
    if (text !== undefined) copy[key] = text;
  }
  const kind = ownProperty(profile, 'chargingProfileKind');
  const given = ownProperty(profile, 'chargingSchedule');
  if (Array.isArray(given)) {
    copy['chargingSchedule'] = given.map((one) =>
      isJsonObject(one) ? shiftedSchedule(one, kind, shift) : structuredClone(one),
    );
  } else if (isJsonObject(given)) {
    copy['chargingSchedule'] = shiftedSchedule(given, kind, shift);
  }
  return copy;
}

function shiftedSchedule(schedule: JsonObject, kind: unknown, shift: Shift): JsonObject {
  const copy: Record<string, unknown> = structuredClone(schedule);
  const startMs =
    kind === 'Relative' ? undefined : momentIn(ownProperty(schedule, 'startSchedule'));
  // One that recurs has its hours by its start, which may be long past.
  if (typeof startMs === 'number' && (startMs > shift.nowMs || kind === 'Recurring')) {
    const text = momentText(startMs + shift.seconds * 1000);
    if (text !== undefined) copy['startSchedule'] = text;
    return copy;
  }
  const originMs = typeof startMs === 'number' ? startMs : shift.nowMs;
  const delayed = (seconds: unknown): unknown =>
    typeof seconds === 'number' && originMs + seconds * 1000 > shift.nowMs
      ? seconds + shift.seconds
      : seconds;
  if (Array.isArray(ownProperty(schedule, 'chargingSchedulePeriod'))) {
    copy['chargingSchedulePeriod'] = listAt(schedule, 'chargingSchedulePeriod').map((period) =>
      isJsonObject(period) && Object.hasOwn(period, 'startPeriod')
        ? { ...structuredClone(period), startPeriod: delayed(period['startPeriod']) }
        : structuredClone(period),
    );
  }
  const duration = ownProperty(schedule, 'duration');
  if (duration !== undefined) copy['duration'] = delayed(duration);
  return copy;
}

/** A planned moment, later; undefined for any other. */
function laterText(value: unknown, { nowMs, seconds }: Shift): string | undefined {
  const atMs = momentIn(value);
  if (typeof atMs !== 'number' || atMs <= nowMs || atMs >= plannedMaxMs) return undefined;
  return momentText(atMs + seconds * 1000);
}

/** Both are plain JSON, with their keys in the same order. */
function isEqual(one: JsonObject, other: JsonObject): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
