import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import {
  acceptText,
  closePayload,
  type FrameParts,
  frameBytes,
  opcodes,
} from '../../test/support/raw-websocket.ts';
import { until } from '../../test/support/until.ts';
import { seededRandom } from '../lib/random.ts';
import { TextFrameReader } from './text-frame-reader.ts';

// Goal: whatever a peer sends, and however it is cut into pieces, it is read as ws alone reads it.
// Method: the same pieces are written to two WebSockets of ws, of which one has the reader in front,
//   and what the two hand out is compared. ws is the oracle.

const messageBytesMax = 70_000;

type Side = 'charger' | 'csms';

/** What one WebSocket hands out, in its order, and how many of its texts ws has read. */
interface Heard {
  readonly events: readonly string[];
  readonly textsOfWs: number;
}

/** Two ends, of which one reads each piece as it was written; or two of a real connection. */
type Ends = () => Promise<readonly [stream: Duplex, far: Duplex]>;

const pieceByPiece: Ends = async () => duplexPair() as [Duplex, Duplex];

const overTcp: Ends = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [stream] = await accepted;
  server.close();
  return [stream, far];
};

/** A WebSocket whose other end is in our hands: it reads what a charger sends, or a CSMS. */
async function openSocket(
  from: Side,
  ends: Ends,
): Promise<{ socket: WebSocket; stream: Duplex; far: Duplex }> {
  const [stream, far] = await ends();
  const limits = { maxPayload: messageBytesMax, perMessageDeflate: false, autoPong: false };
  if (from === 'charger') {
    const server = new WebSocketServer({ ...limits, noServer: true });
    const request = new IncomingMessage(stream as never);
    request.method = 'GET';
    request.headers = {
      upgrade: 'websocket',
      connection: 'upgrade',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
    };
    const accepted = new Promise<WebSocket>((resolve) => {
      server.handleUpgrade(request, stream, Buffer.alloc(0), resolve);
    });
    await once(far, 'data');
    return { socket: await accepted, stream, far };
  }
  const socket = new WebSocket('ws://csms.example/', {
    ...limits,
    createConnection: () => stream as never,
  });
  const [asked] = (await once(far, 'data')) as [Buffer];
  const key = /sec-websocket-key: (\S+)/i.exec(asked.toString())?.[1] ?? '';
  const opened = once(socket, 'open');
  far.write(acceptText({ line: '', status: Number.NaN, headers: [], header: () => key }, {}));
  await opened;
  return { socket, stream, far };
}

async function hear(
  pieces: readonly Buffer[],
  from: Side,
  by: 'reader' | 'ws alone',
  ends: Ends,
): Promise<Heard> {
  const { far, socket, stream } = await openSocket(from, ends);
  const events: string[] = [];
  let textsOfWs = 0;
  const onText = (bytes: Buffer): void => {
    events.push(`text ${bytes.toString('latin1')}`);
  };
  if (by === 'reader') {
    new TextFrameReader(stream, { isClient: from === 'csms', messageBytesMax, onText });
  }
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) events.push(`binary ${data.toString('latin1')}`);
    else {
      textsOfWs += 1;
      onText(data);
    }
  });
  socket.on('ping', (data) => events.push(`ping ${data.toString('latin1')}`));
  socket.on('pong', (data) => events.push(`pong ${data.toString('latin1')}`));
  socket.on('error', (error) => events.push(`error ${(error as NodeJS.ErrnoException).code}`));
  const closed = new Promise<void>((resolve) => {
    socket.on('close', (code) => {
      events.push(`close ${code}`);
      resolve();
    });
  });
  far.resume();
  for (const piece of pieces) {
    // A copy: reading may unmask it where it is.
    far.write(Buffer.from(piece));
    await turn();
  }
  if (ends === overTcp) {
    far.end();
    await closed;
  }
  await turn();
  socket.terminate();
  await turn();
  return { events, textsOfWs };
}

/** Cuts bytes into pieces of 1 to `piece` bytes. */
function cutInto(bytes: Buffer, piece: number, next: () => number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.floor(next() * piece);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

const longText = 'é'.repeat(30_000);
const { binary, close, continuation, ping, pong } = opcodes;

/** Frames that end in a text which tells whether the connection still lives. */
const streams: readonly {
  readonly name: string;
  readonly frames: readonly (readonly [payload: string | Uint8Array, parts?: FrameParts])[];
  /** Texts that ws has to read itself. */
  readonly textsOfWs: number;
}[] = [
  { name: 'a text', frames: [['[2,"1","Heartbeat",{}]']], textsOfWs: 0 },
  { name: 'three texts, one of them empty', frames: [['one'], [''], ['three']], textsOfWs: 0 },
  {
    name: 'lengths of one, two and eight bytes',
    frames: [125, 126, 127, 65_535, 65_536].map((length) => ['x'.repeat(length)]),
    textsOfWs: 0,
  },
  { name: 'other alphabets', frames: [['Zürich'], ['充电'], [longText]], textsOfWs: 0 },
  {
    name: 'pings and pongs between texts',
    frames: [['1'], ['a', { opcode: ping }], ['2'], ['', { opcode: pong }], ['3']],
    textsOfWs: 0,
  },
  {
    name: 'a message in three frames, with a ping within',
    frames: [
      ['1'],
      ['2', { fin: false }],
      ['3', { opcode: continuation, fin: false }],
      ['p', { opcode: ping }],
      ['4', { opcode: continuation }],
      ['5'],
    ],
    textsOfWs: 2,
  },
  {
    name: 'a text within a message of several frames',
    frames: [['1', { fin: false }], ['2'], ['3', { opcode: continuation }]],
    textsOfWs: 0,
  },
  {
    name: 'a continuation of nothing',
    frames: [['1'], ['2', { opcode: continuation }], ['3']],
    textsOfWs: 0,
  },
  { name: 'a binary message', frames: [['1'], ['2', { opcode: binary }], ['3']], textsOfWs: 1 },
  {
    name: 'a close',
    frames: [['1'], [closePayload(1000), { opcode: close }], ['2']],
    textsOfWs: 0,
  },
  {
    name: 'a close with a code that nobody may send',
    frames: [['1'], [closePayload(1006), { opcode: close }], ['2']],
    textsOfWs: 0,
  },
  {
    name: 'a text that is no UTF-8',
    frames: [['1'], [Buffer.from([0x22, 0xc3, 0x28, 0x22])], ['2']],
    textsOfWs: 0,
  },
  {
    // Under the mask it looks like a letter.
    name: 'a character that is longer than it need be',
    frames: [[Buffer.from([0xc0, 0x80])], ['2']],
    textsOfWs: 0,
  },
  {
    name: 'half of a surrogate pair',
    frames: [[Buffer.from([0xed, 0xa0, 0x80])], ['2']],
    textsOfWs: 0,
  },
  {
    name: 'no UTF-8 in the second frame',
    frames: [['1', { fin: false }], [Buffer.from([0xff]), { opcode: continuation }], ['2']],
    textsOfWs: 0,
  },
  { name: 'a reserved bit', frames: [['1'], ['2', { reserved: 4 }], ['3']], textsOfWs: 0 },
  {
    name: 'an opcode that does not exist',
    frames: [['1'], ['2', { opcode: 3 }], ['3']],
    textsOfWs: 0,
  },
  {
    name: 'a ping that is too long',
    frames: [['1'], ['x'.repeat(126), { opcode: ping }], ['3']],
    textsOfWs: 0,
  },
  {
    name: 'a ping in two frames',
    frames: [['1'], ['x', { opcode: ping, fin: false }], ['3']],
    textsOfWs: 0,
  },
  {
    name: 'a text that is too long',
    frames: [['1'], ['x'.repeat(messageBytesMax + 1)], ['3']],
    textsOfWs: 0,
  },
  {
    name: 'a length beyond all numbers',
    frames: [['1'], ['x', { claimedLength: Number.MAX_SAFE_INTEGER }], ['3']],
    textsOfWs: 0,
  },
];

/** Is `bytes` heard in the same way with the reader in front, however it is cut? */
async function agrees(bytes: Buffer, from: Side, textsOfWs: number): Promise<void> {
  const random = seededRandom(bytes.length);
  const cuts: (readonly Buffer[])[] = [[bytes], cutInto(bytes, 20_000, random.fraction)];
  // Byte by byte, but for the long ones.
  if (bytes.length < 1000) cuts.push(cutInto(bytes, 1, () => 0));
  for (let count = 0; count < 3; count += 1) {
    cuts.push(cutInto(bytes, Math.max(20, bytes.length / 20), random.fraction));
  }
  for (const pieces of cuts) {
    for (const ends of [pieceByPiece, overTcp]) {
      const expected = await hear(pieces, from, 'ws alone', ends);
      const heard = await hear(pieces, from, 'reader', ends);
      assert.deepEqual(heard.events, expected.events);
      assert.equal(heard.textsOfWs, textsOfWs);
    }
  }
}

for (const from of ['charger', 'csms'] as const) {
  describe(`what a ${from} sends`, () => {
    const masked = from === 'charger';
    for (const { frames, name, textsOfWs } of streams) {
      test(name, async () => {
        const bytes = frames.map(([payload, parts]) => frameBytes(payload, { masked, ...parts }));
        await agrees(Buffer.concat(bytes), from, textsOfWs);
      });
    }

    test('a text that is masked where it must not be, or not where it must', async () => {
      const bytes = [frameBytes('1', { masked }), frameBytes('2', { masked: !masked })];
      await agrees(Buffer.concat(bytes), from, 0);
    });
  });
}

test('texts of a socket that flows do not go through its stream, and all else does', async () => {
  const { far, socket, stream } = await openSocket('charger', overTcp);
  const texts: string[] = [];
  const onText = (bytes: Buffer): void => {
    texts.push(bytes.toString());
  };
  new TextFrameReader(stream, { isClient: false, messageBytesMax, onText });
  let pieces = 0;
  stream.on('data', () => {
    pieces += 1;
  });
  const sendAndSee = async (text: string): Promise<void> => {
    far.write(frameBytes(text));
    await until(
      () => texts.at(-1) === text,
      () => `${text} is read`,
    );
  };
  await sendAndSee('1');
  await sendAndSee('2');
  assert.equal(pieces, 0);
  socket.pause();
  far.write(frameBytes('3'));
  await until(
    () => stream.readableLength > 0,
    () => 'what comes while it is paused waits',
  );
  assert.deepEqual(texts, ['1', '2']);
  socket.resume();
  await sendAndSee('4');
  assert.deepEqual(texts, ['1', '2', '3', '4']);
  const binaryCame = once(socket, 'message');
  far.write(frameBytes('5', { opcode: binary }));
  await binaryCame;
  const textCame = once(socket, 'message') as Promise<[Buffer]>;
  far.write(frameBytes('6'));
  assert.equal((await textCame)[0].toString(), '6');
  assert.ok(pieces >= 2);
  socket.terminate();
});

test('a long message that is only announced takes no memory', async () => {
  const head = frameBytes('x', { claimedLength: messageBytesMax });
  const before = process.memoryUsage().arrayBuffers;
  const open = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const { far, stream } = await openSocket('charger', pieceByPiece);
      const options = { isClient: false, messageBytesMax, onText: () => {} };
      const reader = new TextFrameReader(stream, options);
      for (const byte of head) far.write(Buffer.from([byte]));
      await turn();
      return { far, reader };
    }),
  );
  assert.ok(process.memoryUsage().arrayBuffers - before < 10 * messageBytesMax);
  assert.equal(open.length, 100);
});

test('a stream that somebody else reads is not taken over', async () => {
  const { stream } = await openSocket('charger', pieceByPiece);
  stream.on('data', () => {});
  const options = { isClient: false, messageBytesMax, onText: () => {} };
  assert.throws(() => new TextFrameReader(stream, options), TypeError);
});
