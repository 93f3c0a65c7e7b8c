import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { feederStatesOf, writeFeederState } from '../../../src/ramp-limit/entry-rows.ts';
import { type FeederState, freshFeederState } from '../../../src/ramp-limit/feeder-state.ts';
import type { Feeder } from '../../../src/ramp-limit/feeders.ts';
import { describeEachStore, openSqliteTestStore } from '../../support/stores.ts';
import { looked, type RampAtWork, rampAtWork } from './ramp-at-work.ts';

// Goal: an operator can give a feeder other budgets for some time, and never more than its ceiling.
// Method: the real command beside a store that is open as a gateway has it, and the look that a
// gateway takes at it.

async function stateOf({ store }: RampAtWork, name: string): Promise<FeederState | undefined> {
  const feeder = { name } as Feeder;
  return (await store.query((db) => feederStatesOf(db, [feeder]))).get(name);
}

const half = { commandsMilli: 1000, upW: 75_000, downW: 0 };

describeEachStore('gatewatt ramp lift', (open) => {
  test('gives a feeder other budgets until it ends, and records both', async () => {
    await using work = await rampAtWork(open);
    const chargers = ['N-1', 'N-2', 'N-3', 'N-4', 'N-5'];
    await work.connect(...chargers);
    for (const charger of chargers) await work.hold(charger, { now: half });
    const { code, stderr, stdout } = await work.ramp(
      ...['lift', 'north', '--minutes', '60', '--up-kw', '250', '--reason', 'planned'],
    );
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^north has other budgets until (\d{4}-.*Z), in 3600 s: commands 4, kW up 250, kW down 150\n$/,
    );
    assert.equal(stderr, 'It is a part of site, whose budgets hold as they are\n');
    const state = await stateOf(work, 'north');
    assert.deepEqual(state?.lift?.limits, { commandsMilli: 4000, upW: 250_000, downW: 150_000 });
    const untilMs = state?.lift?.untilMs ?? 0;
    assert.ok(Math.abs(untilMs - Date.now() - 3_600_000) < 30_000);
    const until = new Date(untilMs).toISOString();
    const listed = await work.ramp('list', '--feeders');
    assert.match(listed.stdout, new RegExp(`\\nnorth .* 0 of 250 .* ${until.slice(0, 19)}Z +5\\n`));
    assert.deepEqual((await looked(work, 'run of gw-2')).releases, ['N-1', 'N-2', 'N-3']);

    const ended = await work.ramp('lift', 'north', '--end');
    assert.deepEqual(ended, {
      code: 0,
      stdout: 'north has the budgets of the configuration file again\n',
      stderr: '',
    });
    assert.equal((await stateOf(work, 'north'))?.lift, undefined);
    assert.deepEqual(await work.audited(), [
      [
        'FeederLifted',
        null,
        {
          ...{ feeder: 'north', until, upKw: 250, downKw: 150, commands: 4 },
          reason: 'planned',
        },
      ],
      ['FeederLiftEnded', null, { feeder: 'north' }],
    ]);
    assert.equal((await work.verified())?.ok, true);
  });
});

describe('gatewatt ramp lift', () => {
  test('stops at the ceiling, and without one at the budget', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const before = await work.rows();
    const cases = [
      [
        ['north', '--up-kw', '301'],
        '--up-kw: the ceiling of north is 300 kW (ceilingUpKwPerInterval); nobody can lift that ' +
          'while gateways run\n',
      ],
      [
        ['north', '--commands', '11'],
        '--commands: the ceiling of north is 10 (ceilingCommandsPerInterval); nobody can lift that ' +
          'while gateways run\n',
      ],
      [
        ['north', '--down-kw', '151', '--up-kw', '300'],
        '--down-kw: the budget of north is 150 kW, and more needs a ceiling in the configuration ' +
          'file: ceilingDownKwPerInterval\n',
      ],
      [
        ['unassigned', '--commands', '11'],
        '--commands: the budget of unassigned is 10, and more needs a ceiling in the configuration ' +
          'file: ceilingCommandsPerInterval\n',
      ],
    ] as const;
    for (const [parameters, message] of cases) {
      const ended = await work.ramp('lift', ...parameters, '--minutes', '1');
      assert.deepEqual(ended, { code: 1, stdout: '', stderr: message });
    }
    assert.deepEqual(await work.rows(), before);
    assert.deepEqual(await work.audited(), []);
    for (const parameters of [
      ['north', '--up-kw', '300', '--commands', '10', '--down-kw', '150'],
      ['south', '--up-kw', '50', '--commands', '2'],
      // Where nothing was limited, any limit is a lower one.
      ['south', '--down-kw', '1000000'],
    ]) {
      assert.equal((await work.ramp('lift', ...parameters, '--minutes', '1440')).code, 0);
    }
  });

  test('has stable names for programs, and replaces an earlier one', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.json('lift', 'south', '--minutes', '5', '--up-kw', '10');
    const lifted = (await work.json('lift', 'south', '--minutes', '5', '--commands', '1')) as {
      readonly until: string;
    };
    assert.deepEqual(
      { ...lifted, until: '' },
      {
        feeder: 'south',
        outcome: 'lifted',
        until: '',
        limits: { commands: 1, upKw: 50, downKw: null },
        reason: null,
      },
    );
    assert.equal((await stateOf(work, 'south'))?.lift?.untilMs, Date.parse(lifted.until));
    assert.deepEqual(await work.json('lift', 'south', '--end'), {
      feeder: 'south',
      outcome: 'ended',
    });
    const [, second] = (await work.audited()) as readonly (readonly unknown[])[];
    assert.deepEqual(second?.[2], { feeder: 'south', until: lifted.until, upKw: 50, commands: 1 });
  });

  test('is no way around the slow-down of a feeder that swings', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const slowedUntilMs = Date.now() + 600_000;
    const oscillation = { ...freshFeederState.oscillation, slowedUntilMs, reversalsMs: [1, 2] };
    await work.store.query((db) =>
      writeFeederState(db, 'north', { ...freshFeederState, oscillation }),
    );
    const { stderr } = await work.ramp('lift', 'north', '--minutes', '60', '--up-kw', '300');
    assert.match(stderr, /^It has swung to and fro: until 20.*Z half of its budgets hold/);
    const { stdout } = await work.ramp('list', '--feeders');
    assert.match(stdout, /^north .* 0 of 150 /m);
    assert.deepEqual((await stateOf(work, 'north'))?.oscillation, oscillation);
    await work.ramp('lift', 'north', '--end');
    assert.deepEqual((await stateOf(work, 'north'))?.oscillation, oscillation);
  });

  test('ends nothing that has not begun, or is over', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const limits = { commandsMilli: 1, upW: 1, downW: 1 };
    await work.store.query((db) =>
      writeFeederState(db, 'south', { ...freshFeederState, lift: { limits, untilMs: Date.now() } }),
    );
    for (const name of ['north', 'south']) {
      assert.deepEqual(await work.ramp('lift', name, '--end'), {
        code: 1,
        stdout: '',
        stderr: `${name} has the budgets of the configuration file already\n`,
      });
    }
    assert.deepEqual(await work.audited(), []);
  });

  test('does nothing when it is used wrongly', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const before = await work.rows();
    const minutes = ['--minutes', '5'];
    const cases = [
      [[], /^give --minutes, or --end\n$/],
      [['--up-kw', '5'], /^give --minutes, or --end\n$/],
      [minutes, /^give one of --up-kw, --down-kw and --commands at least\n$/],
      [['--end', ...minutes], /^--end: give neither/],
      [['--end', '--commands', '1'], /^--end: give neither/],
      [['--end', '--reason', 'x'], /^--end: give neither/],
      [['--minutes', '0', '--commands', '1'], /must be a whole number from 1 to 1440/],
      [['--minutes', '1441', '--commands', '1'], /must be a whole number from 1 to 1440/],
      [['--minutes', '1.5', '--commands', '1'], /must be a whole number from 1 to 1440/],
      [[...minutes, '--up-kw', '0'], /must be a whole number from 1 to 1000000/],
      [[...minutes, '--down-kw', '-1'], /must be a whole number from 1 to 1000000/],
      [[...minutes, '--commands', '1e3'], /must be a whole number from 1 to 100000/],
      [[...minutes, '--commands', '1', '--reason', '\u009b'], /must be 1 to 200 characters/],
    ] as const;
    const check = async ([parameters, pattern]: (typeof cases)[number]): Promise<void> => {
      const { code, stderr, stdout } = await work.ramp('lift', 'north', ...parameters);
      assert.deepEqual([code, stdout], [2, ''], parameters.join(' '));
      assert.match(stderr, pattern);
    };
    await Promise.all(cases.map(check));
    const unknown = await work.ramp('lift', 'no\u001b[2J', ...minutes, '--commands', '1');
    assert.deepEqual(unknown, {
      code: 1,
      stdout: '',
      stderr: 'There is no feeder no\\u{1b}[2J.\n',
    });
    assert.deepEqual(await work.rows(), before);
    assert.deepEqual(await work.audited(), []);
  });
});

describe('gatewatt ramp', () => {
  test('ends with 2 for what it does not know, and explains itself', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    assert.equal((await work.ramp('drain')).code, 2);
    assert.equal((await work.ramp('list', '--feeder')).code, 2);
    for (const name of ['list', 'show', 'cancel', 'release', 'lift']) {
      const { code, stdout } = await work.ramp(name, '--help');
      assert.equal(code, 0);
      assert.match(stdout, /\nExamples?:\n {2}gatewatt ramp .*\n\n?[\s\S]*Exit codes: 0 /);
    }
  });
});
