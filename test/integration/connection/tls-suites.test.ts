import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connectRaw } from '../../support/raw-websocket.ts';
import {
  clientHello,
  connectTls,
  sClient,
  sendRaw,
  startTlsWorld,
  type TlsWorld,
  upgradeOnce,
} from './tls-world.ts';

// Goal: a TLS listener speaks the versions and suites that OCPP asks for and no others; whoever
//   offers something else is refused and reported, and chargers beside it notice nothing.
// Method: one listener with an ECDSA and an RSA certificate; openssl s_client, and hellos made of
//   bytes for what no library offers any more. After each attack a charger connects.

/** The four suites of OCPP, as TLS numbers them. */
const mandatory = new Map([
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 0xc02b],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', 0xc02c],
  ['AES128-GCM-SHA256', 0x009c],
  ['AES256-GCM-SHA384', 0x009d],
]);

/** The type and the first bytes of the first record. */
function answerOf(bytes: Buffer): 'alert' | 'server hello' | 'other' {
  if (bytes[0] === 0x15) return 'alert';
  return bytes[0] === 0x16 && bytes[5] === 2 ? 'server hello' : 'other';
}

/** The tests give up some handshakes themselves; those count for nothing. */
function isRefusal({ detail }: { readonly detail: string }): boolean {
  return detail !== 'ECONNRESET';
}

describe('TLS versions and suites', () => {
  let world: TlsWorld;
  before(async () => {
    world = await startTlsWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  const finding = async (): Promise<string> => {
    const event = await world.events.first('TlsHandshakeFailed', isRefusal);
    assert.equal(event.listener, 'field');
    assert.equal(event.remoteAddress, '127.0.0.1');
    world.events.clear();
    return `${event.finding} ${event.detail}`;
  };
  const assertChargersWelcome = async (): Promise<void> => {
    assert.match(await upgradeOnce(world), /^HTTP\/1\.1 101 /);
    assert.equal(
      world.events.all.some((it) => it.name === 'TlsHandshakeFailed' && isRefusal(it)),
      false,
    );
  };

  for (const suite of mandatory.keys()) {
    test(`A00.FR.317: ${suite} with TLS 1.2`, async () => {
      const output = await sClient(world.port, ['-tls1_2', '-cipher', suite]);
      assert.match(output, new RegExp(`Ciphersuite: ${suite}\n`));
    });
  }

  for (const suite of [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
  ]) {
    test(`${suite} with TLS 1.3`, async () => {
      const output = await sClient(world.port, ['-tls1_3', '-ciphersuites', suite]);
      assert.match(output, new RegExp(`Ciphersuite: ${suite}\n`));
    });
  }

  for (const version of ['-tls1', '-tls1_1']) {
    test(`T2-09: openssl s_client ${version} is refused and reported`, async () => {
      const output = await sClient(world.port, [version, '-cipher', 'ALL:@SECLEVEL=0']);
      assert.match(output, /alert protocol version/);
      assert.equal(await finding(), 'InvalidTLSVersion ERR_SSL_UNSUPPORTED_PROTOCOL');
      await assertChargersWelcome();
    });
  }

  for (const [name, version] of [
    ['SSL 3.0', 0x0300],
    ['TLS 1.0', 0x0301],
    ['TLS 1.1', 0x0302],
  ] as const) {
    test(`T2-09: ${name} is refused and reported, also with a mandatory suite`, async () => {
      const answer = await sendRaw(world.port, clientHello({ version, suites: [0xc02b, 0x9c] }));
      assert.notEqual(answerOf(answer), 'server hello');
      assert.match(await finding(), /^InvalidTLSVersion /);
      await assertChargersWelcome();
    });
  }

  test('T2-09: a hello of SSL 2 is refused and reported', async () => {
    const hello = `802e010002001500000010${'010080'.repeat(7)}${'00'.repeat(16)}`;
    await sendRaw(world.port, Buffer.from(hello, 'hex'));
    assert.match(await finding(), /^InvalidTLSVersion /);
    await assertChargersWelcome();
  });

  test('T2-09: no suites at all, or compression that is not optional, is refused', async () => {
    assert.equal(answerOf(await sendRaw(world.port, clientHello({ suites: [] }))), 'alert');
    assert.match(await finding(), /^InvalidTLSCipherSuite /);
    const compressed = clientHello({ suites: [0xc02b], compression: [1] });
    assert.equal(answerOf(await sendRaw(world.port, compressed)), 'alert');
    assert.match(await finding(), /^Other ERR_SSL_REQUIRED_COMPRESSION_ALGORITHM_MISSING$/);
    await assertChargersWelcome();
  });

  for (const suite of [
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'DHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA384',
    'ECDHE-ECDSA-AES128-SHA',
    'AES128-SHA',
    'AES128-SHA256',
    'AES256-SHA256',
    'CAMELLIA128-SHA256',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-CCM8',
    'NULL-SHA256',
    'ECDHE-ECDSA-NULL-SHA',
    'ADH-AES128-GCM-SHA256',
    'AECDH-AES128-SHA',
  ]) {
    test(`T2-09: ${suite} is refused and reported`, async () => {
      const args = ['-tls1_2', '-cipher', `${suite}:@SECLEVEL=0`];
      const output = await sClient(world.port, args);
      assert.match(output, /alert handshake failure/);
      assert.equal(await finding(), 'InvalidTLSCipherSuite ERR_SSL_NO_SHARED_CIPHER');
      await assertChargersWelcome();
    });
  }

  test('T2-09: of all suites that TLS 1.2 ever had, RC4 and 3DES among them, only four are taken', async () => {
    const numbers = Array.from({ length: 256 }, (_, index) => index);
    const all = [0x0000, 0x1300, 0xc000, 0xc100, 0xcc00].flatMap((page) =>
      numbers.map((number) => page + number),
    );
    const allowed = new Set(mandatory.values());
    const others = all.filter((suite) => !allowed.has(suite) && suite !== 0x5600);
    const refused = await sendRaw(world.port, clientHello({ suites: others }));
    assert.equal(answerOf(refused), 'alert');
    assert.equal(await finding(), 'InvalidTLSCipherSuite ERR_SSL_NO_SHARED_CIPHER');

    // The same hello with one of the four is good: nothing else is wrong with it.
    for (const suite of allowed) {
      const socket = await firstRecord(world.port, clientHello({ suites: [...others, suite] }));
      assert.equal(answerOf(socket), 'server hello');
    }
  });

  test('T2-09: a fallback that the client admits to is refused (RFC 7507)', async () => {
    const hello = clientHello({ suites: [0xc02b, 0x5600] });
    assert.equal(answerOf(await sendRaw(world.port, hello)), 'alert');
    assert.equal(await finding(), 'InvalidTLSVersion ERR_SSL_INAPPROPRIATE_FALLBACK');
    await assertChargersWelcome();
  });

  test('T2-09: no compression, though the client offers it', async () => {
    const hello = clientHello({ suites: [0xc02b], compression: [1, 0] });
    const record = await firstRecord(world.port, hello);
    assert.equal(answerOf(record), 'server hello');
    // Record head 5, handshake head 4, version 2, random 32, then the session id and the suite.
    const sessionIdLength = record[43] ?? 0;
    assert.equal(record.readUInt16BE(44 + sessionIdLength), 0xc02b);
    assert.equal(record[46 + sessionIdLength], 0);
    const output = await sClient(world.port, ['-tls1_2', '-comp']);
    assert.match(output, /Ciphersuite: /);
  });

  test('T2-09: the client may not renegotiate', async () => {
    const socket = await connectTls(world, { maxVersion: 'TLSv1.2' });
    const error = await new Promise<Error | null>((resolve) => {
      socket.on('error', resolve);
      socket.renegotiate({}, resolve);
    });
    assert.equal((error as NodeJS.ErrnoException | null)?.code, 'ERR_SSL_NO_RENEGOTIATION');
    socket.destroy();
    world.events.clear();
    await assertChargersWelcome();
  });
});

/** What comes first after `bytes`; then the connection is given up. */
async function firstRecord(port: number, bytes: Uint8Array): Promise<Buffer> {
  using peer = await connectRaw(port);
  const data = new Promise<Buffer>((resolve) => peer.socket.once('data', resolve));
  peer.write(bytes);
  return await data;
}
