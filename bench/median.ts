/** The median; NaN of nothing. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}

/** Half of the numbers are within this share of their median. */
export function spread(numbers: readonly number[]): number {
  const middle = median(numbers);
  return median(numbers.map((it) => Math.abs(it - middle))) / middle;
}
