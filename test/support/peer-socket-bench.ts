import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { SocketLimits } from '../../src/connection/limits.ts';
import { PeerSocket, type SocketEnd } from '../../src/connection/peer-socket.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

const limits: SocketLimits = {
  frameBytesMax: 4 * 1024 * 1024,
  pingSeconds: 10,
  pongSeconds: 5,
  silentSeconds: 100,
  stallSeconds: 20,
};

/** A peer that is watched, and a real WebSocket at its other end. */
export interface PeerBench {
  readonly clock: ManualClock;
  readonly socket: PeerSocket;
  readonly peer: WebSocket;
  readonly received: readonly string[];
  readonly ended: Promise<SocketEnd>;
  readonly drained: () => number;
  readonly pings: () => number;
  start(): void;
  /** Has what the peer sent so far arrived? */
  settle(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Connects the two; the time of the watched one stands still. */
export async function peerBench(changes: Partial<SocketLimits> = {}): Promise<PeerBench> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  const clock = manualClock();
  const made = accepted.then(
    ([it, { socket: stream }]) =>
      new PeerSocket({ socket: it, stream, isClient: false }, { ...limits, ...changes }, clock),
  );
  const peer = new WebSocket(`ws://127.0.0.1:${port}`, {
    autoPong: false,
    perMessageDeflate: false,
  });
  peer.on('error', () => {});
  let pings = 0;
  peer.on('ping', () => {
    pings += 1;
  });
  await once(peer, 'open');
  const socket = await made;
  const received: string[] = [];
  const waiting = new Map<string, () => void>();
  const ended = Promise.withResolvers<SocketEnd>();
  let drained = 0;
  let marks = 0;
  return {
    clock,
    socket,
    peer,
    received,
    ended: ended.promise,
    drained: () => drained,
    pings: () => pings,
    start: () =>
      socket.start({
        onMessage: (bytes) => {
          const text = bytes.toString();
          const resolve = waiting.get(text);
          if (resolve === undefined) received.push(text);
          else resolve();
        },
        onEnd: ended.resolve,
        onDrained: () => {
          drained += 1;
        },
      }),
    settle: () => {
      marks += 1;
      const mark = `mark-${marks}`;
      return new Promise((resolve) => {
        waiting.set(mark, resolve);
        peer.send(mark);
      });
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      peer.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
