import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setInterval as ticks } from 'node:timers/promises';
import type { ErrorCode } from '../../../src/errors/catalogue.ts';
import { type LiveGateway, startLiveGateway } from '../../support/live-gateway.ts';
import {
  connectRaw,
  connectRawCharger,
  exchange,
  frameBytes,
  type RawPeer,
  upgradeText,
} from '../../support/raw-websocket.ts';
import { type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, type Through, talk } from './talk.ts';

// Goal: whatever arrives at the port that is no good upgrade is refused, reported and forgotten,
//   and the chargers that are connected notice nothing.
// Method: one gateway with one conversation; each case sends its bytes on a connection of its own,
//   then the conversation has to go on. An exception that nobody catches fails the whole file.

const bad = (changes: Readonly<Record<string, string | undefined>>): string =>
  upgradeText('/ocpp/CP-1', changes);

interface Case {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  /** The status of the answer; undefined where the connection is only to end. */
  readonly status: number | undefined;
  readonly code: ErrorCode;
}

const clientHello = Buffer.from('1603010200010001fc0303', 'hex');

const cases: readonly Case[] = [
  ...['keep-alive', undefined].map((value) => ({
    name: `C2: Connection: ${value ?? 'missing'}`,
    bytes: bad({ Connection: value }),
    status: 426,
    code: 'UPGRADE_REQUIRED' as const,
  })),
  {
    name: 'a plain GET',
    bytes: 'GET /ocpp/CP-1 HTTP/1.1\r\nHost: x\r\n\r\n',
    status: 426,
    code: 'UPGRADE_REQUIRED',
  },
  {
    name: 'a POST with a body',
    bytes: 'POST /ocpp/CP-1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}',
    status: 426,
    code: 'UPGRADE_REQUIRED',
  },
  {
    name: 'a CONNECT, as if this were a proxy',
    bytes: 'CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: 10.0.0.1:22\r\n\r\n',
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  {
    name: 'a method that is not GET',
    bytes: bad({}).replace('GET', 'POST'),
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  ...[
    { Upgrade: 'h2c' },
    { Upgrade: 'websocket, h2c' },
    { 'Sec-WebSocket-Version': '8' },
    { 'Sec-WebSocket-Version': '14' },
    { 'Sec-WebSocket-Version': undefined },
    { 'Sec-WebSocket-Key': undefined },
    { 'Sec-WebSocket-Key': '' },
    { 'Sec-WebSocket-Key': 'c2hvcnQ=' },
    { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==' },
  ].map((changes) => ({
    name: `an upgrade with ${JSON.stringify(changes)}`,
    bytes: bad(changes as Readonly<Record<string, string | undefined>>),
    status: 400,
    code: 'UPGRADE_MALFORMED' as const,
  })),
  {
    name: 'a key twice',
    bytes: bad({}).replace(/(Sec-WebSocket-Key: .*\r\n)/, '$1$1'),
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  {
    name: 'garbage',
    bytes: '\u0000\u0001\u0002garbage\r\n\r\n',
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  { name: 'a TLS ClientHello', bytes: clientHello, status: 400, code: 'UPGRADE_MALFORMED' },
  {
    name: 'a frame without a handshake',
    bytes: frameBytes('[]'),
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  {
    name: 'a header of 16 kB',
    bytes: bad({ Cookie: 'x'.repeat(16_384) }),
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  {
    name: 'two thousand headers',
    bytes: bad(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`X-${i}`, 'x']))),
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  {
    name: 'T2-33: a line break without a carriage return in a header',
    bytes: bad({ 'X-A': 'b\nX-Evil: c' }),
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  {
    name: 'T2-33: a folded header',
    bytes: bad({ 'X-A': 'b\r\n evil: c' }).replace('HTTP/1.1', 'HTTP/9.9'),
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
  {
    name: 'T2-33: two lengths',
    bytes: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    status: 400,
    code: 'UPGRADE_MALFORMED',
  },
];

describe('what is no upgrade', () => {
  let csms: HandCsms;
  let gateway: LiveGateway;
  let bystander: Through;
  before(async () => {
    csms = await startHandCsms();
    gateway = await startLiveGateway(csms.url, { limits: { handshakeSeconds: 1 } });
    bystander = await connectThrough(gateway, csms, 'BYSTANDER');
  });
  after(async () => {
    await bystander.charger.close();
    await gateway[Symbol.asyncDispose]();
    await csms.close();
  });

  for (const { name, bytes, status, code } of cases) {
    test(`${name}: ${status} and ${code}`, async () => {
      const earlier = gateway.events.length;
      const answer = await exchange(gateway.port, bytes);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(answer, /\r\nconnection: close\r\n/i);
      // T4-02: nothing names the software.
      assert.doesNotMatch(answer, /^(?:server|x-powered-by):/im);
      const [event, ...more] = gateway.events.slice(earlier);
      assert.equal(event?.name === 'UpgradeRefused' && event.code, code);
      assert.deepEqual(more, []);
      await talk(bystander);
    });
  }

  test('a refused peer that resets its connection at any moment harms nobody', async () => {
    for (const bytes of [
      bad({ Upgrade: 'h2c' }),
      upgradeText('/wrong'),
      bad({}),
      'GET /',
      '\u0001',
    ]) {
      for (const breath of [false, true]) {
        using peer = await connectRaw(gateway.port);
        peer.write(bytes);
        if (breath) await new Promise((resolve) => setImmediate(resolve));
        peer.reset();
      }
    }
    await talk(bystander);
  });

  test('T2-27: a connection that says nothing is cut', async () => {
    using peer = await connectRaw(gateway.port);
    assert.match(await peer.everything, /^HTTP\/1\.1 4\d\d |^$/);
    await talk(bystander);
  });

  test('T2-27: headers that come byte by byte are cut, while another charger connects', async () => {
    using slow = await connectRaw(gateway.port);
    const text = upgradeText('/ocpp/CP-SLOW', { 'X-Slow': 'x'.repeat(4000) });
    let sent = 0;
    const talking = connectRawCharger(gateway.port, '/ocpp/CP-QUICK');
    for await (const _ of ticks(20)) {
      if (slow.socket.destroyed || slow.socket.readableEnded) break;
      slow.write(text.slice(sent, sent + 1));
      sent += 1;
    }
    assert.ok(sent < text.length);
    using quick = await talking;
    quick.send('[2,"1","Heartbeat",{}]');
    const upstream = csms.connections.find(({ request }) => request?.url === '/csms/CP-QUICK');
    assert.equal(await upstream?.next(), '[2,"1","Heartbeat",{}]');
    await talk(bystander);
  });

  test('T2-33: a second upgrade behind a plain request opens no session', async () => {
    const earlier = gateway.events.length;
    const plain = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await exchange(gateway.port, plain + upgradeText('/ocpp/CP-PIPED'));
    assert.match(answer, /^HTTP\/1\.1 426 /);
    assert.doesNotMatch(answer, /HTTP\/1\.1 101 /);
    assert.equal(
      gateway.events.slice(earlier).some(({ name }) => name === 'SessionOpened'),
      false,
    );
    await talk(bystander);
  });

  test('T2-33: a second upgrade behind an upgrade is a broken frame, not a second charger', async () => {
    const requests = upgradeText('/ocpp/CP-ONE') + upgradeText('/ocpp/CP-TWO');
    using peer = await connectRaw(gateway.port);
    peer.write(requests);
    assert.equal((await peer.head).status, 101);
    assert.equal((await peer.nextClose()).code, 1002);
    const upstream = csms.connections.find(({ request }) => request?.url === '/csms/CP-ONE');
    assert.equal((await upstream?.closed)?.code, 1008);
    assert.doesNotMatch(gateway.log(), /CP-TWO/);
    await talk(bystander);
  });
});

describe('too many connections', () => {
  for (const [name, limit] of [
    ['from one address', { connectionsPerAddressMax: 3 }],
    ['in all', { connectionsMax: 3 }],
  ] as const) {
    test(`T2-27: ${name}: the next one is dropped unread and reported, until one leaves`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url, { limits: limit });
      const through = await connectThrough(gateway, csms, 'CP-1');
      const idle: RawPeer[] = [await connectRaw(gateway.port), await connectRaw(gateway.port)];
      assert.equal(await exchange(gateway.port, upgradeText('/ocpp/CP-2')), '');
      const { code } = await gateway.event('UpgradeRefused');
      assert.equal(code, 'CONNECTIONS_FULL');
      await talk(through);

      for (const peer of idle) peer.destroy();
      await Promise.all(idle.map(({ closed }) => closed));
      // The gateway hears of it a moment later.
      for await (const _ of ticks(10)) {
        const answer = await connectRawCharger(gateway.port, '/ocpp/CP-2').catch(() => undefined);
        if (answer === undefined) continue;
        answer.destroy();
        break;
      }
      await through.charger.close();
    });
  }
});
