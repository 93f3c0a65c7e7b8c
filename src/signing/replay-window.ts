import { failed, ok, type Result } from '../lib/result.ts';
import { isJsonObject, ownProperty } from '../ocpp/message.ts';
import { nonceLengthMax } from './signed-header.ts';

/** What was made of a nonce. */
export type NonceVerdict = 'fresh' | 'replayed' | 'too-old';

/** Bounds of a window. */
export interface ReplayLimits {
  /** Nonces that are remembered. */
  readonly noncesMax: number;
  /**
   * How long after its signature a message can be accepted at all: its greatest age and the skew of
   * clocks. After it, its nonce need not be remembered.
   */
  readonly keepMs: number;
}

/** A window as it is stored. */
export interface ReplaySnapshot {
  /** What was signed at this time or before is not accepted; Unix milliseconds. */
  readonly floorMs: number;
  readonly seen: readonly (readonly [nonce: string, issuedAtMs: number])[];
}

/**
 * The nonces of signed messages that one charger was sent.
 *
 * It is bounded, and forgets nothing that it would have to know: when it is full it forgets the
 * message that was signed first, and from then on refuses whatever was signed then or before.
 */
export class ReplayWindow {
  readonly #limits: ReplayLimits;
  /** When each was signed, in the order in which they came. */
  readonly #seen: Map<string, number>;
  #floorMs: number;

  constructor(limits: ReplayLimits, snapshot: ReplaySnapshot = emptySnapshot) {
    this.#limits = limits;
    this.#floorMs = snapshot.floorMs;
    this.#seen = new Map(snapshot.seen);
    while (this.#seen.size > limits.noncesMax) this.#forgetOldest();
  }

  /**
   * The window after a stop that left no snapshot. What was accepted before it was signed no later
   * than now, give or take the skew of clocks, so nothing of it comes in again; and for a moment
   * nothing else does.
   */
  static afterUncleanStop(limits: ReplayLimits, nowMs: number, clockSkewMs: number): ReplayWindow {
    return new ReplayWindow(limits, { floorMs: nowMs + clockSkewMs, seen: [] });
  }

  /** Looks and remembers in one step. Call it last: a nonce of a forged message must not count. */
  take(nonce: string, issuedAtMs: number, nowMs: number): NonceVerdict {
    if (this.#seen.has(nonce)) return 'replayed';
    if (issuedAtMs <= this.#floorMs) return 'too-old';
    this.#expire(nowMs);
    if (this.#seen.size >= this.#limits.noncesMax) {
      this.#forgetOldest();
      if (issuedAtMs <= this.#floorMs) return 'too-old';
    }
    this.#seen.set(nonce, issuedAtMs);
    return 'fresh';
  }

  /** Nonces that are remembered at this moment. */
  get size(): number {
    return this.#seen.size;
  }

  snapshot(): ReplaySnapshot {
    return { floorMs: this.#floorMs, seen: [...this.#seen] };
  }

  /** Messages come about in the order in which they were signed, so the first ones are the oldest. */
  #expire(nowMs: number): void {
    for (const [nonce, issuedAtMs] of this.#seen) {
      if (nowMs - issuedAtMs <= this.#limits.keepMs) break;
      this.#seen.delete(nonce);
      this.#floorMs = Math.max(this.#floorMs, issuedAtMs);
    }
  }

  #forgetOldest(): void {
    let oldest: readonly [string, number] | undefined;
    for (const entry of this.#seen) {
      if (oldest === undefined || entry[1] < oldest[1]) oldest = entry;
    }
    if (oldest === undefined) return;
    const [nonce, issuedAtMs] = oldest;
    this.#seen.delete(nonce);
    this.#floorMs = Math.max(this.#floorMs, issuedAtMs);
  }
}

const emptySnapshot: ReplaySnapshot = { floorMs: Number.NEGATIVE_INFINITY, seen: [] };

/** The text of a snapshot, for a store. */
export function writeReplaySnapshot({ floorMs, seen }: ReplaySnapshot): string {
  return JSON.stringify({ floorMs: Number.isFinite(floorMs) ? floorMs : 0, seen });
}

/** What a store has of a window. The failure must not be taken for an empty window. */
export function readReplaySnapshot(text: string): Result<ReplaySnapshot, 'damaged'> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed('damaged');
  }
  const floorMs = ownProperty(value, 'floorMs');
  const seen = ownProperty(value, 'seen');
  if (!isJsonObject(value) || typeof floorMs !== 'number' || !Array.isArray(seen)) {
    return failed('damaged');
  }
  const entries: (readonly [string, number])[] = [];
  for (const entry of seen as readonly unknown[]) {
    if (!Array.isArray(entry) || entry.length !== 2) return failed('damaged');
    const [nonce, issuedAtMs] = entry as readonly unknown[];
    const isEntry =
      typeof nonce === 'string' && nonce.length <= nonceLengthMax && typeof issuedAtMs === 'number';
    if (!isEntry) return failed('damaged');
    entries.push([nonce, issuedAtMs]);
  }
  return ok({ floorMs, seen: entries });
}
