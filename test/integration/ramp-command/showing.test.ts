import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openSqliteTestStore } from '../../support/stores.ts';
import { assertHarmless, rampAtWork } from './ramp-at-work.ts';

// Goal: an operator who looks at one command learns all about it, but for its secrets.
// Method: the real command on a store whose rows are as the limiter writes them.

describe('gatewatt ramp show', () => {
  test('tells everything', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.connect('N-1', 'N-2', 'N-3', 'S-1');
    await work.use('north', { upW: 130_000 });
    await work.hold('N-1', { now: { commandsMilli: 1000, upW: 50_000, downW: 0 } });
    await work.hold('S-1');
    await work.hold('N-9');
    const { id } = await work.hold('N-2', { lane: 'ordinary', reason: 'because' });
    await work.hold('N-3');
    const { code, stderr, stdout } = await work.ramp('show', id.slice(0, 8).toUpperCase());
    assert.deepEqual([code, stderr], [0, '']);
    assertHarmless(stdout);
    const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}Z';
    for (const pattern of [
      `^id +${id}\n`,
      '\ncharger +N-2\n',
      '\nconnected +to gateway gw-2\n',
      '\naction +RemoteStartTransaction \\(ocpp1\\.6\\)\n',
      '\nmessage +m-1\n',
      '\nEVSE or connector +1\n',
      '\nfeeders +north, within site\n',
      '\nlane +ordinary\nreason +because\n',
      '\nload +22 kW up, 0 kW down, 1 command: the rating of the charger\n',
      `\narrived +${time}, 1\\d s ago\n`,
      '\nwaits for +behind an earlier command\n',
      '\ngoes about +expires before\n',
      // Not the one whose charger is away.
      '\nahead of it +2, together 72 kW up, 0 kW down, 2 commands\n',
      '\nthe CSMS +was told "Accepted" in the name of the charger\n',
      `\nexpires +${time}\n`,
      '\n\nFEEDER .*\nsite .*\nnorth +site +3600 s +0 of 4 +130 of 150 ',
      '\n\n\\{"connectorId":1,"idTag":"TAG-1"\\}\n$',
    ]) {
      assert.match(stdout, new RegExp(pattern));
    }
    assert.doesNotMatch(stdout, /\nsouth|\nunassigned/);
  });

  test('has it all for programs', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.connect('N-1');
    const { answerByMs, id } = await work.hold('N-1', { isAnswered: false });
    const report = (await work.json('show', id)) as Readonly<Record<string, unknown>>;
    const list = (await work.json('list')) as { commands: readonly object[] };
    const common = Object.keys(list.commands[0] ?? {});
    assert.deepEqual(Object.keys(report), [
      ...common,
      ...['version', 'messageId', 'place', 'isReply', 'sentAt', 'told', 'answerBy', 'onLongWait'],
      ...['ahead', 'feeders', 'payload'],
    ]);
    assert.deepEqual(
      [report['told'], report['answerBy'], report['onLongWait']],
      [null, new Date(answerByMs).toISOString(), 'answer'],
    );
    assert.deepEqual(report['ahead'], { count: 0, commands: 0, upKw: 0, downKw: 0 });
    assert.deepEqual(report['payload'], { connectorId: 1, idTag: 'TAG-1' });
    const names = (report['feeders'] as readonly { feeder: string }[]).map(({ feeder }) => feeder);
    assert.deepEqual(names, ['site', 'north']);
    const answered = await work.hold('N-2');
    const other = (await work.json('show', answered.id)) as Readonly<Record<string, unknown>>;
    assert.deepEqual([other['told'], other['answerBy']], [{ status: 'Accepted' }, null]);
  });

  test('says what the CSMS was told, or will be', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const isAnswered = false;
    const off = { connectorId: 1, type: 'Inoperative' };
    const cases = [
      [{ isAnswered, onLongWait: 'answer' }, /waits; is told "Accepted" in the name .* at 20/],
      [{ isAnswered, onLongWait: 'refuse' }, /waits; is told an error at 20/],
      [{ isAnswered, isReply: true }, /has answered a call of the charger with it/],
      [{ action: 'ChangeAvailability', payload: off }, /was told "Scheduled" in the name/],
    ] as const;
    for (const [given, pattern] of cases) {
      const { id } = await work.hold('N-1', given);
      assert.match((await work.ramp('show', id)).stdout, pattern);
    }
  });

  test('says of what was sent when that was, and not what is ahead of it', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    await work.hold('N-1');
    const { id } = await work.hold('N-1', { state: 'sent', sentAtMs: Date.UTC(2026, 0, 1) });
    const { stdout } = await work.ramp('show', id);
    assert.match(stdout, /\nsent +2026-01-01T00:00:00Z\nwaits for +sent, no answer yet\n/);
    assert.doesNotMatch(stdout, /expires|ahead/);
  });

  test('shows no secret', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const setVariableData = [
      {
        component: { name: 'SecurityCtrlr' },
        variable: { name: 'BasicAuthPassword' },
        attributeValue: 'hunter2hunter2',
      },
    ];
    const location = 'https://user:hunter2@host/firmware';
    const { id } = await work.hold('N-1', { payload: { setVariableData, location } });
    for (const parameters of [
      ['show', id],
      ['show', id, '--json'],
    ]) {
      const { code, stdout } = await work.ramp(...parameters);
      assert.equal(code, 0);
      assert.doesNotMatch(stdout, /hunter2/);
      assert.match(stdout, /\[redacted\]/);
      assert.match(stdout, /SecurityCtrlr/);
    }
  });

  test('fails for what is not there, what is not clear, and what is no id', async () => {
    await using work = await rampAtWork(openSqliteTestStore);
    const ids = ['00000000-0000-4000-8000-00000000000a', '00000000-0001-4000-8000-00000000000b'];
    for (const id of ids) await work.hold('N-1', { id });
    assert.deepEqual(await work.ramp('show', '11111111'), {
      code: 1,
      stdout: '',
      stderr: 'there is no command 11111111 (any more)\n',
    });
    assert.deepEqual(await work.ramp('show', '00000000'), {
      code: 1,
      stdout: '',
      stderr: '00000000 is the beginning of several ids: give more of it\n',
    });
    assert.equal((await work.ramp('show', '00000000-0001')).code, 0);
    for (const id of ['0000000', '%%%%%%%%', 'N-1', '00000000-0001-4000-8000-00000000000b0']) {
      const { code, stderr, stdout } = await work.ramp('show', id);
      assert.deepEqual([code, stdout], [2, ''], id);
      assert.match(stderr, /must be the id of a command, or its first 8 characters or more/);
    }
  });
});
