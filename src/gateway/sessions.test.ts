import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../chargers/charger-id.ts';
import { type Claim, type ClaimHolder, type ClaimOutcome, Sessions } from './sessions.ts';

// Goal: one live connection per identity, whatever arrives together or ends late.
// Method: holders whose probes the test answers itself, so that every race has one order.

const charger = 'CP-1' as ChargerId;

interface HandHolder extends ClaimHolder {
  answer(sign: 'alive' | 'silent'): void;
  readonly probes: number;
  readonly replaced: number;
}

function handHolder(): HandHolder {
  const waiting: ((sign: 'alive' | 'silent') => void)[] = [];
  let probes = 0;
  let replaced = 0;
  return {
    probe: () => {
      probes += 1;
      return new Promise((resolve) => waiting.push(resolve));
    },
    replace: () => {
      replaced += 1;
    },
    answer: (sign) => {
      for (const resolve of waiting.splice(0)) resolve(sign);
    },
    get probes() {
      return probes;
    },
    get replaced() {
      return replaced;
    },
  };
}

function claimOf(outcome: ClaimOutcome): Claim {
  assert(outcome.is === 'claimed', outcome.is);
  return outcome.claim;
}

async function held(sessions: Sessions): Promise<{ claim: Claim; holder: HandHolder }> {
  const claim = claimOf(await sessions.claim(charger));
  const holder = handHolder();
  sessions.hold(claim, holder);
  return { claim, holder };
}

describe('claims', () => {
  for (const policy of ['probe', 'reject-new', 'replace-old'] as const) {
    test(`${policy}: of claims that arrive together, exactly one gets the identity`, async () => {
      const sessions = new Sessions(policy);
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => sessions.claim(charger)));
      assert.equal(outcomes.filter(({ is }) => is === 'claimed').length, 1);
      assert.equal(sessions.count, 1);
    });

    test(`${policy}: an identity that was released can be claimed`, async () => {
      const sessions = new Sessions(policy);
      const { claim, holder } = await held(sessions);
      sessions.release(claim);
      const next = await sessions.claim(charger);
      assert(next.is === 'claimed' && !next.replaced);
      assert.equal(holder.probes, 0);
    });
  }

  test('identities that differ in case alone are one', async () => {
    const sessions = new Sessions('reject-new');
    await held(sessions);
    assert.equal((await sessions.claim('cp-1' as ChargerId)).is, 'active');
    assert.equal((await sessions.claim('CP-2' as ChargerId)).is, 'claimed');
  });

  test('a late release frees nothing but its own claim', async () => {
    const sessions = new Sessions('replace-old');
    const { claim: old } = await held(sessions);
    const current = claimOf(await sessions.claim(charger));
    assert(current.epoch > old.epoch);
    sessions.release(old);
    assert.equal(sessions.count, 1);
    assert.equal((await sessions.claim(charger)).is, 'active', 'the newer claim still holds');
    sessions.release(current);
    sessions.release(current);
    assert.equal(sessions.count, 0);
  });

  test('a late holder does not take the place of the current one', async () => {
    const sessions = new Sessions('replace-old');
    const { claim: old } = await held(sessions);
    const second = await held(sessions);
    const late = handHolder();
    sessions.hold(old, late);
    await sessions.claim(charger);
    assert.deepEqual([second.holder.replaced, late.replaced], [1, 0]);
  });

  test('a claim without a holder is on its way in, and counts as alive', async () => {
    const sessions = new Sessions('replace-old');
    await sessions.claim(charger);
    assert.equal((await sessions.claim(charger)).is, 'active');
  });
});

describe('T2-03, T2-04: duplicate identities', () => {
  test('reject-new: the older connection stays and is not even asked', async () => {
    const sessions = new Sessions('reject-new');
    const { holder } = await held(sessions);
    assert.equal((await sessions.claim(charger)).is, 'active');
    assert.deepEqual([holder.probes, holder.replaced], [0, 0]);
  });

  test('replace-old: the newcomer wins at once', async () => {
    const sessions = new Sessions('replace-old');
    const { holder } = await held(sessions);
    const outcome = await sessions.claim(charger);
    assert(outcome.is === 'claimed' && outcome.replaced);
    assert.deepEqual([holder.probes, holder.replaced], [0, 1]);
  });

  test('probe: an impostor does not displace a charger that is alive', async () => {
    const sessions = new Sessions('probe');
    const { holder } = await held(sessions);
    const newcomer = sessions.claim(charger);
    holder.answer('alive');
    assert.equal((await newcomer).is, 'active');
    assert.deepEqual([holder.probes, holder.replaced], [1, 0]);
  });

  test('probe: a dead connection does not lock its charger out', async () => {
    const sessions = new Sessions('probe');
    const { holder } = await held(sessions);
    const newcomer = sessions.claim(charger);
    holder.answer('silent');
    const outcome = await newcomer;
    assert(outcome.is === 'claimed' && outcome.replaced);
    assert.equal(holder.replaced, 1);
    assert.equal(sessions.count, 1);
  });

  test('probe: a crowd of newcomers causes one probe, and at most one gets in', async () => {
    const sessions = new Sessions('probe');
    const { holder } = await held(sessions);
    const crowd = Array.from({ length: 10 }, () => sessions.claim(charger));
    assert.equal(holder.probes, 1);
    holder.answer('silent');
    const outcomes = await Promise.all(crowd);
    assert.equal(outcomes.filter(({ is }) => is === 'claimed').length, 1);
  });

  test('probe: after one answer the next newcomer may ask again', async () => {
    const sessions = new Sessions('probe');
    const { holder } = await held(sessions);
    const first = sessions.claim(charger);
    holder.answer('alive');
    await first;
    const second = sessions.claim(charger);
    holder.answer('silent');
    assert.equal((await second).is, 'claimed');
    assert.equal(holder.probes, 2);
  });

  test('probe: the identity went to somebody else while the probe waited', async () => {
    const sessions = new Sessions('probe');
    const { claim, holder } = await held(sessions);
    const slow = sessions.claim(charger);
    sessions.release(claim);
    const quick = claimOf(await sessions.claim(charger));
    holder.answer('silent');
    assert.equal((await slow).is, 'active');
    assert.equal(sessions.count, 1);
    sessions.release(quick);
    assert.equal(sessions.count, 0);
  });

  test('probe: the older connection ended while it was asked', async () => {
    const sessions = new Sessions('probe');
    const { claim, holder } = await held(sessions);
    const newcomer = sessions.claim(charger);
    sessions.release(claim);
    holder.answer('silent');
    const current = claimOf(await newcomer);
    sessions.release(claim);
    assert.equal(sessions.count, 1);
    sessions.release(current);
    assert.equal(sessions.count, 0);
  });
});
