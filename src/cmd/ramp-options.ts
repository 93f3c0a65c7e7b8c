import type { Config } from '../config/schema/config.ts';
import {
  type BudgetFields,
  countBudget,
  feederCountDefault,
  unassignedCountDefault,
} from '../config/schema/ramp-feeders.ts';
import { type FeederBudgets, feedersFromOptions } from '../ramp-limit/feeders.ts';
import { wholeCommandMilli } from '../ramp-limit/load-change.ts';
import type { RampOptions } from '../ramp-limit/ramp-options.ts';

/** What the ramp limiter is to do, from the configuration. */
export function rampOptions({ csms, rampLimit, rules }: Config): RampOptions {
  const { openSecondsMax, oscillation, reply } = rampLimit;
  return {
    mode: modeOf(rampLimit.mode, rules.preset),
    reply,
    onLongWait: longWaits(rampLimit),
    // The rest is for the way of the answer, before the CSMS gives up.
    openMs: openSecondsMax === undefined ? csms.callTimeoutSeconds * 800 : openSecondsMax * 1000,
    holdMs: rampLimit.holdSecondsMax * 1000,
    heldMax: rampLimit.heldCommandsMax,
    heldPerChargerMax: rampLimit.heldCommandsPerChargerMax,
    dwellMs: rampLimit.dwellSeconds * 1000,
    // "In intervals" is PNNL-35706's rule, without chance.
    jitterMs: reply === 'immediate' ? 0 : rampLimit.jitterSeconds * 1000,
    oscillation: {
      windowMs: oscillation.windowSeconds * 1000,
      reversalsMax: oscillation.reversalsMax,
    },
    load: {
      assumedRatedW: watts(rampLimit.assumedRatedKw),
      measuredMsMax: rampLimit.measuredSecondsMax * 1000,
      lineVolts: rampLimit.lineVolts,
      discharge: rampLimit.discharge,
      derControls: rampLimit.derControls,
    },
    futureSteps: rampLimit.futureSteps,
    shiftMsMax: rampLimit.shiftSecondsMax * 1000,
    oversized: rampLimit.oversized,
    feeders: feedersOf(rampLimit),
  };
}

type RampLimit = Config['rampLimit'];

/** A preset that only watches changes no message, and holds none. */
function modeOf(mode: RampLimit['mode'], preset: Config['rules']['preset']): RampOptions['mode'] {
  if (mode !== 'auto') return mode;
  return preset === 'monitor' ? 'monitor' : 'enforce';
}

function longWaits({ onLongWait, reply }: RampLimit): RampOptions['onLongWait'] {
  switch (reply) {
    case 'auto':
      return onLongWait;
    case 'immediate':
      return { ...onLongWait, starts: 'answer', stops: 'answer' };
    case 'defer':
      return { starts: 'refuse', stops: 'refuse', limits: 'refuse', others: 'refuse' };
  }
}

function feedersOf({ feeders, reply, unassigned }: RampLimit): RampOptions['feeders'] {
  return feedersFromOptions({
    feeders: feeders.map((feeder) => ({
      ...budgetsOf(feeder, feederCountDefault),
      name: feeder.name,
      within: feeder.within,
      chargers: feeder.chargers,
      chargerRatedW: maybeWatts(feeder.chargerRatedKw),
    })),
    unassigned: budgetsOf(unassigned, unassignedCountDefault(reply)),
  });
}

function budgetsOf(fields: BudgetFields, countDefault: number): FeederBudgets {
  const { emergencyCommandsPerInterval, emergencyKwPerInterval } = fields;
  return {
    intervalMs: fields.intervalSeconds * 1000,
    budget: {
      commandsMilli: maybeMilli(countBudget(fields, countDefault)),
      upW: maybeWatts(fields.maxUpKwPerInterval),
      downW: maybeWatts(fields.maxDownKwPerInterval),
    },
    ceiling: {
      commandsMilli: maybeMilli(fields.ceilingCommandsPerInterval),
      upW: maybeWatts(fields.ceilingUpKwPerInterval),
      downW: maybeWatts(fields.ceilingDownKwPerInterval),
    },
    reserve: {
      commandsMilli: emergencyCommandsPerInterval * wholeCommandMilli,
      upW: watts(emergencyKwPerInterval),
      downW: watts(emergencyKwPerInterval),
    },
  };
}

function watts(kilowatts: number): number {
  return kilowatts * 1000;
}

function maybeWatts(kilowatts: number | undefined): number | undefined {
  return kilowatts === undefined ? undefined : watts(kilowatts);
}

function maybeMilli(commands: number | undefined): number | undefined {
  return commands === undefined ? undefined : commands * wholeCommandMilli;
}
