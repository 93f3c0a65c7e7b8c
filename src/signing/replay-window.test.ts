import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type ReplayLimits,
  ReplayWindow,
  readReplaySnapshot,
  writeReplaySnapshot,
} from './replay-window.ts';

// Goal: no signed message counts twice, whatever comes, in bounded memory and over restarts.
// Method: the cases one by one; then random histories against a memory without bounds.

const limits: ReplayLimits = { noncesMax: 4, keepMs: 1000 };

describe('replay window', () => {
  test('rule 0: a nonce counts once', () => {
    const window = new ReplayWindow(limits);
    assert.equal(window.take('a', 10, 10), 'fresh');
    assert.equal(window.take('a', 10, 11), 'replayed');
    assert.equal(window.take('a', 900, 900), 'replayed');
    assert.equal(window.take('b', 10, 11), 'fresh');
  });

  test('what is too old to be accepted at all is forgotten, and stays refused if time jumps', () => {
    const window = new ReplayWindow(limits);
    window.take('a', 10, 10);
    window.take('b', 1500, 1500);
    assert.equal(window.size, 1);
    assert.equal(window.take('a', 10, 10), 'too-old');
  });

  test('a full window forgets the oldest, and refuses what is as old as that', () => {
    const window = new ReplayWindow(limits);
    for (const [index, nonce] of ['a', 'b', 'c', 'd'].entries())
      window.take(nonce, 100 + index, 100);
    assert.equal(window.take('e', 200, 200), 'fresh');
    assert.equal(window.size, 4);
    assert.equal(window.take('a', 100, 200), 'too-old');
    assert.equal(window.take('never seen', 100, 200), 'too-old');
    assert.equal(window.take('b', 101, 200), 'replayed');
    assert.equal(window.take('never seen', 102, 200), 'fresh');
  });

  test('a full window does not make room for what is older than all it holds', () => {
    const window = new ReplayWindow(limits);
    for (const [index, nonce] of ['a', 'b', 'c', 'd'].entries())
      window.take(nonce, 100 + index, 100);
    assert.equal(window.take('older', 50, 150), 'too-old');
  });

  test('rule 0: a snapshot carries it over a restart', () => {
    const before = new ReplayWindow(limits);
    before.take('a', 10, 10);
    before.take('b', 20, 20);
    const snapshot = readReplaySnapshot(writeReplaySnapshot(before.snapshot()));
    assert.ok(snapshot.ok);
    const after = new ReplayWindow(limits, snapshot.value);
    assert.equal(after.take('a', 10, 30), 'replayed');
    assert.equal(after.take('c', 30, 30), 'fresh');
  });

  test('a snapshot with more nonces than fit keeps the bound, and lets none of them in', () => {
    const seen = Array.from({ length: 10 }, (_, at) => [`n${at}`, at] as const);
    const window = new ReplayWindow(limits, { floorMs: -1, seen });
    assert.equal(window.size, 4);
    for (const [nonce, at] of seen) assert.notEqual(window.take(nonce, at, 10), 'fresh');
  });

  test('rule 0: after a stop without a snapshot nothing that was signed before comes in', () => {
    const window = ReplayWindow.afterUncleanStop(limits, 5000, 100);
    assert.equal(window.take('a', 5000, 5000), 'too-old');
    assert.equal(window.take('b', 5100, 5050), 'too-old');
    assert.equal(window.take('c', 5101, 5101), 'fresh');
  });

  test('a damaged snapshot is not an empty one', () => {
    const damaged = [
      '',
      '{}',
      '[]',
      'null',
      '{"floorMs":"0","seen":[]}',
      '{"floorMs":0,"seen":{}}',
      '{"floorMs":0,"seen":[["a"]]}',
      '{"floorMs":0,"seen":[["a","b"]]}',
      '{"floorMs":0,"seen":[[1,1]]}',
      `{"floorMs":0,"seen":[["${'x'.repeat(65)}",1]]}`,
    ];
    for (const text of damaged) assert.deepEqual(readReplaySnapshot(text).ok, false, text);
  });

  test('in every history, with restarts, no nonce counts twice and the bound holds', () => {
    const step = fc.record({
      nonce: fc.integer({ min: 0, max: 30 }).map(String),
      signedAgoMs: fc.integer({ min: -50, max: 1200 }),
      passMs: fc.integer({ min: 0, max: 300 }),
      restart: fc.constantFrom(false, false, false, 'clean', 'unclean'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let nowMs = 10_000;
        let window = new ReplayWindow(limits);
        const accepted = new Set<string>();
        const issuedAt = new Map<string, number>();
        for (const { nonce, passMs, restart, signedAgoMs } of steps) {
          nowMs += passMs;
          if (restart === 'clean') window = new ReplayWindow(limits, window.snapshot());
          if (restart === 'unclean') window = ReplayWindow.afterUncleanStop(limits, nowMs, 50);
          // A nonce belongs to one message, which was signed once.
          const issuedAtMs = issuedAt.get(nonce) ?? nowMs - signedAgoMs;
          issuedAt.set(nonce, issuedAtMs);
          const isInTime = nowMs - issuedAtMs <= limits.keepMs && issuedAtMs - nowMs <= 50;
          if (!isInTime) continue;
          if (window.take(nonce, issuedAtMs, nowMs) === 'fresh') {
            assert.ok(!accepted.has(nonce));
            accepted.add(nonce);
          }
          assert.ok(window.size <= limits.noncesMax);
        }
      }),
      { numRuns: 500 },
    );
  });
});
