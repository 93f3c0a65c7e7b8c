import { dimensions, type Limits } from '../../ramp-limit/ledger.ts';
import { timeOf } from '../charger/json-text.ts';
import type { CommandOutlook, FeederOutlook, Why } from './outlook.ts';
import { dimensionKeys, givenUpAtMs, secondsSince } from './wait-text.ts';

/** What --json says of a held command. */
export function commandReport(outlook: CommandOutlook, nowMs: number) {
  const { command, gateway, why, aboutMs } = outlook;
  return {
    id: command.id,
    charger: command.charger,
    connectedTo: gateway ?? null,
    action: command.action,
    feeder: command.feeder,
    lane: command.lane,
    reason: command.reason ?? null,
    state: command.state,
    upKw: command.now.upW / 1000,
    downKw: command.now.downW / 1000,
    commands: command.now.commandsMilli / 1000,
    basis: command.basis,
    arrivedAt: timeOf(command.arrivedAtMs),
    waitedSeconds: secondsSince(command.arrivedAtMs, nowMs),
    why: whyReport(why),
    // JSON has no Infinity; what never goes has no time, and says so in `why`.
    aboutUntil: timeOf(aboutMs),
    isAnswered: command.isAnswered,
    expiresAt: timeOf(givenUpAtMs(command)),
  };
}

/** What --json says of the reason why a command waits. */
export function whyReport(why: Why) {
  if (why.is === 'budget') {
    const { feeder, dimension, untilMs } = why;
    const key = dimensionKeys[dimension];
    return { is: why.is, feeder, dimension: key, until: timeOf(untilMs) };
  }
  return 'untilMs' in why ? { is: why.is, until: timeOf(why.untilMs) } : { is: why.is };
}

/** What --json says of a feeder. */
export function feederReport(outlook: FeederOutlook) {
  const { feeder, used, limits, slowedUntilMs, liftedUntilMs, waiting } = outlook;
  return {
    feeder: feeder.name,
    within: feeder.parent?.name ?? null,
    intervalSeconds: feeder.intervalMs / 1000,
    used: amounts(used),
    limits: amounts(limits),
    ceilings: amounts(feeder.ceiling),
    slowedUntil: timeOf(slowedUntilMs),
    liftedUntil: timeOf(liftedUntilMs),
    waiting,
  };
}

/** Of each dimension, in kW and commands; null for what is not limited. */
export function amounts(limits: Limits): Readonly<Record<string, number | null>> {
  const amount = (value: number | undefined): number | null => {
    return value === undefined ? null : value / 1000;
  };
  return Object.fromEntries(
    dimensions.map((dimension) => [dimensionKeys[dimension], amount(limits[dimension])]),
  );
}
