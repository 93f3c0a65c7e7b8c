import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { columnsOf, documentBytesMax } from './audit-entry.ts';

// Goal: whatever an event holds, its record is bounded, readable and without secrets.
// Method: columns of ordinary, huge, secret and broken fields.

function columns(fields: Readonly<Record<string, unknown>>, charger?: string) {
  return columnsOf({ atMs: 1000.4, event: 'ChargerChanged', charger, fields });
}
const parsed = (document: string) => JSON.parse(document) as Readonly<Record<string, unknown>>;

describe('the columns of an audit entry', () => {
  test('are the fields as JSON, the charger and a whole number of milliseconds', () => {
    assert.deepEqual(columns({ by: 'root', settings: { notes: 'x' } }, 'CP-1'), {
      at_ms: 1000,
      event: 'ChargerChanged',
      charger: 'CP-1',
      document: '{"by":"root","settings":{"notes":"x"}}',
    });
    assert.equal(columns({}).charger, null);
  });

  test('have no secrets, in settings and in URLs', () => {
    const { document } = columns({
      settings: { BasicAuthPassword: 'hunter2hunter2' },
      csms: 'wss://user:hunter2hunter2@csms.example/',
      keys: [{ key: 'AuthorizationKey', value: 'hunter2hunter2' }],
    });
    assert.doesNotMatch(document, /hunter2/);
    assert.match(document, /csms\.example/);
  });

  test('have long texts cut, marked, and short ones whole', () => {
    const { document } = columns({ frame: 'x'.repeat(300_000), from: 'charger' });
    assert(Buffer.byteLength(document) <= documentBytesMax);
    const { frame, from } = parsed(document);
    assert.match(String(frame), /^x{40000,}.*\[cut: 300000 characters in all\]$/);
    assert.equal(from, 'charger');
  });

  test('are as short in bytes: characters may have three, escaped ones six', () => {
    for (const text of ['€', '\u0001', '"', '\ud800']) {
      const { document } = columns({ frame: text.repeat(60_000) });
      assert(Buffer.byteLength(document) <= documentBytesMax, text);
      assert.match(String(parsed(document)['frame']), /\[cut: 60000 characters in all\]$/);
    }
  });

  test('are bounded for many short texts, too', () => {
    const { document } = columns({ many: Array.from({ length: 50_000 }, () => 'text') });
    assert(Buffer.byteLength(document) <= documentBytesMax);
    assert.match(String(parsed(document)['cut']), /^\{"many":\["text".*in all\]$/);
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  for (const [what, value] of [
    ['a cycle', cycle],
    ['a BigInt', 1n],
    ['a hundred thousand levels', deep],
  ] as const) {
    test(`say so when they cannot be written: ${what}`, () => {
      assert.equal(columns({ value }).document, '{"unwritable":true}');
    });
  }

  test('hold nothing that PostgreSQL refuses', () => {
    const { charger, document } = columns(
      { text: 'a\u0000b\ud800' },
      `A\u0000B\ud800${'x'.repeat(999)}`,
    );
    assert.match(charger ?? '', /^A\ufffdB\ufffdx{252}$/);
    assert.equal(document, '{"text":"a\\u0000b\\ud800"}');
  });
});
