import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import {
  type ServiceOptions,
  serveServices,
} from '../../../src/connection/isolation/services/serve-services.ts';
import { BrokenInvariant } from '../../../src/lib/assert.ts';
import { manualClock } from '../../support/manual-clock.ts';

// Goal: clients that were not written for this gateway get addresses, names and the time over UDP,
// and a flood, a lost socket or a hostile packet ends nothing.
// Method: real sockets on the loopback network, which is one of a broadcast address too; c-ares for
// DNS, and clients of DHCP and NTP written by hand from the RFCs. The clock stands still.

const network = '127.255.255.255';
const names = { names: ['csms.example'], addresses: ['127.0.0.1', 'fd00::1'], ttlSeconds: 30 };
const dhcp = {
  serverAddress: '127.0.0.1',
  prefixLength: 8,
  from: '127.0.0.10',
  to: '127.0.0.13',
  leaseSeconds: 600,
  offersRouter: true,
  offersDns: true,
  offersNtp: true,
};

/** A socket that the services get, and close. */
async function opened(address = '127.0.0.1', port = 0): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

/** A socket of a client. */
async function bound(context: TestContext, address?: string, port?: number): Promise<Socket> {
  const socket = await opened(address, port);
  context.after(() => {
    socket.close();
  });
  return socket;
}

/** All three services, each on a port of its own. */
async function start(context: TestContext, options: Partial<ServiceOptions> = {}) {
  const clock = manualClock();
  const [dhcpSocket, dns, ntp] = [await opened(), await opened(), await opened()];
  const sockets = { dhcp: dhcpSocket, dns, ntp };
  const services = serveServices(sockets, { dhcp, dns: names, ...options }, clock);
  context.after(() => services.close());
  return { clock, sockets, services };
}

async function received(socket: Socket): Promise<Buffer> {
  const [bytes]: unknown[] = await once(socket, 'message');
  assert(bytes instanceof Buffer);
  return bytes;
}

function resolverAt({ dns }: { readonly dns: Socket }): Resolver {
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([`127.0.0.1:${dns.address().port}`]);
  return resolver;
}

/** A question for A of csms.example, by RFC 1035 section 4. */
function question(id: number): Buffer {
  const bytes = Buffer.from('00000100000100000000000004637363730765786d706c650000010001', 'hex');
  bytes.writeUInt16BE(id);
  return bytes;
}

describe('DNS, asked by c-ares', { timeout: 20_000 }, () => {
  test('the names have the addresses of the gateway', async (context) => {
    const resolver = resolverAt((await start(context)).sockets);
    assert.deepEqual(await resolver.resolve4('csms.example', { ttl: true }), [
      { address: '127.0.0.1', ttl: 30 },
    ]);
    assert.deepEqual(await resolver.resolve6('CSMS.Example'), ['fd00::1']);
  });

  test('no other name exists, and no other type has data', async (context) => {
    const resolver = resolverAt((await start(context)).sockets);
    await assert.rejects(resolver.resolve4('example.com'), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.resolve6('www.csms.example'), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.reverse('192.0.2.1'), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.resolveMx('csms.example'), { code: 'ENODATA' });
    await assert.rejects(resolver.resolveSrv('csms.example'), { code: 'ENODATA' });
    await assert.rejects(resolver.resolveTxt('csms.example'), { code: 'ENODATA' });
  });
});

describe('NTP', { timeout: 20_000 }, () => {
  test('a client of RFC 5905 finds that its clock is 70 seconds behind', async (context) => {
    const { clock, sockets } = await start(context, { ntp: { stratum: 4 } });
    const client = await bound(context);
    const epochSeconds = 2_208_988_800;
    const request = Buffer.alloc(48);
    request[0] = 0x23;
    const clientSeconds = clock.nowMs() / 1000 - 70 + epochSeconds;
    request.writeUInt32BE(clientSeconds, 40);
    request.writeUInt32BE(0xabcdef01, 44);
    client.send(request, sockets.ntp.address().port, '127.0.0.1');
    const answer = await received(client);
    assert.equal(answer.length, 48);
    assert.equal(answer.toString('hex', 0, 2), '2404');
    assert.deepEqual(answer.subarray(24, 32), request.subarray(40, 48));
    const [receivedAt, sentAt] = [answer.readUInt32BE(32), answer.readUInt32BE(40)];
    // RFC 5905 section 8: the offset is the mean of both ways.
    assert.equal((receivedAt - clientSeconds + (sentAt - clientSeconds)) / 2, 70);
  });
});

describe('DHCP', { timeout: 20_000 }, () => {
  interface Message {
    readonly type: number;
    readonly ciaddr?: string;
    readonly wanted?: string;
    readonly server?: string;
  }

  const ip = (text: string): number[] => text.split('.').map(Number);

  /** A message of a client, by RFC 2131 figure 1. */
  function message({ type, ciaddr, wanted, server }: Message): Buffer {
    const bytes = Buffer.alloc(300);
    bytes.set([1, 1, 6, 0, 9, 8, 7, 6, 0, 0, 0x80, 0]);
    bytes.set(ip(ciaddr ?? '0.0.0.0'), 12);
    bytes.set([2, 0, 0, 0, 0, 5], 28);
    bytes.set([99, 130, 83, 99, 53, 1, type], 236);
    const options = [
      ...(wanted === undefined ? [] : [50, 4, ...ip(wanted)]),
      ...(server === undefined ? [] : [54, 4, ...ip(server)]),
      255,
    ];
    bytes.set(options, 243);
    return bytes;
  }

  /** Message type, `yiaddr` and the server's identifier: always the first two options here. */
  function read(bytes: Buffer) {
    assert.equal(bytes.toString('hex', 4, 8), '09080706');
    assert.equal(bytes.toString('hex', 236, 242), '638253633501');
    assert.equal(bytes.toString('hex', 243, 245), '3604');
    return {
      type: bytes[242],
      yiaddr: [...bytes.subarray(16, 20)].join('.'),
      server: [...bytes.subarray(245, 249)].join('.'),
    };
  }

  test('a client gets an address by broadcast, and renews it by unicast', async (context) => {
    const listener = await bound(context, network);
    const { port } = listener.address();
    const { sockets } = await start(context, {
      dhcpClients: { broadcastAddress: network, port },
    });
    const serverPort = sockets.dhcp.address().port;
    const server = '127.0.0.1';

    const anonymous = await bound(context);
    anonymous.send(message({ type: 1 }), serverPort, server);
    const offer = read(await received(listener));
    assert.deepEqual(offer, { type: 2, yiaddr: '127.0.0.10', server });
    anonymous.send(message({ type: 3, wanted: offer.yiaddr, server }), serverPort, server);
    assert.deepEqual(read(await received(listener)), { ...offer, type: 5 });

    const client = await bound(context, offer.yiaddr, port);
    client.send(message({ type: 3, ciaddr: offer.yiaddr }), serverPort, server);
    assert.deepEqual(read(await received(client)), { ...offer, type: 5 });

    // Another network's address: the NAK comes by broadcast, whatever the client believes to have.
    client.send(message({ type: 3, ciaddr: '192.0.2.1' }), serverPort, server);
    assert.deepEqual(read(await received(listener)), { type: 6, yiaddr: '0.0.0.0', server });

    // A relay, then an INFORM: only that is answered.
    const relayed = message({ type: 1 });
    relayed[24] = 127;
    client.send(relayed, serverPort, server);
    client.send(message({ type: 8, ciaddr: offer.yiaddr }), serverPort, server);
    assert.deepEqual(read(await received(client)), { type: 5, yiaddr: '0.0.0.0', server });
  });

  test('what cannot be sent is lost, and nothing else is', async (context) => {
    // From a socket of the loopback network, the kernel sends nothing out of it.
    const { sockets } = await start(context, {
      dhcpClients: { broadcastAddress: '192.0.2.255', port: 9 },
    });
    const client = await bound(context);
    const isReceived = once(sockets.dhcp, 'message');
    client.send(message({ type: 1 }), sockets.dhcp.address().port, '127.0.0.1');
    await isReceived;
    client.send(question(7), sockets.dns.address().port, '127.0.0.1');
    assert.equal((await received(client)).readUInt16BE(), 7);
  });
});

describe('hostile networks', { timeout: 20_000 }, () => {
  /** Waits until `count` packets have been given to whoever listens at `socket`. */
  function arrived(socket: Socket, count: number): Promise<void> {
    return new Promise((resolve) => {
      let left = count;
      const onMessage = (): void => {
        left -= 1;
        if (left > 0) return;
        socket.off('message', onMessage);
        resolve();
      };
      socket.on('message', onMessage);
    });
  }

  test('a flood is answered as far as the budget goes, and the others go on', async (context) => {
    const { clock, sockets } = await start(context);
    const client = await bound(context);
    const dnsPort = sockets.dns.address().port;
    const ids: number[] = [];
    client.on('message', (bytes) => ids.push(bytes.readUInt16BE()));
    // In parts, so that no buffer of the kernel overflows.
    for (let part = 0; part < 10; part += 1) {
      const allArrived = arrived(sockets.dns, 25);
      for (let each = 0; each < 25; each += 1) {
        client.send(question(1 + part * 25 + each), dnsPort, '127.0.0.1');
      }
      await allArrived;
    }
    clock.advance(20);
    client.send(question(1000), dnsPort, '127.0.0.1');
    while (ids.at(-1) !== 1000) await once(client, 'message');
    assert.equal(ids.length, 100 + 1);
    assert.deepEqual(await resolverAtOther(context), ['127.0.0.1'], 'of another network');

    const request = Buffer.alloc(48);
    request[0] = 0x23;
    const ntpClient = await bound(context);
    ntpClient.send(request, sockets.ntp.address().port, '127.0.0.1');
    assert.equal((await received(ntpClient)).length, 48);
  });

  async function resolverAtOther(context: TestContext): Promise<string[]> {
    return await resolverAt((await start(context)).sockets).resolve4('csms.example');
  }

  test('neither port 0, nor garbage, nor an error of a socket ends anything', async (context) => {
    const { sockets } = await start(context);
    const peer: RemoteInfo = { address: '127.0.0.1', family: 'IPv4', port: 0, size: 0 };
    const request = Buffer.alloc(48);
    request[0] = 0x23;
    sockets.dns.emit('message', question(1), peer);
    sockets.ntp.emit('message', request, peer);
    for (const socket of Object.values(sockets)) {
      socket.emit('message', Buffer.alloc(0), { ...peer, port: 9 });
      socket.emit('message', Buffer.alloc(2000, 0xff), { ...peer, port: 9 });
      socket.emit('error', new Error('ENETDOWN'));
    }
    const addresses = await resolverAt(sockets).resolve4('csms.example');
    assert.deepEqual(addresses, ['127.0.0.1']);
  });

  test('an interface that takes no packets does not fill the memory', async (context) => {
    const { sockets } = await start(context);
    const client = await bound(context);
    const { port } = client.address();
    const peer: RemoteInfo = { address: '127.0.0.1', family: 'IPv4', port, size: 0 };
    const { getSendQueueSize } = sockets.dns;
    sockets.dns.getSendQueueSize = () => 16_385;
    sockets.dns.emit('message', question(1), peer);
    sockets.dns.getSendQueueSize = getSendQueueSize;
    sockets.dns.emit('message', question(2), peer);
    assert.equal((await received(client)).readUInt16BE(), 2);
  });
});

describe('sockets', { timeout: 20_000 }, () => {
  test('closing closes them, once, also those that are closed already', async (context) => {
    const { services, sockets } = await start(context);
    sockets.ntp.close();
    await once(sockets.ntp, 'close');
    const areClosed = Promise.all([once(sockets.dns, 'close'), once(sockets.dhcp, 'close')]);
    sockets.dhcp.close();
    services.close();
    services.close();
    await areClosed;
  });

  test('a network may have some services only', async (context) => {
    const dns = await opened();
    const services = serveServices({ dns }, { dns: names }, manualClock());
    context.after(() => services.close());
    assert.deepEqual(await resolverAt({ dns }).resolve4('csms.example'), ['127.0.0.1']);
    serveServices({}, {}, manualClock()).close();
  });

  test('a socket without the options of its service is a mistake of ours', async (context) => {
    const socket = await bound(context);
    for (const service of ['dhcp', 'dns']) {
      assert.throws(() => serveServices({ [service]: socket }, {}, manualClock()), BrokenInvariant);
    }
  });
});
