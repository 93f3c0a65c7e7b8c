/**
 * What a date-time field may hold.
 *
 * `exact` is RFC 3339, as the schemas ask. `loose` is what chargers in the field send instead: no
 * zone, an offset without minutes, a space for the T. `impossible` is no moment at all, or one so
 * far away that it poisons what stores it (a year 222222017 has taken a CSMS database down).
 *
 * Source: RFC 3339 section 5.6; OCPP 1.6 section 3.11.
 */
export type DateTimeReading = 'exact' | 'loose' | 'impossible';

/** 1970 is what a charger without a clock says, so it must pass. */
export const yearMin = 1970;
/** Beyond any profile or certificate that a charger handles today. */
export const yearMax = 2099;

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})([Tt ])(\d{2}):(\d{2}):(\d{2})(\.\d{1,12})?([Zz]|[+-]\d{2}(?::?\d{2})?)?$/;
const zonePattern = /^(?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)$/;

/** Reads `text` as a moment. */
export function readDateTime(text: string): DateTimeReading {
  const match = pattern.exec(text);
  if (match === null) return 'impossible';
  const [, year, month, day, separator, hour, minute, second, , zone] = match;
  const inYear = Number(year) >= yearMin && Number(year) <= yearMax;
  const inClock = Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 60;
  const inMonth = Number(day) >= 1 && Number(day) <= daysIn(Number(year), Number(month));
  const inZones = zone === undefined || zonePattern.test(zone);
  if (!inYear || !inClock || !inMonth || !inZones) return 'impossible';
  const exactZone = zone !== undefined && /^(?:[Zz]|[+-]\d{2}:\d{2})$/.test(zone);
  return separator !== ' ' && exactZone ? 'exact' : 'loose';
}

function daysIn(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
