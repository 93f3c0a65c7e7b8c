import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The first lines of an HTTP request or answer. */
export interface HttpHead {
  /** The request line or the status line. */
  readonly line: string;
  /** The status of an answer; NaN for a request. */
  readonly status: number;
  /** All headers in their order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The only header of that name; undefined when there is none or there are several. */
  header(name: string): string | undefined;
}

/** One WebSocket frame as it came. */
export interface RawFrame {
  readonly fin: boolean;
  /** The three reserved bits, 0 to 7; 4 is RSV1, a compressed message. */
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** What a frame may say, well-formed or not. The defaults make a whole text message. */
export interface FrameParts {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly reserved?: number;
  readonly masked?: boolean;
  /** The length that the frame claims, if not that of its payload. */
  readonly claimedLength?: number;
}

/** Opcodes of RFC 6455 section 5.2. */
export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** A WebSocket end made of bytes. It keeps no rule by itself and answers nothing. */
export interface RawPeer {
  readonly socket: Socket;
  /** The head that the other side sent: its answer, or its request. */
  readonly head: Promise<HttpHead>;
  /** Everything that came, until the other side ended, as text. */
  readonly everything: Promise<string>;
  /** Resolves when the connection is over, however it ended. */
  readonly closed: Promise<void>;
  /** The next frame that has not been taken yet. Rejects when the connection ends first. */
  nextFrame(): Promise<RawFrame>;
  /** The next text frame; pings and pongs before it are skipped. */
  nextText(): Promise<string>;
  /** The code and reason of the next close frame; what comes before it is skipped. */
  nextClose(): Promise<{ readonly code: number; readonly reason: string }>;
  write(bytes: string | Uint8Array): void;
  /** Sends one frame. */
  send(payload: string | Uint8Array, parts?: FrameParts): void;
  /** Sends a close frame. */
  sendClose(code: number, reason?: string): void;
  /** Ends with a TCP reset. */
  reset(): void;
  /** Ends without one. */
  destroy(): void;
  [Symbol.dispose](): void;
}

/** One frame, byte for byte. */
export function frameBytes(payload: string | Uint8Array, parts: FrameParts = {}): Buffer {
  const { opcode = opcodes.text, fin = true, reserved = 0, masked = true } = parts;
  const body = Buffer.from(payload);
  const length = parts.claimedLength ?? body.length;
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = masked ? 0x80 : 0;
  let start: Buffer;
  if (length < 126) {
    start = Buffer.from([first, mask | length]);
  } else if (length < 65_536) {
    start = Buffer.from([first, mask | 126, length >> 8, length & 0xff]);
  } else {
    start = Buffer.alloc(10);
    start.set([first, mask | 127]);
    start.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) return Buffer.concat([start, body]);
  const key = Buffer.from([0x11, 0x22, 0x33, 0x44]);
  for (let index = 0; index < body.length; index += 1) {
    body[index] = (body[index] ?? 0) ^ (key[index % 4] ?? 0);
  }
  return Buffer.concat([start, key, body]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

/** What an upgrade request says otherwise than a good one; undefined leaves a header out. */
export type HeaderChanges = Readonly<Record<string, string | undefined>>;

const goodHeaders: HeaderChanges = {
  Host: '127.0.0.1',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol': 'ocpp1.6',
};

/** The text of an upgrade request for `target`. */
export function upgradeText(target: string, changes: HeaderChanges = {}): string {
  const headers = Object.entries({ ...goodHeaders, ...changes })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\n${headers.join('')}\r\n`;
}

/** Opens a TCP connection to a port of this machine and says nothing. */
export async function connectRaw(port: number): Promise<RawPeer> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const peer = rawPeer(socket, true);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return peer;
}

/** Connects as a charger at the level of bytes. Rejects when it is not answered with 101. */
export async function connectRawCharger(
  port: number,
  target: string,
  changes: HeaderChanges = {},
): Promise<RawPeer> {
  const peer = await connectRaw(port);
  peer.write(upgradeText(target, changes));
  const { status } = await peer.head;
  if (status !== 101) {
    peer.destroy();
    throw new Error(`HTTP ${status}`);
  }
  return peer;
}

/** Sends `bytes` on a connection of its own and returns the whole answer, once it is over. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  using peer = await connectRaw(port);
  peer.write(bytes);
  return await peer.everything;
}

/** A CSMS at the level of bytes: it answers only what the test tells it to. */
export interface RawCsms {
  readonly url: string;
  readonly port: number;
  /** The next TCP connection, whether or not anything came on it yet. */
  nextConnection(): Promise<RawPeer>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts one on loopback. */
export async function startRawCsms(): Promise<RawCsms> {
  const peers: RawPeer[] = [];
  const waiting: ((peer: RawPeer) => void)[] = [];
  let taken = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    const peer = rawPeer(socket, false);
    peers.push(peer);
    const waiter = waiting.shift();
    if (waiter === undefined) return;
    taken += 1;
    waiter(peer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const peer of peers) peer.destroy();
      server.close(() => resolve());
    });
  return {
    url: `ws://127.0.0.1:${port}/csms`,
    port,
    nextConnection: () => {
      const peer = peers[taken];
      if (peer === undefined) return new Promise((resolve) => waiting.push(resolve));
      taken += 1;
      return Promise.resolve(peer);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The answer that accepts the request in `head`. */
export function acceptText(
  head: HttpHead,
  changes: HeaderChanges = { 'Sec-WebSocket-Protocol': 'ocpp1.6' },
): string {
  const key = head.header('sec-websocket-key') ?? '';
  const accept = createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  const headers = Object.entries({
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': accept,
    ...changes,
  }).filter(([, value]) => value !== undefined);
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
}

function rawPeer(socket: Socket, masks: boolean): RawPeer {
  const chunks: Buffer[] = [];
  const frames: RawFrame[] = [];
  const waiting: { resolve: (frame: RawFrame) => void; reject: (error: Error) => void }[] = [];
  let buffered = Buffer.alloc(0);
  let isOver = false;
  const head = Promise.withResolvers<HttpHead>();
  const closed = Promise.withResolvers<void>();
  const everything = Promise.withResolvers<string>();
  let isHeadRead = false;
  // Whoever waits for the head hears of it; the others must not fail because of it.
  head.promise.catch(() => {});

  socket.on('data', (chunk: Buffer) => {
    if (chunks.length < 1000) chunks.push(chunk);
    buffered = Buffer.concat([buffered, chunk]);
    if (!isHeadRead) {
      const end = buffered.indexOf('\r\n\r\n');
      if (end < 0) return;
      isHeadRead = true;
      head.resolve(parseHead(buffered.subarray(0, end).toString('latin1')));
      buffered = buffered.subarray(end + 4);
    }
    for (let next = readFrame(buffered); next !== undefined; next = readFrame(buffered)) {
      buffered = buffered.subarray(next.length);
      const waiter = waiting.shift();
      if (waiter === undefined) frames.push(next.frame);
      else waiter.resolve(next.frame);
    }
  });
  socket.on('error', () => {});
  const over = (): void => {
    isOver = true;
    const error = new Error('the connection is over');
    everything.resolve(Buffer.concat(chunks).toString('latin1'));
    head.reject(error);
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  socket.on('end', over);
  socket.on('close', () => {
    over();
    closed.resolve();
  });

  const nextFrame = (): Promise<RawFrame> => {
    const frame = frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (isOver) return Promise.reject(new Error('the connection is over'));
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const send = (payload: string | Uint8Array, parts?: FrameParts): void => {
    socket.write(frameBytes(payload, { masked: masks, ...parts }));
  };
  return {
    socket,
    head: head.promise,
    everything: everything.promise,
    closed: closed.promise,
    nextFrame,
    nextText: async () => {
      for (;;) {
        const { opcode, payload } = await nextFrame();
        if (opcode === opcodes.text) return payload.toString();
        if (opcode === opcodes.close) throw new Error(`closed with ${payload.readUInt16BE()}`);
      }
    },
    nextClose: async () => {
      for (;;) {
        const { opcode, payload } = await nextFrame();
        if (opcode !== opcodes.close) continue;
        const code = payload.length < 2 ? 1005 : payload.readUInt16BE();
        return { code, reason: payload.subarray(2).toString() };
      }
    },
    write: (bytes) => {
      socket.write(bytes);
    },
    send,
    sendClose: (code, reason) => send(closePayload(code, reason), { opcode: opcodes.close }),
    reset: () => {
      socket.resetAndDestroy();
    },
    destroy: () => {
      socket.destroy();
    },
    [Symbol.dispose]: () => {
      socket.destroy();
    },
  };
}

function parseHead(text: string): HttpHead {
  const [line = '', ...rest] = text.split('\r\n');
  const headers = rest.map((it): readonly [string, string] => {
    const colon = it.indexOf(':');
    return [it.slice(0, colon).toLowerCase(), it.slice(colon + 1).trim()];
  });
  return {
    line,
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1] ?? Number.NaN),
    headers,
    header: (name) => {
      const [only, ...others] = headers.filter((it) => it[0] === name);
      return others.length === 0 ? only?.[1] : undefined;
    },
  };
}

/** The first frame in `bytes` and how long it is; undefined while it is incomplete. */
function readFrame(
  bytes: Buffer,
): { readonly frame: RawFrame; readonly length: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  let payloadLength = second & 0x7f;
  let start = 2;
  if (payloadLength === 126) {
    if (bytes.length < 4) return undefined;
    payloadLength = bytes.readUInt16BE(2);
    start = 4;
  } else if (payloadLength === 127) {
    if (bytes.length < 10) return undefined;
    payloadLength = Number(bytes.readBigUInt64BE(2));
    start = 10;
  }
  const masked = (second & 0x80) !== 0;
  const key = masked ? bytes.subarray(start, start + 4) : undefined;
  if (masked) start += 4;
  const length = start + payloadLength;
  if (bytes.length < length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, length));
  if (key !== undefined) {
    for (let index = 0; index < payload.length; index += 1) {
      payload[index] = (payload[index] ?? 0) ^ (key[index % 4] ?? 0);
    }
  }
  const frame = {
    fin: (first & 0x80) !== 0,
    reserved: (first >> 4) & 7,
    opcode: first & 0x0f,
    masked,
    payload,
  };
  return { frame, length };
}
