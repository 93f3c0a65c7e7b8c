import type { PowerReading } from '../../chargers/memory/meter-values.ts';
import type { LoadView } from '../../chargers/memory/view.ts';
import type { LoadBasis } from '../load-change.ts';
import {
  type ChargerPlace,
  type ChargerPlaces,
  chargerPlaces,
  transactionAt,
} from './charger-places.ts';
import { conversionsFor } from './conversion.ts';
import {
  bookOfPlace,
  bookOfStation,
  effectiveLimit,
  type LimitBook,
  limitBook,
} from './effective-limit.ts';
import {
  changeBetween,
  type LimitedCharger,
  limitsAt,
  limitsOfStation,
  type Rating,
} from './limit-change.ts';
import { lowerTerm } from './limit-term.ts';
import { bounded, exactly, noPower, type PowerRange, sumOf } from './power-range.ts';

/** What the operator says about how load is estimated. */
export interface LoadOptions {
  /** The rating of a charger of which nobody said one, in W. */
  readonly assumedRatedW: number;
  /** How old a measurement may be to count as what a place takes now. */
  readonly measuredMsMax: number;
  /** Between a phase and neutral. */
  readonly lineVolts: number;
  /** What becomes of commands that make a charger feed in. */
  readonly discharge: 'refuse' | 'count';
  /** What becomes of commands that change how a charger reacts to voltage and frequency. */
  readonly derControls: 'refuse' | 'count';
}

/** What is known of the load of a charger at a moment. */
export interface LoadPicture {
  readonly nowMs: number;
  /** What the whole charger takes at most, in W, as the operator says; undefined when nobody has. */
  readonly ratedW: number | undefined;
  readonly view: LoadView;
}

/** One place, and what it takes now. */
export interface PlaceLoad extends ChargerPlace {
  readonly load: PowerRange;
  readonly basis: LoadBasis;
  /** What it takes as the charger has measured it, of late. */
  readonly measuredW: number | undefined;
}

/** A charger, and what it takes now. */
export interface ChargerLoad {
  readonly places: readonly PlaceLoad[];
  readonly rating: Rating;
  readonly book: LimitBook;
  /** All places together. */
  readonly load: PowerRange;
  readonly basis: LoadBasis;
}

/** No charger has more (SAE J3271: 3.75 MW). A meter that says so would use up every budget. */
const measuredWMax = 4_000_000;

/** What a charger takes now; `asked` is the place that a command names. */
export function chargerLoad(
  picture: LoadPicture,
  options: LoadOptions,
  asked?: number | undefined,
): ChargerLoad {
  const { view } = picture;
  const known = chargerPlaces(view, asked);
  const placeW = placeRatingW(picture, options);
  const book = limitBook(view.limits);
  const places = known.places.map((place) => placeLoad(place, { picture, options, placeW, book }));
  const takenW = places.reduce((sum, { measuredW }) => sum + Math.max(0, measuredW ?? 0), 0);
  const { totalW } = ratingOf(known, picture, options);
  const rating = { placeW, totalW: Math.max(totalW, takenW) };
  return { places, rating, book, ...wholeLoad(places, { rating, book, options, picture }) };
}

/**
 * What a charger can take at most: what the operator says, or else what is assumed of each place;
 * but no less than a place has taken. Where no place is known, the charger is one.
 */
export function ratingOf(
  { areKnown, places }: ChargerPlaces,
  picture: LoadPicture,
  options: LoadOptions,
): Rating {
  const placeW = placeRatingW(picture, options);
  const isOne = !areKnown || picture.ratedW !== undefined;
  return { placeW, totalW: isOne ? placeW : placeW * places.length };
}

/** What one place takes; the whole charger where `place` is undefined. */
export function loadOf(
  charger: ChargerLoad,
  place: number | undefined,
): Pick<PlaceLoad, 'load' | 'basis'> {
  if (place === undefined) return charger;
  return charger.places.find((one) => one.place === place) ?? charger;
}

/** The limits in `book` for some places of a charger, as they are compared with others. */
export function limitedCharger(
  places: readonly (ChargerPlace & Pick<PlaceLoad, 'measuredW'>)[],
  { book, rating }: Pick<ChargerLoad, 'book' | 'rating'>,
  { discharge, lineVolts }: LoadOptions,
): LimitedCharger {
  return {
    places: places.map(({ car, measuredW, place }) => {
      return { own: bookOfPlace(book, place), car, count: 1, measuredW };
    }),
    station: bookOfStation(book),
    conversions: conversionsFor(rating.placeW, lineVolts),
    rating,
    mayDischarge: discharge === 'count',
  };
}

/** The places that take something, or may. */
export function loadedPlaces({ places }: ChargerLoad): readonly PlaceLoad[] {
  return places.filter(({ car }) => car.is !== 'none');
}

/** The worst of what several numbers come from. */
export function worstBasis(bases: readonly LoadBasis[]): LoadBasis {
  return byWorth.find((basis) => bases.includes(basis)) ?? 'nothing';
}

const byWorth: readonly LoadBasis[] = ['rating', 'limit', 'measured'];

interface PlaceSurroundings {
  readonly picture: LoadPicture;
  readonly options: LoadOptions;
  readonly placeW: number;
  readonly book: LimitBook;
}

function placeRatingW({ ratedW, view }: LoadPicture, { assumedRatedW }: LoadOptions): number {
  const watts = view.powers.filter(({ place }) => place > 0).map((one) => one.watts);
  return Math.max(ratedW ?? assumedRatedW, Math.min(Math.max(0, ...watts), measuredWMax));
}

function placeLoad({ car, place }: ChargerPlace, surroundings: PlaceSurroundings): PlaceLoad {
  const { picture, options, placeW: ratingW, book } = surroundings;
  const reading = picture.view.powers.find((one) => one.place === place);
  if (car.is === 'none')
    return { place, car, load: noPower, basis: 'nothing', measuredW: undefined };
  const rating = { placeW: ratingW, totalW: ratingW };
  const alone = limitedCharger([{ place, car, measuredW: undefined }], { book, rating }, options);
  if (reading !== undefined && isFresh(reading, picture, options)) {
    // A limit that has risen by itself since then lets the car take more than it did.
    const { upW } = changeBetween(
      alone,
      limitsAt(alone, reading.atMs),
      limitsAt(alone, picture.nowMs),
    );
    const load = bounded(exactly(reading.watts), ratingW);
    if (upW === 0) return { place, car, load, basis: 'measured', measuredW: load.highW };
  }
  const { discharge, lineVolts } = options;
  const limit = effectiveLimit(
    book,
    { place, car, atMs: picture.nowMs },
    { ratingW, lineVolts, mayDischarge: discharge === 'count' },
  );
  const load = { lowW: Math.min(0, limit.lowW), highW: Math.max(0, limit.highW) };
  const basis = limit.highW < ratingW ? 'limit' : 'rating';
  return { place, car, load, basis, measuredW: undefined };
}

/** Does a reading say what the place takes now: in this transaction, and under these limits? */
function isFresh(
  { atMs, place }: PowerReading,
  { nowMs, view }: LoadPicture,
  { measuredMsMax }: LoadOptions,
): boolean {
  // The first reading of a transaction is from before the car takes anything.
  const startedAtMs = transactionAt(view, place)?.startedAtMs ?? Number.NEGATIVE_INFINITY;
  return nowMs - atMs <= measuredMsMax && atMs > startedAtMs && atMs > view.limitsChangedAtMs;
}

function wholeLoad(
  places: readonly PlaceLoad[],
  {
    rating,
    book,
    options,
    picture,
  }: Pick<ChargerLoad, 'rating' | 'book'> & Omit<PlaceSurroundings, 'placeW' | 'book'>,
): Pick<ChargerLoad, 'load' | 'basis'> {
  const basis = worstBasis(places.map((place) => place.basis));
  const sum = bounded(places.map(({ load }) => load).reduce(sumOf, noPower), rating.totalW);
  // Each place for itself may be within the limit of the charger, and not all of them together.
  const station = limitsOfStation(limitedCharger([], { book, rating }, options), picture.nowMs);
  const stationW = Math.max(...station.reduce(lowerTerm).ranges.map(({ highW }) => highW));
  const measured = places.reduce((total, { measuredW }) => total + Math.max(0, measuredW ?? 0), 0);
  const highW = Math.min(sum.highW, Math.max(measured, stationW));
  return { load: { lowW: Math.min(sum.lowW, highW), highW }, basis };
}
