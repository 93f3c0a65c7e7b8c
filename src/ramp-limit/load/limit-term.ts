import type { Convert } from './conversion.ts';
import { eitherOf, lowerOf, type PowerRange } from './power-range.ts';
import type { Saying, TimedProfile } from './profile-times.ts';

/** One of the limits of which the lowest counts. */
export interface Term {
  /** What it comes to, in each conversion. */
  readonly ranges: readonly PowerRange[];
  /** The parts of profiles that it comes from. The same parts are the same limit, known or not. */
  readonly trace: readonly object[];
}

/** When a limit is asked for, and how it is read. */
export interface Reading {
  readonly atMs: number;
  readonly conversions: readonly Convert[];
  /** May what is not known be below zero? */
  readonly mayDischarge: boolean;
}

/** How profiles are asked. */
export interface StackQuestion {
  readonly say: (profile: TimedProfile) => readonly Saying[];
  readonly reading: Reading;
  /** What counts when no profile has anything to say. */
  readonly otherwise: Term;
}

/** Nothing limits. */
export function noLimit({ conversions }: Pick<Reading, 'conversions'>): Term {
  return { ranges: conversions.map(() => unlimited), trace: nobody };
}

/** Is `term` a limit at all? */
export function isLimit({ trace }: Term): boolean {
  return trace !== nobody;
}

/** One limit or the other: nobody knows which. */
export function eitherTerm(one: Term, other: Term): Term {
  return combined(one, other, eitherOf);
}

/** Both limits, of which the lower counts. */
export function lowerTerm(one: Term, other: Term): Term {
  return combined(one, other, lowerOf);
}

/** The limit, or more, by what `source` adds to it. */
export function withMore({ ranges, trace }: Term, source: Term): Term {
  const highW = Number.POSITIVE_INFINITY;
  return {
    ranges: ranges.map(({ lowW }) => ({ lowW, highW })),
    trace: [...trace, ...source.trace],
  };
}

/**
 * What the highest rank of `profiles` says that has something to say; they are in order of their
 * stack levels. Of two with the same, either may count.
 */
export function highestStack(profiles: readonly TimedProfile[], question: StackQuestion): Term {
  const [first] = profiles;
  if (first === undefined) return question.otherwise;
  const end = profiles.findIndex((profile) => !isSameRank(profile, first));
  const rank = end < 0 ? profiles : profiles.slice(0, end);
  const said = rank.map(question.say);
  const terms = said
    .flat()
    .map((saying) => termOf(saying, question.reading))
    .filter((term) => term !== undefined);
  // One that certainly says something ends the search.
  const isCertain = said.some((sayings) => sayings.every(({ is }) => is !== 'nothing'));
  if (!isCertain) terms.push(highestStack(end < 0 ? [] : profiles.slice(end), question));
  return terms.reduce(eitherTerm);
}

function isSameRank(one: TimedProfile, other: TimedProfile): boolean {
  return one.stackLevel === other.stackLevel && (one.place === 0) === (other.place === 0);
}

function termOf(saying: Saying, reading: Reading): Term | undefined {
  const { conversions } = reading;
  switch (saying.is) {
    case 'nothing':
      return undefined;
    case 'anything':
      return anyTerm(saying.of, reading);
    case 'period': {
      const { dischargeLimit, limit, numberPhases, setpoint } = saying.of;
      const values = [limit, setpoint].filter((value) => value !== undefined);
      if (values.length === 0) return anyTerm(saying.of, reading);
      if (dischargeLimit !== undefined && dischargeLimit < 0) values.push(dischargeLimit);
      // A car with a limit below zero may feed in as much; it need not.
      if (limit !== undefined && limit < 0) values.push(0);
      const ranges = conversions.map((convert) => {
        const watts = values.map((value) => convert(value, saying.unit, numberPhases));
        return { lowW: Math.min(...watts), highW: Math.max(...watts) };
      });
      return { ranges, trace: [saying.of] };
    }
  }
}

function anyTerm(of: object, { conversions, mayDischarge }: Reading): Term {
  const lowW = mayDischarge ? Number.NEGATIVE_INFINITY : 0;
  const range = { lowW, highW: Number.POSITIVE_INFINITY };
  return { ranges: conversions.map(() => range), trace: [of] };
}

function combined(
  one: Term,
  other: Term,
  combine: (one: PowerRange, other: PowerRange) => PowerRange,
): Term {
  const added = other.trace.filter((part) => !one.trace.includes(part));
  return {
    ranges: one.ranges.map((range, index) => combine(range, other.ranges[index] ?? unlimited)),
    trace: [...one.trace, ...added],
  };
}

const unlimited: PowerRange = {
  lowW: Number.POSITIVE_INFINITY,
  highW: Number.POSITIVE_INFINITY,
};
const nobody: readonly object[] = [{}];
