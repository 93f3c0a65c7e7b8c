/** What is wrong with one record. */
export type CsvMistake =
  /** A quotation mark within a field that does not begin with one. */
  | 'stray-quote'
  /** Text between the quotation mark that ends a field and the next comma. */
  | 'text-after-quote'
  /** The text ends before the field does. */
  | 'open-quote'
  /** A carriage return without the line feed that belongs to it. */
  | 'stray-carriage-return'
  | 'nul-character'
  | 'too-long';

/** One record, or why there is none. */
export type CsvRecord =
  /** `line` is the one that it begins in, counted from 1. */
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly mistake: CsvMistake };

/** Limits of `parseCsv`. */
export interface CsvLimits {
  /** UTF-16 code units of one record, with its quotation marks. */
  readonly recordLengthMax: number;
}

/**
 * The records of a text of comma-separated values, read strictly: whatever two programs could read
 * differently is a mistake. Empty lines are no records. Line breaks are CRLF or LF; the last one may
 * be missing.
 *
 * A mistake ends with its line, and the next line is read as a record again. Only a field that is
 * never closed takes the rest of the text with it.
 *
 * Source: RFC 4180 section 2.
 */
export function* parseCsv(text: string, { recordLengthMax }: CsvLimits): Generator<CsvRecord> {
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const record = readRecord(text, at);
    const length = record.end - at;
    const isEmpty = record.mistake === undefined && length === 0;
    if (length > recordLengthMax) yield { line, mistake: 'too-long' };
    else if (record.mistake !== undefined) yield { line, mistake: record.mistake };
    else if (!isEmpty) yield { line, fields: record.fields };
    for (let i = at; i < record.next; i += 1) if (text.charCodeAt(i) === lineFeed) line += 1;
    at = record.next;
  }
}

/** Where a record ends and the next one begins, and what it holds. */
interface Reading {
  readonly fields: readonly string[];
  readonly mistake: CsvMistake | undefined;
  readonly end: number;
  readonly next: number;
}

const comma = 0x2c;
const quote = 0x22;
const lineFeed = 0x0a;

function readRecord(text: string, start: number): Reading {
  const fields: string[] = [];
  let at = start;
  for (;;) {
    const field = text.charCodeAt(at) === quote ? quoted(text, at) : plain(text, at);
    if (field.mistake !== undefined) {
      return { ...lineEnd(text, field.end), fields: [], mistake: field.mistake };
    }
    fields.push(field.value);
    at = field.end;
    if (text.charCodeAt(at) !== comma) return { ...lineEnd(text, at), fields, mistake: undefined };
    at += 1;
  }
}

/** A field. It ends before a comma, a line break, or the end of the text. */
type Field =
  | { readonly value: string; readonly end: number; readonly mistake?: undefined }
  | { readonly mistake: CsvMistake; readonly end: number };

function plain(text: string, start: number): Field {
  let end = start;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === comma || code === lineFeed) break;
    end += 1;
  }
  const isLast = text.charCodeAt(end) !== comma;
  // The carriage return of a line break is no part of the field; at the end of the text there is
  // no line break that it could belong to.
  if (isLast && end < text.length && end > start && text[end - 1] === '\r') end -= 1;
  const value = text.slice(start, end);
  const mistake = value.includes('"')
    ? 'stray-quote'
    : value.includes('\r')
      ? 'stray-carriage-return'
      : value.includes('\0')
        ? 'nul-character'
        : undefined;
  return mistake === undefined ? { value, end } : { mistake, end };
}

function quoted(text: string, start: number): Field {
  let close = text.indexOf('"', start + 1);
  while (close !== -1 && text.charCodeAt(close + 1) === quote) close = text.indexOf('"', close + 2);
  if (close === -1) return { mistake: 'open-quote', end: text.length };
  const end = close + 1;
  const isEnd = end === text.length || /^(?:,|\r?\n)/.test(text.slice(end, end + 2));
  if (!isEnd) return { mistake: 'text-after-quote', end };
  const value = text.slice(start + 1, close).replaceAll('""', '"');
  return value.includes('\0') ? { mistake: 'nul-character', end } : { value, end };
}

/** The line break at or after `at`. */
function lineEnd(text: string, at: number): { readonly end: number; readonly next: number } {
  const feed = text.indexOf('\n', at);
  if (feed === -1) return { end: text.length, next: text.length };
  return { end: feed > at && text[feed - 1] === '\r' ? feed - 1 : feed, next: feed + 1 };
}
