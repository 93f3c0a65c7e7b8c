import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  basic,
  batch,
  bench,
  factory,
  type Knowledge,
  key,
  next,
  password,
  record,
  shows,
  stored,
  stranger,
} from '../../test/support/authentication-bench.ts';
import { makeAuthority } from '../../test/support/certificates.ts';
import { manualClock } from '../../test/support/manual-clock.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import type { AuthenticationPolicy, AuthenticationRequest } from './authentication.ts';

// Goal: who is let in and who is not, for which reason, and that strangers cost what others cost.
// Method: an authenticator over a real verifier with a quick digest, and real certificates; each
//   refusal has a twin that passes and differs in one thing.

describe('security profile 0', () => {
  test('a charger that may connect does; one that may not does not', async () => {
    const request = { securityProfile: 0 };
    assert.equal(await bench().judge(request), 'nobody');
    assert.equal(await bench().judge(request, stranger), 'IDENTITY_UNKNOWN');
    assert.equal(await bench({ unknown: 'enroll' }).judge(request, stranger), 'nobody');
  });

  test('a password is not looked at, and kept for the CSMS if it is the charger’s', async () => {
    const { accept, verifier } = bench();
    const known = { credential: stored('another one') };
    const request = { securityProfile: 0 };
    for (const [evidence, expected] of [
      [basic('CP-1', key), key],
      [basic('CP-2', key), undefined],
      [{ is: 'malformed' }, undefined],
      [{ is: 'absent' }, undefined],
    ] as const) {
      const accepted = await accept({ ...request, basic: evidence }, known);
      assert.deepEqual(accepted, { by: 'nobody', password: expected });
    }
    assert.equal(verifier.argon2Count, 0);
  });
});

for (const securityProfile of [1, 2]) {
  describe(`security profile ${securityProfile}`, () => {
    const known: Knowledge = { credential: stored(password) };
    const judge = (
      request: Partial<AuthenticationRequest>,
      knowledge: Knowledge = known,
      policy: Partial<AuthenticationPolicy> = {},
    ): Promise<unknown> => bench(policy).judge({ securityProfile, ...request }, knowledge);

    test('T2-01: without a password, or with what is none, nobody gets in', async () => {
      assert.equal(await judge({ basic: { is: 'absent' } }), 'CREDENTIAL_MISSING');
      assert.equal(await judge({ basic: { is: 'malformed' } }), 'CREDENTIAL_MALFORMED');
      assert.equal(await judge({ basic: { is: 'absent' } }, stranger), 'CREDENTIAL_MISSING');
      assert.equal(await judge(shows(password)), 'password');
    });

    test('a certificate is no password', async () => {
      const authority = await makeAuthority();
      const certificate = new X509Certificate(
        (await authority.issue({ commonName: 'CP-1' })).certificatePem,
      );
      const clientCertificate = { leaf: certificate, chain: [], isChainVerified: true };
      const bound = { ...known, certificateOwners: ['cp-1'] };
      assert.equal(await judge({ clientCertificate }, bound), 'CREDENTIAL_MISSING');
    });

    test('T2-01: the right password lets in, a wrong, an empty and a long one do not', async () => {
      assert.equal(await judge(shows(password)), 'password');
      for (const wrong of [`${password}!`, '', password.slice(1), 'x'.repeat(5000)]) {
        assert.equal(await judge(shows(wrong)), 'PASSWORD_WRONG');
      }
    });

    test('T2-06: the user name is the identity, in any case of its letters', async () => {
      assert.equal(await judge(shows(password, 'cp-1')), 'password');
      for (const user of ['CP-2', 'CP-', 'CP-1 ', ' CP-1', 'CP-11', '']) {
        assert.equal(await judge(shows(password, user)), 'CREDENTIAL_USER', user);
      }
    });

    test('C9: where the operator has written another user name down, that one and no other', async () => {
      const named = { ...known, record: { ...record, basicUser: 'admin' } };
      assert.equal(await judge(shows(password, 'admin'), named), 'password');
      assert.equal(await judge(shows(password), named), 'CREDENTIAL_USER');
      assert.equal(await judge(shows(password, 'admin')), 'CREDENTIAL_USER');
    });

    test('of two passwords both hold, and which one it was is told', async () => {
      const both = { credential: { ...stored(password), ...next(key) } };
      const { accept } = bench();
      assert.deepEqual(await accept({ securityProfile, ...shows(password) }, both), {
        by: 'password',
        matched: 'current',
        form: 'raw',
        password: Buffer.from(password),
      });
      // C10: the digits are told from the bytes, and handed on as they came.
      const digits = Buffer.from(key.toString('hex').toUpperCase());
      assert.deepEqual(await accept({ securityProfile, ...shows(digits) }, both), {
        by: 'password',
        matched: 'next',
        form: 'hex',
        password: digits,
      });
    });

    test('a charger that nobody knows does not get in, whatever it shows', async () => {
      assert.equal(await judge(shows(password), stranger), 'IDENTITY_UNKNOWN');
      // What is left of a charger that was removed is worth nothing either.
      const removed = { ...stranger, ...known };
      assert.equal(await judge(shows(password), removed), 'IDENTITY_UNKNOWN');
      assert.equal(await judge(shows(password), removed, { unknown: 'enroll' }), 'password');
    });

    test('a charger without a password does not get in', async () => {
      assert.equal(await judge(shows(password), {}), 'PASSWORD_NOT_SET');
      const enroll = { unknown: 'enroll' } as const;
      assert.equal(await judge(shows(password), stranger, enroll), 'PASSWORD_NOT_SET');
    });

    test('too many wrong ones are told so, with the time to wait; the user name first', async () => {
      const clock = manualClock();
      const one = bench({}, clock, { perSourceMax: 2 });
      const wrong = { securityProfile, ...shows('wrong') };
      assert.equal(await one.judge(wrong, known), 'PASSWORD_WRONG');
      assert.equal(await one.judge(wrong, stranger), 'IDENTITY_UNKNOWN');
      for (const [request, knowledge] of [
        [wrong, known],
        [wrong, stranger],
        [wrong, {}],
        [{ securityProfile, ...shows(password, 'CP-2') }, known],
        // Nobody can try further by way of the right password.
        [{ securityProfile, ...shows(password) }, known],
      ] as const) {
        assert.equal(await one.judge(request, knowledge), 'ATTEMPTS_EXHAUSTED');
      }
      clock.advance(60_000);
      assert.equal(await one.judge({ securityProfile, ...shows(password) }, known), 'password');
      assert.equal(one.verifier.argon2Count, 3);
    });

    test('when too many wait, the rest is told to come again', async () => {
      const one = bench({}, manualClock(), { hashesWaitingMax: 0 });
      const request = { securityProfile, ...shows(password) };
      const verdicts = await Promise.all([
        one.judge(request, known),
        one.judge(request, known),
        one.judge(request, stranger),
        one.judge({ securityProfile, ...shows(password, 'CP-2') }, known),
      ]);
      const busy = 'AUTHENTICATION_BUSY';
      assert.deepEqual(verdicts, ['password', busy, busy, busy]);
    });
  });
}

describe('the default password of a batch', () => {
  const batches = [batch];

  test('lets a new charger in over TLS, as new', async () => {
    const accepted = await bench({ batches }).accept(shows(factory));
    const expected = { by: 'default-password', batch: 'spring', password: Buffer.from(factory) };
    assert.deepEqual(accepted, expected);
  });

  test('is refused without TLS', async () => {
    const request = { securityProfile: 1, ...shows(factory) };
    assert.equal(await bench({ batches }).judge(request), 'DEFAULT_PASSWORD_INSECURE');
  });

  test('is none for a charger that is not in the batch, in any case of the letters', async () => {
    const { judge } = bench({ batches });
    for (const [identity, verdict] of [
      ['DEPOT-7', 'default-password'],
      ['cp-99', 'default-password'],
      ['DEPOT-8', 'PASSWORD_NOT_SET'],
      ['XCP-1', 'PASSWORD_NOT_SET'],
    ] as const) {
      const request = { unverifiedId: identity as ChargerId, ...shows(factory, identity) };
      assert.equal(await judge(request, { record: { id: identity } }), verdict, identity);
    }
  });

  test('of several batches, each that has the charger counts', async () => {
    const summer = { name: 'summer', chargers: ['*'], password: Buffer.from('summer-default-2') };
    const { judge } = bench({ batches: [batch, summer] });
    assert.equal(await judge(shows(factory)), 'default-password');
    assert.equal(await judge(shows('summer-default-2')), 'default-password');
    assert.equal(await judge(shows('autumn-default-3')), 'PASSWORD_NOT_SET');
  });

  test('T2-06: is none under another user name, nor for a stranger', async () => {
    const { judge } = bench({ batches });
    assert.equal(await judge(shows(factory, 'CP-2')), 'CREDENTIAL_USER');
    assert.equal(await judge(shows(factory), stranger), 'IDENTITY_UNKNOWN');
    const enroll = bench({ batches, unknown: 'enroll' });
    assert.equal(await enroll.judge(shows(factory), stranger), 'default-password');
  });

  test('holds while the charger has not come with what it was given, and beside that', async () => {
    const known = { credential: next(password) };
    const { judge } = bench({ batches });
    assert.equal(await judge(shows(factory), known), 'default-password');
    assert.equal(await judge(shows(password), known), 'password');
    assert.equal(await judge(shows('wrong'), known), 'PASSWORD_WRONG');
  });

  test('is retired when the charger has a password of its own, or had one', async () => {
    const { judge } = bench({ batches });
    const own = { credential: stored(password) };
    assert.equal(await judge(shows(factory), own), 'DEFAULT_PASSWORD_RETIRED');
    assert.equal(await judge(shows(password), own), 'password');
    const had = { credential: { isDefaultRetired: true } };
    assert.equal(await judge(shows(factory), had), 'DEFAULT_PASSWORD_RETIRED');
    assert.equal(await judge(shows(password), had), 'PASSWORD_NOT_SET');
  });

  test('C10: may come as digits or as bytes, retired or not', async () => {
    const digits = key.toString('hex');
    const { judge } = bench({ batches: [{ ...batch, password: Buffer.from(digits) }] });
    for (const secret of [digits, digits.toUpperCase(), key]) {
      assert.equal(await judge(shows(secret)), 'default-password');
      const had = { credential: { isDefaultRetired: true } };
      assert.equal(await judge(shows(secret), had), 'DEFAULT_PASSWORD_RETIRED');
    }
  });

  test('that was set as the own one as well lets in as the own one', async () => {
    const known = { credential: stored(factory) };
    assert.equal(await bench({ batches }).judge(shows(factory), known), 'password');
  });
});
