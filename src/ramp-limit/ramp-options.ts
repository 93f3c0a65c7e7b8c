import type { Feeders } from './feeders.ts';
import type { OversizedPolicy } from './ledger.ts';
import type { OscillationLimits } from './oscillation.ts';

/** What becomes of a command that cannot be released while its call is kept open. */
export type LongWait =
  /** The gateway answers for the charger, and releases the command later. */
  | 'answer'
  /** The CSMS gets an error, and nothing happens. */
  | 'refuse';

/** What the operator has decided about load changes. */
export interface RampOptions {
  /** `monitor` holds nothing, and records what would have been held. */
  readonly mode: 'enforce' | 'monitor' | 'off';
  /**
   * - `auto`: what fits passes at once, a call that waits shortly is kept open.
   * - `immediate`: starts and stops are answered at once, as PNNL-35706 has it.
   * - `defer`: the gateway never answers for a charger.
   */
  readonly reply: 'auto' | 'immediate' | 'defer';
  /** In line with `reply`: all `refuse` with `defer`; starts and stops `answer` with `immediate`. */
  readonly onLongWait: {
    readonly starts: LongWait;
    readonly stops: LongWait;
    /** SetChargingProfile and ClearChargingProfile. */
    readonly limits: LongWait;
    /** Reset and ChangeAvailability. All other commands are refused when the wait is long. */
    readonly others: LongWait;
  };
  /** How long a call is kept open, below what the CSMS waits for an answer. */
  readonly openMs: number;
  /** How long a command is held. Then it expires. */
  readonly holdMs: number;
  readonly heldMax: number;
  readonly heldPerChargerMax: number;
  /** Between the fall and the next rise of one EVSE. */
  readonly dwellMs: number;
  /** At most so much is added at random to what had to wait; 0 with `immediate`. */
  readonly jitterMs: number;
  readonly oscillation: OscillationLimits;
  readonly load: RampLoadOptions;
  /** What becomes of a schedule that would make too many chargers step at one moment. */
  readonly futureSteps: 'shift' | 'refuse' | 'off';
  readonly shiftMsMax: number;
  readonly oversized: OversizedPolicy;
  readonly feeders: Feeders;
}

/** How the kilowatts of a command are told. */
export interface RampLoadOptions {
  /** The rating of a charger of which nobody said one. */
  readonly assumedRatedW: number;
  /** A measurement that is older says nothing. */
  readonly measuredMsMax: number;
  /** Of one phase, for limits in A. */
  readonly lineVolts: number;
  /** Commands that let a charger feed into the grid. */
  readonly discharge: 'refuse' | 'count';
  /** Commands that change how a charger answers to voltage and frequency. */
  readonly derControls: 'refuse' | 'count';
}
