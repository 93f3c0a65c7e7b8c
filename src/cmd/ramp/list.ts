import { Command } from 'commander';
import { matchesGlob } from '../../lib/glob.ts';
import type { RampOptions } from '../../ramp-limit/ramp-options.ts';
import { withCommonOptions } from '../charger/identity-argument.ts';
import { jsonText } from '../charger/json-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore } from '../on-store.ts';
import { rampOptions } from '../ramp-options.ts';
import { printable, textTable } from '../text-table.ts';
import { commandReport, feederReport } from './command-report.ts';
import { type NamedFeeders, namedFeeders } from './feeder-name.ts';
import { feederTable } from './feeder-table.ts';
import { idLengthMin } from './option-values.ts';
import { type CommandOutlook, type Outlook, readOutlook } from './outlook.ts';
import {
  aboutText,
  givenUpAtMs,
  secondsSince,
  secondText,
  wholeUnits,
  whyText,
} from './wait-text.ts';

interface ListOptions {
  readonly config: string;
  readonly json?: true;
  readonly feeder?: string;
  readonly charger?: string;
  readonly feeders?: true;
}

const help = `
They stand in the order of release. ABOUT UNTIL is a guess: newer commands may go first, and chargers
come and go. ANSWERED says whether the CSMS has its answer already. With --json there are all
feeders, with --feeders they are a second table; what waits for a feeder counts for those that it is
a part of as well.

Examples:
  gatewatt ramp list -c gatewatt.yaml --feeder north --feeders
  gatewatt ramp list -c gatewatt.yaml --charger "DEPOT-*" --json | jq ".commands[].id"

Exit codes: 0 listed, even if nothing waits; 1 no such feeder or the store failed, 2 wrong usage.
`;

/** `gatewatt ramp list`. */
export function listCommand(): Command {
  const command = new Command('list')
    .summary('list the commands that wait, and why')
    .description(
      'Lists the commands of the CSMS that wait, so that the load of a feeder does not change too ' +
        'fast, and those that were sent and have no answer yet.',
    );
  withCommonOptions(command)
    .option('--feeder <name>', 'only those of this feeder and of its parts')
    .option('--charger <pattern>', 'only those of chargers that match; * is any characters')
    .option('--feeders', 'also how full the budgets of the feeders are');
  return command.addHelpText('after', help).action(async (options: ListOptions) => {
    process.exitCode = await list(options);
  });
}

async function list(options: ListOptions): Promise<number> {
  return onStore(options.config, async ({ config, store }) => {
    const ramp = rampOptions(config);
    const outlook = await store.query((db) => readOutlook(db, ramp, store.nowMs()));
    const named = feedersAskedFor(options, ramp, outlook);
    if (named === 'unknown') return exitCodes.failed;
    const commands = outlook.commands.filter(({ command }) => {
      const { chargerKey, feeder } = command;
      const pattern = options.charger?.toLowerCase() ?? '*';
      return (named?.has(feeder) ?? true) && matchesGlob(pattern, chargerKey);
    });
    const feeders = outlook.feeders.filter(({ feeder }) => named?.has(feeder.name) ?? true);
    if (options.json === true) {
      const report = {
        mode: ramp.mode,
        commands: commands.map((it) => commandReport(it, outlook.nowMs)),
        feeders: feeders.map(feederReport),
      };
      process.stdout.write(jsonText(report));
    } else {
      const length = shortIdLength(outlook);
      const rows = commands.map((it) => cellsOf(it, outlook.nowMs, length));
      const tables = [
        ...(rows.length === 0 ? [] : [textTable(rows, headings)]),
        ...(options.feeders === true ? [feederTable(feeders)] : []),
      ];
      process.stdout.write(tables.join('\n'));
    }
    if (commands.length === 0) complain('There are no such commands.');
    complainOfMode(ramp);
    return exitCodes.ok;
  });
}

/** Says so when the limiter holds nothing. */
export function complainOfMode({ mode }: RampOptions): void {
  if (mode === 'enforce') return;
  complain(`rampLimit.mode is ${mode}: gateways with this configuration hold nothing.`);
}

/** Undefined for all of them. */
function feedersAskedFor(
  { feeder }: ListOptions,
  { feeders }: RampOptions,
  { commands }: Outlook,
): NamedFeeders | 'unknown' | undefined {
  if (feeder === undefined) return undefined;
  const held = commands.map(({ command }) => command.feeder);
  const named = namedFeeders(feeder, feeders, held);
  if (named === undefined) complain(`There is no feeder ${printable(feeder)}.`);
  return named ?? 'unknown';
}

const headings = [
  'ID',
  'CHARGER',
  'ACTION',
  'FEEDER',
  'LANE',
  'kW UP',
  'kW DOWN',
  'WAITED',
  'WHY',
  'ABOUT UNTIL',
  'ANSWERED',
  'EXPIRES',
];

function cellsOf(outlook: CommandOutlook, nowMs: number, idLength: number): readonly string[] {
  const { command, why } = outlook;
  return [
    command.id.slice(0, idLength),
    command.charger,
    command.action,
    command.feeder,
    command.lane,
    `${wholeUnits(command.now.upW)}`,
    `${wholeUnits(command.now.downW)}`,
    `${Math.floor(secondsSince(command.arrivedAtMs, nowMs))} s`,
    whyText(why),
    aboutText(outlook, nowMs),
    command.isAnswered ? 'yes' : 'no',
    command.state === 'sent' || command.state === 'cancelled'
      ? '-'
      : secondText(givenUpAtMs(command)),
  ];
}

/** Characters by which the ids of all held commands differ. */
function shortIdLength({ commands }: Outlook): number {
  const ids = commands.map(({ command }) => command.id);
  let length = idLengthMin;
  while (length < idLengthMax && new Set(ids.map((id) => id.slice(0, length))).size < ids.length) {
    length += 1;
  }
  return length;
}

/** Of a UUID. */
const idLengthMax = 36;
