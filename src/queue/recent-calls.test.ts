import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../lib/random.ts';
import { type CallEnd, type RecentCall, RecentCalls } from './recent-calls.ts';

// Goal: the ring remembers what a plain list of the last calls would remember.
// Method: random calls, busy and quiet by turns, with ids that come again; both are asked for all ids
//   after each call.

const limits = { recentMax: 16, recentMs: 1000 };

/** The same, as simply as it can be said. */
class PlainCalls {
  #calls: RecentCall[] = [];

  add(call: RecentCall): void {
    this.#calls = [...this.#calls, call].slice(-limits.recentMax);
  }

  find(id: string, nowMs: number): RecentCall | undefined {
    const call = this.#calls.findLast((other) => other.id === id);
    return call !== undefined && call.settledAtMs + limits.recentMs > nowMs ? call : undefined;
  }
}

describe('calls that are over', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`are remembered as in a list (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const ring = new RecentCalls(limits);
      const plain = new PlainCalls();
      const ids = Array.from({ length: 24 }, (_, index) => `call-${index}`);
      let nowMs = 0;
      for (let count = 0; count < 2000; count += 1) {
        const isBusy = Math.floor(count / 100) % 2 === 1;
        nowMs += random.integer(0, isBusy ? 80 : 600);
        const id = ids[random.integer(0, ids.length - 1)] ?? '';
        const ended: CallEnd = random.fraction() < 0.5 ? 'result' : 'expired';
        const call = { id, action: `Action${count}`, crc: count, length: 2 * count };
        ring.add(call, ended, nowMs);
        plain.add({ ...call, ended, settledAtMs: nowMs });
        const askedAtMs = nowMs + random.integer(0, 100);
        for (const other of ids) {
          assert.deepEqual(ring.find(other, askedAtMs), plain.find(other, askedAtMs));
        }
      }
    });
  }

  test('there is room for as many as are remembered, and no more once it is quiet again', () => {
    const ring = new RecentCalls(limits);
    const call = { action: 'Heartbeat', crc: 1, length: 1 };
    const addAt = (atMs: number): void => ring.add({ ...call, id: `${atMs}` }, 'result', atMs);
    for (let atMs = 0; atMs < 20_000; atMs += 400) addAt(atMs);
    assert.ok(ring.room <= 4);
    for (let atMs = 20_000; atMs < 21_000; atMs += 10) addAt(atMs);
    assert.equal(ring.room, limits.recentMax);
    addAt(30_000);
    assert.equal(ring.room, 1);
    assert.equal(ring.find('30000', 30_000)?.id, '30000');
  });

  test('ids are told apart though their hashes are the same', () => {
    const [one, other] = ['call-149599', 'call-312382'];
    const ring = new RecentCalls(limits);
    ring.add({ id: one, action: 'Heartbeat', crc: 1, length: 1 }, 'result', 0);
    assert.equal(ring.find(other, 1), undefined);
    assert.equal(ring.find(one, 1)?.action, 'Heartbeat');
  });
});
