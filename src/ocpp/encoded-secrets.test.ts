import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signed } from '../../test/support/signing.ts';
import { signatureFormats } from '../signing/verify.ts';
import { redacted, redactText } from './secrets.ts';

// Goal: what is signed is kept when it is refused, and a secret in it is not.
// Method: signed messages with and without secrets, in both formats; twins stay byte for byte.

const secret = 'Pa55w0rd-never-logged';
const withSecret = `[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":"${secret}"}]`;
const without = '[2,"a","ChangeConfiguration",{"key":"HeartbeatInterval","value":"60"}]';

describe('T2-10: secrets inside signatures', () => {
  for (const format of signatureFormats) {
    test(`${format}: a payload with a secret is not kept, and the rest is`, () => {
      const kept = redactText(signed(withSecret, format).toString());
      assert.ok(kept.includes(redacted));
      const tokens = kept.match(/[\w-]{16,}/g) ?? [];
      assert.ok(tokens.length >= 2, 'header and signature');
      for (const token of tokens) {
        assert.ok(!Buffer.from(token, 'base64url').toString('latin1').includes(secret));
      }
    });

    test(`${format}: a payload without one stays as it came`, () => {
      const text = signed(without, format).toString();
      assert.equal(redactText(text), text);
    });
  }

  test('a signature in which chance has written a name of three letters stays', () => {
    for (const format of signatureFormats) {
      // Of ES256, and of HS256, which a forger may use.
      for (const length of [86, 43]) {
        const text = signed(without, format)
          .toString()
          .replace(/[\w-]{86}(?="|$)/, (it) => `PWD${it.slice(3, length - 3)}psk`);
        assert.match(text, new RegExp(`PWD[\\w-]{${length - 6}}psk`));
        assert.equal(redactText(text), text);
      }
    }
    const named = `${'x'.repeat(60)}-password`;
    assert.ok(!redactText(`["${named}=${secret}"]`).includes(secret));
  });

  test('what only looks encoded stays', () => {
    for (const text of ['[2,"a","X",{"idTag":"eyJzzzzzzzzzzzzzzzzz"}]', 'W'.repeat(50)]) {
      assert.equal(redactText(text), text);
    }
  });
});
