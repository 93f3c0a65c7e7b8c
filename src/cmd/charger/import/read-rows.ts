import { isUtf8 } from 'node:buffer';
import { type CsvMistake, parseCsv } from '../../../lib/csv.ts';
import { isJsonObject } from '../../../ocpp/message.ts';
import { parseStrictJson } from '../../../ocpp/strict-json.ts';
import {
  type Column,
  columns,
  errorAt,
  type Finding,
  isColumn,
  numberColumns,
  type RawRow,
} from './columns.ts';

/** The forms of a file. */
export const importFormats = ['csv', 'jsonl'] as const;
/** One of them. */
export type ImportFormat = (typeof importFormats)[number];

/** The rows of a file, and what is wrong with those that are not there. */
export interface FileRows {
  readonly rows: readonly RawRow[];
  readonly findings: readonly Finding[];
}

/** Rows of one file. */
export const rowsMax = 1_000_000;
/** UTF-16 code units of one row. A chain of certificates has 10 000. */
const rowLengthMax = 65_536;
/** What is repeated of a file: longer names are no names. */
const nameLengthMax = 40;

/** Reads the rows of a file. Every row that cannot be read is a finding. */
export function readRows(bytes: Buffer, format: ImportFormat): FileRows {
  const findings = linesBeyondUtf8(bytes);
  if (findings.length > 0) return { rows: [], findings };
  const text = bytes.toString('utf8');
  return format === 'csv' ? csvRows(text) : jsonRows(text);
}

function linesBeyondUtf8(bytes: Buffer): readonly Finding[] {
  if (isUtf8(bytes)) return [];
  const findings: Finding[] = [];
  let line = 1;
  let at = 0;
  while (at < bytes.length) {
    const feed = bytes.indexOf(0x0a, at);
    const end = feed === -1 ? bytes.length : feed + 1;
    if (!isUtf8(bytes.subarray(at, end))) findings.push(errorAt(line, 'it is not UTF-8'));
    line += 1;
    at = end;
  }
  return findings;
}

const mistakes: Readonly<Record<CsvMistake, string>> = {
  'stray-quote': 'a quotation mark stands within a field that does not begin with one',
  'text-after-quote': 'text stands behind the quotation mark that ends a field',
  'open-quote': 'a field begins with a quotation mark and is never ended',
  'stray-carriage-return': 'a carriage return stands alone',
  'nul-character': 'a character U+0000',
  'too-long': `the row is longer than ${rowLengthMax} characters`,
};

function csvRows(text: string): FileRows {
  const rows: RawRow[] = [];
  const findings: Finding[] = [];
  let header: readonly Column[] | undefined;
  for (const record of parseCsv(text, { recordLengthMax: rowLengthMax })) {
    const { line } = record;
    if ('mistake' in record) {
      findings.push(errorAt(line, mistakes[record.mistake]));
      // Without its first line nobody knows what stands in the others.
      if (header === undefined) break;
    } else if (header === undefined) {
      const wrong = mistakesInHeader(record.fields);
      findings.push(...wrong.map((it) => errorAt(line, it)));
      if (wrong.length > 0) break;
      header = record.fields.filter(isColumn);
    } else if (record.fields.length !== header.length) {
      const counts = `${record.fields.length} fields, but the first line has ${header.length}`;
      findings.push(errorAt(line, counts));
    } else if (rows.length === rowsMax) {
      findings.push(errorAt(line, `the file has more than ${rowsMax} rows`));
      break;
    } else {
      const { fields } = record;
      const cells = header.map((column, index) => [column, fields[index] ?? ''] as const);
      rows.push({ line, cells: new Map(cells.filter(([, cell]) => cell !== '')) });
    }
  }
  if (header === undefined && findings.length === 0) findings.push(errorAt(1, 'it is empty'));
  return { rows, findings };
}

/** Says nothing of what stands there unless it is a header: it may be the first row. */
function mistakesInHeader(names: readonly string[]): readonly string[] {
  if (!names.includes('identity')) {
    const hint = names[0]?.includes(';') === true ? '; columns are separated by commas' : '';
    return [`the first line must name the columns, and "identity" is not among them${hint}`];
  }
  return names.flatMap((name, index) => {
    if (!isColumn(name)) return [`${named(name, index)}; there are: ${columns.join(', ')}`];
    return names.indexOf(name) === index ? [] : [`the column "${name}" is there twice`];
  });
}

function named(name: string, index: number): string {
  const isName = name.length <= nameLengthMax && /^[\w .-]+$/.test(name);
  return isName ? `there is no column "${name}"` : `column ${index + 1} has a name that is unknown`;
}

function jsonRows(text: string): FileRows {
  const rows: RawRow[] = [];
  const findings: Finding[] = [];
  let line = 0;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    const feed = text.indexOf('\n', at);
    const end = feed === -1 ? text.length : feed;
    line += 1;
    const isTooLong = end - at > rowLengthMax;
    const content = isTooLong ? '' : text.slice(at, end).trim();
    at = end + 1;
    if (isTooLong) findings.push(errorAt(line, mistakes['too-long']));
    if (content === '') continue;
    if (rows.length === rowsMax) {
      findings.push(errorAt(line, `the file has more than ${rowsMax} rows`));
      break;
    }
    const cells = new Map<Column, string>();
    const wrong = readObject(content, cells);
    if (wrong.length === 0) rows.push({ line, cells });
    for (const it of wrong) findings.push(errorAt(line, it));
  }
  if (rows.length === 0 && findings.length === 0) findings.push(errorAt(1, 'it is empty'));
  return { rows, findings };
}

/** Puts the members of an object into `cells`. @returns what is wrong with it. */
function readObject(text: string, cells: Map<Column, string>): readonly string[] {
  const parsed = parseStrictJson(text, { depthMax: 4 });
  if (!parsed.ok || !isJsonObject(parsed.value.value)) return ['it is not an object in JSON'];
  const { hazards, value } = parsed.value;
  if (hazards.size > 0) return [`it can be read in several ways: ${[...hazards].join(', ')}`];
  return Object.entries(value).flatMap(([name, member], index) => {
    if (!isColumn(name)) return [`${named(name, index).replace('column', 'member')}`];
    if (member === null) return [];
    const isNumber = numberColumns[name] !== undefined && typeof member === 'number';
    const cell = isNumber ? `${member}` : member;
    if (typeof cell !== 'string') return [`${name} must be a text`];
    if (cell === '') return [`${name} is empty; leave it out instead`];
    cells.set(name, cell);
    return [];
  });
}
