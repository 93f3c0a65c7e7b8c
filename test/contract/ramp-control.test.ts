import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tables } from '../../src/store/tables.ts';
import {
  limit,
  moving,
  RampBench,
  rampOptions,
  reset,
  start,
  stop,
} from '../support/ramp-bench.ts';
import { feederOptions } from '../support/ramp-line.ts';
import { overfullWindows } from '../support/ramp-windows.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: what replaces, undoes or overtakes a command that waits does so and no more; and operators
// see how things stand, and change it while gateways run.
// Method: as in `ramp-limiter.test.ts`. What an operator does is a change of rows, as the command line
// makes it.

/** Changes the rows of commands, by their message ids. */
const change = (
  { store }: RampBench,
  names: readonly string[],
  set: Partial<Tables['ramp_command']>,
) =>
  store.transact((db) =>
    db
      .updateTable('ramp_command')
      .set(set)
      .where('message_id', 'in', [...names])
      .execute(),
  );

/** Gives a feeder other limits; null for none. */
const lift = (
  { store }: RampBench,
  name: string,
  limits: Readonly<Record<'commandsMilli' | 'upW' | 'downW', number | null>>,
  ms: number,
) => {
  const untilMs = store.nowMs() + ms;
  const state = JSON.stringify({ lift: { limits, untilMs } });
  return store.transact((db) =>
    db
      .insertInto('ramp_feeder')
      .values({ name, state })
      .onConflict((row) => row.column('name').doUpdateSet({ state }))
      .execute(),
  );
};

const unlimited = { commandsMilli: null, upW: null, downW: null };

describeEachStore('commands that have to do with each other', (open) => {
  const answeringAll = rampOptions({
    onLongWait: { starts: 'answer', stops: 'answer', limits: 'answer', others: 'answer' },
  });
  const profile = (name: string, watts: number) =>
    moving(limit(name, { coalesceKeys: ['slot 1'], payload: { connectorId: 1, watts } }), {
      commandsMilli: 1000,
      downW: watts,
    });

  test('a newer profile takes the place in line of the one that it replaces', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const gateway = await bench.start();
    const [one, other, third] = await gateway.connectMany(3);
    await one?.does(start('1'));
    await one?.does(start('2'));
    assert.equal(await one?.does(profile('old', 100)), 'open');
    assert.equal(await other?.does(start('between')), 'open');
    assert.equal(await third?.does(start('after')), 'open');
    assert.equal(await one?.does(profile('new', 200)), 'open');
    // The slot of another charger is another one.
    assert.equal(await other?.does(profile('other', 300)), 'open');
    await bench.pass(60_000);
    assert.deepEqual(bench.log('refuse', 'release'), [
      'refuse old RAMP_SUPERSEDED 0',
      ...['release new 10', 'release between 10'],
      ...['release after 20', 'release other 20'],
    ]);
    assert.deepEqual(
      gateway.eventsOf('LoadCommandSuperseded').map(({ charger }) => charger),
      ['CP-1'],
    );
  });

  test('a profile that was answered is replaced without a word to its CSMS', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, { ...answeringAll, openMs: 5000 });
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    await one?.does(start('1'));
    await one?.does(start('2'));
    assert.equal(await one?.does(profile('old', 100)), 'answered');
    assert.equal(await one?.does(profile('new', 200)), 'answered');
    await bench.pass(60_000);
    assert.deepEqual(bench.log('refuse', 'release'), ['release new 10']);
    assert.deepEqual(
      bench.told.at(-1)?.command?.payload,
      { connectorId: 1, watts: 200 },
      'the newer one',
    );
    assert.equal(gateway.eventsOf('LoadCommandSuperseded').length, 1);
  });

  test('a newer profile that is refused leaves the older one where it is', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, { ...answeringAll, openMs: 15_000, holdMs: 25_000 });
    const gateway = await bench.start();
    const [one, other] = await gateway.connectMany(2);
    await one?.does(start('1'));
    await one?.does(start('2'));
    assert.equal(await one?.does(profile('old', 100)), 'open');
    for (const name of ['3', '4', '5']) await other?.does(start(name));
    const large = moving(profile('new', 200), { commandsMilli: 9000 });
    assert.equal(await one?.does(large), 'refused RAMP_BUSY');
    await bench.pass(60_000);
    assert.ok(bench.sent.includes('old'), bench.log().join(', '));
    assert.deepEqual(gateway.eventsOf('LoadCommandSuperseded'), []);
  });

  test('a start cancels out a stop that waits, and neither is sent', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, { ...answeringAll, openMs: 15_000 });
    const gateway = await bench.start();
    const [one, other] = await gateway.connectMany(2);
    await one?.does(start('1'));
    await one?.does(start('2'));
    const key = 'stop 1 tag';
    assert.equal(await one?.does(stop('stop', { coalesceKeys: [key] })), 'open');
    assert.equal(await other?.does(start('not-mine', { cancelsOut: key })), 'open');
    assert.equal(await one?.does(start('start', { cancelsOut: key })), 'refused RAMP_CANCELLED');
    await bench.pass(60_000);
    assert.deepEqual(bench.log('refuse', 'release'), [
      'refuse stop RAMP_CANCELLED 0',
      'refuse start RAMP_CANCELLED 0',
      'release not-mine 10',
    ]);
    assert.deepEqual(
      gateway.eventsOf('LoadCommandsCancelledOut').map(({ actions }) => actions),
      [['RemoteStopTransaction', 'RemoteStartTransaction']],
    );
    assert.deepEqual(gateway.eventsOf('LoadCommandMismatch'), []);
    // There is nothing left to cancel out.
    assert.equal(await one?.does(start('again', { cancelsOut: key })), 'pass');
  });

  test('that the CSMS was told otherwise of the stop is a mismatch', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, { ...answeringAll, openMs: 5000 });
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    await one?.does(start('1'));
    await one?.does(start('2'));
    assert.equal(await one?.does(stop('stop', { coalesceKeys: ['k'] })), 'answered');
    assert.equal(await one?.does(start('start', { cancelsOut: 'k' })), 'refused RAMP_CANCELLED');
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release'), []);
    assert.deepEqual(
      gateway.eventsOf('LoadCommandMismatch').map(({ outcome, told }) => [told, outcome]),
      [['Accepted', 'cancelled out']],
    );
  });

  test('T1-03: a start after a stop of the same place waits for the dwell time, a stop never does', async () => {
    await using opened = await open();
    const options = rampOptions(
      { dwellMs: 60_000 },
      { unassigned: { budget: { commandsMilli: 100_000, upW: undefined, downW: undefined } } },
    );
    const bench = new RampBench(opened, options);
    const gateway = await bench.start();
    const [one, other] = await gateway.connectMany(2);
    assert.equal(await one?.does(start('1')), 'pass');
    await bench.pass(1000);
    assert.equal(await one?.does(stop('2')), 'pass');
    await bench.pass(10_000);
    // Another place, and another charger, have not fallen.
    const elsewhere = start('3', { estimate: { ...start('').estimate, place: 2 } });
    assert.equal(await one?.does(elsewhere), 'pass');
    assert.equal(await other?.does(start('4')), 'pass');
    assert.equal(await one?.does(start('5')), 'answered');
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release'), ['release 5 61']);
    assert.deepEqual(
      gateway.eventsOf('LoadCommandHeld').map(({ reason, waitSeconds }) => [reason, waitSeconds]),
      [['dwell', 50]],
    );
  });

  for (const [what, risesAt, fallsAt, risesAgainAt, mustWait] of [
    ['a place', 1, 1, 1, true],
    ['the whole charger', undefined, undefined, undefined, true],
    ['a place, which falls with its charger,', 1, undefined, 1, true],
    ['the whole charger, of which a place falls,', undefined, 1, 1, true],
    ['a place, and then its charger,', 1, 1, undefined, true],
    ['another place', 1, 1, 2, false],
    ['a place that has not fallen', 1, 2, 1, false],
  ] as const) {
    test(`T1-03: the dwell time holds for ${what} as it should`, async () => {
      await using opened = await open();
      const options = rampOptions(
        { dwellMs: 60_000 },
        { unassigned: { budget: { commandsMilli: 100_000, upW: undefined, downW: undefined } } },
      );
      const bench = new RampBench(opened, options);
      const gateway = await bench.start();
      const [one] = await gateway.connectMany(1);
      const at = (request: typeof start, name: string, place: number | undefined) =>
        request(name, { estimate: { ...request('').estimate, place } });
      assert.equal(await one?.does(at(start, '1', risesAt)), 'pass');
      await bench.pass(59_000);
      assert.equal(await one?.does(at(stop, '2', fallsAt)), 'pass');
      await bench.pass(1000);
      const verdict = await one?.does(at(start, '3', risesAgainAt));
      assert.equal(verdict, mustWait ? 'answered' : 'pass');
      await bench.pass(59_000);
      assert.deepEqual(bench.log('release'), mustWait ? ['release 3 119'] : []);
      // It has risen since.
      assert.equal(await one?.does(at(start, '4', risesAgainAt)), 'pass');
    });
  }

  test('T1-03: a place that has risen again may rise further', async () => {
    await using opened = await open();
    const options = rampOptions(
      { dwellMs: 60_000 },
      { unassigned: { budget: { commandsMilli: 100_000, upW: undefined, downW: undefined } } },
    );
    const bench = new RampBench(opened, options);
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    const whole = { estimate: { ...start('').estimate, place: undefined } };
    for (const request of [start('1', whole), stop('2'), start('3', { lane: 'emergency' })]) {
      assert.equal(await one?.does(request), 'pass');
      await bench.pass(1000);
    }
    assert.equal(await one?.does(start('4')), 'pass');
  });

  test('T1-03: a fall that comes long after the rise calls for no dwell time', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions({ dwellMs: 60_000 }));
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    assert.equal(await one?.does(start('1')), 'pass');
    await bench.pass(60_000);
    assert.equal(await one?.does(stop('2')), 'pass');
    assert.equal(await one?.does(start('3')), 'pass');
  });

  test('T1-03: who swings a feeder to and fro gets half of its budgets until it is calm', async () => {
    await using opened = await open();
    const options = rampOptions(
      { reply: 'immediate', oscillation: { windowMs: 300_000, reversalsMax: 4 } },
      { unassigned: { budget: { commandsMilli: 4000, upW: 40_000, downW: 40_000 } } },
    );
    const bench = new RampBench(opened, options);
    const gateway = await bench.start();
    const chargers = await gateway.connectMany(4);
    for (let round = 0; round < 8; round += 1) {
      for (const [index, charger] of chargers.entries()) {
        const name = `${round}-${index}`;
        const request =
          round % 2 === 0
            ? moving(start(name), { commandsMilli: 1000, upW: 10_000 })
            : moving(stop(name), { commandsMilli: 1000, downW: 10_000 });
        await charger.does(request);
      }
      await bench.pass(10_000);
    }
    const [alarm, ...more] = gateway.eventsOf('FeederOscillating');
    assert.deepEqual(
      [alarm?.feeder, alarm?.reversals, alarm?.windowSeconds, more.length],
      ['unassigned', 5, 300, 0],
    );
    await bench.pass(20_000);
    assert.equal(gateway.limiter.status().feeders[0]?.isSlowed, true);
    // Half of four in ten seconds from the fifth turn on.
    const moved = bench.moved.get('unassigned') ?? [];
    const slowed = moved.filter(({ atMs }) => atMs > 50_000);
    const budget = { commandsMilli: 2000, upW: 20_000, downW: 20_000 };
    const halved = { ...options.feeders.unassigned, budget };
    assert.deepEqual(overfullWindows(halved, slowed), []);
    assert.deepEqual(gateway.eventsOf('FeederCalm'), []);
    await bench.pass(300_000);
    // Nothing waits any more, and still somebody notices.
    assert.deepEqual(await bench.commands(), []);
    assert.deepEqual(
      gateway.eventsOf('FeederCalm').map(({ feeder }) => feeder),
      ['unassigned'],
    );
    assert.equal(gateway.limiter.status().feeders[0]?.isSlowed, false);
    const before = gateway.transactions;
    await bench.pass(600_000);
    assert.equal(gateway.transactions, before, 'then nobody asks any more');
    assert.deepEqual(await bench.commands(), []);
  });

  test('T1-03: a feeder is calm in time, though the swing was the last that was asked of it', async () => {
    await using opened = await open();
    const oscillation = { windowMs: 300_000, reversalsMax: 1 };
    const down = { commandsMilli: 2000, downW: 10_000 };
    const up = { commandsMilli: 2000, upW: 10_000 };
    const bench = new RampBench(opened, rampOptions({ oscillation }));
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    // Each takes a whole window, and no two share one.
    for (const request of [
      moving(start('1'), up),
      moving(stop('2'), down),
      moving(start('3'), up),
    ]) {
      await bench.pass(120_000);
      assert.equal(await one?.does(request), 'pass');
    }
    assert.equal(gateway.eventsOf('FeederOscillating').length, 1);
    await bench.pass(299_000);
    assert.deepEqual(gateway.eventsOf('FeederCalm'), []);
    await bench.pass(2000);
    assert.equal(gateway.eventsOf('FeederCalm').length, 1);
  });
});

describeEachStore('the lanes of a ramp limiter', (open) => {
  test('an emergency goes before all that waits, with the reserve, and says so', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const gateway = await bench.start();
    const chargers = await gateway.connectMany(6);
    for (const [index, charger] of chargers.slice(0, 4).entries()) {
      await charger.does(start(`${index + 1}`));
    }
    const emergency = { lane: 'emergency', reason: 'the charger reports a fault' } as const;
    assert.equal(await chargers[4]?.does(stop('e', emergency)), 'pass');
    assert.equal(await chargers[5]?.does(stop('f', emergency)), 'open');
    assert.deepEqual(
      gateway.eventsOf('EmergencyLaneUsed').map(({ reason }) => reason),
      ['the charger reports a fault'],
    );
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release'), [...['release f 10', 'release 3 10'], 'release 4 20']);
    assert.equal(gateway.eventsOf('EmergencyLaneUsed').length, 2);
    const feeder = bench.options.feeders.unassigned;
    assert.deepEqual(overfullWindows(feeder, bench.moved.get('unassigned') ?? []), []);
  });

  test('an emergency is never answered before it is sent, with reply: immediate', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions({ reply: 'immediate' }));
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    assert.equal(await one?.does(stop('e', { lane: 'emergency' })), 'pass');
  });

  test('what an operator releases goes before the others, and within the budgets', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const gateway = await bench.start();
    const chargers = await gateway.connectMany(6);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await change(bench, ['6'], { lane_rank: 1, reason: 'driver is waiting' });
    await bench.pass(5000);
    assert.deepEqual(bench.log('release'), []);
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release'), [
      ...['release 6 10', 'release 3 10'],
      ...['release 4 20', 'release 5 20'],
    ]);
  });

  test('what an operator declares an emergency goes within a second', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const gateway = await bench.start();
    const chargers = await gateway.connectMany(4);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await change(bench, ['4'], { lane_rank: 0, reason: 'fire brigade' });
    await bench.pass(1000);
    assert.deepEqual(bench.log('release'), ['release 4 0.5']);
    assert.deepEqual(
      gateway.eventsOf('EmergencyLaneUsed').map(({ reason }) => reason),
      ['fire brigade'],
    );
  });
});

describeEachStore('operators of a ramp limiter', (open) => {
  test('cancel a command: whoever waits for it hears that within a second', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const gateway = await bench.start();
    const chargers = await gateway.connectMany(5);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await change(bench, ['3'], { state: 'cancelled' });
    await bench.pass(1000);
    assert.deepEqual(bench.log('refuse', 'release'), ['refuse 3 RAMP_CANCELLED 0.5']);
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release'), ['release 4 10', 'release 5 10']);
    assert.deepEqual(await bench.commands(), []);
  });

  test('cancel the last one that waits', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const gateway = await bench.start();
    const chargers = await gateway.connectMany(3);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await change(bench, ['3'], { state: 'cancelled' });
    await bench.pass(60_000);
    assert.deepEqual(bench.log('refuse', 'release'), ['refuse 3 RAMP_CANCELLED 0.5']);
    assert.deepEqual(await bench.commands(), []);
  });

  test('lift a feeder for some time, and not above its ceiling', async () => {
    await using opened = await open();
    const options = rampOptions(
      {},
      {
        feeders: [
          feederOptions('north', {
            chargers: ['CP-*'],
            ceiling: { commandsMilli: 5000, upW: undefined, downW: undefined },
          }),
        ],
      },
    );
    const bench = new RampBench(opened, { ...options, reply: 'immediate' });
    const gateway = await bench.start();
    const chargers = await gateway.connectMany(16);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await bench.pass(1000);
    assert.equal(bench.sent.length, 2);
    await lift(bench, 'north', unlimited, 15_000);
    await bench.pass(1000);
    assert.equal(bench.sent.length, 5);
    await bench.pass(10_000);
    assert.equal(bench.sent.length, 10);
    // The time is over; the window that was filled then must pass.
    await bench.pass(10_000);
    assert.equal(bench.sent.length, 12);
    await bench.pass(60_000);
    assert.equal(bench.sent.length, 16);
    assert.equal(gateway.eventsOf('FeederLiftEnded').length, 1);
  });

  test('a lift that ends while nothing waits ends with an event, once anything has passed', async () => {
    await using opened = await open();
    const bench = new RampBench(opened);
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    await lift(bench, 'unassigned', { ...unlimited, commandsMilli: 1000 }, 60_000);
    assert.equal(await one?.does(start('1')), 'pass');
    await bench.pass(59_000);
    assert.deepEqual(gateway.eventsOf('FeederLiftEnded'), []);
    await bench.pass(1000);
    assert.equal(gateway.eventsOf('FeederLiftEnded').length, 1);
  });

  test('may slow a feeder down', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions({ reply: 'immediate' }));
    const gateway = await bench.start();
    const chargers = await gateway.connectMany(4);
    await lift(bench, 'unassigned', { ...unlimited, commandsMilli: 1000 }, 3_600_000);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release'), [
      ...['release 1 0', 'release 2 10', 'release 3 20', 'release 4 30'],
    ]);
  });

  test('see how full the feeders are, and what waits', async () => {
    await using opened = await open();
    const options = rampOptions({}, { feeders: [feederOptions('north', { chargers: ['CP-1'] })] });
    const bench = new RampBench(opened, options);
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    const statusOf = (name: string) =>
      gateway.limiter.status().feeders.find(({ feeder }) => feeder === name);
    assert.deepEqual(statusOf('north'), {
      feeder: 'north',
      used: { commandsMilli: 0, upW: 0, downW: 0 },
      limits: { commandsMilli: 2000, upW: undefined, downW: undefined },
      isSlowed: false,
      waiting: 0,
      oldestWaitMs: 0,
    });
    for (const name of ['1', '2', '3', '4']) await one?.does(start(name));
    await bench.pass(4000);
    const status = statusOf('north');
    assert.deepEqual(
      [status?.used.commandsMilli, status?.waiting, status?.oldestWaitMs],
      [2000, 2, 4000],
    );
    assert.equal(statusOf('unassigned')?.waiting, 0);
    await bench.pass(60_000);
    const end = statusOf('north');
    assert.deepEqual([end?.used.commandsMilli, end?.waiting, end?.oldestWaitMs], [0, 0, 0]);
  });

  test('take a feeder out of the configuration: what waits for it is unassigned then', async () => {
    await using opened = await open();
    const north = { feeders: [feederOptions('north', { chargers: ['CP-*'] })] };
    const bench = new RampBench(opened, rampOptions({ reply: 'immediate' }, north));
    const before = await bench.start();
    const chargers = await before.connectMany(4);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await bench.pass(1000);
    await before.kill();
    const { feeders } = rampOptions();
    const after = await bench.start({ feeders });
    await after.connectMany(4);
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release'), [
      ...['release 1 0', 'release 2 0'],
      // The new feeder has a window of its own.
      ...['release 3 1', 'release 4 1'],
    ]);
    assert.deepEqual(await bench.commands(), []);
  });

  test('a newer command does not overtake one that waits for a feeder that is gone', async () => {
    await using opened = await open();
    const north = { feeders: [feederOptions('north', { chargers: ['CP-*'] })] };
    const bench = new RampBench(opened, rampOptions({ reply: 'immediate' }, north));
    const before = await bench.start();
    const charger = await before.connect('CP-1', { isReady: false });
    await charger.does(start('start'));
    await before.kill();
    const after = await bench.start({ feeders: rampOptions().feeders, reply: 'auto' });
    const again = await after.connect('CP-1', { isReady: false });
    again.isReady = true;
    await again.does(stop('stop'));
    await bench.pass(60_000);
    assert.deepEqual(bench.sent, ['start', 'stop']);
  });
});

describeEachStore('a ramp limiter that only watches', (open) => {
  for (const reply of ['auto', 'immediate'] as const) {
    test(`passes everything, counts, and says what it would have held (reply: ${reply})`, async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ mode: 'monitor', reply }));
      const gateway = await bench.start();
      const chargers = await gateway.connectMany(4);
      for (const [index, charger] of chargers.entries()) {
        assert.equal(await charger.does(start(`${index + 1}`)), 'pass');
      }
      assert.equal(await chargers[0]?.does(reset('r')), 'pass');
      assert.deepEqual(await bench.commands(), []);
      const would = gateway.eventsOf('LoadPacingWouldHold');
      assert.deepEqual(
        would.map(({ charger }) => charger),
        ['CP-3', 'CP-4', 'CP-1'],
      );
      const used = (await bench.entries()).reduce((sum, entry) => sum + entry.commands_milli, 0);
      assert.equal(used, 2000);
      assert.deepEqual(gateway.limiter.status().feeders[0]?.used.commandsMilli, 2000);
      // In time there is room again.
      await bench.pass(10_000);
      await chargers[0]?.does(start('5'));
      assert.equal(gateway.eventsOf('LoadPacingWouldHold').length, 3);
    });
  }

  test('says what it would have refused', async () => {
    await using opened = await open();
    const options = rampOptions(
      { mode: 'monitor', oversized: 'refuse' },
      { unassigned: { budget: { commandsMilli: undefined, upW: 1000, downW: undefined } } },
    );
    const bench = new RampBench(opened, options);
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    assert.equal(await one?.does(moving(start('1'), { upW: 1001 })), 'pass');
    assert.deepEqual(
      gateway.eventsOf('LoadPacingWouldHold').map(({ code }) => code),
      ['RAMP_OVERSIZED'],
    );
  });

  test('releases what was answered before, at its pace', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions({ reply: 'immediate' }));
    const before = await bench.start();
    const chargers = await before.connectMany(4);
    for (const charger of chargers) charger.setReady(false);
    for (const [index, charger] of chargers.entries()) await charger.does(start(`${index + 1}`));
    await before.kill();
    const after = await bench.start({ mode: 'monitor' });
    await after.connectMany(4);
    await bench.pass(60_000);
    assert.deepEqual(bench.sent, ['1', '2', '3', '4']);
    const feeder = bench.options.feeders.unassigned;
    assert.deepEqual(overfullWindows(feeder, bench.moved.get('unassigned') ?? []), []);
  });

  test('that is off passes everything, and asks nobody', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions({ mode: 'off' }));
    const gateway = await bench.start();
    const [one] = await gateway.connectMany(1);
    for (const name of ['1', '2', '3']) assert.equal(await one?.does(start(name)), 'pass');
    assert.equal(gateway.transactions, 0);
  });
});
