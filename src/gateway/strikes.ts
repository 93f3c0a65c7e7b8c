import type { Clock } from '../lib/clock.ts';

/** How many unacceptable messages end a connection. */
export interface StrikeLimits {
  readonly strikesMax: number;
  /** They are forgiven after this time. */
  readonly windowSeconds: number;
}

/**
 * Counts the malformed and unsolicited messages of one peer.
 *
 * A charger that breaks one message a minute keeps its connection; a peer that sends nothing else
 * loses it. Tokens trickle back, so there is no edge between two windows.
 */
export class Strikes {
  readonly #limits: StrikeLimits;
  readonly #clock: Clock;
  #count = 0;
  #countedAtMs: number;

  constructor(limits: StrikeLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#countedAtMs = clock.elapsedMs();
  }

  /** Counts one. @returns true when it was one too many. */
  add(): boolean {
    const nowMs = this.#clock.elapsedMs();
    const { strikesMax, windowSeconds } = this.#limits;
    const forgiven = ((nowMs - this.#countedAtMs) / (windowSeconds * 1000)) * strikesMax;
    this.#count = Math.max(0, this.#count - forgiven) + 1;
    this.#countedAtMs = nowMs;
    return this.#count > strikesMax;
  }
}
