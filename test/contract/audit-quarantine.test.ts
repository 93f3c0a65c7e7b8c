import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruneQuarantine } from '../../src/audit/prune.ts';
import { openQuarantine, type Quarantine } from '../../src/audit/quarantine.ts';
import {
  findQuarantined,
  listQuarantined,
  releaseQuarantined,
} from '../../src/audit/quarantined-frames.ts';
import { verifyChain } from '../../src/audit/verify.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { Store } from '../../src/store/store.ts';
import { refusedFrame as frame } from '../support/refused-frame.ts';
import { describeEachStore, type TestStore } from '../support/stores.ts';

// Goal: on either database refused messages are kept, found, released and bounded.
// Method: the same messages through both.

const enough = { framesMax: 1_000, bytesMax: 10_000_000 };

function open(t: TestStore, store: Store = t.store, limits = enough, seed = 1): Quarantine {
  const emit = (event: object): never => assert.fail(JSON.stringify(event));
  const options = { gatewayId: `gw-${seed}`, ...limits };
  return openQuarantine(store, options, emit, t.clock, seededRandom(seed));
}

async function frames(store: Store): Promise<readonly (string | undefined)[]> {
  const entries = await listQuarantined(store, { limit: 10_000 });
  const found = await Promise.all(entries.map(({ id }) => findQuarantined(store, id)));
  return found.map((it) => it?.frame).reverse();
}

/** What the totals say, and what is there. */
async function totals(store: Store): Promise<readonly (readonly number[])[]> {
  const counters = await store.query((db) =>
    db
      .selectFrom('counter')
      .selectAll()
      .where('name', 'like', 'quarantined-%')
      .orderBy('name', 'desc')
      .execute(),
  );
  const entries = await listQuarantined(store, { limit: 10_000 });
  return [
    counters.map(({ value }) => value),
    [entries.length, entries.reduce((sum, { frameBytes }) => sum + frameBytes, 0)],
  ];
}

describeEachStore('the quarantine', (openStore) => {
  test('keeps any bytes of a peer, U+0000 and broken UTF-8 included', async () => {
    await using t = await openStore();
    const quarantine = open(t);
    const texts = [
      '\u0000',
      '"\\u0000\\ud800"',
      '\ufffd\ufffe\uffff',
      "'; drop table claim; --",
      '',
    ];
    for (const text of texts) quarantine.keep(frame(text));
    quarantine.keep({ ...frame(''), bytes: Buffer.from([0xff, 0xed, 0xa0, 0x80, 0x41]) });
    await quarantine.close();
    assert.deepEqual((await frames(t.store)).slice(0, -1), texts);
    assert.match((await frames(t.store)).at(-1) ?? '', /^\ufffd+A$/);
  });

  test('lists the newest first, by charger in any spelling, and page by page', async () => {
    await using t = await openStore();
    const quarantine = open(t);
    for (let n = 0; n < 10; n += 1) {
      quarantine.keep(frame(`${n}`, n % 2 === 0 ? 'CP-Even' : 'CP-Odd'));
      t.clock.advance(n);
    }
    await quarantine.close();
    const list = (filter: Parameters<typeof listQuarantined>[1]) =>
      listQuarantined(t.store, filter);
    const all = await list({ limit: 10 });
    assert.deepEqual(
      all.map(({ id }) => id),
      [...all.map(({ id }) => id)].sort().reverse(),
    );
    assert.equal((await list({ limit: 3 })).length, 3);
    const even = await list({ limit: 10, charger: 'cp-even' });
    assert.deepEqual([even.length, even[0]?.charger], [5, 'CP-Even']);
    assert.deepEqual(await list({ limit: 4, beforeId: all[3]?.id ?? '' }), all.slice(4, 8));
  });

  test('releases a message once, and the audit log has who did it', async () => {
    await using t = await openStore();
    const quarantine = open(t);
    quarantine.keep(frame('first'));
    quarantine.keep(frame('second'));
    await quarantine.close();
    const [, { id } = { id: '' }] = await listQuarantined(t.store, { limit: 2 });
    const release = { by: 'root', chain: 'gw-1', atMs: 1_000 };
    const visitor = await t.openAnother();
    const released = await Promise.all(
      [t.store, visitor].map((store) => releaseQuarantined(store, id, release)),
    );
    assert.deepEqual(
      released.filter((it) => it !== undefined).map((it) => it.frame),
      ['first'],
    );
    assert.equal(await findQuarantined(t.store, id), undefined);
    assert.equal(await releaseQuarantined(t.store, 'unknown', release), undefined);
    assert.deepEqual(await frames(t.store), ['second']);
    const records = await t.store.query((db) =>
      db.selectFrom('audit_record').selectAll().execute(),
    );
    assert.deepEqual(
      records.map(({ event, charger, at_ms, document }) => [event, charger, at_ms, document]),
      [['QuarantinedFrameReleased', 'CP-1', 1_000, JSON.stringify({ by: 'root', frameId: id })]],
    );
    assert((await verifyChain(t.store, 'gw-1'))?.ok);
    const [counted, there] = await totals(t.store);
    assert.deepEqual(counted, there);
  });

  test('of several gateways is bounded in all, and its totals stay true', async () => {
    await using t = await openStore();
    const limits = { framesMax: 150, bytesMax: 10_000_000 };
    const quarantines = [open(t, t.store, limits, 1), open(t, await t.openAnother(), limits, 2)];
    for (let n = 0; n < 190; n += 1) {
      for (const quarantine of quarantines) quarantine.keep(frame(`message ${n}`, `CP-${n}`));
      if (n % 10 === 0) t.clock.advance(1);
    }
    await Promise.all(quarantines.map((quarantine) => quarantine.close()));
    const [counted, there] = await totals(t.store);
    assert.deepEqual(counted, there);
    assert.equal(there?.[0], 150);
    assert.equal((await frames(t.store)).at(-1), 'message 189');
  });

  test('is pruned in small steps when its limits are lowered', async () => {
    await using t = await openStore();
    const quarantine = open(t);
    for (let n = 0; n < 900; n += 1) quarantine.keep(frame(`message ${n}`, `CP-${n}`));
    await quarantine.close();
    assert.equal(await pruneQuarantine(t.store, enough), 0);
    const few = { framesMax: 100, bytesMax: 10_000_000 };
    const steps = [];
    for (let step = 0; step < 3; step += 1) steps.push(await pruneQuarantine(t.store, few));
    assert.deepEqual(steps, [500, 300, 0]);
    const [counted, there] = await totals(t.store);
    assert.deepEqual(counted, there);
    const bytes = there?.[1] ?? 0;
    assert.equal(await pruneQuarantine(t.store, { framesMax: 100, bytesMax: bytes - 1 }), 1);
    assert.equal((await frames(t.store))[0], 'message 801');
  });

  test('that was emptied by hand is counted anew', async () => {
    await using t = await openStore();
    const quarantine = open(t);
    for (let n = 0; n < 10; n += 1) quarantine.keep(frame(`message ${n}`));
    await quarantine.close();
    await t.store.query((db) => db.deleteFrom('quarantined_frame').execute());
    assert.equal(await pruneQuarantine(t.store, { framesMax: 5, bytesMax: 1 }), 0);
    assert.deepEqual(await totals(t.store), [
      [0, 0],
      [0, 0],
    ]);
  });
});
