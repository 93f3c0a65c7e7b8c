/** The most of `timesMs` that are within any time of this length, its end not included. */
export function mostWithin(timesMs: readonly number[], lengthMs: number): number {
  const sorted = timesMs.toSorted((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [index, timeMs] of sorted.entries()) {
    while ((sorted[first] ?? timeMs) <= timeMs - lengthMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
