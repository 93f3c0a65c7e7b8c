import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noChange } from '../../src/ramp-limit/load-change.ts';
import {
  limit,
  RampBench,
  rampOptions,
  reset,
  start,
  stop,
  type TestGateway,
} from '../support/ramp-bench.ts';
import { overfullWindows } from '../support/ramp-windows.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: what the gateway has answered for outlives it: it is sent in its turn by the next one, once,
// or reported; and what nobody was told of is gone.
// Method: gateways that are never stopped, only gone: their timers ring no more, what they ask of the
// store is never answered, and their lease has run out.

const immediate = rampOptions({ reply: 'immediate' });
const answeringAll = {
  onLongWait: { starts: 'answer', stops: 'answer', limits: 'answer', others: 'answer' },
} as const;

const unclear = (gateway: TestGateway): readonly string[] =>
  gateway.eventsOf('LoadCommandUnclear').map(({ action, charger }) => `${charger} ${action}`);

describeEachStore('a gateway that has died', (open) => {
  test('leaves what was answered to the next one, which sends it in order, once, at the same pace', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, immediate);
    const before = await bench.start();
    const chargers = await before.connectMany(7);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await bench.pass(14_000);
    assert.deepEqual(bench.sent, ['1', '2', '3', '4']);
    await before.kill();
    const after = await bench.start();
    await after.connectMany(7);
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release').slice(4), [
      ...['release 5 20', 'release 6 20'],
      'release 7 30',
    ]);
    assert.deepEqual(overfullWindows(bench.options.feeders.unassigned, moved(bench)), []);
    assert.deepEqual(await bench.commands(), []);
    assert.deepEqual(unclear(after), []);
  });

  test('takes with it whatever was not answered', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const before = await bench.start();
    const chargers = await before.connectMany(4);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    assert.equal((await bench.commands()).length, 2);
    await before.kill();
    const after = await bench.start();
    await after.connectMany(4);
    await bench.pass(60_000);
    assert.deepEqual(bench.sent, ['1', '2']);
    assert.deepEqual(await bench.commands(), []);
    assert.deepEqual(after.events, []);
  });

  test('keeps nobody waiting for chargers that do not come back', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, immediate);
    const before = await bench.start();
    const gone = await before.connectMany(4, { isReady: false });
    for (const [index, charger] of gone.entries()) await charger.does(start(`${index + 1}`));
    await before.kill();
    const after = await bench.start();
    const [first, second] = [await after.connect('OTHER-1'), await after.connect('OTHER-2')];
    await first.does(start('5'));
    await second.does(start('6'));
    await bench.pass(1000);
    assert.deepEqual(bench.sent, ['5', '6']);
  });

  test('takes with it what an operator had cancelled', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const before = await bench.start();
    const chargers = await before.connectMany(3);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await bench.store.query((db) =>
      db.updateTable('ramp_command').set({ state: 'cancelled' }).execute(),
    );
    await before.kill();
    await bench.start();
    assert.deepEqual(await bench.commands(), []);
  });

  for (const moments of [2, 3]) {
    test(`after ${moments} moments of an answer has told nobody what is not in the store`, async () => {
      await using opened = await open();
      const bench = new RampBench(opened, immediate);
      const before = await bench.start();
      const [one] = await before.connectMany(1);
      // The transaction that stores the command has two ends; that which notes the answer has two.
      before.life.momentsLeft = moments;
      const asked = one?.ask(start('1'));
      await bench.settle();
      assert.equal(await Promise.race([asked, undefined]), undefined);
      await before.kill();
      const rows = await bench.commands();
      assert.deepEqual(
        rows.map(({ is_answered, state }) => [state, is_answered]),
        moments === 2 ? [['arriving', 0]] : [['waiting', 1]],
      );
      const after = await bench.start();
      await after.connectMany(1);
      await bench.pass(60_000);
      // Noted, and not heard: then it is released all the same.
      assert.deepEqual(bench.sent, moments === 2 ? [] : ['1']);
      assert.deepEqual(await bench.commands(), []);
    });
  }

  test('may have sent a stop: it is sent again half a minute later', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, immediate);
    const before = await bench.start();
    const [one] = await before.connectMany(1, { outcome: undefined });
    await one?.does(stop('1'));
    assert.deepEqual(bench.log('release'), ['release 1 0']);
    await bench.pass(5000);
    await before.kill();
    const after = await bench.start();
    await after.connectMany(1);
    await bench.pass(29_000);
    assert.deepEqual(bench.log('release'), ['release 1 0']);
    await bench.pass(10_000);
    assert.deepEqual(bench.log('release'), ['release 1 0', 'release 1 35']);
    assert.deepEqual(unclear(after), []);
    assert.equal(after.eventsOf('LoadCommandReconciled').length, 1);
    assert.deepEqual(await bench.commands(), []);
  });

  test('may have sent a stop: if the car has stopped by then, it moves nothing and takes nothing', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, immediate);
    const before = await bench.start();
    const [one] = await before.connectMany(1, { outcome: undefined });
    await one?.does(stop('1'));
    await before.kill();
    const after = await bench.start();
    const [again, ...others] = await after.connectMany(3, { outcome: 'moot' });
    assert(again !== undefined);
    again.current = ({ place }) => ({ now: noChange, swing: 'none', place });
    await bench.pass(29_500);
    // The budget is used up when its time comes.
    for (const charger of others) await charger.does(start(charger.charger));
    await bench.pass(10_000);
    assert.deepEqual(bench.log('release'), [
      'release 1 0',
      ...['release CP-2 29.5', 'release CP-3 29.5'],
      'release 1 30',
    ]);
    assert.deepEqual(await bench.commands(), []);
  });

  for (const [what, request] of [
    ['start', start],
    ['limit', limit],
    ['reset', reset],
  ] as const) {
    test(`may have sent a ${what}: it is not sent again, and an operator hears of it`, async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ ...answeringAll, openMs: 1000 }));
      const before = await bench.start();
      const [one, two] = await before.connectMany(2, { outcome: undefined });
      for (const name of ['1', '2']) await two?.does(start(name));
      assert.equal(await one?.does(request('3')), 'answered');
      await bench.pass(10_000);
      assert.deepEqual(bench.log('release'), ['release 3 10']);
      await before.kill();
      const after = await bench.start();
      await after.connectMany(2);
      await bench.pass(100_000);
      assert.deepEqual(bench.log('release'), ['release 3 10']);
      assert.deepEqual(unclear(after), [`CP-1 ${request('').action}`]);
      assert.deepEqual(await bench.commands(), []);
    });
  }

  test('leaves what has expired meanwhile to be reported, and not sent', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, { ...immediate, holdMs: 100_000 });
    const before = await bench.start();
    const [one] = await before.connectMany(1, { isReady: false });
    await one?.does(start('1'));
    await before.kill();
    await bench.pass(100_000);
    const after = await bench.start();
    await after.connectMany(1);
    await bench.pass(10_000);
    assert.deepEqual(bench.sent, []);
    assert.deepEqual(
      after.eventsOf('LoadCommandExpired').map(({ wasAnswered }) => wasAnswered),
      [true],
    );
    assert.deepEqual(await bench.commands(), []);
  });
});

describeEachStore('a gateway that others take for dead', (open) => {
  test('does not answer for what they have given up', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, immediate);
    const first = await bench.start();
    const [one] = await first.connectMany(1);
    const { store } = bench;
    const durably = store.transactDurably.bind(store);
    const gate = Promise.withResolvers<void>();
    store.transactDurably = async (ask) => {
      store.transactDurably = durably;
      await gate.promise;
      return durably(ask);
    };
    const asked = one?.ask(start('1'));
    for (let turns = 0; (await bench.commands()).length === 0; turns += 1) assert(turns < 1000);
    await store.query((db) => db.updateTable('gateway_lease').set({ expires_ms: 0 }).execute());
    const second = new RampBench(opened, immediate);
    await second.start();
    assert.deepEqual(await bench.commands(), []);
    gate.resolve();
    const verdict = await asked;
    assert.equal(verdict?.is === 'refused' && verdict.code, 'RAMP_UNKNOWN');
  });

  test('counts for nothing when it comes back', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, immediate);
    const first = await bench.start();
    const [one] = await first.connectMany(1, { outcome: undefined });
    await one?.does(start('1'));
    const [{ command } = { command: undefined }] = bench.told.filter(({ is }) => is === 'release');
    assert(command !== undefined);
    await bench.store.query((db) =>
      db.updateTable('gateway_lease').set({ expires_ms: 0 }).execute(),
    );
    const second = await new RampBench(opened, immediate).start();
    assert.deepEqual(unclear(second), ['CP-1 RemoteStartTransaction']);
    first.limiter.settle(command, 'unsent');
    await bench.pass(30_000);
    assert.deepEqual(bench.sent, ['1']);
    assert.deepEqual(await bench.commands(), []);
  });
});

const moved = (bench: RampBench) => bench.moved.get('unassigned') ?? [];
