import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noteFall, noteRise } from '../../../src/ramp-limit/entry-rows.ts';
import { describeEachStore, openSqliteTestStore } from '../../support/stores.ts';
import { assertHarmless, type RampAtWork, rampAtWork, rampLimit } from './ramp-at-work.ts';

// Goal: an operator sees what waits, for what and for about how long, and changes nothing by it.
// Method: the real command on a store whose rows are as the limiter writes them.

interface Listed {
  readonly mode: string;
  readonly commands: readonly {
    readonly id: string;
    readonly charger: string;
    readonly connectedTo: string | null;
    readonly why: Readonly<Record<string, unknown>>;
    readonly aboutUntil: string | null;
    readonly waitedSeconds: number;
    readonly expiresAt: string;
  }[];
  readonly feeders: readonly Readonly<Record<string, unknown>>[];
}

async function listed(work: RampAtWork, ...parameters: readonly string[]): Promise<Listed> {
  return (await work.json('list', ...parameters)) as Listed;
}

/** Why each command waits, by its charger. */
function reasons({ commands }: Listed): unknown {
  return Object.fromEntries(commands.map(({ charger, why: { is } }) => [charger, is]));
}

/**
 * In so many milliseconds from now, give or take half a minute, since use is counted by the minute, and
 * what the test itself may take.
 */
function assertAbout(time: string | null, waitMs: number): void {
  assert.ok(time !== null);
  const differenceMs = Date.parse(time) - Date.now() - waitMs;
  assert.ok(Math.abs(differenceMs) < 40_000, `${differenceMs} ms off`);
}

const hourMs = 3_600_000;

describeEachStore('gatewatt ramp list', (open) => {
  test('says of each command why it waits', async () => {
    await using work = await rampAtWork(open);
    await work.connect('N-1', 'N-2', 'N-3', 'N-4', 'N-5', 'S-1', 'S-2');
    await work.use('north', { upW: 110_000 });
    await work.store.query((db) => noteRise(db, 'n-1', 1, Date.now() - 70_000));
    await work.store.query((db) => noteFall(db, 'n-1', 1, Date.now() - 60_000));
    await work.hold('N-1');
    await work.hold('N-2', { notBeforeMs: Date.now() + 600_000 });
    await work.hold('N-3');
    await work.hold('N-4');
    await work.hold('N-4', { swing: 'none', now: { commandsMilli: 10, upW: 1, downW: 0 } });
    await work.hold('N-5', { state: 'sent', sentAtMs: Date.now() });
    await work.hold('N-6');
    await work.hold('S-1', { state: 'arriving' });
    await work.hold('S-2', { state: 'cancelled', isAnswered: false });
    const list = await listed(work);
    assert.equal(list.mode, 'enforce');
    assert.deepEqual(
      list.commands.map(({ charger, why: { is } }) => [charger, is]),
      [
        ['N-5', 'sent'],
        ['N-1', 'dwell'],
        ['N-2', 'jitter'],
        ['N-3', 'now'],
        ['N-4', 'budget'],
        ['N-4', 'order'],
        ['N-6', 'away'],
        ['S-1', 'arriving'],
        ['S-2', 'cancelled'],
      ],
    );
    const { until, ...budget } = list.commands[4]?.why ?? {};
    assert.deepEqual(budget, { is: 'budget', feeder: 'north', dimension: 'upKw' });
    assertAbout(String(until), hourMs - 30_000);
    assertAbout(list.commands[1]?.aboutUntil ?? null, hourMs - 60_000);
    assertAbout(list.commands[2]?.aboutUntil ?? null, 600_000);
    assertAbout(list.commands[3]?.aboutUntil ?? null, 0);
    assertAbout(list.commands[4]?.aboutUntil ?? null, hourMs - 30_000);
    for (const index of [0, 6, 7, 8]) assert.equal(list.commands[index]?.aboutUntil, null);
    assert.deepEqual(
      list.commands.map(({ connectedTo }) => connectedTo),
      [...Array(6).fill('gw-2'), null, 'gw-2', 'gw-2'],
    );

    const { code, stderr, stdout } = await work.ramp('list');
    assert.deepEqual([code, stderr], [0, '']);
    assertHarmless(stdout);
    const lines = stdout.split('\n');
    assert.match(
      lines[0] ?? '',
      /^ID +CHARGER +ACTION +FEEDER +LANE +kW UP +kW DOWN +WAITED +WHY +ABOUT UNTIL +ANSWERED +EXPIRES$/,
    );
    const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}Z';
    for (const [index, why] of [
      'sent, no answer yet +- +yes +-',
      'dwell time after a fall +expires before +yes',
      `jitter +${time} +yes +${time}`,
      'now +now',
      'budget of feeder north in kW up +expires before',
      'behind an earlier command',
      'the charger is away +-',
      'it has just come',
      'cancelled, its caller is being told +- +no',
    ].entries()) {
      const start =
        /^[\da-f]{8} +[NS]-\d +RemoteStartTransaction +(?:north|south) +ordinary +\d+ +0 +1\d s +/;
      assert.match(lines[index + 1] ?? '', new RegExp(`${start.source}${why}`));
    }
  });

  test('changes nothing', async () => {
    await using work = await rampAtWork(open);
    await work.connect('N-1', 'N-2');
    await work.use('north', { upW: 110_000 });
    const { id } = await work.hold('N-1');
    await work.hold('N-2');
    const before = await work.rows();
    await listed(work);
    await work.ramp('list', '--feeders');
    await work.json('show', id);
    assert.deepEqual(await work.rows(), before);
    assert.deepEqual(await work.audited(), []);
    const locks = await work.store.query((db) => db.selectFrom('counter').selectAll().execute());
    assert.deepEqual(locks, [], 'nobody had to wait');
  });
});

describe('gatewatt ramp list', () => {
  test('has stable names for programs', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.connect('N-1');
    await work.use('north', { commandsMilli: 1500, upW: 7_360 });
    const { arrivedAtMs, expiresAtMs, id } = await work.hold('N-1', {
      lane: 'released',
      reason: 'driver waits',
    });
    const { commands, feeders } = await listed(work);
    const [command] = commands;
    assert.ok(command !== undefined && command.waitedSeconds >= 10);
    assert.deepEqual(
      { ...command, waitedSeconds: 0, aboutUntil: '' },
      {
        id,
        charger: 'N-1',
        connectedTo: 'gw-2',
        action: 'RemoteStartTransaction',
        feeder: 'north',
        lane: 'released',
        reason: 'driver waits',
        state: 'waiting',
        upKw: 22,
        downKw: 0,
        commands: 1,
        basis: 'rating',
        arrivedAt: new Date(arrivedAtMs).toISOString(),
        waitedSeconds: 0,
        why: { is: 'now' },
        aboutUntil: '',
        isAnswered: true,
        expiresAt: new Date(expiresAtMs).toISOString(),
      },
    );
    const common = { slowedUntil: null, liftedUntil: null, waiting: 0 };
    const nothing = { commands: 0, upKw: 0, downKw: 0 };
    const unlimited = { commands: null, upKw: null, downKw: null };
    assert.deepEqual(feeders, [
      {
        ...{ ...common, feeder: 'site', within: null, intervalSeconds: 3600, waiting: 1 },
        ...{ used: nothing, limits: { ...unlimited, commands: 50 }, ceilings: unlimited },
      },
      {
        ...{ ...common, feeder: 'north', within: 'site', intervalSeconds: 3600, waiting: 1 },
        used: { commands: 1.5, upKw: 7.36, downKw: 0 },
        limits: { commands: 4, upKw: 150, downKw: 150 },
        ceilings: { commands: 10, upKw: 300, downKw: null },
      },
      {
        ...{ ...common, feeder: 'south', within: 'site', intervalSeconds: 3600 },
        ...{ used: nothing, limits: { ...unlimited, commands: 2, upKw: 50 }, ceilings: unlimited },
      },
      {
        ...{ ...common, feeder: 'unassigned', within: null, intervalSeconds: 10 },
        ...{ used: nothing, limits: { ...unlimited, commands: 10 }, ceilings: unlimited },
      },
    ]);
  });

  test('shows how full the feeders are when it is asked', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.hold('N-1');
    await work.use('north', { commandsMilli: 1500, upW: 7_360 });
    const { stdout } = await work.ramp('list', '--feeders');
    const [, commands, blank, headings, site, north, ...rest] = stdout.split('\n');
    assert.match(commands ?? '', / N-1 /);
    assert.equal(blank, '');
    assert.match(headings ?? '', /^FEEDER +WITHIN +INTERVAL +COMMANDS +kW UP +kW DOWN +SLOWED/);
    assert.match(site ?? '', /^site +- +3600 s +0 of 50 +0, no limit +0, no limit +- +- +1$/);
    assert.match(north ?? '', /^north +site +3600 s +1\.5 of 4 +7\.4 of 150 +0 of 150 +- +- +1$/);
    assert.match(rest.join('\n'), /^south .*\nunassigned .*\n$/);
    assert.doesNotMatch((await work.ramp('list')).stdout, /INTERVAL/);
  });

  test('filters by feeder, with its parts, and by charger', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    for (const charger of ['N-1', 'S-1', 'X-1']) await work.hold(charger);
    await work.hold('OLD-1', { feeder: 'gone' });
    const chargers = async (...parameters: readonly string[]) =>
      (await listed(work, ...parameters)).commands.map(({ charger }) => charger);
    const names = async (...parameters: readonly string[]) =>
      (await listed(work, ...parameters)).feeders.map(({ feeder }) => feeder);
    assert.deepEqual(await chargers(), ['N-1', 'S-1', 'X-1', 'OLD-1']);
    assert.deepEqual(await chargers('--feeder', 'north'), ['N-1']);
    assert.deepEqual(await chargers('--feeder', 'site'), ['N-1', 'S-1']);
    // What the configuration has no longer counts as unassigned, and has its old name as well.
    assert.deepEqual(await chargers('--feeder', 'unassigned'), ['X-1', 'OLD-1']);
    assert.deepEqual(await chargers('--feeder', 'gone'), ['OLD-1']);
    assert.deepEqual(await chargers('--charger', 'n-*'), ['N-1']);
    assert.deepEqual(await chargers('--charger', '*-1', '--feeder', 'south'), ['S-1']);
    assert.deepEqual(await chargers('--charger', 'N'), []);
    assert.deepEqual(await names('--feeder', 'site'), ['site', 'north', 'south']);
    const unknown = await work.ramp('list', '--feeder', 'no\u001bsuch');
    assert.deepEqual(unknown, {
      code: 1,
      stdout: '',
      stderr: 'There is no feeder no\\u{1b}such.\n',
    });
  });

  test('says about when those behind a queue go', async () => {
    const feeders = [{ name: 'north', intervalSeconds: 600, commandsPerInterval: 2 }];
    await using work = await rampAtWork(openSqliteTestStore, { ...rampLimit, feeders });
    const waits: number[] = [];
    for (let index = 0; index < 70; index += 1) {
      // The first is no part of the queue: its charger is away.
      if (index > 0) await work.connect(`N-${index}`);
      await work.hold(`N-${index}`, { expiresAtMs: Date.now() + 86_400_000 });
      waits.push(Math.floor((index - 1) / 2) * 600_000);
    }
    const { commands } = await listed(work);
    assert.equal(commands[0]?.why['is'], 'away');
    for (const [index, { aboutUntil, why }] of commands.entries()) {
      if (index === 0) continue;
      assertAbout(aboutUntil, waits[index] ?? 0);
      // The last ones are beyond what a plan looks at.
      assert.equal(why['is'], index < 3 ? 'now' : index === 3 ? 'budget' : 'order');
    }
  });

  test('counts those whom an operator has released as a queue, too', async () => {
    const feeders = [{ name: 'north', intervalSeconds: 600, commandsPerInterval: 1 }];
    await using work = await rampAtWork(openSqliteTestStore, { ...rampLimit, feeders });
    await work.connect('N-1', 'N-2', 'N-3');
    await work.hold('N-1');
    await work.hold('N-2', { lane: 'released' });
    await work.hold('N-3', { lane: 'released' });
    const { commands } = await listed(work);
    assert.deepEqual(
      commands.map(({ charger }) => charger),
      ['N-2', 'N-3', 'N-1'],
    );
    for (const [index, { aboutUntil }] of commands.entries()) {
      assertAbout(aboutUntil, index * 600_000);
    }
  });

  test('says when a command will never fit, and keeps those behind it apart from that', async () => {
    const section = { ...rampLimit, oversized: 'refuse' };
    await using work = await rampAtWork(openSqliteTestStore, section);
    await work.connect('N-1', 'N-2');
    const now = { commandsMilli: 1000, upW: 151_000, downW: 0 };
    await work.hold('N-1', { now });
    await work.hold('N-2');
    const list = await listed(work);
    assert.deepEqual(reasons(list), { 'N-1': 'budget', 'N-2': 'now' });
    assert.deepEqual([list.commands[0]?.why['until'], list.commands[0]?.aboutUntil], [null, null]);
    const { stdout } = await work.ramp('list');
    assert.match(stdout, /larger than feeder north in kW up allows +expires before/);
  });

  test('a command whose caller waits ends with that wait, unless it is answered then', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const open = { isAnswered: false };
    const refused = await work.hold('N-1', { ...open, onLongWait: 'refuse' });
    const answered = await work.hold('N-2', { ...open, onLongWait: 'answer' });
    const { commands } = await listed(work);
    assert.deepEqual(
      commands.map(({ expiresAt }) => Date.parse(expiresAt)),
      [refused.answerByMs, answered.expiresAtMs],
    );
  });

  test('a gateway that has died has no chargers', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.connect('N-1');
    await work.hold('N-1');
    assert.deepEqual(reasons(await listed(work)), { 'N-1': 'now' });
    await work.store.query((db) =>
      db.updateTable('gateway_lease').set({ expires_ms: 1 }).execute(),
    );
    const list = await listed(work);
    assert.deepEqual(reasons(list), { 'N-1': 'away' });
    assert.equal(list.commands[0]?.connectedTo, null);
  });

  test('shows so much of each id that they differ', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const ids = ['00000000-0000-4000-8000-00000000000a', '00000000-0001-4000-8000-00000000000b'];
    for (const id of ids) await work.hold('N-1', { id });
    const { stdout } = await work.ramp('list', '--charger', 'N-1');
    assert.match(stdout, /\n00000000-0000 +N-1 .*\n00000000-0001 +N-1 /);
  });

  test('says in words that there is nothing, and when gateways hold nothing', async () => {
    await using work = await rampAtWork(openSqliteTestStore, { ...rampLimit, mode: 'monitor' });
    const { code, stderr, stdout } = await work.ramp('list');
    assert.deepEqual([code, stdout], [0, '']);
    assert.equal(
      stderr,
      'There are no such commands.\n' +
        'rampLimit.mode is monitor: gateways with this configuration hold nothing.\n',
    );
    assert.equal((await listed(work)).mode, 'monitor');
  });

  test('lets nothing of a command reach the terminal', async () => {
    const hostile = 'V\u001b[2J\u009b31m\r\u202e"\u0007';
    await using work = await rampAtWork(openSqliteTestStore);
    const { id } = await work.hold('N-1', {
      charger: `N-1${hostile}`,
      feeder: hostile,
      action: hostile,
      messageId: hostile,
      payload: { idTag: hostile, [hostile]: 1 },
      reason: hostile,
      incarnation: hostile,
    });
    for (const parameters of [
      ['list', '--feeders'],
      ['show', id],
      ['release', id],
      ['cancel', id],
    ]) {
      const text = await work.ramp(...parameters);
      assert.equal(text.code, 0);
      assertHarmless(text.stdout + text.stderr);
      assert.match(text.stdout, /V\\u\{1b\}\[2J/);
      if (parameters[0] === 'cancel') continue;
      const json = await work.ramp(...parameters, '--json');
      assertHarmless(json.stdout + json.stderr);
      assert.ok(JSON.stringify(JSON.parse(json.stdout)).includes(JSON.stringify(hostile)));
    }
  });
});
