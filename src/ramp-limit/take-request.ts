import type { Transaction } from 'kysely';
import { identityKey } from '../chargers/charger-id.ts';
import type { Random } from '../lib/random.ts';
import type { JsonObject } from '../ocpp/message.ts';
import type { Tables } from '../store/tables.ts';
import { type AppliedReleases, applyReleases } from './apply-releases.ts';
import {
  type HeldCommand,
  insertCommand,
  laneRank,
  removeCommands,
  updateCommand,
  waitingOf,
  waitingTotals,
} from './command-rows.ts';
import { isAnswerable } from './early-answer.ts';
import { forgetLater, insertEntries, lockRamp } from './entry-rows.ts';
import { estimateWaitMs } from './estimate-wait.ts';
import type { Feeder } from './feeders.ts';
import type { PlannedCommand, Release, WaitReason } from './plan.ts';
import { type GroupPlan, type PlanningPlace, planGroup } from './plan-group.ts';
import type { LongWait, RampOptions } from './ramp-options.ts';
import type { LoadCommandRequest, RampRefusal, RampTarget } from './ramp-target.ts';
import { findRoom, noSteps, type StepsRoom } from './reserve-steps.ts';

/** What a request came to, and what has to be told to whom. */
export interface TakenRequest {
  readonly decision: RequestDecision;
  /** The feeder of the charger. */
  readonly feeder: string;
  /** Other commands whose turn it was. */
  readonly applied: AppliedReleases;
  /** Waiting commands that the new one replaces. */
  readonly superseded: readonly HeldCommand[];
  /** The waiting stop that it cancels out, and that is not waited for any more. */
  readonly cancelled: HeldCommand | undefined;
  readonly plan: GroupPlan | undefined;
}

/** What becomes of a request. */
export type RequestDecision =
  | {
      readonly is: 'pass';
      readonly exceeds: ExceededBudget;
      readonly shiftSeconds: number;
      /** The payload to send instead, when the schedule was moved. */
      readonly instead: JsonObject | undefined;
    }
  | {
      readonly is: 'hold';
      readonly command: HeldCommand;
      readonly reason: WaitReason['is'];
      readonly waitMs: number;
      /** The caller has to be answered now, in the name of the charger. */
      readonly mustAnswer: boolean;
      readonly shiftSeconds: number;
      readonly instead: JsonObject | undefined;
    }
  | { readonly is: 'refuse'; readonly code: RampRefusal };

/** See `Release.exceeds`. */
export type ExceededBudget = Release['exceeds'];

/** What taking a request works with. */
export interface TakeTools {
  readonly options: RampOptions;
  readonly place: PlanningPlace;
  readonly random: Random;
  /** The time of the store, Unix time in milliseconds. */
  nowMs(): number;
}

/**
 * Decides about one command, in the transaction of the caller.
 *
 * In this order: does it cancel out one that waits, is there room for what it does later, may it go
 * now, and if not: may it wait?
 */
export async function takeRequest(
  db: Transaction<Tables>,
  target: RampTarget,
  request: LoadCommandRequest,
  commandId: string,
  tools: TakeTools,
): Promise<TakenRequest> {
  const { options, place, random } = tools;
  const { feeders } = options;
  const sequence = await lockRamp(db);
  // Not before: waiting for the lock may have taken a while, and what is counted is when it is sent.
  const nowMs = tools.nowMs();
  const chargerKey = identityKey(target.charger);
  const chain = feeders.chainOf(target.charger, target.feederSetting);
  const feeder = chain[0] ?? feeders.unassigned;
  const nothing: TakenRequest = {
    decision: { is: 'refuse', code: 'RAMP_CANCELLED' },
    feeder: feeder.name,
    applied: { released: [], oscillations: [] },
    superseded: [],
    cancelled: undefined,
    plan: undefined,
  };

  const mine = await waitingOf(db, chargerKey);
  const cancelled = mine.find(({ coalesceKeys }) => {
    return request.cancelsOut !== undefined && coalesceKeys.includes(request.cancelsOut);
  });
  if (cancelled !== undefined) {
    await removeCommands(db, [cancelled.id]);
    return { ...nothing, cancelled };
  }

  const room = await roomFor(db, { chain, chargerKey, commandId, request, options });
  if (room.is === 'none') return { ...nothing, decision: { is: 'refuse', code: 'RAMP_STEP' } };
  const { shiftSeconds, shifted } = room;
  const instead = shifted?.payload;
  const estimate = shifted?.estimate ?? request.estimate;

  const superseded = mine.filter(({ coalesceKeys }) =>
    coalesceKeys.some((key) => request.coalesceKeys.includes(key)),
  );
  // They wait no longer, unless the new one is refused.
  for (const { id } of superseded) await updateCommand(db, id, { state: 'arriving' });

  const isStored = isAnsweredAtOnce(request, options);
  const { isReply, lane } = request;
  // What its charger waits for goes first, also where no plan sees it: far back in the line, or at a
  // feeder that the charger has left.
  const isBehind = mine.some(
    (old) => !superseded.includes(old) && laneRank(old.lane) <= laneRank(lane),
  );
  const newcomer: PlannedCommand = {
    id: commandId,
    chargerKey,
    chain,
    lane,
    now: estimate.now,
    swing: estimate.swing,
    place: estimate.place,
    presence: target.isReady || isReply ? 'ready' : 'busy',
    notBeforeMs: nowMs,
    arrivedAtMs: nowMs,
  };
  const group = feeders.groupOf(feeder);
  const planned = await planGroup(
    db,
    group,
    isStored || isBehind ? undefined : newcomer,
    nowMs,
    place,
    options,
  );
  const applied = await applyReleases(
    db,
    planned,
    nowMs,
    { incarnation: place.incarnation, oscillation: options.oscillation },
    random,
  );
  await insertEntries(db, room.entries, random);
  const result = { ...nothing, applied, plan: planned };
  const release = planned.releases.find(({ command }) => command.id === commandId);
  if (release !== undefined) {
    const { exceeds } = release;
    await replace(db, superseded, nowMs);
    return { ...result, superseded, decision: { is: 'pass', exceeds, shiftSeconds, instead } };
  }

  const reason: WaitReason = planned.waits.get(commandId) ?? { is: 'order' };
  const totals = await waitingTotals(db);
  const waitMs = estimateWaitMs(
    { chain, lane, now: estimate.now, reason, nowMs },
    { ledgers: planned.ledgers, feederStates: planned.feederStates, totals, feeders },
  );
  const policy = longWaitOf(request, options);
  const openMs = options.reply === 'immediate' && isStored ? 0 : options.openMs;
  const refusal = refusalFor(waitMs, { policy, openMs, isStored, options });
  const heldCount = totals.reduce((sum, { count }) => sum + count, 0);
  const isFull =
    heldCount >= options.heldMax || mine.length - superseded.length >= options.heldPerChargerMax;
  if (isFull || refusal !== undefined) {
    await forgetLater(db, chargerKey, commandId, nowMs);
    for (const { id } of superseded) await updateCommand(db, id, { state: 'waiting' });
    return { ...result, decision: { is: 'refuse', code: refusal ?? 'RAMP_FULL' } };
  }
  const jitterMs = options.jitterMs === 0 ? 0 : random.integer(0, options.jitterMs);
  const mustAnswer = isStored || (policy === 'answer' && waitMs > openMs);
  const command: HeldCommand = {
    id: commandId,
    // A newer profile takes the place in line of the one that it replaces.
    sequence: Math.min(sequence, ...superseded.map((old) => old.sequence)),
    lane,
    chargerKey,
    charger: target.charger,
    feeder: feeder.name,
    version: request.version,
    action: request.action,
    loadClass: request.loadClass,
    // What is never answered for is sent as it came, by the session that has it: a password, say,
    // need not be in the store.
    payload: policy === 'answer' ? (instead ?? request.payload) : {},
    messageId: request.messageId,
    isReply,
    incarnation: place.incarnation,
    state: mustAnswer ? 'arriving' : 'waiting',
    isAnswered: false,
    onLongWait: policy,
    arrivedAtMs: nowMs,
    notBeforeMs: nowMs + (isStored ? 0 : jitterMs),
    answerByMs: nowMs + openMs,
    expiresAtMs: nowMs + options.holdMs,
    sentAtMs: undefined,
    place: estimate.place,
    swing: estimate.swing,
    basis: estimate.basis,
    now: estimate.now,
    coalesceKeys: request.coalesceKeys,
    reason: request.reason,
  };
  await replace(db, superseded, nowMs);
  await insertCommand(db, command);
  return {
    ...result,
    superseded,
    decision: { is: 'hold', command, reason: reason.is, waitMs, mustAnswer, shiftSeconds, instead },
  };
}

/** Commands whose place another one has taken. */
async function replace(
  db: Transaction<Tables>,
  superseded: readonly HeldCommand[],
  nowMs: number,
): Promise<void> {
  for (const { chargerKey, id } of superseded) await forgetLater(db, chargerKey, id, nowMs);
  await removeCommands(
    db,
    superseded.map(({ id }) => id),
  );
}

/** PNNL's four commands are stored and answered whatever the budgets say; unless nothing is held. */
function isAnsweredAtOnce(
  { isReply, isSealed, lane, loadClass }: LoadCommandRequest,
  { mode, reply }: RampOptions,
): boolean {
  const isOfPnnl = loadClass === 'start' || loadClass === 'stop';
  const isPnnl = mode === 'enforce' && reply === 'immediate';
  const isPlain = !isReply && isSealed !== true && lane !== 'emergency';
  return isPnnl && isOfPnnl && isPlain;
}

/** What becomes of a command that cannot go while its caller waits. */
export function longWaitOf(
  {
    action,
    isReply,
    isSealed,
    loadClass,
  }: Pick<LoadCommandRequest, 'action' | 'isReply' | 'isSealed' | 'loadClass'>,
  { onLongWait, reply }: RampOptions,
): LongWait {
  // What was answered for is sent as a call of the gateway's own, which nobody has signed.
  if (isReply || isSealed === true || reply === 'defer' || !isAnswerable(loadClass, action)) {
    return 'refuse';
  }
  switch (loadClass) {
    case 'start':
      return onLongWait.starts;
    case 'stop':
      return onLongWait.stops;
    case 'limit':
      return onLongWait.limits;
    default:
      return onLongWait.others;
  }
}

/** Why it is not worth waiting; undefined when it is. */
function refusalFor(
  waitMs: number,
  {
    isStored,
    openMs,
    options,
    policy,
  }: {
    readonly policy: LongWait;
    readonly openMs: number;
    readonly isStored: boolean;
    readonly options: RampOptions;
  },
): RampRefusal | undefined {
  if (waitMs === Infinity) return 'RAMP_OVERSIZED';
  if (isStored) return undefined;
  if (waitMs > options.holdMs) return 'RAMP_BUSY';
  return waitMs > openMs && policy === 'refuse' ? 'RAMP_BUSY' : undefined;
}

async function roomFor(
  db: Transaction<Tables>,
  {
    chain,
    chargerKey,
    commandId,
    options,
    request,
  }: {
    readonly chain: readonly Feeder[];
    readonly chargerKey: string;
    readonly commandId: string;
    readonly request: LoadCommandRequest;
    readonly options: RampOptions;
  },
): Promise<StepsRoom> {
  const { later } = request.estimate;
  if (later === undefined || options.futureSteps === 'off') {
    return noSteps;
  }
  const isFixed = request.isReply || request.isSealed === true;
  const mayShift = options.futureSteps === 'shift' && !isFixed;
  const shiftMsMax = mayShift ? options.shiftMsMax : 0;
  const shifted = (seconds: number) => request.shifted(seconds);
  return findRoom(db, { chain, chargerKey, commandId, later, shifted, shiftMsMax });
}
