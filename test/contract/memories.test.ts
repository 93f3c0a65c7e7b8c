import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transaction } from 'kysely';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { type Claim, Claims } from '../../src/chargers/claims.ts';
import { Memories } from '../../src/chargers/memories.ts';
import { ChargerMemory } from '../../src/chargers/memory/charger-memory.ts';
import { addCharger, findCharger, removeCharger } from '../../src/chargers/registry.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { Queries, Store } from '../../src/store/store.ts';
import { isStoreError, StoreError } from '../../src/store/store-error.ts';
import type { Tables } from '../../src/store/tables.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { describeEachStore, type TestStore } from '../support/stores.ts';

// Goal: what was learned of a charger is there for its next connection, whether it is written yet or
// not; it is written soon, in few steps; and no failure loses it, writes it twice, or lets an older
// gateway overwrite a newer one.
// Method: memories that learn from messages, a clock that is moved by hand, and a release of claims,
// which is the last part of each write, that waits or fails where the test wants it.

const id = (text: string): ChargerId => text as ChargerId;
const cp1 = id('CP-1');
const soonMs = 100;
const eventuallyMs = 30_000;
const retryMs = 1000;

/** Real claims, whose release runs `onRelease` first: what that throws fails the whole write. */
class StagedClaims extends Claims {
  onRelease: (claims: readonly Claim[]) => Promise<void> | void = () => {};

  override async release(db: Queries, claims: readonly Claim[]): Promise<void> {
    await this.onRelease(claims);
    await super.release(db, claims);
  }
}

interface TestGateway {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly claims: StagedClaims;
  readonly memories: Memories;
  /** Epochs of claims of which the store knows that they are over. */
  readonly released: readonly string[];
  readonly defects: readonly unknown[];
  /** How many chargers were given up at the end, each time. */
  readonly lost: readonly number[];
  claim(charger?: ChargerId): Promise<Claim>;
}

let seeds = 0;

async function startGateway(opened: TestStore, store = opened.store): Promise<TestGateway> {
  seeds += 1;
  const options = {
    gatewayId: 'gw',
    leaseMs: 36_000_000,
    takeoversPerHourMax: 100,
    quarantineMs: 1000,
  };
  const claims = new StagedClaims(store, options, seededRandom(seeds));
  await claims.start();
  const released: string[] = [];
  const defects: unknown[] = [];
  const lost: number[] = [];
  const memories = new Memories(store, claims, opened.clock, {
    onReleased: ({ charger, epoch }) => released.push(`${charger} ${epoch}`),
    onLost: (count) => lost.push(count),
    onDefect: (error) => defects.push(error),
  });
  return {
    clock: opened.clock,
    store,
    claims,
    memories,
    released,
    defects,
    lost,
    claim: async (charger = cp1) => {
      const taken = await claims.take(charger);
      if (taken.is === 'taken') return taken.claim;
      assert(taken.is === 'held');
      const outcome = await claims.takeOver(charger, taken.by, true);
      assert(outcome.is === 'taken');
      return outcome.claim;
    },
  };
}

async function start(opened: TestStore, ...chargers: readonly ChargerId[]): Promise<TestGateway> {
  for (const charger of chargers) {
    await opened.store.transact((db) => addCharger(db, charger, {}, 1));
  }
  return startGateway(opened);
}

/** Questions to the store, within which all that a test waits for has happened. */
const attemptsMax = 20_000;

/** Resolves when `holds`. It asks the store in between, so that the store gets on. */
async function until(
  { store }: TestGateway,
  holds: () => Promise<boolean> | boolean,
): Promise<void> {
  for (let attempts = 0; !(await holds()); attempts += 1) {
    assert(attempts < attemptsMax, 'it does not come to that');
    await store.query((db) => db.selectFrom('counter').selectAll().execute()).catch(() => {});
    await new Promise(setImmediate);
  }
}

/** The same while time passes, a second at a time. */
const inTimeUntil = (
  gateway: TestGateway,
  holds: () => Promise<boolean> | boolean,
): Promise<void> =>
  until(gateway, async () => {
    if (await holds()) return true;
    gateway.clock.advance(retryMs);
    return false;
  });

const rowOf = (store: Store, charger = cp1) =>
  store.query((db) =>
    db
      .selectFrom('charger_memory')
      .selectAll()
      .where('identity_key', '=', charger.toLowerCase())
      .executeTakeFirst(),
  );

const transactionsOf = async (store: Store) => {
  const rows = await store.query((db) =>
    db
      .selectFrom('charger_transaction')
      .selectAll()
      .orderBy('identity_key')
      .orderBy('transaction_id')
      .execute(),
  );
  return rows.map((row) => `${row.identity_key} ${row.transaction_id} ${row.status}`);
};

const isHeld = async ({ store, claims }: TestGateway, charger = cp1) => {
  const row = await store.query((db) =>
    db
      .selectFrom('claim')
      .select('incarnation')
      .where('identity_key', '=', charger.toLowerCase())
      .executeTakeFirst(),
  );
  return row?.incarnation === claims.incarnation;
};

/** The charger says something about a transaction of its own. */
function learn(
  memory: ChargerMemory,
  transactionId: string,
  eventType: 'Started' | 'Updated' | 'Ended' = 'Started',
  atMs = 1000,
): void {
  memory.onCall({
    from: 'charger',
    version: 'ocpp2.0.1',
    id: 'x',
    action: 'TransactionEvent',
    payload: { eventType, transactionInfo: { transactionId } },
    atMs,
  });
}

/** The charger boots as `vendor`, and is accepted. */
function boots(memory: ChargerMemory, vendorName: string): void {
  memory.onCall({
    from: 'charger',
    version: 'ocpp2.0.1',
    id: 'boot',
    action: 'BootNotification',
    payload: { chargingStation: { vendorName, model: 'M' } },
    atMs: 1000,
  });
  const payload = { status: 'Accepted', interval: 60 };
  memory.onReply({ from: 'csms', callId: 'boot', result: { payload }, atMs: 1000 });
}

const away = (): never => {
  throw new StoreError('unavailable', 'away');
};

describeEachStore('what is known of a charger', (open) => {
  test('is nothing before it was there', async () => {
    await using opened = await open();
    const gateway = await start(opened);
    const memory = await gateway.memories.load(await gateway.claim());
    assert.equal(memory.boot.status, 'unknown');
    assert.equal(gateway.memories.unwrittenCount, 0);
  });

  test('C16: is there for the next connection before it is written, and after', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories, store } = gateway;
    const one = await gateway.claim();
    const memory = await memories.load(one);
    boots(memory, 'V');
    learn(memory, 't1');
    memories.changed(one, memory, 'soon');
    memories.ended(one, memory);

    // Not written: it is the same.
    const two = await gateway.claim(id('cp-1'));
    assert.equal(await memories.load(two), memory);
    assert.equal(await rowOf(store), undefined);
    learn(memory, 't2');
    memories.changed(two, memory, 'soon');
    memories.ended(two, memory);
    opened.clock.advance(0);
    await until(gateway, () => gateway.released.length === 1);
    assert.deepEqual(gateway.released, ['cp-1 2']);
    assert.equal(await isHeld(gateway), false);

    // Written: it says the same.
    const again = await memories.load(await gateway.claim());
    assert.notEqual(again, memory);
    assert.deepEqual(again.save(), memory.save());
    assert.deepEqual(again.view(), memory.view());
    assert.deepEqual([again.boot.status, again.ownsTransaction('t1')], ['Accepted', true]);
    assert.deepEqual(await transactionsOf(store), ['cp-1 t1 open', 'cp-1 t2 open']);
    const entry = await store.query((db) => findCharger(db, cp1));
    assert.equal(entry?.reported.vendor, 'V');
  });

  test('is there while it is being written', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const one = await gateway.claim();
    const memory = await gateway.memories.load(one);
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    gateway.claims.onRelease = () => {
      reached.resolve();
      return go.promise;
    };
    boots(memory, 'V');
    gateway.memories.changed(one, memory, 'soon');
    opened.clock.advance(soonMs);
    await reached.promise;
    assert.equal(gateway.memories.unwrittenCount, 0);
    assert.equal(await gateway.memories.load({ charger: cp1, epoch: 2 }), memory);
    // What changes meanwhile is written next.
    boots(memory, 'W');
    gateway.memories.changed(one, memory, 'soon');
    assert.equal(gateway.memories.unwrittenCount, 1);
    go.resolve();
    const reported = async () =>
      (await opened.store.query((db) => findCharger(db, cp1)))?.reported.vendor;
    await until(gateway, async () => (await reported()) === 'V');
    await inTimeUntil(gateway, async () => (await reported()) === 'W');
  });

  test('is there while it waits for later', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const claim = await gateway.claim();
    const memory = await gateway.memories.load(claim);
    gateway.memories.changed(claim, memory, 'eventually');
    assert.equal(await gateway.memories.load(claim), memory);
  });

  test('is not to be had without a store', async () => {
    await using opened = await open();
    const gateway = await start(opened);
    const claim = await gateway.claim();
    await opened.store.close();
    await assert.rejects(gateway.memories.load(claim), isStoreError);
    await assert.rejects(gateway.memories.otherOwners(cp1, 't'), isStoreError);
  });
});

describeEachStore('writing behind', (open) => {
  test('what is urgent gathers for 100 ms, the rest for 30 s, and none is nothing', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1, id('CP-2'), id('CP-3'));
    const { memories, store } = gateway;
    for (const [name, urgency] of [
      ['CP-1', 'soon'],
      ['CP-2', 'eventually'],
      ['CP-3', 'none'],
    ] as const) {
      const claim = await gateway.claim(id(name));
      memories.changed(claim, await memories.load(claim), urgency);
    }
    assert.equal(memories.unwrittenCount, 2);
    opened.clock.advance(soonMs - 1);
    assert.equal(memories.unwrittenCount, 2);
    opened.clock.advance(1);
    await until(gateway, async () => (await rowOf(store)) !== undefined);
    assert.equal(await rowOf(store, id('CP-2')), undefined);
    opened.clock.advance(eventuallyMs - soonMs - 1);
    assert.equal(memories.unwrittenCount, 1);
    opened.clock.advance(1);
    await until(gateway, async () => (await rowOf(store, id('CP-2'))) !== undefined);
    assert.equal(memories.unwrittenCount, 0);
    opened.clock.advance(eventuallyMs);
    assert.equal(await rowOf(store, id('CP-3')), undefined);
    assert.deepEqual(gateway.released, []);
    assert.equal(await isHeld(gateway), true);
  });

  test('an urgent change takes those with it that could wait', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories, store } = gateway;
    const claim = await gateway.claim();
    const memory = await memories.load(claim);
    memories.changed(claim, memory, 'eventually');
    memories.changed(claim, memory, 'soon');
    memories.changed(claim, memory, 'eventually');
    assert.equal(memories.unwrittenCount, 1);
    opened.clock.advance(soonMs);
    await until(gateway, async () => (await rowOf(store)) !== undefined);
    assert.equal(memories.unwrittenCount, 0);
  });

  test('a change that repeats does not put off the writing', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories, store } = gateway;
    const claim = await gateway.claim();
    const memory = await memories.load(claim);
    for (let times = 0; times < 10; times += 1) {
      memories.changed(claim, memory, 'eventually');
      opened.clock.advance(eventuallyMs / 10);
    }
    await until(gateway, async () => (await rowOf(store)) !== undefined);
    for (let times = 0; times < 10; times += 1) {
      learn(memory, 't');
      memories.changed(claim, memory, 'soon');
      opened.clock.advance(soonMs / 10);
    }
    await until(gateway, async () => (await transactionsOf(store)).length === 1);
  });

  test('many chargers are written sixteen at a time', async () => {
    await using opened = await open();
    const chargers = Array.from({ length: 40 }, (_, index) => id(`CP-${index}`));
    await opened.store.transact(async (db) => {
      for (const charger of chargers) await addCharger(db, charger, {}, 1);
    });
    const gateway = await startGateway(opened);
    const { memories } = gateway;
    const steps: number[] = [];
    gateway.claims.onRelease = (claims) => {
      steps.push(claims.length);
    };
    for (const charger of chargers) {
      const claim = { charger, epoch: 1 };
      const memory = await memories.load(claim);
      learn(memory, `t-${charger}`);
      memories.ended(claim, memory);
    }
    opened.clock.advance(0);
    await until(gateway, () => gateway.released.length === 40);
    assert.deepEqual(steps, [16, 16, 8]);
    assert.equal((await transactionsOf(opened.store)).length, 40);
  });

  test('a claim is released in the transaction of the last write, or not at all', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories, store } = gateway;
    const claim = await gateway.claim();
    const memory = await memories.load(claim);
    boots(memory, 'V');
    let failures = 0;
    gateway.claims.onRelease = () => {
      failures += 1;
      away();
    };
    memories.ended(claim, memory);
    opened.clock.advance(0);
    await until(gateway, () => failures === 1 && memories.unwrittenCount === 1);
    await inTimeUntil(gateway, () => failures >= 2 && memories.unwrittenCount === 1);
    gateway.claims.onRelease = () => {};
    opened.clock.advance(500);
    assert.deepEqual([await rowOf(store), await isHeld(gateway)], [undefined, true]);
    assert.deepEqual(gateway.released, []);
    await inTimeUntil(gateway, () => gateway.released.length === 1);
    assert.equal((await rowOf(store))?.epoch, 1);
    assert.equal(await isHeld(gateway), false);
    assert.deepEqual(gateway.defects, []);
  });

  test('a connection that ended before anything was loaded leaves only its claim', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const claim = await gateway.claim();
    gateway.memories.ended(claim, undefined);
    opened.clock.advance(0);
    await until(gateway, () => gateway.released.length === 1);
    assert.equal(await rowOf(opened.store), undefined);
    assert.equal(await isHeld(gateway), false);
  });

  test('closing writes everything, releases what has ended, and rests', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1, id('CP-2'), id('CP-3'));
    const { memories, store } = gateway;
    for (const [name, urgency] of [
      ['CP-1', 'soon'],
      ['CP-2', 'eventually'],
    ] as const) {
      const claim = await gateway.claim(id(name));
      memories.changed(claim, await memories.load(claim), urgency);
    }
    const last = await gateway.claim(id('CP-3'));
    memories.ended(last, await memories.load(last));
    await memories.close();
    for (const name of ['CP-1', 'CP-2', 'CP-3']) {
      assert.equal((await rowOf(store, id(name)))?.epoch, 1, name);
    }
    assert.deepEqual(gateway.released, ['CP-3 1']);
    assert.equal(memories.unwrittenCount, 0);
    opened.clock.advance(eventuallyMs);
    assert.equal(memories.unwrittenCount, 0);
  });

  test('closing waits for what is being written, and gives up after some attempts', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories } = gateway;
    const claim = await gateway.claim();
    const memory = await memories.load(claim);
    let attempts = 0;
    gateway.claims.onRelease = () => {
      attempts += 1;
      away();
    };
    memories.changed(claim, memory, 'soon');
    opened.clock.advance(soonMs);
    let isClosed = false;
    const closing = memories.close().then(() => {
      isClosed = true;
    });
    // Between attempts it waits for longer than the store rests after a failure.
    for (let turns = 0; turns < 10_000 && !isClosed; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      opened.clock.advance(1);
    }
    await closing;
    assert.equal(memories.unwrittenCount, 1);
    assert(attempts > 1);
    assert.deepEqual(gateway.lost, [1]);
  });
});

describeEachStore('a store that fails', (open) => {
  test('loses no transaction and writes none in an older state', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories, store } = gateway;
    const claim = await gateway.claim();
    const memory = await memories.load(claim);
    let failures = 0;
    gateway.claims.onRelease = () => {
      failures += 1;
      away();
    };
    learn(memory, 'a');
    learn(memory, 'b');
    memories.changed(claim, memory, 'soon');
    opened.clock.advance(soonMs);
    await until(gateway, () => failures === 1 && memories.unwrittenCount === 1);
    learn(memory, 'a', 'Ended', 2000);
    learn(memory, 'c');
    memories.changed(claim, memory, 'soon');
    await inTimeUntil(gateway, () => failures >= 2 && memories.unwrittenCount === 1);
    opened.clock.advance(500);
    assert.deepEqual(await transactionsOf(store), []);
    const before = failures;

    // The failing write may overlap with a change, too.
    gateway.claims.onRelease = () => {
      failures += 1;
      learn(memory, 'b', 'Ended', 3000);
      memories.changed(claim, memory, 'soon');
      away();
    };
    await inTimeUntil(gateway, () => failures > before);
    gateway.claims.onRelease = () => {};
    await inTimeUntil(
      gateway,
      async () => (await transactionsOf(store).catch(() => [])).length > 0,
    );
    assert.deepEqual(await transactionsOf(store), ['cp-1 a ended', 'cp-1 b ended', 'cp-1 c open']);
    assert.deepEqual(memory.takeTransactions(), []);
    assert.equal(memories.unwrittenCount, 0);
  });

  test('is left alone for a second, and then gets everything', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1, id('CP-2'));
    const { memories, store } = gateway;
    let attempts = 0;
    gateway.claims.onRelease = () => {
      attempts += 1;
      away();
    };
    for (const name of ['CP-1', 'CP-2']) {
      const claim = await gateway.claim(id(name));
      memories.changed(claim, await memories.load(claim), 'soon');
    }
    opened.clock.advance(soonMs);
    await until(gateway, () => attempts === 1 && memories.unwrittenCount === 2);
    assert.equal(store.isAvailable, false);
    await new Promise(setImmediate);
    const { transact } = store;
    let asked = 0;
    store.transact = <T>(ask: (db: Transaction<Tables>) => Promise<T>): Promise<T> => {
      asked += 1;
      // `call` forgets that the result is of the type of the question.
      return transact.call(store, ask) as Promise<T>;
    };
    opened.clock.advance(retryMs - 1);
    await new Promise(setImmediate);
    assert.deepEqual([attempts, asked], [1, 0]);
    gateway.claims.onRelease = () => {};
    await inTimeUntil(
      gateway,
      async () => (await rowOf(store).catch(() => undefined)) !== undefined,
    );
    assert.equal((await rowOf(store, id('CP-2')))?.epoch, 1);
    assert.deepEqual(gateway.defects, []);
  });

  test('keeps what a newer connection has learned on its own', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories, store } = gateway;
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    gateway.claims.onRelease = async () => {
      reached.resolve();
      await go.promise;
      away();
    };
    // The first connection ended before anything was loaded, and its release fails.
    memories.ended(await gateway.claim(), undefined);
    opened.clock.advance(0);
    await reached.promise;
    const two: Claim = { charger: cp1, epoch: 2 };
    const memory = new ChargerMemory();
    learn(memory, 't');
    memories.changed(two, memory, 'eventually');
    go.resolve();
    gateway.claims.onRelease = () => {};
    await inTimeUntil(
      gateway,
      async () => (await rowOf(store).catch(() => undefined)) !== undefined,
    );
    assert.deepEqual(await transactionsOf(store), ['cp-1 t open']);
    assert.equal((await rowOf(store))?.epoch, 2);
  });
});

describeEachStore('an older connection that ends late', (open) => {
  test('takes nothing from what the newer one is about to write', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories, store } = gateway;
    const one = await gateway.claim();
    const two = await gateway.claim();
    const memory = new ChargerMemory();
    learn(memory, 't');
    memories.changed(two, memory, 'soon');
    memories.ended(one, new ChargerMemory());
    await inTimeUntil(gateway, async () => (await rowOf(store)) !== undefined);
    assert.equal((await rowOf(store))?.epoch, 2);
    assert.deepEqual(await transactionsOf(store), ['cp-1 t open']);
    assert.deepEqual([gateway.released, await isHeld(gateway)], [[], true]);
  });
});

describeEachStore('a charger that cannot be written', (open) => {
  test('does not keep the others from it, and is released all the same', async () => {
    await using opened = await open();
    const chargers = ['CP-1', 'CP-2', 'CP-3', 'CP-4'].map(id);
    const gateway = await start(opened, ...chargers);
    const { memories, store } = gateway;
    for (const charger of chargers) {
      const claim = await gateway.claim(charger);
      const memory = await memories.load(claim);
      learn(memory, `t-${charger}`);
      if (charger === 'CP-2') {
        memory.save = () => ({ document: undefined as unknown as string, variables: '' });
      }
      memories.ended(claim, memory);
    }
    opened.clock.advance(0);
    await inTimeUntil(gateway, () => gateway.released.length === 4);
    assert.deepEqual([...gateway.released].sort(), ['CP-1 1', 'CP-2 1', 'CP-3 1', 'CP-4 1']);
    assert.equal(await rowOf(store, id('CP-2')), undefined);
    for (const name of ['CP-1', 'CP-3', 'CP-4']) {
      assert.equal((await rowOf(store, id(name)))?.epoch, 1, name);
    }
    assert.deepEqual(await transactionsOf(store), [
      'cp-1 t-cp-1 open',
      'cp-3 t-cp-3 open',
      'cp-4 t-cp-4 open',
    ]);
    // Once with the others, and once alone.
    assert.equal(gateway.defects.length, 2);
    assert.equal(memories.unwrittenCount, 0);
    assert.equal(store.isAvailable, true);
  });

  test('and not even released is given up, and reported', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1, id('CP-2'));
    gateway.claims.onRelease = (claims) => {
      if (claims.some(({ charger }) => charger === cp1)) throw new TypeError('broken');
    };
    for (const name of ['CP-1', 'CP-2']) {
      const claim = await gateway.claim(id(name));
      gateway.memories.ended(claim, await gateway.memories.load(claim));
    }
    await inTimeUntil(
      gateway,
      () => gateway.memories.unwrittenCount === 0 && gateway.released.length === 1,
    );
    await gateway.memories.close();
    assert.deepEqual(gateway.released, ['CP-2 1']);
    assert(gateway.defects.every((error) => error instanceof TypeError));
  });
});

describeEachStore('two gateways that write one charger', (open) => {
  test('an older epoch never overwrites a newer one', async () => {
    await using opened = await open();
    const older = await start(opened, cp1);
    const newer = await startGateway(opened, await opened.openAnother());
    const one = await older.claim();
    const cutOff = await older.memories.load(one);
    boots(cutOff, 'Older');
    learn(cutOff, 'own', 'Started', 1000);
    learn(cutOff, 'lost', 'Started', 1000);

    const two = await newer.claim();
    assert.equal(two.epoch, 2);
    const current = await newer.memories.load(two);
    boots(current, 'Newer');
    learn(current, 'own', 'Ended', 2000);
    newer.memories.ended(two, current);
    opened.clock.advance(0);
    await until(newer, () => newer.released.length === 1);
    const written = await rowOf(opened.store);
    assert.equal(written?.epoch, 2);

    older.memories.ended(one, cutOff);
    opened.clock.advance(0);
    await until(older, () => older.released.length === 1);
    assert.deepEqual(await rowOf(opened.store), written);
    // What has ended stays ended; what nobody else has seen is still good to know.
    assert.deepEqual(await transactionsOf(opened.store), ['cp-1 lost open', 'cp-1 own ended']);
    // Its claim was over long ago: the late end has not ended another.
    const three = await newer.claims.take(cp1);
    assert(three.is === 'taken' && three.claim.epoch === 3);
  });

  test('the same epoch is written again and again', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const claim = await gateway.claim();
    const memory = await gateway.memories.load(claim);
    const documents = new Set<string | undefined>();
    for (const vendor of ['V', 'W', 'X']) {
      boots(memory, vendor);
      gateway.memories.changed(claim, memory, 'soon');
      const isWritten = async () =>
        (await rowOf(opened.store))?.document.includes(`"${vendor}"`) === true;
      await inTimeUntil(gateway, isWritten);
      documents.add((await rowOf(opened.store))?.document);
    }
    assert.equal(documents.size, 3);
  });

  test('a transaction whose id is given again is the newer one', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const started = (memory: ChargerMemory, atMs: number): void => {
      const call = { from: 'charger', version: 'ocpp1.6', id: 's', atMs } as const;
      memory.onCall({ ...call, action: 'StartTransaction', payload: { connectorId: 1 } });
      const payload = { transactionId: 7 };
      memory.onReply({ from: 'csms', callId: 's', result: { payload }, atMs });
    };
    const write = async (memory: ChargerMemory, expected: string): Promise<void> => {
      gateway.memories.changed(claim, memory, 'soon');
      const isWritten = async () => (await transactionsOf(opened.store)).join() === expected;
      await inTimeUntil(gateway, isWritten);
    };
    const claim = await gateway.claim();
    const memory = await gateway.memories.load(claim);
    started(memory, 1000);
    await write(memory, 'cp-1 7 open');
    const stop = { from: 'charger', version: 'ocpp1.6', id: 'e', atMs: 2000 } as const;
    memory.onCall({ ...stop, action: 'StopTransaction', payload: { transactionId: 7 } });
    await write(memory, 'cp-1 7 ended');
    // What is learned of its end later is written as well.
    const remote = { from: 'csms', version: 'ocpp1.6', id: 'r', atMs: 1500 } as const;
    const payload = { transactionId: 7 };
    memory.onCall({ ...remote, action: 'RemoteStopTransaction', payload });
    const result = { payload: { status: 'Accepted' } };
    memory.onReply({ from: 'charger', callId: 'r', result, atMs: 2500 });
    gateway.memories.changed(claim, memory, 'soon');
    const document = async () => {
      const query = (db: Queries) =>
        db.selectFrom('charger_transaction').select('document').executeTakeFirstOrThrow();
      return (await opened.store.query(query)).document;
    };
    await inTimeUntil(gateway, async () => (await document()).includes('"stopAcceptedAtMs":2500'));
    started(memory, 3000);
    await write(memory, 'cp-1 7 open');
  });
});

describeEachStore('other owners of a transaction', (open, kind) => {
  /** The store has these. */
  const has = (store: Store, ...owned: readonly (readonly [string, string])[]) =>
    store.query((db) =>
      db
        .insertInto('charger_transaction')
        .values(
          owned.map(([identity_key, transaction_id]) => ({
            identity_key,
            transaction_id,
            status: 'open',
            started_ms: 1,
            ended_ms: null,
            document: '{}',
          })),
        )
        .execute(),
    );

  test('are those of the store, but never the charger itself', async () => {
    await using opened = await open();
    const { memories, store } = await start(opened);
    assert.deepEqual(await memories.otherOwners(cp1, 't'), []);
    await has(store, ['cp-2', 't']);
    assert.deepEqual(await memories.otherOwners(cp1, 't'), ['cp-2']);
    assert.deepEqual(await memories.otherOwners(id('cp-2'), 't'), []);
    assert.deepEqual(await memories.otherOwners(cp1, 'tt'), []);
    await has(store, ['cp-3', 't'], ['cp-4', 't']);
    assert.equal((await memories.otherOwners(cp1, 't')).length, 2, 'more than one is enough');
  });

  test('a charger that had it as well, long ago, has no others', async () => {
    await using opened = await open();
    const { memories, store } = await start(opened);
    for (const name of ['cp-0', 'cp-1', 'cp-2', 'cp-3']) await has(store, [name, '7']);
    assert.deepEqual(await memories.otherOwners(cp1, '7'), []);
    assert.equal((await memories.otherOwners(id('CP-9'), '7')).length, 2);
  });

  test('are those whose transaction is open or has ended lately; its own is so for ever', async () => {
    await using opened = await open();
    const { memories, store } = await start(opened);
    await has(store, ['cp-2', 't']);
    const ended = (endedMs: number) =>
      store.query((db) =>
        db.updateTable('charger_transaction').set({ status: 'ended', ended_ms: endedMs }).execute(),
      );
    await ended(store.nowMs());
    assert.deepEqual(await memories.otherOwners(cp1, 't'), ['cp-2']);
    opened.clock.advance(10 * 365 * 86_400_000);
    assert.deepEqual(await memories.otherOwners(cp1, 't'), []);
    // The charger of that transaction may speak of it still, whoever else has the id now.
    await has(store, ['cp-3', 't']);
    assert.deepEqual(await memories.otherOwners(id('CP-2'), 't'), []);
    assert.deepEqual(await memories.otherOwners(cp1, 't'), ['cp-3']);
  });

  test('T2-20: another spelling of an id is the same id', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1, id('CP-2'));
    const { memories } = gateway;
    const claim = await gateway.claim(id('CP-2'));
    const memory = await memories.load(claim);
    const uuid = '6F9619FF-8B86-D011-B42D-00CF4FC964FF';
    learn(memory, uuid);
    memories.changed(claim, memory, 'soon');
    const spellings = [uuid, uuid.toLowerCase(), ` ${uuid} `];
    for (const spelling of spellings) {
      assert.deepEqual(await memories.otherOwners(cp1, spelling), ['cp-2'], 'not written yet');
      assert.equal(memory.ownsTransaction(spelling), true);
    }
    await memories.close();
    for (const spelling of spellings) {
      assert.deepEqual(await memories.otherOwners(cp1, spelling), ['cp-2']);
    }
  });

  test('an id that no database can hold belongs to nobody', async () => {
    await using opened = await open();
    const { memories } = await start(opened);
    assert.deepEqual(await memories.otherOwners(cp1, 'a\0b'), []);
    assert.deepEqual(await memories.otherOwners(cp1, "'; drop table claim; --"), []);
  });

  test('are those that are not written yet as well, wherever they wait', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1, id('CP-2'), id('CP-3'), id('CP-4'));
    const { memories } = gateway;
    const loaded = new Map<string, readonly [Claim, ChargerMemory]>();
    for (const name of ['CP-2', 'CP-3', 'CP-4']) {
      const claim = await gateway.claim(id(name));
      loaded.set(name, [claim, await memories.load(claim)]);
    }
    const change = (name: string, urgency: 'soon' | 'eventually'): void => {
      const [claim, memory] = loaded.get(name) ?? assert.fail();
      learn(memory, 't');
      memories.changed(claim, memory, urgency);
    };
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    gateway.claims.onRelease = () => {
      reached.resolve();
      return go.promise;
    };
    change('CP-2', 'soon');
    assert.deepEqual(await memories.otherOwners(cp1, 't'), ['cp-2']);
    assert.deepEqual(await memories.otherOwners(id('CP-2'), 't'), []);
    opened.clock.advance(soonMs);
    await reached.promise;
    change('CP-3', 'eventually');
    change('CP-4', 'soon');
    // SQLite answers when the writing is over; then the store has the first.
    const asked = memories.otherOwners(cp1, 't');
    if (kind === 'postgres') assert.deepEqual([...(await asked)].sort(), ['cp-2', 'cp-3', 'cp-4']);
    go.resolve();
    assert.deepEqual([...(await asked)].sort(), ['cp-2', 'cp-3', 'cp-4']);
    await memories.close();
    assert.equal((await transactionsOf(opened.store)).length, 3);
  });
});

describeEachStore('a charger that an operator removes', (open) => {
  test('is not written down again by the gateway that still has it', async () => {
    await using opened = await open();
    const gateway = await start(opened, cp1);
    const { memories, store } = gateway;
    const claim = await gateway.claim();
    const memory = await memories.load(claim);
    boots(memory, 'V');
    memories.changed(claim, memory, 'soon');
    opened.clock.advance(soonMs);
    await until(gateway, async () => (await rowOf(store)) !== undefined);
    await store.transact((db) => removeCharger(db, cp1, 1));
    assert.equal(await rowOf(store), undefined);
    boots(memory, 'W');
    memories.ended(claim, memory);
    opened.clock.advance(0);
    await inTimeUntil(gateway, () => gateway.released.length === 1);
    assert.equal(await rowOf(store), undefined);
    assert.equal(await store.query((db) => findCharger(db, cp1)), undefined);
    const next = await memories.load(await gateway.claim());
    assert.equal(next.boot.status, 'unknown');
  });
});
