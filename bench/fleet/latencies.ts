/** Each bucket ends 2 % above the one before. */
const growth = Math.log(1.02);
/** Where the first bucket ends, in milliseconds. */
const smallestMs = 0.01;
/** The last bucket, which takes all that is longer, ends at some 70 s. */
const bucketsMax = 800;

/** How long answers took, counted in buckets: its size does not depend on how many there were. */
export class Latencies {
  readonly #counts: number[];

  /** @param counts those of another one, from `counts`. */
  constructor(counts: readonly number[] = []) {
    this.#counts = [...counts];
  }

  /** The numbers of the buckets, to be sent to another process. */
  get counts(): readonly number[] {
    return this.#counts;
  }

  add(ms: number): void {
    const exact = Math.ceil(Math.log(ms / smallestMs) / growth);
    const bucket = Math.min(Math.max(exact, 0), bucketsMax - 1);
    while (this.#counts.length <= bucket) this.#counts.push(0);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  addAll(counts: readonly number[]): void {
    while (this.#counts.length < counts.length) this.#counts.push(0);
    for (const [bucket, count] of counts.entries())
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
  }

  /** @returns milliseconds, at most 2 % too many; NaN when there were no answers. */
  quantile(part: number): number {
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return Number.NaN;
    let toPass = Math.max(1, Math.ceil(total * part));
    for (const [bucket, count] of this.#counts.entries()) {
      toPass -= count;
      if (toPass <= 0) return smallestMs * Math.exp(growth * bucket);
    }
    return Number.NaN;
  }
}
