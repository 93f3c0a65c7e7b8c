import { randomFillSync } from 'node:crypto';

/** Masks are made for many frames at once: asking for four bytes takes longer than masking. */
const pool = Buffer.allocUnsafe(8 * 1024);
let poolAt = pool.length;

/**
 * A text message as the one frame that it is on the wire, in one piece: ws writes head and text one
 * by one, with an object and a callback for each.
 *
 * @param text valid UTF-8.
 * @param isMasked a client masks what it sends, a server does not.
 * Source: RFC 6455 sections 5.2 and 5.3.
 */
export function textFrame(text: Uint8Array, isMasked: boolean): Buffer {
  const { byteLength } = text;
  const lengthBytes = byteLength < 126 ? 0 : byteLength < 65_536 ? 2 : 8;
  const start = 2 + lengthBytes + (isMasked ? 4 : 0);
  const frame = Buffer.allocUnsafe(start + byteLength);
  frame[0] = 0x81;
  const maskBit = isMasked ? 0x80 : 0;
  if (lengthBytes === 0) frame[1] = maskBit | byteLength;
  else if (lengthBytes === 2) {
    frame[1] = maskBit | 126;
    frame.writeUInt16BE(byteLength, 2);
  } else {
    frame[1] = maskBit | 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(byteLength, 6);
  }
  if (isMasked) mask(text, frame, start);
  else frame.set(text, start);
  return frame;
}

function mask(text: Uint8Array, frame: Buffer, start: number): void {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  for (let at = 0; at < 4; at += 1) frame[start - 4 + at] = pool[poolAt + at] ?? 0;
  poolAt += 4;
  for (let at = 0; at < text.byteLength; at += 1) {
    frame[start + at] = (text[at] ?? 0) ^ (frame[start - 4 + (at & 3)] ?? 0);
  }
}
