import { ownProperty } from '../ocpp/message.ts';
import type { Feeder } from './feeders.ts';
import { type Allowance, dimensions, type Limits } from './ledger.ts';
import { type LoadChange, wholeCommandMilli } from './load-change.ts';
import {
  calm,
  type OscillationState,
  oscillationDocument,
  savedOscillation,
} from './oscillation.ts';
import { integerIn, parsedDocument } from './read-state.ts';

/** The lane that a command is in. */
export const rampLanes = ['ordinary', 'released', 'emergency'] as const;
/**
 * - `ordinary`: in order of arrival.
 * - `released`: an operator put it in front of the others; the budgets hold.
 * - `emergency`: in front of all, with the reserve beyond the budgets.
 */
export type RampLane = (typeof rampLanes)[number];

/** Other budgets that an operator has set for some time. */
export interface Lift {
  readonly limits: Limits;
  readonly untilMs: number;
}

/** What changes about a feeder while gateways run. */
export interface FeederState {
  readonly oscillation: OscillationState;
  readonly lift: Lift | undefined;
}

/** A feeder of which nothing is stored. */
export const freshFeederState: FeederState = { oscillation: calm, lift: undefined };

/** When a feeder changes its budgets by itself, Unix time in milliseconds; Infinity for never. */
export function nextChangeMs({ lift, oscillation }: FeederState): number {
  const calmMs = oscillation.slowedUntilMs === 0 ? Infinity : oscillation.slowedUntilMs;
  return Math.min(calmMs, lift?.untilMs ?? Infinity);
}

/** The limits that hold for a command of `lane` at `nowMs`. The ceiling holds for all. */
export function limitsAt(
  feeder: Feeder,
  { lift, oscillation }: FeederState,
  nowMs: number,
  lane: RampLane,
): Allowance {
  const isLifted = lift !== undefined && lift.untilMs > nowMs;
  const isSlowed = oscillation.slowedUntilMs > nowMs && lane !== 'emergency';
  const limits: Record<string, number | undefined> = {};
  for (const dimension of dimensions) {
    const { [dimension]: budget } = isLifted ? lift.limits : feeder.budget;
    const { [dimension]: ceiling } = feeder.ceiling;
    const reserve = lane === 'emergency' ? feeder.reserve[dimension] : 0;
    const paced = budget === undefined ? undefined : (isSlowed ? halved(budget) : budget) + reserve;
    limits[dimension] = ceiling === undefined ? paced : Math.min(ceiling, paced ?? ceiling);
  }
  return { limits: limits as Limits, ceiling: feeder.ceiling };
}

/** The part of the budget of one window that `change` takes: the largest of all dimensions. */
export function partOf(change: LoadChange, limits: Limits): number {
  const parts = dimensions.map((dimension) => {
    const limit = limits[dimension];
    return limit === undefined || limit === 0 ? 0 : change[dimension] / limit;
  });
  return Math.max(...parts);
}

/** Reads what is stored; damaged text is as good as none. */
export function savedFeederState(text: string | undefined): FeederState {
  if (text === undefined) return freshFeederState;
  const saved = parsedDocument(text);
  return {
    oscillation: savedOscillation(ownProperty(saved, 'oscillation')),
    lift: savedLift(ownProperty(saved, 'lift')),
  };
}

/** What is to be stored. */
export function feederStateText({ lift, oscillation }: FeederState): string {
  return JSON.stringify({
    oscillation: oscillationDocument(oscillation),
    lift: liftDocument(lift),
  });
}

function liftDocument(lift: Lift | undefined): object | undefined {
  if (lift === undefined) return undefined;
  const { commandsMilli, downW, upW } = lift.limits;
  // What is not limited says so: what is missing would be damage.
  const limits = {
    commandsMilli: commandsMilli ?? null,
    upW: upW ?? null,
    downW: downW ?? null,
  };
  return { limits, untilMs: lift.untilMs };
}

/** Whatever cannot be read lifts nothing. */
function savedLift(saved: unknown): Lift | undefined {
  const limits = ownProperty(saved, 'limits');
  const [commandsMilli, upW, downW] = dimensions.map((key) => ownProperty(limits, key));
  const isRead = [commandsMilli, upW, downW].every(
    (value) => value === null || (Number.isSafeInteger(value) && Number(value) >= 0),
  );
  if (!isRead) return undefined;
  const limit = (value: unknown): number | undefined =>
    typeof value === 'number' ? value : undefined;
  return {
    limits: { commandsMilli: limit(commandsMilli), upW: limit(upW), downW: limit(downW) },
    untilMs: integerIn(saved, 'untilMs'),
  };
}

/** Never below one command: a feeder is slowed down, and not stopped. */
function halved(limit: number): number {
  return Math.max(Math.floor(limit / 2), Math.min(limit, wholeCommandMilli));
}
