import assert from 'node:assert/strict';

import path from 'node:path';
import { describe, test } from 'node:test';
import { verifyChain } from '../../../src/audit/verify.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { ownProperty } from '../../../src/ocpp/message.ts';
import { openStore, type StoreLocation } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';
import {
  type ConfigChanges,
  type LiveGateway,
  startLiveGateway,
} from '../../support/live-gateway.ts';
import { configFor, portOf, serve, setUp } from '../../support/serve-process.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { describePostgres, sharedPostgres } from '../../support/stores.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, refusalOf, talk } from '../connection/talk.ts';
import { boot } from '../conversation/live-conversation.ts';
import { layCable } from './cable.ts';
import { attempt, exchange, refused, startTransaction, stopOf, until } from './exchanges.ts';
import { leaseSeconds, sharedPlace } from './places.ts';

// Goal: while the database is away, connected chargers notice nothing, nobody new is let in and is
//   told so, and operators see it; when it is back, all that happened meanwhile is in it.
// Method: a real gateway whose database is stopped, hangs, or has no room left, and comes back.

describePostgres('a gateway whose PostgreSQL goes away', () => {
  test('because it is stopped', async () => {
    await using place = await sharedPlace();
    const server = await sharedPostgres();
    await goesAwayAndComesBack({
      section: await place.section(),
      location: place.database.location,
      leave: () => server.stop('fast'),
      comeBack: () => server.start(),
    });
  });

  test('because it hangs', async () => {
    await using place = await sharedPlace();
    await using cable = await layCable(Number(new URL(place.url).port));
    await goesAwayAndComesBack({
      section: await place.section(cable),
      location: place.database.location,
      leave: async () => cable.hang(),
      comeBack: async () => cable.mend(),
    });
  });

  test('and does not come back before it is stopped: it says what is lost', async () => {
    await using place = await sharedPlace();
    await using cable = await layCable(Number(new URL(place.url).port));
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      gateway: { id: 'gw', drainSeconds: 0 },
      store: await place.section(cable),
    });
    const through = await connectThrough(gateway, csms, 'CP-1');
    cable.cut();
    await refused(through, ['Reset', { type: 'Hard' }], 'DIRECTION_WRONG_SENDER');
    await gateway.stop();
    assert.match((await gateway.event('AuditFailed')).detail, /\d records are lost/);
    assert.match((await gateway.event('QuarantineFailed')).detail, /messages not kept: 1$/);
    // Its charger is not locked out for longer than the lease.
    await using successor = await startLiveGateway(csms.url, {
      gateway: { id: 'gw', drainSeconds: 0 },
      store: await place.section(),
    });
    await until(async () => (await attempt(successor.url('CP-1'))).charger !== undefined);
  });

  test('is not started without it, and says so in a line without the password', async () => {
    await using place = await sharedPlace();
    await using cable = await layCable(1);
    cable.cut();
    await using setup = await setUp({
      ...configFor({}),
      store: await place.section(cable),
    });
    using gateway = serve(setup.configFile);
    assert.deepEqual(await gateway.exit, { code: 1, signal: null });
    assert.match(gateway.stderr(), /^gatewatt: cannot start: [^\n]*PostgreSQL[^\n]*\n$/);
    const { password } = new URL(place.url);
    for (const secret of [password, decodeURIComponent(password)]) {
      assert.ok(!gateway.stderr().includes(secret));
    }
  });
});

describe('a gateway whose SQLite file', () => {
  test('has no room left', async (t) => {
    const disk = await mountSmallDisk(t);
    if (disk === undefined) return;
    await using small = disk;
    const directory = path.join(small.directory, 'data');
    await goesAwayAndComesBack({
      section: { type: 'sqlite', leaseSeconds },
      dataDir: directory,
      location: { type: 'sqlite', directory, isGateway: false },
      leave: () => small.fill(),
      comeBack: () => small.free(),
    });
  });

  test('is in use by another gateway is not started, and the other one notices nothing', async () => {
    await using csms = await startHandCsms();
    await using setup = await setUp(configFor({ csms: csms.url }));
    using first = serve(setup.configFile);
    const port = await portOf(first);
    const charger = await connectCharger(`ws://127.0.0.1:${port}/ocpp/CP-1`);
    const through = { charger, upstream: await csms.nextConnection() };
    using second = serve(setup.configFile);
    assert.deepEqual(await second.exit, { code: 1, signal: null });
    assert.match(
      second.stderr(),
      /^gatewatt: cannot start: another gateway uses this data directory[^\n]*\n$/,
    );
    await talk(through);
    // The lock goes with the process, however that ends.
    first.child.kill('SIGKILL');
    await first.exit;
    using third = serve(setup.configFile);
    await portOf(third);
  });

  test('cannot be made is not started, and says so in a line', async () => {
    await using setup = await setUp({
      ...configFor({}),
      // Below a file there is no directory.
      gateway: { dataDir: 'gatewatt.yaml/data' },
    });
    using gateway = serve(setup.configFile);
    assert.deepEqual(await gateway.exit, { code: 1, signal: null });
    assert.match(
      gateway.stderr(),
      /^gatewatt: cannot start: the data directory \S+ cannot be used \(ENOTDIR\)\n$/,
    );
  });
});

interface Away {
  /** The `store` section. */
  readonly section: ConfigChanges;
  /** Of SQLite. */
  readonly dataDir?: string;
  /** How the test looks into the database when it is there. */
  readonly location: StoreLocation;
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

async function goesAwayAndComesBack(away: Away): Promise<void> {
  await using csms = await startHandCsms();
  const dataDir = away.dataDir === undefined ? {} : { dataDir: away.dataDir };
  await using gateway = await startLiveGateway(csms.url, {
    gateway: { id: 'gw', drainSeconds: 0, ...dataDir },
    store: away.section,
  });
  const first = await connectThrough(gateway, csms, 'CP-1');
  const second = await connectThrough(gateway, csms, 'CP-2');
  const leaver = await connectThrough(gateway, csms, 'CP-3');
  await boot(first.charger, first.upstream, 'ocpp1.6');
  await startTransaction(first, 51);
  assert.deepEqual(await ask(gateway, 'readyz'), [200, 'ready\n']);

  await away.leave();
  await talk(first);
  await talk(second);
  await exchange(first, ...stopOf(51));
  await startTransaction(first, 52);
  await startTransaction(second, 53);
  await exchange(second, ...stopOf(53));
  const refusing = refused(first, ['Reset', { type: 'Hard' }], 'DIRECTION_WRONG_SENDER');
  // The answer may wait for the audit log, until that has failed; nobody else does.
  await talk(second);
  const refusedId = await refusing;
  // Whose it is cannot be asked now, and its end must not be lost.
  await exchange(second, ...stopOf(98));
  await leaver.charger.close();
  const { headers, status } = await refusalOf(gateway.url('CP-4'));
  assert.equal(status, 503);
  assert.ok(Number(headers['retry-after']) >= 15);
  const { code } = await gateway.event('UpgradeRefused');
  assert.equal(code, 'STORE_UNAVAILABLE');
  await gateway.event('StoreUnavailable');
  assert.deepEqual(await ask(gateway, 'readyz'), [503, 'store unavailable\n']);
  assert.deepEqual(await ask(gateway, 'healthz'), [200, 'ok\n']);
  // As long as it takes the gateway to look for its database several times.
  for (let looks = 0; looks < 5; looks += 1) {
    assert.equal((await refusalOf(gateway.url('CP-4'))).status, 503);
    assert.deepEqual(await ask(gateway, 'readyz'), [503, 'store unavailable\n']);
    await talk(first);
    await talk(second);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.deepEqual(health(gateway), ['StoreUnavailable']);

  await away.comeBack();
  await gateway.event('StoreRestored');
  await until(async () => (await ask(gateway, 'readyz'))[0] === 200);
  await talk(first);
  await talk(second);
  await talk(await connectThrough(gateway, csms, 'CP-4'));
  await talk(await connectThrough(gateway, csms, 'CP-3'));
  await startTransaction(first, 54);

  const store = await openStore(away.location, systemClock());
  try {
    await until(async () => (await refusalsIn(store)).length > 0);
    assert.deepEqual(await refusalsIn(store), [['CP-1', 'Reset']]);
    await until(async () => (await transactionsIn(store)).get('54') === 'open');
    const transactions = await transactionsIn(store);
    assert.deepEqual(
      ['51', '52', '53'].map((id) => transactions.get(id)),
      ['ended', 'open', 'ended'],
    );
    await until(async () => (await quarantinedIn(store)).length > 0);
    const frames = await quarantinedIn(store);
    assert.equal(frames.length, 1);
    assert.ok(frames[0]?.includes(refusedId));
    const gaps = await recordsIn(store, 'AuditGap');
    assert.deepEqual(gaps, []);
    for (const event of ['StoreUnavailable', 'StoreRestored']) {
      assert.equal((await recordsIn(store, event)).length, 1, event);
    }
    const lost = await recordsIn(store, 'UpgradeRefused');
    const seen = gateway.events.filter(({ name }) => name === 'UpgradeRefused');
    assert.equal(lost.length, seen.length);
    const verdict = await verifyChain(store, 'gw');
    assert.ok(verdict?.ok, JSON.stringify(verdict));
    assert.deepEqual(health(gateway), ['StoreUnavailable', 'StoreRestored']);

    // What it still knew is written before it ends, and nobody is locked out.
    await gateway.stop();
    const claims = await store.query((db) => db.selectFrom('claim').selectAll().execute());
    assert.deepEqual(
      claims.filter(({ incarnation }) => incarnation !== null),
      [],
    );
    assert.ok((await verifyChain(store, 'gw'))?.ok);
  } finally {
    await store.close();
  }
}

async function ask(gateway: LiveGateway, page: string): Promise<readonly [number, string]> {
  const response = await fetch(`${gateway.adminUrl}/${page}`);
  return [response.status, await response.text()];
}

/** What was told of the store, in order. */
function health({ events }: LiveGateway): readonly string[] {
  return events.flatMap(({ name }) =>
    name === 'StoreUnavailable' || name === 'StoreRestored' ? [name] : [],
  );
}

async function recordsIn(store: Store, event: string) {
  return store.query((db) =>
    db.selectFrom('audit_record').selectAll().where('event', '=', event).execute(),
  );
}

async function refusalsIn(store: Store): Promise<readonly unknown[]> {
  const rows = await recordsIn(store, 'FrameRefused');
  return rows.map(({ charger, document }) => {
    return [charger, ownProperty(JSON.parse(document), 'action')];
  });
}

async function transactionsIn(store: Store): Promise<ReadonlyMap<string, string>> {
  const rows = await store.query((db) =>
    db.selectFrom('charger_transaction').selectAll().execute(),
  );
  return new Map(rows.map((row) => [row.transaction_id, row.status]));
}

async function quarantinedIn(store: Store): Promise<readonly string[]> {
  const rows = await store.query((db) => db.selectFrom('quarantined_frame').selectAll().execute());
  return rows.map(({ frame }) => frame);
}
