import { createHash } from 'node:crypto';

/** A WebSocket frame (RFC 6455 section 5.2) that was read, unmasked. */
export interface WireFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The opcodes that peers and gateway use. */
export const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Headers of HTTP are latin1, and so is what is compared byte for byte. */
export const wireEncoding = 'latin1';

/** The frame of one whole message. Masks are zeros: they are there, and change nothing. */
export function frameOf(opcode: number, payload: Buffer, isMasked: boolean): Buffer {
  const { length } = payload;
  const maskBit = isMasked ? 0x80 : 0;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const head = Buffer.alloc(size + (isMasked ? 4 : 0));
  head[0] = 0x80 | opcode;
  if (size === 2) head[1] = maskBit | length;
  else if (size === 4) {
    head[1] = maskBit | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Reads an HTTP head and the frames after it, however the bytes are cut. */
export class WireReader {
  readonly #onHead: (head: string) => void;
  readonly #onFrame: (frame: WireFrame) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #hasHead = false;

  constructor(onHead: (head: string) => void, onFrame: (frame: WireFrame) => void) {
    this.#onHead = onHead;
    this.#onFrame = onFrame;
  }

  push(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (!this.#hasHead) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#hasHead = true;
      const head = this.#bytes.toString(wireEncoding, 0, end);
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#onHead(head);
    }
    for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) {
      this.#onFrame(frame);
    }
  }

  #takeFrame(): WireFrame | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const [first = 0, second = 0] = bytes;
    let length = second & 0x7f;
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return undefined;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return undefined;
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    const isMasked = (second & 0x80) !== 0;
    const start = at + (isMasked ? 4 : 0);
    if (bytes.length < start + length) return undefined;
    let payload = bytes.subarray(start, start + length);
    if (isMasked) payload = unmasked(payload, bytes.subarray(at, at + 4));
    this.#bytes = bytes.subarray(start + length);
    return { opcode: first & 0x0f, payload };
  }
}

function unmasked(payload: Buffer, mask: Buffer): Buffer {
  if (mask.readUInt32BE(0) === 0) return payload;
  const plain = Buffer.from(payload);
  for (let index = 0; index < plain.length; index += 1) {
    plain[index] = (plain[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return plain;
}

/** One header of an HTTP head; undefined when there is none. */
export function headerOf(head: string, name: string): string | undefined {
  const found = new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(head);
  return found?.[1]?.trim();
}

/** The answer to a key (RFC 6455 section 4.2.2). */
export function acceptOf(key: string): string {
  const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  return createHash('sha1').update(`${key}${guid}`).digest('base64');
}
