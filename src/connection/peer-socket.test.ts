import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { type PeerBench, peerBench } from '../../test/support/peer-socket-bench.ts';
import { highWaterBytes, ownWordsBytesMax } from './limits.ts';

// Goal: a peer is watched fairly: whoever shows life is kept, whoever is gone or takes nothing is
//   not, and nothing that a peer does makes more than a bounded amount wait for it.
// Method: a real WebSocket with time stood still; the test moves it. What the peer sends last is a
//   text, so that its arrival tells that everything before it has arrived.

/** Lets the peer see a ping and answer it. */
async function pingAndAnswer(it: PeerBench): Promise<void> {
  const pinged = once(it.peer, 'ping');
  it.clock.advance(10_000);
  await pinged;
  it.peer.pong();
  await it.settle();
}

describe('life', () => {
  test('a peer is pinged at each interval', async () => {
    await using it = await peerBench();
    it.start();
    for (let count = 0; count < 3; count += 1) await pingAndAnswer(it);
    assert.equal(it.pings(), 3);
    assert.equal(it.socket.hasAnsweredPing, true);
  });

  test('rare pings come when they are due, and not at each look', async () => {
    await using it = await peerBench({ pingSeconds: 3600, silentSeconds: 7200 });
    it.start();
    it.clock.advance(3_599_000);
    await it.settle();
    assert.equal(it.pings(), 0);
    const pinged = once(it.peer, 'ping');
    it.clock.advance(1_000);
    await pinged;
    assert.equal(it.pings(), 1);
  });

  test('C14: without an interval nothing is pinged', async () => {
    await using it = await peerBench({ pingSeconds: 0 });
    it.start();
    it.clock.advance(99_000);
    const received = once(it.peer, 'message');
    it.socket.sendOwn('after');
    await received;
    assert.equal(it.pings(), 0);
    assert.equal(it.socket.isOpen, true);
  });

  test('a peer that answered a ping and falls silent is gone after ping and pong time', async () => {
    await using it = await peerBench();
    it.start();
    await pingAndAnswer(it);
    it.clock.advance(15_000);
    assert.equal(it.socket.isOpen, true);
    it.clock.advance(5_000);
    assert.deepEqual(await it.ended, { why: 'silent', closeCode: 1006 });
  });

  for (const [what, act] of [
    ['a message', () => undefined],
    ['a ping', (peer: WebSocket) => peer.ping()],
    ['an unsolicited pong', (peer: WebSocket) => peer.pong()],
  ] as const) {
    test(`${what} is a sign of life as good as a pong`, async () => {
      await using it = await peerBench();
      it.start();
      await pingAndAnswer(it);
      for (let count = 0; count < 10; count += 1) {
        it.clock.advance(10_000);
        act(it.peer);
        await it.settle();
      }
      assert.equal(it.socket.isOpen, true);
    });
  }

  test('C14: a peer that never answers pings has the longer silence time', async () => {
    await using it = await peerBench();
    it.start();
    it.clock.advance(100_000);
    assert.equal(it.socket.isOpen, true);
    await it.settle();
    it.clock.advance(100_000);
    assert.equal(it.socket.isOpen, true);
    it.clock.advance(10_000);
    assert.deepEqual(await it.ended, { why: 'silent', closeCode: 1006 });
  });

  test('being asked to go on when it was not paused is no sign of life of a peer', async () => {
    await using it = await peerBench();
    it.start();
    await pingAndAnswer(it);
    // What a session does after each message that the other side takes.
    for (let count = 0; count < 4; count += 1) {
      it.clock.advance(5_000);
      it.socket.resume();
    }
    assert.deepEqual(await it.ended, { why: 'silent', closeCode: 1006 });
  });

  test('a peer that is not read is not judged by its silence', async () => {
    await using it = await peerBench();
    it.start();
    await pingAndAnswer(it);
    it.socket.pause();
    it.clock.advance(1_000_000);
    assert.equal(it.socket.isOpen, true);
    it.socket.resume();
    it.clock.advance(10_000);
    assert.equal(it.socket.isOpen, true);
  });
});

describe('pressure', () => {
  const heap = Buffer.alloc(1024 * 1024, 'x');
  /** More than the kernel takes, so that the rest waits in this process. */
  async function congest(it: PeerBench): Promise<void> {
    it.peer.pause();
    do {
      it.socket.send(heap);
      await turn();
    } while (!it.socket.isCongested);
  }

  test('a peer that does not read is congested; it drains when it reads', async () => {
    await using it = await peerBench();
    it.start();
    let got = 0;
    it.peer.on('message', (data: Buffer) => {
      got += data.length;
    });
    await congest(it);
    const drainedBefore = it.drained();
    it.peer.resume();
    while (it.socket.isCongested) await once(it.peer, 'message');
    await it.settle();
    assert.ok(it.drained() > drainedBefore);
    assert.equal(got % heap.length, 0);
  });

  test('a peer that takes nothing for the stall time is let go', async () => {
    await using it = await peerBench();
    it.start();
    await congest(it);
    it.clock.advance(20_000);
    assert.equal(it.socket.isOpen, true);
    it.clock.advance(10_000);
    assert.deepEqual(await it.ended, { why: 'stalled', closeCode: 1006 });
  });

  test('a stall is noticed within a minute, however rare the pings', async () => {
    await using it = await peerBench({ pingSeconds: 3600, silentSeconds: 7200 });
    it.start();
    await congest(it);
    it.clock.advance(60_000);
    assert.deepEqual(await it.ended, { why: 'stalled', closeCode: 1006 });
  });

  test('a peer that takes something in time is kept', async () => {
    await using it = await peerBench();
    it.start();
    for (let count = 0; count < 5; count += 1) {
      await congest(it);
      it.clock.advance(15_000);
      it.peer.resume();
      while (it.socket.isCongested) await once(it.peer, 'message');
      await it.settle();
    }
    assert.equal(it.socket.isOpen, true);
  });

  test('what was sent a moment ago, after a long silence, is no stall', async () => {
    await using it = await peerBench();
    it.start();
    const got = once(it.peer, 'message');
    it.clock.advance(29_999);
    it.socket.send(Buffer.from('at last'));
    // A look, in the turn at the end of which it is written.
    it.clock.advance(1);
    assert.equal(it.socket.isOpen, true);
    assert.equal(String((await got)[0]), 'at last');
  });

  test('who is given much after a long silence has the whole stall time for it', async () => {
    await using it = await peerBench();
    it.start();
    it.clock.advance(60_000);
    await congest(it);
    it.clock.advance(20_000);
    assert.equal(it.socket.isOpen, true);
    it.clock.advance(10_000);
    assert.deepEqual(await it.ended, { why: 'stalled', closeCode: 1006 });
  });

  test('words of its own and pongs stop where too much waits already, and come back', async () => {
    await using it = await peerBench();
    it.start();
    const own = 'a word of its own';
    let words = 0;
    let pongs = 0;
    it.peer.on('message', (data: Buffer) => {
      if (data.toString() === own) words += 1;
    });
    it.peer.on('pong', () => {
      pongs += 1;
    });
    await congest(it);
    it.socket.send(heap);
    assert.ok(heap.length > ownWordsBytesMax && ownWordsBytesMax > highWaterBytes);
    for (let count = 0; count < 1000; count += 1) {
      it.socket.sendOwn(own);
      it.peer.ping();
    }
    await it.settle();

    it.peer.resume();
    while (it.socket.isCongested) await once(it.peer, 'message');
    const ponged = once(it.peer, 'pong');
    it.peer.ping();
    await ponged;
    const spoken = once(it.peer, 'message');
    it.socket.sendOwn(own);
    await spoken;
    assert.deepEqual([words, pongs], [1, 1]);
  });
});

describe('ends', () => {
  test('what comes before the start is kept, in order, and handed over first', async () => {
    await using it = await peerBench();
    for (let count = 0; count < 100; count += 1) it.peer.send(`early-${count}`);
    it.start();
    await it.settle();
    assert.deepEqual(
      it.received,
      Array.from({ length: 100 }, (_, index) => `early-${index}`),
    );
  });

  test('an end before the start is told at the start', async () => {
    await using it = await peerBench();
    const closed = once(it.peer, 'close');
    it.socket.close({ closeCode: 1001, reason: 'test' });
    await closed;
    it.start();
    assert.equal((await it.ended).why, 'closed');
  });

  test('the close code of the peer is told', async () => {
    await using it = await peerBench();
    it.start();
    it.peer.close(1000);
    assert.deepEqual(await it.ended, { why: 'closed', closeCode: 1000 });
  });

  test('a peer that does not join in a close is destroyed after its time', async () => {
    await using it = await peerBench();
    it.start();
    await it.settle();
    it.peer.pause();
    it.socket.close({ closeCode: 1001, reason: 'test' });
    assert.equal(it.socket.isOpen, false);
    it.clock.advance(5_000);
    assert.equal((await it.ended).closeCode, 1006);
  });

  test('a close while it is not read lets the peer say goodbye', async () => {
    await using it = await peerBench();
    it.start();
    it.socket.pause();
    it.peer.send('too late');
    it.socket.close({ closeCode: 1001, reason: 'test' });
    assert.deepEqual(await it.ended, { why: 'closed', closeCode: 1001 });
    assert.deepEqual(it.received, []);
  });

  test('a binary message is misframed, at once, though its sender keeps its socket', async () => {
    await using it = await peerBench();
    it.start();
    it.peer.send(Buffer.from('[]'));
    assert.deepEqual(await it.ended, { why: 'misframed', closeCode: 1006 });
  });

  test('what a peer has said before it breaks the protocol is handed out, before its end', async () => {
    await using it = await peerBench();
    it.start();
    // In one piece, so that both arrive in the same turn.
    const stream = Reflect.get(it.peer, '_socket') as Duplex;
    stream.cork();
    it.peer.send('its last words');
    it.peer.send(Buffer.from('[]'));
    stream.uncork();
    assert.equal((await it.ended).why, 'misframed');
    assert.deepEqual(it.received, ['its last words']);
  });

  test('what was sent in one turn goes out in its order, and before a ping and a close', async () => {
    await using it = await peerBench();
    it.start();
    const heard: string[] = [];
    it.peer.on('message', (data: Buffer) => heard.push(data.toString()));
    it.peer.on('ping', () => heard.push('ping'));
    it.socket.send(Buffer.from('1'));
    it.socket.send(Buffer.from('2'));
    it.socket.ping();
    it.socket.send(Buffer.from('3'));
    it.socket.close({ closeCode: 1000, reason: '' });
    it.socket.send(Buffer.from('4'));
    await once(it.peer, 'close');
    assert.deepEqual(heard, ['1', '2', 'ping', '3']);
  });

  test('what waits for the end of the turn counts as waiting', async () => {
    await using it = await peerBench();
    it.start();
    assert.equal(it.socket.isCongested, false);
    it.socket.send(Buffer.alloc(highWaterBytes + 1, 'x'));
    assert.equal(it.socket.isCongested, true);
    const [data] = (await once(it.peer, 'message')) as [Buffer];
    assert.equal(data.length, highWaterBytes + 1);
  });

  test('nothing is sent after the end, and nothing throws', async () => {
    await using it = await peerBench();
    it.start();
    it.peer.terminate();
    await it.ended;
    it.socket.send(Buffer.from('x'));
    it.socket.sendOwn('x');
    it.socket.ping();
    it.socket.pause();
    it.socket.resume();
    it.socket.close({ closeCode: 1000, reason: '' });
    it.clock.advance(100_000);
    assert.equal(it.socket.isOpen, false);
  });
});
