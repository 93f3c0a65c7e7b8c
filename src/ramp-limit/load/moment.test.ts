import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { momentIn, momentOf, momentText } from './moment.ts';

// Goal: what chargers and CSMSs write for moments is read as one, or not at all.
// Method: a table of texts.

describe('reading', () => {
  const noon = Date.UTC(2026, 0, 5, 12);
  const texts: readonly (readonly [string, number | undefined])[] = [
    ['2026-01-05T12:00:00Z', noon],
    ['2026-01-05T12:00:00.000z', noon],
    ['2026-01-05t12:00:00.1239999Z', noon + 123],
    ['2026-01-05T13:30:00+01:30', noon],
    ['2026-01-05T13:30:00+0130', noon],
    ['2026-01-05T07:00:00-05', noon],
    ['2026-01-05 12:00:00', noon],
    ['2026-01-05T12:00:00', noon],
    ['2026-01-05T11:59:60Z', noon - 1000],
    ['0001-01-01T00:00:00Z', Date.parse('0001-01-01T00:00:00Z')],
    ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
    ['20260-01-05T12:00:00Z', undefined],
    ['2026-02-30T12:00:00Z', undefined],
    ['2026-01-05T24:00:00Z', undefined],
    ['2026-01-05', undefined],
    ['5 Jan 2026 12:00', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of texts) {
    test(`"${text}"`, () => assert.equal(momentOf(text), expected));
  }

  test('a field may be left out, but not be something else', () => {
    assert.equal(momentIn(undefined), undefined);
    assert.equal(momentIn('2026-01-05T12:00:00Z'), noon);
    for (const value of [null, 7, {}, [], 'soon']) assert.equal(momentIn(value), 'unreadable');
  });
});

test('writing is RFC 3339 in UTC, for years that have four digits', () => {
  assert.equal(momentText(Date.UTC(2026, 0, 5, 12)), '2026-01-05T12:00:00Z');
  assert.equal(momentText(Date.UTC(2026, 0, 5, 12) + 5), '2026-01-05T12:00:00.005Z');
  assert.equal(momentText(Date.UTC(10_000, 0)), undefined);
  assert.equal(momentText(-1), undefined);
  assert.equal(momentText(Number.NaN), undefined);
});
