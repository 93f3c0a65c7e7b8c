import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ManualClock, manualClock } from '../../test/support/manual-clock.ts';
import { quickDigest, quickHash } from '../../test/support/quick-hash.ts';
import { seededRandom } from '../lib/random.ts';
import { recallsMax } from './attempt-budget.ts';
import { type Argon2Cost, hashGeneratedKey, ownCost } from './password-hash.ts';
import {
  type PasswordAttempt,
  type PasswordVerdict,
  PasswordVerifier,
  type PasswordVerifierOptions,
} from './password-verifier.ts';

// Goal: who guesses passwords gets few guesses, keeps nobody out who has the right one, and learns
//   nothing from the work that a guess causes.
// Method: thousands of attempts at once, a digest in the place of Argon2id, and counts of work.

const attempts = { perSourceMax: 30, perIdentityMax: 30, overallMax: 1000, windowSeconds: 60 };

function verifier(
  changes: Partial<PasswordVerifierOptions> = {},
  clock: ManualClock = manualClock(),
) {
  const options = { attempts, hashesAtOnceMax: 2, hashesWaitingMax: 4096, hash: quickDigest };
  return new PasswordVerifier({ ...options, ...changes }, clock);
}

const password = Buffer.from('the right password');
const key = Buffer.from('00ff3a800a0d3a00c3283aff0011223344556677', 'hex');

const charger: PasswordAttempt = {
  identityKey: 'cp-7',
  source: '192.0.2.7',
  presented: password,
  current: quickHash(password),
  defaults: [],
};

/** `count` wrong passwords at once, for a hundred identities, from `sources`. */
function attack(
  one: PasswordVerifier,
  sources: readonly string[],
  count = 5000,
): Promise<readonly PasswordVerdict[]> {
  const guesses = Array.from({ length: count }, (_, index) => {
    const source = sources[index % sources.length] ?? '';
    // Some of the chargers exist.
    const current = index % 3 === 0 ? quickHash(`secret of ${index % 100}`, 't') : undefined;
    const presented = Buffer.from(`guess ${index}`);
    return one.verify({
      identityKey: `cp-${index % 100}`,
      source,
      presented,
      current,
      defaults: [],
    });
  });
  return Promise.all(guesses);
}

function countOf(verdicts: readonly PasswordVerdict[], is: PasswordVerdict['is']): number {
  return verdicts.filter((verdict) => verdict.is === is).length;
}

const attackers = [1, 2, 3, 4, 5].map((host) => `203.0.113.${host}`);

describe('T2-02: 5000 wrong passwords', () => {
  test('from five sources are 150 computations, and nobody is let in', async () => {
    const one = verifier();
    const verdicts = await attack(one, attackers);
    assert.equal(countOf(verdicts, 'wrong'), 150);
    assert.equal(one.argon2Count, 150);
    assert.equal(
      countOf(verdicts, 'wrong') + countOf(verdicts, 'exhausted') + countOf(verdicts, 'busy'),
      5000,
    );
  });

  test('from one /64 of IPv6 are those of one source', async () => {
    const one = verifier();
    await attack(
      one,
      [1, 2, 3, 4, 5].map((host) => `2001:db8:1:2:${host}::1`),
    );
    assert.equal(one.argon2Count, 30);
  });

  test('from one address in five isolated networks are those of five sources', async () => {
    const one = verifier();
    await attack(
      one,
      [1, 2, 3, 4, 5].map((bay) => `192.168.1.5@bay-${bay}`),
    );
    assert.equal(one.argon2Count, 150);
    // Where nobody guesses, the same address is used up by nothing.
    const there = { ...charger, source: '192.168.1.5@bay-6' };
    assert.equal((await one.verify(there)).is, 'current');
    const inside = { ...charger, source: '192.168.1.5@bay-1', presented: Buffer.from('x') };
    assert.equal((await one.verify(inside)).is, 'exhausted');
  });

  test('meanwhile a charger from elsewhere gets in, a few computations after it asked', async () => {
    const computed: string[] = [];
    const one = verifier({
      hash: (presented, ...of) => {
        computed.push(presented.toString());
        return quickDigest(presented, ...of);
      },
    });
    const flood = attack(one, attackers);
    const before = computed.length;
    assert.equal((await one.verify(charger)).is, 'current');
    // One turn for each of five sources, and one for the slot that was taken.
    const turn = computed.indexOf(password.toString()) - before;
    assert(turn >= 0 && turn <= 6, String(turn));
    await flood;
    assert.equal((await one.verify({ ...charger, source: '192.0.2.8' })).is, 'current');
  });

  test('from so many sources that the overall budget is used up keep strangers out only', async () => {
    const one = verifier();
    await one.verify(charger);
    await attack(
      one,
      Array.from({ length: 250 }, (_, host) => `203.0.113.${host}`),
    );
    assert.equal(one.argon2Count, 1001);
    const elsewhere = { ...charger, identityKey: 'cp-8', source: '192.0.2.8' };
    assert.equal((await one.verify(elsewhere)).is, 'exhausted');
    assert.equal((await one.verify(charger)).is, 'current', 'remembered');
    const known = { ...elsewhere, knownAddress: '192.0.2.8' };
    assert.equal((await one.verify(known)).is, 'current', 'known to the store');
    const made = { ...elsewhere, identityKey: 'cp-9', current: hashGeneratedKey(key) };
    assert.equal((await one.verify({ ...made, presented: key })).is, 'current', 'made by us');
  });

  test('from thousands of sources: a known charger does not wait behind all of them', async () => {
    const computed: string[] = [];
    const one = verifier({
      attempts: { ...attempts, overallMax: 1e6 },
      hash: (presented, ...of) => {
        computed.push(presented.toString());
        return quickDigest(presented, ...of);
      },
    });
    const flood = attack(
      one,
      Array.from({ length: 5000 }, (_, host) => `2001:db8:0:${host}::1`),
    );
    const before = computed.length;
    assert.equal((await one.verify({ ...charger, knownAddress: charger.source })).is, 'current');
    const turn = computed.indexOf(password.toString()) - before;
    assert(turn >= 0 && turn <= 2, String(turn));
    await flood;
  });

  test('of which no more is forgiven take no place from anybody', async () => {
    const gate = Promise.withResolvers<void>();
    let isHeld = false;
    const one = verifier({
      hashesWaitingMax: 0,
      hash: async (...of) => {
        if (isHeld) await gate.promise;
        return quickDigest(...of);
      },
    });
    for (let count = 0; count < 30; count += 1) await attack(one, attackers.slice(0, 1), 1);
    isHeld = true;
    const held = [8, 9].map((host) => one.verify({ ...charger, source: `192.0.2.${host}` }));
    assert.equal((await one.verify(charger)).is, 'busy');
    const [verdict] = await attack(one, attackers.slice(0, 1), 1);
    assert.equal(verdict?.is, 'exhausted');
    gate.resolve();
    for (const each of await Promise.all(held)) assert.equal(each.is, 'current');
  });

  test('from the source of the charger itself do not keep it out, if it is known there', async () => {
    const one = verifier();
    const { source } = charger;
    await attack(one, [source]);
    assert.equal((await one.verify(charger)).is, 'exhausted', 'nothing is known of it');
    const far = { ...charger, knownAddress: '192.0.2.99' };
    assert.equal((await one.verify(far)).is, 'exhausted', 'known from elsewhere');
    const made = { ...charger, current: hashGeneratedKey(key), presented: key };
    const known = { ...charger, identityKey: 'cp-8', knownAddress: `::ffff:${source}` };
    assert.equal((await one.verify(known)).is, 'current');
    assert.equal((await one.verify(known)).is, 'current');
    assert.equal((await one.verify(made)).is, 'current');
  });

  test('after a while the charger gets in from anywhere again', async () => {
    const clock = manualClock();
    const one = verifier({}, clock);
    await attack(one, [charger.source]);
    const verdict = await one.verify(charger);
    assert(verdict.is === 'exhausted');
    clock.advance(verdict.retryAfterSeconds * 1000);
    assert.equal((await one.verify(charger)).is, 'current');
  });

  test('that come while one place is left at a time never go beyond the budget', async () => {
    for (const hashesWaitingMax of [1, 7, 100]) {
      const one = verifier({ hashesWaitingMax, hashesAtOnceMax: 8 });
      for (let round = 0; round < 10; round += 1) await attack(one, attackers, 500);
      assert(one.argon2Count <= 150, String(one.argon2Count));
    }
  });
});

describe('T2-02: a thousand chargers behind one address', () => {
  const source = '198.51.100.1';

  /** The verdicts on a thousand chargers that come at once, with right passwords. */
  async function comeAtOnce(one: PasswordVerifier): Promise<readonly PasswordVerdict[]> {
    const come = async (index: number): Promise<PasswordVerdict> => {
      const presented = Buffer.from(`secret of ${index}`);
      const current = quickHash(presented);
      return one.verify({ identityKey: `nat-${index}`, source, presented, current, defaults: [] });
    };
    return Promise.all(Array.from({ length: 1000 }, (_, index) => come(index)));
  }

  test('come at once with right passwords: all get in, while somebody else guesses', async () => {
    const one = verifier();
    const flood = attack(one, ['203.0.113.1']);
    assert.equal(countOf(await comeAtOnce(one), 'current'), 1000);
    await flood;
    assert.equal(one.argon2Count, 1000 + 30);
  });

  test('share the places fairly with five who guess, and get in when they come again', async () => {
    const one = verifier();
    const flood = attack(one, attackers);
    const verdicts = await comeAtOnce(one);
    assert(countOf(verdicts, 'current') >= 4096 / 6 - 1);
    assert.equal(countOf(verdicts, 'current') + countOf(verdicts, 'busy'), 1000);
    await flood;
    assert.equal(countOf(await comeAtOnce(one), 'current'), 1000);
    assert.equal(one.argon2Count, 1000 + 150, 'those who were in cost nothing the second time');
  });

  test('come at once with the default password of their batch: all get in', async () => {
    const one = verifier();
    const defaults = [{ name: 'depot', password }];
    const verdicts = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        one.verify({ identityKey: `nat-${index}`, source, presented: password, defaults }),
      ),
    );
    assert.equal(countOf(verdicts, 'default'), 1000);
    assert.equal(one.argon2Count, 0);
  });

  test('with one among them that has a wrong one: it alone is refused', async () => {
    const one = verifier();
    for (let index = 0; index < 1000; index += 1) {
      const identityKey = `nat-${index}`;
      const right = { ...charger, identityKey, source };
      assert.equal((await one.verify(right)).is, 'current', String(index));
      const broken = { ...right, identityKey: 'nat-x', presented: Buffer.from('wrong') };
      if (index % 50 === 0) assert.equal((await one.verify(broken)).is, 'wrong');
    }
  });
});

describe('T2-02: guesses that cost no slow hash are no free guesses', () => {
  test('at the password of a charger that is remembered, from elsewhere', async () => {
    const one = verifier();
    await one.verify(charger);
    const source = '203.0.113.1';
    for (let count = 0; count < 30; count += 1) {
      await one.verify({ ...charger, source, presented: Buffer.from(`guess ${count}`) });
    }
    assert.equal((await one.verify({ ...charger, source })).is, 'exhausted');
    assert.equal((await one.verify(charger)).is, 'current');
  });

  test('at the same, from behind the same address: a hundred, and not one more', async () => {
    const clock = manualClock();
    const one = verifier({}, clock);
    await one.verify(charger);
    const guess = (count: number): PasswordAttempt => {
      return { ...charger, presented: Buffer.from(`guess ${count}`) };
    };
    for (let count = 1; count < recallsMax; count += 1) await one.verify(guess(count));
    assert.equal((await one.verify(charger)).is, 'current', 'one is left');
    for (let count = 0; count < 5000; count += 1) await one.verify(guess(count));
    assert.equal((await one.verify(charger)).is, 'exhausted');
    clock.advance(1000);
    assert.equal((await one.verify(charger)).is, 'current');
  });

  test('at the same, from the address that the store knows and the process does not', async () => {
    const one = verifier();
    await one.verify({ ...charger, source: '192.0.2.99' });
    const known = { ...charger, knownAddress: charger.source };
    for (let count = 0; count < 5000; count += 1) {
      await one.verify({ ...known, presented: Buffer.from(`guess ${count}`) });
    }
    assert.equal((await one.verify(known)).is, 'exhausted');
  });

  test('at the default password of a batch', async () => {
    const one = verifier();
    const defaults = [{ name: 'depot', password }];
    const stranger = { identityKey: 'cp-1', source: '203.0.113.1', defaults };
    for (let count = 0; count < 30; count += 1) {
      await one.verify({ ...stranger, presented: Buffer.from(`guess ${count}`) });
    }
    assert.equal((await one.verify({ ...stranger, presented: password })).is, 'exhausted');
  });
});

describe('T4-01: an unknown identity and a wrong password', () => {
  /** What a charger may look like in the store. All but the last one exist. */
  const kinds: readonly (readonly [string, Partial<PasswordAttempt>])[] = [
    ['a chosen password', { current: quickHash(password) }],
    ['a chosen one and a new one', { current: quickHash(password), next: quickHash('newer') }],
    ['a new one only', { next: quickHash('newer') }],
    ['a made key', { current: hashGeneratedKey(key) }],
    ['a made key and a new one', { current: hashGeneratedKey(key), next: quickHash('newer') }],
    ['two made keys', { current: hashGeneratedKey(key), next: hashGeneratedKey(key) }],
    ['a hash that nobody can read', { current: 'x' }],
    ['no password', {}],
  ];

  /** Verdict and work of one attempt. */
  async function workOf(one: PasswordVerifier, changes: Partial<PasswordAttempt>) {
    const [slow, fast] = [one.argon2Count, one.digestCount];
    const { identityKey, source, presented } = charger;
    const verdict = await one.verify({ identityKey, source, presented, defaults: [], ...changes });
    return { verdict, slow: one.argon2Count - slow, fast: one.digestCount - fast };
  }

  test('cost the same work and get the same verdict, over a random mix', async () => {
    const seed = 4_242;
    const random = seededRandom(seed);
    const plenty = { perSourceMax: 1e5, perIdentityMax: 1e5, overallMax: 1e5, windowSeconds: 60 };
    const costs = new Set<Argon2Cost>();
    const one = verifier({
      attempts: plenty,
      hash: (presented, salt, cost) => {
        costs.add(cost);
        return quickDigest(presented, salt, cost);
      },
    });
    const seen = new Set<string>();
    for (let count = 0; count < 3000; count += 1) {
      const index = random.integer(0, kinds.length - 1);
      const [, stored] = kinds[index] ?? ['', {}];
      const length = random.integer(0, 300);
      const work = await workOf(one, {
        ...stored,
        identityKey: `cp-${random.integer(0, 50)}`,
        source: `203.0.113.${random.integer(0, 255)}`,
        presented: Buffer.alloc(length, random.integer(0, 255)),
      });
      seen.add(JSON.stringify(work));
    }
    assert.deepEqual([...seen], ['{"verdict":{"is":"wrong"},"slow":1,"fast":3}'], `seed ${seed}`);
    for (const cost of costs) assert.deepEqual(cost, ownCost, `seed ${seed}`);
  });

  test('are refused after the same number of attempts, with the same time to wait', async () => {
    for (const [what, stored] of kinds) {
      const one = verifier();
      const verdicts: PasswordVerdict[] = [];
      for (let count = 0; count < 40; count += 1) {
        const presented = Buffer.from(`guess ${count}`);
        verdicts.push((await workOf(one, { ...stored, presented })).verdict);
      }
      assert.equal(countOf(verdicts, 'wrong'), 30, what);
      assert.deepEqual(verdicts.at(-1), { is: 'exhausted', retryAfterSeconds: 2 }, what);
    }
  });

  test('are the same also where the charger is connected, and remembered at another address', async () => {
    const one = verifier();
    await one.verify({ ...charger, source: '192.0.2.99' });
    const presented = Buffer.from('guess');
    const { current } = charger;
    const known = await workOf(one, { presented, current, knownAddress: '192.0.2.99' });
    const unknown = await workOf(one, { presented, identityKey: 'nobody' });
    assert.deepEqual(known, unknown);
  });
});
