import type { ErrorEntry } from './error-entry.ts';
import { checkThePeer } from './remedies.ts';

/** Why a command of the CSMS that changes load is not passed on, or not any more. */
export const rampErrors = {
  RAMP_BUSY: {
    meaning:
      'The command would change the load of a feeder too fast, and cannot be released before the ' +
      'CSMS gives up waiting.',
    remedy:
      'Nothing, if the CSMS tries again by itself. If it happens in everyday operation, raise the ' +
      'budgets of the feeder to what the grid bears.',
    sentence: 'The load of the feeder is changing too fast; try again later.',
    callError: 'GenericError',
  },
  RAMP_FULL: {
    meaning: 'Too many commands wait for their release, in all or of one charger.',
    remedy:
      'See what the CSMS wants with so many: `rampLimit.heldCommandsMax` and ' +
      '`rampLimit.heldCommandsPerChargerMax` limit them.',
    sentence: 'Too many commands are waiting for their release.',
    callError: 'GenericError',
  },
  RAMP_EXPIRED: {
    meaning:
      'The command could not be released while its call was open, or has waited longer than ' +
      '`rampLimit.holdSecondsMax`. It was not passed on.',
    remedy:
      'Nothing, if the charger was away. Otherwise compare the budgets of the feeder with what the ' +
      'CSMS wants of it.',
    sentence: 'The command could not be released in time.',
    callError: 'GenericError',
  },
  RAMP_CANCELLED: {
    meaning:
      'A waiting command was cancelled: by an operator, or by a later one that undoes it. It was not ' +
      'passed on.',
    remedy: 'Nothing.',
    sentence: 'The command has been cancelled.',
    callError: 'GenericError',
  },
  RAMP_SUPERSEDED: {
    meaning: 'A newer charging profile has taken the place of one that waited.',
    remedy: 'Nothing: the charger gets the newer one.',
    sentence: 'A newer charging profile has replaced this one.',
    callError: 'GenericError',
  },
  RAMP_OVERSIZED: {
    meaning:
      'The command by itself would change the load by more than the budget or the ceiling of a ' +
      'feeder allows at all.',
    remedy:
      'Check the rating of the charger and the budgets of its feeders. `rampLimit.oversized: alone` ' +
      'lets single commands pass; a ceiling holds all the same.',
    sentence: 'The command would change the load by more than is allowed.',
    callError: 'GenericError',
  },
  RAMP_STEP: {
    meaning:
      'With the schedule in this command, the chargers of a feeder would change their load too much ' +
      'at one and the same moment later on.',
    remedy:
      'Let the CSMS stagger its schedules. With `rampLimit.futureSteps: shift` the gateway does it, ' +
      'as far as `rampLimit.shiftSecondsMax` allows.',
    sentence: 'Too many charging stations would change their load at one moment.',
    callError: 'GenericError',
  },
  RAMP_PROFILE_INVALID: {
    meaning:
      'The gateway cannot tell what a charging profile does to the load, because its parts ' +
      'contradict each other or are out of range.',
    remedy: checkThePeer,
    sentence: 'The charging profile is not acceptable.',
    callError: 'PropertyConstraintViolation',
  },
  RAMP_DISCHARGE: {
    meaning: 'The command would let the charger feed into the grid.',
    remedy: 'If that is wanted, set `rampLimit.discharge: count`.',
    sentence: 'Feeding into the grid is not allowed.',
    callError: 'SecurityError',
  },
  RAMP_DER_CONTROL: {
    meaning: 'The command would change how the charger reacts to voltage and frequency.',
    remedy: 'If that is wanted, set `rampLimit.derControls: count`.',
    sentence: 'Controls of distributed energy resources are not allowed.',
    callError: 'SecurityError',
  },
  RAMP_UNKNOWN: {
    meaning: 'The database is away, so nobody knows how much the load of the feeder may change.',
    remedy: 'Bring the database back; what does not change load goes on meanwhile.',
    sentence: 'The load of the feeder is not known at the moment.',
    callError: 'InternalError',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
