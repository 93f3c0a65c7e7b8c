import assert from 'node:assert/strict';
import { mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { openChargerListener } from '../../../src/connection/charger-listener.ts';
import { makeAuthority, type TestCertificate } from '../../support/certificates.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { connectTls, serverNames, startTlsWorld, type TlsWorld, upgrade } from './tls-world.ts';

// Goal: new files are in force within seconds and nobody is dropped; files that cannot be used are
//   reported once and change nothing; what expires is announced in time.
// Method: a listener whose clock the test moves, and files that the test writes.

const dayMs = 24 * 3600 * 1000;

/** The fingerprint of what the listener shows to a client that can do ECDSA. */
async function shown(world: TlsWorld): Promise<string | undefined> {
  const socket = await connectTls(world, { minVersion: 'TLSv1.3' });
  const fingerprint = socket.getPeerX509Certificate()?.subject;
  socket.destroy();
  return fingerprint;
}

async function renew(world: TlsWorld, commonName: string): Promise<TestCertificate> {
  return await world.authority.issue({ commonName, ...serverNames });
}

/** Lets the listener look until it has said something. */
async function lookUntil(
  world: TlsWorld,
  name: 'TlsCertificatesLoaded' | 'TlsReloadFailed',
): Promise<void> {
  world.events.clear();
  world.look();
  await world.events.first(name);
}

/** Lets the listener look `times` times, each look done before the next. */
async function lookDone(world: TlsWorld, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    world.look();
    // A look reads files that this test can read in the same way, behind it.
    for (let turn = 0; turn < 20; turn += 1) await stat(world.files.at('ecdsa.pem'));
  }
}

describe('new certificates', { concurrency: false }, () => {
  test('are shown to the next charger, and the one that is connected stays', async () => {
    await using world = await startTlsWorld();
    const charger = await connectTls(world);
    assert.match(await upgrade(charger), / 101 /);
    assert.equal(await shown(world), 'CN=localhost');

    const next = await renew(world, 'renewed');
    await world.files.write('ecdsa.pem', next.chainPem);
    await world.files.write('ecdsa.key', next.keyPem);
    await lookUntil(world, 'TlsCertificatesLoaded');
    assert.equal(await shown(world), 'CN=renewed');

    // The open WebSocket still carries messages: a text frame with an empty mask key.
    const peer = await world.accepted[0];
    assert.equal(peer?.isOpen, true);
    const received = new Promise<Buffer>((resolve) => {
      peer?.start({ onMessage: resolve, onEnd: () => {}, onDrained: () => {} });
    });
    charger.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x6f, 0x6b]));
    assert.equal((await received).toString(), 'ok');
    charger.destroy();
  });

  test('are found behind a link that was set to another directory, as Kubernetes does', async () => {
    await using world = await startTlsWorld();
    const { files } = world;
    for (const version of ['one', 'two']) {
      const pair = await renew(world, version);
      await mkdir(files.at(version));
      await writeFile(files.at(`${version}/tls.crt`), pair.chainPem);
      await writeFile(files.at(`${version}/tls.key`), pair.keyPem);
      // The same size and age, so that only the file itself is another one.
      for (const name of ['tls.crt', 'tls.key']) await utimes(files.at(`${version}/${name}`), 1, 1);
    }
    await symlink('one', files.at('data'));
    await using linked = await startTlsWorld({
      tls: {
        certificates: [{ certFile: files.at('data/tls.crt'), keyFile: files.at('data/tls.key') }],
      },
    });
    const view = { ...linked, authority: world.authority };
    assert.equal(await shown(view), 'CN=one');
    await symlink('two', files.at('data.next'));
    await rename(files.at('data.next'), files.at('data'));
    await lookUntil(linked, 'TlsCertificatesLoaded');
    assert.equal(await shown(view), 'CN=two');
  });

  test('files that were written again with the same text change nothing', async () => {
    await using world = await startTlsWorld();
    const { certificates } = await world.events.first('TlsCertificatesLoaded');
    assert.equal(certificates.length, 2);
    assert.match(certificates[0] ?? '', /^ECDSA until 20\d\d-/);
    assert.match(certificates[1] ?? '', /^RSA until 20\d\d-/);
    await utimes(world.files.at('ecdsa.pem'), 1, 1);
    await lookDone(world, 3);
    assert.equal(world.events.count('TlsCertificatesLoaded'), 1);
    assert.equal(world.events.count('TlsReloadFailed'), 0);
  });
});

describe('new files that cannot be used', { concurrency: false }, () => {
  const breakages: readonly (readonly [
    name: string,
    detail: RegExp,
    act: (world: TlsWorld) => Promise<unknown>,
  ])[] = [
    [
      'a certificate without its new key',
      /ecdsa\.key: is not the key of the certificate in .*ecdsa\.pem$/,
      async (world) => world.files.write('ecdsa.pem', (await renew(world, 'new')).chainPem),
    ],
    [
      'a certificate that is half written',
      /ecdsa\.pem: is not a certificate in PEM$/,
      async (world) =>
        world.files.write('ecdsa.pem', (await renew(world, 'new')).certificatePem.slice(0, 200)),
    ],
    [
      'a key that is half written',
      /ecdsa\.key: is not a private key in PEM$/,
      async (world) =>
        world.files.write('ecdsa.key', (await renew(world, 'new')).keyPem.slice(0, 100)),
    ],
    [
      'a chain that is half written',
      /ecdsa\.pem.*: OpenSSL does not accept it \(ERR_/,
      async (world) => {
        const pair = await renew(world, 'new');
        await world.files.write('ecdsa.key', pair.keyPem);
        const issuer = world.authority.certificatePem.slice(0, 200);
        await world.files.write(
          'ecdsa.pem',
          `${pair.certificatePem}${issuer}\n-----END CERTIFICATE-----\n`,
        );
      },
    ],
    ['an empty file', /rsa\.pem: is not a cert/, (world) => world.files.write('rsa.pem', '')],
    [
      'a file that is gone',
      /rsa\.key: cannot be read \(ENOENT\)$/,
      (world) => rm(world.files.at('rsa.key')),
    ],
    [
      'a directory',
      /rsa\.key: is not a file$/,
      async (world) => {
        await rm(world.files.at('rsa.key'));
        await mkdir(world.files.at('rsa.key'));
      },
    ],
    [
      'a file that is too large',
      /rsa\.key: has more than 1048576 bytes$/,
      (world) => world.files.write('rsa.key', 'x'.repeat(1024 * 1024 + 1)),
    ],
  ];
  for (const [name, detail, act] of breakages) {
    test(`${name}: reported once, the old ones stay, and good ones end it`, async () => {
      await using world = await startTlsWorld();
      await act(world);
      await lookUntil(world, 'TlsReloadFailed');
      await lookDone(world, 3);
      assert.equal(world.events.count('TlsReloadFailed'), 1);
      const event = await world.events.first('TlsReloadFailed');
      assert.match(event.detail, detail);
      assert.doesNotMatch(event.detail, /BEGIN|MII/);
      assert.equal(await shown(world), 'CN=localhost');

      const next = await renew(world, 'repaired');
      const rsa = await world.authority.issue({ commonName: 'x', algorithm: 'rsa-2048' });
      await rm(world.files.at('rsa.key'), { recursive: true, force: true });
      await world.files.write('rsa.key', rsa.keyPem);
      await world.files.write('rsa.pem', rsa.chainPem);
      await world.files.write('ecdsa.pem', next.chainPem);
      await world.files.write('ecdsa.key', next.keyPem);
      await lookUntil(world, 'TlsCertificatesLoaded');
      assert.equal(await shown(world), 'CN=repaired');
    });
  }

  test('authorities that cannot be read: the old ones go on being trusted', async () => {
    const root = await makeAuthority();
    await using world = await startTlsWorld({ clientCa: root.certificatePem });
    await upgrade(await connectTls(world));
    const trust = world.arrivals[0]?.clientTrust();
    await world.files.write('ca.pem', root.certificatePem.slice(0, 200));
    await lookUntil(world, 'TlsReloadFailed');
    assert.match((await world.events.first('TlsReloadFailed')).detail, /ca\.pem: authorities: /);
    assert.equal(world.arrivals[0]?.clientTrust(), trust);
  });

  test('a new revocation list is in force', async () => {
    const root = await makeAuthority();
    const clientCrl = await root.crl([]);
    await using world = await startTlsWorld({ clientCa: root.certificatePem, clientCrl });
    await upgrade(await connectTls(world));
    const [arrival] = world.arrivals;
    const status = (): string | undefined => {
      const trust = arrival?.clientTrust();
      const issuer = trust?.authorities[0]?.fields;
      return issuer && trust?.revocationOf('ab', issuer, { graceMs: 0, nowMs: Date.now() });
    };
    assert.equal(status(), 'good');
    await world.files.write('crl.pem', await root.crl(['ab'], { thisUpdate: new Date() }));
    await lookUntil(world, 'TlsCertificatesLoaded');
    assert.equal(status(), 'revoked');
  });
});

describe('opening a listener', { concurrency: false }, () => {
  test('with files that cannot be used fails with the file, and without what is in it', async () => {
    const authority = await makeAuthority();
    const one = await authority.issue({ commonName: 'one' });
    const other = await authority.issue({ commonName: 'other' });
    await using world = await startTlsWorld();
    const { files } = world;
    await files.write('one.pem', one.chainPem);
    await files.write('one.key', one.keyPem);
    await files.write('other.pem', other.chainPem);
    await files.write('other.key', other.keyPem);
    await files.write('ed.pem', (await authority.issue({ algorithm: 'ed25519' })).chainPem);
    await files.write('weak.pem', (await authority.issue({ algorithm: 'rsa-1024' })).chainPem);
    await files.write('weak.key', (await authority.issue({ algorithm: 'rsa-1024' })).keyPem);
    await files.write(
      'locked.key',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHs\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    const cases: readonly (readonly [pairs: readonly string[], message: RegExp])[] = [
      [['missing.pem', 'one.key'], /missing\.pem: cannot be read \(ENOENT\)$/],
      [['one.key', 'one.key'], /one\.key: is not a certificate in PEM$/],
      [['one.pem', 'one.pem'], /one\.pem: is not a private key in PEM$/],
      [['one.pem', 'locked.key'], /locked\.key: /],
      [['one.pem', 'other.key'], /other\.key: is not the key of the certificate in .*one\.pem$/],
      [['ed.pem', 'one.key'], /ed\.pem: its key is neither ECDSA nor RSA$/],
      [['weak.pem', 'weak.key'], /weak\.pem: OpenSSL does not accept it \(ERR_SSL_/],
      [
        ['one.pem', 'one.key', 'other.pem', 'other.key'],
        /other\.pem: another certificate has the same type of key$/,
      ],
    ];
    for (const [[certFile = '', keyFile = '', ...more], message] of cases) {
      const [secondCert, secondKey] = more;
      const certificates = [{ certFile: files.at(certFile), keyFile: files.at(keyFile) }];
      if (secondCert !== undefined && secondKey !== undefined) {
        certificates.push({ certFile: files.at(secondCert), keyFile: files.at(secondKey) });
      }
      await assert.rejects(startTlsWorld({ tls: { certificates } }), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /BEGIN|MII/);
        return true;
      });
    }
  });

  test('on a port that is taken fails, and stops looking at its files', async () => {
    await using world = await startTlsWorld();
    const clock = manualClock();
    let timers = 0;
    const counting = {
      ...clock,
      after: (ms: number, action: () => void) => {
        timers += 1;
        const timer = clock.after(ms, action);
        return {
          cancel: () => {
            timers -= 1;
            timer.cancel();
          },
        };
      },
    };
    await assert.rejects(
      openChargerListener(
        {
          name: 'second',
          securityProfile: 2,
          doors: [
            {
              at: { host: '127.0.0.1', port: world.port },
              connectionsMax: 1,
              connectionsPerAddressMax: 1,
            },
          ],
          paths: ['/'],
          identity: { from: 'path' },
          limits: {
            frameBytesMax: 65_536,
            pingSeconds: 0,
            pongSeconds: 1,
            silentSeconds: 1,
            stallSeconds: 1,
          },
          handshakeSeconds: 1,
          tls: {
            certificates: [
              { certFile: world.files.at('rsa.pem'), keyFile: world.files.at('rsa.key') },
            ],
          },
        },
        () => {},
        () => {},
        counting,
      ),
      { code: 'EADDRINUSE' },
    );
    assert.equal(timers, 0);
  });
});

describe('what expires', { concurrency: false }, () => {
  test('a certificate is announced once when a tenth of its life is left', async () => {
    // The certificates of the listener live for a year, from an hour ago.
    const time = manualClock(Date.now() + 300 * dayMs);
    await using world = await startTlsWorld({ time });
    assert.equal(world.events.count('TlsCertificateExpiring'), 0);
    time.advance(40 * dayMs);
    const { listener, notAfter } = await world.events.first('TlsCertificateExpiring');
    assert.equal(listener, 'field');
    assert.match(notAfter, /^20\d\d-.*Z$/);
    await lookDone(world, 3);
    assert.equal(world.events.count('TlsCertificateExpiring'), 2, 'once for each of the two');
  });

  test('one that has expired already is used, and announced at once', async () => {
    await using world = await startTlsWorld({ time: manualClock(Date.now() + 400 * dayMs) });
    assert.equal(world.events.count('TlsCertificateExpiring'), 2);
  });

  test('a revocation list is announced once when the next one is overdue', async () => {
    const root = await makeAuthority();
    const nextUpdate = new Date(Date.now() + dayMs);
    const clientCrl = await root.crl([], { nextUpdate });
    await using world = await startTlsWorld({ clientCa: root.certificatePem, clientCrl });
    assert.equal(world.events.count('RevocationListStale'), 0);
    world.clock.advance(2 * dayMs);
    const stale = await world.events.first('RevocationListStale');
    assert.equal(stale.listener, 'field');
    assert.equal(Math.floor(Date.parse(stale.nextUpdate) / 1000), Math.floor(+nextUpdate / 1000));
    await lookDone(world, 3);
    assert.equal(world.events.count('RevocationListStale'), 1);
  });
});
