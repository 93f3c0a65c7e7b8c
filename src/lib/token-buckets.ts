import type { Clock } from './clock.ts';

/** How much one key may use. */
export interface BucketLimit {
  /** At once. */
  readonly burst: number;
  /** Per second, after the burst. */
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/**
 * A token bucket for each key, for limits that are about one peer.
 *
 * At most `keysMax` keys are known. The least recently used one is forgotten first, and with it
 * what it has used: whoever can invent keys must be limited by something else as well.
 */
export class TokenBuckets {
  readonly #limit: BucketLimit;
  readonly #keysMax: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: BucketLimit, keysMax: number, clock: Clock) {
    this.#limit = limit;
    this.#keysMax = keysMax;
    this.#clock = clock;
  }

  /** Takes `amount` tokens of `key`. @returns false when there are not so many; none is taken. */
  take(key: string, amount = 1): boolean {
    const bucket = this.#bucketOf(key);
    if (bucket.tokens < amount) return false;
    bucket.tokens -= amount;
    return true;
  }

  /**
   * When will `key` have `amount` tokens? Changes nothing: a key that is not known stays unknown.
   *
   * @returns seconds, with fractions; 0 when it has them, Infinity when it never will.
   */
  secondsUntil(key: string, amount = 1): number {
    const { burst, perSecond } = this.#limit;
    if (amount > burst) return Number.POSITIVE_INFINITY;
    const bucket = this.#buckets.get(key);
    const missing = bucket === undefined ? 0 : amount - this.#tokensIn(bucket);
    return missing <= 0 ? 0 : missing / perSecond;
  }

  /**
   * Gives back `amount` tokens that were taken and not used. Never makes more than a burst; a key
   * that was forgotten meanwhile has nothing to get back.
   */
  giveBack(key: string, amount = 1): void {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return;
    // Whoever reads it takes no more than a burst out of it.
    bucket.tokens = this.#tokensIn(bucket) + amount;
    bucket.filledAtMs = this.#clock.elapsedMs();
  }

  #tokensIn({ filledAtMs, tokens }: Bucket): number {
    const gained = ((this.#clock.elapsedMs() - filledAtMs) / 1000) * this.#limit.perSecond;
    return Math.min(this.#limit.burst, tokens + gained);
  }

  #bucketOf(key: string): Bucket {
    const nowMs = this.#clock.elapsedMs();
    const known = this.#buckets.get(key);
    // Taken out and put back: a Map keeps the order of insertion, so the first is the least used.
    this.#buckets.delete(key);
    const bucket = known ?? { tokens: this.#limit.burst, filledAtMs: nowMs };
    bucket.tokens = this.#tokensIn(bucket);
    bucket.filledAtMs = nowMs;
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#keysMax) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done === false) this.#buckets.delete(oldest.value);
    }
    return bucket;
  }
}
