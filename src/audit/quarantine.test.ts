import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { manualClock } from '../../test/support/manual-clock.ts';
import type { GatewayEvent } from '../events/catalogue.ts';
import { openQuarantine, type Quarantine, type QuarantinedFrame } from './quarantine.ts';

// Goal: a refused message is kept whole, without its secrets, readable by nobody else, in a bounded
// place; and a disk that fails changes nothing for anybody.
// Method: a real directory for each test.

let parent = '';
let directory = '';
let clock = manualClock();
let seen: GatewayEvent[] = [];

beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'gatewatt-quarantine-'));
  directory = path.join(parent, 'data', 'quarantine');
  clock = manualClock();
  seen = [];
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const limits = { fileBytesMax: 2000, filesMax: 3 };

function open(changes: Partial<typeof limits> = {}): Promise<Quarantine> {
  return openQuarantine(directory, { ...limits, ...changes }, (event) => seen.push(event), clock);
}

function frame(text: string, charger = 'CP-1'): QuarantinedFrame {
  return {
    charger,
    from: 'charger',
    version: 'ocpp1.6',
    rule: 'format',
    code: 'FORMAT_JSON',
    severity: 'hard',
    action: undefined,
    detail: 'syntax',
    penalty: 'drop',
    bytes: Buffer.from(text),
  };
}

async function files(): Promise<readonly string[]> {
  return (await readdir(directory)).sort();
}

async function records(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const texts = await Promise.all(
    (await files()).map((name) => readFile(path.join(directory, name), 'utf8')),
  );
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

describe('the quarantine', () => {
  test('keeps a message whole, with its time, rule and penalty, one JSON object a line', async () => {
    const quarantine = await open();
    const text = '[2,"1","Heartbeat",{]\n"second line"\u0000';
    quarantine.keep(frame(text));
    await quarantine.close();
    const { bytes: _, ...finding } = frame(text);
    assert.deepEqual(await records(), [
      { at: '2026-01-01T00:00:00.000Z', ...JSON.parse(JSON.stringify(finding)), frame: text },
    ]);
  });

  test('T2-10: secrets are gone, in messages that can be parsed and in those that cannot', async () => {
    const quarantine = await open();
    const value = '"key":"AuthorizationKey","value":"0011223344556677"';
    quarantine.keep(frame(`[2,"1","ChangeConfiguration",{${value}}]`));
    quarantine.keep(frame(`[2,"1","ChangeConfiguration",{${value}`));
    quarantine.keep(frame('[2,"1","GetDiagnostics",{"location":"ftp://u:0011223344556677@h/"}]'));
    await quarantine.close();
    assert.equal((await records()).length, 3);
    assert.doesNotMatch(JSON.stringify(await records()), /0011223344556677/);
  });

  test('directory and files are for their owner alone', async () => {
    const quarantine = await open();
    quarantine.keep(frame('x'));
    await quarantine.close();
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    for (const name of await files()) {
      assert.equal((await stat(path.join(directory, name))).mode & 0o777, 0o600);
    }
  });

  test('nothing refused, no file', async () => {
    await (await open()).close();
    assert.deepEqual(await files(), []);
  });
});

describe('the quarantine is bounded', () => {
  const kept = 60;

  test('a full file is followed by another, the oldest files go', async () => {
    const quarantine = await open();
    for (let n = 0; n < kept; n += 1) quarantine.keep(frame(`message ${n}`));
    await quarantine.close();
    const names = await files();
    assert.equal(names.length, limits.filesMax);
    for (const name of names) {
      assert((await stat(path.join(directory, name))).size <= limits.fileBytesMax, name);
    }
    const last = (await records()).at(-1);
    assert.equal(last?.['frame'], `message ${kept - 1}`);
    assert.deepEqual(seen, []);
  });

  test('closing writes all that was kept, in every file', async () => {
    const quarantine = await open({ filesMax: 1000 });
    const long = 'x'.repeat(1500);
    for (let n = 0; n < kept; n += 1) quarantine.keep(frame(`${n} ${long}`));
    await quarantine.close();
    const numbers = (await records()).map((record) => Number.parseInt(String(record['frame']), 10));
    assert.deepEqual(
      numbers,
      Array.from({ length: kept }, (_, n) => n),
    );
  });

  test('a restart goes on with a new file and still removes the oldest', async () => {
    for (let start = 0; start < 5; start += 1) {
      const quarantine = await open();
      quarantine.keep(frame(`start ${start}`));
      await quarantine.close();
    }
    assert.deepEqual(
      await files(),
      [3, 4, 5].map((n) => `refused-000000000${n}.jsonl`),
    );
    const texts = (await records()).map((record) => record['frame']);
    assert.deepEqual(texts, ['start 2', 'start 3', 'start 4']);
  });

  test('files of others in the directory are left alone', async () => {
    await (await open()).close();
    const foreign = ['notes.txt', 'refused-1.jsonl', 'refused-0000000001.jsonl.bak'];
    for (const name of foreign) await writeFile(path.join(directory, name), '');
    const quarantine = await open({ filesMax: 1 });
    for (let n = 0; n < kept; n += 1) quarantine.keep(frame(`message ${n}`));
    await quarantine.close();
    const names = await files();
    for (const name of foreign) assert(names.includes(name), name);
    assert.equal(names.length, foreign.length + 1);
  });

  test('what waits for the disk is bounded over all files together', async () => {
    const quarantine = await open({ fileBytesMax: 1_000_000, filesMax: 1000 });
    const large = 'x'.repeat(100_000);
    // All in one turn, so the disk gets nothing done in between.
    for (let n = 0; n < 150; n += 1) quarantine.keep(frame(large, `CP-${n}`));
    await quarantine.close();
    const bytes = (await records()).length * large.length;
    assert(bytes > 7_000_000 && bytes < 9_000_000, String(bytes));
    assert.deepEqual(seen, [{ name: 'QuarantineFailed', detail: 'the disk is too slow' }]);
  });

  test('nor can it with a few large messages, or under its name in another case', async () => {
    const quarantine = await open({ fileBytesMax: 1_000_000, filesMax: 100 });
    for (let n = 0; n < 200; n += 1) quarantine.keep(frame('\u0001'.repeat(100_000), 'CP-LOUD'));
    for (let n = 0; n < 200; n += 1) quarantine.keep(frame('\u0001'.repeat(100_000), 'cp-loud'));
    await quarantine.close();
    assert((await records()).length <= 3);
  });

  test('one charger cannot push the evidence against another one out', async () => {
    const quarantine = await open({ fileBytesMax: 1_000_000 });
    for (let n = 0; n < 5000; n += 1) quarantine.keep(frame('rubbish', 'CP-LOUD'));
    quarantine.keep(frame('the one that matters', 'CP-QUIET'));
    await quarantine.close();
    const of = (charger: string) => async () =>
      (await records()).filter((record) => record['charger'] === charger).length;
    assert((await of('CP-LOUD')()) <= 200);
    assert.equal(await of('CP-QUIET')(), 1);
  });
});

describe('a disk that fails', () => {
  const failures = () => seen.filter(({ name }) => name === 'QuarantineFailed');

  test('is told once a minute, and never thrown', async () => {
    const quarantine = await open();
    await rm(parent, { recursive: true });
    quarantine.keep(frame('first'));
    await quarantine.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(failures().length, 1);
    for (let n = 0; n < 100; n += 1) quarantine.keep(frame(`message ${n}`));
    await quarantine.close();
    assert.equal(failures().length, 1);
  });

  test('is tried again after a minute', async () => {
    const quarantine = await open();
    await rm(directory, { recursive: true });
    quarantine.keep(frame('lost'));
    await quarantine.close();
    await (await open()).close();
    clock.advance(60_000);
    quarantine.keep(frame('kept'));
    await quarantine.close();
    assert.deepEqual(
      (await records()).map((record) => record['frame']),
      ['kept'],
    );
  });

  test('a directory that cannot be made is thrown at the start, where the operator sees it', async () => {
    await writeFile(path.join(parent, 'data'), 'a file in the way');
    await assert.rejects(open(), { code: 'ENOTDIR' });
  });
});
