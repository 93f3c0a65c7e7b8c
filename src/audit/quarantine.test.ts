import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type FallibleStore, openFallibleStore } from '../../test/support/fallible-store.ts';
import { refusedFrame as frame } from '../../test/support/refused-frame.ts';
import type { GatewayEvent } from '../events/catalogue.ts';
import { seededRandom } from '../lib/random.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { openQuarantine, type QuarantineOptions } from './quarantine.ts';
import { findQuarantined, listQuarantined, type QuarantineRecord } from './quarantined-frames.ts';

// Goal: a refused message is kept whole, without its secrets, in a bounded place; one charger cannot
// push out the evidence against another; and a store that fails changes nothing for anybody.
// Method: a real store for each test, which fails when the test says so.

const away = new StoreError('unavailable', 'away');

function open(fallible: FallibleStore, changes: Partial<QuarantineOptions> = {}) {
  const seen: GatewayEvent[] = [];
  const quarantine = openQuarantine(
    fallible.store,
    { gatewayId: 'gw-1', framesMax: 1_000, bytesMax: 100_000_000, ...changes },
    (event) => seen.push(event),
    fallible.clock,
    seededRandom(1),
  );
  return { quarantine, seen };
}

/** Everything that is kept, the oldest first. */
async function records(store: Store): Promise<readonly QuarantineRecord[]> {
  const entries = await listQuarantined(store, { limit: 10_000 });
  const found = await Promise.all(entries.map(({ id }) => findQuarantined(store, id)));
  return found.filter((it) => it !== undefined).reverse();
}

async function frames(store: Store): Promise<readonly string[]> {
  return (await records(store)).map((record) => record.frame);
}

describe('the quarantine', () => {
  test('keeps a message whole, with its time, gateway, rule and penalty', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine } = open(fallible);
    const text = '[2,"1","Heartbeat",{]\n"second line"\u0000';
    quarantine.keep(frame(text));
    await quarantine.close();
    const { bytes: _, charger, ...finding } = frame(text);
    const [record, ...others] = await records(fallible.store);
    assert.match(record?.id ?? '', /^mjuohs00-[0-7][0-9a-f]{7}$/);
    assert.deepEqual(
      { ...record, id: undefined },
      {
        id: undefined,
        atMs: Date.UTC(2026, 0, 1),
        gatewayId: 'gw-1',
        charger,
        finding: JSON.parse(JSON.stringify(finding)),
        frame: text,
        frameBytes: Buffer.byteLength(JSON.stringify(text)),
      },
    );
    assert.deepEqual(others, []);
  });

  test('T2-10: secrets are gone, in messages that can be parsed and in those that cannot', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine } = open(fallible);
    const value = '"key":"AuthorizationKey","value":"0011223344556677"';
    quarantine.keep(frame(`[2,"1","ChangeConfiguration",{${value}}]`));
    quarantine.keep(frame(`[2,"1","ChangeConfiguration",{${value}`));
    quarantine.keep(frame('[2,"1","GetDiagnostics",{"location":"ftp://u:0011223344556677@h/"}]'));
    await quarantine.close();
    const kept = await records(fallible.store);
    assert.equal(kept.length, 3);
    assert.doesNotMatch(JSON.stringify(kept), /0011223344556677/);
  });

  test('keeps the order of messages, within a millisecond and over many', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine } = open(fallible);
    const texts = Array.from({ length: 150 }, (_, n) => `message ${n}`);
    for (const [n, text] of texts.entries()) {
      quarantine.keep(frame(text));
      if (n % 40 === 39) fallible.clock.advance(1);
    }
    await quarantine.close();
    assert.deepEqual(await frames(fallible.store), texts);
  });
});

describe('the quarantine is bounded', () => {
  test('in messages: the oldest make room for the newest', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine, seen } = open(fallible, { framesMax: 30 });
    for (let n = 0; n < 100; n += 1) quarantine.keep(frame(`message ${n}`));
    await quarantine.close();
    assert.deepEqual(
      await frames(fallible.store),
      Array.from({ length: 30 }, (_, n) => `message ${70 + n}`),
    );
    assert.deepEqual(seen, []);
  });

  test('in bytes', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine } = open(fallible, { bytesMax: 100_000 });
    for (let n = 0; n < 50; n += 1) quarantine.keep(frame(`${n} ${'x'.repeat(10_000)}`));
    await quarantine.close();
    const kept = await frames(fallible.store);
    assert.equal(kept.length, 9);
    assert.match(kept.at(-1) ?? '', /^49 /);
  });

  test('over restarts', async () => {
    await using fallible = await openFallibleStore();
    for (let start = 0; start < 5; start += 1) {
      const { quarantine } = open(fallible, { framesMax: 3 });
      quarantine.keep(frame(`start ${start}`));
      await quarantine.close();
      fallible.clock.advance(1);
    }
    assert.deepEqual(await frames(fallible.store), ['start 2', 'start 3', 'start 4']);
  });

  test('what waits for the store is bounded', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine, seen } = open(fallible);
    const large = 'x'.repeat(100_000);
    // All in one turn, so that the store gets nothing done in between.
    for (let n = 0; n < 150; n += 1) quarantine.keep(frame(large, `CP-${n}`));
    await quarantine.close();
    const bytes = (await frames(fallible.store)).length * large.length;
    assert(bytes > 7_000_000 && bytes < 9_000_000, String(bytes));
    const lost = 150 - bytes / large.length;
    assert.deepEqual(seen, [
      { name: 'QuarantineFailed', detail: 'the store is slow or away: messages not kept: 1' },
      {
        name: 'QuarantineFailed',
        detail: `the gateway has stopped: messages not kept: ${lost - 1}`,
      },
    ]);
  });

  test('one charger cannot fill it with large messages, in any spelling of its name', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine } = open(fallible);
    for (let n = 0; n < 200; n += 1) quarantine.keep(frame('\u0001'.repeat(100_000), 'CP-LOUD'));
    for (let n = 0; n < 200; n += 1) quarantine.keep(frame('\u0001'.repeat(100_000), 'cp-loud'));
    await quarantine.close();
    assert((await frames(fallible.store)).length <= 3);
  });

  test('one charger cannot push the evidence against another one out', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine } = open(fallible);
    quarantine.keep(frame('the one that matters', 'CP-QUIET'));
    for (let n = 0; n < 5000; n += 1) quarantine.keep(frame('rubbish', 'CP-LOUD'));
    await quarantine.close();
    const count = async (charger: string): Promise<number> =>
      (await listQuarantined(fallible.store, { charger, limit: 10_000 })).length;
    assert.equal(await count('cp-loud'), 200);
    assert.equal(await count('CP-QUIET'), 1);
  });
});

describe('a store that fails', () => {
  test('gets what waited when it is back, and nothing is told here', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine, seen } = open(fallible);
    fallible.failure = away;
    for (let n = 0; n < 100; n += 1) quarantine.keep(frame(`message ${n}`));
    // Not before the attempt has failed: it would fail after the store is back.
    while (fallible.store.isAvailable) await turn();
    fallible.failure = undefined;
    fallible.clock.advance(10_000);
    quarantine.keep(frame('later'));
    await quarantine.close();
    const kept = await frames(fallible.store);
    assert.equal(kept.length, 101);
    assert.equal(kept.at(-1), 'later');
    assert.deepEqual(seen, []);
  });

  test('and never comes back loses what waited, and says how much', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine, seen } = open(fallible);
    fallible.failure = away;
    for (let n = 0; n < 5; n += 1) quarantine.keep(frame(`message ${n}`));
    await quarantine.close();
    const detail = 'the gateway has stopped: messages not kept: 5';
    assert.deepEqual(seen, [{ name: 'QuarantineFailed', detail }]);
  });

  test('because of a defect is told once a minute, and never thrown', async () => {
    await using fallible = await openFallibleStore();
    const { quarantine, seen } = open(fallible);
    fallible.failure = new TypeError('hunter2');
    quarantine.keep(frame('kept in the end'));
    while (seen.length === 0) await turn();
    for (let second = 0; second < 59; second += 1) {
      for (let round = 0; round < 10; round += 1) await turn();
      fallible.clock.advance(1_000);
    }
    assert.deepEqual(seen, [{ name: 'QuarantineFailed', detail: 'TypeError' }]);
    fallible.failure = undefined;
    // An attempt that is under way may fail yet; the next one does not.
    for (let round = 0; (await frames(fallible.store)).length === 0; round += 1) {
      assert(round < 10_000);
      fallible.clock.advance(10_000);
      await turn();
    }
    await quarantine.close();
    assert.deepEqual(await frames(fallible.store), ['kept in the end']);
  });
});
