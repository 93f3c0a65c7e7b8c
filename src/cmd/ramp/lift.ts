import { Command, Option } from 'commander';
import { lockRamp } from '../../ramp-limit/entry-rows.ts';
import type { FeederState } from '../../ramp-limit/feeder-state.ts';
import type { Feeder } from '../../ramp-limit/feeders.ts';
import { dimensions, type Limits } from '../../ramp-limit/ledger.ts';
import { type LiftExcess, liftExcesses, liftFeeder } from '../../ramp-limit/operator-acts.ts';
import { withCommonOptions } from '../charger/identity-argument.ts';
import { jsonText, timeOf } from '../charger/json-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { actOnFeeder, complain, onStore, recordActs, type StoreVisit } from '../on-store.ts';
import { rampOptions } from '../ramp-options.ts';
import { printable } from '../text-table.ts';
import { amounts } from './command-report.ts';
import { readReason, wholeNumber } from './option-values.ts';
import { dimensionTexts, secondText, wholeUnits } from './wait-text.ts';

interface LiftOptions {
  readonly config: string;
  readonly json?: true;
  readonly minutes?: number;
  readonly upKw?: number;
  readonly downKw?: number;
  readonly commands?: number;
  readonly end?: true;
  readonly reason?: string;
}

/** As in the configuration file: `config/schema/ramp-feeders.ts`. */
const kwMax = 1_000_000;
const commandsMax = 100_000;
/** A day. What is to hold for longer belongs into the configuration file. */
const minutesMax = 1440;
const minuteMs = 60_000;

const help = `
What is not given stays as the configuration file has it. Above the ceilings of the feeder goes
nothing; without a ceiling, nothing above its budget. A second lift replaces the first one. The
budgets of the feeders that it is a part of hold as they are, and so does a slow-down because of
oscillation. The feeder of the chargers that no other has is called "unassigned".

Examples:
  gatewatt ramp lift north -c gatewatt.yaml --minutes 60 --up-kw 400 --reason "morning departure"
  gatewatt ramp lift north -c gatewatt.yaml --end

Exit codes: 0 done; 1 no such feeder, above what is allowed, nothing to end, or the store failed;
2 wrong usage.
`;

/** `gatewatt ramp lift`. */
export function liftCommand(): Command {
  const command = new Command('lift')
    .summary('give a feeder other budgets for some time')
    .description('Gives a feeder other budgets for some time, or ends that before its time.')
    .argument('<feeder>', 'the name of the feeder');
  withCommonOptions(command)
    .addOption(number('--minutes <n>', `for how long, ${minutesMax} at most`, minutesMax))
    .addOption(number('--up-kw <n>', 'the rise in kW within each interval', kwMax))
    .addOption(number('--down-kw <n>', 'the fall in kW within each interval', kwMax))
    .addOption(number('--commands <n>', 'the commands within each interval', commandsMax))
    .option('--end', 'the budgets of the configuration file again')
    .addOption(new Option('--reason <text>', 'why').argParser(readReason));
  return command.addHelpText('after', help).action(async (feeder: string, options: LiftOptions) => {
    process.exitCode = await lift(feeder, options);
  });
}

function number(flags: string, description: string, max: number): Option {
  return new Option(flags, description).argParser(wholeNumber(1, max));
}

async function lift(name: string, options: LiftOptions): Promise<number> {
  const mistake = mistakeIn(options);
  if (mistake !== undefined) {
    complain(mistake);
    return exitCodes.usage;
  }
  return onStore(options.config, async (visit) => {
    const feeder = rampOptions(visit.config).feeders.find(name);
    if (feeder === undefined) {
      complain(`There is no feeder ${printable(name)}.`);
      return exitCodes.failed;
    }
    return options.minutes === undefined
      ? end(visit, feeder, options)
      : begin(visit, feeder, options, options.minutes);
  });
}

function mistakeIn({ end, minutes, ...rest }: LiftOptions): string | undefined {
  const { commands, downKw, reason, upKw } = rest;
  const hasBudget = upKw !== undefined || downKw !== undefined || commands !== undefined;
  if (end === true) {
    const isMore = hasBudget || minutes !== undefined || reason !== undefined;
    return isMore ? '--end: give neither --minutes nor budgets nor --reason with it' : undefined;
  }
  if (minutes === undefined) return 'give --minutes, or --end';
  return hasBudget ? undefined : 'give one of --up-kw, --down-kw and --commands at least';
}

async function begin(
  visit: StoreVisit,
  feeder: Feeder,
  options: LiftOptions,
  minutes: number,
): Promise<number> {
  const { store } = visit;
  const asked: Limits = {
    commandsMilli: thousandfold(options.commands),
    upW: thousandfold(options.upKw),
    downW: thousandfold(options.downKw),
  };
  const excesses = liftExcesses(feeder, asked);
  for (const excess of excesses) complain(excessText(feeder, excess));
  if (excesses.length > 0) return exitCodes.failed;
  const limits: Limits = {
    commandsMilli: asked.commandsMilli ?? feeder.budget.commandsMilli,
    upW: asked.upW ?? feeder.budget.upW,
    downW: asked.downW ?? feeder.budget.downW,
  };
  const nowMs = store.nowMs();
  const untilMs = nowMs + minutes * minuteMs;
  const until = timeOf(untilMs) ?? '';
  const { reason } = options;
  const before = await store.transactDurably(async (db) => {
    await lockRamp(db);
    const state = await liftFeeder(db, feeder, { limits, untilMs });
    const { commands, downKw, upKw } = amounts(limits);
    const act = actOnFeeder('FeederLifted', {
      feeder: feeder.name,
      until,
      upKw: upKw ?? undefined,
      downKw: downKw ?? undefined,
      commands: commands ?? undefined,
      reason,
    });
    await recordActs(visit, db, [act]);
    return state;
  });
  if (options.json === true) {
    process.stdout.write(
      jsonText({
        feeder: feeder.name,
        outcome: 'lifted',
        until,
        limits: amounts(limits),
        reason: reason ?? null,
      }),
    );
    return exitCodes.ok;
  }
  const texts = dimensions.map((dimension) => {
    const limit = limits[dimension];
    const amount = limit === undefined ? 'no limit' : `${wholeUnits(limit)}`;
    return `${dimensionTexts[dimension]} ${amount}`;
  });
  const seconds = feeder.intervalMs / 1000;
  process.stdout.write(
    `${printable(feeder.name)} has other budgets until ${until}, in ${seconds} s: ${texts.join(', ')}\n`,
  );
  complainOfRest(feeder, before, nowMs);
  return exitCodes.ok;
}

/** Says what a lift leaves as it is. */
function complainOfRest(feeder: Feeder, { oscillation }: FeederState, nowMs: number): void {
  const { slowedUntilMs } = oscillation;
  if (slowedUntilMs > nowMs) {
    const until = secondText(slowedUntilMs);
    complain(`It has swung to and fro: until ${until} half of its budgets hold, of these as well`);
  }
  if (feeder.parent !== undefined) {
    const parent = printable(feeder.parent.name);
    complain(`It is a part of ${parent}, whose budgets hold as they are`);
  }
}

async function end(visit: StoreVisit, feeder: Feeder, options: LiftOptions): Promise<number> {
  const { store } = visit;
  const { name } = feeder;
  const wasLifted = await store.transactDurably(async (db) => {
    await lockRamp(db);
    const before = await liftFeeder(db, feeder, undefined);
    if ((before.lift?.untilMs ?? 0) <= store.nowMs()) return false;
    await recordActs(visit, db, [actOnFeeder('FeederLiftEnded', { feeder: name })]);
    return true;
  });
  if (!wasLifted) {
    complain(`${printable(name)} has the budgets of the configuration file already`);
    return exitCodes.failed;
  }
  const text = `${printable(name)} has the budgets of the configuration file again\n`;
  const report = { feeder: name, outcome: 'ended' };
  process.stdout.write(options.json === true ? jsonText(report) : text);
  return exitCodes.ok;
}

function thousandfold(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1000;
}

/** The options, and the keys of the configuration that bound them. */
const bounds = {
  commandsMilli: { option: '--commands', ceiling: 'ceilingCommandsPerInterval', unit: '' },
  upW: { option: '--up-kw', ceiling: 'ceilingUpKwPerInterval', unit: ' kW' },
  downW: { option: '--down-kw', ceiling: 'ceilingDownKwPerInterval', unit: ' kW' },
} as const;

function excessText({ name }: Feeder, { above, dimension, limit }: LiftExcess): string {
  const { ceiling, option, unit } = bounds[dimension];
  const amount = `${wholeUnits(limit)}${unit}`;
  return above === 'ceiling'
    ? `${option}: the ceiling of ${printable(name)} is ${amount} (${ceiling}); nobody can lift that ` +
        'while gateways run'
    : `${option}: the budget of ${printable(name)} is ${amount}, and more needs a ceiling in the ` +
        `configuration file: ${ceiling}`;
}
