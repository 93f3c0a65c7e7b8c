import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { addCharger } from '../../../src/chargers/registry.ts';
import { noteReported, noteSeen } from '../../../src/chargers/registry-sightings.ts';
import { describeEachStore, openSqliteTestStore } from '../../support/stores.ts';
import {
  connect,
  converse,
  noCredential,
  type RegistryAtWork,
  registryAtWork,
} from './registry-at-work.ts';

// Goal: list and show tell all that is known, to people and to programs, and let no charger reach
// the terminal of whoever asks.
// Method: the real command on a store that was filled as gateways fill it.

const cp1 = 'CP-1' as ChargerId;
const depot = 'depot-7' as ChargerId;
const atMs = 1_760_000_000_000;
const at = '2025-10-09T08:53:20.000Z';
const atSecond = '2025-10-09T08:53:20Z';
const hostile = 'V\u001b[2J\u009b31m\r\u202e"\u0007';

async function fill({ store }: RegistryAtWork): Promise<void> {
  await store.transact((db) =>
    addCharger(db, cp1, { feeder: 'north', vendor: 'set', notes: `n${hostile}` }, atMs),
  );
  const sightings = [
    { id: cp1, origin: 'operator' as const, atMs },
    { id: depot, origin: 'configured' as const, atMs },
  ];
  await store.query((db) => noteSeen(db, sightings));
  const serialNumber = undefined;
  await store.query((db) =>
    noteReported(db, depot, { vendor: hostile, model: 'M', serialNumber, firmware: '1.0' }),
  );
  await connect(store, depot, atMs);
  await converse(store, depot, hostile);
}

/** A line break is all that may reach a terminal. */
function assertHarmless(text: string): void {
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
}

describeEachStore('gatewatt charger shows the registry', (open) => {
  test('list is a table for people and a list for programs', async () => {
    await using work = await registryAtWork(open);
    await fill(work);
    const { stdout, code, stderr } = await work.charger('list');
    assert.deepEqual([code, stderr], [0, '']);
    assertHarmless(stdout);
    const [headings, first, second, ...rest] = stdout.split('\n');
    assert.match(headings ?? '', /^IDENTITY +ORIGIN +CONNECTED +BOOT .* LAST SEEN$/);
    assert.match(
      first ?? '',
      new RegExp(`^CP-1 +operator +- +- +- +set +- +- +north +${atSecond}$`),
    );
    assert.match(second ?? '', /^depot-7 +configured +gw-2 +Accepted +- +V\\u\{1b\}\[2J/);
    assert.deepEqual(rest, ['']);

    const list = await work.json('list');
    const nothing = {
      ...{ connectedTo: null, bootStatus: null, model: null, serialNumber: null },
      ...{ firmware: null, quarantinedUntil: null },
      ...{ usedProfile: 0, hasPassword: false, hasCertificate: false },
    };
    const seen = { firstSeenAt: at, lastSeenAt: at };
    assert.deepEqual(list, [
      {
        ...{ ...nothing, ...seen },
        ...{ identity: 'CP-1', origin: 'operator', vendor: 'set', feeder: 'north' },
      },
      {
        ...{ ...nothing, ...seen, identity: 'depot-7', origin: 'configured', feeder: null },
        ...{ connectedTo: 'gw-2', bootStatus: 'Accepted' },
        ...{ vendor: hostile, model: 'M', firmware: '1.0' },
      },
    ]);
  });

  test('show tells everything', async () => {
    await using work = await registryAtWork(open);
    await fill(work);
    const { stdout, code, stderr } = await work.charger('show', 'DEPOT-7', '--variables');
    assert.deepEqual([code, stderr], [0, '']);
    assertHarmless(stdout);
    for (const pattern of [
      /^depot-7\n {2}origin +configured\n/,
      new RegExp(`connected +to gateway gw-2 since ${at}`),
      /connections +4\n/,
      /take-overs +2 since/,
      /Said by the charger\n {2}vendor +V\\u\{1b\}/,
      new RegExp(`registration +Accepted since ${at}, every 300 s`),
      /messages +6 from the charger, 6 from the CSMS, 0 refused/,
      /Connectors\n.*EVSE.*\n +- +1 +Charging\\?/,
      /Open transactions\n.*\n +77 +- +1 /,
      /1 +Power\.Active\.Import +Outlet +7400 W/,
      /1 +profile 9 +TxDefaultProfile +16 A from 0 s/,
      /Last transactions\n.*\n +77 +open /,
      /MeterSerial +V.* {2}read-only\n/,
    ]) {
      assert.match(stdout, pattern);
    }
    const other = await work.charger('show', 'cp-1');
    assertHarmless(other.stdout);
    assert.match(other.stdout, /connected +no\n/);
    assert.match(other.stdout, /Set by the operator\n {2}vendor +set\n {2}feeder +north\n/);
    assert.doesNotMatch(other.stdout, /Variables|Learned|transactions/);
  });

  test('show --json has it all under stable names', async () => {
    await using work = await registryAtWork(open);
    await fill(work);
    const { stdout } = await work.charger('show', 'depot-7', '--json', '--variables');
    assertHarmless(stdout);
    const report = JSON.parse(stdout);
    assert.deepEqual(Object.keys(report), [
      ...['identity', 'origin', 'createdAt', 'firstSeenAt', 'lastSeenAt', 'settings'],
      ...['credential', 'reported'],
      ...['claim', 'learned', 'transactions', 'variables'],
    ]);
    assert.deepEqual(report.claim, {
      ...{ connectedTo: 'gw-2', claimedAt: at, epoch: 4, takeovers: 2, takeoversSince: at },
      ...{ quarantinedUntil: null, quarantineReason: null },
    });
    assert.equal(report.reported.vendor, hostile);
    assert.equal(report.learned.boot.status, 'Accepted');
    assert.equal(report.learned.updatedAt, at);
    assert.equal(report.learned.variables, undefined);
    const [transaction] = report.transactions;
    assert.deepEqual(
      [transaction.transactionId, transaction.status, transaction.endedAt],
      ['77', 'open', null],
    );
    assert.equal(transaction.details.version, 'ocpp1.6');
    assert.equal(report.variables[0].name, 'MeterSerial');
    const without = (await work.json('show', 'CP-1')) as object;
    assert.deepEqual(Object.keys(without).includes('variables'), false);
    assert.deepEqual(
      { ...without, settings: undefined },
      {
        ...{ identity: 'CP-1', origin: 'operator', createdAt: at, firstSeenAt: at, lastSeenAt: at },
        ...{
          settings: undefined,
          credential: noCredential,
          claim: null,
          learned: null,
          transactions: [],
        },
        reported: { vendor: null, model: null, serialNumber: null, firmware: null },
      },
    );
  });
});

describe('gatewatt charger list', () => {
  const names = async (work: RegistryAtWork, ...options: readonly string[]) =>
    ((await work.json('list', ...options)) as readonly { identity: string }[]).map(
      ({ identity }) => identity,
    );

  test('filters', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await fill(work);
    assert.deepEqual(await names(work, '--match', 'DEPOT-*'), ['depot-7']);
    assert.deepEqual(await names(work, '--feeder', 'north'), ['CP-1']);
    assert.deepEqual(await names(work, '--origin', 'configured'), ['depot-7']);
    assert.deepEqual(await names(work, '--connected'), ['depot-7']);
    assert.deepEqual(await names(work, '--connected', '--feeder', 'north'), []);
  });

  test('says in words that there is nothing, and still prints a list for programs', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const words = 'There are no such chargers.\n';
    assert.deepEqual(await work.charger('list'), { code: 0, stdout: '', stderr: words });
    const { stdout } = await work.charger('list', '--json');
    assert.deepEqual(JSON.parse(stdout), []);
  });

  test('does not take a gateway that has died for a connection', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await fill(work);
    await work.store.query((db) =>
      db.updateTable('gateway_lease').set({ expires_ms: atMs }).execute(),
    );
    assert.deepEqual(await names(work, '--connected'), []);
    const shown = await work.charger('show', 'depot-7');
    assert.match(shown.stdout, new RegExp(`connected +no\\n +last connected +${at}`));
  });

  test('shows who is quarantined, registered or not', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    await fill(work);
    await work.charger('quarantine', 'CP-1', '--reason', 'stolen');
    await work.charger('quarantine', 'NEW-1');
    assert.match((await work.charger('list')).stdout, /^CP-1 +operator +quarantined/m);
    const shown = await work.charger('show', 'NEW-1');
    assert.match(shown.stdout, /^NEW-1\n {2}origin +not in the registry\n/);
    assert.match(shown.stdout, /quarantined +until 20/);
    assert.equal((await work.charger('show', 'NEW-2')).code, 1);
    await work.store.query((db) =>
      db.updateTable('claim').set({ quarantined_until_ms: atMs }).execute(),
    );
    assert.match((await work.charger('list')).stdout, /^CP-1 +operator +- /m);
  });

  test('lists ten thousand chargers in seconds', async () => {
    await using work = await registryAtWork(openSqliteTestStore);
    const sightings = Array.from({ length: 10_000 }, (_, index) => ({
      id: `CP-${index}` as ChargerId,
      origin: 'configured' as const,
      atMs,
    }));
    await work.store.transact((db) => noteSeen(db, sightings));
    await converse(work.store, cp1, 'V');
    const { document, variables } = await work.store.query((db) =>
      db.selectFrom('charger_memory').selectAll().executeTakeFirstOrThrow(),
    );
    await work.store.transact(async (db) => {
      for (let from = 2; from < 10_000; from += 1000) {
        const rows = sightings.slice(from, from + 1000).map(({ id }) => ({
          identity_key: id.toLowerCase(),
          epoch: 1,
          document,
          variables,
          updated_ms: atMs,
        }));
        await db.insertInto('charger_memory').values(rows).execute();
      }
    });
    const startedMs = performance.now();
    const listed = (await work.json('list')) as readonly { bootStatus: string | null }[];
    const seconds = (performance.now() - startedMs) / 1000;
    assert.equal(listed.length, 10_000);
    assert.equal(listed.filter(({ bootStatus }) => bootStatus === 'Accepted').length, 9_999);
    assert.ok(seconds < 20, `${seconds} s`);
  });
});
