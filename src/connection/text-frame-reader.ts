import { isUtf8 } from 'node:buffer';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What has to be known of a connection to read its frames. */
export interface TextFrameOptions {
  /** Are we the client? What a client sends is masked, what it gets is not. */
  readonly isClient: boolean;
  /** Longer messages are left to ws, which refuses them. */
  readonly messageBytesMax: number;
  /** A text message that came in one frame, in valid UTF-8. */
  onText(bytes: Buffer): void;
}

type Reads = (this: Duplex, chunk: Buffer) => void;

const controlBytesMax = 125;
const wholeText = 0x81;
const wholePing = 0x89;
const wholePong = 0x8a;
const maskedBit = 0x80;
const maskBytes = 4;

/**
 * Reads what nearly all messages are, a text in one frame, without ws.
 *
 * ws sees pings and pongs, and from the first other frame on it reads all that comes: fragments,
 * closes, and whatever is not as it should be. So ws stays the authority on the protocol. But it takes
 * a frame apart in a second stream, with an object for each of its parts, which was a tenth of what a
 * message cost (`npm run bench`).
 *
 * For connections without compression. Source: RFC 6455 sections 5.2 to 5.6 and 8.1.
 */
export class TextFrameReader {
  readonly #stream: Duplex;
  readonly #wsReads: Reads;
  readonly #reads: Reads;
  readonly #options: TextFrameOptions;
  /** A frame of which the rest is missing. It grows with what arrives, not with what was announced. */
  #kept: Buffer | undefined;
  #keptBytes = 0;
  /** At how many bytes there is something to look at. */
  #neededBytes = 0;

  /** Reads `stream` from now on: that of an open WebSocket of which nothing has been read. */
  constructor(stream: Duplex, options: TextFrameOptions) {
    const [wsReads, ...others] = stream.listeners('data') as unknown[] as readonly Reads[];
    if (wsReads === undefined || others.length > 0) {
      throw new TypeError('not the stream of an open WebSocket');
    }
    this.#stream = stream;
    this.#wsReads = wsReads;
    this.#options = options;
    this.#reads = (chunk) => this.#read(chunk);
    stream.on('data', this.#reads);
    stream.off('data', wsReads);
    if (stream instanceof Socket) this.#readAtSource(stream);
  }

  /**
   * Takes what has arrived where the socket puts it into its stream, while that flows and nothing is in
   * it: then it would come out again at once, with an event and a tick of the process for each piece.
   */
  #readAtSource(socket: Socket): void {
    socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (socket.readableFlowing !== true || socket.readableLength > 0 || !Buffer.isBuffer(chunk)) {
        return Socket.prototype.push.call(socket, chunk, encoding);
      }
      this.#read(chunk);
      return true;
    };
  }

  #read(arrived: Buffer): void {
    const chunk = this.#kept === undefined ? arrived : this.#keptWith(arrived);
    let at = 0;
    while (at < chunk.length) at = this.#readFrame(chunk, at);
  }

  /** @returns where to read on: at the end, where this is the last frame that can be read. */
  #readFrame(chunk: Buffer, at: number): number {
    const { isClient, messageBytesMax } = this.#options;
    if (chunk.length < at + 2) return this.#keep(chunk, at, at + 2);
    const first = chunk[at] ?? 0;
    const second = chunk[at + 1] ?? 0;
    const isText = first === wholeText;
    const isSign = first === wholePing || first === wholePong;
    const isMasked = (second & maskedBit) !== 0;
    if ((!isText && !isSign) || isMasked === isClient) return this.#leave(chunk, at);
    const lengthBytes = lengthBytesOf(second);
    const bodyAt = at + 2 + lengthBytes + (isClient ? 0 : maskBytes);
    if (chunk.length < bodyAt) return this.#keep(chunk, at, bodyAt);
    const length = lengthAt(chunk, at + 2, second, lengthBytes);
    if (length > (isText ? messageBytesMax : controlBytesMax)) return this.#leave(chunk, at);
    const end = bodyAt + length;
    if (chunk.length < end) return this.#keep(chunk, at, end);
    if (isSign) {
      this.#wsReads.call(this.#stream, chunk.subarray(at, end));
      return end;
    }
    const text = chunk.subarray(bodyAt, end);
    const mask = bodyAt - maskBytes;
    const isAscii = !isClient && unmask(text, chunk, mask);
    if (!isAscii && !isUtf8(text)) {
      // ws is to see it as it came.
      if (!isClient) unmask(text, chunk, mask);
      return this.#leave(chunk, at);
    }
    this.#options.onText(text);
    return end;
  }

  /** The rest is read by ws, and all that comes after it. */
  #leave(chunk: Buffer, at: number): number {
    this.#stream.on('data', this.#wsReads);
    this.#stream.off('data', this.#reads);
    Reflect.deleteProperty(this.#stream, 'push');
    this.#wsReads.call(this.#stream, chunk.subarray(at));
    return chunk.length;
  }

  /** Keeps the beginning of a frame until there is all of it up to `end`. */
  #keep(chunk: Buffer, at: number, end: number): number {
    this.#kept = Buffer.from(chunk.subarray(at));
    this.#keptBytes = this.#kept.length;
    this.#neededBytes = end - at;
    return chunk.length;
  }

  /** What is to be looked at now: nothing, as long as too little has arrived. */
  #keptWith(arrived: Buffer): Buffer {
    const bytes = this.#keptBytes + arrived.length;
    let kept = this.#kept ?? arrived;
    if (kept.length < bytes) {
      kept = Buffer.allocUnsafe(Math.max(bytes, Math.min(2 * kept.length, this.#neededBytes)));
      this.#kept?.copy(kept, 0, 0, this.#keptBytes);
    }
    arrived.copy(kept, this.#keptBytes);
    this.#keptBytes = bytes;
    if (bytes < this.#neededBytes) {
      this.#kept = kept;
      return nothing;
    }
    this.#kept = undefined;
    return kept.subarray(0, bytes);
  }
}

const nothing = Buffer.alloc(0);

/** How many bytes the length takes beside the seven bits of the second byte. */
function lengthBytesOf(second: number): 0 | 2 | 8 {
  const short = second & ~maskedBit;
  if (short < 126) return 0;
  return short === 126 ? 2 : 8;
}

function lengthAt(chunk: Buffer, at: number, second: number, lengthBytes: 0 | 2 | 8): number {
  switch (lengthBytes) {
    case 0:
      return second & ~maskedBit;
    case 2:
      return chunk.readUInt16BE(at);
    case 8:
      return chunk.readUInt32BE(at) * 2 ** 32 + chunk.readUInt32BE(at + 4);
  }
}

/** Takes the mask off, or puts it on again. @returns whether there is nothing but ASCII. */
function unmask(text: Buffer, chunk: Buffer, maskAt: number): boolean {
  const { length } = text;
  let seen = 0;
  for (let at = 0; at < length; at += 1) {
    const byte = (text[at] ?? 0) ^ (chunk[maskAt + (at & 3)] ?? 0);
    text[at] = byte;
    seen |= byte;
  }
  return seen < 0x80;
}
