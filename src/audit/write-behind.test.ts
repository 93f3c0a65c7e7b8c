import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { manualClock } from '../../test/support/manual-clock.ts';
import { WriteBehind } from './write-behind.ts';

// Goal: everything is written once and in order, soon, and within bounds; and a failure neither
// loses anything, nor holds anybody up, nor makes a busy loop.
// Method: a writer whose every call the test answers, and a clock that it moves.

interface Call {
  readonly texts: readonly string[];
  succeed(): Promise<void>;
  fail(error?: unknown): Promise<void>;
}

function setUp(changes: { itemsMax?: number; bytesMax?: number; batchMax?: number } = {}) {
  const clock = manualClock();
  const calls: Call[] = [];
  const failures: unknown[] = [];
  const queue = new WriteBehind<{ readonly text: string; readonly bytes: number }>(
    {
      write: (items) =>
        new Promise((resolve, reject) => {
          calls.push({
            texts: items.map(({ text }) => text),
            succeed: async () => {
              resolve();
              await turn();
            },
            fail: async (error = new Error('away')) => {
              reject(error);
              await turn();
            },
          });
        }),
      onFailure: (error) => failures.push(error),
      itemsMax: 100,
      bytesMax: 10_000_000,
      batchMax: 4,
      ...changes,
    },
    clock,
  );
  const push = (...texts: string[]): boolean[] =>
    texts.map((text) => queue.push({ text, bytes: text.length }));
  const call = (index: number): Call => {
    const found = calls[index];
    assert(found !== undefined, `there was no write ${index}`);
    return found;
  };
  return { clock, calls, call, failures, queue, push };
}

/** Has `promise` resolved by now? */
async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await turn();
  return done;
}

describe('writing behind', () => {
  test('writes what comes in one turn together, and what comes meanwhile in the next write', async () => {
    const { calls, call, push, queue } = setUp();
    push('a', 'b');
    await turn();
    assert.deepEqual(call(0).texts, ['a', 'b']);
    push('c', 'd', 'e', 'f', 'g');
    await turn();
    assert.equal(calls.length, 1, 'one write at a time');
    await call(0).succeed();
    assert.deepEqual(call(1).texts, ['c', 'd', 'e', 'f'], 'not more than a batch');
    await call(1).succeed();
    assert.deepEqual(call(2).texts, ['g']);
    await call(2).succeed();
    assert.equal(calls.length, 3);
    assert.equal(queue.count, 0);
  });

  test('goes on after a pause, even if the next item comes in the very turn of the last answer', async () => {
    const { call, push, queue } = setUp();
    push('a');
    await turn();
    const again = queue.settled().then(() => push('b'));
    await call(0).succeed();
    await again;
    await turn();
    assert.deepEqual(call(1).texts, ['b']);
  });

  test('a write has a megabyte at most, or one item', async () => {
    const { call, push } = setUp();
    const large = 'x'.repeat(700_000);
    push(large, large, 'small', 'x'.repeat(2_000_000), 'last');
    await turn();
    for (const [index, count] of [1, 2, 1, 1].entries()) {
      assert.equal(call(index).texts.length, count, `write ${index}`);
      await call(index).succeed();
    }
  });

  test('takes no more than it may, in items and in bytes, those being written included', async () => {
    const few = setUp({ itemsMax: 2 });
    assert.deepEqual(few.push('a', 'b', 'c'), [true, true, false]);
    await turn();
    assert.deepEqual(few.push('d'), [false]);
    await few.call(0).succeed();
    assert.deepEqual(few.push('e'), [true]);
    const small = setUp({ bytesMax: 10 });
    assert.deepEqual(small.push('12345678', 'abc', 'ab', 'a'), [true, false, true, false]);
    await turn();
    await small.call(0).succeed();
    assert.deepEqual(small.push('1234567890'), [true], 'what is written takes no place any more');
  });

  test('an item beyond the limits is taken and keeps its place; lastWaiting is never one being written', async () => {
    const { call, push, queue } = setUp({ itemsMax: 1 });
    const lastText = (): string | undefined => queue.lastWaiting?.text;
    assert.equal(lastText(), undefined);
    push('a');
    assert.equal(lastText(), 'a');
    queue.pushBeyond({ text: 'mark', bytes: 1 });
    assert.equal(lastText(), 'mark');
    await turn();
    assert.deepEqual(call(0).texts, ['a', 'mark']);
    assert.equal(lastText(), undefined);
    queue.pushBeyond({ text: 'another', bytes: 1 });
    assert.equal(lastText(), 'another');
  });
});

describe('settled', () => {
  test('resolves when what came before is written, not what came after', async () => {
    const { call, push, queue } = setUp({ batchMax: 1 });
    assert(await isDone(queue.settled()), 'nothing to wait for');
    push('a', 'b');
    const both = queue.settled();
    push('c');
    assert(!(await isDone(both)));
    await call(0).succeed();
    assert(!(await isDone(both)));
    await call(1).succeed();
    assert(await isDone(both));
    assert(!(await isDone(queue.settled())), 'c is still being written');
  });

  test('resolves when a write fails, and at once as long as writing fails', async () => {
    const { clock, call, push, queue } = setUp();
    push('a');
    const first = queue.settled();
    await turn();
    await call(0).fail();
    assert(await isDone(first));
    push('b');
    assert(await isDone(queue.settled()));
    clock.advance(1000);
    await turn();
    assert(await isDone(queue.settled()), 'it is not known to work yet');
    await call(1).succeed();
    push('c');
    assert(!(await isDone(queue.settled())), 'it works again');
  });
});

describe('a write that fails', () => {
  test('is tried again with what has come meanwhile, later and later', async () => {
    const { clock, calls, call, failures, push } = setUp();
    push('a');
    await turn();
    await call(0).fail();
    push('b');
    await turn();
    assert.equal(calls.length, 1, 'not at once');
    for (const [index, waitMs] of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000].entries()) {
      clock.advance(waitMs - 1);
      await turn();
      assert.equal(calls.length, index + 1, `after ${waitMs - 1} ms`);
      clock.advance(1);
      await turn();
      assert.deepEqual(call(index + 1).texts, ['a', 'b']);
      await call(index + 1).fail();
    }
    assert.equal(failures.length, 7);
    clock.advance(10_000);
    await turn();
    await call(7).succeed();
    push('c');
    await turn();
    await call(8).fail();
    clock.advance(1_000);
    await turn();
    assert.deepEqual(call(9).texts, ['c'], 'the pause is short again');
  });

  test('in the middle keeps what was written before it', async () => {
    const { clock, call, push } = setUp({ batchMax: 1 });
    push('a', 'b');
    await turn();
    await call(0).succeed();
    await call(1).fail();
    clock.advance(1_000);
    await turn();
    assert.deepEqual(call(2).texts, ['b']);
  });
});

describe('close', () => {
  test('waits until all is written, and takes nothing more', async () => {
    const { call, push, queue, calls } = setUp();
    push('a', 'b', 'c', 'd', 'e');
    const closed = queue.close();
    push('late');
    await turn();
    await call(0).succeed();
    assert(!(await isDone(closed)));
    assert.deepEqual(call(1).texts, ['e']);
    await call(1).succeed();
    assert(await isDone(closed));
    assert.equal(calls.length, 2);
  });

  test('tries once more where writing fails, and only once', async () => {
    const { clock, call, calls, push, queue } = setUp();
    push('a');
    await turn();
    await call(0).fail();
    const closed = queue.close();
    await turn();
    assert.deepEqual(call(1).texts, ['a']);
    await call(1).fail();
    assert(await isDone(closed));
    clock.advance(100_000);
    await turn();
    assert.equal(calls.length, 2);
    assert.equal(queue.count, 1);
  });

  test('a write under way that fails was the last attempt', async () => {
    const { clock, call, calls, push, queue } = setUp();
    push('a');
    await turn();
    const closed = queue.close();
    await call(0).fail();
    assert(await isDone(closed));
    clock.advance(100_000);
    await turn();
    assert.equal(calls.length, 1);
  });
});
