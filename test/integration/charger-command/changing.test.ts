import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { findCharger } from '../../../src/chargers/registry.ts';
import { latestRevision } from '../../../src/chargers/registry-changes.ts';
import { enrollCharger } from '../../../src/chargers/registry-sightings.ts';
import { describeEachStore, openSqliteTestStore } from '../../support/stores.ts';
import { connect, noCredential, registryAtWork, run, writeConfig } from './registry-at-work.ts';

// Goal: what an operator types happens, is in the audit log, and is told to running gateways; what
// is typed wrongly does nothing.
// Method: the real command beside a store that is open as a gateway has it.

const cp1 = 'CP-1' as ChargerId;

describeEachStore('gatewatt charger changes the registry', (open) => {
  test('add, set, quarantine, release and remove, each with its record', async () => {
    await using work = await registryAtWork(open);
    const { charger, json, store } = work;
    const added = await charger(
      ...['add', 'CP-1', '--feeder', 'north', '--ping-seconds', '0', '--rated-kw', '22'],
    );
    assert.deepEqual(added, { code: 0, stdout: 'CP-1 is added\n', stderr: '' });
    const rules = ['--rule', 'payload=monitor:charger', '--rule', 'format=off'];
    assert.deepEqual(
      await json('set', 'cp-1', ...rules, '--clear', 'feeder', '--no-record-messages'),
      {
        identity: 'CP-1',
        outcome: 'changed',
        settings: {
          pingSeconds: 0,
          ratedKw: 22,
          recordsMessages: false,
          ruleModes: [
            { rule: 'payload', mode: 'monitor', from: 'charger' },
            { rule: 'format', mode: 'off' },
          ],
        },
        credential: noCredential,
      },
    );
    await charger('quarantine', 'CP-1', '--minutes', '5', '--reason', 'stolen');
    await charger('release', 'CP-1');
    assert.deepEqual(await json('remove', 'cp-1'), {
      identity: 'CP-1',
      connectedTo: null,
      outcome: 'removed',
      stillAdmittedBy: null,
    });
    assert.equal(await store.query((db) => findCharger(db, cp1)), undefined);
    assert.equal(await store.query(latestRevision), 5);
    const records = (await work.audited()) as readonly (readonly unknown[])[];
    assert.deepEqual(
      records.map(([chain, event, id, by]) => [chain, event, id, by]),
      [
        ['gw-1', 'ChargerAdded', 'CP-1', 'string'],
        ['gw-1', 'ChargerChanged', 'CP-1', 'string'],
        ['gw-1', 'IdentityQuarantined', 'CP-1', 'string'],
        ['gw-1', 'IdentityReleased', 'CP-1', 'string'],
        ['gw-1', 'ChargerRemoved', 'CP-1', 'string'],
      ],
    );
    assert.deepEqual(records[0]?.[4], {
      settings: { feeder: 'north', pingSeconds: 0, ratedKw: 22 },
    });
    const changed = JSON.stringify(records[1]?.[4]);
    assert.match(
      changed,
      /^\{"settings":\{"recordsMessages":false,"ruleModes":.*"feeder":null\}\}$/,
    );
    const held = JSON.stringify(records[2]?.[4]);
    assert.match(held, /^\{"reason":"stolen","until":"\d{4}-\d\d-\d\dT[\d:.]+Z"\}$/);
  });

  test('a rating is set, shown, and cleared', async () => {
    await using work = await registryAtWork(open);
    const settings = async (...parameters: readonly string[]): Promise<unknown> =>
      ((await work.json(...parameters)) as { readonly settings: unknown }).settings;
    assert.deepEqual(await settings('add', 'CP-1', '--rated-kw', '10000'), { ratedKw: 10_000 });
    assert.deepEqual(await settings('set', 'CP-1', '--rated-kw', '1'), { ratedKw: 1 });
    assert.match((await work.charger('show', 'CP-1')).stdout, /^ {2}rating {2}1 kW$/m);
    assert.deepEqual(await settings('set', 'CP-1', '--clear', 'rated-kw'), {});
    assert.doesNotMatch((await work.charger('show', 'CP-1')).stdout, /rating/);
  });

  test('what a charger gets of signed messages is set, shown, and cleared', async () => {
    await using work = await registryAtWork(open);
    const settings = async (...parameters: readonly string[]): Promise<unknown> =>
      ((await work.json(...parameters)) as { readonly settings: unknown }).settings;
    const option = '--signed-messages';
    assert.deepEqual(await settings('add', 'CP-1', option, 'keep'), { signedMessages: 'keep' });
    const shown = async () => (await work.charger('show', 'CP-1')).stdout;
    assert.match(await shown(), /^ {2}signed messages {2}come with their signatures$/m);
    assert.deepEqual(await settings('set', 'CP-1', option, 'strip'), { signedMessages: 'strip' });
    assert.match(await shown(), /^ {2}signed messages {2}come without their signatures$/m);
    assert.deepEqual(await settings('set', 'CP-1', '--clear', 'signed-messages'), {});
    assert.doesNotMatch(await shown(), /signed messages/);
  });

  test('of commands that come at once none is lost', async () => {
    await using work = await registryAtWork(open);
    const names = ['A', 'B', 'C', 'D'];
    const ended = await Promise.all(names.map((name) => work.charger('add', name)));
    assert.deepEqual(
      ended.map(({ code }) => code),
      [0, 0, 0, 0],
    );
    assert.equal((await work.audited()).length, 4);
  });
});

describe('gatewatt charger', () => {
  test('add says what was there before', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.store.query((db) => enrollCharger(db, cp1, 10, 1));
    const confirmed = (await work.json('add', 'CP-1', '--vendor', 'V')) as { outcome: string };
    assert.deepEqual(confirmed, {
      identity: 'CP-1',
      outcome: 'confirmed',
      settings: { vendor: 'V' },
      credential: noCredential,
    });
    const again = await work.charger('add', 'cp-1');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^CP-1 was added before; change it with: gatewatt charger set\n$/);
    assert.equal((await work.audited()).length, 1);
  });

  test('set, remove and release of what is not there fail and record nothing', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    for (const parameters of [
      ['set', 'CP-1', '--vendor', 'V'],
      ['remove', 'CP-1'],
      ['release', 'CP-1'],
    ]) {
      const { code, stdout, stderr } = await work.charger(...parameters);
      assert.deepEqual([code, stdout], [1, ''], parameters.join(' '));
      assert.match(stderr, /^CP-1 is not .*\n$/);
    }
    assert.deepEqual(await work.audited(), []);
    assert.equal(await work.store.query(latestRevision), 0);
  });

  test('remove and quarantine say what becomes of a connection', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.charger('add', 'CP-1');
    await connect(work.store, cp1, 1000);
    const held = await work.charger('quarantine', 'CP-1');
    assert.match(held.stdout, /^CP-1 is quarantined until \d{4}-.*Z\n$/);
    assert.match(held.stderr, /gateway gw-2 will end its connection/);
    const removed = await work.charger('remove', 'CP-1');
    assert.equal(removed.stdout, 'CP-1 is removed\n');
    assert.match(removed.stderr, /gateway gw-2 will end its connection/);
    const unknown = (await work.json('quarantine', 'NEW-1', '--minutes', '1')) as object;
    assert.deepEqual(Object.keys(unknown), [
      ...['identity', 'connectedTo', 'outcome', 'quarantinedUntil', 'quarantineReason'],
    ]);
    assert.deepEqual(await work.json('release', 'NEW-1'), {
      identity: 'NEW-1',
      outcome: 'released',
    });
  });

  test('remove says what still admits the charger', async () => {
    const records = [{ id: 'DEPOT-*' }];
    await using work = await registryAtWork(openSqliteTestStore, { records, unknown: 'enroll' });
    await work.charger('add', 'depot-1');
    await work.charger('add', 'CP-1');
    const byRecord = await work.charger('remove', 'DEPOT-1');
    assert.match(byRecord.stderr, /^It may still connect: the record "DEPOT-\*"/);
    const byEnrolling = await work.charger('remove', 'CP-1');
    assert.match(byEnrolling.stderr, /^It may still connect: chargers.unknown is enroll/);
  });

  test('all mistakes in options are shown at once, and nothing happens', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await work.charger('add', 'CP-1', '--feeder', 'north');
    const { code, stderr, stdout } = await work.charger(
      ...['set', 'CP-1', '--ping-seconds', '3601', '--security-profile', '4', '--rated-kw', '7.4'],
      ...['--assume-subprotocol', 'ocpp1.5', '--feeder', 'x'.repeat(65), '--notes', ''],
      ...['--rule', 'payload', '--rule', 'payload=monitor', '--rule', 'nonsense=loud:both'],
      ...['--clear', 'everything', '--clear', 'feeder', '--vendor', 'x'.repeat(129)],
    );
    assert.deepEqual([code, stdout], [2, '']);
    const begins = [
      ...['--rule payload: must be', '--assume-subprotocol: ', '--ping-seconds: ', '--vendor: '],
      ...[
        '--rated-kw: ',
        '--security-profile: ',
        '--feeder: ',
        '--notes: ',
        '--rule nonsense=loud:both, rule: ',
      ],
      ...['--rule nonsense=loud:both, mode: ', '--rule nonsense=loud:both, from: '],
      ...['--clear everything: there is no such field', '--clear feeder: it is set as well'],
    ];
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, begins.length, stderr);
    for (const begin of begins) {
      assert.ok(
        lines.some((line) => line.startsWith(begin)),
        `${begin} in ${stderr}`,
      );
    }
    assert.equal((await work.audited()).length, 1);
  });

  const usage: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no command', [], /Usage: gatewatt charger/],
    ['an unknown command', ['frobnicate'], /unknown command/],
    ['an unknown option', ['add', 'CP-1', '--clear', 'x'], /unknown option/],
    ['no identity', ['add'], /missing required argument/],
    ['a pattern', ['add', 'CP-*'], /patterns belong into chargers\.records/],
    ['nothing to change', ['set', 'CP-1'], /nothing to change/],
    ['an origin that there is not', ['list', '--origin', 'x'], /Allowed choices/],
    ['no minutes', ['quarantine', 'CP-1', '--minutes', '0'], /^--minutes: /],
    ['minutes without number', ['quarantine', 'CP-1', '--minutes', 'x'], /^--minutes: /],
    ['more than a week', ['quarantine', 'CP-1', '--minutes', '10081'], /^--minutes: /],
    ['a reason in color', ['quarantine', 'CP-1', '--reason', '\u001b[31m'], /^--reason: /],
    ['a choice that is none', ['add', 'CP-1', '--signed-messages', 'drop'], /^--signed-messages: /],
    ['a rating of nothing', ['add', 'CP-1', '--rated-kw', '0'], /^--rated-kw: /],
    ['a rating that none has', ['add', 'CP-1', '--rated-kw', '10001'], /^--rated-kw: /],
    ['a feeder in color', ['add', 'CP-1', '--feeder', '\u001b[31m'], /^--feeder: /],
    ['a slash', ['add', 'a/b'], /printable ASCII/],
    ['an identity beyond ASCII', ['quarantine', 'Größe'], /printable ASCII/],
    ['an identity that is empty', ['show', ''], /printable ASCII/],
  ];
  test('wrong usage ends with 2 and says what is wrong', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const ended = await Promise.all(
      usage.map(async ([what, parameters, pattern]) => {
        const { code, stderr, stdout } =
          parameters.length === 0 ? await run() : await work.charger(...parameters);
        return { what, result: [code, stdout], stderr, pattern };
      }),
    );
    for (const { what, result, stderr, pattern } of ended) {
      assert.deepEqual(result, [2, ''], what);
      assert.match(stderr, pattern, what);
    }
    assert.deepEqual(await work.audited(), []);
  });

  test('a configuration with mistakes ends with 2, a store that is not one with 1', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-charger-'));
    try {
      const configFile = await writeConfig(directory, { gateway: { dataDir: 'data' } });
      await mkdir(path.join(directory, 'data'));
      await writeFile(path.join(directory, 'data', 'gatewatt.sqlite'), 'x'.repeat(8192));
      const damaged = await run('list', '-c', configFile);
      assert.equal(damaged.code, 1);
      assert.match(damaged.stderr, /^gatewatt: the file is not an SQLite database\n$/);
      const file = await writeConfig(directory, { gateway: { dataDir: 'gatewatt.yaml' } });
      const noFolder = await run('list', '-c', file);
      assert.equal(noFolder.code, 1);
      assert.match(noFolder.stderr, /^gatewatt: .*gatewatt\.yaml.*\n$/);
      const wrong = await writeConfig(directory, { gateway: { id: '/', dataDirectory: 'x' } });
      const mistaken = await run('list', '-c', wrong);
      assert.equal(mistaken.code, 2);
      assert.match(mistaken.stderr, /gateway\.id.*\n.*gateway\.dataDirectory.*\n$/);
      const missing = await run('list', '-c', path.join(directory, 'no.yaml'));
      assert.equal(missing.code, 2);
      assert.match(missing.stderr, /cannot be read/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
