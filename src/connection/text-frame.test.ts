import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import * as ws from 'ws';
import { textFrame } from './text-frame.ts';

// Goal: a frame that is written here is what any WebSocket peer reads as that text.
// Method: the receiver of ws reads them, at all sizes at which the head of a frame changes.

/** What its types leave out. */
const { Receiver } = ws as unknown as {
  readonly Receiver: new (options: { readonly isServer: boolean }) => Writable;
};

function received(frames: readonly Buffer[], isServer: boolean): readonly string[] {
  const receiver = new Receiver({ isServer });
  const texts: string[] = [];
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    assert.equal(isBinary, false);
    texts.push(data.toString());
  });
  receiver.on('error', (error: Error) => {
    throw error;
  });
  for (const frame of frames) receiver.write(frame);
  return texts;
}

const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 300_000];

describe('text frames', () => {
  for (const isMasked of [false, true]) {
    test(`${isMasked ? 'a server' : 'a client'} reads what was written`, () => {
      const texts = sizes.map((size) => 'ä'.repeat(size / 2) + 'a'.repeat(size % 2));
      const frames = texts.map((text) => textFrame(Buffer.from(text), isMasked));
      // A receiver of a server takes masked frames only, one of a client only others.
      assert.deepEqual(received(frames, isMasked), texts);
    });
  }

  test('each frame has a mask of its own, from more than one pool of them', () => {
    const masks = Array.from({ length: 5_000 }, () => {
      return textFrame(Buffer.from('{}'), true).subarray(2, 6).toString('hex');
    });
    // Two of five thousand are the same by chance in one run of three hundred; three such pairs never.
    assert(new Set(masks).size > 4_997);
  });
});
