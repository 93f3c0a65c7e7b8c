import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  forged,
  goodHeader,
  keySetOf,
  newPrivateKey,
  privateKeyFor,
  problemWith,
  signed,
  signedAtMs,
  testSigner,
  testWindow,
  verified,
} from '../../test/support/signing.ts';
import { type SignatureFormat, signatureFormats } from './verify.ts';

// Goal: only what the holder of a pinned key has signed for this charger, this message and this
// moment gets through, and it is what it was before it was signed, byte for byte.
// Method: sign messages of every kind in both formats, then take one thing after the other away.

const reset = '[2,"id-1","Reset",{"type":"Soft"}]';

/** Messages with spellings that a JSON library would not write again. */
const messages: readonly (readonly [what: string, text: string])[] = [
  ['a call', reset],
  [
    'numbers and escapes that have other spellings',
    '[2,"a","DataTransfer",{"d":1.50e0,"\\u0065":"\\/"}]',
  ],
  ['white space inside the payload', '[2,"a","Reset",{ "type" :\t"Hard" }]'],
  ['letters beyond ASCII', '[2,"ü","DataTransfer",{"vendorId":"Größe ☂ 😀"}]'],
  ['brackets inside texts', '[2,"a","DataTransfer",{"x":"]},{[\\"","y":[[],{}]}]'],
  ['an empty payload', '[2,"a","ClearCache",{}]'],
  ['a reply', '[3,"id-1",{"currentTime":"2026-01-01T00:00:00.000Z"}]'],
  ['a reply with null for its payload', '[3,"id-1",null]'],
  ['an error', '[4,"id-1","InternalError","oh, \\"no\\"",{"a":[1,2]}]'],
  ['an error about a reply', '[5,"id-1","FormatViolation","",{}]'],
  ['a send', '[6,"a","NotifyPeriodicEventStream",{"id":1}]'],
];

describe('verifySigned', () => {
  for (const format of signatureFormats) {
    for (const [what, text] of messages) {
      test(`${format}: ${what} comes out byte for byte`, () => {
        const result = verified(signed(text, format));
        assert.ok(result.ok, result.ok ? '' : `${result.error.is}: ${result.error.detail}`);
        assert.equal(result.value.bytes.toString(), text);
        assert.equal(result.value.format, format);
      });
    }

    for (const algorithm of ['ES256', 'RS256', 'RS384', 'EdDSA'] as const) {
      test(`${format}: ${algorithm} is verified`, () => {
        const signer = testSigner(algorithm);
        const result = verified(signed(reset, format, { signer }), {
          keys: keySetOf([signer.key]),
        });
        assert.ok(result.ok);
        assert.equal(result.value.algorithm, algorithm);
      });
    }

    test(`rule 0: ${format}: a message without a signature is missing one`, () => {
      for (const [, text] of messages) assert.equal(problemWith(text, only(format)), 'missing');
    });

    test(`rule 0: ${format}: a message of a key that is not pinned is refused`, () => {
      const key = newPrivateKey('ES256');
      const stranger = { ...testSigner(), key };
      // With the name of the pinned key, and with its own.
      assert.equal(problemWith(signed(reset, format, { signer: stranger })), 'altered');
      const named = { ...stranger, kid: 'stranger' };
      assert.equal(problemWith(signed(reset, format, { signer: named })), 'unknown-key');
      const unnamed = { ...stranger, kid: undefined };
      assert.equal(problemWith(signed(reset, format, { signer: unnamed })), 'unknown-key');
    });

    test(`rule 0: ${format}: a message for another charger is refused`, () => {
      assert.equal(problemWith(signed(reset, format, { charger: 'CP-2' })), 'other-charger');
      assert.equal(problemWith(signed(reset, format), { charger: 'CP-2' }), 'other-charger');
    });

    test(`${format}: an identity in another case is the same charger`, () => {
      assert.equal(problemWith(signed(reset, format, { charger: 'cp-1' })), 'nothing');
    });

    test(`rule 0: ${format}: a message that came before is a replay`, () => {
      const replays = testWindow();
      const frame = signed(reset, format);
      assert.equal(problemWith(frame, { replays }), 'nothing');
      assert.equal(problemWith(frame, { replays }), 'replayed');
      assert.equal(problemWith(frame, { replays, nowMs: signedAtMs + 69_000 }), 'replayed');
      assert.equal(problemWith(signed(reset, format), { replays }), 'nothing');
    });

    test(`${format}: a message with something wrong does not use up its nonce`, () => {
      const replays = testWindow();
      const frame = signed(reset, format);
      assert.equal(problemWith(frame, { replays, charger: 'CP-2' }), 'other-charger');
      assert.equal(problemWith(frame, { replays }), 'nothing');
    });

    test(`rule 0: ${format}: an old message is stale, and clocks may differ a little`, () => {
      const frame = signed(reset, format);
      assert.equal(problemWith(frame, { nowMs: signedAtMs + 70_000 }), 'nothing');
      assert.equal(problemWith(frame, { nowMs: signedAtMs + 70_001 }), 'stale');
      assert.equal(problemWith(frame, { nowMs: signedAtMs - 10_000 }), 'nothing');
      assert.equal(problemWith(frame, { nowMs: signedAtMs - 10_001 }), 'from-the-future');
    });

    test(`${format}: two keys count at the same time, so that they can be changed`, () => {
      const next = { ...testSigner(), key: newPrivateKey('ES256'), kid: 'next' };
      const keys = keySetOf([privateKeyFor('ES256'), privateKeyFor('RS256')]);
      const rsa = testSigner('RS256');
      assert.equal(problemWith(signed(reset, format), { keys }), 'nothing');
      assert.equal(problemWith(signed(reset, format, { signer: rsa }), { keys }), 'nothing');
      assert.equal(problemWith(signed(reset, format, { signer: next }), { keys }), 'unknown-key');
    });
  }

  test('a format that is not expected is refused', () => {
    assert.equal(problemWith(signed(reset, 'ocpp'), only('whole-frame')), 'missing');
    assert.equal(problemWith(signed(reset, 'whole-frame'), only('ocpp')), 'missing');
  });

  test('rule 0: what was signed in one format is nothing in the other', () => {
    const [header = '', payload = '', signature = ''] = signed(reset, 'whole-frame')
      .toString()
      .split('.');
    const wrapped = [2, 'id-1', 'Reset-Signed', { protected: header, payload, signature }];
    assert.equal(problemWith(JSON.stringify(wrapped)), 'other-message');

    const parts = (JSON.parse(signed(reset, 'ocpp').toString()) as [2, string, string, Parts])[3];
    const compact = `${parts.protected}.${parts.payload}.${parts.signature}`;
    assert.equal(problemWith(compact), 'unreadable');
  });

  test('rule 0: a signature is not taken to another message', () => {
    const frame = JSON.parse(signed(reset, 'ocpp').toString()) as unknown[];
    assert.equal(problemWith(JSON.stringify(frame.with(1, 'id-2'))), 'other-message');
    assert.equal(problemWith(JSON.stringify(frame.with(0, 6))), 'other-message');
    assert.equal(problemWith(JSON.stringify(frame.with(2, 'ClearCache-Signed'))), 'other-action');
    const reply = signed('[3,"id-1",{}]', 'ocpp', { actionOfReply: () => 'Authorize' });
    assert.equal(problemWith(reply, { actionOfReply: () => 'BootNotification' }), 'other-action');
    assert.equal(problemWith(reply, { actionOfReply: () => 'Authorize' }), 'nothing');
  });

  test('code and description of an error must be those that were signed', () => {
    const text = '[4,"id-1","GenericError","no",{}]';
    const frame = JSON.parse(signed(text, 'ocpp').toString()) as unknown[];
    assert.equal(problemWith(JSON.stringify(frame)), 'nothing');
    assert.equal(problemWith(JSON.stringify(frame.with(2, 'NotSupported'))), 'altered');
    assert.equal(problemWith(JSON.stringify(frame.with(3, 'yes'))), 'altered');
  });

  test('what OCPP does not ask for is demanded, and can be switched off by name', () => {
    const cases = [
      ['messageId', { OCPPMessageId: undefined }, 'other-message'],
      ['charger', { aud: undefined }, 'other-charger'],
      ['time', { iat: undefined }, 'stale'],
      ['nonce', { jti: undefined }, 'replayed'],
    ] as const;
    for (const [name, claims, problem] of cases) {
      const frame = messageWith(claims);
      assert.equal(problemWith(frame), problem, name);
      const demand = { messageId: true, charger: true, time: true, nonce: true, [name]: false };
      // Without a time there is nothing to remember a nonce by.
      assert.equal(problemWith(frame, { demand }), 'nothing', name);
    }
    const none = { messageId: false, charger: false, time: false, nonce: false };
    const plain = { OCPPMessageId: undefined, aud: undefined, iat: undefined, jti: undefined };
    assert.equal(problemWith(messageWith(plain), { demand: none }), 'nothing');
  });

  test('what is not demanded is checked where it is there', () => {
    const demand = { messageId: false, charger: false, time: false, nonce: false };
    assert.equal(problemWith(messageWith({ OCPPMessageId: 'x' }), { demand }), 'other-message');
    assert.equal(problemWith(messageWith({ aud: 'CP-2' }), { demand }), 'other-charger');
    assert.equal(problemWith(messageWith({ iat: 1 }), { demand }), 'stale');
    assert.equal(problemWith(messageWith({ exp: 1 }), { demand }), 'stale');
    assert.equal(problemWith(messageWith({ nbf: 4e9 }), { demand }), 'from-the-future');
    const replays = testWindow();
    const frame = messageWith({});
    assert.equal(problemWith(frame, { demand, replays }), 'nothing');
    assert.equal(problemWith(frame, { demand, replays }), 'replayed');
  });

  test('both spellings of the message type are read, but not together', () => {
    const typed = messageWith({ OCPPMessageTypeId: undefined, OCPPMessageTypedId: 2 });
    assert.equal(problemWith(typed), 'nothing');
    assert.equal(problemWith(messageWith({ OCPPMessageTypedId: 2 })), 'unreadable');
    assert.equal(problemWith(messageWith({ OCPPMessageTypeId: undefined })), 'other-message');
  });
});

interface Parts {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

function only(format: SignatureFormat): { readonly formats: readonly SignatureFormat[] } {
  return { formats: [format] };
}

/** A signed Reset whose header has these claims instead. */
function messageWith(claims: Readonly<Record<string, unknown>>): string {
  return forged({ header: { ...goodHeader(), ...claims } });
}
