import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CsvRecord, parseCsv } from './csv.ts';

// Goal: a text of comma-separated values has one reading or is refused, and a mistake in one line
// hides no other line.
// Method: what a strict writer writes comes back, for any texts; then each mistake beside its twin
// that is none.

const parse = (text: string, recordLengthMax = 1000): readonly CsvRecord[] => [
  ...parseCsv(text, { recordLengthMax }),
];
const written = (field: string): string => `"${field.replaceAll('"', '""')}"`;

describe('comma-separated values', () => {
  test('whatever is written comes back, with the line that it begins in', () => {
    // Without U+0000, which is refused; one field that is empty is written with its marks.
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '😀') });
    const records = fc.array(fc.array(field, { minLength: 1, maxLength: 5 }), { maxLength: 8 });
    fc.assert(
      fc.property(
        records,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        (rows, lineBreak, endsWithBreak, hasMark) => {
          const lines = rows.map((row) => row.map(written).join(','));
          const text = lines.join(lineBreak) + (endsWithBreak ? lineBreak : '');
          let line = 1;
          const expected = rows.map((fields, index) => {
            const record = { line, fields };
            line += (lines[index] ?? '').split('\n').length;
            return record;
          });
          assert.deepEqual(parse(hasMark ? `\ufeff${text}` : text), expected);
        },
      ),
    );
  });

  test('fields without quotation marks come back as they are', () => {
    const field = fc.stringMatching(/^[^",\r\n\0]{0,10}$/);
    fc.assert(
      fc.property(fc.array(field, { minLength: 2, maxLength: 5 }), (fields) => {
        assert.deepEqual(parse(`${fields.join(',')}\r\n`), [{ line: 1, fields }]);
      }),
    );
  });

  test('any text is read to its end, with lines that rise', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', '\0') });
    fc.assert(
      fc.property(text, (input) => {
        let last = 0;
        for (const { line } of parse(input, 20)) {
          assert.ok(line > last && line <= input.split('\n').length);
          last = line;
        }
      }),
    );
  });

  const mistakes: readonly (readonly [string, string, string])[] = [
    ['stray-quote', 'a"b,c', '"a""b",c'],
    ['text-after-quote', '"a"b,c', '"a",b'],
    ['text-after-quote', '"a"\rb', '"a"\r\nb'],
    ['open-quote', '"a,b\nc', '"a,b\nc"'],
    ['stray-carriage-return', 'a\rb,c', '"a\rb",c'],
    ['stray-carriage-return', 'a,b\r', 'a,b\r\n'],
    ['nul-character', 'a\0,b', 'a,b'],
    ['nul-character', '"a\0",b', '"a",b'],
    ['too-long', 'x'.repeat(1001), 'x'.repeat(1000)],
    ['too-long', `"${'x\n'.repeat(500)}"`, `"${'x\n'.repeat(499)}"`],
  ];
  for (const [mistake, wrong, right] of mistakes) {
    test(`${JSON.stringify(wrong).slice(0, 30)} is refused: ${mistake}`, () => {
      assert.deepEqual(parse(wrong)[0], { line: 1, mistake });
      assert.ok(parse(right).every((record) => 'fields' in record));
    });
  }

  test('a mistake does not hide the lines after it', () => {
    assert.deepEqual(parse('a,b\nc"d\n\n"e"f,"g\nh,i\n'), [
      { line: 1, fields: ['a', 'b'] },
      { line: 2, mistake: 'stray-quote' },
      { line: 4, mistake: 'text-after-quote' },
      { line: 5, fields: ['h', 'i'] },
    ]);
  });

  test('64 MiB of one open field take no long time', () => {
    const text = `"${'""'.repeat(1 << 20)}`;
    assert.deepEqual(parse(text)[0], { line: 1, mistake: 'too-long' });
  });
});
