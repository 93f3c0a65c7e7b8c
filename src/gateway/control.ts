import type { RampStatus } from '../ramp-limit/ramp-status.ts';

/** What the outside may ask of a running gateway. The admin server sees nothing else of it. */
export interface GatewayControl {
  /** Does it take new chargers? If not, why not? */
  readiness(): 'ready' | 'stopping' | 'store unavailable';
  /** Chargers that are connected through. */
  sessionCount(): number;
  /** Chargers of which something is still to be written to the store. */
  unwrittenCount(): number;
  /** How full the budgets of feeders are, and what waits for them. */
  rampStatus(): RampStatus;
  /** Passwords that were compared with a slow hash since the start. */
  passwordChecks(): number;
}
