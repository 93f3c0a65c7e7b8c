import type { ChargingProfile, ExternalLimit } from '../../chargers/memory/charging-limits.ts';
import type { ChargingSchedule, SchedulePeriod } from '../../chargers/memory/charging-schedule.ts';
import { transactionKey } from '../../ocpp/transaction-id.ts';
import { lastMomentMs, momentOf } from './moment.ts';

/** For whom a limit is asked: schedules may begin with a transaction, or belong to one. */
export type Car =
  /** A transaction goes on; it began at an unknown time when the gateway came later. */
  | { readonly is: 'known'; readonly transactionId: string; readonly sinceMs: number | undefined }
  /** A car may be charging, in a transaction that the gateway does not know. */
  | { readonly is: 'unknown' }
  /** There is none; what one would get is asked. */
  | { readonly is: 'none' };

/** What a profile may say at a moment. */
export type Saying =
  | { readonly is: 'period'; readonly of: SchedulePeriod; readonly unit: 'A' | 'W' }
  /** It limits, but nobody knows to what. `of` is the part of it that is in force. */
  | { readonly is: 'anything'; readonly of: object }
  /** The next one counts. */
  | { readonly is: 'nothing' };

/** A schedule with its times as numbers. */
interface TimedSchedule {
  readonly source: ChargingSchedule;
  readonly unit: 'A' | 'W' | undefined;
  readonly startMs: number | undefined;
  readonly durationMs: number;
  /** When each period begins, from the start of the schedule. */
  readonly startsMs: readonly number[];
  readonly isInOrder: boolean;
  /** Can it be read, and in one way only? */
  readonly isClear: boolean;
}

/** A charging profile, or a limit of somebody else, with its times as numbers. */
export interface TimedProfile {
  /** The whole charger is 0. */
  readonly place: number;
  readonly purpose: string;
  readonly stackLevel: number;
  readonly kind: string | undefined;
  /** As `transactionKey` has it. */
  readonly transactionKey: string | undefined;
  readonly recurrenceMs: number | undefined;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly acceptedAtMs: number;
  readonly schedules: readonly TimedSchedule[];
  /** Is it known when it counts, and with which rank? */
  readonly isClear: boolean;
  /** What it was made of. */
  readonly source: object;
}

const dayMs = 86_400_000;
const recurrencesMs: ReadonlyMap<string | undefined, number> = new Map([
  ['Daily', dayMs],
  ['Weekly', 7 * dayMs],
]);
const kinds: readonly unknown[] = ['Absolute', 'Recurring', 'Relative', 'Dynamic'];

/** How far ahead recurring schedules are followed. They come again; so does the question. */
const recurringHorizonMs = 2 * dayMs;

/** What the limits of others are, in the words of OCPP 2.0.1 part 2 chapter K. */
export const externalPurpose = 'ChargingStationExternalConstraints';

/** Reads the times of `profile`. */
export function timedProfile(profile: ChargingProfile): TimedProfile {
  const { chargingProfileKind: kind, transactionId, validFrom, validTo } = profile;
  const schedules = profile.chargingSchedule.map(timedSchedule);
  const recurrenceMs = kind === 'Recurring' ? recurrencesMs.get(profile.recurrencyKind) : undefined;
  const validFromMs = validFrom === undefined ? Number.NEGATIVE_INFINITY : momentOf(validFrom);
  const validToMs = validTo === undefined ? Number.POSITIVE_INFINITY : momentOf(validTo);
  return {
    place: profile.place,
    purpose: profile.chargingProfilePurpose,
    stackLevel: profile.stackLevel ?? 0,
    kind,
    transactionKey: transactionId === undefined ? undefined : transactionKey(transactionId),
    recurrenceMs,
    validFromMs: validFromMs ?? Number.NEGATIVE_INFINITY,
    validToMs: validToMs ?? Number.POSITIVE_INFINITY,
    acceptedAtMs: profile.atMs,
    schedules,
    isClear:
      kinds.includes(kind) &&
      (kind !== 'Recurring' || recurrenceMs !== undefined) &&
      profile.stackLevel !== undefined &&
      validFromMs !== undefined &&
      validToMs !== undefined &&
      schedules.length > 0,
    source: profile,
  };
}

/** Reads the times of a limit that did not come from the CSMS. Often it has no schedule. */
export function timedExternal(limit: ExternalLimit): TimedProfile {
  return {
    place: limit.evseId ?? 0,
    purpose: externalPurpose,
    stackLevel: 0,
    kind: 'Absolute',
    transactionKey: undefined,
    recurrenceMs: undefined,
    validFromMs: Number.NEGATIVE_INFINITY,
    validToMs: Number.POSITIVE_INFINITY,
    acceptedAtMs: limit.atMs,
    schedules: limit.chargingSchedule.map(timedSchedule),
    isClear: limit.chargingSchedule.length > 0,
    source: limit,
  };
}

/**
 * What `profile` may say to `car` at a moment; one saying where that is certain. Of several
 * schedules the car chooses one (OCPP 2.0.1 part 2 K15).
 */
export function sayingsAt(profile: TimedProfile, car: Car, atMs: number): readonly Saying[] {
  const { isClear, schedules, source, validFromMs, validToMs } = profile;
  if (atMs < validFromMs || atMs >= validToMs) return [nothing];
  if (!isClear) return [{ is: 'anything', of: source }];
  const sayings: Saying[] = [];
  for (const schedule of schedules) {
    for (const saying of sayingsOf(profile, schedule, car, atMs)) {
      if (!sayings.some((other) => isSame(other, saying))) sayings.push(saying);
    }
  }
  return sayings;
}

/** When what `profile` says to `car` may change by itself after `fromMs`; in no order. */
export function boundariesOf(profile: TimedProfile, car: Car, fromMs: number): readonly number[] {
  const { isClear, recurrenceMs, schedules, validFromMs, validToMs } = profile;
  const moments = [validFromMs, validToMs];
  for (const schedule of isClear ? schedules : []) {
    const edges = [...schedule.startsMs, schedule.durationMs].filter(
      (edge) => edge <= schedule.durationMs,
    );
    for (const originMs of originsOf(profile, schedule, car, undefined) ?? []) {
      for (const cycleMs of cyclesFrom(originMs, recurrenceMs, fromMs)) {
        for (const edge of [0, ...edges]) {
          if (recurrenceMs === undefined || edge < recurrenceMs) moments.push(cycleMs + edge);
        }
      }
    }
  }
  const untilMs =
    recurrenceMs === undefined ? lastMomentMs : Math.min(lastMomentMs, fromMs + recurringHorizonMs);
  return moments.filter(
    (moment) =>
      moment > fromMs && moment <= untilMs && moment >= validFromMs && moment <= validToMs,
  );
}

const nothing: Saying = { is: 'nothing' };

function timedSchedule(source: ChargingSchedule): TimedSchedule {
  const { chargingRateUnit, chargingSchedulePeriod: periods, duration, startSchedule } = source;
  const startsMs = periods.map(({ startPeriod }) => Math.round(startPeriod * 1000));
  const startMs = startSchedule === undefined ? undefined : momentOf(startSchedule);
  const isInOrder = startsMs.every((start, index) => {
    const before = startsMs[index - 1];
    return before === undefined ? start === 0 : start > before;
  });
  return {
    source,
    unit: chargingRateUnit === 'A' || chargingRateUnit === 'W' ? chargingRateUnit : undefined,
    startMs,
    durationMs:
      duration === undefined || duration <= 0 ? Number.POSITIVE_INFINITY : duration * 1000,
    startsMs,
    isInOrder,
    isClear:
      startsMs.length > 0 &&
      isInOrder &&
      !source.isRough &&
      (startMs === undefined) === (startSchedule === undefined) &&
      (duration === undefined || duration > 0) &&
      periods.every(({ numberPhases }) => isPhases(numberPhases)),
  };
}

function isPhases(numberPhases: number | undefined): boolean {
  return numberPhases === undefined || [1, 2, 3].includes(numberPhases);
}

function sayingsOf(
  profile: TimedProfile,
  schedule: TimedSchedule,
  car: Car,
  atMs: number,
): readonly Saying[] {
  const origins = originsOf(profile, schedule, car, atMs);
  if (origins === undefined) {
    // Any part of it may be in force.
    const periods = schedule.startsMs.map((_, index) => periodSaying(schedule, index));
    if (periods.length === 0) return [periodSaying(schedule, -1)];
    return Number.isFinite(schedule.durationMs) ? [...periods, nothing] : periods;
  }
  return origins.flatMap((originMs) => {
    const elapsedMs = atMs - originMs;
    const { recurrenceMs } = profile;
    if (recurrenceMs === undefined) return [sayingAfter(schedule, elapsedMs)];
    const inCycle = sayingAfter(schedule, modulo(elapsedMs, recurrenceMs));
    // Does a schedule recur before the first time? Chargers differ.
    return elapsedMs < 0 ? [inCycle, nothing] : [inCycle];
  });
}

/**
 * When `schedule` begins: several moments where OCPP can be read in several ways; undefined when
 * nobody knows. `atMs` is where a transaction would begin that does not exist; undefined for none.
 */
function originsOf(
  { acceptedAtMs, kind }: TimedProfile,
  { startMs }: TimedSchedule,
  car: Car,
  atMs: number | undefined,
): readonly number[] | undefined {
  const sinceMs = car.is === 'known' ? car.sinceMs : undefined;
  if (kind === 'Relative') {
    const also = startMs === undefined ? [] : [startMs];
    if (car.is === 'none') return atMs === undefined ? also : [atMs, ...also];
    return sinceMs === undefined ? undefined : [sinceMs, ...also];
  }
  if (startMs !== undefined) return [startMs];
  // OCPP 2.0.1 part 2, ChargingScheduleType: without a start it is relative to that of charging.
  return kind === 'Absolute' && sinceMs !== undefined ? [acceptedAtMs, sinceMs] : [acceptedAtMs];
}

function sayingAfter(schedule: TimedSchedule, elapsedMs: number): Saying {
  if (elapsedMs < 0 || elapsedMs >= schedule.durationMs) return nothing;
  return periodSaying(schedule, lastStartedIndex(schedule, elapsedMs));
}

function periodSaying(schedule: TimedSchedule, index: number): Saying {
  const { isClear, source, unit } = schedule;
  const of = source.chargingSchedulePeriod[index];
  if (of === undefined) return { is: 'anything', of: source };
  // After the last period that is kept, nobody knows how long it lasts.
  const isLastOfMore = source.isCut && index === schedule.startsMs.length - 1;
  if (!isClear || unit === undefined || isLastOfMore) return { is: 'anything', of };
  return { is: 'period', of, unit };
}

/** The period that began last, also where they are out of order; -1 when none has. */
function lastStartedIndex({ isInOrder, startsMs }: TimedSchedule, elapsedMs: number): number {
  let last = -1;
  if (isInOrder) {
    let end = startsMs.length;
    while (end - last > 1) {
      const middle = (last + end) >> 1;
      if ((startsMs[middle] ?? 0) <= elapsedMs) last = middle;
      else end = middle;
    }
    return last;
  }
  for (const [index, start] of startsMs.entries()) {
    if (start <= elapsedMs && (last < 0 || start >= (startsMs[last] ?? 0))) last = index;
  }
  return last;
}

/** When a schedule begins, and begins again, as far as it matters after `fromMs`. */
function cyclesFrom(
  originMs: number,
  recurrenceMs: number | undefined,
  fromMs: number,
): readonly number[] {
  if (recurrenceMs === undefined) return [originMs];
  const cycles: number[] = [];
  const firstMs = fromMs - modulo(fromMs - originMs, recurrenceMs);
  for (let at = firstMs; at <= fromMs + recurringHorizonMs; at += recurrenceMs) cycles.push(at);
  return cycles;
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

function isSame(one: Saying, other: Saying): boolean {
  if (one.is === 'nothing' || other.is === 'nothing') return one.is === other.is;
  return one.is === other.is && one.of === other.of;
}
