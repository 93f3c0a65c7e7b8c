import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { lockRamp } from '../../src/ramp-limit/entry-rows.ts';
import { othersMayTakeMs } from '../../src/ramp-limit/plan.ts';
import { RampBench, rampOptions, start, stop, type TestCharger } from '../support/ramp-bench.ts';
import { overfullWindows } from '../support/ramp-windows.ts';
import { describeEachStore, type TestStore } from '../support/stores.ts';

// Goal: two gateways on one store pace commands as if they were one.
// Method: two limiters with claims of their own, which are asked in turn, and at the same moment. On
// SQLite there is never a second gateway; but the rows are the same.

const moved = (bench: RampBench) => bench.moved.get('unassigned') ?? [];

async function startTwo(opened: TestStore, options = rampOptions()) {
  const bench = new RampBench(opened, options);
  const gateways = [await bench.start(), await bench.start()] as const;
  /** Chargers that hang on the two in turn. */
  const chargers: TestCharger[] = [];
  for (let index = 1; index <= 8; index += 1) {
    const [first, second] = gateways;
    chargers.push(await (index % 2 === 1 ? first : second).connect(`CP-${index}`));
  }
  return { bench, gateways, chargers };
}

describeEachStore('two gateways', (open) => {
  test('have one budget', async () => {
    await using opened = await open();
    const { bench, chargers } = await startTwo(opened);
    const verdicts: string[] = [];
    for (const charger of chargers.slice(0, 4))
      verdicts.push(await charger.does(start(charger.key)));
    assert.deepEqual(verdicts, ['pass', 'pass', 'open', 'open']);
    await bench.pass(30_000);
    // The two go in the same moment, each sent by its own gateway.
    assert.deepEqual(bench.log('release').toSorted(), ['release cp-3 10', 'release cp-4 10']);
  });

  test('have one line: commands go in the order of their arrival at either', async () => {
    await using opened = await open();
    const { bench, chargers } = await startTwo(opened, rampOptions({ reply: 'immediate' }));
    const names: string[] = [];
    for (const [index, charger] of [...chargers, ...chargers].entries()) {
      names.push(`${index}`);
      assert.equal(await charger.does(start(`${index}`)), 'answered');
    }
    await bench.pass(120_000);
    assert.deepEqual(overfullWindows(bench.options.feeders.unassigned, moved(bench)), []);
    // Two go together, each sent by its own gateway.
    for (let pair = 0; pair < names.length; pair += 2) {
      assert.deepEqual(
        bench.sent.slice(pair, pair + 2).toSorted(),
        names.slice(pair, pair + 2).toSorted(),
      );
    }
    assert.deepEqual(await bench.commands(), []);
  });

  test('that are asked at the same moment let through no more than one', async () => {
    await using opened = await open();
    const { bench, chargers } = await startTwo(opened);
    for (let round = 0; round < 3; round += 1) {
      const verdicts = await Promise.all(
        chargers.map((charger) => charger.ask(start(`${round} ${charger.key}`))),
      );
      assert.equal(verdicts.filter(({ is }) => is === 'pass').length, round === 0 ? 2 : 0);
      await bench.pass(4000);
    }
    await bench.pass(120_000);
    assert.deepEqual(overfullWindows(bench.options.feeders.unassigned, moved(bench)), []);
    assert.equal(new Set(bench.sent).size, bench.sent.length);
  });

  test('decide one after the other', async () => {
    await using opened = await open();
    const { store } = opened;
    const order: string[] = [];
    let other: Promise<void> = Promise.resolve();
    await store.transact(async (db) => {
      await lockRamp(db);
      other = store.transact(async (second) => {
        await lockRamp(second);
        order.push('second');
      });
      // More than the other one would need, if nothing held it.
      for (let count = 0; count < 300; count += 1) await sql`select 1`.execute(db);
      order.push('first');
    });
    await other;
    assert.deepEqual(order, ['first', 'second']);
  });

  test('go on, though chargers of the other one take nothing', async () => {
    await using opened = await open();
    const { bench, chargers } = await startTwo(opened, rampOptions({ reply: 'immediate' }));
    const theirs = [chargers[0], chargers[2]];
    const mine = [chargers[1], chargers[3], chargers[5]];
    for (const charger of theirs) charger?.setReady(false);
    for (const charger of [...theirs, ...mine]) {
      assert.equal(await charger?.does(stop(charger.key)), 'answered');
    }
    await bench.pass(60_000);
    // Each time, the others get the chance first.
    const late = othersMayTakeMs / 1000;
    assert.deepEqual(bench.log('release'), [
      ...[`release cp-2 ${late}`, `release cp-4 ${late}`],
      `release cp-6 ${10 + 2 * late}`,
    ]);
    for (const charger of theirs) charger?.setReady(true);
    await bench.pass(60_000);
    assert.deepEqual(overfullWindows(bench.options.feeders.unassigned, moved(bench)), []);
    assert.deepEqual(bench.sent.slice(3).toSorted(), ['cp-1', 'cp-3']);
    assert.deepEqual(await bench.commands(), []);
  });

  test('hand over a charger that moves with what was answered for it', async () => {
    await using opened = await open();
    const { bench, chargers, gateways } = await startTwo(
      opened,
      rampOptions({ reply: 'immediate' }),
    );
    const [moving] = chargers;
    assert(moving !== undefined);
    moving.setReady(false);
    await moving.does(start('start'));
    await moving.does(stop('stop'));
    const [first, second] = gateways;
    await first.disconnect(moving);
    await bench.pass(5000);
    assert.deepEqual(bench.sent, []);
    await second.connect(moving.charger);
    await bench.pass(5000);
    assert.deepEqual(bench.sent, ['start', 'stop']);
    assert.equal(second.eventsOf('LoadCommandReconciled').length, 2);
    assert.deepEqual(await bench.commands(), []);
  });

  test('see to the callers that wait at each of them', async () => {
    await using opened = await open();
    const { bench, chargers } = await startTwo(opened, rampOptions({ reply: 'defer' }));
    for (const charger of chargers.slice(0, 4)) await charger.does(start(charger.key));
    for (const charger of chargers) charger.setReady(false);
    await bench.pass(60_000);
    assert.deepEqual(bench.log('refuse').toSorted(), [
      'refuse cp-3 RAMP_EXPIRED 24',
      'refuse cp-4 RAMP_EXPIRED 24',
    ]);
  });

  test('ask the store for nothing more often than they must, whatever the other one has', async () => {
    await using opened = await open();
    const options = rampOptions({ openMs: 2000, holdMs: 5000 });
    const { bench, chargers, gateways } = await startTwo(opened, options);
    const [one, two] = chargers;
    for (const charger of [one, two]) charger?.setReady(false);
    await one?.does(start('1'));
    await two?.does(start('2'));
    const [first, second] = gateways;
    // The first hangs: it neither answers its callers nor gives up its lease.
    first.life.momentsLeft = 0;
    const before = second.transactions;
    await bench.pass(60_000);
    const looks = second.transactions - before;
    assert.ok(looks < 200, `${looks} transactions in a minute`);
  });
});
