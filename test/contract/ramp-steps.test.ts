import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadStep } from '../../src/ramp-limit/load-change.ts';
import type { RampOptions } from '../../src/ramp-limit/ramp-options.ts';
import type { LoadCommandRequest } from '../../src/ramp-limit/ramp-target.ts';
import {
  limit,
  moving,
  RampBench,
  rampOptions,
  start,
  type TestCharger,
  type TestGrid,
} from '../support/ramp-bench.ts';
import { feederOptions } from '../support/ramp-line.ts';
import { describeEachStore, type TestStore } from '../support/stores.ts';

// Goal: T1-06: chargers that were told hours ago to step at one moment do not step together.
// Method: schedules of a step or two, at seconds after the beginning of the test, on a feeder of 20 kW
// in ten seconds; then what the ledger has of them.

const twentyKw: TestGrid = {
  unassigned: { budget: { commandsMilli: undefined, upW: 20_000, downW: 20_000 } },
};

/** A rise by `upW` at `second`. */
type Step = readonly [second: number, upW: number];

const stepsOf = (bench: RampBench, steps: readonly Step[], shiftSeconds = 0): LoadStep[] =>
  steps.map(([second, upW]) => ({
    atMs: bench.store.nowMs() - bench.clock.elapsedMs() + (second + shiftSeconds) * 1000,
    commandsMilli: 0,
    upW: Math.max(0, upW),
    downW: Math.max(0, -upW),
  }));

/** A profile whose schedule makes `steps`; its payload says by how much it was moved. */
function schedule(
  bench: RampBench,
  name: string,
  steps: readonly Step[],
  changes: Partial<LoadCommandRequest> = {},
): LoadCommandRequest {
  const shifted = (shiftSeconds: number): ReturnType<LoadCommandRequest['shifted']> => ({
    payload: { name, shiftSeconds },
    estimate: {
      ...limit('').estimate,
      now: { commandsMilli: 1, upW: 0, downW: 0 },
      later: { is: 'schedule', steps: stepsOf(bench, steps, shiftSeconds) },
    },
  });
  const { estimate, payload } = shifted(0) ?? limit('');
  return limit(name, { estimate, payload, shifted, ...changes });
}

const onFeeder = async (opened: TestStore, changes: Partial<RampOptions> = {}, grid = twentyKw) => {
  const bench = new RampBench(opened, rampOptions(changes, grid));
  const gateway = await bench.start();
  const chargers = await gateway.connectMany(4);
  const [one, two, three, four] = chargers;
  assert(one !== undefined && two !== undefined && three !== undefined && four !== undefined);
  return { bench, gateway, one, two, three, four };
};

/** Seconds and kilowatts of the steps to come that are in the ledger of a feeder. */
const planned = async (bench: RampBench, feeder = 'unassigned'): Promise<readonly string[]> => {
  const beginMs = bench.store.nowMs() - bench.clock.elapsedMs();
  return (await bench.entries())
    .filter((entry) => entry.feeder === feeder && entry.kind !== 'release')
    .map(({ at_ms, identity_key, up_w, down_w }) => {
      return `${identity_key} ${(at_ms - beginMs) / 1000} ${(up_w - down_w) / 1000}`;
    });
};

/** Asks, and says yes or no for the charger. */
async function taken(charger: TestCharger, request: LoadCommandRequest, isAccepted = true) {
  const verdict = await charger.ask(request);
  assert(verdict.is === 'pass');
  charger.confirm(verdict.commandId, isAccepted);
  await charger.settle();
  return verdict;
}

describeEachStore('steps of schedules', (open) => {
  test('that fit together stay where they are', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened);
    const first = await one.ask(schedule(bench, 'a', [[3600, 10_000]]));
    const second = await two.ask(schedule(bench, 'b', [[3600, 10_000]]));
    assert(first.is === 'pass' && second.is === 'pass');
    assert.deepEqual([first.instead, second.instead], [undefined, undefined]);
    assert.deepEqual(await planned(bench), ['cp-1 3600 10', 'cp-2 3600 10']);
  });

  test('that would be too many at one moment are moved apart', async () => {
    await using opened = await open();
    const { bench, gateway, one, two, three } = await onFeeder(opened);
    for (const charger of [one, two]) {
      assert.equal(await charger.does(schedule(bench, 'x', [[3600, 15_000]])), 'pass');
    }
    const third = await three.ask(
      schedule(bench, 'c', [
        [3599, 15_000],
        [3700, 1000],
      ]),
    );
    assert(third.is === 'pass');
    assert.deepEqual(third.instead, { name: 'c', shiftSeconds: 21 });
    assert.deepEqual(await planned(bench), [
      'cp-1 3600 15',
      'cp-2 3610 15',
      'cp-3 3620 15',
      'cp-3 3721 1',
    ]);
    assert.deepEqual(
      gateway.eventsOf('LoadStepShifted').map(({ charger, shiftSeconds }) => {
        return [charger, shiftSeconds];
      }),
      [
        ['CP-2', 10],
        ['CP-3', 21],
      ],
    );
  });

  test('are moved by whole seconds', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened);
    await one.does(schedule(bench, 'a', [[3600.4, 15_000]]));
    const second = await two.ask(schedule(bench, 'b', [[3600, 15_000]]));
    assert(second.is === 'pass');
    assert.deepEqual(second.instead, { name: 'b', shiftSeconds: 11 });
  });

  test('are refused where they may not be moved, or not so far', async () => {
    await using opened = await open();
    for (const [changes, request] of [
      [{ futureSteps: 'refuse' }, {}],
      [{ shiftMsMax: 9000 }, {}],
      // The charger has asked for it, and waits.
      [{}, { isReply: true }],
      [{}, { shifted: () => undefined }],
    ] as const) {
      const { bench, gateway, one, two } = await onFeeder(opened, changes);
      await one.does(schedule(bench, 'a', [[3600, 15_000]]));
      const before = await planned(bench);
      assert.equal(
        await two.does(schedule(bench, 'b', [[3600, 15_000]], request)),
        'refused RAMP_STEP',
      );
      assert.deepEqual(await planned(bench), before);
      assert.deepEqual(
        gateway.eventsOf('LoadCommandRefused').map(({ code }) => code),
        ['RAMP_STEP'],
      );
      await gateway.kill();
      await bench.store.transact((db) => db.deleteFrom('ramp_entry').execute());
    }
  });

  test('may be moved as far as the operator says, and not further', async () => {
    await using opened = await open();
    const { bench, one, two, three } = await onFeeder(opened, { shiftMsMax: 10_000 });
    await one.does(schedule(bench, 'a', [[3600, 15_000]]));
    assert.equal(await two.does(schedule(bench, 'b', [[3600, 15_000]])), 'pass');
    assert.equal(await three.does(schedule(bench, 'c', [[3600, 15_000]])), 'refused RAMP_STEP');
  });

  test('are not looked at where the operator does not want it', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened, { futureSteps: 'off' });
    await one.does(schedule(bench, 'a', [[3600, 15_000]]));
    assert.equal(await two.does(schedule(bench, 'b', [[3600, 15_000]])), 'pass');
    assert.deepEqual(await planned(bench), []);
  });

  test('of one schedule count for each other', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened);
    // It swings by itself, whenever it begins.
    const swing: readonly Step[] = [
      [3600, 15_000],
      [3605, 15_000],
    ];
    assert.equal(await one.does(schedule(bench, 'a', swing)), 'refused RAMP_STEP');
    // Up and down are two things.
    const pulse: readonly Step[] = [
      [3600, 15_000],
      [3605, -15_000],
    ];
    assert.equal(await two.does(schedule(bench, 'b', pulse)), 'pass');
  });

  test('are those of the last schedule that the charger has accepted', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened);
    await taken(
      one,
      schedule(bench, 'a', [
        [3600, 15_000],
        [7200, 15_000],
      ]),
    );
    // Its own old schedule is over then, and does not stand in the way.
    const again = await one.ask(schedule(bench, 'b', [[3601, 15_000]]));
    assert(again.is === 'pass');
    assert.equal(again.instead, undefined);
    // Until it has answered, both count.
    assert.deepEqual(await planned(bench), ['cp-1 3600 15', 'cp-1 3601 15', 'cp-1 7200 15']);
    one.confirm(again.commandId, true);
    await bench.settle();
    assert.deepEqual(await planned(bench), ['cp-1 3601 15']);
    const other = await two.ask(schedule(bench, 'c', [[7200, 15_000]]));
    assert.equal(other.is === 'pass' && other.instead, undefined);
  });

  test('are forgotten when the charger refuses them', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened);
    await taken(one, schedule(bench, 'a', [[3600, 15_000]]));
    await taken(one, schedule(bench, 'b', [[7200, 15_000]]), false);
    assert.deepEqual(await planned(bench), ['cp-1 3600 15']);
    const other = await two.ask(schedule(bench, 'c', [[7200, 15_000]]));
    assert.equal(other.is === 'pass' && other.instead, undefined);
  });

  test('must fit into every feeder that they move', async () => {
    await using opened = await open();
    const grid: TestGrid = {
      feeders: [
        feederOptions('site', { within: 'street', chargers: ['CP-1', 'CP-2'] }),
        feederOptions('street', {
          chargers: ['CP-3'],
          intervalMs: 60_000,
          budget: { commandsMilli: undefined, upW: 20_000, downW: undefined },
        }),
      ],
    };
    const { bench, one, two, three } = await onFeeder(opened, {}, grid);
    await one.does(schedule(bench, 'a', [[3600, 10_000]]));
    await three.does(schedule(bench, 'b', [[3650, 10_000]]));
    const moved = await two.ask(schedule(bench, 'c', [[3605, 10_000]]));
    assert(moved.is === 'pass');
    assert.deepEqual(moved.instead, { name: 'c', shiftSeconds: 55 });
    assert.deepEqual(await planned(bench, 'site'), ['cp-1 3600 10', 'cp-2 3660 10']);
    assert.deepEqual(await planned(bench, 'street'), [
      'cp-1 3600 10',
      'cp-3 3650 10',
      'cp-2 3660 10',
    ]);
  });

  test('leave no room for commands when their time has come', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened);
    await taken(one, schedule(bench, 'a', [[100, 15_000]]));
    await bench.pass(91_000);
    assert.equal(await two.does(moving(start('beside it'), { upW: 5000 })), 'pass');
    assert.equal(await two.does(moving(start('too late'), { upW: 1 })), 'open');
    await bench.pass(60_000);
    assert.deepEqual(bench.log('release'), ['release too late 101']);
  });

  test('leave room for commands exactly one interval before', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened);
    await taken(one, schedule(bench, 'a', [[100, 15_000]]));
    await bench.pass(90_000);
    assert.equal(await two.does(moving(start('before'), { upW: 20_000 })), 'pass');
  });

  test('of a restart are added to those of schedules, and never moved', async () => {
    await using opened = await open();
    const { bench, one, two } = await onFeeder(opened);
    await taken(one, schedule(bench, 'a', [[3600, 15_000]]));
    const restart = (name: string, second: number): LoadCommandRequest => {
      const [step] = stepsOf(bench, [[second, 10_000]]);
      assert(step !== undefined);
      const later = { is: 'restart', steps: [step] } as const;
      return moving(
        start(name, { action: 'UpdateFirmware', loadClass: 'firmware' }),
        {},
        { later },
      );
    };
    // Its own schedule goes on beside the restart.
    assert.equal(await one.does(restart('r', 3600)), 'refused RAMP_STEP');
    assert.equal(await one.does(restart('s', 3610)), 'pass');
    assert.equal(await two.does(restart('t', 3610)), 'pass');
    // A schedule that comes later does not take the restart's place.
    await taken(one, schedule(bench, 'b', [[3500, 1000]]));
    assert.deepEqual(await planned(bench), ['cp-1 3500 1', 'cp-1 3610 10', 'cp-2 3610 10']);
  });
});

describeEachStore('steps of a command that waits', (open) => {
  const answering = {
    onLongWait: { starts: 'answer', stops: 'answer', limits: 'answer', others: 'answer' },
  } as const;
  /** Asks for a schedule while the budget of commands is used up. */
  const waiting = async (opened: TestStore, changes: Partial<RampOptions> = {}) => {
    const bench = await onFeeder(opened, changes, {
      unassigned: { budget: { commandsMilli: 1000, upW: 20_000, downW: 20_000 } },
    });
    assert.equal(await bench.two.does(start('first')), 'pass');
    return bench;
  };

  test('are kept while it waits, and when the charger has done it', async () => {
    await using opened = await open();
    for (const openMs of [5000, 24_000]) {
      const { bench, gateway, one, two } = await waiting(opened, { ...answering, openMs });
      const verdict = openMs === 5000 ? 'answered' : 'open';
      assert.equal(await one.does(schedule(bench, 'a', [[3600, 15_000]])), verdict);
      assert.deepEqual(await planned(bench), ['cp-1 3600 15']);
      await bench.pass(20_000);
      assert.deepEqual(bench.log('release').at(-1)?.slice(0, 9), 'release a');
      assert.deepEqual(await planned(bench), ['cp-1 3600 15']);
      const other = schedule(bench, 'b', [[3600, 15_000]]);
      assert.equal((await two.ask(other)).is, 'pass');
      assert.deepEqual(await planned(bench), ['cp-1 3600 15', 'cp-2 3610 15']);
      await gateway.kill();
      await bench.store.transact((db) => db.deleteFrom('ramp_entry').execute());
      bench.clock.advance(60_000);
    }
  });

  test('are sent as they were moved', async () => {
    await using opened = await open();
    const { bench, one, three } = await waiting(opened, { ...answering, openMs: 5000 });
    assert.equal(await one.does(schedule(bench, 'a', [[3600, 15_000]])), 'answered');
    assert.equal(await three.does(schedule(bench, 'b', [[3600, 15_000]])), 'answered');
    await bench.pass(30_000);
    assert.deepEqual(bench.told.at(-1)?.command?.payload, { name: 'b', shiftSeconds: 10 });
  });

  for (const [what, end] of [
    [
      'the charger has refused it',
      async ({ bench, one }) => {
        one.outcome = 'refused';
        await bench.pass(20_000);
      },
    ],
    [
      'it has expired',
      async ({ bench, one }) => {
        one.setReady(false);
        await bench.pass(70_000);
      },
    ],
    [
      'an operator has cancelled it',
      async ({ bench, one }) => {
        one.setReady(false);
        await bench.store.query((db) =>
          db.updateTable('ramp_command').set({ state: 'cancelled' }).execute(),
        );
        await bench.pass(1000);
      },
    ],
  ] as const satisfies readonly (readonly [
    string,
    (on: Awaited<ReturnType<typeof waiting>>) => Promise<void>,
  ])[]) {
    test(`are forgotten when ${what}`, async () => {
      await using opened = await open();
      const on = await waiting(opened, { ...answering, openMs: 5000, holdMs: 60_000 });
      const { bench, one } = on;
      assert.equal(await one.does(schedule(bench, 'a', [[3600, 15_000]])), 'answered');
      assert.deepEqual(await planned(bench), ['cp-1 3600 15']);
      await end(on);
      assert.deepEqual(await planned(bench), []);
      assert.deepEqual(await bench.commands(), []);
    });
  }

  test('are forgotten with a caller that has left', async () => {
    await using opened = await open();
    const { bench, gateway, one } = await waiting(opened);
    assert.equal(await one.does(schedule(bench, 'a', [[3600, 15_000]])), 'open');
    await gateway.disconnect(one);
    assert.deepEqual(await bench.commands(), []);
    assert.deepEqual(await planned(bench), []);
  });

  test('are forgotten with a gateway that has died before it answered', async () => {
    await using opened = await open();
    const { bench, gateway, one } = await waiting(opened);
    assert.equal(await one.does(schedule(bench, 'a', [[3600, 15_000]])), 'open');
    await gateway.kill();
    await bench.start();
    assert.deepEqual(await bench.commands(), []);
    assert.deepEqual(await planned(bench), []);
  });

  test('are forgotten when a newer one replaces it, or it is forgotten itself', async () => {
    await using opened = await open();
    const { bench, gateway, one } = await waiting(opened);
    const slot = { coalesceKeys: ['slot'] };
    assert.equal(await one.does(schedule(bench, 'a', [[3600, 15_000]], slot)), 'open');
    const newer = await one.ask(schedule(bench, 'b', [[7200, 15_000]], slot));
    assert(newer.is === 'open');
    assert.deepEqual(await planned(bench), ['cp-1 7200 15']);
    gateway.limiter.forget(newer.commandId);
    await bench.settle();
    assert.deepEqual(await bench.commands(), []);
    assert.deepEqual(await planned(bench), []);
  });

  test('are not kept of a command that is refused at once', async () => {
    await using opened = await open();
    const { bench, one } = await waiting(opened, { openMs: 5000 });
    assert.equal(await one.does(schedule(bench, 'a', [[3600, 15_000]])), 'refused RAMP_BUSY');
    assert.deepEqual(await planned(bench), []);
  });
});
