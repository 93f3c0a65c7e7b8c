import type { JsonObject } from '../ocpp/message.ts';
import type { Queries } from '../store/store.ts';
import { futureOf, type NewEntry } from './entry-rows.ts';
import { freshFeederState, limitsAt } from './feeder-state.ts';
import type { Feeder } from './feeders.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import type { LaterSteps, LoadEstimate, LoadStep } from './load-change.ts';

/** What a command will do later, and for whom. */
export interface StepsQuestion {
  readonly chargerKey: string;
  readonly commandId: string;
  /** The feeders of the charger, the nearest first. */
  readonly chain: readonly Feeder[];
  readonly later: LaterSteps;
  /**
   * The command with its schedule so many seconds later, and what that does; undefined when it cannot
   * be moved.
   */
  shifted(shiftSeconds: number): ShiftedCommand | undefined;
  /** How far its schedule may be moved to find room, in milliseconds; 0 for not at all. */
  readonly shiftMsMax: number;
}

/** A command whose schedule was moved. */
export interface ShiftedCommand {
  readonly payload: JsonObject;
  readonly estimate: LoadEstimate;
}

/** Room for what a command will do later. */
export type StepsRoom =
  | {
      readonly is: 'room';
      readonly shiftSeconds: number;
      /** Undefined when it stays as it is. */
      readonly shifted: ShiftedCommand | undefined;
      readonly entries: readonly NewEntry[];
    }
  | { readonly is: 'none' };

/** Nothing is to be done later, or nobody asks. */
export const noSteps: StepsRoom = {
  is: 'room',
  shiftSeconds: 0,
  shifted: undefined,
  entries: [],
};

/** Attempts to find room: more would keep everybody waiting. */
const attemptsMax = 32;

/**
 * Finds room for the steps of a schedule among those that other chargers will make: where many step
 * in the same second, the feeder does. Where there is none, the schedule is moved to a later time.
 *
 * Source: PNNL-35706 section 5 (charging profiles as future work); threat T1-06.
 */
export async function findRoom(db: Queries, question: StepsQuestion): Promise<StepsRoom> {
  const { chain, chargerKey, later, shiftMsMax } = question;
  const [first] = later.steps;
  const last = later.steps.at(-1);
  if (first === undefined || last === undefined) return noSteps;
  const span = { fromMs: first.atMs, toMs: last.atMs + shiftMsMax };
  const present: { readonly feeder: Feeder; readonly entries: readonly LedgerEntry[] }[] = [];
  for (const feeder of chain) {
    // Of a restart nothing replaces what the charger has: its schedules go on.
    const except = later.is === 'schedule' ? chargerKey : '';
    present.push({ feeder, entries: await futureOf(db, feeder, span, except) });
  }
  // A restart waits for nobody: its time stands in a signed message.
  const longestMs = later.is === 'schedule' ? shiftMsMax : 0;
  let shiftMs = 0;
  let steps: readonly LoadStep[] = later.steps;
  let shifted: ShiftedCommand | undefined;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const ledgers = present.map(({ entries, feeder }) => {
      return { feeder, ledger: new Ledger(feeder.intervalMs, entries) };
    });
    const missingMs = missingRoom(steps, ledgers);
    if (missingMs === 0) {
      const entries = entriesOf(question, steps);
      return { is: 'room', shiftSeconds: shiftMs / 1000, shifted, entries };
    }
    // Schedules are told in seconds.
    shiftMs += Math.max(1000, Math.ceil(missingMs / 1000) * 1000);
    if (shiftMs > longestMs) break;
    shifted = question.shifted(shiftMs / 1000);
    if (shifted?.estimate.later?.is !== 'schedule') break;
    steps = shifted.estimate.later.steps;
  }
  return { is: 'none' };
}

/**
 * How much later the steps must come, at least, as far as one of them shows; 0 when they fit. They
 * count for each other: a schedule that swings by itself is no better than many that step together.
 */
function missingRoom(
  steps: readonly LoadStep[],
  ledgers: readonly { readonly feeder: Feeder; readonly ledger: Ledger }[],
): number {
  let missingMs = 0;
  for (const step of steps) {
    for (const { feeder, ledger } of ledgers) {
      // That a feeder is slowed down or lifted is a matter of minutes, and not of the future.
      const allowance = limitsAt(feeder, freshFeederState, step.atMs, 'ordinary');
      for (const { untilMs } of ledger.shortages(step, step.atMs, allowance, 'alone')) {
        missingMs = Math.max(missingMs, untilMs - step.atMs);
      }
      ledger.add(step);
    }
    // What fits nowhere need not be looked at further.
    if (missingMs > 0) break;
  }
  return missingMs;
}

function entriesOf(
  { chain, chargerKey, commandId, later }: StepsQuestion,
  steps: readonly LoadStep[],
): readonly NewEntry[] {
  return steps.flatMap((step) =>
    chain.map(({ name }) => ({ ...step, feeder: name, kind: later.is, chargerKey, commandId })),
  );
}
