import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readKeyFile } from './key-file.ts';
import { readSecretFile, withoutLineBreak } from './secret-file.ts';

// Goal: files with secrets are read whole and bounded, and no message holds anything of them.
// Method: real files; the wrong ones beside the right ones.

const digits = '00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100';
let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatewatt-secret-'));
});
after(() => rm(folder, { recursive: true }));

async function fileWith(content: string | Buffer, mode = 0o600): Promise<string> {
  const file = path.join(folder, 'secret');
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

describe('a key file', () => {
  for (const lineBreak of ['', '\n', '\r\n']) {
    test(`holds 64 digits and ${JSON.stringify(lineBreak)}`, async () => {
      const key = await readKeyFile(await fileWith(digits + lineBreak));
      assert.deepEqual(key, { ok: true, value: Buffer.from(digits, 'hex') });
    });
  }

  for (const wrong of [
    '',
    digits.slice(2),
    `${digits}00`,
    `${digits}\n\n`,
    `x${digits.slice(1)}`,
  ]) {
    test(`that holds ${JSON.stringify(wrong)} is named and not shown`, async () => {
      const file = await fileWith(wrong);
      const key = await readKeyFile(file);
      assert.deepEqual(key, {
        ok: false,
        error: `${file} does not hold 64 hexadecimal digits`,
      });
    });
  }

  test('that is long, away or a folder is refused', async () => {
    const long = await readKeyFile(await fileWith('7'.repeat(1_000_000)));
    assert.match(long.ok ? '' : long.error, /more than 128 bytes$/);
    const away = await readKeyFile(path.join(folder, 'no'));
    assert.match(away.ok ? '' : away.error, /no does not exist$/);
    const directory = await readKeyFile(folder);
    assert.match(directory.ok ? '' : directory.error, /is a directory$/);
  });
});

describe('a file with a secret', () => {
  test('is read up to its bound, and not beyond', async () => {
    const bytes = Buffer.alloc(3_000_000, 7);
    const file = await fileWith(bytes);
    const read = await readSecretFile(file, bytes.length);
    assert.ok(read.ok && read.value.bytes.equals(bytes));
    assert.equal((await readSecretFile(file, bytes.length - 1)).ok, false);
  });

  test('that others can read is remarked upon, and no other', async () => {
    for (const [mode, isShared] of [
      [0o600, false],
      [0o400, false],
      [0o640, true],
      [0o604, true],
    ] as const) {
      const read = await readSecretFile(await fileWith('x', mode), 10);
      assert.ok(read.ok);
      assert.equal(read.value.remark !== undefined, isShared, mode.toString(8));
    }
  });

  test('loses one line break and nothing else', () => {
    const cases = { 'a\n': 'a', 'a\r\n': 'a', 'a\n\n': 'a\n', 'a\r': 'a\r', a: 'a', '\n': '' };
    for (const [text, expected] of Object.entries(cases)) {
      assert.equal(withoutLineBreak(Buffer.from(text)).toString(), expected);
    }
  });
});
