import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { OcppVersion } from '../ocpp/version.ts';
import {
  argon2id,
  canonicalPassword,
  describePasswordProblem,
  fastDigest,
  hashGeneratedKey,
  hashPassword,
  isSameTag,
  passwordForm,
  readHash,
} from './password-hash.ts';

// Goal: the same password in any spelling has the same hash; a stored hash costs what it may and no
//   more; and a hash that nobody can read matches nothing.
// Method: the real Argon2id a few times; tables and properties for the texts.

const key = Buffer.from('00ff3a800a0d3a00c3283aff00112233', 'hex');
const digits = Buffer.from(key.toString('hex'));

describe('C10: two spellings of one password', () => {
  test('hexadecimal digits in either case are the bytes that they spell', () => {
    for (const length of [16, 17, 18, 19, 20]) {
      const bytes = Buffer.alloc(length, 0xab);
      for (const text of ['ab'.repeat(length), 'AB'.repeat(length), 'aB'.repeat(length)]) {
        assert.deepEqual(canonicalPassword(Buffer.from(text)), bytes);
        assert.equal(passwordForm(Buffer.from(text)), 'hex');
      }
      assert.equal(canonicalPassword(bytes), bytes);
      assert.equal(passwordForm(bytes), 'raw');
    }
  });

  test('what is no such text is itself', () => {
    const texts = ['', 'a'.repeat(30), 'a'.repeat(31), 'a'.repeat(33), 'a'.repeat(41)];
    texts.push('a'.repeat(42), `${'a'.repeat(31)}g`, ` ${'a'.repeat(31)}`, `${'a'.repeat(33)}\n`);
    texts.push('é'.repeat(16));
    for (const text of texts) {
      const bytes = Buffer.from(text);
      assert.equal(canonicalPassword(bytes), bytes, JSON.stringify(text));
      assert.equal(passwordForm(bytes), 'raw', JSON.stringify(text));
    }
  });

  test('to spell once more changes nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.stringMatching(/^[0-9a-fA-F]{30,42}$/)), (any) => {
        const once = canonicalPassword(Buffer.from(any));
        assert.deepEqual(canonicalPassword(once), once);
      }),
    );
  });

  test('both have the same slow hash, and the same fast one', async () => {
    const slow = await hashPassword(key);
    assert.equal(await hashPassword(digits, slow), slow);
    for (const stored of [hashGeneratedKey(key), hashGeneratedKey(digits)]) {
      const read = readHash(stored);
      assert(read?.is === 'sha256');
      assert(isSameTag(fastDigest(key, read.salt), read.tag));
      assert(!isSameTag(fastDigest(digits, read.salt), read.tag));
    }
  });
});

describe('slow hashes', () => {
  test('Argon2id is that of its reference implementation', async () => {
    const cost = { memoryKiB: 65_536, passes: 2, lanes: 1 };
    // `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1`, from the test suite of
    // phc-winner-argon2.
    const expected = '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7';
    const tag = await argon2id(Buffer.from('password'), Buffer.from('somesalt'), cost);
    assert.equal(tag.toString('hex'), expected);
  });

  test('a hash has the parameters that it says, and is read as it was written', async () => {
    const stored = await hashPassword(Buffer.from('a password of somebody'));
    assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    const read = readHash(stored);
    assert(read?.is === 'argon2id');
    const tag = await argon2id(Buffer.from('a password of somebody'), read.salt, read.cost);
    assert(isSameTag(tag, read.tag));
  });

  test('salts are new each time, and the same where a hash is to be like another', async () => {
    const [one, other] = [await hashPassword(key), await hashPassword(key)];
    assert.notEqual(one, other);
    const next = await hashPassword(Buffer.from('another password'), one);
    assert.notEqual(next, one);
    assert.equal(next.slice(0, next.lastIndexOf('$')), one.slice(0, one.lastIndexOf('$')));
  });

  test('like a fast hash, or like nothing that can be read, is a new salt', async () => {
    for (const like of [hashGeneratedKey(key), '', 'x']) {
      assert.match(await hashPassword(key, like), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    }
  });
});

describe('fast hashes', () => {
  test('are for long random keys only', () => {
    assert.throws(() => hashGeneratedKey(Buffer.alloc(15)), { name: 'BrokenInvariant' });
    assert.notEqual(hashGeneratedKey(key), hashGeneratedKey(key));
  });
});

describe('stored hashes', () => {
  const salt = Buffer.alloc(16, 1).toString('base64').replace(/=+$/, '');
  const tag = Buffer.alloc(32, 2).toString('base64').replace(/=+$/, '');
  const slow = (parameters: string): string => `$argon2id$v=19$${parameters}$${salt}$${tag}`;

  test('parameters within the bounds are read', () => {
    for (const parameters of ['m=8,t=1,p=1', 'm=19456,t=2,p=1', 'm=65536,t=8,p=4']) {
      assert.equal(readHash(slow(parameters))?.is, 'argon2id', parameters);
    }
    assert.equal(readHash(`$sha256$${salt}$${tag}`)?.is, 'sha256');
  });

  const unreadable: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['4 GiB of memory', slow('m=4194304,t=2,p=1')],
    ['one KiB too much', slow('m=65537,t=2,p=1')],
    ['too many passes', slow('m=19456,t=9,p=1')],
    ['too many lanes', slow('m=19456,t=2,p=5')],
    ['no memory', slow('m=0,t=2,p=1')],
    ['less memory than Argon2 has', slow('m=31,t=2,p=4')],
    ['no passes', slow('m=19456,t=0,p=1')],
    ['no lanes', slow('m=19456,t=2,p=0')],
    ['a negative cost', slow('m=-19456,t=2,p=1')],
    ['another order', slow('t=2,m=19456,p=1')],
    ['one parameter more', slow('m=19456,t=2,p=1,keyid=x')],
    ['another version', `$argon2id$v=16$m=19456,t=2,p=1$${salt}$${tag}`],
    ['another algorithm', `$argon2i$v=19$m=19456,t=2,p=1$${salt}$${tag}`],
    ['no tag', `$argon2id$v=19$m=19456,t=2,p=1$${salt}$`],
    ['no salt', `$argon2id$v=19$m=19456,t=2,p=1$$${tag}`],
    ['a short tag', `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${tag.slice(0, 40)}`],
    ['a short salt', `$argon2id$v=19$m=19456,t=2,p=1$AAAA$${tag}`],
    ['a long salt', `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(44)}$${tag}`],
    ['padding', `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${tag}=`],
    ['what is no base64', `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${tag.slice(0, 42)}-`],
    ['a line break', `${slow('m=19456,t=2,p=1')}\n`],
    ['a fast hash without salt', `$sha256$$${tag}`],
    ['a fast hash with a short tag', `$sha256$${salt}$AAAA`],
    ['a password', 'plain'],
    ['a megabyte', '$'.repeat(1_000_000)],
  ];
  for (const [what, stored] of unreadable) {
    test(`${what} is not read`, () => assert.equal(readHash(stored), undefined));
  }

  test('two tags of different length are not the same, and break nothing', () => {
    assert(!isSameTag(Buffer.alloc(32), Buffer.alloc(31)));
    assert(!isSameTag(Buffer.alloc(0), Buffer.alloc(32)));
    assert(isSameTag(Buffer.alloc(32, 7), Buffer.alloc(32, 7)));
  });
});

describe('C11: what is wrong with a password', () => {
  const cases: readonly (readonly [OcppVersion | undefined, Buffer, string | undefined])[] = [
    ['ocpp1.6', Buffer.alloc(15, 0xff), 'weak'],
    ['ocpp1.6', Buffer.alloc(16, 0xff), undefined],
    ['ocpp1.6', Buffer.alloc(20, 0xff), undefined],
    ['ocpp1.6', Buffer.alloc(21, 0xff), 'weak'],
    ['ocpp1.6', Buffer.from('a'.repeat(32)), undefined],
    ['ocpp1.6', Buffer.from('a'.repeat(40)), undefined],
    ['ocpp1.6', Buffer.from('a'.repeat(33)), 'weak'],
    ['ocpp1.6', Buffer.from('x'.repeat(32)), 'weak'],
    ['ocpp2.0.1', Buffer.from('x'.repeat(15)), 'weak'],
    ['ocpp2.0.1', Buffer.from('é'.repeat(15)), 'weak'],
    ['ocpp2.0.1', Buffer.from('x'.repeat(16)), undefined],
    ['ocpp2.0.1', Buffer.from('😀'.repeat(40)), undefined],
    ['ocpp2.0.1', Buffer.from('x'.repeat(41)), 'weak'],
    ['ocpp2.0.1', Buffer.alloc(20, 0xff), 'weak'],
    ['ocpp2.1', Buffer.from('x'.repeat(64)), undefined],
    ['ocpp2.1', Buffer.from('x'.repeat(65)), 'weak'],
    [undefined, Buffer.alloc(15), 'weak'],
    [undefined, Buffer.alloc(16), undefined],
    [undefined, Buffer.alloc(64), undefined],
    [undefined, Buffer.alloc(65), 'weak'],
    [undefined, Buffer.alloc(256), 'weak'],
    [undefined, Buffer.alloc(257), 'unusable'],
    [undefined, Buffer.alloc(0), 'unusable'],
    ['ocpp1.6', Buffer.alloc(0), 'unusable'],
    ['ocpp2.1', Buffer.alloc(257), 'unusable'],
  ];
  for (const [version, password, expected] of cases) {
    const start = password.subarray(0, 4).toString('hex');
    test(`${version}: ${password.length} bytes ${start}.. are ${expected ?? 'good'}`, () => {
      assert.equal(describePasswordProblem(password, version)?.is, expected);
    });
  }

  test('the text holds nothing of the password', () => {
    const problem = describePasswordProblem(Buffer.from('hunter2'), 'ocpp1.6');
    assert.doesNotMatch(problem?.text ?? '', /hunter/);
  });
});
