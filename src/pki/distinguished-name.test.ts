import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type NameAttribute, nameDer } from '../../test/support/certificates.ts';
import { isPlainText, nameKey, readName, shownName } from './distinguished-name.ts';

// Goal: a name is read in one way only, and two spellings of one name are the same name.
// Method: names that OpenSSL, or the library that makes certificates for the tests, would not take.

const name = (...attributes: readonly Partial<NameAttribute>[]): Buffer =>
  Buffer.from(
    nameDer(attributes.map((one) => ({ type: 'CN', tag: 0x0c, value: Buffer.from('x'), ...one }))),
  );
const text = (value: string, tag = 0x0c) => ({ tag, value: Buffer.from(value) });
const commonNames = (bytes: Buffer) => readName(bytes)?.commonNames;

describe('names', () => {
  test('T2-07: what cannot be decoded counts, and is nobody', () => {
    const undecodable: readonly (readonly [number, readonly number[]])[] = [
      [0x0c, [0xff]],
      [0x0c, [0xc0, 0x80]],
      [0x1e, [0, 0x43, 0]],
      [0x1e, [0xd8, 0]],
      [0x1c, [0, 0, 0]],
      [0x1c, [0, 0x11, 0, 0]],
      [0x02, [1]],
      [0x30, []],
    ];
    for (const [tag, bytes] of undecodable) {
      const value = Buffer.from(bytes);
      assert.deepEqual(commonNames(name({ tag, value }, text('CP-1'))), ['\ufffd', 'CP-1']);
    }
    assert.equal(isPlainText('\ufffd'), false);
  });

  test('a byte order mark is a letter like any other', () => {
    assert.deepEqual(commonNames(name(text('\ufeffCP-1'))), ['\ufeffCP-1']);
  });

  test('what is no name is none', () => {
    const good = name(text('CP-1'));
    assert.deepEqual(commonNames(good), ['CP-1']);
    for (let length = 0; length < good.length; length += 1) {
      assert.equal(readName(good.subarray(0, length)), undefined);
    }
    assert.equal(readName(Buffer.concat([good, good])), undefined);
    assert.equal(nameKey(good.subarray(1)), undefined);
  });

  test('case, spaces and encoding do not make another name; anything else does', () => {
    const key = nameKey(name(text('Test  Root')));
    const same = [text(' test root '), text('TEST ROOT', 0x13), text('Test Root', 0x16)];
    for (const one of same) assert.equal(nameKey(name(one)), key);
    const others = [
      name(text('TestRoot')),
      name(text('Test Root'), text('Test Root')),
      name({ ...text('Test Root'), type: 'O' }),
      name(),
      name({ tag: 0x0c, value: Buffer.from([0xff]) }),
    ];
    const keys = new Set([key, ...others.map(nameKey)]);
    assert.equal(keys.size, others.length + 1);
    assert.notEqual(
      nameKey(name({ tag: 0x0c, value: Buffer.from([0xff]) })),
      nameKey(name({ tag: 0x0c, value: Buffer.from([0xfe]) })),
    );
  });

  test('a name is shown in one printable line', () => {
    const shown = (one: Partial<NameAttribute>) =>
      shownName(readName(name(one)) ?? { commonNames: [], organizations: [] });
    assert.equal(shown(text('Test Root')), 'Test Root');
    assert.equal(shown({ ...text('Example'), type: 'O' }), 'Example');
    assert.equal(shown(text('a\nb\u001b[31m')), 'a?b?[31m');
    assert.equal(shown(text('')), 'without a name');
    assert.equal(shown(text('A'.repeat(100))).length, 64);
  });
});
