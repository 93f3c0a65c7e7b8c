import type { LoadChange } from './load-change.ts';

/** What budgets are about. */
export const dimensions = ['commandsMilli', 'upW', 'downW'] as const;
/** One of them. */
export type Dimension = (typeof dimensions)[number];

/** A limit for each dimension, for a window of time; undefined for none. */
export type Limits = Readonly<Record<Dimension, number | undefined>>;

/** A change of load, at a moment. */
export interface LedgerEntry extends LoadChange {
  /** Unix time in milliseconds. */
  readonly atMs: number;
}

/** A dimension in which a change does not fit. */
export interface Shortage {
  readonly dimension: Dimension;
  /** When it fits as far as is known by now, Unix time in milliseconds; Infinity for never. */
  readonly untilMs: number;
}

/** What may change within a window. */
export interface Allowance {
  readonly limits: Limits;
  /** Above it goes nothing, not even alone. */
  readonly ceiling: Limits;
}

/** What a command larger than a budget may do. */
export type OversizedPolicy = 'alone' | 'refuse';

/**
 * What has changed, and will change, the load of one feeder.
 *
 * Every window of `intervalMs` counts, not only those of a timetable: where intervals stand side by
 * side, two bursts at their common edge let double through. A window holds its end and not its
 * beginning, so two changes exactly one interval apart are in no common window.
 */
export class Ledger {
  readonly intervalMs: number;
  /** In order of time. */
  readonly #entries: LedgerEntry[];

  constructor(intervalMs: number, entries: readonly LedgerEntry[]) {
    this.intervalMs = intervalMs;
    this.#entries = [...entries].sort((one, other) => one.atMs - other.atMs);
  }

  /** Takes note of a change. */
  add(entry: LedgerEntry): void {
    const index = this.#entries.findLastIndex(({ atMs }) => atMs <= entry.atMs);
    this.#entries.splice(index + 1, 0, entry);
  }

  /**
   * Where `change` at `atMs` would exceed its limits in some window; empty when it fits.
   *
   * With `alone`, a change that is larger than a limit fits where its windows hold nothing else: a
   * driver who presses a button does as much, and a car must be stoppable. The ceiling holds.
   */
  shortages(
    change: LoadChange,
    atMs: number,
    { ceiling, limits }: Allowance,
    oversized: OversizedPolicy,
  ): readonly Shortage[] {
    return dimensions.flatMap((dimension) => {
      const amount = change[dimension];
      const limit = limits[dimension] ?? Infinity;
      const mayExceed = oversized === 'alone' && amount <= (ceiling[dimension] ?? Infinity);
      const asked = { amount, limit, mayExceed, dimension };
      if (this.#fits(asked, atMs)) return [];
      return [{ dimension, untilMs: this.#fitsAt(asked, atMs) }];
    });
  }

  /** What the fullest window that holds `atMs` has of each dimension. */
  fullest(atMs: number): LoadChange {
    const most = (dimension: Dimension): number => this.#fullest(atMs, dimension);
    return { commandsMilli: most('commandsMilli'), upW: most('upW'), downW: most('downW') };
  }

  /** What the window that ends at `atMs` has of each dimension. */
  inWindow(atMs: number): LoadChange {
    const sum = { commandsMilli: 0, upW: 0, downW: 0 };
    for (const entry of this.#entries) {
      if (entry.atMs > atMs || entry.atMs <= atMs - this.intervalMs) continue;
      for (const dimension of dimensions) sum[dimension] += entry[dimension];
    }
    return sum;
  }

  #fits({ amount, dimension, limit, mayExceed }: Asked, atMs: number): boolean {
    if (amount === 0 || limit === Infinity) return true;
    const present = this.#fullest(atMs, dimension);
    return amount > limit ? mayExceed && present === 0 : present + amount <= limit;
  }

  /** The first moment from `atMs` on at which it fits. */
  #fitsAt(asked: Asked, atMs: number): number {
    const { amount, dimension, limit, mayExceed } = asked;
    if (amount > limit && !mayExceed) return Infinity;
    // Room comes only where an entry leaves the window.
    for (const entry of this.#entries) {
      const leavesAtMs = entry.atMs + this.intervalMs;
      if (leavesAtMs <= atMs || entry[dimension] === 0) continue;
      if (this.#fits(asked, leavesAtMs)) return leavesAtMs;
    }
    return Infinity;
  }

  #fullest(atMs: number, dimension: Dimension): number {
    const { intervalMs } = this;
    const entries = this.#entries;
    let first = entries.findIndex((entry) => entry.atMs > atMs - intervalMs);
    if (first < 0) return 0;
    let sum = 0;
    let next = first;
    // The window that ends at `atMs`, then those that end at each entry after it.
    for (; next < entries.length; next += 1) {
      const entry = entries[next];
      if (entry === undefined || entry.atMs > atMs) break;
      sum += entry[dimension];
    }
    let fullest = sum;
    for (; next < entries.length; next += 1) {
      const entry = entries[next];
      if (entry === undefined || entry.atMs >= atMs + intervalMs) break;
      sum += entry[dimension];
      for (let oldest = entries[first]; oldest !== undefined; oldest = entries[first]) {
        if (oldest.atMs > entry.atMs - intervalMs) break;
        sum -= oldest[dimension];
        first += 1;
      }
      fullest = Math.max(fullest, sum);
    }
    return fullest;
  }
}

/** One dimension of a change, and what it may be. */
interface Asked {
  readonly dimension: Dimension;
  readonly amount: number;
  readonly limit: number;
  /** May it be larger than the limit, alone? */
  readonly mayExceed: boolean;
}
