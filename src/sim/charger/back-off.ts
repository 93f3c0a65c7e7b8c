import type { Random } from '../../lib/random.ts';

/**
 * How long a charger waits between attempts to connect.
 *
 * Source: OCPP 2.0.1 part 4 section 5.3 (RetryBackOffWaitMinimum, RetryBackOffRepeatTimes,
 * RetryBackOffRandomRange).
 */
export interface BackOff {
  /** The wait before the first new attempt; doubled for every further one. */
  readonly waitSecondsMin: number;
  /** The doubling stops here. */
  readonly waitSecondsMax: number;
  /** Up to this much is added, at random, so that a thousand chargers do not come at once. */
  readonly randomSecondsMax: number;
}

/** Gentler than the field, so that a tester does not wait; still bounded and spread. */
export const defaultBackOff: BackOff = {
  waitSecondsMin: 1,
  waitSecondsMax: 60,
  randomSecondsMax: 2,
};

/** Doublings beyond this would overflow nothing, but say nothing either. */
const doublingsMax = 30;

/** Seconds to wait before attempt number `attempt` (1 is the first after a failure). */
export function backOffSeconds(backOff: BackOff, attempt: number, random: Random): number {
  const doublings = Math.min(Math.max(attempt - 1, 0), doublingsMax);
  const wait = Math.min(backOff.waitSecondsMin * 2 ** doublings, backOff.waitSecondsMax);
  return wait + random.fraction() * backOff.randomSecondsMax;
}
