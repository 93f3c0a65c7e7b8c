import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { printable, textTable } from './text-table.ts';

// Goal: tables line up, and no text of a charger does anything to the terminal but stand there.
// Method: small tables, and texts with everything a terminal or an eye could fall for.

describe('textTable', () => {
  test('columns are as wide as their widest cell, two spaces apart, without spaces at the end', () => {
    const table = textTable(
      [
        ['CP-1', 'operator', ''],
        ['DEPOT-17', '', 'x'],
      ],
      ['IDENTITY', 'ORIGIN', 'N'],
    );
    assert.equal(table, 'IDENTITY  ORIGIN    N\nCP-1      operator\nDEPOT-17            x\n');
  });

  test('without headings there are only rows, and without rows only headings', () => {
    assert.equal(textTable([['a', 'b']], []), 'a  b\n');
    assert.equal(textTable([], ['A', 'B']), 'A  B\n');
    assert.equal(textTable([], []), '');
  });

  test('rows of different lengths are no mistake', () => {
    assert.equal(textTable([['a'], ['b', 'c']], []), 'a\nb  c\n');
  });

  test('a character beyond the basic plane is one wide', () => {
    assert.equal(textTable([['𝄞', 'x']], ['A', 'B']), 'A  B\n𝄞  x\n');
  });
});

describe('printable', () => {
  const hostile: readonly (readonly [string, string])[] = [
    ['\u001b[2J', '\\u{1b}[2J'],
    ['a\r\nb\tc', 'a\\u{d}\\u{a}b\\u{9}c'],
    ['\u009b31m', '\\u{9b}31m'],
    ['\u007f', '\\u{7f}'],
    ['\u202e', '\\u{202e}'],
    ['\u2028', '\\u{2028}'],
    ['\ud800', '\\u{d800}'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\0', '\\u{0}'],
  ];
  for (const [text, shown] of hostile) {
    test(`it is shown as ${shown}`, () => {
      assert.equal(printable(text), shown);
      assert.equal(textTable([[text]], []), `${shown}\n`);
    });
  }

  test('ordinary text stays as it is', () => {
    assert.equal(printable('Wallbox Größe 7 – 充电桩'), 'Wallbox Größe 7 – 充电桩');
  });
});
