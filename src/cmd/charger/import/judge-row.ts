import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { CertificateBinding } from '../../../chargers/charger-credential.ts';
import type { ChargerSettings } from '../../../chargers/charger-entry.ts';
import type { ChargerId } from '../../../chargers/charger-id.ts';
import { describePasswordProblem } from '../../../identity/password-hash.ts';
import { failed, ok, type Result } from '../../../lib/result.ts';
import { readSecretFile } from '../../secret-file.ts';
import { bindingOfName, bindingOfPem, bindingOfSerial } from '../binding-text.ts';
import { identityDemand, identityIn } from '../identity-argument.ts';
import { settingsSchema } from '../setting-options.ts';
import {
  type Column,
  errorAt,
  type Finding,
  numberColumns,
  type RawRow,
  warningAt,
} from './columns.ts';

/** One charger as the file describes it. */
export interface FileCharger {
  readonly line: number;
  readonly id: ChargerId;
  readonly settings: ChargerSettings;
  readonly password: Buffer | undefined;
  readonly binding: CertificateBinding | undefined;
  readonly csmsPassword: Buffer | undefined;
}

/** What a row is judged by. */
export interface RowSurroundings {
  /** `certificateFile` is relative to it, and must stay inside. */
  readonly folder: string;
  /** Does the gateway have a password for each charger towards the CSMS? */
  readonly hasCsmsPasswords: boolean;
  readonly nowMs: number;
  /** What is odd about a feeder; see `feederRemark`. */
  remarkOn(settings: ChargerSettings): string | undefined;
}

/** What a row says. */
export interface JudgedRow {
  /** Undefined without an identity; incomplete when there is an error among the findings. */
  readonly charger: FileCharger | undefined;
  readonly findings: readonly Finding[];
}

/** Bytes of a file with a certificate and those above it. */
const certificateBytesMax = 65_536;

const settingColumns = {
  serialNumber: 'serialNumber',
  vendor: 'vendor',
  model: 'model',
  feeder: 'feeder',
  ratedKw: 'ratedKw',
  securityProfile: 'requiredSecurityProfile',
  basicUser: 'basicUser',
} as const satisfies Partial<Record<Column, keyof ChargerSettings>>;

/** Judges one row by itself. No finding repeats what stands in the row. */
export async function judgeRow(
  { line, cells }: RawRow,
  surroundings: RowSurroundings,
): Promise<JudgedRow> {
  const findings: Finding[] = [];
  const error = (text: string): void => void findings.push(errorAt(line, text));
  const warn = (text: string): void => void findings.push(warningAt(line, text));

  const id = identityIn(cells.get('identity') ?? '');
  if (id === undefined) error(`identity ${identityDemand}`);
  else if (id.includes('*')) error('identity must not hold a *');
  const settings = readSettings(cells, error);
  const remark = surroundings.remarkOn(settings);
  if (remark !== undefined) warn(remark);
  const password = readPassword(cells, error, warn);
  if (password !== undefined && isGuessed(password, cells)) {
    warn('the password is the identity or the serial number');
  }
  const binding = await readBinding(cells, surroundings, error, warn);
  const csmsPassword = readCsmsPassword(cells, surroundings, error);

  const charger =
    id === undefined ? undefined : { line, id, settings, password, binding, csmsPassword };
  return { charger, findings };
}

type Cells = RawRow['cells'];
type Say = (text: string) => void;

function readSettings(cells: Cells, error: Say): ChargerSettings {
  const settings: Record<string, unknown> = {};
  for (const column of Object.keys(settingColumns) as (keyof typeof settingColumns)[]) {
    const cell = cells.get(column);
    if (cell === undefined) continue;
    const key = settingColumns[column];
    const demand = numberColumns[column];
    const isNumber = demand !== undefined && /^(?:0|[1-9]\d{0,8})$/.test(cell);
    const value = isNumber ? Number(cell) : cell;
    const parsed = settingsSchema.shape[key].safeParse(value);
    if (parsed.success) settings[key] = parsed.data;
    else if (demand !== undefined) error(`${column} ${demand}`);
    else error(`${column}: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
  }
  return settings;
}

function readPassword(cells: Cells, error: Say, warn: Say): Buffer | undefined {
  const text = cells.get('password');
  const hex = cells.get('passwordHex');
  if (text !== undefined && hex !== undefined) {
    error('password and passwordHex exclude each other');
    return undefined;
  }
  if (hex !== undefined && !/^(?:[0-9a-f]{2})+$/i.test(hex)) {
    error('passwordHex must be an even number of hexadecimal digits');
    return undefined;
  }
  const given = text ?? hex;
  if (given === undefined) return undefined;
  const password = Buffer.from(given, text === undefined ? 'hex' : 'utf8');
  const problem = describePasswordProblem(password);
  if (problem?.is === 'unusable') error(problem.text);
  if (problem?.is === 'weak') warn(`the password is weak: ${problem.text}`);
  return password;
}

/** Whoever sees the charger knows these. */
function isGuessed(password: Buffer, cells: Cells): boolean {
  const text = password.toString('utf8').toLowerCase();
  return [cells.get('identity'), cells.get('serialNumber')].some(
    (it) => it?.toLowerCase() === text,
  );
}

const bindingColumns = [
  'certificate',
  'certificateFile',
  'certificateName',
  'certificateSerial',
] as const satisfies readonly Column[];

async function readBinding(
  cells: Cells,
  { folder, nowMs }: RowSurroundings,
  error: Say,
  warn: Say,
): Promise<CertificateBinding | undefined> {
  const [column, ...others] = bindingColumns.filter((it) => cells.has(it));
  if (column === undefined) return undefined;
  if (others.length > 0) {
    error(`${[column, ...others].join(' and ')} exclude each other`);
    return undefined;
  }
  const cell = cells.get(column) ?? '';
  if (column === 'certificateName' || column === 'certificateSerial') {
    const binding = column === 'certificateName' ? bindingOfName(cell) : bindingOfSerial(cell);
    if (binding.ok) return binding.value;
    error(`${column} ${binding.error}`);
    return undefined;
  }
  const pem = column === 'certificate' ? ok(cell) : await readPem(folder, cell);
  const read = pem.ok ? bindingOfPem(pem.value, nowMs) : pem;
  if (!read.ok) {
    error(`${column}: ${read.error}`);
    return undefined;
  }
  for (const remark of read.value.remarks) warn(remark);
  return read.value.binding;
}

/** The file comes from a manufacturer: it must not make the operator's account read other files. */
async function readPem(folder: string, name: string): Promise<Result<string, string>> {
  const file = path.resolve(folder, name);
  const fromFolder = path.relative(folder, file);
  if (path.isAbsolute(name) || fromFolder.startsWith('..') || fromFolder === '') {
    return failed('it must be a path inside the folder of the imported file');
  }
  // A pipe or a device would never end.
  const isFile = await stat(file).then(
    (it) => it.isFile(),
    () => false,
  );
  if (!isFile) return failed('there is no such file');
  const read = await readSecretFile(file, certificateBytesMax);
  return read.ok ? ok(read.value.bytes.toString('latin1')) : failed('it cannot be read');
}

function readCsmsPassword(
  cells: Cells,
  { hasCsmsPasswords }: RowSurroundings,
  error: Say,
): Buffer | undefined {
  const cell = cells.get('csmsPassword');
  if (cell === undefined) return undefined;
  if (!hasCsmsPasswords) error('csmsPassword needs csms.auth perCharger in the configuration');
  const password = Buffer.from(cell, 'utf8');
  if (describePasswordProblem(password)?.is === 'unusable') error('csmsPassword is too long');
  return password;
}
