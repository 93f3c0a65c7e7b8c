import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectRaw } from '../../support/raw-websocket.ts';
import {
  clientHello,
  connectTls,
  sendRaw,
  startTlsWorld,
  upgrade,
  upgradeOnce,
} from './tls-world.ts';

// Goal: what is no TLS, what is slow, and what comes in masses costs the listener little, is
//   reported, and keeps no charger out.
// Method: bytes and half handshakes against a listener with small limits, and a charger beside them.

describe('what is no handshake', { concurrency: false }, () => {
  const cases: readonly (readonly [name: string, bytes: string | Uint8Array])[] = [
    ['plain HTTP', 'GET /ocpp/CP-1 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a proxy request', 'CONNECT 10.0.0.1:22 HTTP/1.1\r\n\r\n'],
    ['a WebSocket upgrade without TLS', 'GET /ocpp/CP-1 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['zeros', Buffer.alloc(64)],
  ];
  for (const [name, bytes] of cases) {
    test(`${name} on the port of TLS is refused and reported as NotTls`, async () => {
      await using world = await startTlsWorld();
      const answer = await sendRaw(world.port, bytes);
      assert.doesNotMatch(answer.toString('latin1'), /HTTP/);
      const event = await world.events.first('TlsHandshakeFailed');
      assert.equal(event.finding, 'NotTls', event.detail);
      assert.match(event.detail, /^ERR_SSL_/);
      assert.match(await upgradeOnce(world), /^HTTP\/1\.1 101 /);
      assert.equal(world.events.count('TlsHandshakeFailed'), 1);
      assert.equal(world.events.count('UpgradeRefused'), 0);
    });
  }

  test('who connects and leaves, or is reset, before a word is no event', async () => {
    await using world = await startTlsWorld();
    const leaving = await connectRaw(world.port);
    leaving.socket.end();
    await leaving.closed;
    const reset = await connectRaw(world.port);
    reset.reset();
    await reset.closed;
    assert.match(await upgradeOnce(world), /^HTTP\/1\.1 101 /);
    assert.equal(world.events.count('TlsHandshakeFailed'), 0);
    assert.equal(world.events.count('UpgradeRefused'), 0);
  });

  test('T2-05: a handshake that is cut off half way is reported', async () => {
    await using world = await startTlsWorld();
    const half = await connectRaw(world.port);
    const answered = new Promise((resolve) => half.socket.once('data', resolve));
    half.write(clientHello({ suites: [0xc02b] }));
    await answered;
    half.reset();
    const { detail, finding } = await world.events.first('TlsHandshakeFailed');
    assert.deepEqual([finding, detail], ['Other', 'ECONNRESET']);
  });

  test('a charger that does not trust the certificate is reported with what it says', async () => {
    await using world = await startTlsWorld();
    const other = await startTlsWorld();
    const { certificatePem } = other.authority;
    await other[Symbol.asyncDispose]();
    await assert.rejects(connectTls(world, { ca: certificatePem }));
    const { finding } = await world.events.first('TlsHandshakeFailed');
    assert.equal(finding, 'Other');
  });
});

describe('slow and many', { concurrency: false }, () => {
  test('T2-27: a handshake that does not go on ends in time, and is reported', async () => {
    await using world = await startTlsWorld({ handshakeSeconds: 1 });
    const silent = await connectRaw(world.port);
    const half = await connectRaw(world.port);
    half.write(clientHello({ suites: [0xc02b] }).subarray(0, 11));
    const charger = await connectTls(world);
    assert.match(await upgrade(charger), /^HTTP\/1\.1 101 /);
    await Promise.all([silent.closed, half.closed]);
    const events = world.events.all.filter((event) => event.name === 'TlsHandshakeFailed');
    assert.deepEqual(
      events.map(({ detail, finding }) => [finding, detail]),
      Array.from({ length: 2 }, () => ['TimedOut', 'ERR_TLS_HANDSHAKE_TIMEOUT']),
    );
    // The charger is not touched by it.
    assert.equal(charger.destroyed, false);
    charger.destroy();
  });

  test('T2-27: a request that does not follow the handshake ends in time', async () => {
    await using world = await startTlsWorld({ handshakeSeconds: 1 });
    const idle = await connectTls(world);
    idle.resume();
    await new Promise((resolve) => idle.once('close', resolve));
  });

  test('T2-27: half handshakes count against the limit of their address', async () => {
    await using world = await startTlsWorld({ connectionsPerAddressMax: 2 });
    const half = [await connectRaw(world.port), await connectRaw(world.port)];
    for (const peer of half) peer.write(clientHello({ suites: [0xc02b] }).subarray(0, 11));
    const third = await connectRaw(world.port);
    await third.closed;
    const { code, remoteAddress } = await world.events.first('UpgradeRefused');
    assert.deepEqual([code, remoteAddress], ['CONNECTIONS_FULL', '127.0.0.1']);

    // From elsewhere a charger gets in meanwhile; and from here when they have gone.
    assert.match(
      await upgradeOnce(world, { localAddress: '127.0.0.2' } as object),
      /^HTTP\/1\.1 101 /,
    );
    for (const peer of half) peer.reset();
    await world.events.first('TlsHandshakeFailed');
    await Promise.all(half.map((peer) => peer.closed));
    assert.match(await upgradeOnce(world), /^HTTP\/1\.1 101 /);
  });

  test('T2-27: half handshakes count against the limit of all', async () => {
    await using world = await startTlsWorld({ connectionsMax: 1 });
    const half = await connectRaw(world.port);
    half.write(clientHello({ suites: [0xc02b] }).subarray(0, 11));
    const second = await connectRaw(world.port);
    await second.closed;
    const { code } = await world.events.first('UpgradeRefused');
    assert.equal(code, 'CONNECTIONS_FULL');
    half.destroy();
  });

  test('T2-27: a flood of half handshakes from one address keeps no charger out', async () => {
    await using world = await startTlsWorld({ connectionsPerAddressMax: 20 });
    const flood = await Promise.all(Array.from({ length: 40 }, () => connectRaw(world.port)));
    for (const peer of flood) {
      if (!peer.socket.destroyed) peer.write(clientHello({ suites: [0xc02b] }).subarray(0, 11));
    }
    assert.match(
      await upgradeOnce(world, { localAddress: '127.0.0.2' } as object),
      /^HTTP\/1\.1 101 /,
    );
    for (const peer of flood) peer.destroy();
  });

  test('closing the listener ends half handshakes and leaves open WebSockets alone', async () => {
    const world = await startTlsWorld({ handshakeSeconds: 600 });
    const half = await connectRaw(world.port);
    half.write(clientHello({ suites: [0xc02b] }).subarray(0, 11));
    const charger = await connectTls(world);
    assert.match(await upgrade(charger), /^HTTP\/1\.1 101 /);
    await world.listener.close();
    await half.closed;
    assert.equal(charger.destroyed, false);
    await assert.rejects(connectTls(world));
    charger.destroy();
    await world[Symbol.asyncDispose]();
    assert.equal(world.events.count('TlsHandshakeFailed'), 0);
  });
});

describe('refusals over TLS', { concurrency: false }, () => {
  test('T4-01: with a password a stranger is challenged, with a certificate it is not', async () => {
    await using passwords = await startTlsWorld({
      onArrival: (arrival) => arrival.refuse('PASSWORD_WRONG'),
    });
    const challenged = await upgradeOnce(passwords);
    assert.match(challenged, /^HTTP\/1\.1 401 Unauthorized\r\n/);
    assert.match(challenged, /\r\nwww-authenticate: Basic realm="ocpp", charset="UTF-8"\r\n/);

    await using certificates = await startTlsWorld({
      clientCa: passwords.authority.certificatePem,
      onArrival: (arrival) => arrival.refuse('CERTIFICATE_UNBOUND'),
    });
    const refused = await upgradeOnce(certificates);
    assert.match(refused, /^HTTP\/1\.1 403 Forbidden\r\n/);
    assert.doesNotMatch(refused, /www-authenticate/i);
    assert.match(refused, /\r\n\r\nNot authorized\.\n$/);
  });

  test('429 has its name and says when to come back', async () => {
    await using world = await startTlsWorld({
      onArrival: (arrival) => arrival.refuse('ATTEMPTS_EXHAUSTED', 17),
    });
    const refused = await upgradeOnce(world);
    assert.match(refused, /^HTTP\/1\.1 429 Too Many Requests\r\n/);
    assert.match(refused, /\r\nretry-after: 17\r\n/);
  });
});

describe('credentials in the upgrade request', { concurrency: false }, () => {
  const basic = `Basic ${Buffer.from('CP-1:secret').toString('base64')}`;

  test('the bytes of HTTP Basic are handed on, and the header is kept nowhere', async () => {
    await using world = await startTlsWorld();
    const socket = await connectTls(world);
    assert.match(await upgrade(socket, 'CP-1', { Authorization: basic }), / 101 /);
    const [arrival] = world.arrivals;
    assert.deepEqual(arrival?.request.basic, {
      is: 'basic',
      credential: Buffer.from('CP-1:secret'),
    });
    assert.equal(arrival?.clientTrust(), undefined);
    assert.equal(arrival?.request.clientCertificate, undefined);
    socket.destroy();
  });

  test('none is absent, and two are malformed whatever Node keeps of them', async () => {
    await using world = await startTlsWorld();
    await upgradeOnce(world);
    const socket = await connectTls(world);
    await upgrade(socket, 'CP-1', { Authorization: basic, authorization: basic });
    socket.destroy();
    assert.deepEqual(
      world.arrivals.map(({ request }) => request.basic),
      [{ is: 'absent' }, { is: 'malformed' }],
    );
  });
});
