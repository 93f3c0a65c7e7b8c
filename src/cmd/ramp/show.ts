import { Command } from 'commander';
import { redactText } from '../../ocpp/secrets.ts';
import type { HeldCommand } from '../../ramp-limit/command-rows.ts';
import { earlyAnswer } from '../../ramp-limit/early-answer.ts';
import { dimensions } from '../../ramp-limit/ledger.ts';
import { type LoadChange, noChange, wholeCommandMilli } from '../../ramp-limit/load-change.ts';
import { withCommonOptions } from '../charger/identity-argument.ts';
import { jsonText, timeOf } from '../charger/json-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore } from '../on-store.ts';
import { rampOptions } from '../ramp-options.ts';
import { printable, textTable } from '../text-table.ts';
import { amounts, commandReport, feederReport } from './command-report.ts';
import { feederTable } from './feeder-table.ts';
import { complainOfMode } from './list.ts';
import { readId } from './option-values.ts';
import { type CommandOutlook, isWaiting, type Outlook, readOutlook } from './outlook.ts';
import { findById, unknownText } from './selection.ts';
import {
  aboutText,
  givenUpAtMs,
  secondsSince,
  secondText,
  wholeUnits,
  whyText,
} from './wait-text.ts';

interface ShowOptions {
  readonly config: string;
  readonly json?: true;
}

const help = `
Ahead of it are those that wait, stand before it, and move one of its feeders or its own charger. The
message is shown without its secrets, and with everything escaped that is not printable.

Example:
  gatewatt ramp show 0b7f1c52 -c gatewatt.yaml

Exit codes: 0 shown, 1 no such command or the store failed, 2 wrong usage.
`;

/** `gatewatt ramp show`. */
export function showCommand(): Command {
  const command = new Command('show')
    .summary('show all about a command that waits')
    .description(
      'Shows a command that waits: what it says, why it waits, what is ahead of it, what it counts ' +
        'as, and what the CSMS was told.',
    )
    .argument('<id>', 'the id of the command, or its first 8 characters or more', readId);
  withCommonOptions(command);
  return command.addHelpText('after', help).action(async (id: string, options: ShowOptions) => {
    process.exitCode = await show(id, options);
  });
}

async function show(id: string, options: ShowOptions): Promise<number> {
  return onStore(options.config, async ({ config, store }) => {
    const ramp = rampOptions(config);
    const outlook = await store.query((db) => readOutlook(db, ramp, store.nowMs()));
    const found = findById(outlook.commands, id, ({ command }) => command.id);
    if (found === 'ambiguous' || found === 'unknown') {
      complain(unknownText({ id, outcome: found }));
      return exitCodes.failed;
    }
    process.stdout.write(
      options.json === true ? jsonText(reportOf(found, outlook)) : textOf(found, outlook),
    );
    complainOfMode(ramp);
    return exitCodes.ok;
  });
}

/** What stands before a command. */
interface Ahead {
  readonly count: number;
  readonly change: LoadChange;
}

function aheadOf(outlook: CommandOutlook, { commands }: Outlook): Ahead {
  const before = commands
    .slice(0, commands.indexOf(outlook))
    // Whoever is away lets the others pass.
    .filter((other) => isWaiting(other) && other.why.is !== 'away')
    .filter(
      ({ chain, command }) =>
        command.chargerKey === outlook.command.chargerKey ||
        chain.some((feeder) => outlook.chain.includes(feeder)),
    );
  const change: Record<keyof LoadChange, number> = { ...noChange };
  for (const { command } of before) {
    for (const dimension of dimensions) change[dimension] += command.now[dimension];
  }
  return { count: before.length, change };
}

function reportOf(outlook: CommandOutlook, all: Outlook): object {
  const { chain, command } = outlook;
  const ahead = aheadOf(outlook, all);
  return {
    ...commandReport(outlook, all.nowMs),
    version: command.version,
    messageId: command.messageId,
    place: command.place ?? null,
    isReply: command.isReply,
    sentAt: timeOf(command.sentAtMs),
    told: command.isAnswered ? told(command) : null,
    answerBy: command.isAnswered ? null : timeOf(command.answerByMs),
    onLongWait: command.onLongWait,
    ahead: { count: ahead.count, ...amounts(ahead.change) },
    feeders: all.feeders.filter(({ feeder }) => chain.includes(feeder)).map(feederReport),
    payload: JSON.parse(payloadText(command)),
  };
}

function textOf(outlook: CommandOutlook, all: Outlook): string {
  const { chain, command, gateway, why } = outlook;
  const { nowMs } = all;
  const ahead = aheadOf(outlook, all);
  const isSent = command.state === 'sent';
  const rows = [
    ['id', command.id],
    ['charger', command.charger],
    ['connected', gateway === undefined ? 'no' : `to gateway ${gateway}`],
    ['action', `${command.action} (${command.version})`],
    ['message', command.messageId],
    ...(command.place === undefined ? [] : [['EVSE or connector', `${command.place}`]]),
    ['feeders', chain.map(({ name }) => name).join(', within ')],
    ['lane', command.lane],
    ...(command.reason === undefined ? [] : [['reason', command.reason]]),
    ['load', loadText(command)],
    ['arrived', arrivalText(command, nowMs)],
    ...(isSent
      ? [['sent', command.sentAtMs === undefined ? '?' : secondText(command.sentAtMs)]]
      : []),
    ['waits for', whyText(why)],
    ['goes about', aboutText(outlook, nowMs)],
    ...(isSent ? [] : [['ahead of it', aheadText(ahead)]]),
    ['the CSMS', answerText(command)],
    ...(isSent ? [] : [['expires', secondText(givenUpAtMs(command))]]),
  ];
  const feeders = all.feeders.filter(({ feeder }) => chain.includes(feeder));
  return [textTable(rows, []), feederTable(feeders), `${printable(payloadText(command))}\n`].join(
    '\n',
  );
}

/** Where the kilowatts come from. */
const basisTexts: Readonly<Record<HeldCommand['basis'], string>> = {
  nothing: 'it moves nothing, as far as is known',
  measured: 'as measured of late',
  limit: 'by the limits of charging profiles',
  rating: 'the rating of the charger',
};

function loadText({ basis, now }: HeldCommand): string {
  return `${changeText(now)}: ${basisTexts[basis] ?? basis}`;
}

function changeText({ commandsMilli, downW, upW }: LoadChange): string {
  const commands =
    commandsMilli === wholeCommandMilli ? '1 command' : `${commandsMilli / 1000} commands`;
  return `${wholeUnits(upW)} kW up, ${wholeUnits(downW)} kW down, ${commands}`;
}

function arrivalText({ arrivedAtMs }: HeldCommand, nowMs: number): string {
  const seconds = Math.floor(secondsSince(arrivedAtMs, nowMs));
  return `${secondText(arrivedAtMs)}, ${seconds} s ago`;
}

function aheadText({ change, count }: Ahead): string {
  return count === 0 ? 'nothing' : `${count}, together ${changeText(change)}`;
}

/** What the CSMS was told, or will be. */
function answerText(command: HeldCommand): string {
  const { answerByMs, isAnswered, isReply, onLongWait } = command;
  if (isReply) return 'has answered a call of the charger with it; the charger waits';
  const status = `"${String(told(command)['status'])}"`;
  if (isAnswered) return `was told ${status} in the name of the charger`;
  const by = secondText(answerByMs);
  return onLongWait === 'answer'
    ? `waits; is told ${status} in the name of the charger at ${by}`
    : `waits; is told an error at ${by}`;
}

function told({ action, payload, version }: HeldCommand): Readonly<Record<string, unknown>> {
  return earlyAnswer(version, action, payload);
}

/** Empty for a command that is never answered for: its gateway has it in memory alone. */
function payloadText({ payload }: HeldCommand): string {
  return redactText(JSON.stringify(payload));
}
