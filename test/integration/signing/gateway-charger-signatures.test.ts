import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { encodeBase64url } from '../../../src/signing/base64url.ts';
import { type SigningKey, thumbprintOf } from '../../../src/signing/signing-key.ts';
import type { TestCertificate } from '../../support/certificates.ts';
import {
  type CredentialGateway,
  startCredentialGateway,
} from '../../support/credential-gateway.ts';
import type { EventOf } from '../../support/live-gateway.ts';
import { newPrivateKey } from '../../support/signing.ts';
import { type HandCsms, startHandCsms, type TextPeer } from '../../support/text-peer.ts';
import { sign } from './signing-csms.ts';

// Goal: what a charger has signed reaches the CSMS as it was signed, whoever can verify it; the audit
// log says what the gateway made of it; and behind a signature a charger may do no more than without.
// Method: a charger with a certificate (security profile 3) that signs with its key, with another
// one, and wrongly.

describe('signed messages of chargers', () => {
  const open = new AsyncDisposableStack();
  let server: HandCsms;
  let gateway: CredentialGateway;
  let certificate: TestCertificate;
  let signer: SigningKey;
  let charger: TextPeer;
  let csms: TextPeer;

  before(async () => {
    server = open.use(await startHandCsms());
    gateway = open.use(await startCredentialGateway(server.url));
    await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
    certificate = await gateway.authority.issue({ commonName: 'SN-1', algorithm: 'ecdsa-p256' });
    signer = {
      key: createPrivateKey(certificate.keyPem),
      algorithm: 'ES256',
      kid: undefined,
      x5tS256: thumbprintOf(new X509Certificate(certificate.chainPem)),
    };
    const shown = { profile: 3, certificate, version: 'ocpp2.0.1' };
    charger = await gateway.connect('CP-1', shown);
    csms = await server.nextConnection();
  });
  after(() => open.disposeAsync());

  let heartbeats = 0;
  const heartbeat = (): string => {
    heartbeats += 1;
    return `[2,"h-${heartbeats}","Heartbeat",{}]`;
  };

  /** The charger sends it, the CSMS gets the same bytes and answers; what the log says of it. */
  async function relayed(text: string): Promise<EventOf<'ChargerMessageSigned'>['verdict']> {
    const count = gateway.events.length;
    charger.send(text);
    assert.equal(await csms.next(), text);
    const id = (JSON.parse(text) as readonly string[])[1];
    csms.sendMessage(3, id, { currentTime: '2026-01-01T00:00:00Z' });
    await charger.next();
    const events = gateway.events.slice(count);
    const found = events.find(({ name }) => name === 'ChargerMessageSigned');
    assert.equal(found?.name, 'ChargerMessageSigned');
    return found.verdict;
  }

  test('rule 0: by the certificate that it came with: verified, and relayed byte for byte', async () => {
    assert.equal(await relayed(sign(heartbeat(), { signer })), 'verified');
  });

  test('rule 0: by another key: unknown, and relayed byte for byte', async () => {
    const other = { ...signer, key: newPrivateKey('ES256'), kid: 'x', x5tS256: undefined };
    assert.equal(await relayed(sign(heartbeat(), { signer: other })), 'unknown-key');
  });

  test('rule 0: in the name of the certificate, or for another message: wrong, and relayed', async () => {
    const forger = { ...signer, key: newPrivateKey('ES256') };
    assert.equal(await relayed(sign(heartbeat(), { signer: forger })), 'wrong');
    const moved = sign('[2,"other","Heartbeat",{}]', { signer }).replace('other', 'moved');
    assert.equal(await relayed(moved), 'wrong');
  });

  test('rule 0: in a way that the gateway does not read: unverifiable, and relayed untouched', async () => {
    const text = sign(heartbeat(), { signer });
    const [, , , jws] = JSON.parse(text) as [0, 0, 0, { protected: string }];
    const header = JSON.parse(Buffer.from(jws.protected, 'base64url').toString()) as object;
    const strange = encodeBase64url(JSON.stringify({ ...header, x5c: ['AA=='] }));
    assert.equal(await relayed(text.replace(jws.protected, strange)), 'unverifiable');
  });

  test('rule 0: a signed answer settles the call that it answers', async () => {
    const nextEvent = gateway.events.length;
    for (const id of ['c-1', 'c-2']) {
      csms.sendMessage(2, id, 'ClearCache', {});
      assert.deepEqual(await charger.nextMessage(), [2, id, 'ClearCache', {}]);
      const answer = sign(`[3,"${id}",{"status":"Accepted"}]`, { signer, action: 'ClearCache' });
      charger.send(answer);
      assert.equal(await csms.next(), answer);
    }
    const verdicts = gateway.events
      .slice(nextEvent)
      .flatMap((it) => (it.name === 'ChargerMessageSigned' ? [it.verdict] : []));
    assert.deepEqual(verdicts, ['verified', 'verified']);
  });

  test('T1-18: what a charger may not do it may not do behind a signature either', async () => {
    const count = gateway.events.length;
    for (const inner of ['[2,"r","Reset",{"type":"Immediate"}]', '[3,"nobody",{}]']) {
      charger.send(sign(inner, { signer, action: 'Reset' }));
    }
    const [, refusedId] = await charger.nextMessage();
    assert.equal(refusedId, 'r');
    // The call that follows is the next thing that the CSMS sees.
    assert.equal(await relayed(sign(heartbeat(), { signer })), 'verified');
    const refused = gateway.events
      .slice(count)
      .flatMap((it) => (it.name === 'FrameRefused' ? [it.rule] : []));
    assert.deepEqual(refused, ['direction', 'message-id']);
  });

  test('rule 0: a text in which no message is signed is no message', async () => {
    const count = gateway.events.length;
    charger.send('[2,"g","Heartbeat-Signed",{"protected":"!","payload":"!","signature":"!"}]');
    await gateway.event('FrameRefused', (it) => gateway.events.indexOf(it) >= count);
  });

  test('rule 0: without a certificate nothing can be said of it, and it is relayed', async () => {
    await gateway.add('CP-9', 'a-password-of-cp-9');
    const plain = await gateway.connect('CP-9', { profile: 2, password: 'a-password-of-cp-9' });
    const upstream = await server.nextConnection();
    const text = sign('[2,"h","Heartbeat",{}]', { signer, charger: 'CP-9' });
    plain.send(text);
    assert.equal(await upstream.next(), text);
    const { verdict } = await gateway.event('ChargerMessageSigned', (it) => it.charger === 'CP-9');
    assert.equal(verdict, 'unknown-key');
    await plain.close();
  });
});
