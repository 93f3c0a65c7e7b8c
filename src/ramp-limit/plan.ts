import { type FeederState, freshFeederState, limitsAt, type RampLane } from './feeder-state.ts';
import type { Feeder } from './feeders.ts';
import {
  type Dimension,
  dimensions,
  type Ledger,
  type LedgerEntry,
  type Limits,
  type OversizedPolicy,
} from './ledger.ts';
import type { LoadChange, LoadEstimate } from './load-change.ts';

/** Where the charger of a command is. */
export type Presence =
  /** Connected here, and able to take a command at this moment. */
  | 'ready'
  /** Connected here, with another call open. */
  | 'busy'
  /** Connected to another gateway of this store, which will see to it. */
  | 'elsewhere'
  | 'away';

/** A command that waits, as far as planning cares. */
export interface PlannedCommand {
  readonly id: string;
  readonly chargerKey: string;
  /** The feeders that it moves, the nearest first. */
  readonly chain: readonly Feeder[];
  readonly lane: RampLane;
  readonly now: LoadChange;
  readonly swing: LoadEstimate['swing'];
  /** Its EVSE or connector; undefined for the whole charger. */
  readonly place: number | undefined;
  readonly presence: Presence;
  /** Until then it waits whatever the budgets say, Unix time in milliseconds. */
  readonly notBeforeMs: number;
  readonly arrivedAtMs: number;
  /** What it would do by now, where that can be told. */
  refreshed?(): Pick<PlannedCommand, 'now' | 'swing' | 'place'>;
}

/** What planning knows. The ledgers are changed by it. */
export interface PlanState {
  readonly nowMs: number;
  /** By the name of the feeder. */
  readonly ledgers: ReadonlyMap<string, Ledger>;
  readonly feederStates: ReadonlyMap<string, FeederState>;
  /**
   * When the charger's place, or the whole of it, last fell soon after it had risen; undefined when it
   * has not of late. Its next rise waits for the dwell time.
   */
  lastFallMs(chargerKey: string, place: number | undefined): number | undefined;
}

/** What the operator has decided. */
export interface PlanOptions {
  readonly dwellMs: number;
  readonly oversized: OversizedPolicy;
  /** See `othersMayTakeMs`; Infinity for who only wants to know what is to be expected. */
  readonly othersMayTakeMs: number;
}

/** Why a command waits. */
export type WaitReason =
  | {
      readonly is: 'budget';
      readonly feeder: string;
      readonly dimension: Dimension;
      readonly untilMs: number;
    }
  | { readonly is: 'dwell' | 'jitter'; readonly untilMs: number }
  /** Behind an earlier command of the same charger, or one that waits for the same budget. */
  | { readonly is: 'order' | 'busy' | 'away' };

/** A command that goes now, and what it takes of each feeder. */
export interface Release {
  readonly command: PlannedCommand;
  readonly taken: readonly TakenEntry[];
  /** The budget, in the unit of its dimension, that it is larger than; it goes alone. */
  readonly exceeds: { readonly feeder: string; readonly dimension: Dimension } | undefined;
}

/** An entry in the ledger of one feeder. */
export interface TakenEntry extends LedgerEntry {
  readonly feeder: string;
  /** `debt`: what a command larger than a budget takes from the windows after its own. */
  readonly kind: 'release' | 'debt';
}

/** What may happen now. */
export interface Plan {
  /** In their order: send them, and note what they took. */
  readonly releases: readonly Release[];
  readonly waits: ReadonlyMap<string, WaitReason>;
  /** When something may change by itself, Unix time in milliseconds; Infinity for never. */
  readonly wakeAtMs: number;
}

/**
 * How long another gateway may take to release what there is room for, in milliseconds. After that
 * its charger is taken to be busy.
 */
export const othersMayTakeMs = 2_000;

/** A command that has waited so many intervals is no longer overtaken in any budget. */
const patienceIntervals = 3;

/**
 * Which of `waiting` may go now, in their order.
 *
 * Commands of one charger never overtake each other. A command that waits for a budget keeps that
 * budget for itself: no later one takes of it, so that a large one gets its turn. Those whose
 * charger is away, or busy, let the others pass.
 *
 * What another gateway has to release is counted, and left to it; but not when it could have been
 * released for a while, since then its charger, or the gateway, lets the others pass as well.
 *
 * Source: PNNL-35706 section 4.0 (aggregated charger message handler).
 */
export function plan(
  waiting: readonly PlannedCommand[],
  state: PlanState,
  options: PlanOptions,
): Plan {
  const releases: Release[] = [];
  const waits = new Map<string, WaitReason>();
  const heldChargers = new Set<string>();
  const kept = new Set<string>();
  let wakeAtMs = Infinity;
  const served = new Set<string>();
  for (const head of waiting) {
    const early = whyNotLooked(head, state.nowMs, { heldChargers, kept, served });
    // What it was counted as may be long ago; and it costs something to know better.
    const current = early === undefined ? head.refreshed?.() : undefined;
    const command = current === undefined ? head : { ...head, ...current };
    const reason = early ?? whyWait(command, state, options, kept);
    if (reason === undefined && isOverdueElsewhere(command, state, options)) {
      waits.set(command.id, { is: 'busy' });
      heldChargers.add(command.chargerKey);
      continue;
    }
    if (reason === undefined) {
      const release = take(command, state);
      // A charger takes one command at a time.
      served.add(command.chargerKey);
      if (command.presence === 'ready') releases.push(release);
      continue;
    }
    waits.set(command.id, reason);
    heldChargers.add(command.chargerKey);
    if ('untilMs' in reason) wakeAtMs = Math.min(wakeAtMs, reason.untilMs);
    if (reason.is === 'budget') keepBudgets(command, reason, state, options, kept);
  }
  return { releases, waits, wakeAtMs };
}

/** What tells that a command has to wait without a look at how much it moves. */
function whyNotLooked(
  { chain, chargerKey, lane, notBeforeMs, now, presence }: PlannedCommand,
  nowMs: number,
  {
    heldChargers,
    kept,
    served,
  }: {
    readonly heldChargers: ReadonlySet<string>;
    readonly kept: ReadonlySet<string>;
    readonly served: ReadonlySet<string>;
  },
): WaitReason | undefined {
  if (presence === 'away' || presence === 'busy') return { is: presence };
  // Emergencies stand in front, so they overtake what else their charger waits for; not each other.
  if (heldChargers.has(chargerKey)) return { is: 'order' };
  if (served.has(chargerKey)) return { is: 'busy' };
  if (notBeforeMs > nowMs && lane === 'ordinary') return { is: 'jitter', untilMs: notBeforeMs };
  return isKept({ chain, now }, kept) ? { is: 'order' } : undefined;
}

/** Could the gateway that has its charger have released this command for a while? */
function isOverdueElsewhere(
  command: PlannedCommand,
  state: PlanState,
  options: PlanOptions,
): boolean {
  const { arrivedAtMs, notBeforeMs, presence } = command;
  const thenMs = state.nowMs - options.othersMayTakeMs;
  if (presence !== 'elsewhere' || Math.max(arrivedAtMs, notBeforeMs) > thenMs) return false;
  return shortageOf(command, { ...state, nowMs: thenMs }, options.oversized) === undefined;
}

/** Does somebody in front wait for what this command needs? */
function isKept(
  { chain, now }: Pick<PlannedCommand, 'chain' | 'now'>,
  kept: ReadonlySet<string>,
): boolean {
  return chain.some(({ name }) =>
    dimensions.some((dimension) => now[dimension] > 0 && kept.has(`${name} ${dimension}`)),
  );
}

function whyWait(
  command: PlannedCommand,
  state: PlanState,
  { dwellMs, oversized }: PlanOptions,
  kept: ReadonlySet<string>,
): WaitReason | undefined {
  const { chargerKey, lane, place, swing } = command;
  if (swing === 'up' && lane !== 'emergency') {
    const fellMs = state.lastFallMs(chargerKey, place);
    if (fellMs !== undefined && fellMs + dwellMs > state.nowMs) {
      return { is: 'dwell', untilMs: fellMs + dwellMs };
    }
  }
  // By now it may need what it did not when it came.
  return isKept(command, kept) ? { is: 'order' } : shortageOf(command, state, oversized);
}

/** Takes what `command` needs. */
function take(command: PlannedCommand, { feederStates, ledgers, nowMs }: PlanState): Release {
  const taken: TakenEntry[] = [];
  let exceeds: Release['exceeds'];
  for (const feeder of command.chain) {
    const { name: of } = feeder;
    taken.push({ ...command.now, feeder: of, atMs: nowMs, kind: 'release' });
    const state = feederStates.get(of) ?? freshFeederState;
    const { limits } = limitsAt(feeder, state, nowMs, command.lane);
    taken.push(...debtsOf(command.now, feeder, limits, nowMs));
    const dimension = dimensions.find((it) => command.now[it] > (limits[it] ?? Infinity));
    if (dimension !== undefined) exceeds ??= { feeder: of, dimension };
  }
  for (const entry of taken) ledgers.get(entry.feeder)?.add(entry);
  return { command, taken, exceeds };
}

/** Windows that one command may use up. What is larger than so many budgets is not paid for. */
const debtsMax = 64;

/**
 * What a command takes from the windows after its own, when it is larger than a budget: nothing else
 * passes until the budget would have been enough, so that the ramp in the long run is what was asked
 * for.
 */
function debtsOf(
  change: LoadChange,
  feeder: Feeder,
  limits: Limits,
  nowMs: number,
): readonly TakenEntry[] {
  const debts: TakenEntry[] = [];
  const { intervalMs, name } = feeder;
  for (let window = 1; window < debtsMax; window += 1) {
    const owed = (dimension: Dimension): number => {
      const limit = limits[dimension];
      if (limit === undefined || limit === 0) return 0;
      return Math.min(limit, Math.max(0, change[dimension] - window * limit));
    };
    const debt = { commandsMilli: owed('commandsMilli'), upW: owed('upW'), downW: owed('downW') };
    if (dimensions.every((dimension) => debt[dimension] === 0)) break;
    debts.push({ ...debt, feeder: name, atMs: nowMs + window * intervalMs, kind: 'debt' });
  }
  return debts;
}

/** The budget that is short for the longest time. */
function shortageOf(
  { chain, lane, now }: PlannedCommand,
  { feederStates, ledgers, nowMs }: PlanState,
  oversized: OversizedPolicy,
): (WaitReason & { readonly is: 'budget' }) | undefined {
  let longest: (WaitReason & { readonly is: 'budget' }) | undefined;
  for (const feeder of chain) {
    const state = feederStates.get(feeder.name) ?? freshFeederState;
    const allowance = limitsAt(feeder, state, nowMs, lane);
    const shortages = ledgers.get(feeder.name)?.shortages(now, nowMs, allowance, oversized) ?? [];
    for (const { dimension, untilMs } of shortages) {
      if (longest !== undefined && untilMs <= longest.untilMs) continue;
      longest = { is: 'budget', feeder: feeder.name, dimension, untilMs };
    }
  }
  return longest;
}

/** Nobody behind `command` takes of what it waits for; nor, when it has waited long, of the rest. */
function keepBudgets(
  command: PlannedCommand,
  shortage: WaitReason & { readonly is: 'budget' },
  { feederStates, ledgers, nowMs }: PlanState,
  { oversized }: PlanOptions,
  kept: Set<string>,
): void {
  const { arrivedAtMs, chain, lane, now } = command;
  // What never fits keeps nothing from the others; it expires.
  if (shortage.untilMs === Infinity) return;
  for (const feeder of chain) {
    const isPatient = arrivedAtMs + patienceIntervals * feeder.intervalMs > nowMs;
    const state = feederStates.get(feeder.name) ?? freshFeederState;
    const allowance = limitsAt(feeder, state, nowMs, lane);
    const ledger = ledgers.get(feeder.name);
    const short = isPatient
      ? (ledger?.shortages(now, nowMs, allowance, oversized) ?? []).map((it) => it.dimension)
      : dimensions.filter((dimension) => now[dimension] > 0);
    for (const dimension of short) kept.add(`${feeder.name} ${dimension}`);
  }
}
