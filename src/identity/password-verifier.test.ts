import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ManualClock, manualClock } from '../../test/support/manual-clock.ts';
import { quickDigest, quickHash } from '../../test/support/quick-hash.ts';
import { hashGeneratedKey, hashPassword, type SlowDigest } from './password-hash.ts';
import {
  type PasswordAttempt,
  PasswordVerifier,
  type PasswordVerifierOptions,
} from './password-verifier.ts';

// Goal: right is right and wrong is wrong in each way a password can be stored, at the cost that
//   was promised.
// Method: a digest in the place of Argon2id that counts, and a handful of tests with the real one.

const attempts = { perSourceMax: 30, perIdentityMax: 30, overallMax: 1000, windowSeconds: 60 };

function verifier(
  changes: Partial<PasswordVerifierOptions> = {},
  clock: ManualClock = manualClock(),
) {
  const options = { attempts, hashesAtOnceMax: 2, hashesWaitingMax: 100, hash: quickDigest };
  return new PasswordVerifier({ ...options, ...changes }, clock);
}

const key = Buffer.from('00ff3a800a0d3a00c3283aff0011223344556677', 'hex');
const right = Buffer.from('the right password');
const newer = Buffer.from('the newer password');
const wrong = Buffer.from('the wrong password');

const attempt: PasswordAttempt = {
  identityKey: 'cp-1',
  source: '192.0.2.1',
  presented: right,
  current: quickHash(right),
  defaults: [],
};

/** The verdict, and how many slow hashes it took. */
async function costOf(
  one: PasswordVerifier,
  changes: Partial<PasswordAttempt>,
): Promise<readonly [unknown, number]> {
  const before = one.argon2Count;
  const verdict = await one.verify({ ...attempt, ...changes });
  return [verdict.is, one.argon2Count - before];
}

describe('the password of a charger', () => {
  test('is right, and another one is wrong', async () => {
    const one = verifier();
    assert.deepEqual(await one.verify(attempt), { is: 'current', form: 'raw' });
    assert.deepEqual(await one.verify({ ...attempt, presented: wrong }), { is: 'wrong' });
  });

  test('the next one is right as well, by the same one computation', async () => {
    const both = { current: quickHash(right), next: quickHash(newer) };
    for (const [presented, verdict] of [
      [right, 'current'],
      [newer, 'next'],
      [wrong, 'wrong'],
    ] as const) {
      assert.deepEqual(await costOf(verifier(), { ...both, presented }), [verdict, 1]);
    }
  });

  test('where both are the same, it is the next one', async () => {
    const one = verifier();
    const both = { current: quickHash(right), next: quickHash(right) };
    assert.deepEqual(await costOf(one, both), ['next', 1]);
    assert.deepEqual(await costOf(one, both), ['next', 0]);
  });

  test('of which only the next one is stored', async () => {
    const only = { current: undefined, next: quickHash(newer) };
    assert.deepEqual(await costOf(verifier(), { ...only, presented: newer }), ['next', 1]);
    assert.deepEqual(await costOf(verifier(), { ...only, presented: right }), ['wrong', 1]);
  });

  test('of which the two hashes do not share their salt is right all the same', async () => {
    const both = { current: quickHash(right, 'a'), next: quickHash(newer, 'b') };
    assert.deepEqual(await costOf(verifier(), { ...both, presented: right }), ['current', 1]);
    assert.deepEqual(await costOf(verifier(), { ...both, presented: newer }), ['next', 2]);
    assert.deepEqual(await costOf(verifier(), { ...both, presented: wrong }), ['wrong', 2]);
  });

  test('that the gateway made costs no slow hash', async () => {
    const stored = hashGeneratedKey(key);
    const one = verifier();
    assert.deepEqual(await costOf(one, { current: stored, presented: key }), ['current', 0]);
    assert.deepEqual(
      await costOf(one, { current: quickHash(right), next: stored, presented: key }),
      ['next', 0],
    );
    // And a wrong one costs what it costs everybody.
    assert.deepEqual(await costOf(one, { current: stored, presented: wrong }), ['wrong', 1]);
  });

  test('that the gateway made is followed by one that somebody chose', async () => {
    const both = { current: hashGeneratedKey(key), next: quickHash(newer) };
    assert.deepEqual(await costOf(verifier(), { ...both, presented: key }), ['current', 0]);
    assert.deepEqual(await costOf(verifier(), { ...both, presented: newer }), ['next', 1]);
    assert.deepEqual(await costOf(verifier(), { ...both, presented: wrong }), ['wrong', 1]);
  });

  test('C10: may come as bytes or as their digits in either case, and the form is told', async () => {
    const digits = key.toString('hex');
    for (const current of [quickHash(key), quickHash(digits), hashGeneratedKey(key)]) {
      for (const [presented, form] of [
        [key, 'raw'],
        [Buffer.from(digits), 'hex'],
        [Buffer.from(digits.toUpperCase()), 'hex'],
      ] as const) {
        const verdict = await verifier().verify({ ...attempt, current, presented });
        assert.deepEqual(verdict, { is: 'current', form });
      }
      const other = Buffer.from(digits.replace('0', '1'));
      assert.equal(
        (await verifier().verify({ ...attempt, current, presented: other })).is,
        'wrong',
      );
    }
  });

  test('C11: may be short or long', async () => {
    for (const password of ['x', '1234', 'x'.repeat(256)]) {
      const presented = Buffer.from(password);
      const current = quickHash(password);
      assert.equal((await verifier().verify({ ...attempt, current, presented })).is, 'current');
    }
  });

  test('is never empty, and never longer than it may be, whatever is stored', async () => {
    for (const password of ['', 'x'.repeat(257), 'x'.repeat(100_000)]) {
      const presented = Buffer.from(password);
      const stored = quickHash(password);
      const defaults = [{ name: 'batch', password: presented }];
      const cost = await costOf(verifier(), { presented, current: stored, next: stored, defaults });
      assert.deepEqual(cost, ['wrong', 1], String(password.length));
    }
  });

  test('whose hash nobody can read is always wrong, at the usual cost', async () => {
    const huge = quickHash(right).replace('m=19456', 'm=4194304');
    for (const stored of ['', 'x', right.toString(), huge, '$sha256$$', '$2b$10$abcdef']) {
      const cost = await costOf(verifier(), { current: stored, next: stored });
      assert.deepEqual(cost, ['wrong', 1], stored);
    }
  });
});

describe('a password that was right before', () => {
  test('costs nothing any more, from the same source', async () => {
    const one = verifier();
    assert.deepEqual(await costOf(one, {}), ['current', 1]);
    assert.deepEqual(await costOf(one, {}), ['current', 0]);
    assert.deepEqual(await costOf(one, { presented: wrong }), ['wrong', 1]);
    assert.deepEqual(await costOf(one, {}), ['current', 0]);
  });

  test('costs one from each new source, and the last four are remembered', async () => {
    const one = verifier();
    for (let host = 1; host <= 5; host += 1) {
      assert.deepEqual(await costOf(one, { source: `192.0.2.${host}` }), ['current', 1]);
    }
    assert.deepEqual(await costOf(one, { source: '192.0.2.2' }), ['current', 0]);
    assert.deepEqual(await costOf(one, { source: '192.0.2.1' }), ['current', 1]);
  });

  test('C10: costs nothing in another form either', async () => {
    const one = verifier();
    const current = quickHash(key);
    await one.verify({ ...attempt, current, presented: key });
    const presented = Buffer.from(key.toString('hex'));
    assert.deepEqual(await costOf(one, { current, presented }), ['current', 0]);
  });

  test('is worth nothing for another charger, or after a change', async () => {
    const one = verifier();
    await one.verify(attempt);
    const none = { current: undefined };
    assert.deepEqual(await costOf(one, { identityKey: 'cp-2', ...none }), ['wrong', 1]);
    assert.deepEqual(await costOf(one, { current: quickHash(newer) }), ['wrong', 1]);
    assert.deepEqual(await costOf(one, none), ['wrong', 1]);
  });

  test('goes on to be right as the current one when it was the next one', async () => {
    const one = verifier();
    const both = { current: quickHash(right), next: quickHash(newer) };
    assert.deepEqual(await costOf(one, { ...both, presented: newer }), ['next', 1]);
    // Promoted: the same hash stands in the other place.
    const promoted = { current: quickHash(newer), presented: newer };
    assert.deepEqual(await costOf(one, promoted), ['current', 0]);
  });

  test('is not remembered from a source that nobody can name', async () => {
    const one = verifier();
    const source = 'no address';
    assert.deepEqual(await costOf(one, { source }), ['current', 1]);
    assert.deepEqual(await costOf(one, { source }), ['current', 1]);
  });
});

describe('default passwords', () => {
  const defaults = [
    { name: 'depot', password: wrong },
    { name: 'street', password: newer },
  ];

  test('let in where they are offered, and the batch is told', async () => {
    const one = verifier();
    const verdict = await one.verify({ ...attempt, presented: newer, defaults });
    assert.deepEqual(verdict, { is: 'default', batch: 'street', form: 'raw' });
    assert.equal(one.argon2Count, 0);
  });

  test('are wrong, at the usual cost, where they are not', async () => {
    assert.deepEqual(await costOf(verifier(), { presented: newer }), ['wrong', 1]);
  });

  test('come after the own password', async () => {
    const own = { ...attempt, defaults: [{ name: 'depot', password: key }] };
    const one = verifier();
    const current = hashGeneratedKey(key);
    assert.equal((await one.verify({ ...own, presented: key, current })).is, 'current');
  });

  test('C10: in hexadecimal digits as well', async () => {
    const batch = [{ name: 'depot', password: Buffer.from(key.toString('hex')) }];
    const verdict = await verifier().verify({ ...attempt, presented: key, defaults: batch });
    assert.deepEqual(verdict, { is: 'default', batch: 'depot', form: 'raw' });
  });
});

describe('limits', () => {
  test('too many wrong ones: no computation, and when to come again', async () => {
    const clock = manualClock();
    const one = verifier({ attempts: { ...attempts, perIdentityMax: 2 } }, clock);
    for (let count = 0; count < 2; count += 1) await one.verify({ ...attempt, presented: wrong });
    const before = one.argon2Count;
    assert.deepEqual(await one.verify(attempt), { is: 'exhausted', retryAfterSeconds: 30 });
    assert.equal(one.argon2Count, before);
    clock.advance(30_000);
    assert.equal((await one.verify(attempt)).is, 'current');
  });

  test('too many at once: busy, and the slots are free again afterwards', async () => {
    const gate = Promise.withResolvers<void>();
    const hash: SlowDigest = async (...of) => {
      await gate.promise;
      return quickDigest(...of);
    };
    const one = verifier({ hashesAtOnceMax: 1, hashesWaitingMax: 1, hash });
    const asked = [1, 2, 3].map(() => one.verify(attempt));
    assert.deepEqual(await asked[2], { is: 'busy' });
    gate.resolve();
    assert.deepEqual(
      (await Promise.all(asked)).map(({ is }) => is),
      ['current', 'current', 'busy'],
    );
    assert.equal((await one.verify(attempt)).is, 'current');
  });

  test('a charger that goes while it waits costs no computation and no attempt', async () => {
    const gate = Promise.withResolvers<void>();
    const hash: SlowDigest = async (...of) => {
      await gate.promise;
      return quickDigest(...of);
    };
    const one = verifier({ hashesAtOnceMax: 1, hash, attempts: { ...attempts, perSourceMax: 2 } });
    const first = one.verify({ ...attempt, presented: wrong });
    const leaving = new AbortController();
    const left = Array.from({ length: 50 }, () =>
      one.verify({ ...attempt, presented: wrong, gone: leaving.signal }),
    );
    leaving.abort();
    for (const verdict of await Promise.all(left)) assert.deepEqual(verdict, { is: 'busy' });
    gate.resolve();
    assert.equal((await first).is, 'wrong');
    assert.equal(one.argon2Count, 1);
    assert.equal((await one.verify(attempt)).is, 'current');
  });

  test('a computation that fails is no verdict, and leaves nothing taken', async () => {
    let isBroken = true;
    const hash: SlowDigest = (...of) =>
      isBroken ? Promise.reject(new Error('no memory')) : quickDigest(...of);
    const one = verifier({ hash, hashesAtOnceMax: 1, attempts: { ...attempts, perSourceMax: 1 } });
    for (let count = 0; count < 5; count += 1) {
      await assert.rejects(one.verify(attempt), /no memory/);
    }
    isBroken = false;
    assert.equal((await one.verify(attempt)).is, 'current');
  });
});

describe('with the real Argon2id', () => {
  test('current, next, wrong and unknown', async () => {
    const one = new PasswordVerifier(
      { attempts, hashesAtOnceMax: 2, hashesWaitingMax: 10 },
      manualClock(),
    );
    const current = await hashPassword(right);
    const next = await hashPassword(newer, current);
    const both = { current, next };
    assert.deepEqual(await costOf(one, { ...both, presented: wrong }), ['wrong', 1]);
    assert.deepEqual(await costOf(one, { ...both, presented: right }), ['current', 1]);
    assert.deepEqual(await costOf(one, { ...both, presented: newer }), ['next', 1]);
    assert.deepEqual(await costOf(one, { ...both, presented: newer }), ['next', 0]);
    assert.deepEqual(await costOf(one, { current: undefined, identityKey: 'x' }), ['wrong', 1]);
  });
});
