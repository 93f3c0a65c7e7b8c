import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, test } from 'node:test';
import {
  batch,
  bench,
  chain,
  factory,
  type Knowledge,
  key,
  next,
  password,
  shows,
  stored,
  stranger,
} from '../../test/support/authentication-bench.ts';
import {
  type IssueOptions,
  makeAuthority,
  type TestAuthority,
} from '../../test/support/certificates.ts';
import { manualClock } from '../../test/support/manual-clock.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import type { CertificateEvidence } from '../pki/client-certificate.ts';
import { type ClientTrust, readTrust } from '../pki/trust.ts';
import type { AuthenticationRequest } from './authentication.ts';
import { parseBasic } from './basic-auth.ts';
import { hashGeneratedKey } from './password-hash.ts';

// Goal: who is let in and who is not, for which reason, and that strangers cost what others cost.
// Method: an authenticator over a real verifier with a quick digest, and real certificates; each
//   refusal has a twin that passes and differs in one thing.

describe('what a refusal costs', () => {
  /** How many slow hashes it takes to say no. */
  async function costOf(
    request: Partial<AuthenticationRequest>,
    known: Knowledge,
  ): Promise<readonly [code: unknown, argon2: number, digests: number]> {
    const { judge, verifier } = bench({ batches: [batch] });
    const code = await judge(request, known);
    return [code, verifier.argon2Count, verifier.digestCount];
  }

  test('T4-01: one slow hash, whoever it is and whatever is wrong', async () => {
    const own = { credential: stored(password) };
    const generated = {
      credential: {
        password: {
          hash: hashGeneratedKey(key),
          origin: 'provisioned',
          setAtMs: 0,
          form: undefined,
        },
      },
    } as const;
    const rows = [
      ['PASSWORD_WRONG', shows('wrong'), own],
      ['PASSWORD_WRONG', shows('wrong'), generated],
      ['PASSWORD_WRONG', shows('wrong'), { credential: { ...stored(password), ...next(key) } }],
      ['CREDENTIAL_USER', shows('wrong', 'CP-2'), own],
      ['CREDENTIAL_USER', shows(password, 'CP-2'), own],
      ['PASSWORD_NOT_SET', shows('wrong'), {}],
      ['IDENTITY_UNKNOWN', shows('wrong'), stranger],
      ['IDENTITY_UNKNOWN', shows(password), { ...stranger, ...own }],
      ['IDENTITY_UNKNOWN', shows(factory), stranger],
      ['DEFAULT_PASSWORD_RETIRED', shows(factory), own],
      ['DEFAULT_PASSWORD_RETIRED', shows(factory), { credential: { isDefaultRetired: true } }],
    ] as const;
    for (const [code, request, known] of rows) {
      const [said, argon2, digests] = await costOf(request, known);
      assert.deepEqual([said, argon2], [code, 1]);
      // A digest for what is remembered of either password, one for the default, and one for each
      // default that holds.
      assert(digests === 3 || digests === 4, `${code}: ${digests} digests`);
    }
  });

  test('what a wrong user name shows is compared with nothing', async () => {
    const own = { credential: stored('CP-2:x') };
    // All that came, as a password: were it compared, it would be right.
    assert.equal(await bench().judge(shows('x', 'CP-2'), own), 'CREDENTIAL_USER');
  });
});

describe('firstUse', () => {
  const learn = { firstUse: 'learn' } as const;

  for (const securityProfile of [1, 2]) {
    test(`learn, profile ${securityProfile}: the first password of a charger that has none is believed`, async () => {
      const request = { securityProfile, ...shows(password) };
      const expected = { by: 'first-password', form: 'raw', password: Buffer.from(password) };
      assert.deepEqual(await bench(learn).accept(request), expected);
      assert.equal(await bench().judge(request), 'PASSWORD_NOT_SET');
    });
  }

  test('learn: nothing is believed of a charger that has a password, had one, or is getting one', async () => {
    const { judge } = bench({ ...learn, batches: [batch] });
    const had = { credential: { isDefaultRetired: true } };
    assert.equal(await judge(shows('wrong'), { credential: stored(password) }), 'PASSWORD_WRONG');
    assert.equal(await judge(shows('wrong'), { credential: next(password) }), 'PASSWORD_WRONG');
    assert.equal(await judge(shows('wrong'), had), 'PASSWORD_NOT_SET');
    assert.equal(await judge(shows(factory), had), 'DEFAULT_PASSWORD_RETIRED');
  });

  test('learn: nor anything empty, nor under another name, nor of a stranger', async () => {
    const { judge } = bench(learn);
    assert.equal(await judge(shows('')), 'PASSWORD_NOT_SET');
    assert.equal(await judge(shows(password, 'CP-2')), 'CREDENTIAL_USER');
    assert.equal(await judge(shows(password), stranger), 'IDENTITY_UNKNOWN');
    const enroll = bench({ ...learn, unknown: 'enroll' });
    assert.equal(await enroll.judge(shows(password), stranger), 'first-password');
  });

  test('learn: the default of a batch is not learned', async () => {
    const one = bench({ ...learn, batches: [batch] });
    assert.equal(await one.judge(shows(factory)), 'default-password');
    const plain = { securityProfile: 1, ...shows(factory) };
    assert.equal(await one.judge(plain), 'DEFAULT_PASSWORD_INSECURE');
  });

  test('learn: a fleet behind one address is no attack', async () => {
    const { judge } = bench({ ...learn, unknown: 'enroll' });
    for (let index = 0; index < 100; index += 1) {
      const id = `CP-${index}` as ChargerId;
      const request = { unverifiedId: id, ...shows(`${password} ${index}`, id) };
      assert.equal(await judge(request, stranger), 'first-password');
    }
  });
});

describe('security profile 3', () => {
  let authority: TestAuthority;
  let trust: ClientTrust;
  before(async () => {
    authority = await makeAuthority();
    const read = readTrust({ ca: authority.certificatePem });
    assert(read.ok);
    trust = read.value;
  });

  const evidence = async (options: Partial<IssueOptions> = {}): Promise<CertificateEvidence> => {
    const { certificatePem } = await authority.issue({ commonName: 'SN-1', ...options });
    const isExpired = options.notAfter !== undefined && options.notAfter.getTime() < Date.now();
    return { leaf: new X509Certificate(certificatePem), chain: [], isChainVerified: !isExpired };
  };
  const with3 = async (
    options?: Partial<IssueOptions>,
  ): Promise<Partial<AuthenticationRequest>> => ({
    securityProfile: 3,
    trust,
    clientCertificate: await evidence(options),
  });
  const bound = { certificateOwners: ['cp-1'] };
  const past = { notBefore: new Date(0), notAfter: new Date(Date.now() - 1000) };

  test('T2-01: without a certificate nobody gets in, whatever password is there', async () => {
    const known = { ...bound, credential: stored(password) };
    const request = { securityProfile: 3, trust, ...shows(password) };
    assert.equal(await bench().judge(request, known), 'CERTIFICATE_MISSING');
  });

  test('where nobody says whose certificates count, none does', async () => {
    const request = await with3();
    assert.equal(await bench().judge(request, bound), 'certificate');
    const { judge } = bench();
    assert.equal(await judge({ ...request, trust: undefined }, bound), 'CERTIFICATE_MISSING');
    assert.equal(await judge({ ...request, listener: 'other' }, bound), 'CERTIFICATE_MISSING');
  });

  test('T2-07: the certificate that is bound to the charger, and no other', async () => {
    const request = await with3();
    const { judge } = bench();
    assert.deepEqual(await bench().accept(request, bound), {
      by: 'certificate',
      isExpired: false,
      learns: undefined,
    });
    for (const [certificateOwners, code] of [
      [[], 'CERTIFICATE_UNBOUND'],
      [['cp-2'], 'CERTIFICATE_FOREIGN'],
      [['cp-1', 'cp-2'], 'CERTIFICATE_FOREIGN'],
    ] as const) {
      assert.equal(await judge(request, { certificateOwners }), code);
    }
  });

  test('T2-07: its CN says nothing by itself', async () => {
    const request = await with3({ commonName: 'CP-1' });
    assert.equal(await bench().judge(request, {}), 'CERTIFICATE_UNBOUND');
  });

  test('a stranger does not get in, whatever certificate it has', async () => {
    const { judge } = bench();
    assert.equal(await judge(await with3(), { ...stranger, ...bound }), 'IDENTITY_UNKNOWN');
    assert.equal(await judge(await with3(past), { ...stranger, ...bound }), 'IDENTITY_UNKNOWN');
    const enroll = bench({ unknown: 'enroll' });
    assert.equal(await enroll.judge(await with3(), { ...stranger, ...bound }), 'certificate');
    assert.equal(await enroll.judge(await with3(), stranger), 'CERTIFICATE_UNBOUND');
  });

  test('T2-08: what is wrong with a certificate is the reason, before whose it is', async () => {
    const { judge } = bench();
    assert.equal(await judge(await with3(past), bound), 'CERTIFICATE_EXPIRED');
    assert.equal(
      await judge(await with3(past), { certificateOwners: ['cp-2'] }),
      'CERTIFICATE_EXPIRED',
    );
    assert.equal(await judge(await with3({ isCa: true }), bound), 'CERTIFICATE_IS_CA');
    const other = await makeAuthority({ commonName: 'Other Root' });
    const read = readTrust({ ca: other.certificatePem });
    assert(read.ok);
    const untrusted = { ...(await with3()), trust: read.value };
    assert.equal(await judge(untrusted, bound), 'CERTIFICATE_UNTRUSTED');
  });

  test('A00: an expired one is told where that is allowed, and is never learned', async () => {
    const certificates = new Map([['secure', { ...chain, expired: 'restrict' } as const]]);
    const one = bench({ certificates, firstUse: 'learn' });
    assert.deepEqual(await one.accept(await with3(past), bound), {
      by: 'certificate',
      isExpired: true,
      learns: undefined,
    });
    assert.equal(await one.judge(await with3(past), {}), 'CERTIFICATE_EXPIRED');
    const foreign = { certificateOwners: ['cp-2'] };
    assert.equal(await one.judge(await with3(past), foreign), 'CERTIFICATE_FOREIGN');
  });

  test('time is that of the clock', async () => {
    const clock = manualClock(Date.now());
    const { judge } = bench({}, clock);
    const request = await with3({ notAfter: new Date(Date.now() + 60_000) });
    assert.equal(await judge(request, bound), 'certificate');
    clock.advance(120_000);
    assert.equal(await judge(request, bound), 'CERTIFICATE_EXPIRED');
  });

  test('firstUse learn: a good certificate that is nobody’s is believed, by its CN', async () => {
    const { accept, judge } = bench({ firstUse: 'learn' });
    const learned = (await accept(await with3(), {})) as { readonly learns: unknown };
    assert.deepEqual(learned.learns, { kind: 'common-name', value: 'SN-1' });
    assert.equal(await judge(await with3(), stranger), 'IDENTITY_UNKNOWN');
    const foreign = { certificateOwners: ['cp-2'] };
    assert.equal(await judge(await with3(), foreign), 'CERTIFICATE_FOREIGN');
    const other = await makeAuthority({ commonName: 'Other Root' });
    const read = readTrust({ ca: other.certificatePem });
    assert(read.ok);
    const untrusted = { ...(await with3()), trust: read.value };
    assert.equal(await judge(untrusted, {}), 'CERTIFICATE_UNTRUSTED');
  });

  test('firstUse learn: nothing is learned of a charger that has another credential', async () => {
    const { judge } = bench({ firstUse: 'learn' });
    for (const credential of [
      stored(password),
      next(password),
      { isDefaultRetired: true },
    ] as const) {
      assert.equal(await judge(await with3(), { credential }), 'CERTIFICATE_UNBOUND');
    }
  });
});

test('what a header says goes the whole way', async () => {
  const header = `Basic ${Buffer.from(`CP-1:${password}`).toString('base64')}`;
  const { judge } = bench();
  const known = { credential: stored(password) };
  assert.equal(await judge({ basic: parseBasic([header]) }, known), 'password');
  assert.equal(await judge({ basic: parseBasic([header, header]) }, known), 'CREDENTIAL_MALFORMED');
  assert.equal(await judge({ basic: parseBasic([]) }, known), 'CREDENTIAL_MISSING');
});
