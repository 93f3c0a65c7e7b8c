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
import { forgetLater, lockRamp, storedFeederStates, writeFeederState } from './entry-rows.ts';
import { nextChangeMs } from './feeder-state.ts';
import type { Feeders } from './feeders.ts';
import { type GroupPlan, groupsOf, planGroup } from './plan-group.ts';
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
  await giveUp(db, [...cancelled, ...expired], nowMs);

  const totals = await waitingTotals(db);
  const waiting = totals.map(({ feeder }) => feeder);
  const applied: AppliedReleases[] = [];
  const plans: GroupPlan[] = [];
  let wakeAtMs = Infinity;
  for (const { feeders: group, names } of groupsOf(waiting, feeders)) {
    const planned = await planGroup(db, group, undefined, nowMs, place, options, names);
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
  }
  // What may go at the last moment goes.
  const released = new Set(applied.flatMap((it) => it.released.map(({ command }) => command.id)));
  const overdue = rest.filter((it) => it.expiresAtMs > nowMs && !released.has(it.id));
  await giveUp(
    db,
    overdue.filter(({ onLongWait }) => onLongWait === 'refuse'),
    nowMs,
  );
  const { calmed, changesAtMs, lowered } = await endOfStates(db, feeders, nowMs);
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
    wakeAtMs: Math.min(wakeAtMs, changesAtMs, dueMs ?? Infinity),
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

/** Commands that are not released any more. */
async function giveUp(
  db: Transaction<Tables>,
  commands: readonly HeldCommand[],
  nowMs: number,
): Promise<void> {
  await removeCommands(
    db,
    commands.map(({ id }) => id),
  );
  for (const { chargerKey, id } of commands) await forgetLater(db, chargerKey, id, nowMs);
}

/** Ends the slow-down of feeders that no longer oscillate, and lifts whose time is over. */
async function endOfStates(
  db: Transaction<Tables>,
  feeders: Feeders,
  nowMs: number,
): Promise<Pick<TickResult, 'calmed' | 'lowered'> & { readonly changesAtMs: number }> {
  const calmed: string[] = [];
  const lowered: string[] = [];
  let changesAtMs = Infinity;
  for (const [name, state] of await storedFeederStates(db)) {
    // Of a feeder that is gone from the configuration nobody wants to know.
    if (feeders.find(name) === undefined) continue;
    const { slowedUntilMs } = state.oscillation;
    const isCalm = slowedUntilMs > 0 && slowedUntilMs <= nowMs;
    const isLowered = state.lift !== undefined && state.lift.untilMs <= nowMs;
    const oscillation = isCalm ? { ...state.oscillation, slowedUntilMs: 0 } : state.oscillation;
    const after = { oscillation, lift: isLowered ? undefined : state.lift };
    changesAtMs = Math.min(changesAtMs, nextChangeMs(after));
    if (!isCalm && !isLowered) continue;
    await writeFeederState(db, name, after);
    if (isCalm) calmed.push(name);
    if (isLowered) lowered.push(name);
  }
  return { calmed, lowered, changesAtMs };
}
