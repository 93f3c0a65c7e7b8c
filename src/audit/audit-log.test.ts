import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type FallibleStore, openFallibleStore } from '../../test/support/fallible-store.ts';
import type { GatewayEvent } from '../events/catalogue.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import type { AuditEntry } from './audit-entry.ts';
import { AuditLog, type AuditLogOptions } from './audit-log.ts';
import { verifyChain } from './verify.ts';

// Goal: records reach the disk in order while nobody waits; a store that is away costs nothing but
// memory, within bounds, and what does not fit is counted at its place.
// Method: a real store that fails or hangs when the test says so.

const away = new StoreError('unavailable', 'away');

function openLog(fallible: FallibleStore, changes: Partial<AuditLogOptions> = {}) {
  const seen: GatewayEvent[] = [];
  const log = new AuditLog(fallible.store, { chain: 'gw-1', ...changes }, fallible.clock, (event) =>
    seen.push(event),
  );
  return { log, seen };
}

function entry(n: number | string): AuditEntry {
  return { atMs: 1_767_225_600_000, event: 'GatewayStopping', fields: { n } };
}

/** What stands in the log, in short. */
async function recorded(store: Store): Promise<readonly string[]> {
  const rows = await store.query((db) =>
    db.selectFrom('audit_record').selectAll().orderBy('sequence').execute(),
  );
  return rows.map(({ event, document }) => {
    const { n, count } = JSON.parse(document) as Readonly<Record<string, unknown>>;
    return event === 'GatewayStopping' ? String(n) : `${event} ${String(count)}`;
  });
}

/** Lets time and the store work until `isTrue`. */
async function eventually(fallible: FallibleStore, isTrue: () => boolean | Promise<boolean>) {
  for (let round = 0; round < 2_000; round += 1) {
    // Longer than a store rests after a failure.
    fallible.clock.advance(501);
    await turn();
    if (await isTrue()) return;
  }
  assert.fail('it did not happen');
}

describe('the audit log', () => {
  test('is on disk once settled, in order, whatever the size of the groups', async () => {
    await using fallible = await openFallibleStore();
    const { log } = openLog(fallible);
    for (let n = 0; n < 1_234; n += 1) {
      log.record(entry(n));
      if (n % 100 === 7) await turn();
    }
    await log.settled();
    assert.deepEqual(
      await recorded(fallible.store),
      Array.from({ length: 1_234 }, (_, n) => String(n)),
    );
    const verdict = await verifyChain(fallible.store, 'gw-1');
    assert.equal(verdict?.ok === true && verdict.count, 1_234);
    await log.close();
  });

  test('keeps what an event was when it was recorded', async () => {
    await using fallible = await openFallibleStore();
    const { log } = openLog(fallible);
    const fields = { n: 'before' };
    log.record({ ...entry(0), fields });
    fields.n = 'after';
    await log.close();
    assert.deepEqual(await recorded(fallible.store), ['before']);
  });

  test('settled is not resolved before the commit', async () => {
    await using fallible = await openFallibleStore();
    const { log } = openLog(fallible);
    const { promise, resolve } = Promise.withResolvers<void>();
    fallible.gate = promise;
    log.record(entry(1));
    let isSettled = false;
    const settled = log.settled().then(() => {
      isSettled = true;
    });
    for (let round = 0; round < 50; round += 1) await turn();
    assert.equal(isSettled, false);
    resolve();
    await settled;
    assert.deepEqual(await recorded(fallible.store), ['1']);
  });
});

describe('an audit log whose store is away', () => {
  test('lets nobody wait, keeps everything, and writes it when the store is back', async () => {
    await using fallible = await openFallibleStore();
    const { log, seen } = openLog(fallible);
    fallible.failure = away;
    for (let n = 0; n < 10; n += 1) log.record(entry(n));
    await log.settled();
    log.record(entry(10));
    await log.settled();
    fallible.failure = undefined;
    await eventually(fallible, async () => (await recorded(fallible.store)).length > 0);
    log.record(entry(11));
    await log.close();
    assert.deepEqual(
      await recorded(fallible.store),
      Array.from({ length: 12 }, (_, n) => String(n)),
    );
    assert.deepEqual(seen, [], 'whoever watches the store tells of it');
    assert((await verifyChain(fallible.store, 'gw-1'))?.ok);
  });

  test('counts what does not fit, at its place, and tells of it', async () => {
    await using fallible = await openFallibleStore();
    const { log, seen } = openLog(fallible, { recordsMax: 3 });
    fallible.failure = away;
    for (let n = 0; n < 10; n += 1) log.record(entry(n));
    await log.settled();
    fallible.failure = undefined;
    await eventually(fallible, async () => (await recorded(fallible.store)).length > 0);
    await log.settled();
    log.record(entry('later'));
    await log.close();
    assert.deepEqual(await recorded(fallible.store), ['0', '1', '2', 'AuditGap 7', 'later']);
    assert.deepEqual(seen, [{ name: 'AuditGap', count: 7 }]);
    assert((await verifyChain(fallible.store, 'gw-1'))?.ok);
  });

  test('counts what comes while a full queue is being written in a gap of its own', async () => {
    await using fallible = await openFallibleStore();
    const { log } = openLog(fallible, { recordsMax: 2 });
    const { promise, resolve } = Promise.withResolvers<void>();
    fallible.gate = promise;
    for (let n = 0; n < 4; n += 1) log.record(entry(n));
    await eventually(fallible, () => fallible.queries > 0);
    for (let n = 4; n < 7; n += 1) log.record(entry(n));
    fallible.gate = undefined;
    resolve();
    await log.close();
    assert.deepEqual(await recorded(fallible.store), ['0', '1', 'AuditGap 2', 'AuditGap 3']);
  });

  test('has a bound in bytes', async () => {
    await using fallible = await openFallibleStore();
    const { log } = openLog(fallible, { bytesMax: 100_000 });
    fallible.failure = away;
    for (let n = 0; n < 10; n += 1) log.record(entry('x'.repeat(10_000)));
    await log.settled();
    fallible.failure = undefined;
    fallible.clock.advance(1_000);
    await log.close();
    assert.deepEqual((await recorded(fallible.store)).slice(4), ['AuditGap 6']);
  });

  test('closes all the same, and says what is lost', async () => {
    await using fallible = await openFallibleStore();
    const { log, seen } = openLog(fallible);
    fallible.failure = away;
    log.record(entry(1));
    log.record(entry(2));
    await log.close();
    assert.deepEqual(seen, [
      { name: 'AuditFailed', detail: 'the gateway has stopped, and 2 records are lost' },
    ]);
  });
});

describe('a defect in writing the audit log', () => {
  test('is told once a minute, without what is in the error, and tried again slowly', async () => {
    await using fallible = await openFallibleStore();
    const { log, seen } = openLog(fallible);
    fallible.failure = Object.assign(new TypeError('value hunter2 is bad'), { code: '22P02' });
    log.record(entry(1));
    await log.settled();
    assert.deepEqual(seen, [{ name: 'AuditFailed', detail: 'TypeError 22P02' }]);
    const before = fallible.queries;
    for (let second = 0; second < 59; second += 1) {
      fallible.clock.advance(1_000);
      await turn();
      await turn();
      // A store that works otherwise: nothing rests.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const attempts = fallible.queries - before;
    assert(attempts >= 3 && attempts <= 10, `${attempts} attempts in a minute`);
    assert.equal(seen.length, 1);
    await eventually(fallible, () => seen.length === 2);
    fallible.failure = undefined;
    await eventually(fallible, async () => (await recorded(fallible.store)).length === 1);
    await log.close();
  });
});
