/**
 * Goal: one conversation keeps the rules of OCPP-J whatever the other side does.
 * Method: an RpcPeer on a fake socket; time stands still until it is told to move.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { WebSocket } from 'ws';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { seededRandom } from '../../lib/random.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { CallRefused } from './rpc-errors.ts';
import { type CallHandler, RpcPeer } from './rpc-peer.ts';

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  readonly sent: unknown[][] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  receive(...frame: readonly unknown[]): void {
    this.emit('message', Buffer.from(JSON.stringify(frame)), false);
  }
}

function newPeer(version: OcppVersion = 'ocpp1.6', onCall: CallHandler = () => ({})) {
  const socket = new FakeSocket();
  const clock = manualClock();
  const peer = new RpcPeer({
    socket: socket as unknown as WebSocket,
    identity: 'CP-1',
    version,
    clock,
    random: seededRandom(1),
    callTimeoutSeconds: 10,
    validatesPayloads: true,
    onCall,
  });
  return { socket, clock, peer };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('calls go out one at a time, in order', async () => {
  const { socket, peer } = newPeer();
  const calls = ['A', 'B'].map((action) => peer.call(action, {}));
  assert.equal(socket.sent.length, 1);
  socket.receive(3, 'unknown id', {});
  assert.equal(socket.sent.length, 1);
  socket.receive(3, socket.sent[0]?.[1], { first: true });
  assert.equal(socket.sent.length, 2);
  socket.receive(4, socket.sent[1]?.[1], 'SecurityError', 'no', { why: 1 });
  assert.deepEqual(await calls[0], { first: true });
  await assert.rejects(calls[1] ?? Promise.resolve(), { code: 'SecurityError', description: 'no' });
});

test('a call that is not answered times out, and the next one goes out', async () => {
  const { socket, peer, clock } = newPeer();
  const calls = Promise.allSettled(['A', 'B'].map((action) => peer.call(action, {})));
  clock.advance(9999);
  assert.equal(socket.sent.length, 1);
  clock.advance(1);
  assert.equal(socket.sent.length, 2);
  socket.receive(3, socket.sent[0]?.[1], { late: true });
  socket.receive(3, socket.sent[1]?.[1], {});
  const [first, second] = await calls;
  assert.equal(first?.status === 'rejected' && first.reason.name, 'CallTimedOut');
  assert.equal(second?.status, 'fulfilled');
});

test('calls that are open when the connection ends are rejected', async () => {
  const { socket, peer } = newPeer();
  const calls = Promise.allSettled(['A', 'B'].map((action) => peer.call(action, {})));
  socket.readyState = 3;
  socket.emit('close');
  for (const call of await calls) {
    assert.equal(call.status === 'rejected' && call.reason.name, 'ConnectionLost');
  }
  await assert.rejects(peer.call('C', {}), { name: 'ConnectionLost' });
});

test('the queue is bounded', async () => {
  const { socket, peer } = newPeer();
  const calls = Promise.allSettled(Array.from({ length: 1002 }, () => peer.call('A', {})));
  socket.emit('close');
  const reasons = (await calls).map((call) => call.status === 'rejected' && call.reason.name);
  assert.equal(reasons.at(-1), 'QueueFull');
  assert.equal(reasons.filter((name) => name === 'QueueFull').length, 1);
});

test('a handler answers with a payload, a refusal, silence, or breaks; what follows waits', async () => {
  const answers: Readonly<Record<string, ReturnType<CallHandler>>> = {
    Payload: { ok: true },
    Refusal: new CallRefused('NotSupported', 'never'),
    Silence: 'silence',
  };
  const { socket, peer } = newPeer('ocpp1.6', (call) => {
    call.afterReply(() => peer.call('Follows', {}).catch(() => undefined));
    const answer = answers[call.action];
    if (answer === undefined) throw new Error('broken');
    return answer;
  });
  for (const action of ['Payload', 'Refusal', 'Silence', 'Break']) {
    socket.receive(2, `id-${action}`, action, {});
    await settled();
  }
  const [payload, follows, refusal, broken] = socket.sent;
  assert.deepEqual(payload, [3, 'id-Payload', { ok: true }]);
  assert.equal(follows?.[2], 'Follows');
  assert.deepEqual(refusal, [4, 'id-Refusal', 'NotSupported', 'never', {}]);
  assert.deepEqual(broken, [4, 'id-Break', 'InternalError', 'broken', {}]);
  socket.emit('close');
});

test('2.1: SEND is handled and never answered', async () => {
  const seen: string[] = [];
  const { socket, peer } = newPeer('ocpp2.1', ({ action }) => {
    seen.push(action);
    return {};
  });
  socket.receive(6, 'id-1', 'NotifyPeriodicEventStream', {});
  await settled();
  assert.deepEqual(seen, ['NotifyPeriodicEventStream']);
  assert.equal(socket.sent.length, 0);
  peer.send('NotifyPeriodicEventStream', { id: 1 });
  assert.deepEqual(socket.sent[0]?.slice(2), ['NotifyPeriodicEventStream', { id: 1 }]);
  assert.equal(socket.sent[0]?.[0], 6);
});

test('a text that is no message: 2.x says so with id -1, 1.6 stays silent', () => {
  const in16 = newPeer('ocpp1.6');
  in16.socket.emit('message', Buffer.from('nonsense'), false);
  assert.equal(in16.socket.sent.length, 0);
  const in201 = newPeer('ocpp2.0.1');
  in201.socket.emit('message', Buffer.from('nonsense'), false);
  assert.deepEqual(in201.socket.sent[0]?.slice(0, 3), [4, '-1', 'RpcFrameworkError']);
});
