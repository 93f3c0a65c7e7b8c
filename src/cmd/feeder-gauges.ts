import type { FeederGauges, WindowGauges } from '../events/ramp-metrics.ts';
import type { Limits } from '../ramp-limit/ledger.ts';
import { type LoadChange, wholeCommandMilli } from '../ramp-limit/load-change.ts';
import type { FeederStatus } from '../ramp-limit/ramp-status.ts';

/** The state of a feeder in the units of the metrics. */
export function feederGauges(status: FeederStatus): FeederGauges {
  const { feeder, isSlowed, limits, oldestWaitMs, used, waiting } = status;
  return {
    feeder,
    waitingCommands: waiting,
    oldestWaitSeconds: oldestWaitMs / 1000,
    used: windowOf(used),
    budget: budgetOf(limits),
    isSlowed,
  };
}

function windowOf({ commandsMilli, downW, upW }: LoadChange): WindowGauges {
  return { commands: commandsMilli / wholeCommandMilli, upKw: upW / 1000, downKw: downW / 1000 };
}

function budgetOf({ commandsMilli, downW, upW }: Limits): FeederGauges['budget'] {
  return {
    commands: commandsMilli === undefined ? undefined : commandsMilli / wholeCommandMilli,
    upKw: upW === undefined ? undefined : upW / 1000,
    downKw: downW === undefined ? undefined : downW / 1000,
  };
}
