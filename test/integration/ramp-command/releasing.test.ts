import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noteFall, noteRise } from '../../../src/ramp-limit/entry-rows.ts';
import { describeEachStore, openSqliteTestStore } from '../../support/stores.ts';
import { looked, rampAtWork, rampLimit } from './ramp-at-work.ts';

// Goal: what an operator puts in front goes first, as fast as the budgets allow, and not faster.
// Method: the real command beside a store that is open as a gateway has it, and the look that a
// gateway takes at it.

const half = { commandsMilli: 1000, upW: 75_000, downW: 0 };

describeEachStore('gatewatt ramp release', (open) => {
  test('puts commands in front of the others, and the budgets hold', async () => {
    await using work = await rampAtWork(open);
    const chargers = ['N-1', 'N-2', 'N-3', 'N-4', 'N-5'];
    await work.connect(...chargers);
    const commands = [];
    for (const charger of chargers) commands.push(await work.hold(charger, { now: half }));
    const ids = commands.slice(2).map(({ id }) => id);
    const [third = '', fourth = '', fifth = ''] = ids;
    const { code, stderr, stdout } = await work.ramp(
      'release',
      fifth,
      third,
      fourth,
      '--reason',
      'x y',
    );
    assert.deepEqual([code, stderr], [0, '']);
    const start = 'RemoteStartTransaction of';
    const lines = stdout.split('\n');
    assert.deepEqual(lines.slice(0, 2), [
      `${third} (${start} N-3) is in the lane "released"; it goes now`,
      `${fourth} (${start} N-4) is in the lane "released"; it goes now`,
    ]);
    // By then it has expired.
    assert.equal(
      lines[2],
      `${fifth} (${start} N-5) is in the lane "released"; it expires before its turn: ` +
        'budget of feeder north in kW up',
    );
    assert.deepEqual(lines.slice(3), [
      'Put in front: 3',
      'The budgets of the feeders and their ceilings hold.',
      '',
    ]);
    assert.deepEqual(
      await work.audited(),
      commands
        .slice(2)
        .map(({ charger, id: commandId }) => [
          'LoadCommandReleaseRequested',
          charger,
          { commandId, lane: 'released', reason: 'x y' },
        ]),
    );
    assert.equal((await work.verified())?.ok, true);
    assert.deepEqual((await looked(work, 'run of gw-2')).releases, ['N-3', 'N-4']);
  });

  test('in an emergency the reserve is used, and the ceiling holds', async () => {
    const [site, north, south] = rampLimit.feeders;
    const generous = { ...north, emergencyKwPerInterval: 1000, emergencyCommandsPerInterval: 20 };
    const section = { ...rampLimit, feeders: [site, generous, south] };
    await using work = await rampAtWork(open, section);
    const chargers = ['N-1', 'N-2', 'N-3', 'N-4', 'N-5'];
    await work.connect(...chargers);
    for (const charger of chargers) await work.hold(charger, { now: half });
    const { code, stdout } = await work.ramp(
      ...['release', '--feeder', 'north', '--emergency', '--reason', 'fire'],
    );
    assert.equal(code, 0);
    assert.match(
      stdout,
      /Put in front: 5\nThe budgets .* with their reserve .* ceilings hold\.\n$/,
    );
    const [first] = (await work.audited()) as readonly (readonly Record<string, unknown>[])[];
    assert.deepEqual([first?.[2]?.['lane'], first?.[2]?.['reason']], ['emergency', 'fire']);
    // Four times 75 kW is the ceiling of 300.
    assert.deepEqual((await looked(work, 'run of gw-2')).releases, ['N-1', 'N-2', 'N-3', 'N-4']);
  });
});

describe('gatewatt ramp release', () => {
  test('ends the jitter, but the dwell time only in an emergency', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.connect('N-1', 'N-2');
    await work.store.query((db) => noteRise(db, 'n-1', 1, Date.now() - 70_000));
    await work.store.query((db) => noteFall(db, 'n-1', 1, Date.now() - 60_000));
    const { id } = await work.hold('N-1');
    const late = await work.hold('N-2', { notBeforeMs: Date.now() + 600_000 });
    const reasons = async (...parameters: readonly string[]) => {
      const { commands } = (await work.json('release', ...parameters, '--reason', 'r')) as {
        readonly commands: readonly { readonly why: { readonly is: string } }[];
      };
      return commands.map(({ why: { is } }) => is);
    };
    assert.deepEqual(await reasons('--all'), ['dwell', 'now']);
    assert.deepEqual(await reasons(id, late.id, '--emergency'), ['now', 'now']);
  });

  test('has stable names for programs', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.connect('N-1');
    const { id } = await work.hold('N-1');
    const away = await work.hold('N-2');
    const report = (await work.json('release', '--all')) as {
      readonly commands: readonly Readonly<Record<string, unknown>>[];
    };
    const { aboutUntil, ...first } = report.commands[0] ?? {};
    assert.match(String(aboutUntil), /^\d{4}-.*Z$/);
    const common = { action: 'RemoteStartTransaction', feeder: 'north', outcome: 'released' };
    assert.deepEqual(
      { ...report, commands: [first, report.commands[1]] },
      {
        lane: 'released',
        count: 2,
        commands: [
          { id, charger: 'N-1', ...common, why: { is: 'now' } },
          { id: away.id, charger: 'N-2', ...common, why: { is: 'away' }, aboutUntil: null },
        ],
        unknown: [],
      },
    );
  });

  test('never slows anything down, and records nothing that it has not done', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const fast = await work.hold('N-1', { lane: 'emergency', reason: 'fire' });
    const sent = await work.hold('N-2', { state: 'sent' });
    const cancelled = await work.hold('N-3', { state: 'cancelled', isAnswered: false });
    const before = (await work.rows()) as { readonly commands: unknown };
    const { code, stdout } = await work.ramp('release', fast.id);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /N-1\) was in the lane "emergency" before; it waits: the charger is away\n/,
    );
    const ended = await work.ramp('release', sent.id, cancelled.id, '99999999');
    assert.equal(ended.code, 1);
    assert.deepEqual(
      ended.stderr.split('\n').sort(),
      [
        '',
        `${cancelled.id} (RemoteStartTransaction of N-3) was cancelled before`,
        `${sent.id} (RemoteStartTransaction of N-2) was sent before`,
        'there is no command 99999999 (any more)',
      ].sort(),
    );
    assert.deepEqual(
      ((await work.rows()) as { readonly commands: unknown }).commands,
      before.commands,
    );
    assert.deepEqual(await work.audited(), []);
    const all = await work.ramp('release', '--all');
    assert.equal(all.code, 0, 'nobody was named');
  });

  test('does nothing when it is used wrongly', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const { id } = await work.hold('N-1');
    const before = await work.rows();
    const cases = [
      [[], /^name the commands, or give one of --feeder, --charger and --all\n$/],
      [[id, '--all'], /^name the commands/],
      [[id, '--emergency'], /^--emergency: --reason must say why\n$/],
      [[id, '--emergency', '--reason', ''], /must be 1 to 200 characters/],
      [['0b7f1c5'], /must be the id of a command/],
    ] as const;
    const check = async ([parameters, pattern]: (typeof cases)[number]): Promise<void> => {
      const { code, stderr, stdout } = await work.ramp('release', ...parameters);
      assert.deepEqual([code, stdout], [2, ''], parameters.join(' '));
      assert.match(stderr, pattern);
    };
    await Promise.all(cases.map(check));
    const unknown = await work.ramp('release', '--feeder', 'nowhere');
    assert.deepEqual(unknown, { code: 1, stdout: '', stderr: 'There is no feeder nowhere.\n' });
    assert.deepEqual(await work.rows(), before);
    assert.deepEqual(await work.audited(), []);
  });
});
