import type { Random } from '../../src/lib/random.ts';

/** The first wait after a connection was lost is at most this long. */
const firstWaitSecondsMax = 2;
/** The wait before the second attempt; doubled for every further one. */
const waitSecondsMin = 2;
const waitSecondsMax = 30;
/** Waits are longer or shorter by this share, at random. */
const jitter = 0.25;
/** Added at random to what a server asks for, so that those that were told the same spread. */
const retryAfterRandomSecondsMax = 1;

/**
 * Seconds that a charger waits before it connects again.
 *
 * @param failures attempts that failed since the connection was lost.
 * @param retryAfterSeconds what the server asked for when it refused the last one: this goes before
 *   the charger's own wait.
 */
export function waitSeconds(
  failures: number,
  retryAfterSeconds: number | undefined,
  random: Random,
): number {
  if (retryAfterSeconds !== undefined)
    return retryAfterSeconds + random.fraction() * retryAfterRandomSecondsMax;
  if (failures === 0) return random.fraction() * firstWaitSecondsMax;
  const wait = Math.min(waitSecondsMin * 2 ** (failures - 1), waitSecondsMax);
  return wait * (1 - jitter + 2 * jitter * random.fraction());
}

/** RFC 9110 section 10.2.3, in seconds; undefined for anything else. Bounded to an hour. */
export function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,9}$/.test(header)) return undefined;
  return Math.min(Number(header), 3_600);
}
