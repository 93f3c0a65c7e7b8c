import { integerIn, listIn, numberIn } from './read-state.ts';

/** One swing of a feeder: a run of changes in one direction. */
interface Run {
  readonly direction: 'up' | 'down';
  /** The parts of a window's budget that its changes took, and when. */
  readonly parts: readonly { readonly atMs: number; readonly part: number }[];
}

/** How the load of a feeder has gone up and down of late. */
export interface OscillationState {
  readonly run: Run | undefined;
  /** The direction of the last swing that counted. */
  readonly swing: 'up' | 'down' | undefined;
  /** When the swing turned, Unix time in milliseconds; the latest ones. */
  readonly reversalsMs: readonly number[];
  /** The feeder is slowed down until then; 0 for not. */
  readonly slowedUntilMs: number;
}

/** What counts as oscillation. */
export interface OscillationLimits {
  readonly windowMs: number;
  /** Turns within a window that are no oscillation yet. */
  readonly reversalsMax: number;
}

/** The part of a window's budget that makes a swing. Less cannot shake what the budget may. */
const swingPart = 0.75;
/** A run is as long as so many intervals: what comes later is another one. */
const runIntervals = 2;
/** Entries of a run that are kept; more than a swing needs. */
const partsMax = 64;

/** Nothing has happened. */
export const calm: OscillationState = {
  run: undefined,
  swing: undefined,
  reversalsMs: [],
  slowedUntilMs: 0,
};

/**
 * Takes note of a change.
 *
 * @param part the part of the budget of a window that it took.
 * @returns the new state, and whether the feeder oscillates from now on.
 */
export function afterChange(
  state: OscillationState,
  change: { readonly direction: 'up' | 'down'; readonly part: number; readonly atMs: number },
  intervalMs: number,
  { reversalsMax, windowMs }: OscillationLimits,
): { readonly state: OscillationState; readonly begins: boolean } {
  const { atMs, direction, part } = change;
  const sinceMs = atMs - runIntervals * intervalMs;
  const before = state.run?.direction === direction ? state.run.parts : [];
  const parts = [...before.filter((one) => one.atMs > sinceMs), { atMs, part }].slice(-partsMax);
  const run: Run = { direction, parts };
  const sum = parts.reduce((total, one) => total + one.part, 0);
  if (sum < swingPart || state.swing === direction) {
    const swing = sum < swingPart ? state.swing : direction;
    return { state: { ...state, run, swing }, begins: false };
  }
  const isReversal = state.swing !== undefined;
  const reversalsMs = [...state.reversalsMs, ...(isReversal ? [atMs] : [])]
    .filter((turnedMs) => turnedMs > atMs - windowMs)
    .slice(-(reversalsMax + 1));
  const isOscillating = reversalsMs.length > reversalsMax;
  const slowedUntilMs = isOscillating ? atMs + windowMs : state.slowedUntilMs;
  const begins = isOscillating && state.slowedUntilMs <= atMs;
  return { state: { run, swing: direction, reversalsMs, slowedUntilMs }, begins };
}

/** Reads what was stored; damaged text is as good as none. */
export function savedOscillation(saved: unknown): OscillationState {
  const run = direction(saved, 'direction');
  return {
    run:
      run === undefined
        ? undefined
        : {
            direction: run,
            parts: listIn(saved, 'parts')
              .slice(-partsMax)
              .map((one) => ({ atMs: integerIn(one, 'atMs'), part: numberIn(one, 'part') })),
          },
    swing: direction(saved, 'swing'),
    reversalsMs: listIn(saved, 'reversalsMs').map((value) => integerIn({ value }, 'value')),
    slowedUntilMs: integerIn(saved, 'slowedUntilMs'),
  };
}

/** What is to be stored. */
export function oscillationDocument(state: OscillationState): object {
  const { reversalsMs, run, slowedUntilMs, swing } = state;
  return { direction: run?.direction, parts: run?.parts, swing, reversalsMs, slowedUntilMs };
}

function direction(saved: unknown, key: string): 'up' | 'down' | undefined {
  const value = Object(saved)[key];
  return value === 'up' || value === 'down' ? value : undefined;
}
