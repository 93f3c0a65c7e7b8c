import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { appendRecords } from '../../../src/audit/append-records.ts';
import { openQuarantine } from '../../../src/audit/quarantine.ts';
import { listQuarantined } from '../../../src/audit/quarantined-frames.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Ended, runGatewatt } from '../../support/command-line.ts';
import { configFor } from '../../support/serve-process.ts';

// Goal: an operator gets clear answers from `gatewatt audit` while a gateway uses the same store,
// and nothing that a peer has sent reaches the terminal as it came.
// Method: the real command, beside a store that is open as a gateway's.

const startMs = Date.UTC(2026, 0, 1);
const hostile = '[2,"1","\u001b[2J\u202eevil",{}]\nsecond line';

let directory = '';
let configFile = '';
let store: Store;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-audit-'));
  configFile = path.join(directory, 'gatewatt.yaml');
  const config = { ...configFor({}), gateway: { id: 'gw-1', dataDir: 'data' } };
  await writeFile(configFile, stringify(config));
  const clock = systemClock({ keepAlive: false });
  // As a gateway holds it: the lock is taken.
  const dataDirectory = path.join(directory, 'data');
  store = await openStore({ type: 'sqlite', directory: dataDirectory, isGateway: true }, clock);
  const entries = Array.from({ length: 10 }, (_, n) => ({
    atMs: startMs + n * 1000,
    event: n % 2 === 0 ? ('SessionOpened' as const) : ('SessionClosed' as const),
    charger: `CP-${n % 3}`,
    fields: { n },
  }));
  await store.transactDurably((db) => appendRecords(db, 'gw-1', entries));
  await store.transactDurably((db) => appendRecords(db, 'gw-2', entries.slice(0, 1)));
  const options = { gatewayId: 'gw-1', framesMax: 100, bytesMax: 1e9 };
  const quarantine = openQuarantine(store, options, () => {}, clock, systemRandom);
  for (const [charger, text] of [
    ['CP-1', hostile],
    ['CP-2', '[2,"2","Reset",{}]'],
    ['CP-2', '[2,"3","Reset",{}]'],
  ] as const) {
    quarantine.keep({
      charger,
      from: 'charger',
      version: 'ocpp1.6',
      rule: 'direction',
      code: 'DIRECTION_WRONG_SENDER',
      severity: 'hard',
      action: text === hostile ? '\u001b[2Jevil' : 'Reset',
      detail: 'Reset is sent by the csms',
      penalty: 'call-error',
      bytes: Buffer.from(text),
    });
  }
  await quarantine.close();
});
after(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const audit = (...words: readonly string[]): Promise<Ended> => runGatewatt('audit', ...words);
const withConfig = (...words: readonly string[]): Promise<Ended> =>
  audit(...words, '-c', configFile);

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through.
const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('gatewatt audit verify', { timeout: 120_000 }, () => {
  test('says that the log is intact, and what to note', async () => {
    const { code, stdout, stderr } = await withConfig('verify');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^the audit log of gw-1 is intact: 10 records\n10:[0-9a-f]{64}\n$/);
    const noted = stdout.split('\n')[1] ?? '';
    assert.equal((await withConfig('verify', '--expect', noted)).code, 0);
    const other = noted.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    const unexpected = await withConfig('verify', '--expect', other);
    assert.equal(unexpected.code, 1);
    assert.match(unexpected.stderr, /BROKEN at record 10: .*rewritten/);
  });

  test('names the first broken record', async () => {
    const set = (document: string): Promise<unknown> =>
      store.query((db) =>
        db
          .updateTable('audit_record')
          .set({ document })
          .where('chain', '=', 'gw-1')
          .where('sequence', '=', 4)
          .execute(),
      );
    await set('{"n":33}');
    try {
      const { code, stdout, stderr } = await withConfig('verify');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^gatewatt: the audit log of gw-1 is BROKEN at record 4: its hash/);
      const json = await withConfig('verify', '--json');
      assert.equal(json.code, 1);
      const verdict = JSON.parse(json.stdout) as Readonly<Record<string, unknown>>;
      assert.deepEqual([verdict['ok'], verdict['sequence']], [false, 4]);
    } finally {
      await set('{"n":3}');
    }
    assert.equal((await withConfig('verify')).code, 0);
  });

  test('takes another log, and says which there are', async () => {
    const { code, stdout } = await withConfig('verify', '--chain', 'gw-2', '--json');
    assert.equal(code, 0);
    const verdict = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    assert.deepEqual([verdict['chain'], verdict['count']], ['gw-2', 1]);
    const unknown = await withConfig('verify', '--chain', 'gw-3\u001b[2J');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /no audit log of gw-3\\u\{1b\}\[2J; there are: gw-1, gw-2/);
  });

  test('refuses what it does not understand', async () => {
    const outcomes = await Promise.all([
      audit('verify'),
      withConfig('verify', '--expect', 'abc'),
      audit('verify', '-c', path.join(directory, 'none.yaml')),
      audit('nonsense'),
    ]);
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [2, 2, 2, 2],
    );
  });

  for (const words of [
    ['--help'],
    ['verify', '--help'],
    ['export', '--help'],
    ['quarantine', 'release', '--help'],
  ]) {
    test(`audit ${words.join(' ')} explains itself`, async () => {
      const { code, stdout } = await audit(...words);
      assert.equal(code, 0);
      assert.match(stdout, /Usage: gatewatt audit/);
      if (words.length > 1) assert.match(stdout, /Example[\s\S]*Exit codes: 0 /);
    });
  }
});

describe('gatewatt audit export', { timeout: 120_000 }, () => {
  const lines = (text: string): readonly string[] => text.split('\n').slice(0, -1);

  test('writes JSON Lines', async () => {
    const { code, stdout, stderr } = await withConfig('export');
    assert.deepEqual([code, stderr], [0, '']);
    const records = lines(stdout).map((line) => JSON.parse(line) as { readonly sequence: number });
    assert.deepEqual(
      records.map(({ sequence }) => sequence),
      Array.from({ length: 10 }, (_, n) => n + 1),
    );
  });

  test('writes what was asked for', async () => {
    const asked = ['--since', '2026-01-01T00:00:02Z', '--until', '2026-01-01T01:00:07+01:00'];
    const { stdout } = await withConfig('export', ...asked, '--event', 'sessionclosed');
    const records = lines(stdout).map((line) => JSON.parse(line) as { readonly at: string });
    assert.deepEqual(
      records.map(({ at }) => at),
      ['2026-01-01T00:00:03.000Z', '2026-01-01T00:00:05.000Z'],
    );
    assert.equal(lines((await withConfig('export', '--charger', 'cp-0')).stdout).length, 4);
    assert.equal(lines((await withConfig('export', '--chain', 'gw-2')).stdout).length, 1);
    assert.equal((await withConfig('export', '--until', '2020-01-01')).stdout, '');
  });

  test('writes syslog, into a file for its owner alone', async () => {
    const file = path.join(directory, 'audit.log');
    const { code, stdout } = await withConfig('export', '--format', 'syslog', '-o', file);
    assert.deepEqual([code, stdout], [0, '']);
    const [first, ...others] = lines(await readFile(file, 'utf8'));
    assert.match(
      first ?? '',
      /^<110>1 2026-01-01T00:00:00\.000Z gw-1 gatewatt - SessionOpened \[audit@32473 sequence="1" /,
    );
    assert.equal(others.length, 9);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  test('says why it cannot', async () => {
    const nowhere = await withConfig('export', '-o', path.join(directory, 'none', 'x'));
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /does not exist/);
    assert.equal((await withConfig('export', '--chain', 'gw-3')).code, 1);
    const mistakes = [
      ['--since', 'yesterday'],
      ['--since', '2026-13-01T00:00:00Z'],
      ['--event', 'Nonsense'],
      ['--format', 'csv'],
    ];
    await Promise.all(
      mistakes.map(async (mistake) => {
        assert.equal((await withConfig('export', ...mistake)).code, 2, mistake.join(' '));
      }),
    );
  });
});

describe('gatewatt audit quarantine', { timeout: 120_000 }, () => {
  test('lists the newest first, without what a terminal would obey', async () => {
    const { code, stdout } = await withConfig('quarantine', 'list');
    assert.equal(code, 0);
    const [head, ...rows] = stdout.split('\n').slice(0, -1);
    assert.match(head ?? '', /^ID +TIME +CHARGER +FROM +ACTION +CODE +PENALTY +BYTES$/);
    assert.deepEqual(
      rows.map((line) => / (CP-\d) /.exec(line)?.[1]),
      ['CP-2', 'CP-2', 'CP-1'],
    );
    assert.match(rows.at(-1) ?? '', /\\u\{1b\}\[2Jevil +DIRECTION_WRONG_SENDER/);
    assert.doesNotMatch(stdout, raw);
  });

  test('lists by charger and by page, and as JSON', async () => {
    const first = await withConfig(
      'quarantine',
      'list',
      '--charger',
      'cp-2',
      '--limit',
      '1',
      '--json',
    );
    const page = JSON.parse(first.stdout) as readonly {
      readonly id: string;
      readonly code: string;
    }[];
    assert.deepEqual(
      page.map(({ code }) => code),
      ['DIRECTION_WRONG_SENDER'],
    );
    const second = await withConfig(
      'quarantine',
      'list',
      '--before',
      page[0]?.id ?? '',
      '--limit',
      '1',
    );
    assert.match(second.stderr, /there may be more: --before \S+-[0-9a-f]{8}\n$/);
    const none = await withConfig('quarantine', 'list', '--charger', 'CP-9');
    assert.deepEqual([none.code, none.stdout], [0, '']);
    assert.equal((await withConfig('quarantine', 'list', '--limit', '0')).code, 2);
  });

  test('shows a message escaped, and exactly with --json', async () => {
    const [entry] = await listQuarantined(store, { charger: 'CP-1', limit: 1 });
    const id = entry?.id ?? '';
    const { code, stdout } = await withConfig('quarantine', 'show', id);
    assert.equal(code, 0);
    assert.match(stdout, /^rule +direction$/m);
    assert.match(stdout, /\n\n\[2,"1","\\u\{1b\}\[2J\\u\{202e\}evil",\{\}\]\\u\{a\}second line\n$/);
    assert.doesNotMatch(stdout, raw);
    const json = await withConfig('quarantine', 'show', id, '--json');
    assert.doesNotMatch(json.stdout, raw);
    assert.equal((JSON.parse(json.stdout) as { readonly frame: string }).frame, hostile);
  });

  test('releases a message once, to standard output, and the audit log has who', async () => {
    const [entry] = await listQuarantined(store, { charger: 'CP-1', limit: 1 });
    const id = entry?.id ?? '';
    const { code, stdout, stderr } = await withConfig('quarantine', 'release', id);
    assert.deepEqual([code, stdout], [0, `${hostile}\n`]);
    assert.match(stderr, /is released/);
    for (const verb of ['release', 'show']) {
      const again = await withConfig('quarantine', verb, id);
      assert.deepEqual([again.code, again.stdout], [1, '']);
      assert.match(again.stderr, /^gatewatt: there is no message \S+ in the quarantine/);
    }
    const log = await withConfig('export', '--event', 'QuarantinedFrameReleased');
    const record = JSON.parse(log.stdout) as Readonly<Record<string, unknown>>;
    assert.equal(record['charger'], 'CP-1');
    assert.match(JSON.stringify(record['document']), new RegExp(`"by":"[^"]+","frameId":"${id}"`));
    assert.equal((await withConfig('verify')).code, 0);
  });
});
