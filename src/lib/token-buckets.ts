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

  #bucketOf(key: string): Bucket {
    const nowMs = this.#clock.elapsedMs();
    const known = this.#buckets.get(key);
    // Taken out and put back: a Map keeps the order of insertion, so the first is the least used.
    this.#buckets.delete(key);
    const bucket = known ?? { tokens: this.#limit.burst, filledAtMs: nowMs };
    const gained = ((nowMs - bucket.filledAtMs) / 1000) * this.#limit.perSecond;
    bucket.tokens = Math.min(this.#limit.burst, bucket.tokens + gained);
    bucket.filledAtMs = nowMs;
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#keysMax) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done === false) this.#buckets.delete(oldest.value);
    }
    return bucket;
  }
}
