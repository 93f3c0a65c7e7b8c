/** What something takes, where that is not certain: between these, in W. Below 0 it feeds in. */
export interface PowerRange {
  readonly lowW: number;
  readonly highW: number;
}

/** Nothing, for certain. */
export const noPower: PowerRange = { lowW: 0, highW: 0 };

/** `watts`, for certain. */
export function exactly(watts: number): PowerRange {
  return { lowW: watts, highW: watts };
}

/** One or the other: nobody knows which. */
export function eitherOf(one: PowerRange, other: PowerRange): PowerRange {
  return {
    lowW: Math.min(one.lowW, other.lowW),
    highW: Math.max(one.highW, other.highW),
  };
}

/** The lower of both, whatever they are. */
export function lowerOf(one: PowerRange, other: PowerRange): PowerRange {
  return {
    lowW: Math.min(one.lowW, other.lowW),
    highW: Math.min(one.highW, other.highW),
  };
}

/** Both together. */
export function sumOf(one: PowerRange, other: PowerRange): PowerRange {
  return { lowW: one.lowW + other.lowW, highW: one.highW + other.highW };
}

/** `range` as far as something with this rating can take, or feed in. */
export function bounded(range: PowerRange, ratingW: number): PowerRange {
  return clamped(range, { lowW: -ratingW, highW: ratingW });
}

/** `range` as far as it is between the ends of `within`. */
export function clamped({ lowW, highW }: PowerRange, within: PowerRange): PowerRange {
  const clamp = (watts: number) => Math.min(within.highW, Math.max(within.lowW, watts));
  return { lowW: clamp(lowW), highW: clamp(highW) };
}

/** `watts` as a whole number, rounded up; 0 where it is less. */
export function wholeWatts(watts: number): number {
  // Thousandths first: 6.3 * 230 is a hair more than 1449.
  return Math.max(0, Math.ceil(Math.round(watts * 1000) / 1000));
}
