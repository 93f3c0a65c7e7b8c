import { wholeCommandMilli } from '../load-change.ts';
import type { Conversion } from './conversion.ts';
import { type BookOfPlace, placeTerms, stationTerms } from './effective-limit.ts';
import type { Term } from './limit-term.ts';
import { clamped, lowerOf, type PowerRange, wholeWatts } from './power-range.ts';
import type { Car } from './profile-times.ts';

/** What a charger can take at most. */
export interface Rating {
  /** Each of its places. */
  readonly placeW: number;
  /** All places together. */
  readonly totalW: number;
}

/** A place, or several that are limited alike, since no profile tells them apart. */
export interface LimitedPlace {
  readonly own: BookOfPlace;
  readonly car: Car;
  readonly count: number;
  /** What it takes, as the charger has measured it; undefined where that is not to count. */
  readonly measuredW: number | undefined;
}

/** What the limits of a charger depend on. */
export interface LimitedCharger {
  readonly places: readonly LimitedPlace[];
  readonly station: BookOfPlace;
  readonly conversions: readonly Conversion[];
  readonly rating: Rating;
  readonly mayDischarge: boolean;
}

/** What bounds a place, or the whole charger; the lowest counts. */
type Bounds = readonly [Term, Term];

/** The limits of a charger at a moment: of each place, and of the whole. */
export interface ChargerLimits {
  readonly places: readonly Bounds[];
  readonly station: Bounds;
}

/** What a charger does at most when its limits change. */
export interface LimitChange {
  readonly upW: number;
  readonly downW: number;
  /** The part that this is of what the places that move may take, in thousandths, rounded up. */
  readonly upMilli: number;
  readonly downMilli: number;
  /** What it may take before, and after. */
  readonly beforeW: number;
  readonly afterW: number;
}

/** The limits of `charger` at a moment. */
export function limitsAt(charger: LimitedCharger, atMs: number): ChargerLimits {
  return {
    places: charger.places.map((place) => limitsOfPlace(charger, place, atMs)),
    station: limitsOfStation(charger, atMs),
  };
}

/** The limits of one place of `charger` at a moment. */
export function limitsOfPlace(
  { conversions, mayDischarge }: LimitedCharger,
  { car, own }: LimitedPlace,
  atMs: number,
): Bounds {
  const ofPlaces = conversions.map(({ ofPlace }) => ofPlace);
  return placeTerms(own, car, { atMs, conversions: ofPlaces, mayDischarge });
}

/** The limits of the whole charger at a moment. */
export function limitsOfStation(
  { conversions, mayDischarge, station }: LimitedCharger,
  atMs: number,
): Bounds {
  const ofStations = conversions.map(({ ofStation }) => ofStation);
  return stationTerms(station, { atMs, conversions: ofStations, mayDischarge });
}

/**
 * What a charger does when its limits change from `before` to `after`, which are of the same places.
 *
 * The load is the lowest of several bounds, and the lowest of some numbers never moves further than
 * that one of them that moves most. So only bounds that change count, also where nobody knows their
 * values; and the load falls from no more than the lowest was, to no less than what those that
 * change become.
 */
export function changeBetween(
  { conversions, places, rating }: Pick<LimitedCharger, 'conversions' | 'places' | 'rating'>,
  before: ChargerLimits,
  after: ChargerLimits,
): LimitChange {
  const moving: Moving = {
    places: before.places.map((bounds, index) => movingTerms(bounds, after.places[index])),
    station: movingTerms(before.station, after.station),
  };
  const unmeasured = places.map((place) => ({ ...place, measuredW: undefined }));
  const isMeasured = places.some(({ measuredW }) => measuredW !== undefined);
  const common = { count: conversions.length, moving, rating };
  const up = fallOf({ ...common, places: unmeasured, from: after, to: before });
  const down = fallOf({ ...common, places: unmeasured, from: before, to: after });
  const downNow = isMeasured ? fallOf({ ...common, places, from: before, to: after }) : down;
  return {
    upW: wholeWatts(up.watts),
    downW: wholeWatts(downNow.watts),
    upMilli: up.milli,
    downMilli: down.milli,
    beforeW: wholeWatts(down.fromW),
    afterW: wholeWatts(up.fromW),
  };
}

/** The part that `watts` are of `wholeW`, in thousandths, rounded up; all of it at most. */
export function milliOf(watts: number, wholeW: number): number {
  if (!(watts > 0) || !(wholeW > 0)) return 0;
  // Hairs of binary fractions are no further thousandth.
  const milli = Math.round((watts / wholeW) * 1e9) / 1e6;
  return Math.min(wholeCommandMilli, Math.max(1, Math.ceil(milli)));
}

/** Which terms change: by their places among the bounds. */
interface Moving {
  readonly places: readonly (readonly number[])[];
  readonly station: readonly number[];
}

/** A fall from one state of the limits to another. A rise is one backwards. */
interface Fall {
  /** How many conversions there are. */
  readonly count: number;
  readonly places: readonly LimitedPlace[];
  readonly rating: Rating;
  readonly from: ChargerLimits;
  readonly to: ChargerLimits;
  readonly moving: Moving;
}

interface FallInOneConversion {
  readonly placesW: readonly number[];
  /** How far all places together may fall. */
  readonly roomW: number;
  readonly stationW: number;
  /** The most that was taken before. */
  readonly fromW: number;
  /** The part of what takes part in it. */
  readonly milli: number;
}

function fallOf(fall: Fall) {
  const each = Array.from({ length: fall.count }, (_, conversion) => fallIn(fall, conversion));
  const most = (of: (one: FallInOneConversion) => number) => Math.max(...each.map(of));
  // One car may be on one phase, and the next on three: for each place, the conversion that is worst.
  const placesW = fall.places.map((_, place) => most((one) => one.placesW[place] ?? 0));
  const together = placesW.reduce((sum, watts) => sum + watts, 0);
  return {
    watts: Math.max(
      Math.min(
        together,
        most(({ roomW }) => roomW),
      ),
      most((one) => one.stationW),
    ),
    milli: most(({ milli }) => milli),
    fromW: most(({ fromW }) => fromW),
  };
}

function fallIn({ places, rating, from, to, moving }: Fall, conversion: number) {
  const { totalW } = rating;
  const ofStation = { lowW: -totalW, highW: totalW };
  const stationW = rangeOf(from.station, conversion, ofStation).highW;
  const stationThenW = rangeOf(to.station, conversion, ofStation).highW;
  // What a place may take beyond what the whole charger may, it never does.
  const ofPlace = {
    lowW: -rating.placeW,
    highW: Math.min(rating.placeW, Math.max(stationW, stationThenW)),
  };
  const sum = { fallsW: 0, fromW: 0, toW: 0, floorW: 0, fallingW: 0 };
  const placesW = places.map(({ count, measuredW }, place) => {
    const range = rangeOf(from.places[place], conversion, ofPlace);
    const then = rangeOf(to.places[place], conversion, ofPlace);
    const mostW = Math.min(range.highW, measuredW ?? range.highW);
    const lowestW = lowestOf(to.places[place], moving.places[place], {
      conversion,
      within: ofPlace,
    });
    const fallW = count * Math.max(0, mostW - lowestW);
    sum.fallsW += fallW;
    sum.fromW += count * Math.max(0, mostW);
    sum.toW += count * Math.max(0, then.highW);
    sum.floorW += count * Math.min(0, then.lowW);
    // What another place goes on taking makes a fall no smaller command.
    if (fallW > 0) sum.fallingW += count * Math.max(range.highW, then.highW, -then.lowW);
    return fallW;
  });
  const fromW = Math.min(sum.fromW, stationW);
  const floorW = Math.max(sum.floorW, -totalW);
  const roomW = fromW - floorW;
  const lowestW = lowestOf(to.station, moving.station, { conversion, within: ofStation });
  const fallOfStationW = Math.max(0, fromW - lowestW);
  const wholeW = Math.max(fromW, Math.min(sum.toW, stationThenW), -floorW);
  const milli = Math.max(
    milliOf(Math.min(sum.fallsW, roomW), Math.min(sum.fallingW, wholeW)),
    milliOf(fallOfStationW, wholeW),
  );
  return { placesW, roomW, stationW: fallOfStationW, fromW, milli };
}

/** What may be taken within `bounds`. */
function rangeOf(bounds: Bounds | undefined, conversion: number, within: PowerRange): PowerRange {
  const [one, other] = bounds ?? [];
  const range = one?.ranges[conversion] ?? within;
  return clamped(lowerOf(range, other?.ranges[conversion] ?? range), within);
}

/** The least that may be left by the terms that change; all, where none does. */
function lowestOf(
  bounds: Bounds | undefined,
  moving: readonly number[] | undefined,
  { conversion, within }: { readonly conversion: number; readonly within: PowerRange },
): number {
  let lowestW = Number.POSITIVE_INFINITY;
  for (const index of moving ?? []) {
    const range = bounds?.[index]?.ranges[conversion] ?? within;
    lowestW = Math.min(lowestW, clamped(range, within).lowW);
  }
  return lowestW;
}

function movingTerms(before: Bounds, after: Bounds | undefined): readonly number[] {
  if (before === after) return [];
  return [0, 1].filter((index) => !isSameTrace(before[index]?.trace, after?.[index]?.trace));
}

function isSameTrace(one: readonly object[] = [], other: readonly object[] = []): boolean {
  return (
    one === other ||
    (one.length === other.length && one.every((part, index) => part === other[index]))
  );
}
