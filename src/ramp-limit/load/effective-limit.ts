import type { ChargingLimits } from '../../chargers/memory/charging-limits.ts';
import { transactionKey } from '../../ocpp/transaction-id.ts';
import { conversionsFor } from './conversion.ts';
import {
  eitherTerm,
  highestStack,
  isLimit,
  lowerTerm,
  noLimit,
  type Reading,
  type Term,
  withMore,
} from './limit-term.ts';
import { bounded, eitherOf, type PowerRange } from './power-range.ts';
import {
  type Car,
  externalPurpose,
  sayingsAt,
  type TimedProfile,
  timedExternal,
  timedProfile,
} from './profile-times.ts';

/**
 * The limits that charging profiles set.
 *
 * What a place may take is the lowest of several terms: its own profiles (TxProfile before
 * TxDefaultProfile, the highest stack level that has something to say), what others allow it, and
 * the same two for the whole charger. Where OCPP can be read in several ways, or the gateway does
 * not know enough, a term is a range.
 *
 * Source: OCPP 1.6 sections 3.13 and 5.16; OCPP 2.0.1 part 2 chapter K (K01); OCPP 2.1 part 2
 * chapter K (PriorityCharging, LocalGeneration).
 */
export interface LimitBook {
  /** The highest stack level first. */
  readonly profiles: readonly TimedProfile[];
}

/** What can have a say in what one place may take, or the whole charger. */
export interface BookOfPlace {
  /** An EVSE, or a connector of OCPP 1.6; 0 is the whole charger. */
  readonly place: number;
  /** All of it. */
  readonly profiles: readonly TimedProfile[];
  readonly ofTransactions: readonly TimedProfile[];
  /** Defaults that were set for this place. */
  readonly specific: readonly TimedProfile[];
  /** Defaults that were set for all places. */
  readonly general: readonly TimedProfile[];
  readonly priority: readonly TimedProfile[];
  readonly maximum: readonly TimedProfile[];
  readonly external: readonly TimedProfile[];
  readonly generation: readonly TimedProfile[];
}

/** What else a limit depends on. */
export interface LimitSurroundings {
  /** What the place can take at most. */
  readonly ratingW: number;
  readonly lineVolts: number;
  readonly mayDischarge: boolean;
}

/** Prepares the profiles in `limits`, and the limits of others. */
export function limitBook(limits: ChargingLimits): LimitBook {
  const profiles = [...limits.profiles.map(timedProfile), ...limits.external.map(timedExternal)];
  return { profiles: inOrder(profiles) };
}

/** What bounds `place` alone, and not the whole charger. */
export function bookOfPlace(book: LimitBook, place: number): BookOfPlace {
  return bookOf(
    place,
    book.profiles.filter(
      (profile) =>
        (profile.place === place || profile.place === 0) &&
        !(profile.place === 0 && stationPurposes.includes(profile.purpose)),
    ),
  );
}

/** What bounds the whole charger. */
export function bookOfStation(book: LimitBook): BookOfPlace {
  const isIts = ({ place, purpose }: TimedProfile) =>
    place === 0 && stationPurposes.includes(purpose);
  return bookOf(0, book.profiles.filter(isIts));
}

/** What `car` may take by the profiles of its place, and what others allow there. */
export function placeTerms(own: BookOfPlace, car: Car, reading: Reading): readonly [Term, Term] {
  const ask = asker(car, reading);
  const byDefault = defaultTerm(own, ask);
  const { certain, perhaps } = profilesOf(own, car);
  const withCertain = ask(certain, byDefault);
  const chosen =
    perhaps.length === 0
      ? withCertain
      : eitherTerm(withCertain, ask(inOrder([...certain, ...perhaps]), byDefault));
  // Whether priority is on, the memory does not know. When it is, these come first.
  const { external, generation, maximum, priority } = own;
  const term = priority.length === 0 ? chosen : eitherTerm(chosen, ask(priority, chosen));
  const allowed = withGeneration(ask(external), generation, ask);
  if (maximum.length === 0) return [term, allowed];
  // A maximum of the charger, set for one place: chargers refuse it, or do what it says.
  return [eitherTerm(term, lowerTerm(term, ask(maximum))), allowed];
}

/** What the whole charger may take: by what the CSMS has set, and by what others allow. */
export function stationTerms(
  { external, generation, maximum }: BookOfPlace,
  reading: Reading,
): readonly [Term, Term] {
  const ask = asker({ is: 'unknown' }, reading);
  return [
    withGeneration(ask(maximum), generation, ask),
    withGeneration(ask(external), generation, ask),
  ];
}

/**
 * The limit of one place at a moment, with all that bounds it; the rating where there is none.
 * Low and high are over all ways to read the profiles, and to get from amperes to watts.
 */
export function effectiveLimit(
  book: LimitBook,
  { atMs, car, place }: { readonly place: number; readonly car: Car; readonly atMs: number },
  { lineVolts, mayDischarge, ratingW }: LimitSurroundings,
): PowerRange {
  const conversions = conversionsFor(ratingW, lineVolts);
  const ofPlaces = conversions.map(({ ofPlace }) => ofPlace);
  const ofStations = conversions.map(({ ofStation }) => ofStation);
  const terms = [
    ...placeTerms(bookOfPlace(book, place), car, { atMs, conversions: ofPlaces, mayDischarge }),
    ...stationTerms(bookOfStation(book), { atMs, conversions: ofStations, mayDischarge }),
  ];
  return bounded(terms.reduce(lowerTerm).ranges.reduce(eitherOf), ratingW);
}

const maximumPurposes: readonly string[] = ['ChargePointMaxProfile', 'ChargingStationMaxProfile'];
const generationPurpose = 'LocalGeneration';
const stationPurposes: readonly string[] = [...maximumPurposes, externalPurpose, generationPurpose];

function bookOf(place: number, profiles: readonly TimedProfile[]): BookOfPlace {
  const of = (purpose: string) => profiles.filter((profile) => profile.purpose === purpose);
  const defaults = of('TxDefaultProfile');
  return {
    place,
    profiles,
    ofTransactions: of('TxProfile'),
    specific: defaults.filter((profile) => profile.place !== 0),
    general: defaults.filter((profile) => profile.place === 0),
    priority: of('PriorityCharging'),
    maximum: profiles.filter(({ purpose }) => maximumPurposes.includes(purpose)),
    external: of(externalPurpose),
    generation: of(generationPurpose),
  };
}

type Ask = (asked: readonly TimedProfile[], otherwise?: Term) => Term;

function asker(car: Car, reading: Reading): Ask {
  const say = (profile: TimedProfile) => sayingsAt(profile, car, reading.atMs);
  return (asked, otherwise = noLimit(reading)) => highestStack(asked, { say, reading, otherwise });
}

/** The highest stack level first. */
function inOrder(profiles: readonly TimedProfile[]): readonly TimedProfile[] {
  return profiles.toSorted((one, other) => other.stackLevel - one.stackLevel);
}

/** Which is first, the default of this place or the highest of all? Chargers differ. */
function defaultTerm({ general, specific }: BookOfPlace, ask: Ask): Term {
  const specificFirst = ask(specific, ask(general));
  if (specific.length === 0 || general.length === 0) return specificFirst;
  return eitherTerm(specificFirst, ask(inOrder([...specific, ...general])));
}

/** Which TxProfiles count for `car`: for certain, or perhaps. */
function profilesOf({ ofTransactions, place }: BookOfPlace, car: Car) {
  switch (car.is) {
    case 'known': {
      const key = transactionKey(car.transactionId);
      const named = ofTransactions.filter((profile) => profile.transactionKey === key);
      const unnamed = ofTransactions.filter(
        (profile) => profile.transactionKey === undefined && profile.place === place,
      );
      // An older one came with a request to start; whether with that of this one, nobody knows.
      const isOlder = ({ acceptedAtMs }: TimedProfile) =>
        car.sinceMs !== undefined && acceptedAtMs < car.sinceMs;
      const newer = unnamed.filter((profile) => !isOlder(profile));
      return { certain: inOrder([...named, ...newer]), perhaps: unnamed.filter(isOlder) };
    }
    case 'unknown':
      return { certain: [], perhaps: ofTransactions };
    case 'none': {
      // These came with a request to start, and wait for their transaction.
      const perhaps = ofTransactions.filter((profile) => profile.transactionKey === undefined);
      return { certain: [], perhaps };
    }
  }
}

/** What is generated on the spot comes on top; how much, only the charger knows (OCPP 2.1). */
function withGeneration(term: Term, generation: readonly TimedProfile[], ask: Ask): Term {
  const more = ask(generation);
  return isLimit(more) ? withMore(term, more) : term;
}
