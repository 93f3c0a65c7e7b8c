import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type AuditFilter, exportRecords } from '../../audit/export.ts';
import { asciiJson, type RecordFormat, recordFormats } from '../../audit/record-lines.ts';
import { auditChains } from '../../audit/verify.ts';
import { type EventName, events } from '../../events/catalogue.ts';
import type { Store } from '../../store/store.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore } from '../on-store.ts';
import { noSuchChain } from './no-such-chain.ts';
import { progressOnTerminal } from './progress.ts';

interface ExportOptions {
  readonly config: string;
  readonly format: RecordFormat;
  readonly since?: number;
  readonly until?: number;
  readonly charger?: string;
  readonly event?: EventName;
  readonly chain?: string;
  readonly output?: string;
}

const help = `
Times are those of RFC 3339, with Z or an offset; a date alone is its midnight in UTC.

Examples:
  gatewatt audit export -c gatewatt.yaml --since 2026-03-01 --until 2026-04-01 -o march.jsonl
  gatewatt audit export -c gatewatt.yaml --charger CP-1 --event FrameRefused
  gatewatt audit export -c gatewatt.yaml --format syslog | nc -N syslog.example 601

Exit codes: 0 written, 1 no such log, or the store or the output failed, 2 wrong usage.
`;

/** `gatewatt audit export`. */
export function auditExportCommand(): Command {
  return new Command('export')
    .summary('write the audit log as JSON Lines or syslog')
    .description(
      'Writes the records of the audit log, oldest first: one JSON object a line, or one syslog\n' +
        'message a line (RFC 5424). A running gateway is not disturbed.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .addOption(
      new Option('--format <format>', 'the form')
        .choices(Object.keys(recordFormats))
        .default('jsonl'),
    )
    .option('--since <time>', 'only records of that time and later', readTime)
    .option('--until <time>', 'only records before that time', readTime)
    .option('--charger <id>', 'only records about that charger')
    .option('--event <name>', 'only this event, see docs/events.md', readEvent)
    .option('--chain <id>', 'the log of another gateway on the same database (default: gateway.id)')
    .option('-o, --output <file>', 'write to that file, which is replaced (default: stdout)')
    .addHelpText('after', help)
    .action(async (options: ExportOptions) => {
      process.exitCode = await exportLog(options);
    });
}

function exportLog(options: ExportOptions): Promise<number> {
  return onStore(options.config, async ({ config, store }) => {
    const chain = options.chain ?? config.gateway.id;
    if (!(await auditChains(store)).includes(chain)) {
      complain(await noSuchChain(store, chain));
      return exitCodes.failed;
    }
    const { since: sinceMs, until: untilMs, charger, event } = options;
    const text = exportText(store, { chain, sinceMs, untilMs, charger, event }, options);
    // A pipeline asks for the next records when the reader has taken the ones before.
    const source = Readable.from(text, { objectMode: true, highWaterMark: 1 });
    if (options.output === undefined) {
      await pipeline(source, process.stdout, { end: false });
    } else {
      // Evidence, with personal data: nobody else reads it unless its owner says so.
      await pipeline(source, createWriteStream(options.output, { mode: 0o600 }));
    }
    return exitCodes.ok;
  });
}

async function* exportText(
  store: Store,
  filter: AuditFilter,
  { format, output }: ExportOptions,
): AsyncGenerator<string> {
  const line = recordFormats[format];
  // Characters that JSON leaves as they are can still rewrite what stands on a terminal.
  const isShown = output === undefined && process.stdout.isTTY;
  const shown = isShown
    ? (text: string) => `${asciiJson(text.trimEnd())}\n`
    : (text: string) => text;
  const onProgress = progressOnTerminal('records looked at');
  for await (const records of exportRecords(store, filter, onProgress)) {
    if (records.length > 0) yield records.map((record) => shown(line(record))).join('');
  }
}

const dateTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?$/i;

function readTime(text: string): number {
  const atMs = dateTime.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw new InvalidArgumentError('It must be a time such as 2026-03-01T00:00:00Z.');
  }
  return atMs;
}

function readEvent(text: string): EventName {
  const name = Object.keys(events).find((it) => it.toLowerCase() === text.toLowerCase());
  if (name === undefined) {
    throw new InvalidArgumentError('It must be an event of docs/events.md, such as FrameRefused.');
  }
  return name as EventName;
}
