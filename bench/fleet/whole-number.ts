/**
 * The whole number that an option of the command line holds.
 *
 * @param max larger than any value that makes sense; both bounds are allowed values.
 * @throws RangeError with a text for whoever typed it.
 */
export function wholeNumber(
  options: Readonly<Record<string, string | boolean | undefined>>,
  name: string,
  [min, max]: readonly [min: number, max: number],
): number {
  const text = options[name];
  const value = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new RangeError(`--${name} is a whole number from ${min} to ${max}`);
}

/** The most that the options of these benchmarks take; a port is the bound of a host's chargers. */
export const bounds = {
  chargers: [1, 60_000],
  minutes: [1, 1_440],
  seconds: [1, 3_600],
  perSecond: [1, 10_000],
  seed: [0, 999_999_999],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;
