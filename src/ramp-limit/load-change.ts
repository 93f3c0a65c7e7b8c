/**
 * What a command, or a step of a schedule, does to the load of a feeder. Whole numbers, rounded up:
 * sums of fractions would let a budget be exceeded by what was rounded away.
 */
export interface LoadChange {
  /**
   * Thousandths of a command. A start or a stop is a whole one; a change of a limit is the part of
   * the load that it moves, so that "limit 0 to all" counts like "stop all", and a change of a tenth
   * like a tenth.
   */
  readonly commandsMilli: number;
  /** By how much the load may rise, in W. */
  readonly upW: number;
  /** By how much the load may fall, in W. */
  readonly downW: number;
}

/** A change at a known moment: what a schedule does by itself. */
export interface LoadStep extends LoadChange {
  /** Unix time in milliseconds. */
  readonly atMs: number;
}

/** Nothing changes. */
export const noChange: LoadChange = { commandsMilli: 0, upW: 0, downW: 0 };

/** Does nothing change? */
export function isNoChange({ commandsMilli, downW, upW }: LoadChange): boolean {
  return commandsMilli === 0 && downW === 0 && upW === 0;
}

/** A whole command, in thousandths. */
export const wholeCommandMilli = 1000;

/** Where the kilowatts of a command come from. */
export type LoadBasis =
  /** It moves nothing, as far as is known. */
  | 'nothing'
  /** What the charger has measured of late. */
  | 'measured'
  /** The limits that charging profiles set. */
  | 'limit'
  /** What the charger can do at most: nothing better is known. */
  | 'rating';

/** What one command does, now and later. */
export interface LoadEstimate {
  readonly now: LoadChange;
  readonly basis: LoadBasis;
  /** The EVSE (the connector in OCPP 1.6) that it is about; undefined for the whole charger. */
  readonly place: number | undefined;
  /**
   * Whether it turns its place up or down by more than half of what the place takes or may take.
   * The dwell time is about these.
   */
  readonly swing: 'up' | 'down' | 'none';
  /** What happens by itself afterwards; undefined when the command leaves that as it is. */
  readonly later: LaterSteps | undefined;
}

/** What happens by itself after a command. */
export type LaterSteps =
  /** All that the schedules of the charger do, in order of time, in place of what they did before. */
  | { readonly is: 'schedule'; readonly steps: readonly LoadStep[] }
  /** The charger restarts once, in addition. */
  | { readonly is: 'restart'; readonly steps: readonly [LoadStep] };
