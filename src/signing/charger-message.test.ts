import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { makeAuthority } from '../../test/support/certificates.ts';
import { newPrivateKey, signed } from '../../test/support/signing.ts';
import { openCharger } from './charger-message.ts';
import { thumbprintOf } from './signing-key.ts';

// Goal: what a charger has signed is opened, whoever has signed it, and judged by its certificate.
// Method: a certificate of tests and its key; then texts that nobody has signed.

const authority = await makeAuthority();
const issued = await authority.issue({ commonName: 'SN-1', algorithm: 'ecdsa-p256' });
const certificate = new X509Certificate(issued.chainPem);
const signer = {
  key: createPrivateKey(issued.keyPem),
  algorithm: 'ES256',
  kid: undefined,
  x5tS256: thumbprintOf(certificate),
} as const;
const call = '[2,"a","StatusNotification",{ "connectorId":1 }]';

function opened(text: Uint8Array | string, action = 'Reset') {
  const actionOfReply = (): string => action;
  const message = openCharger(Buffer.from(text as string), { certificate, actionOfReply });
  return message && [message.bytes.toString(), message.verdict];
}

describe('openCharger', () => {
  test('by its certificate: verified', () => {
    assert.deepEqual(opened(signed(call, 'ocpp', { signer })), [call, 'verified']);
    const reply = '[3,"r",{"status":"Accepted"}]';
    const answer = signed(reply, 'ocpp', { signer, actionOfReply: () => 'Reset' });
    assert.deepEqual(opened(answer), [reply, 'verified']);
    assert.deepEqual(opened(answer, 'ClearCache'), [reply, 'wrong']);
  });

  test('by another key, and in its name', () => {
    const key = newPrivateKey('ES256');
    const named = { ...signer, key, kid: 'other', x5tS256: undefined };
    assert.deepEqual(opened(signed(call, 'ocpp', { signer: named })), [call, 'unknown-key']);
    assert.deepEqual(opened(signed(call, 'ocpp', { signer: { ...signer, key } })), [call, 'wrong']);
  });

  test('moved to another message: wrong', () => {
    const frame = JSON.parse(signed(call, 'ocpp', { signer }).toString()) as unknown[];
    const moved = opened(JSON.stringify(frame.with(1, 'b')));
    assert.equal(moved?.[1], 'wrong');
  });

  test('without a certificate nothing is known', () => {
    const message = openCharger(signed(call, 'ocpp', { signer }), {
      certificate: undefined,
      actionOfReply: () => undefined,
    });
    assert.equal(message?.verdict, 'unknown-key');
  });

  test('what is not signed is not opened, whatever it is', () => {
    for (const text of ['', '[]', call, '[2,"a","X-Signed",{"protected":1}]', '"protected"']) {
      assert.equal(opened(text), undefined, text);
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(opened(`[2,"a","X-Signed",{"protected":"","payload":"${text}`), undefined);
      }),
    );
  });
});
