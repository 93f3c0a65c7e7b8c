import type { RampStatus } from '../ramp-limit/ramp-status.ts';

/** Dials to the CSMS, one for each charger that comes. */
export interface DialState {
  /** Since the start, whatever became of them. */
  readonly made: number;
  /** Chargers that wait for their turn. */
  readonly waiting: number;
}

/** What the outside may ask of a running gateway. The admin server sees nothing else of it. */
export interface GatewayControl {
  /** Does it take new chargers? If not, why not? */
  readiness(): 'ready' | 'stopping' | 'store unavailable';
  /** Chargers that are connected through. */
  sessionCount(): number;
  /** How many chargers were to be connected to the CSMS, and how many wait for that. */
  dials(): DialState;
  /** Chargers of which something is still to be written to the store. */
  unwrittenCount(): number;
  /** How full the budgets of feeders are, and what waits for them. */
  rampStatus(): RampStatus;
  /** Passwords that were compared with a slow hash since the start. */
  passwordChecks(): number;
}
