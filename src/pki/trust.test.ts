import assert from 'node:assert/strict';
import { sign, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { der, makeAuthority } from '../../test/support/certificates.ts';
import { readFields } from './certificate.ts';
import { readTrust, type TrustTexts } from './trust.ts';

// Goal: a file that would let the wrong chargers in, or none, is refused, and the operator is told
// which part of it and why.
// Method: files with each mistake; and a list as long as the limit allows.

const nowMs = Date.now();
const dayMs = 86_400_000;
const root = await makeAuthority();

/** The problem, or nothing. */
function problemOf(texts: TrustTexts): string | undefined {
  const trust = readTrust(texts);
  return trust.ok ? undefined : trust.error;
}

describe('authorities', () => {
  test('several are read, with text between them', async () => {
    const other = await makeAuthority({ commonName: 'Other', algorithm: 'rsa-2048' });
    const trust = readTrust({
      ca: `# first\n${root.certificatePem}# second\n${other.certificatePem}`,
    });
    assert.ok(trust.ok);
    assert.equal(trust.value.authorities.length, 2);
    assert.equal(trust.value.usesLists, false);
    assert.deepEqual(trust.value.staleLists(nowMs), []);
  });

  test('a certificate that is not one of an authority is refused, and named', async () => {
    const leaf = await root.issue({ commonName: 'CP-1' });
    assert.equal(
      problemOf({ ca: root.certificatePem + leaf.certificatePem }),
      'authorities: certificate 2 (CP-1): it is not one of an authority',
    );
    const noSigner = await root.issue({ commonName: 'Odd', isCa: true, keyUsages: 1 });
    assert.match(problemOf({ ca: noSigner.certificatePem }) ?? '', /not one of an authority/);
  });

  test('an authority with a weak key is refused, and named', async () => {
    const weak = await makeAuthority({ commonName: 'Old Root', algorithm: 'rsa-1024' });
    assert.equal(
      problemOf({ ca: weak.certificatePem }),
      'authorities: certificate 1 (Old Root): its RSA key has fewer than 2048 bits',
    );
  });

  test('an empty file, a key and a broken certificate are refused', () => {
    for (const ca of ['', 'x', root.keyPem, root.certificatePem.replace('MII', 'MIJ')]) {
      assert.match(problemOf({ ca }) ?? '', /^authorities: /);
    }
  });
});

describe('revocation lists', () => {
  const nextUpdate = new Date(nowMs + dayMs);
  const listProblem = (crl: string) => problemOf({ ca: root.certificatePem, crl });

  test('a list of each authority is read, with either label', async () => {
    const crl = await root.crl(['01', 'ff'], { nextUpdate });
    assert.match(crl, /BEGIN X509 CRL/);
    assert.equal(listProblem(crl), undefined);
    assert.equal(listProblem(crl.replaceAll('X509 CRL', 'CRL')), undefined);
    assert.equal(listProblem(await root.crl([], { nextUpdate })), undefined, 'an empty list');
  });

  test('T2-08: a list of somebody else is refused', async () => {
    const other = await makeAuthority({ commonName: 'Other' });
    const crl = await other.crl([], { nextUpdate });
    assert.equal(
      listProblem(crl),
      'revocation lists: list 1 (Other) is not of an authority that is trusted',
    );
  });

  test('T2-08: a list that somebody else has signed in the name of the authority is refused', async () => {
    const other = await makeAuthority({ commonName: 'Other' });
    const forged = await other.crl([], { nextUpdate, issuer: root });
    const good = await root.crl([], { nextUpdate });
    assert.equal(
      listProblem(good + forged),
      'revocation lists: list 2 (Test Root) is not signed by its issuer',
    );
  });

  test('T2-08: a list that is cut, changed, or signed with SHA-1 is refused', async () => {
    const crl = await root.crl(['01'], { nextUpdate });
    const raw = Buffer.from(crl.replace(/-----[^-]+-----/g, ''), 'base64');
    const pem = (bytes: Buffer) =>
      `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----\n`;
    assert.equal(listProblem(pem(raw)), undefined);
    for (let length = 0; length < raw.length; length += 1) {
      assert.ok(listProblem(pem(raw.subarray(0, length))), `${length}`);
    }
    for (let offset = 0; offset < raw.length; offset += 1) {
      const changed = Buffer.from(raw);
      changed.writeUInt8((raw[offset] ?? 0) ^ 1, offset);
      assert.ok(listProblem(pem(changed)), `${offset}`);
    }
    assert.match(listProblem(await root.crl([], { nextUpdate, hash: 'SHA-1' })) ?? '', /sha1/);
  });

  test('a list that never says when the next one is due is refused', async () => {
    const crl = await root.crl([], { nextUpdate: 'none' });
    assert.equal(
      listProblem(crl),
      'revocation lists: list 1 does not say when the next one is due',
    );
  });

  test('T2-08: a list for a part of the certificates is refused', async () => {
    const crl = await root.crl([], { nextUpdate, criticalExtension: '2.5.29.28' });
    assert.match(listProblem(crl) ?? '', /not a complete list/);
    const delta = await root.crl([], { nextUpdate, criticalExtension: '2.5.29.27' });
    assert.match(listProblem(delta) ?? '', /not a complete list/);
  });

  test('an empty file and garbage are refused: no list is not an empty list', () => {
    for (const crl of ['', 'garbage', root.certificatePem]) {
      assert.match(listProblem(crl) ?? '', /^revocation lists: /);
    }
  });

  test('lists that are missing or overdue are told', async () => {
    const other = await makeAuthority({ commonName: 'Other' });
    const crl = await root.crl([], { nextUpdate });
    const trust = readTrust({ ca: root.certificatePem + other.certificatePem, crl });
    assert.ok(trust.ok);
    const missing = { issuer: 'Other', nextUpdateMs: undefined };
    const nextUpdateMs = Math.floor(nextUpdate.getTime() / 1000) * 1000;
    assert.deepEqual(trust.value.staleLists(nextUpdateMs), [missing]);
    assert.deepEqual(trust.value.staleLists(nextUpdateMs + 1), [
      { issuer: 'Test Root', nextUpdateMs },
      missing,
    ]);
  });

  test('a list of a hundred thousand is read, and looked up at once', () => {
    const first = 0x10_00_00_00;
    const count = 100_000;
    const crl = longList(first, count);
    assert.ok(crl.length > 3_000_000);
    const trust = readTrust({ ca: root.certificatePem, crl });
    assert.ok(trust.ok, trust.ok ? '' : trust.error);
    const [issuer] = trust.value.authorities;
    assert.ok(issuer);
    const statusOf = (serial: number) =>
      trust.value.revocationOf(serial.toString(16), issuer.fields, { graceMs: 0, nowMs });
    assert.equal(statusOf(first), 'revoked');
    assert.equal(statusOf(first + count - 1), 'revoked');
    assert.equal(statusOf(first + count), 'good');
  });

  test('a file that is longer than any is refused without being read', () => {
    const problem = listProblem(' '.repeat(16 * 1024 * 1024 + 1));
    assert.equal(problem, 'revocation lists: it has more than 16777216 characters');
  });
});

/** A list of `root`, made by hand: libraries take half a minute for one as long as this. */
function longList(first: number, count: number): string {
  const algorithm = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const time = (text: string) => der(0x17, Buffer.from(text));
  const entry = Buffer.concat([Buffer.from('0204', 'hex'), Buffer.alloc(4), time('260101000000Z')]);
  const entries = Array.from({ length: count }, (_, index) => {
    const bytes = der(0x30, entry);
    bytes.writeUInt32BE(first + index, 4);
    return bytes;
  });
  const issuer = readFields(new X509Certificate(root.certificatePem))?.subject ?? Buffer.alloc(0);
  const dates = [time('260101000000Z'), time('491231235959Z')];
  const revoked = der(0x30, Buffer.concat(entries));
  const body = der(
    0x30,
    Buffer.concat([Buffer.from('020101', 'hex'), algorithm, issuer, ...dates, revoked]),
  );
  const signature = sign('sha256', body, root.keyPem);
  const bits = der(0x03, Buffer.concat([Buffer.alloc(1), signature]));
  const list = der(0x30, Buffer.concat([body, algorithm, bits]));
  return `-----BEGIN X509 CRL-----\n${list.toString('base64')}\n-----END X509 CRL-----\n`;
}
