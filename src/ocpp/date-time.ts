/**
 * What a date-time field holds.
 *
 * - `exact`: RFC 3339, as the schemas ask, between 1970 and 2099.
 * - `loose`: what the field has instead: no zone, an offset without minutes, a space for the T, or
 *   a year before 1970, which is what "no date" looks like in some languages.
 * - `far`: a year from 2100 to 9999. It says "never" in an expiry date, and nonsense elsewhere.
 * - `absurd`: a year of five digits or more. One such has taken a CSMS database down.
 * - `unreadable`: no moment at all.
 *
 * Source: RFC 3339 section 5.6; OCPP 1.6 section 3.11.
 */
export type DateTimeReading = 'exact' | 'loose' | 'far' | 'absurd' | 'unreadable';

/** 1970 is what a charger without a clock says. */
const yearExactMin = 1970;
/** Beyond any profile or certificate that a charger handles today. */
const yearExactMax = 2099;

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})([Tt ])(\d{2}):(\d{2}):(\d{2})(\.\d{1,12})?([Zz]|[+-]\d{2}(?::?\d{2})?)?$/;
const zonePattern = /^(?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)$/;

/** Reads `text` as a moment. */
export function readDateTime(text: string): DateTimeReading {
  const match = pattern.exec(text);
  if (match === null) return /^[+-]?\d{5,}-/.test(text) ? 'absurd' : 'unreadable';
  const [, year, month, day, separator, hour, minute, second, , zone] = match;
  const inClock = Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 60;
  const inMonth = Number(day) >= 1 && Number(day) <= daysIn(Number(year), Number(month));
  const inZones = zone === undefined || zonePattern.test(zone);
  if (!inClock || !inMonth || !inZones) return 'unreadable';
  if (Number(year) > yearExactMax) return 'far';
  const exactZone = zone !== undefined && /^(?:[Zz]|[+-]\d{2}:\d{2})$/.test(zone);
  const isExact = separator !== ' ' && exactZone && Number(year) >= yearExactMin;
  return isExact ? 'exact' : 'loose';
}

function daysIn(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
