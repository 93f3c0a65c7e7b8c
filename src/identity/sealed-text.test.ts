import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { open, seal } from './sealed-text.ts';

// Goal: a sealed text opens with its key and its context, unchanged, and in no other case.
// Method: properties over texts, contexts and changes.

const key = randomBytes(32);
const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));

describe('sealed texts', () => {
  test('what was sealed opens', () => {
    fc.assert(
      fc.property(bytes, fc.string(), (text, context) => {
        assert.deepEqual(open(seal(text, key, context), key, context), text);
      }),
    );
  });

  test('another context does not open it: a secret of one charger is worth nothing for another', () => {
    fc.assert(
      fc.property(bytes, fc.string(), fc.string(), (text, context, other) => {
        fc.pre(context !== other);
        assert.equal(open(seal(text, key, context), key, other), undefined);
      }),
    );
  });

  test('another key does not open it', () => {
    assert.equal(open(seal(Buffer.from('x'), key, 'cp-1'), randomBytes(32), 'cp-1'), undefined);
  });

  test('no changed character is overlooked', () => {
    const characters = fc.constantFrom(...'AZaz09-_+/=. \n');
    fc.assert(
      fc.property(bytes, fc.nat(), characters, (text, position, character) => {
        const sealed = seal(text, key, 'cp-1');
        const at = position % sealed.length;
        fc.pre(sealed[at] !== character);
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        assert.equal(open(changed, key, 'cp-1'), undefined, changed);
      }),
    );
  });

  test('nothing added, and nothing cut off, is overlooked', () => {
    const sealed = seal(Buffer.from('a secret'), key, 'cp-1');
    for (let length = 0; length < sealed.length; length += 1) {
      assert.equal(open(sealed.slice(0, length), key, 'cp-1'), undefined);
      assert.equal(open(sealed.slice(length), key, 'cp-1') === undefined, length > 0);
    }
    for (const more of ['A', '=', '\n', ' ', 'AAAA', '.']) {
      assert.equal(open(sealed + more, key, 'cp-1'), undefined);
    }
    assert.equal(open(`v1.${'A'.repeat(1_000_000)}`, key, 'cp-1'), undefined);
    assert.equal(open(sealed.replace('v1', 'v2'), key, 'cp-1'), undefined);
  });

  test('the same text is sealed differently each time, and does not show', () => {
    const sealed = [1, 2].map(() => seal(Buffer.from('hunter2hunter2'), key, 'cp-1'));
    assert.notEqual(sealed[0], sealed[1]);
    for (const text of sealed) assert.match(text, /^v1\.[\w-]+$/);
  });

  test('a key of another length is our mistake', () => {
    for (const wrong of [randomBytes(16), randomBytes(31), Buffer.alloc(0)]) {
      assert.throws(() => seal(Buffer.from('x'), wrong, 'cp-1'), { name: 'BrokenInvariant' });
      assert.throws(() => open('v1.AAAA', wrong, 'cp-1'), { name: 'BrokenInvariant' });
    }
  });
});
