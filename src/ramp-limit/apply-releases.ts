import type { Random } from '../lib/random.ts';
import type { Queries } from '../store/store.ts';
import { type HeldCommand, removeCommands, updateCommand } from './command-rows.ts';
import {
  insertEntries,
  type NewEntry,
  noteFall,
  noteRise,
  writeFeederState,
} from './entry-rows.ts';
import { type FeederState, freshFeederState, limitsAt, partOf } from './feeder-state.ts';
import { isNoChange, type LoadChange } from './load-change.ts';
import { afterChange, type OscillationLimits } from './oscillation.ts';
import type { Release } from './plan.ts';
import type { GroupPlan } from './plan-group.ts';

/** A feeder that has begun to swing. */
export interface BegunOscillation {
  readonly feeder: string;
  readonly reversals: number;
}

/** What was written about the releases of a plan. */
export interface AppliedReleases {
  /** Those that had waited, in their order: they are to be sent now. */
  readonly released: readonly { readonly command: HeldCommand; readonly release: Release }[];
  readonly oscillations: readonly BegunOscillation[];
}

/** Notes what the releases of `plan` take, and that those which had waited are sent. */
export async function applyReleases(
  db: Queries,
  plan: GroupPlan,
  nowMs: number,
  options: { readonly incarnation: string; readonly oscillation: OscillationLimits },
  random: Random,
): Promise<AppliedReleases> {
  const { releases } = plan;
  if (releases.length === 0) return { released: [], oscillations: [] };
  const entries = releases.flatMap(({ command, taken }) =>
    taken
      .filter((entry) => !isNoChange(entry))
      .map((entry): NewEntry => {
        return { ...entry, chargerKey: command.chargerKey, commandId: command.id };
      }),
  );
  await insertEntries(db, entries, random);
  for (const { command } of releases) {
    const { chargerKey, place, swing } = command;
    if (swing === 'down') await noteFall(db, chargerKey, place, nowMs);
    if (swing === 'up') await noteRise(db, chargerKey, place, nowMs);
  }
  const released = releases.flatMap((release) => {
    const command = plan.heads.get(release.command.id);
    return command === undefined ? [] : [{ command, release }];
  });
  // Whose caller still waits is told by the charger itself; nothing of it need outlive the process.
  const open = released.filter(({ command }) => !command.isAnswered);
  await removeCommands(
    db,
    open.map(({ command }) => command.id),
  );
  for (const { command } of released) {
    if (!command.isAnswered) continue;
    const { incarnation } = options;
    await updateCommand(db, command.id, { state: 'sent', incarnation, sent_ms: nowMs });
  }
  const oscillations = await noteSwings(db, plan, nowMs, options.oscillation);
  return { released, oscillations };
}

async function noteSwings(
  db: Queries,
  { feeders, feederStates, releases }: GroupPlan,
  nowMs: number,
  limits: OscillationLimits,
): Promise<readonly BegunOscillation[]> {
  const begun: BegunOscillation[] = [];
  for (const feeder of feeders) {
    const before = feederStates.get(feeder.name) ?? freshFeederState;
    // By the budget as it is written down: a slowed feeder must not look as if it swung more.
    const { limits: budget } = limitsAt(feeder, freshFeederState, nowMs, 'ordinary');
    let state: FeederState = before;
    for (const { command } of releases) {
      const direction = directionOf(command.now);
      if (direction === undefined || !command.chain.includes(feeder)) continue;
      const change = { direction, part: partOf(command.now, budget), atMs: nowMs };
      const after = afterChange(state.oscillation, change, feeder.intervalMs, limits);
      state = { ...state, oscillation: after.state };
      if (after.begins) {
        begun.push({ feeder: feeder.name, reversals: after.state.reversalsMs.length });
      }
    }
    if (state !== before) await writeFeederState(db, feeder.name, state);
  }
  return begun;
}

/** A change that may go either way says nothing of a swing. */
function directionOf({ downW, upW }: LoadChange): 'up' | 'down' | undefined {
  if (upW === downW) return undefined;
  return upW > downW ? 'up' : 'down';
}
