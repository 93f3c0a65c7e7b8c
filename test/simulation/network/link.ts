import type { Random } from '../../../src/lib/random.ts';
import type { SimulatedTime } from '../simulated-time.ts';

/** What a path through the network does to packets. */
export interface LinkConditions {
  /** The least that a packet is under way, in milliseconds, and how much may be added to it. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** How many of all packets are lost, arrive twice, and are overtaken by later ones: 0 to 1. */
  readonly lost: number;
  readonly doubled: number;
  readonly overtaken: number;
  /** How many of all writes are cut where nobody expects it. */
  readonly cut: number;
}

/** A path that does what it should. */
export const calmConditions: LinkConditions = {
  delayMs: 5,
  jitterMs: 10,
  lost: 0,
  doubled: 0,
  overtaken: 0,
  cut: 0,
};

/** By how much what is overtaken comes later, in milliseconds, at most. */
const overtakenMsMax = 400;

/** The path between two hosts, in both directions. */
export class Link {
  readonly #time: SimulatedTime;
  readonly #random: Random;
  conditions: LinkConditions;
  #cutUntilMs = 0;

  constructor(time: SimulatedTime, random: Random, conditions: LinkConditions) {
    this.#time = time;
    this.#random = random;
    this.conditions = conditions;
  }

  /** Nothing comes through for `ms`. */
  cutFor(ms: number): void {
    this.#cutUntilMs = Math.max(this.#cutUntilMs, this.#time.elapsedMs() + ms);
  }

  /** Whatever was cut is whole again. */
  mend(): void {
    this.#cutUntilMs = 0;
  }

  /** Is the packet that is sent at this moment lost? */
  loses(): boolean {
    if (this.#time.elapsedMs() < this.#cutUntilMs) return true;
    return this.#happens(this.conditions.lost);
  }

  /** How long the packet that is sent at this moment is under way, in milliseconds. */
  delayMs(): number {
    const { delayMs, jitterMs, overtaken } = this.conditions;
    const lateMs = this.#happens(overtaken) ? this.#random.fraction() * overtakenMsMax : 0;
    return delayMs + this.#random.fraction() * jitterMs + lateMs;
  }

  doubles(): boolean {
    return this.#happens(this.conditions.doubled);
  }

  /** Where a write of `length` bytes is cut; `length` when it is not. */
  cutAt(length: number): number {
    if (length < 2 || !this.#happens(this.conditions.cut)) return length;
    return this.#random.integer(1, length - 1);
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random.fraction() < probability;
  }
}
