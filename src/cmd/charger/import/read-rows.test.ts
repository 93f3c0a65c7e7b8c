import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ImportFormat, readRows } from './read-rows.ts';

// Goal: what a manufacturer's file says is read in one way, or its line is named; and no message
// repeats what may be a password.
// Method: each mistake by itself, with a password wherever one can stand by mistake; then rows that
// are right, in both forms.

const broken: readonly (readonly [ImportFormat, string, string, RegExp])[] = [
  ['csv', 'an empty file', '', /line 1: it is empty/],
  ['csv', 'no header', 'CP-1,S3cret-S3cret\n', /line 1: the first line must name the columns/],
  ['csv', 'semicolons', 'identity;password\n', /line 1: .*separated by commas/],
  ['csv', 'an unknown column', 'identity,pasword\nA,b\n', /no column "pasword"; there are: /],
  ['csv', 'a column twice', 'identity,vendor,vendor\n', /"vendor" is there twice/],
  ['csv', 'too few fields', 'identity,vendor\nA\nB,V\n', /line 2: 1 fields, but the first/],
  ['csv', 'too many fields', 'identity\nA,S3cret-S3cret\n', /line 2: 2 fields/],
  ['csv', 'a quotation mark', 'identity\nA"B\nC\n', /line 2: a quotation mark/],
  ['csv', 'an open field', 'identity\nA\n"S3cret-S3cret\n', /line 3: .*never ended/],
  ['csv', 'what is not UTF-8', 'identity\nA\n\u00ff\n', /line 3: it is not UTF-8/],
  ['csv', 'a long row', `identity\n${'x'.repeat(70_000)}\n`, /line 2: the row is longer/],
  ['jsonl', 'an empty file', '\n\n', /line 1: it is empty/],
  ['jsonl', 'no JSON', '{"identity":"A"}\n{S3cret-S3cret\n', /line 2: it is not an object/],
  ['jsonl', 'no object', '[]\n', /line 1: it is not an object/],
  ['jsonl', 'a key twice', '{"identity":"A","Identity":"B"}\n', /line 1: .*duplicate-key/],
  ['jsonl', 'an unknown member', '{"identity":"A","x":1}\n', /no member "x"/],
  ['jsonl', 'a number', '{"identity":7}\n', /identity must be a text/],
  ['jsonl', 'an empty text', '{"identity":"A","password":""}\n', /password is empty/],
  ['jsonl', 'a long line', `{"identity":"${'x'.repeat(70_000)}"}\n`, /line 1: .*longer than/],
];

describe('the rows of a file', () => {
  for (const [form, what, content, reason] of broken) {
    test(`${form}: ${what} is refused with its line`, () => {
      const bytes = Buffer.from(content, what.includes('UTF-8') ? 'latin1' : 'utf8');
      const said = readRows(bytes, form).findings.map(({ is, line, text }) => {
        assert.equal(is, 'error');
        return `line ${line}: ${text}`;
      });
      assert.equal(said.length, 1, said.join('\n'));
      assert.match(said[0] ?? '', reason);
      assert.doesNotMatch(said.join(), /S3cret/);
    });
  }

  const expected = [
    {
      line: 2,
      cells: [
        ['identity', 'A'],
        ['password', 'x'],
      ],
    },
    { line: 3, cells: [['identity', 'B']] },
  ];
  for (const [form, content] of [
    ['csv', 'identity,password\nA,x\r\nB,'],
    ['jsonl', '\n{"identity":"A","password":"x"}\r\n{"identity":"B","password":null}'],
  ] as const) {
    test(`${form}: what is right is read, and what is empty is left out`, () => {
      const { findings, rows } = readRows(Buffer.from(content), form);
      assert.deepEqual(findings, []);
      assert.deepEqual(
        rows.map(({ cells, line }) => ({ line, cells: [...cells] })),
        expected,
      );
    });
  }

  test('jsonl: a member that is a number may be written as one', () => {
    const content = '{"identity":"A","ratedKw":22,"securityProfile":"2"}';
    const { findings, rows } = readRows(Buffer.from(content), 'jsonl');
    assert.deepEqual(findings, []);
    assert.deepEqual(
      rows.flatMap(({ cells }) => [...cells]),
      [
        ['identity', 'A'],
        ['ratedKw', '22'],
        ['securityProfile', '2'],
      ],
    );
  });

  test('a wrong row does not hide the rows after it, and all are counted by lines', () => {
    const csv = 'identity,vendor\n"A","x\ny"\nB\nC,z"\nD,\n"E';
    const { findings, rows } = readRows(Buffer.from(csv), 'csv');
    assert.deepEqual(
      [rows.map(({ line }) => line), findings.map(({ line }) => line)],
      [
        [2, 6],
        [4, 5, 7],
      ],
    );
  });

  test('a million rows are read, and no more', () => {
    const csv = `identity\n${'A\n'.repeat(1_000_001)}`;
    const { findings, rows } = readRows(Buffer.from(csv), 'csv');
    assert.equal(rows.length, 1_000_000);
    assert.deepEqual(
      findings.map(({ line, text }) => [line, text]),
      [[1_000_002, 'the file has more than 1000000 rows']],
    );
  });
});
