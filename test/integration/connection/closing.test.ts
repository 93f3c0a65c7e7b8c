import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startLiveGateway } from '../../support/live-gateway.ts';
import {
  acceptText,
  connectRawCharger,
  opcodes,
  type RawPeer,
  startRawCsms,
} from '../../support/raw-websocket.ts';
import { startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, talk } from './talk.ts';

// Goal: when one side is gone, however it went, the other is told so with a code that says why, and
//   the identity is free.
// Method: both sides close in every way there is; peers made of bytes where they do not close well.

const chargerGone = { code: 1001, reason: 'The charging station has disconnected.' };
const csmsGone = { code: 1001, reason: 'The management system has disconnected.' };

/** How the closing side closes, and the code that the log shows. */
const ways: readonly (readonly [name: string, close: (socket: Closable) => void, code: number])[] =
  [
    ['with 1000', (socket) => socket.close(1000, 'bye'), 1000],
    ['with 1001', (socket) => socket.close(1001), 1001],
    ['with 1012', (socket) => socket.close(1012), 1012],
    ['with a code of its own', (socket) => socket.close(4711, 'x'.repeat(123)), 4711],
    ['without a code', (socket) => socket.close(), 1005],
    ['without a word', (socket) => socket.terminate(), 1006],
  ];

interface Closable {
  close(code?: number, reason?: string): void;
  terminate(): void;
}

describe('a side that closes', () => {
  for (const [name, close, peerCloseCode] of ways) {
    test(`${name}: charger first`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url);
      const { charger, upstream } = await connectThrough(gateway, csms, 'CP-1');
      close(charger.socket);
      assert.deepEqual(await upstream.closed, chargerGone);
      const closed = await gateway.event('SessionClosed');
      const { durationSeconds, ...rest } = closed;
      assert.deepEqual(rest, {
        name: 'SessionClosed',
        charger: 'CP-1',
        code: 'CHARGER_GONE',
        endedBy: 'charger',
        peerCloseCode,
      });
      assert.ok(durationSeconds >= 0);
      await talk(await connectThrough(gateway, csms, 'CP-1'));
    });

    test(`${name}: CSMS first`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url);
      const { charger, upstream } = await connectThrough(gateway, csms, 'CP-1');
      close(upstream.socket);
      assert.deepEqual(await charger.closed, csmsGone);
      const { code, endedBy, ...closed } = await gateway.event('SessionClosed');
      assert.deepEqual([code, endedBy], ['CSMS_GONE', 'csms']);
      assert.equal(closed.peerCloseCode, peerCloseCode);
      // The charger reconnects and finds its identity free.
      await talk(await connectThrough(gateway, csms, 'CP-1'));
    });
  }

  test('the reason of one side is not repeated to the other', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    const { charger, upstream } = await connectThrough(gateway, csms, 'CP-1');
    charger.socket.close(1000, 's3cret');
    await upstream.closed;
    assert.doesNotMatch(gateway.log(), /s3cret/);
  });
});

describe('a side that does not close well', { concurrency: true }, () => {
  const ends: readonly (readonly [name: string, end: (peer: RawPeer) => void])[] = [
    ['resets its connection', (peer) => peer.reset()],
    ['ends its connection without a close frame', (peer) => peer.destroy()],
    ['ends its side only', (peer) => void peer.socket.end()],
    [
      'resets in the middle of a frame',
      (peer) => {
        peer.send('[2,', { claimedLength: 100 });
        peer.reset();
      },
    ],
    [
      'ends in the middle of a frame',
      (peer) => {
        peer.send('[2,', { claimedLength: 100 });
        peer.socket.end();
      },
    ],
  ];
  for (const [name, end] of ends) {
    test(`a charger that ${name}: the CSMS is told, with 1001`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url);
      using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1');
      const upstream = await csms.nextConnection();
      end(charger);
      assert.deepEqual(await upstream.closed, chargerGone);
      assert.equal((await gateway.event('SessionClosed')).code, 'CHARGER_GONE');
    });

    test(`a CSMS that ${name}: the charger is told, with 1001`, async () => {
      await using csms = await startRawCsms();
      await using gateway = await startLiveGateway(csms.url);
      const connecting = connectRawCharger(gateway.port, '/ocpp/CP-1');
      const upstream = await csms.nextConnection();
      upstream.write(acceptText(await upstream.head));
      using charger = await connecting;
      end(upstream);
      assert.deepEqual(await charger.nextClose(), csmsGone);
    });
  }

  test('a charger that says goodbye and stays is let go after five seconds', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    charger.socket.allowHalfOpen = true;
    const upstream = await csms.nextConnection();
    const startedAt = performance.now();
    charger.sendClose(1000);
    assert.deepEqual(await upstream.closed, chargerGone);
    assert.ok(performance.now() - startedAt < 7000);
    assert.equal(gateway.running.gateway.sessionCount(), 0);
  });

  test('a charger that does not answer the close of the gateway is let go after five seconds', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    const upstream = await csms.nextConnection();
    upstream.socket.close(1000);
    assert.deepEqual(await charger.nextClose(), csmsGone);
    // Its identity is free at once.
    await gateway.event('SessionClosed');
    assert.equal(gateway.running.gateway.sessionCount(), 0);
    await talk(await connectThrough(gateway, csms, 'CP-1'));
    const startedAt = performance.now();
    await charger.closed;
    assert.ok(performance.now() - startedAt < 7000);
  });

  test('what comes after a close is not passed on', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    const upstream = await csms.nextConnection();
    charger.sendClose(1000);
    charger.send('[2,"late","Heartbeat",{}]');
    const { opcode, payload } = await charger.nextFrame();
    assert.deepEqual([opcode, payload.readUInt16BE()], [opcodes.close, 1000]);
    charger.socket.end();
    await upstream.closed;
    assert.deepEqual(upstream.received, []);
  });

  test('what a charger sends after the gateway began to close is not passed on', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1');
    const upstream = await csms.nextConnection();
    upstream.socket.close(1000);
    assert.deepEqual(await charger.nextClose(), csmsGone);
    charger.send('[2,"late","Heartbeat",{}]');
    charger.sendClose(1001);
    await charger.closed;
    assert.equal(
      gateway.events.some(({ name }) => name === 'FrameAdmitted'),
      false,
    );
  });
});
