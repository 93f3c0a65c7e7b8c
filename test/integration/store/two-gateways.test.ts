import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';
import {
  type ConfigChanges,
  type LiveGateway,
  startLiveGateway,
} from '../../support/live-gateway.ts';
import { connectRawCharger, opcodes, type RawPeer } from '../../support/raw-websocket.ts';
import { configFor, portOf, serve, setUp } from '../../support/serve-process.ts';
import { describePostgres } from '../../support/stores.ts';
import { connectCharger, type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, refusalOf, talk } from '../connection/talk.ts';
import { boot } from '../conversation/live-conversation.ts';
import { type Cable, layCable } from './cable.ts';
import { attempt, exchange, refused, startTransaction, stopOf, until } from './exchanges.ts';
import { type SharedPlace, sharedPlace } from './places.ts';

// Goal: gateways that share a database are one gateway to chargers and impostors: an identity is
//   connected once over all of them, what one learned the others know, and a gateway that died or
//   was cut off gives its chargers up when its lease is over, and not before.
// Method: two real gateways on one PostgreSQL server; one of them as a process that is killed, or
//   behind a cable that is cut.

/** How much the clocks of database, gateways and test may differ, in milliseconds. */
const clocksDifferMs = 500;

describePostgres('two gateways on one database', () => {
  test('C15, T2-04: probe: a charger that is alive at one keeps an impostor out of the other', async () => {
    await using both = await twoGateways('probe');
    const { a, b, csms } = both;
    const older = await connectThrough(a, csms, 'CP-1');
    const { status, headers } = await refusalOf(b.url('cp-1'));
    assert.equal(status, 409);
    assert.ok(Number(headers['retry-after']) >= 15);
    const { outcome } = await b.event('DuplicateIdentity');
    assert.equal(outcome, 'newcomer-refused');
    assert.equal(csms.connections.length, 1);
    await talk(older);
  });

  test('D3: probe: a charger that is silent at one gets into the other', async () => {
    await using both = await twoGateways('probe', { pingSeconds: 1 });
    const { a, b, csms } = both;
    using older = await connectSilent(a, csms);
    const newer = await connectThrough(b, csms, 'CP-1');
    assert.deepEqual(await older.nextClose(), {
      code: 1001,
      reason: 'A newer connection has taken over.',
    });
    assert.equal((await a.event('SessionClosed')).code, 'SESSION_REPLACED');
    assert.equal((await b.event('DuplicateIdentity')).outcome, 'older-replaced');
    await talk(newer);
    // It is the other gateway's now, as much as it was the first one's.
    assert.equal((await refusalOf(a.url('CP-1'))).status, 409);
    await talk(newer);
  });

  test('reject-new: a connection at one stays, alive or not, and is not asked', async () => {
    await using both = await twoGateways('reject-new', { pingSeconds: 0 });
    const { a, b, csms } = both;
    using older = await connectRawCharger(a.port, '/ocpp/CP-1');
    await csms.nextConnection();
    assert.equal((await refusalOf(b.url('CP-1'))).status, 409);
    older.send('after', { opcode: opcodes.ping });
    assert.equal((await older.nextFrame()).opcode, opcodes.pong);
    older.reset();
    await a.event('SessionClosed');
    await until(async () => (await attempt(b.url('CP-1'))).charger !== undefined);
  });

  test('replace-old: a newcomer at the other takes over at once', async () => {
    await using both = await twoGateways('replace-old');
    const { a, b, csms } = both;
    const older = await connectThrough(a, csms, 'CP-1');
    const newer = await connectThrough(b, csms, 'CP-1');
    assert.deepEqual(await older.charger.closed, {
      code: 1001,
      reason: 'A newer connection has taken over.',
    });
    assert.equal((await a.event('SessionClosed')).code, 'SESSION_REPLACED');
    await talk(newer);
    // Whatever the first gateway still writes of the old one ends nothing here.
    await a.stop();
    assert.equal(await holderOf(both.store, 'cp-1'), 'gw-b');
    await talk(newer);
  });

  test('probe: of a crowd that comes to both at once one gets in', async () => {
    await using both = await twoGateways('probe');
    const { a, b, csms } = both;
    const urls = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? a : b).url('CP-1'));
    const outcomes = await Promise.all(urls.map(attempt));
    const winners = outcomes.flatMap(({ charger }) => charger ?? []);
    assert.equal(winners.length, 1);
    for (const { refusal } of outcomes) if (refusal) assert.equal(refusal.status, 409);
    assert.equal(a.running.gateway.sessionCount() + b.running.gateway.sessionCount(), 1);
    for (const charger of winners) {
      await talk({ charger, upstream: await csms.nextConnection() });
    }
    assert.equal(csms.connections.length, 1);
  });

  test('a charger that moves is known where it comes to', async () => {
    // `strict` lets nobody do anything who was not seen to boot.
    await using both = await twoGateways('probe', {}, { preset: 'strict' });
    const { a, b, csms } = both;
    const before = await connectThrough(a, csms, 'CP-1');
    await boot(before.charger, before.upstream, 'ocpp1.6');
    await startTransaction(before, 11);
    await before.charger.close();
    const after = await connectThrough(b, csms, 'CP-1');
    await exchange(after, ...stopOf(11));
    const stranger = await connectThrough(b, csms, 'CP-2');
    await refused(stranger, ['Heartbeat', {}], 'BOOT_NOT_ACCEPTED');
  });

  test('CVE-2026-28230: no charger at one ends a transaction of a charger at the other', async () => {
    await using both = await twoGateways('probe');
    const { a, b, csms, store } = both;
    const owner = await connectThrough(a, csms, 'CP-1');
    const other = await connectThrough(b, csms, 'CP-2');
    await startTransaction(owner, 21);
    await startTransaction(other, 22);
    await untilWritten(store, '21');
    const id = await refused(other, stopOf(21), 'TRANSACTION_FOREIGN');
    await exchange(other, 'Heartbeat', {}, { currentTime: '2026-01-01T00:00:00Z' });
    await until(async () => (await quarantinedFrames(store)).length > 0);
    const [frame, ...others] = await quarantinedFrames(store);
    assert.deepEqual([frame?.charger, frame?.gateway_id, others], ['CP-2', 'gw-b', []]);
    assert.ok(frame?.frame.includes(id));
    // Their own are theirs.
    await exchange(other, ...stopOf(22));
    await exchange(owner, ...stopOf(21));
  });

  test('a gateway that was killed holds its chargers until its lease is over', async () => {
    await using both = await twoGateways('reject-new', {}, { preset: 'strict' });
    const { b, csms, place, store } = both;
    const base = configFor({ csms: csms.url }) as object;
    await using setup = await setUp({
      ...base,
      gateway: { id: 'gw-dead' },
      store: await place.section(),
    });
    using dead = serve(setup.configFile);
    const port = await portOf(dead);
    const charger = await connectCharger(`ws://127.0.0.1:${port}/ocpp/CP-1`);
    const before = { charger, upstream: await csms.nextConnection() };
    await boot(charger, before.upstream, 'ocpp1.6');
    await startTransaction(before, 31);
    await untilWritten(store, '31');
    dead.child.kill('SIGKILL');
    await dead.exit;
    const expiresMs = await leaseEndMs(store, 'gw-dead');
    assert.ok(expiresMs > 0);

    const after = await untilLetIn(store, b, csms, 'CP-1', expiresMs);
    // What the dead gateway had learned is known.
    await exchange(after, ...stopOf(31));
    await talk(after);
  });

  for (const policy of ['probe', 'reject-new'] as const) {
    test(`${policy}: a gateway that was cut off gives up the charger that another one has by now`, async () => {
      await using both = await twoGateways(policy, {}, {}, true);
      const { a, b, cable, csms, store } = both;
      const taken = await connectThrough(a, csms, 'CP-1');
      const kept = await connectThrough(a, csms, 'CP-2');
      cable?.cut();
      await a.event('StoreUnavailable');
      const expiresMs = await leaseEndMs(store, 'gw-a');
      const newer = await untilLetIn(store, b, csms, 'CP-1', expiresMs);
      // The one that is cut off goes on relaying: it cannot know.
      await talk(taken);
      cable?.mend();
      assert.deepEqual(await taken.charger.closed, {
        code: 1001,
        reason: 'Another gateway has taken over.',
      });
      assert.equal((await a.event('ClaimLost')).charger.toLowerCase(), 'cp-1');
      assert.equal((await a.event('SessionClosed')).code, 'CLAIM_LOST');
      await talk(newer);
      // Nobody has come for the other one, so it is still this gateway's.
      await talk(kept);
      assert.equal(await holderOf(store, 'cp-2'), 'gw-a');
      assert.equal((await refusalOf(b.url('CP-2'))).status, 409);
      assert.equal(a.events.filter(({ name }) => name === 'ClaimLost').length, 1);
      // Whatever the first gateway still writes of the lost one ends nothing at the other.
      await a.stop();
      assert.equal(await holderOf(store, 'cp-1'), 'gw-b');
      await talk(newer);
    });
  }
});

interface Both {
  readonly place: SharedPlace;
  readonly csms: HandCsms;
  readonly a: LiveGateway;
  readonly b: LiveGateway;
  /** Between the first one and the database, where the test wants it. */
  readonly cable: Cable | undefined;
  /** The database, for the test itself. */
  readonly store: Store;
  [Symbol.asyncDispose](): Promise<void>;
}

async function twoGateways(
  duplicateIdentity: string,
  limits: ConfigChanges = {},
  rules: ConfigChanges = {},
  hasCable = false,
): Promise<Both> {
  const stack = new AsyncDisposableStack();
  try {
    const place = stack.use(await sharedPlace());
    const csms = stack.use(await startHandCsms());
    const cable = hasCable ? stack.use(await layCable(Number(new URL(place.url).port))) : undefined;
    const start = async (id: string, at?: Cable): Promise<LiveGateway> =>
      stack.use(
        await startLiveGateway(csms.url, {
          gateway: { id, drainSeconds: 0 },
          store: await place.section(at),
          chargers: { unknown: 'enroll', duplicateIdentity, probeSeconds: 1 },
          limits: { pongSeconds: 600, silentSeconds: 3600, ...limits },
          rules,
        }),
      );
    const a = await start('gw-a', cable);
    const b = await start('gw-b');
    const store = await openStore(place.database.location, systemClock());
    stack.defer(() => store.close());
    const held = stack.move();
    return { place, csms, a, b, cable, store, [Symbol.asyncDispose]: () => held.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** A charger that has answered a ping and spoken, and will say nothing more. */
async function connectSilent(gateway: LiveGateway, csms: HandCsms): Promise<RawPeer> {
  const peer = await connectRawCharger(gateway.port, '/ocpp/CP-1');
  const upstream = await csms.nextConnection();
  for (let isPinged = false; !isPinged; ) {
    isPinged = (await peer.nextFrame()).opcode === opcodes.ping;
  }
  peer.send('', { opcode: opcodes.pong });
  peer.send('[2,"1","Heartbeat",{}]');
  await upstream.next();
  return peer;
}

/** Knocks until it is let in, which must be when the lease is over: not before, and not long after. */
async function untilLetIn(
  store: Store,
  gateway: LiveGateway,
  csms: HandCsms,
  identity: string,
  expiresMs: number,
) {
  for (;;) {
    const askedAtMs = store.nowMs();
    const { charger, refusal } = await attempt(gateway.url(identity));
    if (charger !== undefined) {
      assert.ok(
        store.nowMs() > expiresMs - clocksDifferMs,
        'it is let in before the lease is over',
      );
      return { charger, upstream: await csms.nextConnection() };
    }
    assert.equal(refusal.status, 409);
    assert.ok(askedAtMs < expiresMs + clocksDifferMs, 'it is refused after the lease is over');
    await delay(100);
  }
}

async function leaseEndMs(store: Store, gatewayId: string): Promise<number> {
  const rows = await store.query((db) =>
    db
      .selectFrom('gateway_lease')
      .select('expires_ms')
      .where('gateway_id', '=', gatewayId)
      .execute(),
  );
  return Math.max(0, ...rows.map((row) => row.expires_ms));
}

/** The id of the gateway that has the claim. */
async function holderOf(store: Store, key: string): Promise<string | undefined> {
  const row = await store.query((db) =>
    db
      .selectFrom('claim')
      .innerJoin('gateway_lease', 'gateway_lease.incarnation', 'claim.incarnation')
      .select('gateway_id')
      .where('identity_key', '=', key)
      .executeTakeFirst(),
  );
  return row?.gateway_id;
}

async function untilWritten(store: Store, transactionId: string): Promise<void> {
  await until(async () => {
    const row = await store.query((db) =>
      db
        .selectFrom('charger_transaction')
        .select('status')
        .where('transaction_id', '=', transactionId)
        .executeTakeFirst(),
    );
    return row !== undefined;
  });
}

function quarantinedFrames(store: Store) {
  return store.query((db) => db.selectFrom('quarantined_frame').selectAll().execute());
}
