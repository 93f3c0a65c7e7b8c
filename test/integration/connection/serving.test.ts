import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  connectRaw,
  connectRawCharger,
  opcodes,
  startRawCsms,
  upgradeText,
} from '../../support/raw-websocket.ts';
import { configFor, portOf, serve, setUp } from '../../support/serve-process.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import { talk } from './talk.ts';

// Goal: what a supervisor sees of `gatewatt serve`: that it is up, that it stops when it is told to
//   without cutting off a call, and why it does not start.
// Method: the real command as a process of its own; its log tells where it listens.

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const csms = await startRawCsms();
  await csms.close();
  return csms.port;
}

describe('serve', { concurrency: 3 }, () => {
  test('a charger that does not join in the close holds the exit up for seconds only', async () => {
    await using csms = await startHandCsms();
    await using setup = await setUp(configFor({ csms: csms.url, drainSeconds: 0 }));
    using process = serve(setup.configFile);
    using charger = await connectRawCharger(await portOf(process), '/ocpp/CP-1');
    await csms.nextConnection();
    process.child.kill('SIGTERM');
    const { opcode, payload } = await charger.nextFrame();
    assert.deepEqual([opcode, payload.readUInt16BE()], [opcodes.close, 1012]);
    assert.deepEqual(await process.exit, { code: 0, signal: null });
  });

  test('takes no more chargers than it has open files for, and says so', async () => {
    await using csms = await startHandCsms();
    const adminPort = await freePort();
    await using setup = await setUp(configFor({ csms: csms.url, adminPort, drainSeconds: 0 }));
    using process = serve(setup.configFile, 210);
    const url = `ws://127.0.0.1:${await portOf(process)}/ocpp`;
    const { connectionsMax } = await process.logged('OpenFilesFew');
    assert.equal(connectionsMax, 5);
    for (let index = 0; index < 5; index += 1) await connectCharger(`${url}/CP-${index}`);
    await assert.rejects(connectCharger(`${url}/CP-5`));
    assert.equal((await process.logged('UpgradeRefused'))['code'], 'CONNECTIONS_FULL');
    const health = await fetch(`http://127.0.0.1:${adminPort}/healthz`);
    assert.equal(health.status, 200);
    await health.text();
  });

  test('SIGTERM: an open call finishes, then both sides are closed with 1012, and the exit is 0', async () => {
    await using csms = await startHandCsms();
    const adminPort = await freePort();
    await using setup = await setUp(configFor({ csms: csms.url, adminPort }));
    using process = serve(setup.configFile);
    const port = await portOf(process);
    const idle = await connectCharger(`ws://127.0.0.1:${port}/ocpp/IDLE`);
    const idleUpstream = await csms.nextConnection();
    const busy = await connectCharger(`ws://127.0.0.1:${port}/ocpp/BUSY`);
    const busyUpstream = await csms.nextConnection();
    await talk({ charger: busy, upstream: busyUpstream });
    busy.sendMessage(2, 'open', 'Heartbeat', {});
    await busyUpstream.next();

    process.child.kill('SIGTERM');
    const restarting = { code: 1012, reason: 'The gateway is restarting.' };
    assert.deepEqual(await idle.closed, restarting);
    assert.deepEqual(await idleUpstream.closed, restarting);
    const readiness = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    assert.deepEqual([readiness.status, await readiness.text()], [503, 'stopping\n']);
    const health = await fetch(`http://127.0.0.1:${adminPort}/healthz`);
    assert.equal(health.status, 200);
    await health.text();
    await assert.rejects(connectRaw(port), { code: 'ECONNREFUSED' });

    busyUpstream.sendMessage(3, 'open', { currentTime: '2026-01-01T00:00:00Z' });
    assert.deepEqual(await busy.nextMessage(), [
      3,
      'open',
      { currentTime: '2026-01-01T00:00:00Z' },
    ]);
    assert.deepEqual(await busy.closed, restarting);
    assert.deepEqual(await busyUpstream.closed, restarting);
    assert.deepEqual(await process.exit, { code: 0, signal: null });
    assert.equal((await process.logged('GatewayStopped'))['sessionsCut'], 0);
    assert.doesNotMatch(process.stderr(), /^(?!gatewatt: WARNING: )./m);
  });

  test('SIGINT: a call that gets no answer is cut when the drain time is up, and counted', async () => {
    await using csms = await startHandCsms();
    await using setup = await setUp(configFor({ csms: csms.url, drainSeconds: 1 }));
    using process = serve(setup.configFile);
    const charger = await connectCharger(`ws://127.0.0.1:${await portOf(process)}/ocpp/CP-1`);
    const upstream = await csms.nextConnection();
    charger.sendMessage(2, 'open', 'Heartbeat', {});
    await upstream.next();
    process.child.kill('SIGINT');
    assert.equal((await charger.closed).code, 1012);
    assert.deepEqual(await process.exit, { code: 0, signal: null });
    assert.equal((await process.logged('GatewayStopped'))['sessionsCut'], 1);
  });

  test('a second signal ends it at once', async () => {
    await using csms = await startHandCsms();
    await using setup = await setUp(configFor({ csms: csms.url, drainSeconds: 300 }));
    using process = serve(setup.configFile);
    const charger = await connectCharger(`ws://127.0.0.1:${await portOf(process)}/ocpp/CP-1`);
    const upstream = await csms.nextConnection();
    charger.sendMessage(2, 'open', 'Heartbeat', {});
    await upstream.next();
    process.child.kill('SIGTERM');
    await process.logged('GatewayStopping');
    process.child.kill('SIGTERM');
    assert.deepEqual(await process.exit, { code: 1, signal: null });
    assert.equal((await charger.closed).code, 1006);
  });

  test('SIGTERM while a charger waits for the CSMS: it is refused with 503, and the exit is 0', async () => {
    await using csms = await startRawCsms();
    await using setup = await setUp(configFor({ csms: csms.url }));
    using process = serve(setup.configFile);
    using charger = await connectRaw(await portOf(process));
    charger.write(upgradeText('/ocpp/CP-1'));
    const upstream = await csms.nextConnection();
    await upstream.head;
    process.child.kill('SIGTERM');
    const { status, ...head } = await charger.head;
    assert.equal(status, 503);
    assert.ok(Number(head.header('retry-after')) > 0);
    await upstream.closed;
    assert.deepEqual(await process.exit, { code: 0, signal: null });
  });

  for (const [what, choice] of [
    ['the port of a listener', 'port'],
    ['the admin port', 'adminPort'],
  ] as const) {
    test(`${what} is taken: exit 1, with the address`, async () => {
      await using taken = await startRawCsms();
      await using setup = await setUp(configFor({ [choice]: taken.port }));
      using process = serve(setup.configFile);
      assert.deepEqual(await process.exit, { code: 1, signal: null });
      assert.equal(
        process.stderr().replace(/^gatewatt: WARNING: .*\n/gm, ''),
        `gatewatt: cannot start: 127.0.0.1:${taken.port} is in use by another program; ` +
          'choose another port or stop that program\n',
      );
    });
  }

  test('mistakes in the configuration: exit 2, and all of them are shown', async () => {
    const config = configFor({ port: 9000 }) as Record<string, unknown>;
    await using setup = await setUp({
      ...config,
      csms: { url: 'http://csms' },
      limits: { pingSecond: 3, handshakeSeconds: 0 },
    });
    using process = serve(setup.configFile);
    assert.deepEqual(await process.exit, { code: 2, signal: null });
    const lines = process.stderr().trim().split('\n');
    assert.equal(lines.length, 3, process.stderr());
    for (const place of ['csms.url', 'limits.pingSecond', 'limits.handshakeSeconds']) {
      assert.ok(
        lines.some((line) => line.startsWith(setup.configFile) && line.includes(place)),
        place,
      );
    }
  });

  test('a configuration that is not there, and one that is no YAML: exit 2', async () => {
    await using setup = await setUp('listeners: [');
    using broken = serve(setup.configFile);
    assert.deepEqual(await broken.exit, { code: 2, signal: null });
    assert.match(broken.stderr(), /gatewatt\.yaml:\d+:\d+ /);
    using missing = serve(`${setup.configFile}.nowhere`);
    assert.deepEqual(await missing.exit, { code: 2, signal: null });
    assert.match(missing.stderr(), /cannot be read \(ENOENT\)/);
  });
});
