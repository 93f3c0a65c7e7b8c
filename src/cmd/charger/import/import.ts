import { createHash } from 'node:crypto';
import path from 'node:path';
import { Command, Option } from 'commander';
import type { ChargerSettings } from '../../../chargers/charger-entry.ts';
import { knownBefore } from '../../../chargers/import-chargers.ts';
import type { Result } from '../../../lib/result.ts';
import { exitCodes } from '../../exit-codes.ts';
import { complain, onStore, type StoreVisit } from '../../on-store.ts';
import { readSecretFile, readStandardInput } from '../../secret-file.ts';
import { sealingKey } from '../credential-changes.ts';
import { feederRemark } from '../feeder-remark.ts';
import { withCommonOptions } from '../identity-argument.ts';
import { jsonText } from '../json-text.ts';
import type { Finding } from './columns.ts';
import { findingsInFile, findingsInStore } from './compare-rows.ts';
import { hashPasswords } from './hash-passwords.ts';
import { type FileCharger, judgeRow } from './judge-row.ts';
import { type ImportFormat, importFormats, readRows } from './read-rows.ts';
import { type ImportCounts, writeImport } from './write-import.ts';

interface ImportOptions {
  readonly config: string;
  readonly json?: true;
  readonly format?: ImportFormat;
  readonly dryRun?: true;
  readonly update?: true;
  readonly strict?: true;
}

/** Bytes of one file. */
const fileBytesMax = 64 * 1024 * 1024;

const help = `
FILE is CSV (RFC 4180, in UTF-8, the first line names the columns) or JSON Lines (one object a line).
Columns, or members: identity, serialNumber, vendor, model, feeder, ratedKw, securityProfile, password,
passwordHex, certificate, certificateFile, certificateName, certificateSerial, basicUser, csmsPassword.
Only identity is required. password is text; 32 to 40 hexadecimal digits mean the bytes that they
spell. passwordHex is always the digits of bytes. certificate is PEM; certificateFile is the path of
such a file, relative to FILE and in the same folder or below; certificateName (the common name) and
certificateSerial do without it.

Every row that is wrong is reported with its line. If there is one, nothing at all is imported. No
password is ever shown.

Examples:
  gatewatt charger import delivery.csv -c gatewatt.yaml --dry-run
  gatewatt charger import delivery.csv -c gatewatt.yaml
  gatewatt charger import - -c gatewatt.yaml --format jsonl --update <delivery.jsonl

Exit codes: 0 imported, or nothing is wrong (--dry-run); 1 something is wrong with the file, or the
store failed; 2 wrong usage.
`;

/** `gatewatt charger import`. */
export function importCommand(): Command {
  const command = new Command('import')
    .summary('add chargers and their credentials from a file')
    .description(
      'Adds the chargers in a file of a manufacturer, with their passwords and certificates: all ' +
        'of them or none. A running gateway takes notice within a second.',
    )
    .argument('<file>', 'CSV or JSON Lines; - for standard input');
  withCommonOptions(command)
    .addOption(
      new Option(
        '--format <format>',
        'the form (default: jsonl for .jsonl, .ndjson and .json, csv for .csv)',
      ).choices(importFormats),
    )
    .option('--dry-run', 'look for everything that is wrong, and import nothing')
    .option('--update', 'also change chargers that were added before')
    .option('--strict', 'warnings are errors');
  return command.addHelpText('after', help).action(async (file: string, options: ImportOptions) => {
    process.exitCode = await importFile(file, options);
  });
}

async function importFile(file: string, options: ImportOptions): Promise<number> {
  const format = options.format ?? formatOf(file);
  if (format === undefined) {
    complain('what form the file has cannot be told from its name: --format csv or --format jsonl');
    return exitCodes.usage;
  }
  return onStore(options.config, async (visit) => {
    const read = await (file === '-'
      ? readStandardInput(fileBytesMax)
      : readSecretFile(file, fileBytesMax));
    if (!read.ok) {
      complain(`gatewatt: ${read.error}`);
      return exitCodes.failed;
    }
    const { bytes, remark } = read.value;
    if (remark !== undefined) complain(remark);
    const key = visit.config.csms.auth.type === 'perCharger' ? await keyOf(visit, options) : null;
    if (key?.ok === false) {
      complain(key.error);
      return exitCodes.failed;
    }
    const fileSha256 = createHash('sha256').update(bytes).digest('hex');
    const folder = file === '-' ? process.cwd() : path.dirname(path.resolve(file));
    const looked = await lookAt(visit, { bytes, format, folder, options });
    const report = new ImportReport(options);
    report.tell(looked.findings);
    if (report.hasErrors) return report.refused();
    if (options.dryRun === true) return report.done(looked.chargers.length, undefined, fileSha256);

    const hashes = await hashPasswords(looked.chargers.map(({ password }) => password));
    const written = await writeImport(visit, {
      chargers: looked.chargers,
      hashes,
      sealingKey: key?.value,
      isUpdate: options.update === true,
      fileSha256,
    });
    if (!written.ok) {
      report.tell(written.error);
      return report.refused();
    }
    return report.done(looked.chargers.length, written.value, fileSha256);
  });
}

function formatOf(file: string): ImportFormat | undefined {
  const extension = path.extname(file).toLowerCase();
  if (extension === '.csv') return 'csv';
  return ['.jsonl', '.ndjson', '.json'].includes(extension) ? 'jsonl' : undefined;
}

function keyOf(visit: StoreVisit, options: ImportOptions): Promise<Result<Buffer, string>> {
  return sealingKey(visit.config, options.config);
}

/** What is in the file, and what is wrong with it beside what the store has now. */
async function lookAt(
  { config, store }: StoreVisit,
  given: {
    readonly bytes: Buffer;
    readonly format: ImportFormat;
    readonly folder: string;
    readonly options: ImportOptions;
  },
): Promise<{ readonly chargers: readonly FileCharger[]; readonly findings: readonly Finding[] }> {
  const { findings: unread, rows } = readRows(given.bytes, given.format);
  const surroundings = {
    folder: given.folder,
    hasCsmsPasswords: config.csms.auth.type === 'perCharger',
    nowMs: store.nowMs(),
    remarkOn: (settings: ChargerSettings) => feederRemark(settings, config),
  };
  const findings = [...unread];
  const chargers: FileCharger[] = [];
  for (const row of rows) {
    const judged = await judgeRow(row, surroundings);
    findings.push(...judged.findings);
    if (judged.charger !== undefined) chargers.push(judged.charger);
  }
  findings.push(...findingsInFile(chargers));
  const before = await store.query((db) => knownBefore(db, chargers));
  findings.push(...findingsInStore(chargers, before, given.options.update === true));
  return { chargers, findings: findings.sort((a, b) => a.line - b.line) };
}

/** Says what was found and done: lines on standard error, and the result on standard output. */
class ImportReport {
  readonly #options: ImportOptions;
  readonly #findings: Finding[] = [];

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  get hasErrors(): boolean {
    return this.#findings.some(({ is }) => is === 'error');
  }

  /** Warnings become errors where the operator wants that. */
  tell(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const is = this.#options.strict === true ? 'error' : finding.is;
      this.#findings.push({ ...finding, is });
      complain(`line ${finding.line}: ${is === 'error' ? '' : 'warning: '}${finding.text}`);
    }
  }

  refused(): number {
    const lines = new Set(this.#findings.filter(({ is }) => is === 'error').map((it) => it.line));
    const rows = lines.size === 1 ? '1 row is wrong' : `${lines.size} rows are wrong`;
    complain(`${rows}: nothing is imported`);
    if (this.#options.json === true) {
      process.stdout.write(jsonText({ outcome: 'refused', findings: this.#findings }));
    }
    return exitCodes.failed;
  }

  /** @param counts undefined when nothing was to be written. */
  done(count: number, counts: ImportCounts | undefined, fileSha256: string): number {
    const outcome = counts === undefined ? 'checked' : 'imported';
    const result = { outcome, count, ...counts, fileSha256, findings: this.#findings };
    const chargers = count === 1 ? '1 charger' : `${count} chargers`;
    const text =
      counts === undefined
        ? `${chargers} could be imported\n`
        : `${chargers} imported: ${counts.added} added, ${counts.changed} changed, ` +
          `${counts.passwords} with a password, ${counts.certificates} with a certificate\n`;
    process.stdout.write(this.#options.json === true ? jsonText(result) : text);
    return exitCodes.ok;
  }
}
