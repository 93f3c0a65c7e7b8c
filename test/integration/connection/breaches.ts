import { deflateRawSync } from 'node:zlib';
import { closePayload, opcodes, type RawPeer } from '../../support/raw-websocket.ts';

/** The smallest that the configuration allows. */
export const frameBytesMax = 4096;
/** The offer, and the acceptance, of permessage-deflate. */
export const compressed = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
/** The reserved bit that says that a message is compressed. */
export const rsv1 = 4;

/** A message as permessage-deflate sends it: without the four bytes at its end (RFC 7692). */
export function deflated(text: string): Buffer {
  return deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);
}

/** Frames that break RFC 6455, and the close code that they earn. */
export interface Breach {
  readonly name: string;
  readonly send: (peer: RawPeer) => void;
  readonly code: number;
  readonly compressed?: boolean;
}

const { binary, close, continuation, ping, pong } = opcodes;

/** What breaks it whichever side sends it. */
export const breaches: readonly Breach[] = [
  ...[1, 2, 3].map((reserved) => ({
    name: `reserved bits ${reserved}`,
    send: (peer: RawPeer) => peer.send('[]', { reserved }),
    code: 1002,
  })),
  {
    name: 'a compressed message where compression was not agreed',
    send: (peer) => peer.send(deflated('[]'), { reserved: rsv1 }),
    code: 1002,
  },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    name: `the reserved opcode ${opcode}`,
    send: (peer: RawPeer) => peer.send('[]', { opcode }),
    code: 1002,
  })),
  {
    name: 'a ping of 126 bytes',
    send: (it) => it.send('x'.repeat(126), { opcode: ping }),
    code: 1002,
  },
  {
    name: 'a pong of 126 bytes',
    send: (it) => it.send('x'.repeat(126), { opcode: pong }),
    code: 1002,
  },
  {
    name: 'a close of 126 bytes',
    send: (it) => it.send(closePayload(1000, 'x'.repeat(124)), { opcode: close }),
    code: 1002,
  },
  {
    name: 'a ping in fragments',
    send: (it) => it.send('x', { opcode: ping, fin: false }),
    code: 1002,
  },
  {
    name: 'a close in fragments',
    send: (it) => it.send('', { opcode: close, fin: false }),
    code: 1002,
  },
  {
    name: 'a continuation of nothing',
    send: (it) => it.send('x', { opcode: continuation }),
    code: 1002,
  },
  {
    name: 'a new message inside of a fragmented one',
    send: (it) => {
      it.send('[2,', { fin: false });
      it.send('[]');
    },
    code: 1002,
  },
  { name: 'a close of one byte', send: (it) => it.send('x', { opcode: close }), code: 1002 },
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map((code) => ({
    name: `a close with the code ${code}`,
    send: (peer: RawPeer) => peer.sendClose(code),
    code: 1002,
  })),
  {
    name: 'a close whose reason is no UTF-8',
    send: (it) => it.send(Buffer.from([3, 232, 0xff]), { opcode: close }),
    code: 1007,
  },
  {
    name: 'a text that is no UTF-8',
    send: (it) => it.send(Buffer.from([0x5b, 0xc0, 0xaf])),
    code: 1007,
  },
  {
    name: 'half a surrogate pair',
    send: (it) => it.send(Buffer.from([0xed, 0xa0, 0x80])),
    code: 1007,
  },
  {
    name: 'a character cut off at the end of a fragmented message',
    send: (it) => {
      it.send(Buffer.from([0x5b, 0xe2]), { fin: false });
      it.send(Buffer.from([0x82]), { opcode: continuation });
    },
    code: 1007,
  },
  { name: 'a binary message', send: (it) => it.send('[]', { opcode: binary }), code: 1003 },
  { name: 'an empty binary message', send: (it) => it.send('', { opcode: binary }), code: 1003 },
  {
    name: 'a message one byte too long',
    send: (it) => it.send('x'.repeat(frameBytesMax + 1)),
    code: 1009,
  },
  {
    name: 'a message that claims 100 MiB',
    send: (it) => it.send('x', { claimedLength: 100 * 1024 * 1024 }),
    code: 1009,
  },
  {
    name: 'a message that claims 2^63 bytes',
    send: (it) => it.send('x', { claimedLength: 2 ** 63 }),
    code: 1009,
  },
  {
    name: 'fragments that are too long together',
    send: (it) => {
      it.send('x'.repeat(4000), { fin: false });
      it.send('x'.repeat(97), { opcode: continuation, fin: false });
    },
    code: 1009,
  },
  {
    name: 'a thousand fragments of one byte',
    send: (it) => {
      it.send('[', { fin: false });
      for (let index = 0; index < 1000; index += 1) {
        it.send('x', { opcode: continuation, fin: false });
      }
    },
    code: 1008,
  },
  {
    name: 'a thousand empty fragments',
    send: (it) => {
      it.send('', { fin: false });
      for (let index = 0; index < 1000; index += 1)
        it.send('', { opcode: continuation, fin: false });
    },
    code: 1008,
  },
  {
    name: 'a compressed message that is too long when inflated',
    send: (it) => it.send(deflated('x'.repeat(frameBytesMax + 1)), { reserved: rsv1 }),
    code: 1009,
    compressed: true,
  },
  {
    name: 'a compressed message that cannot be inflated',
    send: (it) => it.send(Buffer.from('ffffffffff', 'hex'), { reserved: rsv1 }),
    code: 1007,
    compressed: true,
  },
  {
    name: 'a compressed ping',
    send: (it) => it.send(deflated('x'), { opcode: ping, reserved: rsv1 }),
    code: 1002,
    compressed: true,
  },
  {
    name: 'a compressed continuation',
    send: (it) => {
      it.send(deflated('[2,'), { fin: false, reserved: rsv1 });
      it.send(deflated('x'), { opcode: continuation, reserved: rsv1 });
    },
    code: 1002,
    compressed: true,
  },
];
