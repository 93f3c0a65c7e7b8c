import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { type FallibleStore, openFallibleStore } from '../support/fallible-store.ts';
import {
  limit,
  moving,
  RampBench,
  rampOptions,
  start,
  stop,
  type TestGateway,
} from '../support/ramp-bench.ts';
import { overfullWindows } from '../support/ramp-windows.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: while nobody can know what the budgets have left, a car can be stopped and nothing else
// happens; and nothing of what was agreed before is lost, nor sent twice.
// Method: a real store on SQLite that fails when the test says so; and for what depends on the order
// of transactions, a store that waits before one of them, on both databases.

const away = new StoreError('unavailable', 'away');
/** The store is left alone for a moment after it has failed. */
const restMs = 600;

async function onFallible(
  changes: Parameters<typeof rampOptions>[0] = {},
  grid: Parameters<typeof rampOptions>[1] = {},
): Promise<{
  readonly fallible: FallibleStore;
  readonly bench: RampBench;
  readonly gateway: TestGateway;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const fallible = await openFallibleStore();
  const bench = new RampBench(fallible, rampOptions(changes, grid));
  const gateway = await bench.start();
  return { fallible, bench, gateway, [Symbol.asyncDispose]: () => fallible[Symbol.asyncDispose]() };
}

describe('while the store is away', () => {
  test('one stop passes in each interval and feeder, and everything else is refused', async () => {
    await using on = await onFallible();
    const { bench, fallible, gateway } = on;
    const [one, other] = await gateway.connectMany(2);
    fallible.failure = away;
    assert.equal(await one?.does(start('1')), 'refused RAMP_UNKNOWN');
    assert.equal(await one?.does(limit('2')), 'refused RAMP_UNKNOWN');
    assert.equal(await one?.does(stop('3')), 'pass');
    assert.equal(await other?.does(stop('4')), 'refused RAMP_UNKNOWN');
    await bench.pass(9999);
    assert.equal(await other?.does(stop('5')), 'refused RAMP_UNKNOWN');
    await bench.pass(1);
    assert.equal(await other?.does(stop('6')), 'pass');
    assert.deepEqual(
      gateway.eventsOf('LoadCommandRefused').map(({ code }) => code),
      ['RAMP_UNKNOWN', 'RAMP_UNKNOWN', 'RAMP_UNKNOWN', 'RAMP_UNKNOWN'],
    );
  });

  test('stops keep to the budget in kilowatts and its ceiling', async () => {
    const budget = { commandsMilli: undefined, upW: undefined, downW: 10_000 };
    const ceiling = { ...budget, downW: 30_000 };
    await using on = await onFallible({}, { unassigned: { budget, ceiling } });
    const { bench, fallible, gateway } = on;
    const [one] = await gateway.connectMany(1);
    fallible.failure = away;
    const fall = (name: string, downW: number) => moving(stop(name), { downW, commandsMilli: 100 });
    assert.equal(await one?.does(fall('1', 30_001)), 'refused RAMP_UNKNOWN');
    assert.equal(await one?.does(fall('2', 6000)), 'pass');
    assert.equal(await one?.does(fall('3', 6000)), 'refused RAMP_UNKNOWN');
    assert.equal(await one?.does(fall('4', 4000)), 'pass');
    await bench.pass(10_000);
    // A single one that is larger than the budget goes alone, as ever.
    assert.equal(await one?.does(fall('5', 30_000)), 'pass');
  });

  test('what passed is in the ledger when it is back, once, and counts', async () => {
    await using on = await onFallible();
    const { bench, fallible, gateway } = on;
    const [one, other] = await gateway.connectMany(2);
    fallible.failure = away;
    assert.equal(await one?.does(stop('1')), 'pass');
    fallible.failure = undefined;
    await bench.pass(restMs);
    assert.equal(await other?.does(start('2')), 'pass');
    assert.equal(await other?.does(start('3')), 'open');
    await bench.pass(60_000);
    const entries = (await bench.entries()).map(({ at_ms, identity_key }) => {
      return `${identity_key} ${(at_ms - fallible.clock.nowMs() + fallible.clock.elapsedMs()) / 1000}`;
    });
    assert.deepEqual(entries, ['cp-1 0', 'cp-2 0.6', 'cp-2 10']);
  });

  test('what passed counts as well when writing it down fails at first', async () => {
    await using on = await onFallible();
    const { bench, fallible, gateway } = on;
    const [one, other] = await gateway.connectMany(2);
    fallible.failure = away;
    assert.equal(await one?.does(stop('1')), 'pass');
    // Queries are answered again, but what they have written is lost at the end.
    fallible.failure = undefined;
    await bench.pass(restMs);
    const { store } = bench;
    const commit = store.transact.bind(store);
    store.transact = (ask) =>
      commit(async (db) => {
        await ask(db);
        throw away;
      });
    assert.equal(await other?.does(stop('2')), 'refused RAMP_UNKNOWN');
    await bench.pass(restMs);
    assert.equal(await other?.does(stop('3')), 'refused RAMP_UNKNOWN');
    store.transact = commit;
    await bench.pass(restMs);
    assert.equal(await other?.does(stop('4')), 'pass');
    assert.equal(await other?.does(stop('5')), 'open');
    await bench.pass(60_000);
    const counted = (await bench.entries()).map(({ identity_key }) => identity_key);
    assert.deepEqual(counted, ['cp-1', 'cp-2', 'cp-2']);
  });

  test('a gateway that only watches passes everything', async () => {
    await using on = await onFallible({ mode: 'monitor' });
    const { fallible, gateway } = on;
    const [one] = await gateway.connectMany(1);
    fallible.failure = away;
    for (const name of ['1', '2']) assert.equal(await one?.does(start(name)), 'pass');
  });

  test('whoever waits goes on waiting, and is released when it is back', async () => {
    await using on = await onFallible({ reply: 'immediate' });
    const { bench, fallible, gateway } = on;
    const chargers = await gateway.connectMany(6);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    fallible.failure = away;
    await bench.pass(25_000);
    assert.equal(bench.sent.length, 2);
    fallible.failure = undefined;
    await bench.pass(30_000);
    assert.deepEqual(bench.sent, ['1', '2', '3', '4', '5', '6']);
    assert.deepEqual(overfullWindows(bench.options.feeders.unassigned, moved(bench)), []);
  });

  test('what a new connection waits for is not given up with the old one', async () => {
    await using on = await onFallible();
    const { bench, fallible, gateway } = on;
    const chargers = await gateway.connectMany(3);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    const third = chargers[2];
    assert(third !== undefined);
    fallible.failure = away;
    gateway.limiter.disconnect(third);
    await bench.settle();
    fallible.failure = undefined;
    await bench.pass(restMs);
    const again = await gateway.connect(third.charger);
    assert.equal(await again.does(start('4')), 'open');
    await bench.pass(30_000);
    assert.deepEqual(bench.log('release'), ['release 4 10']);
    assert.deepEqual(await bench.commands(), []);
  });

  test('nobody is told that a command is stored when it may not be', async () => {
    await using on = await onFallible({ reply: 'immediate' });
    const { bench, fallible, gateway } = on;
    const [one] = await gateway.connectMany(1);
    const { store } = bench;
    const durably = store.transactDurably.bind(store);
    store.transactDurably = () => {
      fallible.failure = away;
      return durably(async () => {
        throw away;
      }) as Promise<never>;
    };
    assert.equal(await one?.does(start('1')), 'refused RAMP_UNKNOWN');
    store.transactDurably = durably;
    fallible.failure = undefined;
    await bench.pass(60_000);
    assert.deepEqual(bench.sent, []);
    assert.deepEqual(await bench.commands(), []);
    assert.equal(await one?.does(start('2')), 'answered');
  });

  for (const outcome of ['as-told', 'unsent', 'refused', 'unanswered'] as const) {
    test(`that a command came out as ${outcome} is noted when it is back`, async () => {
      await using on = await onFallible({ reply: 'immediate' });
      const { bench, fallible, gateway } = on;
      const [one] = await gateway.connectMany(1, { outcome: undefined });
      await one?.does(start('1'));
      const [{ command } = { command: undefined }] = bench.told.filter(
        ({ is }) => is === 'release',
      );
      assert(command !== undefined);
      fallible.failure = away;
      gateway.limiter.settle(command, outcome);
      await bench.pass(5000);
      assert.equal(gateway.eventsOf('LoadCommandReconciled').length, 0);
      fallible.failure = undefined;
      await bench.pass(20_000);
      const sent = outcome === 'unsent' ? ['1', '1'] : ['1'];
      assert.deepEqual(bench.sent, sent);
      assert.deepEqual(
        (await bench.commands()).map(({ state }) => state),
        outcome === 'unsent' ? ['sent'] : [],
      );
    });
  }

  test('T1-01: a slow store does not make two windows of one', async () => {
    // What was decided when the window was full is not sent when the next one is.
    await using on = await onFallible();
    const { bench, fallible, gateway } = on;
    const chargers = await gateway.connectMany(4);
    const asked = chargers.slice(0, 2).map((charger, index) => charger.ask(start(`${index}`)));
    const gate = Promise.withResolvers<void>();
    fallible.gate = gate.promise;
    bench.clock.advance(9900);
    gate.resolve();
    fallible.gate = undefined;
    await Promise.all(asked);
    await bench.settle();
    await bench.pass(100);
    for (const [index, charger] of chargers.slice(2).entries())
      await charger.does(start(`+${index}`));
    await bench.pass(30_000);
    assert.deepEqual(overfullWindows(bench.options.feeders.unassigned, moved(bench)), []);
  });
});

const moved = (bench: RampBench) => bench.moved.get('unassigned') ?? [];

describeEachStore('between two transactions of a ramp limiter', (open) => {
  /** Makes the next durable transaction wait. @returns how to let it go on. */
  const holdDurably = (store: Store): { readonly reached: Promise<void>; go(): void } => {
    const durably = store.transactDurably.bind(store);
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    store.transactDurably = async (ask) => {
      store.transactDurably = durably;
      reached.resolve();
      await gate.promise;
      return durably(ask);
    };
    return { reached: reached.promise, go: () => gate.resolve() };
  };

  test('a newer command does not overtake one that is about to be sent', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions({ openMs: 5000 }));
    const gateway = await bench.start();
    const [one, two, three] = await gateway.connectMany(3);
    await two?.does(start('1'));
    await three?.does(start('2'));
    assert.equal(await one?.does(start('start')), 'answered');
    bench.clock.advance(9999);
    await bench.settle();
    const held = holdDurably(bench.store);
    bench.clock.advance(1);
    // SQLite makes sure that what is sent is not sent again; PostgreSQL needs not.
    if (bench.store.kind === 'sqlite') await held.reached;
    const asked = one?.ask(stop('stop'));
    for (let turns = 0; turns < 50; turns += 1) {
      await bench.store.query((db) => db.selectFrom('counter').selectAll().execute());
    }
    held.go();
    await asked;
    await bench.pass(30_000);
    assert.deepEqual(bench.sent, ['1', '2', 'start', 'stop']);
  });

  test('what was answered is sent only when it is noted for good that it was', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions({ openMs: 5000 }));
    const gateway = await bench.start();
    const [one, two, three, four] = await gateway.connectMany(4);
    await two?.does(start('1'));
    await three?.does(start('2'));
    assert.equal(await one?.does(start('3')), 'answered');
    const { store } = bench;
    const order: string[] = [];
    const durably = store.transactDurably.bind(store);
    store.transactDurably = async (ask) => {
      const result = await durably(ask);
      order.push(`durable, ${bench.sent.length} sent`);
      return result;
    };
    // The request of another charger finds that it is its turn, before any look does.
    await bench.pass(9999);
    order.length = 0;
    opened.clock.advance(0.5);
    const asked = four?.ask(stop('4'));
    opened.clock.advance(0.5);
    await asked;
    await bench.settle();
    assert.ok(bench.sent.includes('3'), bench.sent.join());
    if (store.kind === 'sqlite') assert.equal(order[0], 'durable, 2 sent');
  });

  test('what was answered is kept for a charger that leaves when it is about to be sent', async () => {
    await using opened = await open();
    // PostgreSQL leaves no time between the two.
    if (opened.store.kind === 'postgres') return;
    const bench = new RampBench(opened, rampOptions({ openMs: 5000 }));
    const gateway = await bench.start();
    const [one, two, three] = await gateway.connectMany(3);
    await two?.does(start('1'));
    await three?.does(start('2'));
    assert.equal(await one?.does(start('3')), 'answered');
    await bench.pass(9999);
    const held = holdDurably(bench.store);
    bench.clock.advance(1);
    await held.reached;
    assert(one !== undefined);
    gateway.limiter.disconnect(one);
    held.go();
    await bench.settle();
    assert.deepEqual(bench.sent, ['1', '2']);
    await gateway.connect(one.charger);
    await bench.pass(20_000);
    assert.deepEqual(bench.sent, ['1', '2', '3']);
    assert.deepEqual(await bench.commands(), []);
  });

  test('a command that an operator cancels while its caller is answered is not sent', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const gateway = await bench.start();
    const [one, two, three] = await gateway.connectMany(3);
    await two?.does(start('1'));
    await three?.does(start('2'));
    assert.equal(await one?.does(start('3')), 'open');
    one?.setReady(false);
    await bench.pass(23_999);
    const held = holdDurably(bench.store);
    bench.clock.advance(1);
    await held.reached;
    await bench.store.query((db) =>
      db.updateTable('ramp_command').set({ state: 'cancelled' }).execute(),
    );
    held.go();
    await bench.settle();
    one?.setReady(true);
    await bench.pass(10_000);
    assert.deepEqual(bench.log('answer', 'release', 'refuse').length, 1);
    assert.match(bench.log('refuse')[0] ?? '', /^refuse 3 RAMP_CANCELLED/);
    assert.deepEqual(await bench.commands(), []);
  });
});
