import type { WaitingTotal } from './command-rows.ts';
import { freshFeederState, limitsAt } from './feeder-state.ts';
import type { Feeder, Feeders } from './feeders.ts';
import type { Limits } from './ledger.ts';
import { type LoadChange, noChange } from './load-change.ts';
import type { GroupPlan } from './plan-group.ts';

/** How things stand with one feeder. */
export interface FeederStatus {
  readonly feeder: string;
  /** What the window that ends now has of each dimension. */
  readonly used: LoadChange;
  readonly limits: Limits;
  readonly isSlowed: boolean;
  readonly waiting: number;
  /** How long the oldest command has waited, in milliseconds; 0 when none waits. */
  readonly oldestWaitMs: number;
}

/** How things stand with all feeders. */
export interface RampStatus {
  readonly feeders: readonly FeederStatus[];
}

/** Keeps what was last seen of each feeder, for metrics: nobody asks the store for those. */
export class RampStatusBoard {
  readonly #feeders: Feeders;
  readonly #seen = new Map<string, GroupPlan>();
  #totals: ReadonlyMap<string, WaitingTotal> = new Map();

  constructor(feeders: Feeders) {
    this.#feeders = feeders;
  }

  /** Takes note of what was seen. Without `totals`, what waits is as before. */
  note(plans: readonly GroupPlan[], totals?: readonly WaitingTotal[]): void {
    for (const plan of plans) for (const { name } of plan.feeders) this.#seen.set(name, plan);
    if (totals !== undefined) {
      this.#totals = new Map(totals.map((total) => [total.feeder, total]));
    }
  }

  /** How things stand at `nowMs`. */
  statusAt(nowMs: number): RampStatus {
    return { feeders: this.#feeders.all.map((feeder) => this.#feederAt(feeder, nowMs)) };
  }

  #feederAt(feeder: Feeder, nowMs: number): FeederStatus {
    const { name } = feeder;
    const seen = this.#seen.get(name);
    const state = seen?.feederStates.get(name) ?? freshFeederState;
    const total = this.#totals.get(name);
    const ledger = seen?.ledgers.get(name);
    return {
      feeder: name,
      used: ledger === undefined ? noChange : ledger.inWindow(nowMs),
      limits: limitsAt(feeder, state, nowMs, 'ordinary').limits,
      isSlowed: state.oscillation.slowedUntilMs > nowMs,
      waiting: total?.count ?? 0,
      oldestWaitMs: total === undefined ? 0 : Math.max(0, nowMs - total.oldestMs),
    };
  }
}
