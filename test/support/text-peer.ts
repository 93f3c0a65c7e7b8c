import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** A WebSocket end that a test drives by hand: it answers nothing by itself. */
export interface TextPeer {
  readonly socket: WebSocket;
  /** The request path and headers that the peer saw, on the CSMS side. */
  readonly request: { readonly url: string; readonly headers: IncomingHttpHeaders } | undefined;
  /** Every text that came, in order. */
  readonly received: readonly string[];
  /** Forgets what has been received and taken. */
  forgetTaken(): void;
  /** The next text that has not been taken yet. Rejects when the connection ends first. */
  next(): Promise<string>;
  /** Like `next`, parsed. */
  nextMessage(): Promise<readonly unknown[]>;
  send(text: string): void;
  /** Sends an OCPP message, given as its elements. */
  sendMessage(...elements: readonly unknown[]): void;
  /** How the connection ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): Promise<void>;
}

/** Wraps an open or opening socket. */
export function textPeer(socket: WebSocket, request?: TextPeer['request']): TextPeer {
  const received: string[] = [];
  let taken = 0;
  const waiting: { resolve: (text: string) => void; reject: (error: Error) => void }[] = [];
  socket.on('message', (data) => {
    received.push(data.toString());
    const waiter = waiting.shift();
    if (waiter === undefined) return;
    taken += 1;
    waiter.resolve(data.toString());
  });
  socket.on('error', () => {});
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() });
      for (const { reject } of waiting.splice(0)) reject(new Error(`closed with ${code}`));
    });
  });
  const next = (): Promise<string> => {
    const text = received[taken];
    if (text !== undefined) {
      taken += 1;
      return Promise.resolve(text);
    }
    if (socket.readyState >= WebSocket.CLOSING) return Promise.reject(new Error('closed'));
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  return {
    socket,
    request,
    received,
    forgetTaken: () => {
      received.splice(0, taken);
      taken = 0;
    },
    next,
    nextMessage: async () => JSON.parse(await next()) as readonly unknown[],
    send: (text) => socket.send(text),
    sendMessage: (...elements) => socket.send(JSON.stringify(elements)),
    closed,
    close: async () => {
      socket.close();
      await closed;
    },
  };
}

/** Connects as a charger. Rejects with the HTTP status in `status` when it is refused. */
export async function connectCharger(
  url: string,
  protocols: readonly string[] = ['ocpp1.6'],
  options: object = {},
): Promise<TextPeer> {
  const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false, ...options });
  const peer = textPeer(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      const refusal = new Error(`HTTP ${response.statusCode}`);
      response.resume();
      reject(Object.assign(refusal, { status: response.statusCode, headers: response.headers }));
    });
  });
  return peer;
}

/** A CSMS that a test drives by hand. */
export interface HandCsms {
  /** What goes into `csms.url`. */
  readonly url: string;
  readonly port: number;
  /** All connections so far. */
  readonly connections: readonly TextPeer[];
  /** The next connection that has not been taken yet. */
  nextConnection(): Promise<TextPeer>;
  /** Stops listening and destroys every connection. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a CSMS on loopback that accepts `accepts`, in the order of the client's wishes. */
export async function startHandCsms(
  accepts: readonly string[] = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'],
  port = 0,
): Promise<HandCsms> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port,
    handleProtocols: (offered) => [...offered].find((name) => accepts.includes(name)) ?? false,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const connections: TextPeer[] = [];
  const waiting: ((peer: TextPeer) => void)[] = [];
  let taken = 0;
  server.on('connection', (socket, request) => {
    const peer = textPeer(socket, { url: request.url ?? '', headers: request.headers });
    connections.push(peer);
    const waiter = waiting.shift();
    if (waiter === undefined) return;
    taken += 1;
    waiter(peer);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const { socket } of connections) socket.terminate();
      server.close(() => resolve());
    });
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${boundPort}/csms`,
    port: boundPort,
    connections,
    nextConnection: () => {
      const peer = connections[taken];
      if (peer !== undefined) {
        taken += 1;
        return Promise.resolve(peer);
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
