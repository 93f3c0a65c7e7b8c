import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createDeflateRaw, inflateRawSync } from 'node:zlib';
import { type LiveGateway, startLiveGateway } from '../../support/live-gateway.ts';
import {
  acceptText,
  connectRawCharger,
  frameBytes,
  opcodes,
  type RawPeer,
  startRawCsms,
} from '../../support/raw-websocket.ts';
import { type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { type Breach, breaches, compressed, deflated, frameBytesMax, rsv1 } from './breaches.ts';
import { connectThrough, type Through, talk } from './talk.ts';

// Goal: T2-25, T2-24: frames that break RFC 6455, or that are made to exhaust a gateway, end their
//   own connection with the right code, in bounded memory, and no other connection.
// Method: a table of bytes sent by a charger, and by a CSMS; unusual but correct twins must pass.

const { continuation, ping, pong, text } = opcodes;

/** Many zeros in few bytes, made piece by piece so that this process stays small as well. */
async function bomb(megabytes: number): Promise<Buffer> {
  const deflate = createDeflateRaw({ level: 9 });
  const piece = Buffer.alloc(1024 * 1024, '0');
  const writing = (async () => {
    for (let index = 0; index < megabytes; index += 1) {
      await new Promise((resolve) => deflate.write(piece, resolve));
    }
    deflate.end();
  })();
  const chunks: Buffer[] = [];
  for await (const chunk of deflate) chunks.push(chunk as Buffer);
  await writing;
  return Buffer.concat(chunks);
}

describe('T2-25: a charger that sends', () => {
  let csms: HandCsms;
  let gateway: LiveGateway;
  let bystander: Through;
  before(async () => {
    csms = await startHandCsms();
    gateway = await startLiveGateway(csms.url, { limits: { frameBytesMax } });
    bystander = await connectThrough(gateway, csms, 'BYSTANDER');
  });
  after(async () => {
    await bystander.charger.close();
    await gateway[Symbol.asyncDispose]();
    await csms.close();
  });

  const all: readonly Breach[] = [
    { name: 'an unmasked frame', send: (it) => it.send('[]', { masked: false }), code: 1002 },
    ...breaches,
  ];
  for (const [index, breach] of all.entries()) {
    test(`${breach.name} is closed with ${breach.code}, and the CSMS is told`, async () => {
      const identity = `CP-${index}`;
      const offer = breach.compressed === true ? compressed : {};
      using charger = await connectRawCharger(gateway.port, `/ocpp/${identity}`, offer);
      const upstream = await csms.nextConnection();
      breach.send(charger);
      assert.equal((await charger.nextClose()).code, breach.code);
      assert.deepEqual(await upstream.closed, {
        code: 1008,
        reason: 'The charging station has been disconnected.',
      });
      const closed = await gateway.event('SessionClosed', (it) => it.charger === identity);
      assert.deepEqual([closed.code, closed.endedBy], ['CHARGER_MISBEHAVED', 'charger']);
      assert.deepEqual(upstream.received, []);
      await talk(bystander);
    });
  }

  test('T2-24: a message that inflates to 100 MB is closed with 1009, in bounded memory', async () => {
    await using roomy = await startLiveGateway(csms.url);
    const bytes = await bomb(100);
    assert.ok(bytes.length < 262_144, 'the bomb itself is within the limit');
    using charger = await connectRawCharger(roomy.port, '/ocpp/CP-BOMB', compressed);
    const upstream = await csms.nextConnection();
    const beforeKiB = process.resourceUsage().maxRSS;
    charger.send(bytes, { reserved: rsv1 });
    assert.equal((await charger.nextClose()).code, 1009);
    const grownKiB = process.resourceUsage().maxRSS - beforeKiB;
    assert.ok(grownKiB < 32 * 1024, `grown by ${grownKiB} KiB`);
    await upstream.closed;
    await talk(bystander);
  });
});

describe('T2-25: a CSMS that sends', () => {
  const all: readonly Breach[] = [
    { name: 'a masked frame', send: (it) => it.send('[]', { masked: true }), code: 1002 },
    ...breaches,
  ];
  for (const breach of all) {
    test(`${breach.name} is closed with ${breach.code}, and the charger is told`, async () => {
      await using csms = await startRawCsms();
      await using gateway = await startLiveGateway(csms.url, { limits: { frameBytesMax } });
      const connecting = connectRawCharger(gateway.port, '/ocpp/CP-1');
      const upstream = await csms.nextConnection();
      const extension = breach.compressed === true ? compressed : {};
      const accept = { 'Sec-WebSocket-Protocol': 'ocpp1.6', ...extension };
      upstream.write(acceptText(await upstream.head, accept));
      using charger = await connecting;
      breach.send(upstream);
      assert.equal((await upstream.nextClose()).code, breach.code);
      upstream.destroy();
      assert.deepEqual(await charger.nextClose(), {
        code: 1011,
        reason: 'The management system has been disconnected.',
      });
    });
  }
});

describe('what is unusual and correct', () => {
  const heartbeat = '[2,"1","Heartbeat",{}]';
  const twins: readonly (readonly [name: string, send: (peer: RawPeer) => void])[] = [
    [
      'a message in three fragments',
      (it) => {
        it.send(heartbeat.slice(0, 5), { fin: false });
        it.send(heartbeat.slice(5, 9), { opcode: continuation, fin: false });
        it.send(heartbeat.slice(9), { opcode: continuation });
      },
    ],
    [
      'a ping between fragments',
      (it) => {
        it.send(heartbeat.slice(0, 5), { fin: false });
        it.send('are you there', { opcode: ping });
        it.send(heartbeat.slice(5), { opcode: continuation });
      },
    ],
    [
      'a message of sixty-four fragments, some of them empty',
      (it) => {
        it.send(heartbeat, { fin: false });
        for (let index = 0; index < 62; index += 1)
          it.send('', { opcode: continuation, fin: false });
        it.send('', { opcode: continuation });
      },
    ],
    [
      'a message that comes byte by byte',
      (it) => {
        for (const byte of frameBytes(heartbeat)) it.write(Buffer.from([byte]));
      },
    ],
    [
      'an unsolicited pong',
      (it) => it.write(Buffer.concat([frameBytes('x', { opcode: pong }), frameBytes(heartbeat)])),
    ],
    ['a compressed message', (it) => it.send(deflated(heartbeat), { reserved: rsv1 })],
    ['an uncompressed message where compression was agreed', (it) => it.send(heartbeat)],
    [
      'a compressed message in fragments',
      (it) => {
        const bytes = deflated(heartbeat);
        it.send(bytes.subarray(0, 4), { fin: false, reserved: rsv1 });
        it.send(bytes.subarray(4), { opcode: continuation });
      },
    ],
  ];
  for (const [name, send] of twins) {
    test(`${name} passes`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url);
      using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1', compressed);
      const upstream = await csms.nextConnection();
      send(charger);
      assert.equal(await upstream.next(), heartbeat);
    });
  }

  test('C18: an empty text message is ignored', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    const upstream = await csms.nextConnection();
    for (let count = 0; count < 100; count += 1) charger.send('');
    charger.send(heartbeat);
    assert.equal(await upstream.next(), heartbeat);
  });

  test('a message just within the limit passes, and one byte more does not', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, { limits: { frameBytesMax } });
    const frame = (length: number): string => {
      const empty = JSON.stringify([2, '1', 'DataTransfer', { vendorId: 'v', data: '' }]);
      return empty.replace('"data":""', `"data":"${'x'.repeat(length - empty.length)}"`);
    };
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1', compressed);
    const upstream = await csms.nextConnection();
    charger.send(frame(frameBytesMax));
    assert.equal(await upstream.next(), frame(frameBytesMax));
    upstream.sendMessage(3, '1', { status: 'Accepted' });
    assert.equal(await charger.nextText(), '[3,"1",{"status":"Accepted"}]');
    charger.send(deflated(frame(frameBytesMax).replace('"1"', '"2"')), { reserved: rsv1 });
    assert.equal((await upstream.next()).length, frameBytesMax);
    charger.send(frame(frameBytesMax + 1));
    assert.equal((await charger.nextClose()).code, 1009);
  });

  test('a long message is compressed towards both sides, where they agreed', async () => {
    await using csms = await startRawCsms();
    await using gateway = await startLiveGateway(csms.url);
    const connecting = connectRawCharger(gateway.port, '/ocpp/CP-1', compressed);
    const upstream = await csms.nextConnection();
    const accept = {
      'Sec-WebSocket-Protocol': 'ocpp1.6',
      'Sec-WebSocket-Extensions':
        'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    };
    upstream.write(acceptText(await upstream.head, accept));
    using charger = await connecting;
    for (const [from, to] of [
      [charger, upstream],
      [upstream, charger],
    ] as const) {
      const message = JSON.stringify([
        2,
        '1',
        'DataTransfer',
        { vendorId: 'v', data: 'x'.repeat(9000) },
      ]);
      from.send(deflated(message), { reserved: rsv1 });
      const { opcode, payload, reserved } = await to.nextFrame();
      assert.deepEqual([opcode, reserved], [text, rsv1]);
      assert.ok(payload.length < 1000);
      const tail = Buffer.from([0, 0, 0xff, 0xff]);
      const inflated = inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: 2 });
      assert.equal(inflated.toString(), message);
    }
  });
});
