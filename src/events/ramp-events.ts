import type { EventEntry } from './event-entry.ts';
import type { EventFields } from './fields.ts';

/** What is reported of commands that change load, and of feeders. */
export const rampEvents = {
  LoadCommandHeld: {
    level: 'info',
    isAudited: true,
    meaning:
      'A command of the CSMS waits, so that the load of a feeder does not change too fast. With ' +
      '`answered`, the CSMS has been told that the charger accepts it.',
    remedy: 'Nothing. Many of them at once, which nobody has planned, may be an attack.',
  },
  LoadCommandReleased: {
    level: 'info',
    isAudited: true,
    meaning: 'A command that waited was sent to its charger.',
    remedy: 'Nothing.',
  },
  LoadCommandRefused: {
    level: 'warn',
    isAudited: true,
    meaning: 'A command was refused because of what it would do to the load of a feeder.',
    remedy: 'The code says why; see docs/errors.md.',
  },
  LoadCommandExpired: {
    level: 'warn',
    isAudited: true,
    meaning:
      'A command waited for too long and was given up. With `wasAnswered`, the CSMS believes that ' +
      'the charger has accepted it.',
    remedy:
      'Check in the CSMS what the charger is to do now. If it was connected all the time, compare ' +
      'the budgets of the feeder with what the CSMS wants of it.',
  },
  LoadCommandReconciled: {
    level: 'info',
    isAudited: true,
    meaning: 'A charger has done what the gateway had told the CSMS on its behalf.',
    remedy: 'Nothing.',
  },
  LoadCommandMismatch: {
    level: 'warn',
    isAudited: true,
    meaning:
      'The gateway told the CSMS that a command is accepted, and then something else became of it.',
    remedy:
      'Check in the CSMS what the charger is to do now. Where that must not happen, set ' +
      '`rampLimit.reply: defer`.',
  },
  LoadCommandsCancelledOut: {
    level: 'info',
    isAudited: true,
    meaning: 'A start and a stop of the same EVSE waited together. Neither was sent.',
    remedy: 'Nothing.',
  },
  LoadCommandSuperseded: {
    level: 'info',
    isAudited: true,
    meaning: 'A newer charging profile has taken the place of one that waited.',
    remedy: 'Nothing.',
  },
  LoadCommandUnclear: {
    level: 'warn',
    isAudited: true,
    meaning:
      'A gateway died while it sent a command: nobody knows whether the charger has got it. It is ' +
      'not sent again, and counts as done.',
    remedy: 'Look at what the charger does.',
  },
  LoadStepShifted: {
    level: 'info',
    isAudited: true,
    meaning:
      'A schedule in a charging profile was moved, because too many chargers of a feeder would have ' +
      'changed their load at the same moment.',
    remedy: 'Nothing. Let the CSMS stagger its schedules if it happens often.',
  },
  LoadCommandOversized: {
    level: 'warn',
    isAudited: true,
    meaning:
      'A single command was larger than a budget of a feeder, and passed alone in its interval.',
    remedy: 'Check the rating of the charger and the budgets of its feeders.',
  },
  LoadPacingWouldHold: {
    level: 'info',
    isAudited: false,
    meaning: 'A command passed that would have been held or refused, if the mode were `enforce`.',
    remedy: 'Compare the budgets with what is normal; then set `rampLimit.mode: enforce`.',
  },
  EmergencyLaneUsed: {
    level: 'warn',
    isAudited: true,
    meaning: 'A command was released at once, with the reserve of a feeder for emergencies.',
    remedy: 'Check that there was an emergency.',
  },
  FeederOscillating: {
    level: 'error',
    isAudited: true,
    meaning:
      'Commands make the load of a feeder swing to and fro. Its budgets are halved until it has ' +
      'been calm for a while.',
    remedy:
      'Find out who commands that: few things but an attack, or two controllers that work against ' +
      'each other, do so. `rampLimit.oscillation` says what counts.',
  },
  FeederCalm: {
    level: 'info',
    isAudited: true,
    meaning: 'A feeder that oscillated has been calm for a while, and has its budgets back.',
    remedy: 'Nothing.',
  },
  RampFeedersMissing: {
    level: 'warn',
    isAudited: true,
    meaning:
      'No feeder is configured, so all chargers together have the budgets in this entry, wherever ' +
      'they hang.',
    remedy: 'Describe the feeders in `rampLimit.feeders`.',
  },
  RampLimiterOff: {
    level: 'warn',
    isAudited: true,
    meaning: 'Whoever has the CSMS can change the load of all chargers at once.',
    remedy: 'Set `rampLimit.mode: enforce`, or `monitor` to see what that would do.',
  },
  LoadCommandCancelled: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator cancelled a command that waited.',
    remedy: 'Nothing.',
  },
  LoadCommandReleaseRequested: {
    level: 'info',
    isAudited: true,
    meaning: 'An operator put a command that waited in front of the others.',
    remedy: 'Nothing.',
  },
  FeederLifted: {
    level: 'warn',
    isAudited: true,
    meaning:
      'An operator gave a feeder other budgets for some time. Its ceilings hold all the same.',
    remedy: 'Nothing, if that was planned.',
  },
  FeederLiftEnded: {
    level: 'info',
    isAudited: true,
    meaning: 'A feeder has the budgets of the configuration file again.',
    remedy: 'Nothing.',
  },
} as const satisfies Partial<Record<keyof EventFields, EventEntry>>;
