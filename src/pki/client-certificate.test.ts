import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  type IssueOptions,
  makeAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../../test/support/certificates.ts';
import { readCertificates } from './certificate.ts';
import { type CertificateEvidence, type ChainOptions, judgeChain } from './client-certificate.ts';
import { type ClientTrust, readTrust, type TrustTexts } from './trust.ts';

// Goal: only a certificate that is good in every respect passes, the first thing that is wrong is
// named, and each attack has a benign twin that passes.
// Method: authorities of the test issue certificates of each kind. OpenSSL is taken to agree unless
// the test says otherwise, so that what refuses is this code and not OpenSSL.

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nowMs = Date.now();
const inDays = (days: number): Date => new Date(nowMs + days * dayMs);
const options: ChainOptions = { organizations: [], crlGraceHours: 72, expired: 'refuse' };

const root = await makeAuthority();
const intermediate = await root.intermediate();

function trustIn(texts: TrustTexts): ClientTrust {
  const trust = readTrust(texts);
  assert.ok(trust.ok, trust.ok ? '' : trust.error);
  return trust.value;
}

const rootTrust = trustIn({ ca: root.certificatePem });

function evidenceOf(pem: string, isChainVerified = true): CertificateEvidence {
  const read = readCertificates(pem);
  assert.ok(read.ok);
  const [leaf, ...chain] = read.value;
  assert.ok(leaf);
  return { leaf, chain, isChainVerified };
}

interface Circumstances {
  readonly trust?: ClientTrust;
  readonly options?: Partial<ChainOptions>;
  readonly isChainVerified?: boolean;
  readonly atMs?: number;
}

/** The code of the refusal, or `accepted` or `expired`. */
function judge({ chainPem }: Pick<TestCertificate, 'chainPem'>, given: Circumstances = {}): string {
  const verdict = judgeChain(
    evidenceOf(chainPem, given.isChainVerified),
    given.trust ?? rootTrust,
    { ...options, ...given.options },
    given.atMs ?? nowMs,
  );
  if (!verdict.ok) {
    assert.ok(verdict.error.detail.length > 0);
    return verdict.error.code;
  }
  return verdict.value.isExpired ? 'expired' : 'accepted';
}

const issue = (wanted: Partial<IssueOptions> = {}, by: TestAuthority = root) =>
  by.issue({ commonName: 'CP-1', organization: 'Example CPO', ...wanted });

/** Only the certificate itself, without those of its issuers. */
const alone = ({ certificatePem }: TestCertificate) => ({ chainPem: certificatePem });

describe('good certificates', () => {
  const algorithms = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-pss-2048', 'ed25519'] as const;
  for (const algorithm of algorithms) {
    test(`a certificate with a key of ${algorithm} is accepted`, async () => {
      assert.equal(judge(await issue({ algorithm })), 'accepted');
    });
  }

  for (const algorithm of ['rsa-2048', 'ecdsa-p384', 'ed25519'] as const) {
    test(`an authority with a key of ${algorithm} is good`, async () => {
      const authority = await makeAuthority({ algorithm });
      const trust = trustIn({ ca: authority.certificatePem });
      assert.equal(judge(await issue({}, authority), { trust }), 'accepted');
    });
  }

  test('a signature with RSA-PSS is good', async () => {
    const authority = await makeAuthority({ algorithm: 'rsa-2048' });
    const trust = trustIn({ ca: authority.certificatePem });
    const certificate = await issue({ isSignedWithPss: true }, authority);
    assert.equal(judge(certificate, { trust }), 'accepted');
  });

  test('a chain over an intermediate authority is accepted, in any order', async () => {
    const lower = await intermediate.intermediate({ commonName: 'Lower' });
    const certificate = await issue({}, lower);
    assert.equal(judge(certificate), 'accepted');
    const [, one = '', two = ''] = certificate.chainPem.split(/(?=-----BEGIN)/);
    assert.equal(judge({ chainPem: certificate.certificatePem + two + one }), 'accepted');
  });

  test('what else is in the chain does no harm: the root, the leaf again, and strangers', async () => {
    const certificate = await issue({}, intermediate);
    const stranger = await makeAuthority();
    const chainPem = [
      certificate.chainPem,
      root.certificatePem,
      certificate.certificatePem,
      stranger.certificatePem,
    ].join('');
    assert.equal(judge({ chainPem }), 'accepted');
  });

  test('a purpose of clients, any purpose, and no purpose are accepted', async () => {
    for (const purposes of [['1.3.6.1.5.5.7.3.2'], ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0']]) {
      assert.equal(judge(await issue({ extendedKeyUsages: purposes })), 'accepted');
    }
    assert.equal(judge(await issue({ keyUsages: 1 })), 'accepted', 'digitalSignature');
  });

  test('an intermediate authority that is trusted itself needs no root', async () => {
    const trust = trustIn({ ca: intermediate.certificatePem });
    assert.equal(judge(alone(await issue({}, intermediate)), { trust }), 'accepted');
  });

  test('an authority with a new certificate and the old one is found by either', async () => {
    const old = await makeAuthority({ commonName: 'Same', notAfter: inDays(-1) });
    const other = await makeAuthority({ commonName: 'Same' });
    const trust = trustIn({ ca: old.certificatePem + other.certificatePem });
    assert.equal(judge(await issue({}, other), { trust }), 'accepted');
  });
});

describe('T2-08: what is no certificate of a charger', () => {
  test('T2-08: a certificate of another authority', async () => {
    const other = await makeAuthority({ commonName: 'Other Root' });
    assert.equal(judge(await issue({}, other)), 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: a certificate of another authority that has the name of the trusted one', async () => {
    const impostor = await makeAuthority();
    assert.equal(judge(await issue({}, impostor)), 'CERTIFICATE_UNTRUSTED');
    const below = await impostor.intermediate();
    const chainPem = (await issue({}, below)).chainPem + impostor.certificatePem;
    assert.equal(judge({ chainPem }), 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: a self-signed certificate', async () => {
    const self = await makeAuthority({ commonName: 'CP-1', isCa: false });
    assert.equal(judge(self), 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: a certificate whose intermediate authority is missing', async () => {
    assert.equal(judge(alone(await issue({}, intermediate))), 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: a certificate whose intermediate authority has expired, or is of the future', async () => {
    for (const dates of [
      { notBefore: inDays(-9), notAfter: inDays(-1) },
      { notBefore: inDays(1), notAfter: inDays(9) },
    ]) {
      const authority = await root.intermediate(dates);
      assert.equal(judge(await issue({}, authority)), 'CERTIFICATE_UNTRUSTED');
    }
  });

  test('T2-08: a certificate whose root has expired', async () => {
    const authority = await makeAuthority({ notBefore: inDays(-9), notAfter: inDays(-1) });
    const trust = trustIn({ ca: authority.certificatePem });
    assert.equal(judge(await issue({}, authority), { trust }), 'CERTIFICATE_UNTRUSTED');
    assert.equal(
      judge(await issue({}, authority), { trust, atMs: nowMs - 2 * dayMs }),
      'CERTIFICATE_NOT_YET_VALID',
    );
  });

  test('T2-08: a certificate that another charger has issued', async () => {
    const charger = await root.intermediate({ commonName: 'CP-2', isCa: false });
    assert.equal(judge(await issue({}, charger)), 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: a chain that is longer than an authority allows', async () => {
    const short = await root.intermediate({ pathLength: 0 });
    assert.equal(judge(await issue({}, short)), 'accepted');
    const lower = await short.intermediate({ commonName: 'Lower' });
    assert.equal(judge(await issue({}, lower)), 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: a signature that was changed', async () => {
    const { leaf } = evidenceOf((await issue()).certificatePem);
    const raw = Buffer.from(leaf.raw);
    raw.writeUInt8((raw.at(-1) ?? 0) ^ 1, raw.length - 1);
    const verdict = judgeChain(
      { leaf: new X509Certificate(raw), chain: [], isChainVerified: true },
      rootTrust,
      options,
      nowMs,
    );
    assert.equal(verdict.ok || verdict.error.code, 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: a certificate that says that it is for servers, or for signing lists', async () => {
    const server = await issue({ extendedKeyUsages: ['1.3.6.1.5.5.7.3.1'] });
    assert.equal(judge(server), 'CERTIFICATE_UNTRUSTED');
    assert.equal(judge(await issue({ keyUsages: 64 })), 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: a certificate of an authority as leaf', async () => {
    assert.equal(judge(await issue({ isCa: true })), 'CERTIFICATE_IS_CA');
    assert.equal(judge(await issue({ isCa: true, keyUsages: 1 })), 'CERTIFICATE_IS_CA');
    assert.equal(judge(intermediate), 'CERTIFICATE_IS_CA');
    assert.equal(judge(root), 'CERTIFICATE_IS_CA');
  });

  test('T2-08: a weak key, a weak signature, and either of an intermediate authority', async () => {
    assert.equal(judge(await issue({ algorithm: 'rsa-1024' })), 'CERTIFICATE_WEAK');
    assert.equal(judge(await issue({ algorithm: 'dsa-2048' })), 'CERTIFICATE_WEAK');
    assert.equal(judge(await issue({ hash: 'SHA-1' })), 'CERTIFICATE_WEAK');
    const weakKey = await root.intermediate({ algorithm: 'rsa-1024' });
    assert.equal(judge(await issue({}, weakKey)), 'CERTIFICATE_WEAK');
    const weakSignature = await root.intermediate({ hash: 'SHA-1' });
    assert.equal(judge(await issue({}, weakSignature)), 'CERTIFICATE_WEAK');
    const pss = await makeAuthority({ algorithm: 'rsa-2048' });
    const trust = trustIn({ ca: pss.certificatePem });
    const sha1 = await issue({ hash: 'SHA-1', isSignedWithPss: true }, pss);
    assert.equal(judge(sha1, { trust }), 'CERTIFICATE_WEAK');
  });

  test('a root whose signature on itself is old is trusted all the same', async () => {
    const old = await makeAuthority({ hash: 'SHA-1' });
    const trust = trustIn({ ca: old.certificatePem });
    assert.equal(judge(await issue({}, old), { trust }), 'accepted');
  });

  test('T2-08: a certificate of the future, up to the second at which it begins', async () => {
    const future = await issue({ notBefore: inDays(1), notAfter: inDays(9) });
    assert.equal(judge(future), 'CERTIFICATE_NOT_YET_VALID');
    const beginMs = Math.floor(inDays(1).getTime() / 1000) * 1000;
    assert.equal(judge(future, { atMs: beginMs - 1 }), 'CERTIFICATE_NOT_YET_VALID');
    assert.equal(judge(future, { atMs: beginMs }), 'accepted');
  });

  test('T2-08: an expired certificate, from the second after its last', async () => {
    const endMs = Math.floor(nowMs / 1000) * 1000 - 60_000;
    const expired = await issue({ notBefore: inDays(-9), notAfter: new Date(endMs) });
    assert.equal(judge(expired), 'CERTIFICATE_EXPIRED');
    assert.equal(judge(expired, { isChainVerified: false }), 'CERTIFICATE_EXPIRED');
    assert.equal(judge(expired, { atMs: endMs + 1 }), 'CERTIFICATE_EXPIRED');
    assert.equal(judge(expired, { atMs: endMs }), 'accepted');
  });

  test('T2-08: an expired certificate is let in, and told, only where that is configured', async () => {
    const dates = { notBefore: inDays(-9), notAfter: inDays(-1) };
    const restrict = { options: { expired: 'restrict' }, isChainVerified: false } as const;
    assert.equal(judge(await issue(dates), restrict), 'expired');
    assert.equal(judge(await issue(dates, intermediate), restrict), 'expired');
    assert.equal(judge(await issue({ ...dates, isCa: true }), restrict), 'CERTIFICATE_IS_CA');
    const stranger = await makeAuthority();
    assert.equal(judge(await issue(dates, stranger), restrict), 'CERTIFICATE_UNTRUSTED');
    const elsewhere = { ...restrict, options: { ...restrict.options, organizations: ['Other'] } };
    assert.equal(judge(await issue(dates), elsewhere), 'CERTIFICATE_ORGANIZATION');
  });

  test('T2-08: of an expired certificate, what only OpenSSL understands is refused', async () => {
    const dates = { notBefore: inDays(-9), notAfter: inDays(-1) };
    const restrict = { options: { expired: 'restrict' }, isChainVerified: false } as const;
    for (const criticalExtension of ['2.5.29.30', '1.2.3.4']) {
      const strange = await root.intermediate({ criticalExtension });
      assert.equal(judge(await issue(dates, strange), restrict), 'CERTIFICATE_UNTRUSTED');
      assert.equal(judge(await issue({}, strange)), 'accepted', 'if OpenSSL takes it');
      const leaf = { criticalExtension, ...dates };
      assert.equal(judge(await issue(leaf), restrict), 'CERTIFICATE_UNTRUSTED');
    }
  });

  test('T2-08: a certificate of another organisation, or of none', async () => {
    const wanted = { options: { organizations: ['Example CPO', 'Second CPO'] } };
    assert.equal(judge(await issue(), wanted), 'accepted');
    assert.equal(judge(await issue({ organization: 'Other' }), wanted), 'CERTIFICATE_ORGANIZATION');
    assert.equal(judge(await issue({ organization: [] }), wanted), 'CERTIFICATE_ORGANIZATION');
    const lower = await issue({ organization: 'example cpo' });
    assert.equal(judge(lower, wanted), 'CERTIFICATE_ORGANIZATION');
  });

  test('of several organisations one must match', async () => {
    const wanted = { options: { organizations: ['Second CPO'] } };
    const both = await issue({ organization: ['Manufacturer', 'Second CPO'] });
    assert.equal(judge(both, wanted), 'accepted');
  });

  test('T2-08: whatever is found here, OpenSSL must agree', async () => {
    const certificate = await issue({}, intermediate);
    assert.equal(judge(certificate, { isChainVerified: false }), 'CERTIFICATE_UNTRUSTED');
  });

  test('T2-08: more certificates than a chain has are not looked at', async () => {
    const certificate = await issue();
    const { chain, leaf } = evidenceOf(certificate.certificatePem + intermediate.certificatePem);
    const of = (count: number) =>
      judgeChain(
        {
          leaf,
          chain: Array.from({ length: count }, () => chain[0] ?? leaf),
          isChainVerified: true,
        },
        rootTrust,
        options,
        nowMs,
      );
    assert.ok(of(7).ok);
    const refused = of(8);
    assert.equal(refused.ok || refused.error.code, 'CERTIFICATE_UNREADABLE');
  });

  test('T2-08: authorities that have all issued each other lead nowhere, and soon', async () => {
    const ring = await makeAuthority({ commonName: 'Ring' });
    const others = await Promise.all(
      Array.from({ length: 6 }, () => ring.intermediate({ commonName: 'Ring' })),
    );
    const chainPem = [
      (await issue({}, ring)).certificatePem,
      ring.certificatePem,
      ...others.map(({ certificatePem }) => certificatePem),
    ].join('');
    assert.equal(judge({ chainPem }), 'CERTIFICATE_UNTRUSTED');
  });
});

describe('T2-08: revocation', () => {
  const soon = inDays(1);

  async function listed(serials: readonly string[], nextUpdate = soon): Promise<ClientTrust> {
    const crl = await root.crl(serials, { nextUpdate });
    return trustIn({ ca: root.certificatePem, crl });
  }

  test('T2-08: a revoked certificate is refused, and its neighbours are not', async () => {
    const trust = await listed(['0a11', '00ff']);
    for (const serialNumber of ['0a11', 'ff']) {
      const revoked = await issue({ serialNumber });
      assert.equal(judge(revoked, { trust }), 'CERTIFICATE_REVOKED', serialNumber);
    }
    for (const serialNumber of ['0a12', 'a1', '11', '0a1100']) {
      assert.equal(judge(await issue({ serialNumber }), { trust }), 'accepted', serialNumber);
    }
    assert.equal(judge(await issue({ serialNumber: '0a11' })), 'accepted', 'no lists');
  });

  test('T2-08: an expired certificate that was revoked is not let in to renew itself', async () => {
    const dates = { notBefore: inDays(-9), notAfter: inDays(-1) };
    const revoked = await issue({ serialNumber: '0a11', ...dates });
    const trust = await listed(['0a11']);
    const given = { trust, options: { expired: 'restrict' } } as const;
    assert.equal(judge(revoked, given), 'CERTIFICATE_REVOKED');
  });

  test('T2-08: a list counts until the next one is due, and as long as the operator says', async () => {
    const trust = await listed(['0a11'], inDays(-1));
    const at = (hours: number) => ({ trust, options: { crlGraceHours: hours } });
    assert.equal(judge(await issue(), at(25)), 'accepted');
    assert.equal(judge(await issue(), at(23)), 'CERTIFICATE_REVOCATION_UNKNOWN');
    assert.equal(judge(await issue(), at(0)), 'CERTIFICATE_REVOCATION_UNKNOWN');
    const revoked = await issue({ serialNumber: '0a11' });
    assert.equal(judge(revoked, at(0)), 'CERTIFICATE_REVOKED', 'and that it was revoked stays');
  });

  test('T2-08: each issuer in the chain needs a list', async () => {
    const certificate = await issue({ serialNumber: '0a11' }, intermediate);
    const ca = root.certificatePem + intermediate.certificatePem;
    const { leaf: authority } = evidenceOf(intermediate.certificatePem);
    const ofRoot = await root.crl([], { nextUpdate: soon });
    const ofIntermediate = await intermediate.crl([], { nextUpdate: soon });
    const judgeWith = (crl: string) => judge(certificate, { trust: trustIn({ ca, crl }) });
    assert.equal(judgeWith(ofRoot), 'CERTIFICATE_REVOCATION_UNKNOWN');
    assert.equal(judgeWith(ofIntermediate), 'CERTIFICATE_REVOCATION_UNKNOWN');
    assert.equal(judgeWith(ofRoot + ofIntermediate), 'accepted');
    const revoking = await root.crl([authority.serialNumber], { nextUpdate: soon });
    assert.equal(judgeWith(revoking + ofIntermediate), 'CERTIFICATE_REVOKED');
    const revokingLeaf = await intermediate.crl(['0a11'], { nextUpdate: soon });
    assert.equal(judgeWith(ofRoot + revokingLeaf), 'CERTIFICATE_REVOKED');
    const sameSerial = await root.crl(['0a11'], { nextUpdate: soon });
    assert.equal(judgeWith(sameSerial + ofIntermediate), 'accepted', 'of another issuer');
  });

  test('of two lists of one authority the newer one counts', async () => {
    const older = await root.crl(['0a11'], { thisUpdate: inDays(-3), nextUpdate: soon });
    const newer = await root.crl([], { thisUpdate: inDays(-2), nextUpdate: soon });
    for (const crl of [older + newer, newer + older]) {
      const trust = trustIn({ ca: root.certificatePem, crl });
      assert.equal(judge(await issue({ serialNumber: '0a11' }), { trust }), 'accepted');
    }
  });
});
