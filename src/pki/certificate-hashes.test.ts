import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { makeAuthority, nameDer } from '../../test/support/certificates.ts';
import { certificateHashes, hashAlgorithms, mayMean } from './certificate-hashes.ts';

// Goal: a certificate has the name that OCPP gives it, and is found by whatever name a charger may
// take for it.
// Method: the hashes are computed a second time from what is known of the test's own certificates.

const issuerName = nameDer([{ type: 'CN', tag: 0x0c, value: Buffer.from('Root') }]);
const root = await makeAuthority({ subjectDer: issuerName });
const issuer = new X509Certificate(root.certificatePem);
const leaf = new X509Certificate(
  (await root.issue({ commonName: 'CP-1', serialNumber: '00f012' })).certificatePem,
);

/** The point of the key on its curve, which is what its bits are. */
function pointOf(certificate: X509Certificate): Buffer {
  const { x = '', y = '' } = certificate.publicKey.export({ format: 'jwk' });
  const parts = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  return Buffer.concat(parts);
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('certificate hashes', () => {
  test('name and key of the issuer are hashed, and the serial number has no leading zeros', () => {
    assert.deepEqual(certificateHashes(leaf, issuer, 'SHA256'), {
      issuerNameHash: sha256(issuerName),
      issuerKeyHash: sha256(pointOf(issuer)),
      serialNumber: 'f012',
    });
    for (const [index, algorithm] of hashAlgorithms.entries()) {
      const hashes = certificateHashes(leaf, issuer, algorithm);
      assert.equal(hashes?.issuerNameHash.length, [64, 96, 128][index]);
    }
  });

  test('a root is its own issuer, and of an unknown one there is no hash of the key', () => {
    const own = certificateHashes(issuer, issuer, 'SHA256');
    assert.equal(own?.issuerNameHash, sha256(issuerName));
    assert.equal(certificateHashes(leaf, undefined, 'SHA256')?.issuerKeyHash, undefined);
  });
});

describe('T2-12: what a charger may take for a certificate', () => {
  const good = {
    hashAlgorithm: 'SHA256',
    issuerNameHash: sha256(issuerName),
    issuerKeyHash: sha256(pointOf(issuer)),
    serialNumber: 'f012',
  };
  const isMeant = (changes: object) => mayMean({ ...good, ...changes }, leaf, issuer);

  test('T2-12: its name, in any spelling, and with one of the hashes wrong', () => {
    for (const changes of [
      {},
      { serialNumber: '00F012' },
      { serialNumber: 'F012' },
      { issuerNameHash: good.issuerNameHash.toUpperCase() },
      { issuerNameHash: 'x' },
      { issuerKeyHash: '00' },
      { hashAlgorithm: 'SHA1' },
    ]) {
      assert.ok(isMeant(changes), JSON.stringify(changes));
    }
  });

  test('the name of another certificate is another one', () => {
    const other = '0'.repeat(64);
    for (const changes of [
      { serialNumber: 'f013' },
      { serialNumber: '' },
      { serialNumber: 7 },
      { issuerNameHash: other, issuerKeyHash: other },
      { hashAlgorithm: 'SHA512' },
    ]) {
      assert.ok(!isMeant(changes), JSON.stringify(changes));
    }
  });
});
