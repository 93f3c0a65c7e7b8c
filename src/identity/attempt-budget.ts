import type { Clock } from '../lib/clock.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';

/** How many wrong passwords are forgiven within a time. */
export interface AttemptLimits {
  readonly perSourceMax: number;
  readonly perIdentityMax: number;
  readonly overallMax: number;
  readonly windowSeconds: number;
}

/** Somebody who wants a password to be checked. */
export interface Guess {
  /** See `source-of.ts`. */
  readonly source: string;
  readonly identityKey: string;
  /** Has this charger shown who it is from this source before? */
  readonly isKnownPair: boolean;
}

/** The answer to a guess. */
export type Reservation =
  /** It may be checked. What was taken for it stays taken, unless `giveBack` is called, once. */
  | { readonly is: 'reserved'; giveBack(): void }
  | { readonly is: 'exhausted'; readonly retryAfterSeconds: number };

/**
 * Wrong passwords of a charger from a source it has come from before, within the window, when the
 * budgets that it shares with others are used up. A charger sends one password again and again, so
 * it needs few; somebody beside it, behind the same address, gets no more.
 */
export const knownPairAttemptsMax = 5;

/**
 * Wrong passwords of a charger from such a source, within the window, that are compared with the
 * one that is remembered. That costs no slow hash, but it tells a right guess from a wrong one, so
 * it needs a limit as well. Many, since whoever uses them up keeps the charger out.
 *
 * Source: NIST SP 800-63B section 5.2.2 (100 failed attempts on one account).
 */
export const recallsMax = 100;

/**
 * Sources, identities and pairs that are remembered, each. Inventing more costs the overall budget.
 */
const keysMax = 100_000;

const everybody = '';

/**
 * The wrong passwords that the gateway is ready to pay for: by source, by identity and overall.
 *
 * Only failures count. A thousand chargers behind one address whose passwords are right use up
 * nothing. While a password is being checked its token is reserved, so that a burst does not
 * overshoot.
 *
 * Source: NIST SP 800-63B section 5.2.2 (limits on failed attempts).
 */
export class AttemptBudget {
  readonly #sources: TokenBuckets;
  readonly #identities: TokenBuckets;
  readonly #overall: TokenBuckets;
  readonly #pairs: TokenBuckets;
  readonly #recalls: TokenBuckets;

  constructor(limits: AttemptLimits, clock: Clock) {
    const buckets = (burst: number): TokenBuckets =>
      new TokenBuckets({ burst, perSecond: burst / limits.windowSeconds }, keysMax, clock);
    this.#sources = buckets(limits.perSourceMax);
    this.#identities = buckets(limits.perIdentityMax);
    this.#overall = buckets(limits.overallMax);
    this.#pairs = buckets(knownPairAttemptsMax);
    this.#recalls = buckets(recallsMax);
  }

  /**
   * When may this guess be checked? Takes nothing.
   *
   * @returns whole seconds; 0 for now.
   */
  secondsUntil(guess: Guess): number {
    const shared = this.#sharedBy(guess).map(([buckets, key]) => buckets.secondsUntil(key));
    const seconds = Math.max(...shared);
    if (!guess.isKnownPair) return Math.ceil(seconds);
    return Math.ceil(Math.min(seconds, this.#pairs.secondsUntil(pairKey(guess))));
  }

  /** Takes what the guess costs if it is wrong: all of it, or nothing. */
  reserve(guess: Guess): Reservation {
    const shared = this.#sharedBy(guess);
    const pair: Budget = [this.#pairs, pairKey(guess)];
    const isShared = shared.every(([buckets, key]) => buckets.secondsUntil(key) === 0);
    const retryAfterSeconds = this.secondsUntil(guess);
    if (retryAfterSeconds > 0) return { is: 'exhausted', retryAfterSeconds };
    const taken = isShared ? shared : [pair];
    for (const [buckets, key] of taken) buckets.take(key);
    return {
      is: 'reserved',
      giveBack: () => {
        for (const [buckets, key] of taken) buckets.giveBack(key);
      },
    };
  }

  /** May this guess be compared with what is remembered? Takes nothing. */
  mayRecall(guess: Guess): boolean {
    return guess.isKnownPair && this.#recalls.secondsUntil(pairKey(guess)) === 0;
  }

  /** It was compared with what is remembered, and that is something else. */
  noteWrongRecall(guess: Guess): void {
    if (guess.isKnownPair) this.#recalls.take(pairKey(guess));
  }

  #sharedBy({ identityKey, source }: Guess): readonly Budget[] {
    return [
      [this.#sources, source],
      [this.#identities, identityKey],
      [this.#overall, everybody],
    ];
  }
}

type Budget = readonly [TokenBuckets, string];

/** A source holds no space. */
function pairKey({ identityKey, source }: Guess): string {
  return `${source} ${identityKey}`;
}
