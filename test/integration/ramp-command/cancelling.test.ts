import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandom } from '../../../src/lib/random.ts';
import { insertEntries } from '../../../src/ramp-limit/entry-rows.ts';
import type { LoadChange } from '../../../src/ramp-limit/load-change.ts';
import { describeEachStore, openSqliteTestStore } from '../../support/stores.ts';
import { looked, type RampAtWork, rampAtWork } from './ramp-at-work.ts';

// Goal: what an operator cancels is never sent, whoever waits for it is told, and the audit log has
// it; what was sent stays.
// Method: the real command beside a store that is open as a gateway has it, and the look that a
// gateway takes at it.

const at = (hours: number): number => Date.now() + hours * 3_600_000;

async function states({ store }: RampAtWork): Promise<unknown> {
  const rows = await store.query((db) =>
    db.selectFrom('ramp_command').select(['charger', 'state']).orderBy('sequence').execute(),
  );
  return Object.fromEntries(rows.map(({ charger, state }) => [charger, state]));
}

describeEachStore('gatewatt ramp cancel', (open) => {
  test('removes what was answered, and leaves the rest to the gateway that can tell', async () => {
    await using work = await rampAtWork(open);
    await work.connect('N-1', 'N-2', 'N-3', 'N-4');
    const answered = await work.hold('N-1');
    const unanswered = await work.hold('N-2', { isAnswered: false, action: 'Reset' });
    const sent = await work.hold('N-3', { state: 'sent' });
    await work.hold('N-4');
    const arriving = await work.hold('N-5', { state: 'arriving', isAnswered: false });
    const ids = [answered, unanswered, sent, arriving].map(({ id }) => id);
    const { code, stderr, stdout } = await work.ramp('cancel', ...ids, '--reason', 'stolen key');
    assert.equal(code, 1, 'one of them was sent');
    assert.equal(
      stdout,
      `${answered.id} (RemoteStartTransaction of N-1) is cancelled; the CSMS believes that it was ` +
        `accepted\n${unanswered.id} (Reset of N-2) is cancelled; the gateway tells the CSMS\n` +
        `${arriving.id} (RemoteStartTransaction of N-5) is cancelled; the CSMS believes that it ` +
        'was accepted\nCancelled: 3\n',
    );
    assert.equal(stderr, `${sent.id} (RemoteStartTransaction of N-3) was sent: too late\n`);
    assert.deepEqual(await states(work), { 'N-2': 'cancelled', 'N-3': 'sent', 'N-4': 'waiting' });
    assert.deepEqual(
      await work.audited(),
      [answered, unanswered, arriving].map(({ charger, id: commandId }) => [
        'LoadCommandCancelled',
        charger,
        { commandId, reason: 'stolen key' },
      ]),
    );
    assert.equal((await work.verified())?.ok, true);

    const { cancelled, releases } = await looked(work, 'run of gw-2');
    assert.deepEqual(
      cancelled.map(({ id }) => id),
      [unanswered.id],
    );
    assert.deepEqual(releases, ['N-4']);
  });

  test('forgets what a cancelled command was to do later, and that alone', async () => {
    await using work = await rampAtWork(open);
    const limit = await work.hold('N-1', { action: 'SetChargingProfile', loadClass: 'limit' });
    const change: LoadChange = { commandsMilli: 0, upW: 1000, downW: 0 };
    const entry = { ...change, feeder: 'north', chargerKey: 'n-1', commandId: limit.id };
    const entries = [
      { ...entry, kind: 'schedule' as const, atMs: at(1) },
      { ...entry, kind: 'schedule' as const, atMs: at(2), commandId: 'another' },
      { ...entry, kind: 'release' as const, atMs: at(-0.1) },
    ];
    await work.store.query((db) => insertEntries(db, entries, systemRandom));
    assert.equal((await work.ramp('cancel', limit.id)).code, 0);
    const left = await work.store.query((db) =>
      db.selectFrom('ramp_entry').select(['kind', 'command_id']).orderBy('kind').execute(),
    );
    assert.deepEqual(left, [
      { kind: 'release', command_id: limit.id },
      { kind: 'schedule', command_id: 'another' },
    ]);
  });
});

describe('gatewatt ramp cancel', () => {
  test('has stable names for programs', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const one = await work.hold('N-1');
    const two = await work.hold('N-2', { isAnswered: false });
    const common = { action: 'RemoteStartTransaction', feeder: 'north', outcome: 'cancelled' };
    assert.deepEqual(await work.json('cancel', '--all'), {
      count: 2,
      commands: [
        { id: one.id, charger: 'N-1', ...common, wasAnswered: true },
        { id: two.id, charger: 'N-2', ...common, wasAnswered: false },
      ],
      unknown: [],
    });
    const again = await work.ramp('cancel', two.id, '99999999', '--json');
    assert.equal(again.code, 1);
    assert.deepEqual(JSON.parse(again.stdout), {
      count: 0,
      commands: [{ id: two.id, charger: 'N-2', ...common, outcome: 'already', wasAnswered: false }],
      unknown: [{ id: '99999999', outcome: 'unknown' }],
    });
    const [first] = (await work.audited()) as readonly (readonly unknown[])[];
    assert.deepEqual(first?.[2], { commandId: one.id, reason: 'an operator said so' });
    assert.equal((await work.audited()).length, 2);
  });

  test('takes those of a feeder with its parts, of a charger, or all', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const chargers = ['N-1', 'N-1', 'N-10', 'S-1', 'X-1'];
    for (const charger of chargers) await work.hold(charger);
    await work.hold('X-2', { state: 'sent' });
    const left = async (...parameters: readonly string[]) => {
      const { code, stdout } = await work.ramp('cancel', ...parameters);
      assert.equal(code, 0);
      return [Object.keys((await states(work)) as object), /Cancelled: \d/.exec(stdout)?.[0]];
    };
    assert.deepEqual(await left('--charger', 'n-1'), [
      ['N-10', 'S-1', 'X-1', 'X-2'],
      'Cancelled: 2',
    ]);
    assert.deepEqual(await left('--feeder', 'site'), [['X-1', 'X-2'], 'Cancelled: 2']);
    // What was sent is no failure of a command that names nobody.
    assert.deepEqual(await left('--all'), [['X-2'], 'Cancelled: 1']);
    assert.deepEqual(await left('--feeder', 'north'), [['X-2'], 'Cancelled: 0']);
  });

  test('does what can be done when some ids mean nothing', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const same = ['00000000-0000-4000-8000-00000000000a', '00000000-0001-4000-8000-00000000000b'];
    for (const id of same) await work.hold('N-1', { id });
    const { id } = await work.hold('N-2');
    const short = id.slice(0, 9);
    const { code, stderr, stdout } = await work.ramp('cancel', '00000000', '99999999', short, id);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^${id} .* is cancelled; [^\n]*\n$`));
    assert.equal(
      stderr,
      '00000000 is the beginning of several ids: give more of it\n' +
        'there is no command 99999999 (any more)\n',
    );
    assert.deepEqual(await states(work), { 'N-1': 'waiting' });
    assert.equal((await work.audited()).length, 1);
  });

  test('does nothing when it is used wrongly', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const { id } = await work.hold('N-1');
    const before = await work.rows();
    const either = /^name the commands, or give one of --feeder, --charger and --all\n$/;
    const cases = [
      [[], either],
      [[id, '--all'], either],
      [['--all', '--feeder', 'north'], either],
      [['--charger', 'N-1', '--feeder', 'north'], either],
      [['N-1'], /must be the id of a command/],
      [['--charger', 'N/1'], /must be 1 to .* characters/],
      [[id, '--reason', ''], /must be 1 to 200 characters that can be printed/],
      [[id, '--reason', 'a\u0007b'], /must be 1 to 200 characters that can be printed/],
      [[id, '--reason', 'x'.repeat(201)], /must be 1 to 200 characters that can be printed/],
    ] as const;
    const check = async ([parameters, pattern]: (typeof cases)[number]): Promise<void> => {
      const { code, stderr, stdout } = await work.ramp('cancel', ...parameters);
      assert.deepEqual([code, stdout], [2, ''], parameters.join(' '));
      assert.match(stderr, pattern);
    };
    await Promise.all(cases.map(check));
    const unknown = await work.ramp('cancel', '--feeder', 'nowhere');
    assert.deepEqual(unknown, { code: 1, stdout: '', stderr: 'There is no feeder nowhere.\n' });
    assert.deepEqual(await work.rows(), before);
    assert.deepEqual(await work.audited(), []);
  });

  test('of two that cancel the same at once, each command has one, and one record', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    for (let index = 0; index < 20; index += 1) await work.hold(`N-${index}`);
    const ended = await Promise.all([work.json('cancel', '--all'), work.json('cancel', '--all')]);
    const counts = (ended as readonly { readonly count: number }[]).map(({ count }) => count);
    assert.deepEqual(
      counts.sort((one, other) => one - other),
      [0, 20],
    );
    assert.equal((await work.audited()).length, 20);
    assert.equal((await work.verified())?.ok, true);
  });

  test('cancels two thousand commands at once', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    for (let index = 0; index < 2000; index += 1) await work.hold(`N-${index % 100}`);
    const { count } = (await work.json('cancel', '--all')) as { count: number };
    assert.equal(count, 2000);
    assert.deepEqual(await states(work), {});
    assert.equal((await work.audited()).length, 2000);
    assert.equal((await work.verified())?.ok, true);
  });
});
