import { readDateTime } from '../../ocpp/date-time.ts';

/**
 * The moment that `text` names, Unix time in milliseconds; undefined when it names none.
 *
 * A text without a zone counts as UTC. A charger may take it for its own time, and so be hours off;
 * but so are all others that were sent the same, and it is their common moment that counts.
 */
export function momentOf(text: string): number | undefined {
  const reading = readDateTime(text);
  if (reading === 'unreadable' || reading === 'absurd') return undefined;
  const [, date, hourAndMinute, second, fraction = '', zone = 'Z'] = pattern.exec(text) ?? [];
  if (date === undefined || hourAndMinute === undefined || second === undefined) return undefined;
  // A leap second is the last of its minute. Fractions finer than milliseconds are cut.
  const seconds = second === '60' ? '59' : second;
  const moment = Date.parse(
    `${date}T${hourAndMinute}:${seconds}${fraction.slice(0, 4)}${fullZone(zone)}`,
  );
  return Number.isNaN(moment) ? undefined : moment;
}

/** The moment in a field that may be left out. */
export function momentIn(value: unknown): number | 'unreadable' | undefined {
  if (value === undefined) return undefined;
  return (typeof value === 'string' ? momentOf(value) : undefined) ?? 'unreadable';
}

/** Years have four digits. */
export const lastMomentMs: number = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** `atMs` as OCPP writes a moment: RFC 3339, in UTC; undefined before 1970 and after 9999. */
export function momentText(atMs: number): string | undefined {
  if (!(atMs >= 0 && atMs <= lastMomentMs)) return undefined;
  return new Date(atMs).toISOString().replace('.000Z', 'Z');
}

const pattern = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}):(\d{2})(\.\d+)?(.+)?$/;

/** `Z`, `+01`, `+0100` and `+01:00` as Date.parse wants them. */
function fullZone(zone: string): string {
  const digits = zone.replace(/\D/g, '');
  if (digits === '') return 'Z';
  return `${zone.charAt(0)}${digits.slice(0, 2)}:${digits.slice(2).padEnd(2, '0')}`;
}
