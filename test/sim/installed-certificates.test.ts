/**
 * Goal: a simulated charger tells its roots by the hashes that OCPP means, and finds them by these.
 * Method: the same hashes by another library, for certificates of several kinds.
 */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import * as x509 from '@peculiar/x509';
import { InstalledCertificates } from '../../src/sim/charger/installed-certificates.ts';
import { makeAuthority } from '../support/certificates.ts';

/** The hashes of a root, from the parts that @peculiar/x509 finds. */
function hashesOf(pem: string, algorithm: string): object {
  const certificate = new x509.X509Certificate(pem);
  const hash = (bytes: Uint8Array): string =>
    createHash(algorithm.toLowerCase()).update(bytes).digest('hex');
  const key = createPublicKey(pem);
  const { x, y } = key.export({ format: 'jwk' });
  const point = [
    Buffer.from([4]),
    Buffer.from(x ?? '', 'base64url'),
    Buffer.from(y ?? '', 'base64url'),
  ];
  const bits =
    key.asymmetricKeyType === 'rsa'
      ? key.export({ type: 'pkcs1', format: 'der' })
      : Buffer.concat(point);
  return {
    hashAlgorithm: algorithm,
    issuerNameHash: hash(new Uint8Array(certificate.issuerName.toArrayBuffer())),
    issuerKeyHash: hash(bits),
    serialNumber: certificate.serialNumber.replace(/^0+/, ''),
  };
}

test('roots are told and deleted by the hashes of issuer, key and serial number', async () => {
  for (const algorithm of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const) {
    const { certificatePem } = await makeAuthority({ algorithm, serialNumber: '00ab01' });
    const certificates = new InstalledCertificates();
    const id = certificates.install('CSMSRootCertificate', certificatePem);
    assert.notEqual(id, undefined);
    const [told] = certificates.ids(['CSMSRootCertificate']);
    assert.deepEqual(told?.hashData, hashesOf(certificatePem, 'SHA256'));
    const hashes = hashesOf(certificatePem, 'SHA384');
    const changed = [
      { hashAlgorithm: 'MD5' },
      { issuerNameHash: '00' },
      { issuerKeyHash: '00' },
      { serialNumber: '1' },
    ];
    for (const change of changed) {
      assert.equal(
        certificates.remove({ ...hashes, ...change }),
        undefined,
        JSON.stringify(change),
      );
    }
    assert.equal(certificates.remove({ ...hashes }), id);
    assert.deepEqual(certificates.ids([]), []);
  }
});

test('types are told apart, a root counts once, and what is no certificate is refused', async () => {
  const first = await makeAuthority();
  const second = await makeAuthority();
  const certificates = new InstalledCertificates();
  for (const _turn of [1, 2]) certificates.install('CSMSRootCertificate', first.certificatePem);
  certificates.install('V2GRootCertificate', second.certificatePem);
  assert.equal(certificates.ids([]).length, 2);
  assert.equal(certificates.ids(['V2GRootCertificate']).length, 1);
  assert.deepEqual(certificates.ids(['MORootCertificate']), []);
  assert.equal(certificates.install('CSMSRootCertificate', 'no certificate'), undefined);
});
