import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type IssueOptions, makeAuthority } from '../../test/support/certificates.ts';
import { readCertificates } from '../pki/certificate.ts';
import { readTrust } from '../pki/trust.ts';
import { type CertificateAttempt, judgeCertificate } from './client-certificate.ts';

// Goal: a good certificate is good for the charger that it is bound to, and for no other.
// Method: one authority, certificates of several chargers, and every set of owners.

const nowMs = Date.now();
const root = await makeAuthority();
const trust = readTrust({ ca: root.certificatePem });
const expired = { notBefore: new Date(nowMs - 9e8), notAfter: new Date(nowMs - 1e6) };

/** The code of the refusal, or the verdict. */
async function judge(
  owners: readonly string[],
  wanted: IssueOptions = { commonName: 'SERIAL-1' },
  options: Partial<CertificateAttempt['options']> = {},
) {
  const read = readCertificates((await root.issue(wanted)).certificatePem);
  const [leaf] = read.ok ? read.value : [];
  assert.ok(leaf !== undefined && trust.ok);
  const verdict = judgeCertificate({
    leaf,
    chain: [],
    isChainVerified: true,
    trust: trust.value,
    options: { organizations: [], crlGraceHours: 0, expired: 'refuse', ...options },
    identityKey: 'cp-1',
    owners,
    nowMs,
  });
  return verdict.ok ? verdict.value : verdict.error.code;
}

describe('T2-07: whose certificate it is', () => {
  test('the certificate that is bound to the charger lets it in', async () => {
    assert.deepEqual(await judge(['cp-1']), { isExpired: false });
  });

  test('T2-07: the good certificate of another charger does not', async () => {
    assert.equal(await judge(['cp-2']), 'CERTIFICATE_FOREIGN');
    assert.equal(await judge(['cp-2', 'cp-3']), 'CERTIFICATE_FOREIGN');
    assert.equal(await judge(['CP-1']), 'CERTIFICATE_FOREIGN', 'keys are compared as they are');
  });

  test('T2-07: a certificate that is bound to this charger and to another lets neither in', async () => {
    assert.equal(await judge(['cp-1', 'cp-2']), 'CERTIFICATE_FOREIGN');
    assert.equal(await judge(['cp-2', 'cp-1']), 'CERTIFICATE_FOREIGN');
  });

  test('T2-07: a certificate that nobody has bound lets nobody in, whatever its CN says', async () => {
    assert.equal(await judge([], { commonName: 'cp-1' }), 'CERTIFICATE_UNBOUND');
  });

  test('T2-08: a bad certificate does not become good by being bound', async () => {
    assert.equal(await judge(['cp-1'], { isCa: true }), 'CERTIFICATE_IS_CA');
    assert.equal(await judge(['cp-1'], expired), 'CERTIFICATE_EXPIRED');
  });

  test('T2-08: an expired certificate is told, and is good for nothing when it is not bound', async () => {
    const restrict = { expired: 'restrict' } as const;
    assert.deepEqual(await judge(['cp-1'], expired, restrict), { isExpired: true });
    assert.equal(await judge([], expired, restrict), 'CERTIFICATE_EXPIRED');
    assert.equal(await judge(['cp-2'], expired, restrict), 'CERTIFICATE_FOREIGN');
  });
});
