import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { signed, testSigner, verified } from '../../test/support/signing.ts';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { elementTexts } from './message-outline.ts';
import { signMessage } from './sign.ts';
import { signatureFormats } from './verify.ts';

// Goal: what is signed and verified is what was written, whatever JSON it is; and what is no message
// is not signed.
// Method: random JSON with random white space and both formats; the failures one by one.

const context = {
  charger: 'CP-1',
  nowMs: 0,
  nonce: 'n',
  actionOfReply: () => undefined,
};

describe('signMessage', () => {
  for (const format of signatureFormats) {
    test(`${format}: any payload comes out byte for byte`, () => {
      const payload = fc
        .tuple(
          fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
          fc.constantFrom(0, 1, '\t'),
        )
        .map(([value, space]) => JSON.stringify(value, null, space));
      fc.assert(
        fc.property(payload, (text) => {
          const call = `[2,"id","DataTransfer",${text}]`;
          const result = verified(signed(call, format));
          // Keys that could be read in two ways are for the decoder to refuse.
          assert.ok(result.ok);
          assert.equal(result.value.bytes.toString(), call);
        }),
      );
    });

    test(`${format}: what is no OCPP message is not signed`, () => {
      for (const text of [
        '',
        'x',
        '{}',
        '[]',
        '[2]',
        '[2.0,"a","Reset",{}]',
        '[9,"a","Reset",{}]',
      ]) {
        const result = signMessage(Buffer.from(text), format, testSigner(), context);
        assert.deepEqual(result, { ok: false, error: 'not-a-message' }, text);
      }
    });
  }

  test('ocpp: a message with the wrong number of elements, or no name for its action, is not signed', () => {
    for (const text of [
      '[2,"a","Reset"]',
      '[2,"a","Reset",{},1]',
      '[2,"a","Reset-Signed",{}]',
      '[2,"a",7,{}]',
      '[3,"a"]',
      '[4,"a","GenericError",""]',
    ]) {
      const result = signMessage(Buffer.from(text), 'ocpp', testSigner(), context);
      assert.deepEqual(result, { ok: false, error: 'not-a-message' }, text);
    }
  });

  test('ocpp: a reply to a call that is not known is not signed', () => {
    const result = signMessage(Buffer.from('[3,"a",{}]'), 'ocpp', testSigner(), context);
    assert.deepEqual(result, { ok: false, error: 'no-such-call' });
  });
});

describe('base64url', () => {
  test('every text of bytes has one spelling', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.deepEqual(decodeBase64url(encodeBase64url(bytes)), Buffer.from(bytes));
      }),
    );
  });

  test('what decodes is what encodes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ABgw_-=+/ \n'), maxLength: 9 }), (text) => {
        const bytes = decodeBase64url(text);
        if (bytes !== undefined) assert.equal(encodeBase64url(bytes), text);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('elementTexts', () => {
  test('splits any array where its elements end', () => {
    const list = fc.array(fc.jsonValue());
    fc.assert(
      fc.property(list, fc.constantFrom(0, 2), (values, space) => {
        const texts = elementTexts(JSON.stringify(values, null, space));
        assert.deepEqual(
          texts.map((text) => JSON.parse(text) as unknown),
          JSON.parse(JSON.stringify(values)),
        );
      }),
    );
  });
});
