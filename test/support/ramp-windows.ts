import type { RampLane } from '../../src/ramp-limit/feeder-state.ts';
import type { FeederBudgets } from '../../src/ramp-limit/feeders.ts';
import { type Dimension, dimensions, type OversizedPolicy } from '../../src/ramp-limit/ledger.ts';
import type { LoadChange } from '../../src/ramp-limit/load-change.ts';

/** A change that was let through to a feeder. */
export interface Movement extends LoadChange {
  readonly atMs: number;
  readonly lane: RampLane;
  /** For whoever reads what went wrong. */
  readonly id: string;
}

/**
 * The windows of a feeder that hold more than they may, in words; empty when none does.
 *
 * What was let through last must fit into the window that it ends: into the budget, an emergency into
 * the budget and the reserve, and what is larger than that goes alone. The ceiling holds for all.
 *
 * @param moved in the order in which it was let through.
 */
export function overfullWindows(
  feeder: FeederBudgets,
  moved: readonly Movement[],
  oversized: OversizedPolicy = 'alone',
): readonly string[] {
  const faults: string[] = [];
  for (const [index, last] of moved.entries()) {
    const before = moved
      .slice(0, index)
      .filter(({ atMs }) => atMs > last.atMs - feeder.intervalMs && atMs <= last.atMs);
    for (const dimension of dimensions) {
      const amount = last[dimension];
      if (amount === 0) continue;
      const present = before.reduce((sum, one) => sum + one[dimension], 0);
      const limit = limitOf(feeder, dimension, last.lane);
      if (present + amount <= limit) continue;
      const ceiling = feeder.ceiling[dimension] ?? Infinity;
      const isAlone = oversized === 'alone' && present === 0 && amount > limit;
      if (isAlone && amount <= ceiling) continue;
      faults.push(
        `${last.id} at ${last.atMs}: ${dimension} ${present} + ${amount} of ${limit} (${last.lane})`,
      );
    }
  }
  return faults;
}

/** What a command of `lane` finds in an empty window. */
export function limitOf(feeder: FeederBudgets, dimension: Dimension, lane: RampLane): number {
  const reserve = lane === 'emergency' ? feeder.reserve[dimension] : 0;
  const paced = (feeder.budget[dimension] ?? Infinity) + reserve;
  return Math.min(paced, feeder.ceiling[dimension] ?? Infinity);
}
