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
  return isOrdinary(text) ? 'exact' : readClosely(text);
}

/**
 * Is it an exact moment of the spelling that nearly all have, `2026-01-31T12:00:00Z` with or without
 * a fraction? Each message has one or two, and a regular expression takes ten times as long.
 */
function isOrdinary(text: string): boolean {
  const { length } = text;
  if (length < 20 || length > 33 || text.charCodeAt(length - 1) !== 0x5a) return false;
  const punctuation =
    text.charCodeAt(4) === 0x2d &&
    text.charCodeAt(7) === 0x2d &&
    text.charCodeAt(10) === 0x54 &&
    text.charCodeAt(13) === 0x3a &&
    text.charCodeAt(16) === 0x3a;
  if (!punctuation) return false;
  if (length > 20) {
    if (text.charCodeAt(19) !== 0x2e || length === 21) return false;
    for (let at = 20; at < length - 1; at += 1) if (digitAt(text, at) < 0) return false;
  }
  const year = twoDigitsAt(text, 0) * 100 + twoDigitsAt(text, 2);
  const month = twoDigitsAt(text, 5);
  const day = twoDigitsAt(text, 8);
  return (
    isUpTo(twoDigitsAt(text, 2), 99) &&
    year >= yearExactMin &&
    year <= yearExactMax &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    isUpTo(twoDigitsAt(text, 11), 23) &&
    isUpTo(twoDigitsAt(text, 14), 59) &&
    isUpTo(twoDigitsAt(text, 17), 60)
  );
}

function isUpTo(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}

/** The number that two digits are; negative where they are none. */
function twoDigitsAt(text: string, at: number): number {
  const tens = digitAt(text, at);
  const ones = digitAt(text, at + 1);
  return tens < 0 || ones < 0 ? -1 : tens * 10 + ones;
}

function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

function readClosely(text: string): DateTimeReading {
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

/** February is another matter. */
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return daysInMonth[month - 1] ?? 0;
}
