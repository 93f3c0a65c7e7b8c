import { events } from '../events/catalogue.ts';
import type { EventLevel } from '../events/event-entry.ts';
import type { AuditRecord } from './export.ts';

/** The forms of an export; each makes one line of a record, with its line break. */
export const recordFormats = { jsonl: jsonLine, syslog: syslogLine } as const;

/** The name of a form. */
export type RecordFormat = keyof typeof recordFormats;

/**
 * A record as a line of JSON, in which everything that its hash is made of can be read: `document`
 * stands there letter by letter as it is stored.
 */
export function jsonLine(record: AuditRecord): string {
  const { chain, sequence, at_ms, event, charger, document, hash } = record;
  const head = JSON.stringify({ chain, sequence, at: timeText(at_ms), at_ms, event, charger });
  return `${head.slice(0, -1)},"document":${oneLine(document)},"hash":${JSON.stringify(hash)}}\n`;
}

/** What is no JSON on one line, because somebody has changed it, becomes a JSON string. */
function oneLine(document: string): string {
  try {
    JSON.parse(document);
  } catch {
    return JSON.stringify(document);
  }
  return /[\n\r]/.test(document) ? JSON.stringify(document) : document;
}

/** RFC 5424 table 1: log audit. */
const facility = 13;
/** RFC 5424 table 2, by the level of the event. What is not logged is information here. */
const severities: Readonly<Record<EventLevel, number>> = {
  error: 3,
  warn: 4,
  info: 6,
  none: 6,
  debug: 7,
};
/** The private enterprise number for documentation (RFC 5612): the project has none of its own. */
const structuredDataId = 'audit@32473';

/**
 * A record as a syslog message (RFC 5424) with a line feed behind it.
 *
 * HOSTNAME is the chain, which is the id of the gateway. The message is JSON in ASCII: then it needs
 * no byte order mark (section 6.4) and no receiver can get its encoding wrong.
 */
export function syslogLine(record: AuditRecord): string {
  const { chain, sequence, at_ms, event, charger, document, hash } = record;
  const level = new Map<string, { readonly level: EventLevel }>(Object.entries(events)).get(
    event,
  )?.level;
  const priority = facility * 8 + severities[level ?? 'info'];
  const parameters = [
    parameter('sequence', String(sequence)),
    parameter('hash', hash),
    ...(charger === null ? [] : [parameter('charger', charger)]),
  ];
  const header = [
    `<${priority}>1`,
    timeText(at_ms) ?? nil,
    headerField(chain, 255),
    'gatewatt',
    nil,
    headerField(event, 32),
  ];
  const structuredData = `[${structuredDataId} ${parameters.join(' ')}]`;
  return `${header.join(' ')} ${structuredData} ${asciiJson(oneLine(document))}\n`;
}

/** RFC 5424 section 6: what a field has that has no value. */
const nil = '-';

/** Section 6: header fields are printable ASCII without spaces, and not longer than that. */
function headerField(text: string, lengthMax: number): string {
  const field = text.replace(/[^!-~]/gu, '?').slice(0, lengthMax);
  return field === '' ? nil : field;
}

/** Section 6.3.3: these three are escaped, and nothing else may be. */
function parameter(name: string, value: string): string {
  // A line break would end the message for a receiver that reads lines.
  const printable = value.replace(/[^ -~]/gu, '?');
  return `${name}="${printable.replace(/["\\\]]/g, '\\$&')}"`;
}

/** JSON with everything escaped that is not printable ASCII; for a terminal, for one. */
export function asciiJson(json: string): string {
  return json.replace(/[^ -~]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** RFC 3339 with milliseconds; null for a time that there is not. */
function timeText(atMs: number): string | null {
  const isTime = typeof atMs === 'number' && atMs >= 0 && atMs < 253_402_300_800_000;
  return isTime ? new Date(atMs).toISOString() : null;
}
