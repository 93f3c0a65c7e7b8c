import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setInterval as ticks } from 'node:timers/promises';
import { deflateRawSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { type LiveGateway, startLiveGateway } from '../../support/live-gateway.ts';
import { connectRawCharger } from '../../support/raw-websocket.ts';
import { connectCharger, startHandCsms, type TextPeer } from '../../support/text-peer.ts';
import { talk } from './talk.ts';

// Goal: a side that does not read slows the side that sends to it, down to its own socket, and the
//   gateway keeps a bounded amount; nothing is lost, and the other direction goes on.
// Method: calls wait for each other and so press little; what presses is what needs no answer: a
//   SEND from a charger (OCPP 2.1), an unsolicited reply from a CSMS (which `monitor` lets pass).
//   All of it together is far more than the kernel buffers between the three.

const framesCount = 600;
const frameBytes = 100_000;

/** A NotifyPeriodicEventStream of about 100 kB, whose number is its id. */
function streamed(number: number): string {
  const value = 'x'.repeat(2400);
  const data = Array.from({ length: 40 }, () => ({ t: 0, v: value }));
  const payload = { id: number, pending: 0, basetime: '2026-01-01T00:00:00Z', data };
  return JSON.stringify([6, `send-${number}`, 'NotifyPeriodicEventStream', payload]);
}

function unsolicited(number: number): string {
  return JSON.stringify([3, `reply-${number}`, { x: 'x'.repeat(frameBytes) }]);
}

/** How many messages of the flood the gateway has taken, once it takes no more. */
async function takenAtRest(gateway: LiveGateway): Promise<number> {
  const taken = (): number => gateway.events.filter(({ name }) => name === 'FrameAdmitted').length;
  let last = -1;
  let restingTicks = 0;
  for await (const _ of ticks(50)) {
    const now = taken();
    restingTicks = now === last ? restingTicks + 1 : 0;
    last = now;
    if (restingTicks === 5) break;
  }
  return last;
}

/** Two kernels keep some; what the gateway itself keeps is far less than this. */
const keptBytesMax = 16 * 1024 * 1024;

async function connect(gateway: LiveGateway): Promise<TextPeer> {
  return await connectCharger(gateway.url('CP-1'), ['ocpp2.1']);
}

const roomy = { rules: { preset: 'monitor' }, limits: { pingSeconds: 0 } };

describe('backpressure', () => {
  for (const reader of ['csms', 'charger'] as const) {
    test(`a ${reader} that does not read slows the other side, and gets everything later`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url, roomy);
      const charger = await connect(gateway);
      const upstream = await csms.nextConnection();
      const through = { charger, upstream };
      const [from, to] = reader === 'csms' ? [charger, upstream] : [upstream, charger];
      const frame = reader === 'csms' ? streamed : unsolicited;

      to.socket.pause();
      for (let number = 0; number < framesCount; number += 1) from.send(frame(number));
      const taken = await takenAtRest(gateway);
      assert.ok(taken > 0);
      assert.ok(taken * frameBytes < keptBytesMax, `the gateway took ${taken} messages`);
      // The rest waits where it was made.
      assert.ok(from.socket.bufferedAmount > (framesCount * frameBytes) / 2);

      // The other direction is not held up.
      const call = reader === 'csms' ? '[2,"1","ClearCache",{}]' : '[2,"1","Heartbeat",{}]';
      to.send(call);
      assert.equal(await from.next(), call);

      to.socket.resume();
      for (let number = 0; number < framesCount; number += 1) {
        assert.equal(await to.next(), frame(number), `message ${number}`);
      }
      assert.equal(gateway.running.gateway.sessionCount(), 1);
      assert.ok(through.charger.socket.readyState === WebSocket.OPEN);
      await charger.close();
    });
  }

  test('a slow reader gets everything while it is slow, and nobody is closed', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      limits: { pingSeconds: 1, stallSeconds: 1, silentSeconds: 10 },
    });
    const charger = await connect(gateway);
    const upstream = await csms.nextConnection();
    for (let number = 0; number < 120; number += 1) charger.send(streamed(number));
    for (let number = 0; number < 120; number += 1) {
      assert.equal(await upstream.next(), streamed(number));
      if (number % 20 !== 0) continue;
      upstream.socket.pause();
      for await (const _ of ticks(200)) break;
      upstream.socket.resume();
    }
    await charger.close();
  });

  test('a side that takes nothing for the stall time is let go, and the other side told', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      limits: { pingSeconds: 1, stallSeconds: 1, silentSeconds: 10 },
    });
    const charger = await connect(gateway);
    const upstream = await csms.nextConnection();
    upstream.socket.pause();
    for (let number = 0; number < framesCount; number += 1) charger.send(streamed(number));
    const { code, endedBy } = await gateway.event('SessionClosed');
    assert.deepEqual([code, endedBy], ['PEER_STALLED', 'csms']);
    assert.deepEqual((await charger.closed).code, 1001);
    upstream.socket.terminate();
  });

  test('T2-24: of messages that inflate a hundredfold, one segment is taken and no more', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      limits: { pingSeconds: 0, frameBytesMax: 1_048_576 },
    });
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1', {
      'Sec-WebSocket-Protocol': 'ocpp2.1',
      'Sec-WebSocket-Extensions': 'permessage-deflate',
    });
    const upstream = await csms.nextConnection();
    upstream.socket.pause();
    const bytes = deflateRawSync(streamed(1), { level: 9, finishFlush: 2 }).subarray(0, -4);
    assert.ok(bytes.length < 1000);
    for (let number = 0; number < 2000; number += 1) charger.send(bytes, { reserved: 4 });
    const taken = await takenAtRest(gateway);
    // The parser of ws cannot be stopped inside of a chunk, which is up to 64 KiB.
    const chunkMessages = Math.ceil((64 * 1024) / bytes.length);
    const takenMax = chunkMessages + keptBytesMax / frameBytes;
    assert.ok(taken < takenMax, `the gateway took ${taken} messages`);
    assert.ok(takenMax < 1000);
  });

  test('a session that was slowed goes on as before', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, roomy);
    const charger = await connectCharger(gateway.url('CP-1'));
    const upstream = await csms.nextConnection();
    charger.socket.pause();
    for (let number = 0; number < 200; number += 1) upstream.send(unsolicited(number));
    await takenAtRest(gateway);
    charger.socket.resume();
    for (let number = 0; number < 200; number += 1) await charger.next();
    await talk({ charger, upstream });
    await charger.close();
  });
});
