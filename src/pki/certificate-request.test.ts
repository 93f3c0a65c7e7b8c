import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRequest, nameDer } from '../../test/support/certificates.ts';
import { readRequest } from './certificate-request.ts';

// Goal: a request is read as its issuer will read it, and only from whoever has its key.
// Method: requests with every kind of key and name, then broken in every way.

const read = async (...wanted: Parameters<typeof makeRequest>) =>
  readRequest((await makeRequest(...wanted)).requestPem);

describe('good requests', () => {
  for (const algorithm of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const) {
    test(`a request with a key of ${algorithm} is read`, async () => {
      const made = await makeRequest({ algorithm, commonName: 'CP-1', organization: 'Example' });
      assert.deepEqual(readRequest(made.requestPem), {
        ok: true,
        value: {
          spkiSha256: made.spkiSha256,
          commonNames: ['CP-1'],
          organizations: ['Example'],
          strengthProblem: undefined,
          asksForCa: false,
        },
      });
    });
  }

  test('a request that is signed with RSA-PSS is read', async () => {
    for (const hash of ['SHA-256', 'SHA-512'] as const) {
      const request = await read({ algorithm: 'rsa-2048', isSignedWithPss: true, hash });
      assert.ok(request.ok && request.value.strengthProblem === undefined);
    }
  });

  test('lines may end in any way, and either label is known', async () => {
    const { requestPem } = await makeRequest({ commonName: 'CP-1' });
    for (const text of [
      requestPem.replaceAll('\n', '\r\n'),
      requestPem.replaceAll('\n', '\r'),
      requestPem.replaceAll('\n', ''),
      requestPem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'),
    ]) {
      assert.ok(readRequest(text).ok, text);
    }
  });
});

describe('T2-14: bad requests', () => {
  test('T2-14: a weak key or signature is told', async () => {
    const key = await read({ algorithm: 'rsa-1024' });
    assert.match((key.ok && key.value.strengthProblem) || '', /2048/);
    const signature = await read({ hash: 'SHA-1' });
    assert.match((signature.ok && signature.value.strengthProblem) || '', /sha1/);
    const pss = await read({ algorithm: 'rsa-2048', hash: 'SHA-1', isSignedWithPss: true });
    assert.match((pss.ok && pss.value.strengthProblem) || '', /sha1/);
  });

  for (const algorithm of ['ecdsa-p256', 'rsa-2048', 'ed25519'] as const) {
    test(`T2-14: without the private key nobody makes a request with a key of ${algorithm}`, async () => {
      const request = await read({ algorithm, isForeignKey: true });
      assert.deepEqual(request, {
        ok: false,
        error: 'its signature does not prove that the sender has the key',
      });
    });
  }

  test('T2-14: a request with any bit changed is refused, and breaks nothing', async () => {
    const { requestPem } = await makeRequest({ commonName: 'CP-1' });
    const raw = bytesOf(requestPem);
    for (let offset = 0; offset < raw.length; offset += 1) {
      for (const change of [0x01, 0x20, 0x80]) {
        const changed = Buffer.from(raw);
        changed.writeUInt8((raw[offset] ?? 0) ^ change, offset);
        assert.ok(!readRequest(pemOf(changed)).ok, `${offset} ${change}`);
      }
    }
  });

  test('T2-14: a request that is cut at any length, or goes on, is refused', async () => {
    const raw = bytesOf((await makeRequest({ commonName: 'CP-1' })).requestPem);
    for (let length = 0; length < raw.length; length += 1) {
      assert.ok(!readRequest(pemOf(raw.subarray(0, length))).ok, `${length} bytes`);
    }
    assert.ok(readRequest(pemOf(raw)).ok);
    assert.ok(!readRequest(pemOf(Buffer.concat([raw, Buffer.from([0])]))).ok);
  });

  test('T2-14: two requests, one that is too long, and garbage are refused', async () => {
    const { requestPem, keyPem } = await makeRequest({ commonName: 'CP-1' });
    const long = await makeRequest({
      subjectDer: nameDer([{ type: 'CN', tag: 0x0c, value: Buffer.alloc(6000, 'A') }]),
    });
    for (const text of ['', 'garbage', keyPem, requestPem + requestPem, long.requestPem]) {
      assert.ok(!readRequest(text).ok, text.slice(0, 40));
    }
  });

  test('T2-14: names are read as in certificates', async () => {
    const name = (value: string) => ({ type: 'CN', tag: 0x0c, value: Buffer.from(value) }) as const;
    const request = await read({ subjectDer: nameDer([name('CP-1'), name('CP-2\0')]) });
    assert.deepEqual(request.ok && request.value.commonNames, ['CP-1', 'CP-2\0']);
  });

  test('T2-14: a request for the certificate of an authority is told', async () => {
    const request = await read({ commonName: 'CP-1', isForCa: true });
    assert.equal(request.ok && request.value.asksForCa, true);
    const other = await read({ commonName: 'CP-1', isForCa: false });
    assert.equal(other.ok && other.value.asksForCa, false);
  });
});

function bytesOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}

function pemOf(raw: Buffer): string {
  const digits = raw.toString('base64');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${digits}\n-----END CERTIFICATE REQUEST-----\n`;
}
