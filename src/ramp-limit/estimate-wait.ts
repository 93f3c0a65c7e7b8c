import type { WaitingTotal } from './command-rows.ts';
import { type FeederState, freshFeederState, limitsAt, type RampLane } from './feeder-state.ts';
import { type Feeder, type Feeders, isWithin } from './feeders.ts';
import { dimensions, type Ledger } from './ledger.ts';
import type { LoadChange } from './load-change.ts';
import type { WaitReason } from './plan.ts';

/** A command whose wait is to be told. */
export interface WaitQuestion {
  readonly chain: readonly Feeder[];
  readonly lane: RampLane;
  readonly now: LoadChange;
  readonly reason: WaitReason;
  readonly nowMs: number;
}

/**
 * About how long a command will wait, in milliseconds; Infinity for ever.
 *
 * It tells at once whether it is worth keeping the caller waiting. Whether it was right shows in
 * time: whoever waits for too long is answered or refused all the same.
 */
export function estimateWaitMs(
  { chain, lane, now, nowMs, reason }: WaitQuestion,
  state: {
    readonly ledgers: ReadonlyMap<string, Ledger>;
    readonly feederStates: ReadonlyMap<string, FeederState>;
    readonly totals: readonly WaitingTotal[];
    readonly feeders: Feeders;
  },
): number {
  const untilMs = 'untilMs' in reason ? reason.untilMs : nowMs;
  // Every millisecond after the last one that is known is a guess, and this one is none.
  if (reason.is !== 'budget' && reason.is !== 'order') return Math.max(0, untilMs - nowMs);
  if (untilMs === Infinity) return Infinity;
  let longestMs = Math.max(0, untilMs - nowMs);
  for (const feeder of chain) {
    const { intervalMs, name } = feeder;
    const { limits } = limitsAt(
      feeder,
      state.feederStates.get(name) ?? freshFeederState,
      nowMs,
      lane,
    );
    const used = state.ledgers.get(name)?.fullest(nowMs);
    const ahead = lane === 'ordinary' ? aheadOf(feeder, state.totals, state.feeders) : undefined;
    for (const dimension of dimensions) {
      const limit = limits[dimension];
      if (limit === undefined || limit === 0 || now[dimension] === 0) continue;
      // What is larger than the budget goes alone, and then has what it wants.
      const own = Math.min(now[dimension], limit);
      const total = (used?.[dimension] ?? 0) + (ahead?.[dimension] ?? 0) + own;
      longestMs = Math.max(longestMs, (Math.ceil(total / limit) - 1) * intervalMs);
    }
  }
  return longestMs;
}

/** What waits already for `feeder`, or for a feeder that is a part of it. */
function aheadOf(feeder: Feeder, totals: readonly WaitingTotal[], feeders: Feeders): LoadChange {
  const sum = { commandsMilli: 0, upW: 0, downW: 0 };
  for (const total of totals) {
    if (!isWithin(feeders.find(total.feeder) ?? feeders.unassigned, feeder)) continue;
    for (const dimension of dimensions) sum[dimension] += total.change[dimension];
  }
  return sum;
}
