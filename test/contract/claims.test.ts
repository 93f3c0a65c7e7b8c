import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import {
  type Claim,
  type ClaimOptions,
  Claims,
  type HeldClaim,
  type TakeOutcome,
} from '../../src/chargers/claims.ts';
import { changesSince, latestRevision } from '../../src/chargers/registry-changes.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { Store } from '../../src/store/store.ts';
import { isStoreError } from '../../src/store/store-error.ts';
import { describeEachStore, type TestStore } from '../support/stores.ts';

// Goal: whatever gateways do at the same moment, an identity has one holder; a claim that is over
// ends no other one; and the claims of a gateway that died are free when its lease has run out.
// Method: several gateways on one database, each with a store of its own, on both databases. Time
// passes on the clock of the test; for leases it is their ends that are moved, because a gateway
// asks PostgreSQL for the time when it renews.

const id = (text: string): ChargerId => text as ChargerId;
const cp1 = id('CP-1');
const hourMs = 3_600_000;
const leaseMs = 10 * hourMs;
const defaults: ClaimOptions = {
  gatewayId: 'gw',
  leaseMs,
  takeoversPerHourMax: 3,
  quarantineMs: 600_000,
};

/** A gateway as far as claims go. */
interface TestGateway {
  readonly store: Store;
  readonly claims: Claims;
}

let seeds = 0;

/** Starts gateways that live at the same time, the first on the store that is open already. */
async function startGateways(
  opened: TestStore,
  count: number,
  options: Partial<ClaimOptions> = {},
): Promise<readonly TestGateway[]> {
  const gateways: TestGateway[] = [];
  for (let index = 0; index < count; index += 1) {
    const store = index === 0 ? opened.store : await opened.openAnother();
    seeds += 1;
    const claims = new Claims(store, { ...defaults, ...options }, seededRandom(seeds));
    await claims.start();
    gateways.push({ store, claims });
  }
  // Where there can be one gateway, a start ends all others; but here they are to live.
  for (const { claims } of gateways) await claims.renew();
  return gateways;
}

async function startTwo(
  opened: TestStore,
  options: Partial<ClaimOptions> = {},
): Promise<readonly [TestGateway, TestGateway]> {
  const [first, second] = await startGateways(opened, 2, options);
  assert(first !== undefined && second !== undefined);
  return [first, second];
}

/** Opens all connections that a store may have, so that what comes next comes at once. */
const warmUp = (gateways: readonly TestGateway[]) =>
  Promise.all(
    gateways.flatMap(({ store }) =>
      Array.from({ length: 8 }, () => store.query((db) => latestRevision(db))),
    ),
  );

function taken(outcome: TakeOutcome): Claim {
  assert(outcome.is === 'taken', JSON.stringify(outcome));
  return outcome.claim;
}

const heldBy = ({ claims }: TestGateway, { epoch }: Claim): HeldClaim => ({
  epoch,
  incarnation: claims.incarnation,
});

const release = ({ claims, store }: TestGateway, ...ended: readonly Claim[]) =>
  store.transact((db) => claims.release(db, ended));

/** Lets `ms` pass for the lease of a gateway, and for nothing else. */
const ageLease = ({ claims, store }: TestGateway, ms: number) =>
  store.query((db) =>
    db
      .updateTable('gateway_lease')
      .set((update) => ({ expires_ms: update('expires_ms', '-', ms) }))
      .where('incarnation', '=', claims.incarnation)
      .execute(),
  );

const claimRow = async ({ store }: TestGateway) => {
  const [row] = await store.query((db) => db.selectFrom('claim').selectAll().execute());
  assert(row !== undefined);
  return row;
};

describeEachStore('claims', (open) => {
  test('of two gateways that claim one identity at the same moment, one gets it', async () => {
    await using opened = await open();
    const gateways = await startTwo(opened);
    await warmUp(gateways);
    const identities = Array.from({ length: 50 }, (_, index) => id(`CP-${index}`));
    const races = await Promise.all(
      identities.map((charger) => Promise.all(gateways.map(({ claims }) => claims.take(charger)))),
    );
    for (const outcomes of races) {
      const winner = outcomes.findIndex(({ is }) => is === 'taken');
      const loser = outcomes[1 - winner];
      assert(loser?.is === 'held', JSON.stringify(outcomes));
      const { incarnation } = gateways[winner]?.claims ?? {};
      assert.deepEqual(loser.by, { epoch: 1, incarnation });
    }
    const own = await Promise.all(gateways.map(({ claims }) => claims.own()));
    const all = own.flatMap((claims) => [...claims.keys()]);
    assert.deepEqual(all.sort(), identities.map((charger) => charger.toLowerCase()).sort());
  });

  test('of twenty claimants at once, in different spellings, one gets the identity', async () => {
    await using opened = await open();
    const gateways = await startGateways(opened, 4);
    await warmUp(gateways);
    for (let round = 1; round <= 5; round += 1) {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          gateways[index % 4]?.claims.take(id(index % 3 === 0 ? 'cp-1' : 'CP-1')),
        ),
      );
      const won = outcomes.flatMap((outcome) => (outcome?.is === 'taken' ? [outcome.claim] : []));
      assert.deepEqual(
        won.map(({ epoch }) => epoch),
        [round],
      );
      for (const gateway of gateways) await release(gateway, ...won);
    }
  });

  test('of twenty that take over one claim at once, one gets it', async () => {
    await using opened = await open();
    const gateways = await startGateways(opened, 4);
    const [first] = gateways;
    assert(first !== undefined);
    await warmUp(gateways);
    const older = heldBy(first, taken(await first.claims.take(cp1)));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        gateways[index % 4]?.claims.takeOver(cp1, older, false),
      ),
    );
    const won = outcomes.flatMap((outcome, index) =>
      outcome?.is === 'taken' ? [{ index, epoch: outcome.claim.epoch }] : [],
    );
    assert.deepEqual(
      won.map(({ epoch }) => epoch),
      [2],
    );
    const incarnation = gateways[(won[0]?.index ?? 0) % 4]?.claims.incarnation;
    for (const outcome of outcomes) {
      assert(outcome !== undefined);
      if (outcome.is === 'held') assert.deepEqual(outcome.by, { epoch: 2, incarnation });
    }
    assert.equal((await claimRow(first)).takeovers, 1);
  });

  test('of one that takes over and one that takes what was released, one gets it', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    await warmUp([first, second]);
    for (let round = 0; round < 20; round += 1) {
      const charger = id(`CP-${round}`);
      const claim = taken(await first.claims.take(charger));
      await release(first, claim);
      const outcomes = await Promise.all([
        first.claims.takeOver(charger, heldBy(first, claim), true),
        second.claims.take(charger),
      ]);
      assert.equal(outcomes.filter(({ is }) => is === 'taken').length, 1);
    }
  });

  test('the epoch rises with each claim, however it is made', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const one = taken(await first.claims.take(cp1));
    const two = taken(await second.claims.takeOver(cp1, heldBy(first, one), false));
    const three = taken(await second.claims.takeOver(cp1, heldBy(second, two), true));
    await release(second, three);
    const four = taken(await first.claims.take(id('cp-1')));
    await ageLease(first, leaseMs);
    const five = taken(await second.claims.take(cp1));
    assert.deepEqual(
      [one, two, three, four, five].map(({ charger, epoch }) => `${charger} ${epoch}`),
      ['CP-1 1', 'CP-1 2', 'CP-1 3', 'cp-1 4', 'CP-1 5'],
    );
  });

  test('D3: the late end of an old claim frees nothing', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const one = taken(await first.claims.take(cp1));
    const two = taken(await first.claims.takeOver(cp1, heldBy(first, one), false));
    await release(first, one);
    assert.deepEqual(await second.claims.take(cp1), { is: 'held', by: heldBy(first, two) });
    const three = taken(await second.claims.takeOver(cp1, heldBy(first, two), false));
    await release(first, one, two);
    // Nor does another gateway free it, were it to name the very epoch.
    await release(first, three);
    assert.deepEqual(await first.claims.take(cp1), { is: 'held', by: heldBy(second, three) });
    await release(second, three);
    assert.equal((await first.claims.take(cp1)).is, 'taken');
  });

  test('a release is part of the transaction that it is made in', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const claim = taken(await first.claims.take(cp1));
    const other = taken(await first.claims.take(id('CP-2')));
    const failing = first.store.transact(async (db) => {
      await first.claims.release(db, [claim, other]);
      throw new Error('no');
    });
    await assert.rejects(failing, /no/);
    assert.equal((await second.claims.take(cp1)).is, 'held');
    await release(first, claim, other);
    assert.equal((await second.claims.take(cp1)).is, 'taken');
    assert.equal((await second.claims.take(id('CP-2'))).is, 'taken');
  });

  test('a claim that is taken over is somebody else’s: the second taker of it is too late', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const older = heldBy(first, taken(await first.claims.take(cp1)));
    const two = taken(await second.claims.takeOver(cp1, older, false));
    const late = await first.claims.takeOver(cp1, older, false);
    assert.deepEqual(late, { is: 'held', by: heldBy(second, two) });
    assert.deepEqual(await first.claims.takeOver(id('CP-2'), older, true), {
      is: 'held',
      by: { epoch: 0, incarnation: '' },
    });
  });
});

describeEachStore('leases', (open, kind) => {
  test('a gateway that died holds its claims until its lease has run out', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const claim = taken(await first.claims.take(cp1));
    // Time stands still: however often somebody asks, it is held.
    for (let times = 0; times < 3; times += 1) {
      assert.deepEqual(await second.claims.take(cp1), { is: 'held', by: heldBy(first, claim) });
    }
    opened.clock.advance(leaseMs - 60_000);
    assert.equal((await second.claims.take(cp1)).is, 'held');
    opened.clock.advance(120_000);
    assert.equal(taken(await second.claims.take(cp1)).epoch, 2);
    await release(first, claim);
    assert.deepEqual([...(await second.claims.own())], [['cp-1', 2]]);
  });

  test('a lease ends at its moment and not before', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    taken(await first.claims.take(cp1));
    const expiresMs = second.store.nowMs() + 1000;
    await first.store.query((db) =>
      db.updateTable('gateway_lease').set({ expires_ms: expiresMs }).execute(),
    );
    opened.clock.advance(999);
    assert.equal((await second.claims.take(cp1)).is, 'held');
    opened.clock.advance(1);
    assert.equal((await second.claims.take(cp1)).is, 'taken');
  });

  test('a lease that is renewed in time holds', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    taken(await first.claims.take(cp1));
    for (let times = 0; times < 3; times += 1) {
      await ageLease(first, leaseMs - hourMs);
      assert.deepEqual(await first.claims.renew(), { hadLapsed: false });
    }
    assert.equal((await second.claims.take(cp1)).is, 'held');
  });

  test('a lease that is renewed too late says so, and holds what nobody has taken', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    taken(await first.claims.take(cp1));
    taken(await first.claims.take(id('CP-2')));
    await ageLease(first, leaseMs + hourMs);
    taken(await second.claims.take(cp1));
    assert.deepEqual(await first.claims.renew(), { hadLapsed: true });
    assert.deepEqual(await first.claims.renew(), { hadLapsed: false });
    assert.deepEqual([...(await first.claims.own())], [['cp-2', 1]]);
    assert.deepEqual([...(await second.claims.own())], [['cp-1', 2]]);
    assert.equal((await second.claims.take(id('CP-2'))).is, 'held');
  });

  test('a lease that was lost altogether is taken again', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    taken(await first.claims.take(cp1));
    await first.store.query((db) => db.deleteFrom('gateway_lease').execute());
    await second.claims.renew();
    assert.deepEqual(await first.claims.renew(), { hadLapsed: true });
    assert.equal((await second.claims.take(cp1)).is, 'held');
  });

  test('of two that take what a dead gateway held, one gets it', async () => {
    await using opened = await open();
    const gateways = await startGateways(opened, 3);
    const [dead, ...alive] = gateways;
    assert(dead !== undefined);
    const identities = Array.from({ length: 20 }, (_, index) => id(`CP-${index}`));
    for (const charger of identities) taken(await dead.claims.take(charger));
    await ageLease(dead, leaseMs + hourMs);
    await warmUp(alive);
    for (const charger of identities) {
      const outcomes = await Promise.all(alive.map(({ claims }) => claims.take(charger)));
      assert.deepEqual(outcomes.map(({ is }) => is).sort(), ['held', 'taken']);
    }
  });

  test('a gateway that stops frees all that it holds', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    taken(await first.claims.take(cp1));
    const others = taken(await second.claims.take(id('CP-2')));
    await first.claims.end();
    assert.equal(taken(await second.claims.take(cp1)).epoch, 2);
    assert.deepEqual(await first.claims.take(id('CP-2')), {
      is: 'held',
      by: heldBy(second, others),
    });
  });

  const isAlone = kind === 'sqlite';
  test(`a gateway that starts ${isAlone ? 'frees' : 'does not free'} what another one held`, async () => {
    await using opened = await open();
    const [crashed] = await startGateways(opened, 1);
    assert(crashed !== undefined);
    assert.equal(crashed.claims.isShared, !isAlone);
    taken(await crashed.claims.take(cp1));
    seeds += 1;
    const next = new Claims(await opened.openAnother(), defaults, seededRandom(seeds));
    await next.start();
    assert.equal((await next.take(cp1)).is, isAlone ? 'taken' : 'held');
  });

  test('what ended a day ago is forgotten when a gateway starts, and nothing else', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const { store } = first;
    const claim = taken(await first.claims.take(cp1));
    await second.claims.askWhetherAlive(cp1, heldBy(first, claim));
    await ageLease(first, leaseMs + 23 * hourMs);
    const start = async (): Promise<void> => {
      seeds += 1;
      await new Claims(await opened.openAnother(), defaults, seededRandom(seeds)).start();
    };
    const count = async (table: 'claim_notice' | 'gateway_lease', incarnation: string) => {
      const rows = await store.query((db) =>
        db.selectFrom(table).select('incarnation').where('incarnation', '=', incarnation).execute(),
      );
      return rows.length;
    };
    const { incarnation } = first.claims;
    await start();
    assert.equal(await count('gateway_lease', incarnation), isAlone ? 0 : 1);
    assert.equal(await count('claim_notice', incarnation), 1);
    await ageLease(first, 2 * hourMs);
    await store.query((db) =>
      db
        .updateTable('claim_notice')
        .set((update) => ({ at_ms: update('at_ms', '-', 25 * hourMs) }))
        .execute(),
    );
    await start();
    assert.equal(await count('gateway_lease', incarnation), 0);
    assert.equal(await count('claim_notice', incarnation), 0);
    assert.equal(await count('gateway_lease', second.claims.incarnation), isAlone ? 0 : 1);
  });
});

describeEachStore('take-overs', (open) => {
  /** Takes over what the gateway itself holds, again and again. */
  const flap = async (gateway: TestGateway, times: number): Promise<TakeOutcome> => {
    let outcome: TakeOutcome | undefined;
    for (let count = 0; count < times; count += 1) {
      const { epoch, incarnation } = await claimRow(gateway);
      const older = { epoch, incarnation: incarnation ?? '' };
      outcome = await gateway.claims.takeOver(cp1, older, false);
    }
    assert(outcome !== undefined);
    return outcome;
  };

  test('one beyond the limit of an hour quarantines the identity, and tells all gateways', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const { store } = first;
    taken(await first.claims.take(cp1));
    taken(await flap(first, 3));
    assert.equal(await first.claims.quarantinedUntilMs(cp1), undefined);
    const untilMs = store.nowMs() + defaults.quarantineMs;
    const reason = 'more than 3 take-overs in an hour';
    const last = { is: 'quarantined', untilMs, reason, isNew: true };
    assert.deepEqual(await flap(first, 1), last);

    // Nobody holds it, and nobody gets it.
    assert.deepEqual([...(await first.claims.own())], []);
    const refused = { ...last, isNew: false };
    assert.deepEqual(await first.claims.take(id('cp-1')), refused);
    assert.deepEqual(await second.claims.take(cp1), refused);
    const { epoch } = await claimRow(first);
    const older = { epoch, incarnation: first.claims.incarnation };
    assert.deepEqual(await second.claims.takeOver(cp1, older, true), refused);
    assert.equal(await second.claims.quarantinedUntilMs(id('cp-1')), untilMs);
    assert.equal(await second.claims.quarantinedUntilMs(id('CP-2')), undefined);
    const { changes } = await store.query((db) => changesSince(db, 0, 10));
    assert.deepEqual(
      changes.map(({ identityKey }) => identityKey),
      ['cp-1'],
    );
  });

  test('the quarantine ends by itself, and the count begins anew', async () => {
    await using opened = await open();
    const [first] = await startGateways(opened, 1);
    assert(first !== undefined);
    taken(await first.claims.take(cp1));
    assert.equal((await flap(first, 4)).is, 'quarantined');
    opened.clock.advance(defaults.quarantineMs - 1);
    assert.equal((await first.claims.take(cp1)).is, 'quarantined');
    assert.notEqual(await first.claims.quarantinedUntilMs(cp1), undefined);
    opened.clock.advance(1);
    assert.equal(await first.claims.quarantinedUntilMs(cp1), undefined);
    taken(await first.claims.take(cp1));
    taken(await flap(first, 3));
    assert.equal((await flap(first, 1)).is, 'quarantined');
  });

  test('they are counted for an hour from the first', async () => {
    await using opened = await open();
    const [first] = await startGateways(opened, 1);
    assert(first !== undefined);
    taken(await first.claims.take(cp1));
    opened.clock.advance(2 * hourMs);
    taken(await flap(first, 1));
    opened.clock.advance(hourMs - 1);
    taken(await flap(first, 2));
    assert.equal((await claimRow(first)).takeovers, 3);
    // The hour is over; those within it do not count for the next one.
    opened.clock.advance(1);
    taken(await flap(first, 3));
    assert.equal((await claimRow(first)).takeovers, 3);
    assert.equal((await flap(first, 1)).is, 'quarantined');
  });

  test('hand-overs, and claims of what is free, are not counted', async () => {
    await using opened = await open();
    const [first] = await startGateways(opened, 1);
    assert(first !== undefined);
    let claim = taken(await first.claims.take(cp1));
    for (let times = 0; times < 10; times += 1) {
      claim = taken(await first.claims.takeOver(cp1, heldBy(first, claim), true));
      await release(first, claim);
      claim = taken(await first.claims.take(cp1));
    }
    const { takeovers } = await claimRow(first);
    assert.deepEqual([claim.epoch, takeovers], [21, 0]);
  });

  test('a take-over that fails is not counted', async () => {
    await using opened = await open();
    const [first] = await startGateways(opened, 1);
    assert(first !== undefined);
    taken(await first.claims.take(cp1));
    const gone = { epoch: 7, incarnation: first.claims.incarnation };
    for (let times = 0; times < 10; times += 1) {
      assert.equal((await first.claims.takeOver(cp1, gone, false)).is, 'held');
    }
    assert.equal((await claimRow(first)).takeovers, 0);
  });
});

describeEachStore('notices', (open) => {
  test('a gateway is asked about its charger, says that it lives, and is not asked twice', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const claim = taken(await first.claims.take(cp1));
    const held = heldBy(first, claim);
    assert.deepEqual(await first.claims.takeNotices(), []);

    const askedAtMs = await second.claims.askWhetherAlive(cp1, held);
    assert.equal(await second.claims.answerSince(cp1, held, askedAtMs), 'none-yet');
    assert.deepEqual(await second.claims.takeNotices(), []);
    assert.deepEqual(await first.claims.takeNotices(), [
      { kind: 'probe', identityKey: 'cp-1', epoch: 1 },
    ]);
    assert.deepEqual(await first.claims.takeNotices(), []);

    opened.clock.advance(60_000);
    await first.claims.sayAlive('cp-1', 1);
    assert.equal(await second.claims.answerSince(cp1, held, askedAtMs), 'alive');
    assert.equal((await second.claims.take(cp1)).is, 'held');

    // That it lived then says nothing of now.
    opened.clock.advance(60_000);
    const askedAgainMs = await second.claims.askWhetherAlive(cp1, held);
    assert.equal(await second.claims.answerSince(cp1, held, askedAgainMs), 'none-yet');
    await release(first, claim);
    assert.equal(await second.claims.answerSince(cp1, held, askedAgainMs), 'gone');
  });

  test('a claim that was taken over meanwhile is gone, and its signs of life with it', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const one = taken(await first.claims.take(cp1));
    const askedAtMs = await second.claims.askWhetherAlive(cp1, heldBy(first, one));
    opened.clock.advance(1000);
    await first.claims.sayAlive('cp-1', 1);
    const two = taken(await first.claims.takeOver(cp1, heldBy(first, one), true));
    const answer = (claim: Claim) =>
      second.claims.answerSince(cp1, heldBy(first, claim), askedAtMs);
    assert.equal(await answer(one), 'gone');
    assert.equal(await answer(two), 'none-yet');
    // Two gateways do not agree on the time to the millisecond.
    opened.clock.advance(1000);
    // A sign of life of the old connection is none of the new one.
    await first.claims.sayAlive('cp-1', 1);
    assert.equal(await answer(two), 'none-yet');
    await first.claims.sayAlive('cp-1', 2);
    assert.equal(await answer(two), 'alive');
    await release(first, two);
    const three = taken(await first.claims.take(cp1));
    assert.equal(await answer(three), 'none-yet');
    assert.equal(await second.claims.answerSince(id('CP-2'), heldBy(first, one), 0), 'gone');
  });

  test('a gateway learns that its claim was taken over, but not what it did itself', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    const one = taken(await first.claims.take(cp1));
    const two = taken(await first.claims.takeOver(cp1, heldBy(first, one), false));
    assert.deepEqual(await first.claims.takeNotices(), []);
    taken(await second.claims.takeOver(cp1, heldBy(first, two), false));
    // It came too late, so it took nothing.
    await second.claims.takeOver(cp1, heldBy(first, two), false);
    assert.deepEqual(await first.claims.takeNotices(), [
      { kind: 'replaced', identityKey: 'cp-1', epoch: 2 },
    ]);
    assert.deepEqual(await second.claims.takeNotices(), []);
  });

  test('many notices come in parts, each of them once', async () => {
    await using opened = await open();
    const [first, second] = await startTwo(opened);
    for (let epoch = 0; epoch < 150; epoch += 1) {
      await second.claims.askWhetherAlive(cp1, { epoch, incarnation: first.claims.incarnation });
    }
    const parts = [];
    for (let times = 0; times < 3; times += 1) parts.push(await first.claims.takeNotices());
    assert.deepEqual(
      parts.map(({ length }) => length),
      [100, 50, 0],
    );
    assert.equal(new Set(parts.flat().map(({ epoch }) => epoch)).size, 150);
  });
});

describeEachStore('claims without a store', (open) => {
  test('say that it is away, and never that an identity is free or held', async () => {
    await using opened = await open();
    const [first] = await startGateways(opened, 1);
    assert(first !== undefined);
    const { claims, store } = first;
    const held = heldBy(first, taken(await claims.take(cp1)));
    await store.close();
    const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
      start: () => claims.start(),
      renew: () => claims.renew(),
      take: () => claims.take(cp1),
      takeOver: () => claims.takeOver(cp1, held, false),
      end: () => claims.end(),
      own: () => claims.own(),
      quarantinedUntilMs: () => claims.quarantinedUntilMs(cp1),
      askWhetherAlive: () => claims.askWhetherAlive(cp1, held),
      answerSince: () => claims.answerSince(cp1, held, 0),
      sayAlive: () => claims.sayAlive('cp-1', 1),
      takeNotices: () => claims.takeNotices(),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      await assert.rejects(
        attempt(),
        (error) => isStoreError(error) && error.failure === 'unavailable',
        name,
      );
    }
  });
});
