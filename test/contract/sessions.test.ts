import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { type Claim, Claims, type HeldClaim, type TakeOutcome } from '../../src/chargers/claims.ts';
import {
  type ClaimEnd,
  type ClaimHolder,
  type ClaimOutcome,
  type DuplicatePolicy,
  duplicatePolicies,
  Sessions,
} from '../../src/gateway/sessions.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { Store } from '../../src/store/store.ts';
import { isStoreError, StoreError } from '../../src/store/store-error.ts';
import { describeEachStore, type TestStore } from '../support/stores.ts';

// Goal: one live connection per identity, whatever arrives together, ends late, or fails halfway; in
// one gateway and over several.
// Method: holders whose probes the test answers itself, and claims that wait or fail where the test
// wants it, so that every race has one order. The claims themselves are real, on both databases.

const id = (text: string): ChargerId => text as ChargerId;
const charger = id('CP-1');
const here = (): AbortSignal => new AbortController().signal;
const remoteProbeMs = 4000;

type ClaimStep = 'take' | 'takeOver' | 'askWhetherAlive' | 'answerSince';

/** Real claims that wait or fail where a test says so. */
class StagedClaims extends Claims {
  /** Runs before a step; what it throws, the step throws. */
  before: (step: ClaimStep) => Promise<void> | void = () => {};
  /** Runs after a step was done: what it throws is an answer that was lost on its way. */
  after: (step: ClaimStep) => Promise<void> | void = () => {};

  override take(id: ChargerId): Promise<TakeOutcome> {
    return this.#stage('take', () => super.take(id));
  }

  override takeOver(id: ChargerId, older: HeldClaim, isHandOver: boolean): Promise<TakeOutcome> {
    return this.#stage('takeOver', () => super.takeOver(id, older, isHandOver));
  }

  override askWhetherAlive(id: ChargerId, held: HeldClaim): Promise<number> {
    return this.#stage('askWhetherAlive', () => super.askWhetherAlive(id, held));
  }

  override answerSince(
    id: ChargerId,
    held: HeldClaim,
    askedAtMs: number,
  ): Promise<'alive' | 'gone' | 'none-yet'> {
    return this.#stage('answerSince', () => super.answerSince(id, held, askedAtMs));
  }

  async #stage<T>(step: ClaimStep, action: () => Promise<T>): Promise<T> {
    await this.before(step);
    const result = await action();
    await this.after(step);
    return result;
  }
}

const away = (): never => {
  throw new StoreError('unavailable', 'away');
};

/** A point that something reaches, and waits at until it may go on. */
function barrier(): {
  readonly reached: Promise<void>;
  readonly wait: () => Promise<void>;
  readonly open: () => void;
} {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    wait: () => {
      reached.resolve();
      return opened.promise;
    },
    open: () => opened.resolve(),
  };
}

interface HandHolder extends ClaimHolder {
  answer(sign: 'alive' | 'silent'): void;
  /** Resolves when it is asked for the first time. */
  readonly asked: Promise<void>;
  readonly probes: number;
  readonly ends: readonly ClaimEnd[];
}

function handHolder(): HandHolder {
  const waiting: ((sign: 'alive' | 'silent') => void)[] = [];
  const ends: ClaimEnd[] = [];
  const asked = Promise.withResolvers<void>();
  let probes = 0;
  return {
    probe: () => {
      probes += 1;
      asked.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
    end: (code) => ends.push(code),
    applyRecord: () => {},
    shown: { certificates: [], securityProfile: 0, isProven: true },
    isOnItsWay: false,
    applyCredential: () => {},
    review: () => false,
    answer: (sign) => {
      for (const resolve of waiting.splice(0)) resolve(sign);
    },
    asked: asked.promise,
    get probes() {
      return probes;
    },
    ends,
  };
}

/** A gateway, as far as its connections go. */
interface TestGateway {
  readonly store: Store;
  readonly claims: StagedClaims;
  readonly sessions: Sessions;
}

let seeds = 0;

async function gatewayOn(
  store: Store,
  opened: TestStore,
  policy: DuplicatePolicy,
): Promise<TestGateway> {
  seeds += 1;
  const options = {
    gatewayId: `gw-${seeds}`,
    leaseMs: 36_000_000,
    takeoversPerHourMax: 3,
    quarantineMs: 600_000,
  };
  const claims = new StagedClaims(store, options, seededRandom(seeds));
  await claims.start();
  const sessions = new Sessions(claims, { policy, remoteProbeMs }, opened.clock);
  return { store, claims, sessions };
}

const startOne = (opened: TestStore, policy: DuplicatePolicy) =>
  gatewayOn(opened.store, opened, policy);

async function startTwo(
  opened: TestStore,
  policy: DuplicatePolicy,
): Promise<readonly [TestGateway, TestGateway]> {
  const first = await gatewayOn(opened.store, opened, policy);
  const second = await gatewayOn(await opened.openAnother(), opened, policy);
  // Where there can be one gateway, the second start has ended the first; but here both are to live.
  await first.claims.renew();
  return [first, second];
}

const claim = ({ sessions }: TestGateway, spelling = charger, gone = here()) =>
  sessions.claim(spelling, gone);

function claimOf(outcome: ClaimOutcome): Claim {
  assert(outcome.is === 'claimed', JSON.stringify(outcome));
  return outcome.claim;
}

async function held(
  gateway: TestGateway,
): Promise<{ readonly claim: Claim; readonly holder: HandHolder }> {
  const itsClaim = claimOf(await claim(gateway));
  const holder = handHolder();
  gateway.sessions.hold(itsClaim, holder);
  return { claim: itsClaim, holder };
}

/** The connection is over, and the store knows. */
async function release({ claims, sessions, store }: TestGateway, ended: Claim): Promise<void> {
  sessions.end(ended);
  await store.transact((db) => claims.release(db, [ended]));
  sessions.forget(ended);
}

const rowOf = async ({ store }: TestGateway) => {
  const [row] = await store.query((db) => db.selectFrom('claim').selectAll().execute());
  assert(row !== undefined);
  return row;
};

describeEachStore('claims of one gateway', (open) => {
  for (const policy of duplicatePolicies) {
    test(`${policy}: of claims that arrive together, exactly one gets the identity`, async () => {
      await using opened = await open();
      const gateway = await startOne(opened, policy);
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => claim(gateway)));
      assert.equal(outcomes.filter(({ is }) => is === 'claimed').length, 1);
      assert.equal(gateway.sessions.count, 1);
    });

    test(`${policy}: an identity that was released can be claimed`, async () => {
      await using opened = await open();
      const gateway = await startOne(opened, policy);
      const { claim: ended, holder } = await held(gateway);
      await release(gateway, ended);
      assert.deepEqual(gateway.sessions.keys(), []);
      const next = await claim(gateway);
      assert(next.is === 'claimed' && !next.replaced);
      assert.equal(next.claim.epoch, 2);
      assert.deepEqual([holder.probes, holder.ends], [0, []]);
    });

    test(`${policy}: a charger that is back before the store knows that it was gone takes its claim on`, async () => {
      await using opened = await open();
      const gateway = await startOne(opened, policy);
      const { claim: ended, holder } = await held(gateway);
      gateway.sessions.end(ended);
      assert.equal(gateway.sessions.count, 0);
      assert.equal(gateway.sessions.holderOf('cp-1'), undefined);
      const next = await claim(gateway);
      assert(next.is === 'claimed' && !next.replaced);
      assert.deepEqual([holder.probes, holder.ends], [0, []]);
      // What the store learns late of the old claim ends nothing.
      await release(gateway, ended);
      assert.equal(gateway.sessions.count, 1);
      assert.equal((await gateway.claims.own()).get('cp-1'), 2);
      assert.equal((await rowOf(gateway)).takeovers, 0);
    });
  }

  test('identities that differ in case alone are one', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'reject-new');
    await held(gateway);
    assert.equal((await claim(gateway, id('cp-1'))).is, 'active');
    assert.equal((await claim(gateway, id('CP-2'))).is, 'claimed');
    assert.deepEqual(gateway.sessions.keys(), ['cp-1', 'cp-2']);
  });

  test('D3: a late release frees nothing but its own claim', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    const { claim: old } = await held(gateway);
    const current = claimOf(await claim(gateway));
    assert(current.epoch > old.epoch);
    await release(gateway, old);
    assert.equal(gateway.sessions.count, 1);
    assert.equal((await claim(gateway)).is, 'active', 'the newer claim still holds');
    await release(gateway, current);
    await release(gateway, current);
    assert.equal(gateway.sessions.count, 0);
  });

  test('a late holder does not take the place of the current one', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    const { claim: old } = await held(gateway);
    const second = await held(gateway);
    const late = handHolder();
    gateway.sessions.hold(old, late);
    assert.equal(gateway.sessions.holderOf('cp-1'), second.holder);
    await claim(gateway);
    assert.deepEqual([second.holder.ends, late.ends], [['SESSION_REPLACED'], []]);
  });

  test('a holder that comes after its connection has ended holds nothing', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    const first = claimOf(await claim(gateway));
    gateway.sessions.end(first);
    gateway.sessions.hold(first, handHolder());
    assert.equal(gateway.sessions.holderOf('cp-1'), undefined);
    assert.deepEqual([...gateway.sessions.lost(new Map())], []);
  });

  test('a claim without a holder is on its way in, and counts as alive', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    await claim(gateway);
    assert.equal((await claim(gateway)).is, 'active');
  });

  test('forgetting forgets what has ended, and nothing else', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    const { claim: current } = await held(gateway);
    gateway.sessions.forget(current);
    assert.deepEqual([gateway.sessions.count, gateway.sessions.keys()], [1, ['cp-1']]);
    gateway.sessions.end(current);
    assert.deepEqual([gateway.sessions.count, gateway.sessions.keys()], [0, ['cp-1']]);
    gateway.sessions.forget({ charger, epoch: current.epoch });
    assert.deepEqual(gateway.sessions.keys(), ['cp-1'], 'a claim of somebody else');
    gateway.sessions.forget(current);
    assert.deepEqual(gateway.sessions.keys(), []);
  });

  test('a holder is found by its epoch, and lost when the store has another', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    const { claim: current, holder } = await held(gateway);
    const { sessions } = gateway;
    assert.equal(sessions.holderOf('cp-1', current.epoch), holder);
    assert.equal(sessions.holderOf('cp-1', current.epoch + 1), undefined);
    assert.equal(sessions.holderOf('cp-2'), undefined);
    assert.deepEqual([...sessions.lost(await gateway.claims.own())], []);
    assert.deepEqual([...sessions.lost(new Map([['cp-1', 9]]))], [['cp-1', holder]]);
    assert.deepEqual([...sessions.lost(new Map())], [['cp-1', holder]]);
  });
});

describeEachStore('T2-03, T2-04: duplicate identities', (open) => {
  test('reject-new: the older connection stays and is not even asked', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'reject-new');
    const { holder } = await held(gateway);
    assert.equal((await claim(gateway)).is, 'active');
    assert.deepEqual([holder.probes, holder.ends], [0, []]);
  });

  test('replace-old: the newcomer wins at once', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    const { holder } = await held(gateway);
    const outcome = await claim(gateway);
    assert(outcome.is === 'claimed' && outcome.replaced);
    assert.deepEqual([holder.probes, holder.ends], [0, ['SESSION_REPLACED']]);
    assert.equal((await rowOf(gateway)).takeovers, 1);
  });

  test('probe: an impostor does not displace a charger that is alive', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'probe');
    const { holder } = await held(gateway);
    const newcomer = claim(gateway);
    holder.answer('alive');
    assert.equal((await newcomer).is, 'active');
    assert.deepEqual([holder.probes, holder.ends], [1, []]);
  });

  test('probe: a dead connection does not lock its charger out', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'probe');
    const { holder } = await held(gateway);
    const newcomer = claim(gateway);
    holder.answer('silent');
    const outcome = await newcomer;
    assert(outcome.is === 'claimed' && outcome.replaced);
    assert.deepEqual(holder.ends, ['SESSION_REPLACED']);
    assert.equal(gateway.sessions.count, 1);
  });

  test('probe: a crowd of newcomers causes one probe, and at most one gets in', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'probe');
    const { holder } = await held(gateway);
    const crowd = Array.from({ length: 10 }, () => claim(gateway));
    assert.equal(holder.probes, 1);
    holder.answer('silent');
    const outcomes = await Promise.all(crowd);
    assert.equal(outcomes.filter(({ is }) => is === 'claimed').length, 1);
    assert.deepEqual(holder.ends, ['SESSION_REPLACED']);
  });

  test('probe: after one answer the next newcomer may ask again', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'probe');
    const { holder } = await held(gateway);
    const first = claim(gateway);
    holder.answer('alive');
    await first;
    const second = claim(gateway);
    holder.answer('silent');
    assert.equal((await second).is, 'claimed');
    assert.equal(holder.probes, 2);
  });

  test('probe: a probe that fails does not stop the next one', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'probe');
    const first = claimOf(await claim(gateway));
    const broken: ClaimHolder = {
      ...handHolder(),
      probe: () => Promise.reject(new Error('broken')),
    };
    gateway.sessions.hold(first, broken);
    for (let times = 0; times < 2; times += 1) await assert.rejects(claim(gateway), /broken/);
    assert.equal(gateway.sessions.count, 1);
  });

  test('probe: the identity went to somebody else while the probe waited', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'probe');
    const { claim: ended, holder } = await held(gateway);
    const slow = claim(gateway);
    await release(gateway, ended);
    const quick = claimOf(await claim(gateway));
    holder.answer('silent');
    assert.equal((await slow).is, 'active');
    assert.equal(gateway.sessions.count, 1);
    await release(gateway, quick);
    assert.equal(gateway.sessions.count, 0);
  });

  test('probe: the older connection ended while it was asked', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'probe');
    const { claim: ended, holder } = await held(gateway);
    const newcomer = claim(gateway);
    await release(gateway, ended);
    holder.answer('silent');
    const outcome = await newcomer;
    const current = claimOf(outcome);
    assert(outcome.is === 'claimed' && !outcome.replaced);
    await release(gateway, ended);
    assert.equal(gateway.sessions.count, 1);
    assert.deepEqual(holder.ends, []);
    await release(gateway, current);
    assert.equal(gateway.sessions.count, 0);
  });

  test('probe: the newcomer left while the older connection was asked', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'probe');
    const { claim: current, holder } = await held(gateway);
    const gone = new AbortController();
    const newcomer = claim(gateway, charger, gone.signal);
    gone.abort();
    holder.answer('silent');
    assert.deepEqual(await newcomer, { is: 'gone' });
    // Nothing has changed: it holds, and can be asked again.
    assert.deepEqual(holder.ends, []);
    assert.equal(gateway.sessions.holderOf('cp-1', current.epoch), holder);
    assert.equal((await gateway.claims.own()).get('cp-1'), current.epoch);
    const next = claim(gateway);
    holder.answer('silent');
    assert.equal((await next).is, 'claimed');
  });

  test('too many take-overs end both connections, and the identity with them', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    await held(gateway);
    for (let times = 0; times < 2; times += 1) await held(gateway);
    const { holder: last } = await held(gateway);
    const outcome = await claim(gateway);
    assert(outcome.is === 'quarantined' && outcome.isNew);
    assert.deepEqual(last.ends, ['IDENTITY_QUARANTINED']);
    assert.deepEqual(gateway.sessions.keys(), []);
    const next = await claim(gateway);
    assert(next.is === 'quarantined' && !next.isNew);
    opened.clock.advance(600_000);
    assert.equal((await claim(gateway)).is, 'claimed');
  });
});

describeEachStore('claims while the store is away', (open) => {
  for (const policy of ['probe', 'replace-old'] as const) {
    for (const moment of ['before', 'after'] as const) {
      test(`${policy}: the older connection stays when the store fails ${moment} the take-over`, async () => {
        await using opened = await open();
        const gateway = await startOne(opened, policy);
        const { claims, sessions } = gateway;
        const { claim: current, holder } = await held(gateway);
        claims[moment] = away;
        const newcomer = claim(gateway);
        holder.answer('silent');
        await assert.rejects(newcomer, isStoreError);
        assert.deepEqual(holder.ends, []);
        assert.equal(sessions.count, 1);
        assert.equal(sessions.holderOf('cp-1', current.epoch), holder);

        // The store is back: what it took over, and could not say, locks nobody out.
        claims[moment] = () => {};
        const next = claim(gateway);
        holder.answer('silent');
        const outcome = await next;
        assert(outcome.is === 'claimed' && outcome.replaced, JSON.stringify(outcome));
        assert.deepEqual(holder.ends, ['SESSION_REPLACED']);
        assert.equal((await claims.own()).get('cp-1'), outcome.claim.epoch);
      });
    }
  }

  for (const policy of duplicatePolicies) {
    test(`${policy}: a first claim whose answer was lost locks nobody out`, async () => {
      await using opened = await open();
      const gateway = await startOne(opened, policy);
      gateway.claims.after = away;
      for (let times = 0; times < 3; times += 1) await assert.rejects(claim(gateway), isStoreError);
      assert.deepEqual([gateway.sessions.count, gateway.sessions.keys()], [0, []]);
      gateway.claims.after = () => {};
      const outcome = await claim(gateway);
      assert(outcome.is === 'claimed' && !outcome.replaced, JSON.stringify(outcome));
      assert.deepEqual([...(await gateway.claims.own())], [['cp-1', outcome.claim.epoch]]);
      assert.equal((await rowOf(gateway)).takeovers, 0);
    });
  }

  test('a store that is closed in the middle changes nothing', async () => {
    await using opened = await open();
    const gateway = await startOne(opened, 'replace-old');
    const { holder } = await held(gateway);
    await gateway.store.close();
    await assert.rejects(claim(gateway), isStoreError);
    await assert.rejects(claim(gateway, id('CP-2')), isStoreError);
    assert.deepEqual(holder.ends, []);
    assert.deepEqual(gateway.sessions.keys(), ['cp-1']);
    assert.equal(gateway.sessions.holderOf('cp-1'), holder);
  });

  for (const isRefused of [false, true]) {
    const end = isRefused ? 'fails' : 'succeeds';
    test(`an older connection that ends while a newcomer waits for the store, which ${end}`, async () => {
      await using opened = await open();
      const gateway = await startOne(opened, 'replace-old');
      const { claims, sessions } = gateway;
      const { claim: old, holder } = await held(gateway);
      const stop = barrier();
      claims.before = async () => {
        await stop.wait();
        if (isRefused) away();
      };
      const newcomer = claim(gateway);
      await stop.reached;
      assert.equal((await claim(gateway)).is, 'active', 'the newcomer is on its way in');
      await release(gateway, old);
      assert.equal(sessions.count, 1);
      stop.open();
      if (isRefused) await assert.rejects(newcomer, isStoreError);
      else assert.equal(claimOf(await newcomer).epoch, 2);
      assert.equal(sessions.count, isRefused ? 0 : 1);
      assert.deepEqual(sessions.keys(), isRefused ? [] : ['cp-1']);
      assert.deepEqual(holder.ends, []);
      claims.before = () => {};
      assert.equal((await claim(gateway)).is, isRefused ? 'claimed' : 'active');
    });
  }
});

describeEachStore('claims of two gateways', (open) => {
  /** What the housekeeping of a gateway does about notices. */
  const answerNotices = async ({ claims, sessions }: TestGateway): Promise<void> => {
    for (const { epoch, identityKey, kind } of await claims.takeNotices()) {
      const holder = sessions.holderOf(identityKey, epoch);
      if (kind === 'replaced') holder?.end('SESSION_REPLACED');
      else if ((await holder?.probe(false)) === 'alive') await claims.sayAlive(identityKey, epoch);
      else holder?.end('SESSION_REPLACED');
    }
  };

  /** Does something before each question of `gateway`; after it, time passes up to the next. */
  const atQuestions = (
    { claims }: TestGateway,
    { clock }: TestStore,
    action: (count: number) => Promise<void> | void,
  ): { readonly count: number } => {
    const questions = { count: 0 };
    claims.before = async (step) => {
      if (step !== 'answerSince') return;
      questions.count += 1;
      await action(questions.count);
    };
    claims.after = (step) => {
      if (step === 'answerSince') setImmediate(() => clock.advance(250));
    };
    return questions;
  };

  for (const policy of duplicatePolicies) {
    test(`${policy}: of claims that arrive at both at once, exactly one gets the identity`, async () => {
      await using opened = await open();
      const gateways = await startTwo(opened, policy === 'probe' ? 'reject-new' : policy);
      for (let round = 0; round < 10; round += 1) {
        const identity = id(`CP-${round}`);
        const outcomes = await Promise.all(gateways.map((gateway) => claim(gateway, identity)));
        // With replace-old both may claim, one after the other; but one of them holds it then.
        const claimed = outcomes.filter(({ is }) => is === 'claimed');
        assert(claimed.length >= 1);
        if (policy !== 'replace-old') assert.equal(claimed.length, 1);
        const own = await Promise.all(gateways.map(({ claims }) => claims.own()));
        assert.equal(own.filter((claims) => claims.has(identity.toLowerCase())).length, 1);
      }
    });
  }

  test('reject-new: what another gateway holds is active, and nobody is asked', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened, 'reject-new');
    await held(first);
    assert.equal((await claim(second)).is, 'active');
    assert.deepEqual(await first.claims.takeNotices(), []);
    assert.deepEqual(second.sessions.keys(), []);
  });

  test('replace-old: the other gateway is told that its connection was replaced', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened, 'replace-old');
    const { claim: old, holder } = await held(first);
    const outcome = await claim(second);
    assert(outcome.is === 'claimed' && outcome.replaced);
    assert.equal((await rowOf(first)).takeovers, 1);
    await answerNotices(first);
    assert.deepEqual(holder.ends, ['SESSION_REPLACED']);
    await release(first, old);
    assert.equal((await second.claims.own()).get('cp-1'), outcome.claim.epoch);
  });

  test('probe: an impostor at another gateway does not displace a charger that is alive', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened, 'probe');
    const { holder } = await held(first);
    const questions = atQuestions(second, opened, async (count) => {
      if (count !== 3) return;
      const answered = answerNotices(first);
      await holder.asked;
      holder.answer('alive');
      await answered;
    });
    assert.equal((await claim(second)).is, 'active');
    assert.equal(questions.count, 3);
    assert.deepEqual([holder.probes, holder.ends], [1, []]);
    assert.deepEqual(second.sessions.keys(), []);
    assert.equal((await first.claims.own()).size, 1);
  });

  test('probe: a dead connection at another gateway does not lock its charger out', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened, 'probe');
    const { claim: old, holder } = await held(first);
    const questions = atQuestions(second, opened, async (count) => {
      if (count !== 2) return;
      const answered = answerNotices(first);
      await holder.asked;
      holder.answer('silent');
      await answered;
      assert.deepEqual(holder.ends, ['SESSION_REPLACED']);
      await release(first, old);
    });
    const outcome = await claim(second);
    assert(outcome.is === 'claimed' && outcome.replaced);
    assert.equal(questions.count, 2);
    assert.deepEqual([...(await second.claims.own())], [['cp-1', outcome.claim.epoch]]);
    // It counts as a take-over, though the other gateway has given the claim up by itself.
    assert.equal((await rowOf(second)).takeovers, 1);
    assert.equal(second.sessions.count, 1);
  });

  test('probe: silent connections that are replaced from one gateway to the other are counted', async () => {
    await using opened = await open();
    const gateways = await startTwo(opened, 'probe');
    let outcome: ClaimOutcome | undefined;
    for (let times = 0; times <= 4; times += 1) {
      const [from, to] = times % 2 === 0 ? gateways : [gateways[1], gateways[0]];
      const { claim: old, holder } =
        outcome?.is === 'claimed'
          ? { claim: outcome.claim, holder: handHolder() }
          : await held(from);
      from.sessions.hold(old, holder);
      from.claims.before = () => {};
      atQuestions(to, opened, async () => {
        const answered = answerNotices(from);
        await holder.asked;
        holder.answer('silent');
        await answered;
        await release(from, old);
      });
      outcome = await claim(to);
      if (outcome.is !== 'claimed') break;
    }
    assert(outcome?.is === 'quarantined' && outcome.isNew, JSON.stringify(outcome));
  });

  test('probe: a gateway that does not answer keeps its claim as long as its lease', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened, 'probe');
    await held(first);
    const questions = atQuestions(second, opened, () => {});
    assert.equal((await claim(second)).is, 'active');
    // At the beginning, and every 250 ms until the deadline.
    assert.equal(questions.count, remoteProbeMs / 250 + 1);
    await first.claims.end();
    const outcome = await claim(second);
    assert(outcome.is === 'claimed' && !outcome.replaced);
  });

  test('probe: a claim that becomes free while another one asks goes to who takes it first', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened, 'probe');
    const { claim: old } = await held(first);
    atQuestions(second, opened, async () => {
      await release(first, old);
      await held(first);
    });
    assert.equal((await claim(second)).is, 'active');
    assert.deepEqual(second.sessions.keys(), []);
  });

  test('probe: a store that fails while the other gateway is asked changes nothing', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened, 'probe');
    const { holder } = await held(first);
    atQuestions(second, opened, away);
    await assert.rejects(claim(second), isStoreError);
    assert.deepEqual(second.sessions.keys(), []);
    assert.deepEqual(holder.ends, []);
    assert.equal((await first.claims.own()).size, 1);
  });

  test('a connection whose claim another gateway took is lost, and ends nothing there', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened, 'probe');
    const { claim: old, holder } = await held(first);
    await first.claims.end();
    const taken = claimOf(await claim(second));
    await first.claims.renew();
    assert.deepEqual([...first.sessions.lost(await first.claims.own())], [['cp-1', holder]]);
    // A newcomer here asks the lost connection, then the gateway that has the claim now.
    second.sessions.hold(taken, handHolder());
    const questions = atQuestions(first, opened, () => {});
    const newcomer = claim(first);
    holder.answer('silent');
    assert.equal((await newcomer).is, 'active');
    assert(questions.count > 1);
    await release(first, old);
    assert.equal((await second.claims.own()).get('cp-1'), taken.epoch);
  });
});
