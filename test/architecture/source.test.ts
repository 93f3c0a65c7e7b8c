import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { repositoryFiles, textOf } from '../docs/repository.ts';

// Goal: what the code promises of its own text holds.
// Method: look at every source file.
const files = repositoryFiles().filter((file) => file.endsWith('.ts'));
const source = files.filter((file) => file.startsWith('src/') && !file.endsWith('.test.ts'));

/** What may stand in some files only. Comments do not count. */
interface Reserved {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files, or folders that end with a slash. */
  readonly allowed: readonly string[];
}

const reserved: readonly Reserved[] = [
  {
    what: 'time is an argument: only lib/ reads the clock and sets timers',
    pattern:
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bset(?:Timeout|Interval|Immediate)\b|hrtime/,
    allowed: ['src/lib/'],
  },
  {
    what: 'chance is an argument: only lib/ draws numbers',
    pattern: /\bMath\.random\b|\brandom(?:Int|UUID|Bytes)\(/,
    allowed: ['src/lib/'],
  },
  {
    what: 'only decode makes a Frame',
    pattern: /\bas (?:unknown as )?Frame\b/,
    allowed: ['src/rules/decode.ts'],
  },
  {
    what: 'only admit makes an Admitted',
    pattern: /\bas (?:unknown as )?Admitted\b/,
    allowed: ['src/rules/admit.ts'],
  },
  {
    what: 'an identity is parsed once; the spelling of a record is the one exception',
    pattern: /\bas (?:unknown as )?ChargerId\b/,
    allowed: ['src/identity/parse-charger-id.ts', 'src/chargers/record.ts'],
  },
  { what: 'there are no default exports', pattern: /^export default\b/m, allowed: [] },
];

describe('source files', () => {
  for (const { what, pattern, allowed } of reserved) {
    test(what, () => {
      const found = source
        .filter((file) => pattern.test(withoutComments(textOf(file))))
        .filter((file) => !allowed.some((place) => file.startsWith(place)));
      assert.deepEqual(found, []);
    });
  }

  test('no file has more than 400 lines', () => {
    const ours = files.filter((file) => /^(?:src|scripts)\//.test(file));
    const long = ours.filter((file) => textOf(file).split('\n').length > 401);
    assert.deepEqual(long, []);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
