import type { Transaction } from 'kysely';
import type { Tables } from '../store/tables.ts';
import { type AppliedReleases, applyReleases } from './apply-releases.ts';
import {
  dueCommands,
  type HeldCommand,
  nextDueMs,
  orphanedCommands,
  removeCommands,
  updateCommand,
  type WaitingTotal,
  waitingTotals,
} from './command-rows.ts';
import { forgetLater, lockRamp, writeFeederState } from './entry-rows.ts';
import type { Feeder } from './feeders.ts';
import { type GroupPlan, groupOf, planGroup } from './plan-group.ts';
import type { TakeTools } from './take-request.ts';

/** What has to be done after a look at what waits. */
export interface TickResult {
  readonly applied: readonly AppliedReleases[];
  /** By an operator; their callers still wait. */
  readonly cancelled: readonly HeldCommand[];
  /** They have waited for too long. */
  readonly expired: readonly HeldCommand[];
  /** Their callers have waited for long enough, and are to be answered or refused. */
  readonly overdue: readonly HeldCommand[];
  /** Sent by a gateway that has died: nobody knows whether they arrived. */
  readonly unclear: readonly HeldCommand[];
  /** Feeders that have been calm for long enough. */
  readonly calmed: readonly string[];
  /** Feeders that have the budgets of the configuration file again. */
  readonly lowered: readonly string[];
  readonly plans: readonly GroupPlan[];
  readonly totals: readonly WaitingTotal[];
  /** When to look again, Unix time of the store in milliseconds; Infinity when nothing waits. */
  readonly wakeAtMs: number;
}

/** How long a stop waits that a dead gateway may have sent, in milliseconds: the charger may act. */
export const resendMs = 30_000;

/** Looks at what waits, in the transaction of the caller. */
export async function lookAtWaiting(
  db: Transaction<Tables>,
  { options, place, random, nowMs: now }: TakeTools,
): Promise<TickResult> {
  await lockRamp(db);
  const nowMs = now();
  const { feeders } = options;
  const unclear = await adoptOrphans(db, nowMs, place.incarnation);
  const due = await dueCommands(db, place.incarnation, nowMs);
  const cancelled = due.filter(({ state }) => state === 'cancelled');
  const rest = due.filter(({ state }) => state !== 'cancelled');
  const expired = rest.filter(({ expiresAtMs }) => expiresAtMs <= nowMs);
  const overdue = rest.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const gone = [
    ...cancelled,
    ...expired,
    ...overdue.filter(({ onLongWait }) => onLongWait === 'refuse'),
  ];
  await removeCommands(
    db,
    gone.map(({ id }) => id),
  );
  for (const { chargerKey, id } of gone) await forgetLater(db, chargerKey, id, nowMs);

  const totals = await waitingTotals(db);
  const groups = new Map<Feeder | undefined, readonly Feeder[]>();
  const unknown: string[] = [];
  for (const { feeder: name } of totals) {
    const feeder = feeders.find(name);
    if (feeder === undefined) unknown.push(name);
    const group = groupOf(feeder ?? feeders.unassigned, feeders);
    groups.set(group.at(0), group);
  }
  const applied: AppliedReleases[] = [];
  const plans: GroupPlan[] = [];
  const calmed: string[] = [];
  const lowered: string[] = [];
  let wakeAtMs = Infinity;
  for (const group of groups.values()) {
    const names = group.map(({ name }) => name);
    // Commands of feeders that are no longer in the configuration count as unassigned.
    const all = group.includes(feeders.unassigned) ? [...names, ...unknown] : names;
    const planned = await planGroup(db, group, undefined, nowMs, place, options, all);
    plans.push(planned);
    applied.push(
      await applyReleases(
        db,
        planned,
        nowMs,
        { incarnation: place.incarnation, oscillation: options.oscillation },
        random,
      ),
    );
    wakeAtMs = Math.min(wakeAtMs, planned.wakeAtMs);
    const ended = await calm(db, planned, nowMs);
    calmed.push(...ended.calmed);
    lowered.push(...ended.lowered);
  }
  const dueMs = await nextDueMs(db, place.incarnation);
  return {
    applied,
    cancelled,
    expired,
    overdue,
    unclear,
    calmed,
    lowered,
    plans,
    totals,
    wakeAtMs: Math.min(wakeAtMs, dueMs ?? Infinity),
  };
}

/**
 * Sees to what gateways have left that are gone.
 *
 * Whoever was not answered has been told by the end of its connection. What was sent may have
 * arrived: a stop is sent once more if the car still charges then, since a car must be stoppable and
 * a second stop does nothing; everything else is not.
 */
async function adoptOrphans(
  db: Transaction<Tables>,
  nowMs: number,
  incarnation: string,
): Promise<readonly HeldCommand[]> {
  const orphans = await orphanedCommands(db, incarnation, nowMs);
  const unclear: HeldCommand[] = [];
  const gone: string[] = [];
  for (const orphan of orphans) {
    const { id, isAnswered, loadClass } = orphan;
    if (isAnswered && loadClass === 'stop') {
      await updateCommand(db, id, {
        state: 'waiting',
        incarnation,
        sent_ms: null,
        not_before_ms: nowMs + resendMs,
      });
      continue;
    }
    if (isAnswered) unclear.push(orphan);
    else await forgetLater(db, orphan.chargerKey, id, nowMs);
    gone.push(id);
  }
  await removeCommands(db, gone);
  return unclear;
}

/** Ends the slow-down of feeders that no longer oscillate, and lifts whose time is over. */
async function calm(
  db: Transaction<Tables>,
  { feederStates, releases }: GroupPlan,
  nowMs: number,
): Promise<Pick<TickResult, 'calmed' | 'lowered'>> {
  const calmed: string[] = [];
  const lowered: string[] = [];
  // What was released has just changed the states; the next look is soon enough.
  if (releases.length > 0) return { calmed, lowered };
  for (const [name, state] of feederStates) {
    const { slowedUntilMs } = state.oscillation;
    const isCalm = slowedUntilMs > 0 && slowedUntilMs <= nowMs;
    const isLowered = state.lift !== undefined && state.lift.untilMs <= nowMs;
    if (!isCalm && !isLowered) continue;
    const oscillation = isCalm ? { ...state.oscillation, slowedUntilMs: 0 } : state.oscillation;
    await writeFeederState(db, name, { oscillation, lift: isLowered ? undefined : state.lift });
    if (isCalm) calmed.push(name);
    if (isLowered) lowered.push(name);
  }
  return { calmed, lowered };
}
