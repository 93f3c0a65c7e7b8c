import type { ChargingLimits } from '../../chargers/memory/charging-limits.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { type LoadStep, wholeCommandMilli } from '../load-change.ts';
import { type ChargerPlace, chargerPlaces, limitedPlaces } from './charger-places.ts';
import { conversionsFor } from './conversion.ts';
import { bookOfPlace, bookOfStation, type LimitBook, limitBook } from './effective-limit.ts';
import {
  type ChargerLimits,
  changeBetween,
  type LimitedCharger,
  type LimitedPlace,
  limitsAt,
  limitsOfPlace,
  limitsOfStation,
} from './limit-change.ts';
import { type LoadOptions, type LoadPicture, ratingOf } from './load-picture.ts';
import { invalidProfile, type LoadProblem } from './profile-problems.ts';
import { boundariesOf, type Car } from './profile-times.ts';

/** Two days in steps of five minutes, and some more. */
export const stepsMax = 600;
/** Moments at which something may change; it is worth looking at so many. */
const momentsMax = 2 * stepsMax;

/** What the schedules of a charger do by themselves. */
export interface ScheduledSteps {
  /** In order of time; the first of them where there are too many. */
  readonly steps: readonly LoadStep[];
  readonly isCut: boolean;
}

/**
 * All that the profiles in `limits` do by themselves from now on, in order of time: as far as they
 * say, and for two days where they recur. It counts as if a car were charging at every place, since
 * one may be by then. Fails when there is more than can be watched.
 */
export function scheduledSteps(
  limits: ChargingLimits,
  picture: LoadPicture,
  options: LoadOptions,
): Result<readonly LoadStep[], LoadProblem> {
  const { isCut, steps } = firstSteps(limits, picture, options);
  return isCut ? failed(invalidProfile('there are more steps than can be watched')) : ok(steps);
}

/** The same, but the first of them where there are too many. */
export function firstSteps(
  limits: ChargingLimits,
  picture: LoadPicture,
  options: LoadOptions,
): ScheduledSteps {
  const { nowMs } = picture;
  const charger = watchedCharger(limits, picture, options);
  const moments = momentsOf(charger, nowMs);
  const inOrder = [...moments.keys()].sort((one, other) => one - other);
  const steps: LoadStep[] = [];
  let before = limitsAt(charger, nowMs);
  for (const atMs of inOrder.slice(0, momentsMax)) {
    const after = limitsThen(charger, before, { atMs, changing: moments.get(atMs) });
    const { downMilli, downW, upMilli, upW } = changeBetween(charger, before, after);
    before = after;
    if (upW === 0 && downW === 0) continue;
    if (steps.length >= stepsMax) return { steps, isCut: true };
    steps.push({
      atMs,
      commandsMilli: Math.min(wholeCommandMilli, upMilli + downMilli),
      upW,
      downW,
    });
  }
  return { steps, isCut: inOrder.length > momentsMax };
}

/** A charger with a car at every place. */
function watchedCharger(
  limits: ChargingLimits,
  picture: LoadPicture,
  options: LoadOptions,
): LimitedCharger {
  const view = { ...picture.view, limits };
  const known = chargerPlaces(view, undefined);
  const missing = new Set(limitedPlaces(view));
  for (const { place } of known.places) missing.delete(place);
  const places = [
    ...known.places,
    ...[...missing].map((place) => ({ place, car: { is: 'none' } as const })),
  ];
  const rating = ratingOf({ ...known, places }, picture, options);
  const book = limitBook(limits);
  return {
    places: groupsOf(book, places),
    station: bookOfStation(book),
    conversions: conversionsFor(rating.placeW, options.lineVolts),
    rating,
    mayDischarge: options.discharge === 'count',
  };
}

/** Places that no profile tells apart are watched as one, many times. */
function groupsOf(book: LimitBook, places: readonly ChargerPlace[]): readonly LimitedPlace[] {
  const byCar = book.profiles.some(
    ({ kind, purpose, schedules }) =>
      purpose === 'TxProfile' ||
      kind === 'Relative' ||
      schedules.some(({ startMs }) => startMs === undefined),
  );
  const specific = new Set(book.profiles.map(({ place }) => place));
  const groups = new Map<string, LimitedPlace>();
  for (const { car, place } of places) {
    const isItself = specific.has(place) || (byCar && car.is === 'known');
    const key = isItself ? `${place}` : byCar ? car.is : '';
    const { count, own } = groups.get(key) ?? { count: 0, own: bookOfPlace(book, place) };
    groups.set(key, { own, car, count: count + 1, measuredW: undefined });
  }
  return [...groups.values()];
}

/** What may change at a moment: a place, by its index, or the whole charger. */
type Changing = ReadonlySet<number | 'station'>;

function momentsOf({ places, station }: LimitedCharger, nowMs: number) {
  const moments = new Map<number, Set<number | 'station'>>();
  const add = (who: number | 'station', { profiles }: LimitedPlace['own'], car: Car) => {
    for (const atMs of profiles.flatMap((profile) => boundariesOf(profile, car, nowMs))) {
      const others = moments.get(atMs);
      if (others === undefined) moments.set(atMs, new Set([who]));
      else others.add(who);
    }
  };
  for (const [index, { car, own }] of places.entries()) add(index, own, car);
  add('station', station, { is: 'unknown' });
  return moments;
}

function limitsThen(
  charger: LimitedCharger,
  before: ChargerLimits,
  { atMs, changing }: { readonly atMs: number; readonly changing: Changing | undefined },
): ChargerLimits {
  return {
    places: before.places.map((limits, index) => {
      const place = charger.places[index];
      if (place === undefined || changing?.has(index) !== true) return limits;
      return limitsOfPlace(charger, place, atMs);
    }),
    station: changing?.has('station') === true ? limitsOfStation(charger, atMs) : before.station,
  };
}
