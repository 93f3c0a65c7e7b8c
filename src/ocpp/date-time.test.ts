import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type DateTimeReading, readDateTime } from './date-time.ts';

// Goal: official moments are exact, what chargers in the field send is loose, and what is no moment,
// or poisons a database, is neither.
// Method: a table of texts by reading, then the edges of every part.

const readings: Readonly<Record<DateTimeReading, readonly string[]>> = {
  exact: [
    '2026-01-01T00:00:00Z',
    '2026-01-01t00:00:00z',
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00.123456789Z',
    '2026-01-01T00:00:00+00:00',
    '2026-06-30T23:59:60Z',
    '2026-01-01T00:00:00-11:30',
    '2026-01-01T00:00:00+14:00',
    '2024-02-29T12:00:00Z',
    '2000-02-29T12:00:00Z',
    '1970-01-01T00:00:00Z',
    '2099-12-31T23:59:59Z',
  ],
  loose: [
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00.000',
    '2026-01-01T00:00:00+02',
    '2026-01-01T00:00:00+0200',
    '2026-01-01 00:00:00Z',
    '2026-01-01 00:00:00',
    '1969-12-31T23:59:59Z',
    '0001-01-01T00:00:00Z',
  ],
  far: ['2100-01-01T00:00:00Z', '2199-12-31T00:00:00+01:00', '9999-12-31T23:59:59Z'],
  absurd: ['222222017-01-01T00:00:00Z', '+222222-01-01T00:00:00Z', '10000-01-01T00:00:00Z'],
  unreadable: [
    '',
    ' ',
    'now',
    '2026-01-01',
    '12:00:00',
    '-2026-01-01T00:00:00Z',
    '0000-00-00T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T00:00Z',
    '2026-1-1T0:0:0Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567890123Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+02:60',
    '2026-01-01T00:00:00+99',
    '2026-01-01T00:00:00+2:00',
    '2026-01-01T00:00:00 Z',
    '2026-01-01T00:00:00Zx',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '２０２６-01-01T00:00:00Z',
  ],
};

describe('date and time', () => {
  for (const reading of Object.keys(readings) as DateTimeReading[]) {
    for (const text of readings[reading]) {
      test(`${JSON.stringify(text)} is ${reading}`, () => {
        assert.equal(readDateTime(text), reading);
      });
    }
  }

  test('P8: a year is exact from 1970 to 2099, far up to 9999, and absurd beyond', () => {
    const at = (year: number): DateTimeReading => readDateTime(`${year}-06-15T12:00:00Z`);
    assert.deepEqual([1969, 1970, 2099, 2100, 9999, 10_000].map(at), [
      'loose',
      'exact',
      'exact',
      'far',
      'far',
      'absurd',
    ]);
  });

  test('every month ends on its last day', () => {
    const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (const [index, length] of lengths.entries()) {
      const month = String(index + 1).padStart(2, '0');
      assert.equal(readDateTime(`2027-${month}-${length}T00:00:00Z`), 'exact', month);
      assert.equal(readDateTime(`2027-${month}-${length + 1}T00:00:00Z`), 'unreadable', month);
    }
  });
});

test('the usual spelling is read as its twin with an offset of zero', () => {
  const two = fc.constantFrom(
    '00',
    '01',
    '02',
    '19',
    '20',
    '23',
    '24',
    '28',
    '29',
    '30',
    '31',
    '60',
  );
  const parts = fc.tuple(two, two, two, two, two, two, two);
  const fraction = fc.constantFrom('', '.0', '.123456789012', '.1234567890123', '.', '.x');
  let exact = 0;
  fc.assert(
    fc.property(parts, fraction, ([century, year, month, day, hour, minute, second], digits) => {
      const moment = `${century}${year}-${month}-${day}T${hour}:${minute}:${second}${digits}`;
      assert.equal(readDateTime(`${moment}Z`), readDateTime(`${moment}+00:00`), moment);
      if (readDateTime(`${moment}Z`) === 'exact') exact += 1;
    }),
    { numRuns: 20_000 },
  );
  assert(exact > 20, `${exact}`);
});
