/**
 * The largest number of moments that lie within any span of this length: not by the seconds of the
 * clock, between which a burst could hide.
 *
 * @param atMs in order.
 */
export function rateMax(atMs: readonly number[], spanMs: number): number {
  let max = 0;
  let first = 0;
  for (const [index, moment] of atMs.entries()) {
    while ((atMs[first] ?? moment) <= moment - spanMs) first += 1;
    max = Math.max(max, index - first + 1);
  }
  return max;
}

/**
 * When this share of `wanted` had arrived.
 *
 * @param atMs when each arrived, in order; they may be fewer.
 * @returns NaN when so many have not arrived.
 */
export function quantileOf(atMs: readonly number[], part: number, wanted: number): number {
  return atMs[Math.max(Math.ceil(wanted * part), 1) - 1] ?? Number.NaN;
}
