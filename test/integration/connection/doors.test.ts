import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, test } from 'node:test';
import type { DoorOptions } from '../../../src/connection/door.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { startLiveGateway } from '../../support/live-gateway.ts';
import { manualClock } from '../../support/manual-clock.ts';
import {
  connectRaw,
  connectRawCharger,
  exchange,
  upgradeText,
} from '../../support/raw-websocket.ts';
import { connectCharger, startHandCsms } from '../../support/text-peer.ts';
import { talk } from './talk.ts';
import {
  clientHello,
  connectTls,
  sendRaw,
  serverNames,
  startTlsWorld,
  type TlsWorld,
  upgrade,
  upgradeOnce,
  type WorldChanges,
} from './tls-world.ts';

// Goal: a listener has many doors, which are one in what they ask for and apart in what they take.
// Method: doors on loopback, most of them sockets that were opened before, as those in the
//   namespace of a charger are. All chargers are 127.0.0.1, which is somebody else behind each door.

const roomy = { connectionsMax: 100, connectionsPerAddressMax: 50 };

/** A door whose socket is open already, and where that is. */
interface OpenedDoor {
  readonly door: DoorOptions;
  readonly opened: Server;
  readonly port: number;
}

async function openedDoor(network: string, limits: Partial<DoorOptions> = {}): Promise<OpenedDoor> {
  const opened = createServer(() => assert.fail('the other server takes connections'));
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  const { port } = opened.address() as AddressInfo;
  return { door: { at: { opened }, network, ...roomy, ...limits }, opened, port };
}

const own: DoorOptions = { at: { host: '127.0.0.1', port: 0 }, ...roomy };

/** A listener without TLS. */
function startPlain(changes: WorldChanges): Promise<TlsWorld> {
  return startTlsWorld({ securityProfile: 1, tls: undefined, ...changes });
}

/** The sockets that this process listens on. */
function listeningCount(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
}

const isRefused = { code: 'ECONNREFUSED' };

describe('doors without TLS', { concurrency: false }, () => {
  test('a charger gets in at each, and its address has the network that it came through', async () => {
    const [one, two] = [await openedDoor('bay-1'), await openedDoor('bay-2')];
    await using world = await startPlain({ doors: [one.door, own, two.door] });
    assert.match(world.listener.address, /^127\.0\.0\.1:\d+$/);
    for (const port of [world.port, one.port, two.port]) {
      const charger = await connectRawCharger(port, '/ocpp/CP-1');
      charger.destroy();
    }
    assert.deepEqual(
      world.arrivals.map(({ network, request }) => [network, request.remoteAddress]),
      [
        [undefined, '127.0.0.1'],
        ['bay-1', '127.0.0.1@bay-1'],
        ['bay-2', '127.0.0.1@bay-2'],
      ],
    );
  });

  test('each refusal names the network', async () => {
    const { door, port } = await openedDoor('bay-1');
    await using world = await startPlain({
      doors: [door],
      onArrival: (arrival) => arrival.refuse('PASSWORD_WRONG'),
    });
    await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await exchange(port, 'garbage\r\n\r\n');
    await exchange(port, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n');
    await exchange(port, upgradeText('/elsewhere'));
    await exchange(port, upgradeText('/ocpp/CP-1'));
    assert.deepEqual(
      world.events.all.map((event) => event.name === 'UpgradeRefused' && event.code),
      [
        'UPGRADE_REQUIRED',
        'UPGRADE_MALFORMED',
        'UPGRADE_MALFORMED',
        'UPGRADE_PATH',
        'PASSWORD_WRONG',
      ],
    );
    for (const event of world.events.all) {
      assert.equal('remoteAddress' in event && event.remoteAddress, '127.0.0.1@bay-1');
    }
  });

  for (const limit of ['connectionsMax', 'connectionsPerAddressMax'] as const) {
    test(`T2-27: ${limit} counts at each door for itself`, async () => {
      const [one, two] = [
        await openedDoor('bay-1', { [limit]: 2 }),
        await openedDoor('bay-2', { [limit]: 2 }),
      ];
      await using world = await startPlain({ doors: [one.door, two.door] });
      const flood = [await connectRaw(one.port), await connectRaw(one.port)];
      assert.equal(await exchange(one.port, upgradeText('/ocpp/CP-1')), '');
      const { code, remoteAddress } = await world.events.first('UpgradeRefused');
      assert.deepEqual([code, remoteAddress], ['CONNECTIONS_FULL', '127.0.0.1@bay-1']);

      // Nothing was taken from the other door; nor for ever from this one.
      const other = await connectRawCharger(two.port, '/ocpp/CP-2');
      const beside = await connectRawCharger(two.port, '/ocpp/CP-3');
      assert.equal(world.events.count('UpgradeRefused'), 1);
      for (const peer of flood) peer.write('garbage\r\n\r\n');
      await Promise.all(flood.map(({ closed }) => closed));
      const again = await connectRawCharger(one.port, '/ocpp/CP-1');
      for (const peer of [other, beside, again]) peer.destroy();
    });
  }

  test('a socket that is open already is taken over whole, and closed with the listener', async () => {
    const { door, opened, port } = await openedDoor('bay-1');
    const count = listeningCount();
    await using world = await startPlain({ doors: [door] });
    assert.equal(listeningCount(), count);
    // The server that had it fails when it takes this one.
    const charger = await connectRawCharger(port, '/ocpp/CP-1');
    await world.listener.close();
    await assert.rejects(connectRaw(port), isRefused);
    assert.equal(listeningCount(), count - 1);
    assert.equal(charger.socket.destroyed, false, 'who was accepted stays');
    charger.destroy();
    // It may be closed once more by whoever had it.
    await new Promise((resolve) => opened.close(resolve));
  });

  test('a listener may begin with no door; they open while it runs, and close with it', async () => {
    const world = await startPlain({ doors: [] });
    assert.deepEqual([world.listener.address, world.listener.port], ['isolated', 0]);
    const isolated = await openedDoor('bay-1');
    await world.listener.openDoor(isolated.door);
    assert.deepEqual([world.listener.address, world.listener.port], ['isolated', 0]);
    await world.listener.openDoor(own);
    const { address, port } = world.listener;
    assert.equal(address, `127.0.0.1:${port}`);
    assert.notEqual(port, 0);
    for (const at of [isolated.port, port]) {
      const charger = await connectRawCharger(at, '/ocpp/CP-1');
      charger.destroy();
    }
    await world.listener.close();
    await assert.rejects(connectRaw(isolated.port), isRefused);
    await assert.rejects(connectRaw(port), isRefused);
    await world[Symbol.asyncDispose]();
  });

  test('into the same network takes the place of the older one', async () => {
    const [old, neighbour, anew] = [
      await openedDoor('bay-1'),
      await openedDoor('bay-2'),
      await openedDoor('bay-1'),
    ];
    await using world = await startPlain({ doors: [old.door, neighbour.door] });
    await world.listener.openDoor(anew.door);
    await assert.rejects(connectRaw(old.port), isRefused);
    for (const port of [anew.port, neighbour.port]) {
      (await connectRawCharger(port, '/ocpp/CP-2')).destroy();
    }
  });

  test('a listener that is closed opens no door, and closes the socket that was meant for it', async () => {
    await using world = await startPlain({ doors: [] });
    const count = listeningCount();
    // Opening takes a moment, in which the listener is closed.
    const [early, late] = [await openedDoor('bay-1'), await openedDoor('bay-2')];
    const opening = [own, early.door].map((door) =>
      assert.rejects(world.listener.openDoor(door), /is closed$/),
    );
    await world.listener.close();
    await Promise.all(opening);
    await assert.rejects(world.listener.openDoor(late.door), /is closed$/);
    for (const { port } of [early, late]) await assert.rejects(connectRaw(port), isRefused);
    assert.equal(listeningCount(), count);
  });

  test('a door that cannot be opened changes nothing for the others', async () => {
    await using world = await startPlain({});
    const taken = { at: { host: '127.0.0.1', port: world.port }, ...roomy };
    await assert.rejects(world.listener.openDoor(taken), { code: 'EADDRINUSE' });
    const misnamed = await openedDoor('Bay_1');
    await assert.rejects(world.listener.openDoor(misnamed.door), /a network has a proper name/);
    await assert.rejects(connectRaw(misnamed.port), isRefused);
    const charger = await connectRawCharger(world.port, '/ocpp/CP-1');
    charger.destroy();
  });

  test('when one cannot be opened at the start, none stays open', async () => {
    await using world = await startPlain({});
    const taken = { at: { host: '127.0.0.1', port: world.port }, ...roomy };
    const [before, after] = [await openedDoor('bay-1'), await openedDoor('bay-2')];
    const doors = [before.door, taken, after.door];
    await assert.rejects(startPlain({ doors }), { code: 'EADDRINUSE' });
    for (const { port } of [before, after]) await assert.rejects(connectRaw(port), isRefused);
  });
});

/** A listener with TLS, an own door and two in networks. */
async function startTlsDoors(changes: WorldChanges = {}): Promise<TlsWorld & Ports> {
  const [one, two] = [await openedDoor('bay-1'), await openedDoor('bay-2')];
  const world = await startTlsWorld({ doors: [own, one.door, two.door], ...changes });
  return { ...world, ports: [world.port, one.port, two.port] };
}

interface Ports {
  readonly ports: readonly number[];
}

/** The name of the certificate that is shown at a port. */
async function shown({ authority }: TlsWorld, port: number): Promise<string | undefined> {
  const socket = await connectTls({ authority, port }, { minVersion: 'TLSv1.3' });
  const subject = socket.getPeerX509Certificate()?.subject;
  socket.destroy();
  return subject;
}

/** Lets a listener find that its files have changed. */
async function reload(world: TlsWorld): Promise<void> {
  world.events.clear();
  world.look();
  await world.events.first('TlsCertificatesLoaded');
}

/** A clock that counts the timers that are set. */
function countingClock() {
  const clock = manualClock(Date.now());
  let timers = 0;
  const after: typeof clock.after = (ms, action) => {
    timers += 1;
    return clock.after(ms, action);
  };
  return { time: { ...clock, after }, timers: () => timers };
}

describe('doors with TLS', { concurrency: false }, () => {
  test('the certificates are read and announced once, and shown at every door', async () => {
    const { time, timers } = countingClock();
    await using world = await startTlsDoors({ time });
    assert.equal(world.events.count('TlsCertificatesLoaded'), 1);
    assert.equal(timers(), 1, 'one look at the files is due');
    for (const port of world.ports) assert.equal(await shown(world, port), 'CN=localhost');
  });

  test('new certificates are announced once and shown at every door, also at later ones', async () => {
    await using world = await startTlsDoors();
    const next = await world.authority.issue({ commonName: 'renewed', ...serverNames });
    await world.files.write('ecdsa.pem', next.chainPem);
    await world.files.write('ecdsa.key', next.keyPem);
    await reload(world);
    assert.equal(world.events.count('TlsCertificatesLoaded'), 1);
    const late = await openedDoor('bay-3');
    await world.listener.openDoor(late.door);
    for (const port of [...world.ports, late.port]) {
      assert.equal(await shown(world, port), 'CN=renewed');
    }
    assert.equal(world.events.count('TlsCertificatesLoaded'), 1);
  });

  test('the authorities are the same at every door, before and after they change', async () => {
    const former = await makeAuthority({ commonName: 'Former Root' });
    const next = await makeAuthority({ commonName: 'Next Root' });
    const certificate = await former.issue({ commonName: 'CP-1' });
    const { authority, ...world } = await startTlsDoors({ clientCa: former.certificatePem });
    const visit = async (): Promise<readonly (boolean | undefined)[]> => {
      for (const port of world.ports) {
        const { chainPem: cert, keyPem: key } = certificate;
        assert.match(await upgradeOnce({ authority, port }, { cert, key }), / 101 /);
      }
      const latest = world.arrivals.slice(-world.ports.length);
      assert.equal(new Set(latest.map((arrival) => arrival.clientTrust())).size, 1);
      return latest.map(({ request }) => request.clientCertificate?.isChainVerified);
    };
    assert.deepEqual(await visit(), [true, true, true]);
    await world.files.write('ca.pem', next.certificatePem);
    await reload({ authority, ...world });
    assert.deepEqual(await visit(), [false, false, false]);
    await world[Symbol.asyncDispose]();
  });

  test('a session is resumed at its door with its chain; after new authorities, at none', async () => {
    const root = await makeAuthority({ commonName: 'Charger Root' });
    const maker = await root.intermediate({ commonName: 'Maker' });
    const next = await makeAuthority({ commonName: 'Next Root' });
    const certificate = await maker.issue({ commonName: 'CP-1' });
    await using world = await startTlsDoors({ clientCa: root.certificatePem });
    const { authority } = world;
    const options = { cert: certificate.chainPem, key: certificate.keyPem } as const;
    const [, port = 0] = world.ports;
    const come = async (session?: Buffer) => {
      const resumed = session === undefined ? {} : { session };
      const tls12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
      const socket = await connectTls({ authority, port }, { ...options, ...tls12, ...resumed });
      assert.match(await upgrade(socket), / 101 /);
      const came = { isReused: socket.isSessionReused(), session: socket.getSession() };
      socket.destroy();
      return came;
    };
    const { session } = await come();
    assert.equal((await come(session)).isReused, true);
    const chains = world.arrivals.map(({ request }) => request.clientCertificate?.chain.length);
    assert.deepEqual(chains, [1, 1]);
    await world.files.write('ca.pem', next.certificatePem);
    await reload(world);
    assert.equal((await come(session)).isReused, false);
  });

  test('a handshake that fails names the network', async () => {
    await using world = await startTlsDoors();
    const [, port = 0] = world.ports;
    await sendRaw(port, 'GET / HTTP/1.1\r\n\r\n');
    const refused = await world.events.first('TlsHandshakeFailed');
    assert.equal(refused.remoteAddress, '127.0.0.1@bay-1');
    world.events.clear();
    const half = await connectRaw(port);
    const answered = new Promise((resolve) => half.socket.once('data', resolve));
    half.write(clientHello({ suites: [0xc02b] }));
    await answered;
    half.reset();
    const { detail, remoteAddress } = await world.events.first('TlsHandshakeFailed');
    assert.deepEqual([detail, remoteAddress], ['ECONNRESET', '127.0.0.1@bay-1']);
  });

  test('closing ends half handshakes at every door, and the sockets are closed', async () => {
    const world = await startTlsDoors();
    const halves = await Promise.all(world.ports.map((port) => connectRaw(port)));
    for (const half of halves) half.write(clientHello({ suites: [0xc02b] }).subarray(0, 11));
    // Each has been taken when the door has let in who came after it.
    for (const port of world.ports) {
      await upgradeOnce({ authority: world.authority, port });
    }
    await world.listener.close();
    await Promise.all(halves.map(({ closed }) => closed));
    for (const port of world.ports) await assert.rejects(connectRaw(port), isRefused);
    await world[Symbol.asyncDispose]();
  });
});

describe('doors of a gateway', { concurrency: false }, () => {
  test('open while it runs, for a listener that it has, until it stops', async () => {
    await using csms = await startHandCsms();
    await using live = await startLiveGateway(csms.url);
    const { gateway } = live.running;
    const { door, opened, port } = await openedDoor('bay-1');
    // Of no network: who may be in which is not what this is about.
    await gateway.openDoor('field', { ...door, network: undefined });
    const charger = await connectCharger(`ws://127.0.0.1:${port}/ocpp/CP-1`);
    await talk({ charger, upstream: await csms.nextConnection() });
    assert.equal(opened.listening, true);

    const stray = await openedDoor('bay-2');
    await assert.rejects(gateway.openDoor('yard', stray.door), /there is no listener yard/);
    await assert.rejects(connectRaw(stray.port), isRefused);

    const stopping = live.stop();
    const late = await openedDoor('bay-3');
    await assert.rejects(gateway.openDoor('field', late.door), /is closed/);
    await stopping;
    for (const at of [port, late.port]) await assert.rejects(connectRaw(at), isRefused);
  });
});
