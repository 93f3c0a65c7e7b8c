import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRequest } from '../../../test/support/certificates.ts';
import { ocppVersions } from '../../ocpp/version.ts';
import { ChargerMemory } from './charger-memory.ts';
import { Conversation } from './conversation.test.ts';

// Goal: the memory knows which certificate the charger waits for, and how often it has asked, also
// after a restart.
// Method: short conversations in each version.

const request = await makeRequest({ commonName: 'CP-1' });
const hourMs = 3_600_000;

describe('signing requests', () => {
  for (const version of ocppVersions) {
    test(`T2-13: ${version}: the key of the last request is known, before and after a restart`, async () => {
      const talk = new Conversation(version);
      assert.equal(talk.memory.lastSigningRequest, undefined);
      const first = await makeRequest();
      talk.call('charger', 'SignCertificate', { csr: first.requestPem });
      const { urgency } = talk.call('charger', 'SignCertificate', { csr: request.requestPem });
      assert.equal(urgency, 'soon');
      const known = { spkiSha256: request.spkiSha256 };
      assert.deepEqual(talk.memory.lastSigningRequest, known);
      assert.deepEqual(new ChargerMemory(talk.memory.save()).lastSigningRequest, known);
    });

    test(`T2-14: ${version}: five requests are enough for an hour, before and after a restart`, () => {
      const talk = new Conversation(version);
      const payload = { csr: request.requestPem };
      for (let count = 0; count < 5; count += 1) {
        assert.ok(talk.memory.mayRequestCertificate(talk.nowMs), `${count}`);
        talk.call('charger', 'SignCertificate', payload);
        talk.nowMs += 1000;
      }
      const firstMs = 1_000_000;
      for (const memory of [talk.memory, new ChargerMemory(talk.memory.save())]) {
        assert.equal(memory.mayRequestCertificate(talk.nowMs), false);
        assert.equal(memory.mayRequestCertificate(firstMs + hourMs - 1), false);
        assert.equal(memory.mayRequestCertificate(firstMs + hourMs), true);
        assert.equal(memory.mayRequestCertificate(firstMs - 1), true, 'the clock was set back');
      }
    });

    test(`${version}: what the CSMS sends teaches nothing`, () => {
      const talk = new Conversation(version);
      talk.call('csms', 'SignCertificate', { csr: request.requestPem });
      assert.equal(talk.memory.lastSigningRequest, undefined);
    });
  }

  test('OCPP 2.1: the requestId belongs to the request', () => {
    const talk = new Conversation('ocpp2.1');
    talk.call('charger', 'SignCertificate', { csr: request.requestPem, requestId: 7 });
    const known = { spkiSha256: request.spkiSha256, requestId: 7 };
    assert.deepEqual(talk.memory.lastSigningRequest, known);
    assert.deepEqual(new ChargerMemory(talk.memory.save()).lastSigningRequest, known);
  });

  test('a request for talking to vehicles counts, and does not replace the other', async () => {
    const talk = new Conversation('ocpp2.0.1');
    talk.call('charger', 'SignCertificate', { csr: request.requestPem });
    const { requestPem } = await makeRequest();
    for (let count = 0; count < 4; count += 1) {
      talk.call('charger', 'SignCertificate', {
        csr: requestPem,
        certificateType: 'V2GCertificate',
      });
    }
    assert.equal(talk.memory.lastSigningRequest?.spkiSha256, request.spkiSha256);
    assert.equal(talk.memory.mayRequestCertificate(talk.nowMs), false);
  });

  test('after a request that cannot be read nobody knows which key comes back', () => {
    for (const csr of ['x', 7, undefined, null]) {
      const talk = new Conversation('ocpp1.6');
      talk.call('charger', 'SignCertificate', { csr: request.requestPem });
      talk.call('charger', 'SignCertificate', { csr });
      assert.equal(talk.memory.lastSigningRequest, undefined);
    }
  });

  test('a damaged document is as good as none', () => {
    for (const signingRequests of [
      null,
      7,
      { last: { spkiSha256: 'x' }, timesMs: 'x' },
      { last: { spkiSha256: ['a'] }, timesMs: [null, 'x', 1.5] },
    ]) {
      const document = JSON.stringify({ v: 1, signingRequests });
      const memory = new ChargerMemory({ document, variables: '' });
      assert.equal(memory.lastSigningRequest, undefined);
      assert.equal(memory.mayRequestCertificate(1), true);
    }
    const timesMs = Array.from({ length: 1000 }, () => 1);
    const document = JSON.stringify({ v: 1, signingRequests: { timesMs } });
    const memory = new ChargerMemory({ document, variables: '' });
    assert.ok(memory.save().document.length < 1000);
  });
});
