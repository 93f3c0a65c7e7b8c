import type { Transaction } from 'kysely';
import type { ChargerId } from '../chargers/charger-id.ts';
import { storedIdentity } from '../chargers/record.ts';
import type { Queries } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { laneRank } from './command-rows.ts';
import { feederStatesOf, forgetLater, writeFeederState } from './entry-rows.ts';
import type { RampLane } from './feeder-state.ts';
import { type FeederState, freshFeederState, type Lift, rampLanes } from './feeder-state.ts';
import type { Feeder } from './feeders.ts';
import { type Dimension, dimensions, type Limits } from './ledger.ts';

/**
 * What an operator does with commands that wait, and with the budgets of a feeder, while gateways
 * run. All that changes something belongs into a transaction that has begun with `lockRamp`.
 */

/** A held command, as far as it matters to whoever wants to do something with it. */
export interface CommandSubject {
  readonly id: string;
  readonly chargerKey: string;
  readonly charger: ChargerId;
  readonly action: string;
  /** The name of its nearest feeder, which may be in the configuration no longer. */
  readonly feeder: string;
  readonly lane: RampLane;
  /** See `HeldState`. */
  readonly state: string;
}

/** Every held command, in the order of release. */
export async function commandSubjects(db: Queries): Promise<readonly CommandSubject[]> {
  const rows = await db
    .selectFrom('ramp_command')
    .select(['id', 'identity_key', 'charger', 'action', 'feeder', 'lane_rank', 'state'])
    .orderBy('lane_rank')
    .orderBy('sequence')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    chargerKey: row.identity_key,
    charger: storedIdentity(row.charger),
    action: row.action,
    feeder: row.feeder,
    lane: rampLanes.find((lane) => laneRank(lane) === row.lane_rank) ?? 'ordinary',
    state: row.state,
  }));
}

/** What became of the wish to cancel a command. */
export type CancelOutcome =
  /** It is gone. The CSMS believes that the charger has accepted it. */
  | 'cancelled-answered'
  /** The gateway that has its caller tells it when it looks next. */
  | 'cancelled-unanswered'
  /** That was so before. */
  | 'already'
  /** The charger may have it. */
  | 'sent'
  | 'gone';

/** Ids in one statement; SQLite allows 32 766 parameters in one. */
const idsMax = 500;

/** Cancels what has not been sent. @returns what became of each, by its id. */
export async function cancelCommands(
  db: Transaction<Tables>,
  subjects: readonly CommandSubject[],
  nowMs: number,
): Promise<ReadonlyMap<string, CancelOutcome>> {
  const unanswered = new Set<string>();
  const answered = new Set<string>();
  for (const ids of idGroups(subjects)) {
    // A gateway answers without the lock, so each statement looks for itself. What is answered, or
    // begins to wait, between the two is what the second one looks for.
    const marked = await db
      .updateTable('ramp_command')
      .set({ state: 'cancelled' })
      .where('id', 'in', ids)
      .where('state', '=', 'waiting')
      .where('is_answered', '=', 0)
      .returning('id')
      .execute();
    const removed = await db
      .deleteFrom('ramp_command')
      .where('id', 'in', ids)
      .where((row) =>
        row.or([
          // Its caller is being answered at this moment.
          row('state', '=', 'arriving'),
          row.and([row('state', '=', 'waiting'), row('is_answered', '=', 1)]),
        ]),
      )
      .returning('id')
      .execute();
    for (const { id } of marked) unanswered.add(id);
    for (const { id } of removed) answered.add(id);
  }
  for (const { chargerKey, id } of subjects) {
    if (answered.has(id)) await forgetLater(db, chargerKey, id, nowMs);
  }
  return new Map(
    subjects.map(({ id, state }) => {
      if (answered.has(id)) return [id, 'cancelled-answered'];
      if (unanswered.has(id)) return [id, 'cancelled-unanswered'];
      if (state === 'sent') return [id, 'sent'];
      return [id, state === 'cancelled' ? 'already' : 'gone'];
    }),
  );
}

/** What became of the wish to release a command. */
export type ReleaseRequestOutcome =
  | 'moved'
  /** It was in this lane before, or in a faster one. */
  | 'already'
  /** The charger may have it. */
  | 'sent'
  | 'cancelled'
  | 'gone';

/** Puts what waits into a faster lane. @returns what became of each, by its id. */
export async function hastenCommands(
  db: Transaction<Tables>,
  subjects: readonly CommandSubject[],
  lane: RampLane,
  reason: string,
): Promise<ReadonlyMap<string, ReleaseRequestOutcome>> {
  const moved = new Set<string>();
  const rank = laneRank(lane);
  for (const ids of idGroups(subjects)) {
    const rows = await db
      .updateTable('ramp_command')
      .set({ lane_rank: rank, reason })
      .where('id', 'in', ids)
      .where('state', 'in', ['arriving', 'waiting'])
      .where('lane_rank', '>', rank)
      .returning('id')
      .execute();
    for (const { id } of rows) moved.add(id);
  }
  return new Map(
    subjects.map((subject) => {
      const { id, state } = subject;
      if (moved.has(id)) return [id, 'moved'];
      if (state === 'sent' || state === 'cancelled') return [id, state];
      return [id, laneRank(subject.lane) <= rank ? 'already' : 'gone'];
    }),
  );
}

/** A value for a lift that nobody may set while gateways run. */
export interface LiftExcess {
  readonly dimension: Dimension;
  /** What it is above: the ceiling, or the budget where there is no ceiling. */
  readonly above: 'budget' | 'ceiling';
  readonly limit: number;
}

/** Where `limits` are above what an operator may set: that is for the configuration file alone. */
export function liftExcesses({ budget, ceiling }: Feeder, limits: Limits): readonly LiftExcess[] {
  return dimensions.flatMap((dimension): readonly LiftExcess[] => {
    const above = ceiling[dimension] === undefined ? 'budget' : 'ceiling';
    const limit = ceiling[dimension] ?? budget[dimension];
    const asked = limits[dimension];
    if (asked === undefined || limit === undefined || asked <= limit) return [];
    return [{ dimension, above, limit }];
  });
}

/**
 * Gives a feeder other budgets for some time, or without `lift` those of the configuration.
 *
 * @returns its state before.
 */
export async function liftFeeder(
  db: Transaction<Tables>,
  feeder: Feeder,
  lift: Lift | undefined,
): Promise<FeederState> {
  const { name } = feeder;
  const before = (await feederStatesOf(db, [feeder])).get(name) ?? freshFeederState;
  // How the feeder has swung stays: a lift is no way around the slow-down.
  await writeFeederState(db, name, { ...before, lift });
  return before;
}

function idGroups(subjects: readonly CommandSubject[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  for (let at = 0; at < subjects.length; at += idsMax) {
    groups.push(subjects.slice(at, at + idsMax).map(({ id }) => id));
  }
  return groups;
}
