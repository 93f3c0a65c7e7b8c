import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LiveGateway, startLiveGateway } from '../../support/live-gateway.ts';
import {
  acceptText,
  connectRawCharger,
  opcodes,
  type RawPeer,
  startRawCsms,
} from '../../support/raw-websocket.ts';

// Goal: a connection that is dead is noticed on both legs, and one that is alive is never taken for
//   dead. src/connection/peer-socket.test.ts has the details of it, with a clock of its own.
// Method: peers made of bytes, which answer pings or do not; the shortest times that the
//   configuration allows.

const quick = {
  limits: { pingSeconds: 1, pongSeconds: 1, silentSeconds: 10 },
  queue: { inFlightSeconds: 1 },
};

interface Pair {
  readonly gateway: LiveGateway;
  readonly charger: RawPeer;
  readonly upstream: RawPeer;
}

async function withPair(changes: object, act: (pair: Pair) => Promise<void>): Promise<void> {
  await using csms = await startRawCsms();
  await using gateway = await startLiveGateway(csms.url, { ...quick, ...changes });
  const connecting = connectRawCharger(gateway.port, '/ocpp/CP-1');
  const upstream = await csms.nextConnection();
  upstream.write(acceptText(await upstream.head));
  using charger = await connecting;
  await act({ gateway, charger, upstream });
}

/** Waits for the next ping and returns what it carries. */
async function nextPing(peer: RawPeer): Promise<Buffer> {
  for (;;) {
    const { opcode, payload } = await peer.nextFrame();
    if (opcode === opcodes.ping) return payload;
  }
}

/** Answers pings until the connection is over. */
async function keepAlive(peer: RawPeer): Promise<void> {
  try {
    for (;;) peer.send(await nextPing(peer), { opcode: opcodes.pong });
  } catch {
    // The connection is over.
  }
}

describe('liveness', { concurrency: true }, () => {
  for (const silent of ['charger', 'csms'] as const) {
    test(`a ${silent} that answered a ping and falls silent is dropped, and the other side told`, async () => {
      await withPair({}, async ({ gateway, charger, upstream }) => {
        const [dead, alive] = silent === 'charger' ? [charger, upstream] : [upstream, charger];
        dead.send(await nextPing(dead), { opcode: opcodes.pong });
        const { code, reason } = await alive.nextClose();
        assert.equal(code, 1001);
        assert.match(reason, silent === 'charger' ? /charging station/ : /management system/);
        const closed = await gateway.event('SessionClosed');
        assert.deepEqual([closed.code, closed.endedBy], ['PEER_SILENT', silent]);
        await dead.closed;
      });
    });

    test(`a silent ${silent} is dropped although the other side goes on calling it`, async () => {
      // Each call expires after a second, and its caller is told so: no sign of life of the dead.
      await withPair({}, async ({ gateway, charger, upstream }) => {
        const [dead, alive] = silent === 'charger' ? [charger, upstream] : [upstream, charger];
        const action = silent === 'charger' ? 'ClearCache' : 'Heartbeat';
        dead.send(await nextPing(dead), { opcode: opcodes.pong });
        let calls = 0;
        alive.send(JSON.stringify([2, `call-${calls}`, action, {}]));
        for (;;) {
          const { opcode, payload } = await alive.nextFrame();
          if (opcode === opcodes.close) break;
          if (opcode !== opcodes.text) continue;
          assert.match(payload.toString(), /^\[4,"call-\d","InternalError"/);
          calls += 1;
          assert.ok(calls < 6, 'nobody noticed');
          alive.send(JSON.stringify([2, `call-${calls}`, action, {}]));
        }
        assert.equal((await gateway.event('SessionClosed')).code, 'PEER_SILENT');
      });
    });
  }

  test('C14: a charger that never answers pings is kept, and works', async () => {
    await withPair({}, async ({ charger, upstream }) => {
      void keepAlive(upstream);
      for (let count = 0; count < 5; count += 1) await nextPing(charger);
      charger.send('[2,"1","Heartbeat",{}]');
      upstream.send('[2,"2","ClearCache",{}]');
      assert.equal(await charger.nextText(), '[2,"2","ClearCache",{}]');
    });
  });

  test('pongs keep both sides connected', async () => {
    await withPair({}, async ({ gateway, charger, upstream }) => {
      void keepAlive(upstream);
      for (let count = 0; count < 5; count += 1) {
        charger.send(await nextPing(charger), { opcode: opcodes.pong });
      }
      assert.equal(gateway.running.gateway.sessionCount(), 1);
    });
  });

  test('C14: a charger whose record says so is never pinged; the CSMS still is', async () => {
    const chargers = { unknown: 'enroll', records: [{ id: 'CP-*', pingSeconds: 0 }] };
    await withPair({ chargers }, async ({ charger, upstream }) => {
      for (let count = 0; count < 3; count += 1) {
        upstream.send(await nextPing(upstream), { opcode: opcodes.pong });
      }
      upstream.send('[2,"1","ClearCache",{}]');
      const { opcode } = await charger.nextFrame();
      assert.equal(opcode, opcodes.text);
    });
  });

  test('a ping is answered with what it carries', async () => {
    await withPair({ limits: { pingSeconds: 0 } }, async ({ charger, upstream }) => {
      for (const peer of [charger, upstream]) {
        peer.send('x'.repeat(125), { opcode: opcodes.ping });
        const { opcode, payload } = await peer.nextFrame();
        assert.deepEqual([opcode, payload.toString()], [opcodes.pong, 'x'.repeat(125)]);
      }
    });
  });

  test('pings of one side are not passed to the other', async () => {
    await withPair({ limits: { pingSeconds: 0 } }, async ({ charger, upstream }) => {
      charger.send('x', { opcode: opcodes.ping });
      charger.send('[2,"1","Heartbeat",{}]');
      assert.equal((await upstream.nextFrame()).opcode, opcodes.text);
    });
  });
});
