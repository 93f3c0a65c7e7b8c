import type { Queries } from '../store/store.ts';
import { headsOf, type LocatedCommand, laneRank } from './command-rows.ts';
import { fallsOf, feederStatesOf, ledgersOf } from './entry-rows.ts';
import type { FeederState } from './feeder-state.ts';
import { chainFrom, type Feeder, type Feeders } from './feeders.ts';
import type { Ledger } from './ledger.ts';
import { type Plan, type PlannedCommand, type Presence, plan } from './plan.ts';
import type { RampOptions } from './ramp-options.ts';
import type { RampTarget } from './ramp-target.ts';

/** What planning needs to know of this process. */
export interface PlanningPlace {
  readonly incarnation: string;
  /** As `PlanOptions` have it. */
  readonly othersMayTakeMs: number;
  /** The connection of a charger, if it is here. */
  targetOf(chargerKey: string): RampTarget | undefined;
}

/** A plan for feeders that are parts of one, and what it was made of. */
export interface GroupPlan extends Plan {
  readonly feeders: readonly Feeder[];
  readonly ledgers: ReadonlyMap<string, Ledger>;
  readonly feederStates: ReadonlyMap<string, FeederState>;
  /** The commands that waited, by their id. */
  readonly heads: ReadonlyMap<string, LocatedCommand>;
}

/** Feeders that are planned for together, and the names that their commands may have noted. */
export interface WaitingGroup {
  readonly feeders: readonly Feeder[];
  readonly names: readonly string[];
}

/**
 * The groups of the feeders called `names`. Feeders that an operator has taken out of the
 * configuration leave their commands to `unassigned`.
 */
export function groupsOf(names: readonly string[], feeders: Feeders): readonly WaitingGroup[] {
  const gone = names.filter((name) => feeders.find(name) === undefined);
  const groups = new Set(
    names.map((name) => feeders.groupOf(feeders.find(name) ?? feeders.unassigned)),
  );
  return [...groups].map((group) => {
    const own = group.map(({ name }) => name);
    return { feeders: group, names: group.includes(feeders.unassigned) ? [...own, ...gone] : own };
  });
}

/**
 * Plans for the feeders of `group` what waits for them, and `newcomer` with it.
 *
 * The nearest feeder of a command is the one that was noted when it came.
 */
export async function planGroup(
  db: Queries,
  group: readonly Feeder[],
  newcomer: PlannedCommand | undefined,
  nowMs: number,
  place: PlanningPlace,
  { dwellMs, feeders, oversized }: RampOptions,
  names: readonly string[] = group.map(({ name }) => name),
): Promise<GroupPlan> {
  const heads = await headsOf(db, names, nowMs);
  const ledgers = await ledgersOf(db, group, nowMs);
  const feederStates = await feederStatesOf(db, group);
  const waiting = heads.map((command) => plannedCommand(command, place, feeders));
  if (newcomer !== undefined) insertInOrder(waiting, newcomer);
  const keys = new Set(waiting.map(({ chargerKey }) => chargerKey));
  const lastFallMs = await fallsOf(db, [...keys], nowMs, dwellMs);
  const planned = plan(
    waiting,
    { nowMs, ledgers, feederStates, lastFallMs },
    { dwellMs, oversized, othersMayTakeMs: place.othersMayTakeMs },
  );
  const byId = new Map(heads.map((command) => [command.id, command]));
  return { ...planned, feeders: group, ledgers, feederStates, heads: byId };
}

/** Where a newcomer stands: behind all of its lane, and before the lanes after it. */
function insertInOrder(waiting: PlannedCommand[], newcomer: PlannedCommand): void {
  const rank = laneRank(newcomer.lane);
  const at = waiting.findIndex(({ lane }) => laneRank(lane) > rank);
  waiting.splice(at < 0 ? waiting.length : at, 0, newcomer);
}

function plannedCommand(
  command: LocatedCommand,
  { incarnation, targetOf }: PlanningPlace,
  feeders: Feeders,
): PlannedCommand {
  const target = targetOf(command.chargerKey);
  const feeder = feeders.find(command.feeder) ?? feeders.unassigned;
  const presence = presenceOf(command, target, incarnation);
  const planned: PlannedCommand = {
    id: command.id,
    chargerKey: command.chargerKey,
    chain: chainFrom(feeder),
    lane: command.lane,
    now: command.now,
    swing: command.swing,
    place: command.place,
    presence,
    notBeforeMs: command.notBeforeMs,
    arrivedAtMs: command.arrivedAtMs,
  };
  if (presence !== 'ready' || target === undefined) return planned;
  return { ...planned, refreshed: () => target.estimate(command) };
}

function presenceOf(
  command: LocatedCommand,
  target: RampTarget | undefined,
  incarnation: string,
): Presence {
  if (target !== undefined) return target.isReady || command.isReply ? 'ready' : 'busy';
  return command.connectedTo === undefined || command.connectedTo === incarnation
    ? 'away'
    : 'elsewhere';
}
