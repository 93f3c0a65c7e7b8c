import { Command } from 'commander';
import {
  findQuarantined,
  listQuarantined,
  type QuarantineEntry,
  type QuarantineRecord,
  releaseQuarantined,
} from '../../audit/quarantined-frames.ts';
import { jsonText, timeOf } from '../charger/json-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore } from '../on-store.ts';
import { operatorName } from '../operator-name.ts';
import { numberAtLeast } from '../simulate-output.ts';
import { printable, textTable } from '../text-table.ts';

interface CommonOptions {
  readonly config: string;
  readonly json?: true;
}

interface ListOptions extends CommonOptions {
  readonly charger?: string;
  readonly before?: string;
  readonly limit: number;
}

/** `gatewatt audit quarantine`: the refused messages. */
export function auditQuarantineCommand(): Command {
  const command = new Command('quarantine').description(
    'the messages that were refused, as they came but for their secrets',
  );
  for (const subcommand of [listCommand(), showCommand(), releaseCommand()]) {
    subcommand.exitOverride();
    command.addCommand(subcommand);
  }
  return command;
}

function withCommonOptions(command: Command): Command {
  return command
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('--json', 'one JSON value for programs');
}

/** Messages that are listed, unless more are asked for, and at most. */
const limitDefault = 50;
const limitMax = 10_000;

const listHelp = `
Examples:
  gatewatt audit quarantine list -c gatewatt.yaml
  gatewatt audit quarantine list -c gatewatt.yaml --charger CP-1 --limit 500 --json

Exit codes: 0 listed, even if there is nothing, 1 the store failed, 2 wrong usage.
`;

function listCommand(): Command {
  return withCommonOptions(new Command('list'))
    .summary('list refused messages, the newest first')
    .description('Lists refused messages, the newest first.')
    .option('--charger <id>', 'only messages to or from that charger')
    .option('--before <id>', 'only messages before that one: the next page of a list')
    .option('--limit <n>', `how many, ${limitMax} at most`, numberAtLeast(1, true), limitDefault)
    .addHelpText('after', listHelp)
    .action(async (options: ListOptions) => {
      process.exitCode = await list(options);
    });
}

function list({ config, charger, before, limit, json }: ListOptions): Promise<number> {
  return onStore(config, async ({ store }) => {
    const filter = { charger, beforeId: before, limit: Math.min(limit, limitMax) };
    const entries = await listQuarantined(store, filter);
    if (json === true) {
      process.stdout.write(jsonText(entries.map(jsonOf)));
      return exitCodes.ok;
    }
    if (entries.length === 0) {
      complain('there are no such messages in the quarantine');
      return exitCodes.ok;
    }
    process.stdout.write(textTable(entries.map(rowOf), headings));
    const last = entries.at(-1);
    if (entries.length === filter.limit && last !== undefined) {
      complain(`there may be more: --before ${last.id}`);
    }
    return exitCodes.ok;
  });
}

const headings = ['ID', 'TIME', 'CHARGER', 'FROM', 'ACTION', 'CODE', 'PENALTY', 'BYTES'] as const;

function rowOf({ id, atMs, charger, finding, frameBytes }: QuarantineEntry): readonly string[] {
  const { from, action, code, penalty } = textsOf(finding);
  const bytes = String(frameBytes);
  return [id, timeOf(atMs) ?? '?', charger, from, action, code, penalty, bytes].map(
    (it) => it ?? '-',
  );
}

const showHelp = `
The message is shown with everything escaped that is not printable; --json has it exactly.

Example:
  gatewatt audit quarantine show mk2h1c00-1f3a90c4 -c gatewatt.yaml

Exit codes: 0 shown, 1 no such message or the store failed, 2 wrong usage.
`;

function showCommand(): Command {
  return withCommonOptions(new Command('show').argument('<id>', 'the id that list shows'))
    .summary('show one refused message, and why it was refused')
    .description('Shows one refused message whole, without its secrets, and why it was refused.')
    .addHelpText('after', showHelp)
    .action(async (id: string, options: CommonOptions) => {
      process.exitCode = await show(id, options);
    });
}

function show(id: string, { config, json }: CommonOptions): Promise<number> {
  return onStore(config, async ({ store }) => {
    const record = await findQuarantined(store, id);
    if (record === undefined) return unknownId(id);
    process.stdout.write(json === true ? jsonText(jsonOf(record)) : describe(record));
    return exitCodes.ok;
  });
}

const releaseHelp = `
The gateway never sends the message: its sender had its answer when it was refused. Whoever wants it
to arrive after all sends it anew.

Example:
  gatewatt audit quarantine release mk2h1c00-1f3a90c4 -c gatewatt.yaml >message.json

Exit codes: 0 released, 1 no such message or the store failed, 2 wrong usage.
`;

function releaseCommand(): Command {
  return withCommonOptions(new Command('release').argument('<id>', 'the id that list shows'))
    .summary('take one refused message out of the quarantine')
    .description(
      'Takes one refused message out of the quarantine and writes it to standard output. The audit\n' +
        'log has who did it.',
    )
    .addHelpText('after', releaseHelp)
    .action(async (id: string, options: CommonOptions) => {
      process.exitCode = await release(id, options);
    });
}

function release(id: string, options: CommonOptions): Promise<number> {
  return onStore(options.config, async ({ config, store }) => {
    const by = { by: operatorName(), chain: config.gateway.id, atMs: store.nowMs() };
    const record = await releaseQuarantined(store, id, by);
    if (record === undefined) return unknownId(id);
    // A terminal gets it escaped, a file or a program as it came.
    const frame = process.stdout.isTTY ? printable(record.frame) : record.frame;
    process.stdout.write(options.json === true ? jsonText(jsonOf(record)) : `${frame}\n`);
    complain(`${printable(id)} is released, and no longer in the quarantine`);
    return exitCodes.ok;
  });
}

function unknownId(id: string): number {
  complain(`gatewatt: there is no message ${printable(id)} in the quarantine (any more)`);
  return exitCodes.failed;
}

function describe(record: QuarantineRecord): string {
  const { id, atMs, gatewayId, charger, finding, frameBytes, frame } = record;
  const rows = [
    ['id', id],
    ['time', timeOf(atMs) ?? '?'],
    ['gateway', gatewayId],
    ['charger', charger],
    ...Object.entries(textsOf(finding)),
    ['bytes', String(frameBytes)],
  ];
  return `${textTable(rows, [])}\n${printable(frame)}\n`;
}

/** For programs: the names of the audit log and of the events. */
function jsonOf({ atMs, finding, ...entry }: QuarantineEntry): object {
  const { id, gatewayId, charger, ...others } = entry;
  return { id, at: timeOf(atMs), gatewayId, charger, ...finding, ...others };
}

function textsOf(finding: QuarantineEntry['finding']): Readonly<Record<string, string>> {
  const texts = Object.entries(finding).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(texts);
}
