import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { appendRecords } from '../../src/audit/append-records.ts';
import type { AuditEntry } from '../../src/audit/audit-entry.ts';
import { auditHash, genesisHash } from '../../src/audit/audit-hash.ts';
import { AuditLog } from '../../src/audit/audit-log.ts';
import { type AuditFilter, type AuditRecord, exportRecords } from '../../src/audit/export.ts';
import { pruneAudit } from '../../src/audit/prune.ts';
import { auditChains, verifyChain } from '../../src/audit/verify.ts';
import type { Queries, Store } from '../../src/store/store.ts';
import { describeEachStore, type TestStore } from '../support/stores.ts';

// Goal: on either database the log holds what was decided, and nobody changes it unnoticed.
// Method: logs that are written, attacked in every way that SQL allows, pruned and read by several
// at once. Each attack has its benign twin: the same log verifies before it.

const chain = 'gw-1';
const startMs = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;

function entry(n: number): AuditEntry {
  const atMs = startMs + n;
  if (n % 3 === 0) return { atMs, event: 'GatewayStopping', fields: { n } };
  return { atMs, event: 'SessionOpened', charger: `CP-${n % 5}`, fields: { n, text: 'ä€😀' } };
}

/** Appends entries number `from` to `to`, both included. */
async function append(store: Store, from: number, to: number, intoChain = chain): Promise<void> {
  const entries = Array.from({ length: to - from + 1 }, (_, index) => entry(from + index));
  await store.transactDurably((db) => appendRecords(db, intoChain, entries));
}

async function rows(store: Store): Promise<readonly AuditRecord[]> {
  return store.query((db) =>
    db
      .selectFrom('audit_record')
      .selectAll()
      .where('chain', '=', chain)
      .orderBy('sequence')
      .execute(),
  );
}

async function row(db: Queries, sequence: number): Promise<AuditRecord> {
  return db
    .selectFrom('audit_record')
    .selectAll()
    .where('chain', '=', chain)
    .where('sequence', '=', sequence)
    .executeTakeFirstOrThrow();
}

async function change(db: Queries, sequence: number, columns: Partial<AuditRecord>): Promise<void> {
  await db
    .updateTable('audit_record')
    .set(columns)
    .where('chain', '=', chain)
    .where('sequence', '=', sequence)
    .execute();
}

async function remove(db: Queries, from: number, to: number): Promise<void> {
  await db
    .deleteFrom('audit_record')
    .where('chain', '=', chain)
    .where('sequence', '>=', from)
    .where('sequence', '<=', to)
    .execute();
}

async function setEnds(db: Queries, columns: Readonly<Record<string, number | string>>) {
  await db.updateTable('audit_chain').set(columns).where('chain', '=', chain).execute();
}

/** Makes the log consistent again from record `from` on, as somebody can who knows how. */
async function rehash(db: Queries, from: number): Promise<void> {
  let hash = from === 1 ? genesisHash : (await row(db, from - 1)).hash;
  const { head_sequence } = await db
    .selectFrom('audit_chain')
    .selectAll()
    .where('chain', '=', chain)
    .executeTakeFirstOrThrow();
  for (let sequence = from; sequence <= head_sequence; sequence += 1) {
    hash = auditHash(hash, await row(db, sequence));
    await change(db, sequence, { hash });
  }
  await setEnds(db, { head_hash: hash });
}

const flipped = (text: string): string => (text.startsWith('0') ? '1' : '0') + text.slice(1);

interface Attack {
  readonly name: string;
  /** On a log of 20 records. */
  readonly act: (db: Queries) => Promise<unknown>;
  readonly brokenAt: number;
  readonly problem: RegExp;
}

const attacks: readonly Attack[] = [
  {
    name: 'one character of the document',
    act: async (db) => change(db, 8, { document: (await row(db, 8)).document.replace('8', '9') }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'a space in the document, which is the same JSON',
    act: async (db) => change(db, 8, { document: `${(await row(db, 8)).document} ` }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'one millisecond of the time',
    act: (db) => change(db, 8, { at_ms: startMs + 9 }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'a time too large for a number',
    act: (db) => change(db, 8, { at_ms: '9007199254740993' as unknown as number }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'the event',
    act: (db) => change(db, 8, { event: 'SessionClosed' }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'the charger',
    act: (db) => change(db, 8, { charger: 'CP-4' }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'no charger',
    act: (db) => change(db, 8, { charger: null }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'an empty charger where there was none',
    act: (db) => change(db, 9, { charger: '' }),
    brokenAt: 9,
    problem: /hash/,
  },
  {
    name: 'one digit of the hash',
    act: async (db) => change(db, 8, { hash: flipped((await row(db, 8)).hash) }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'the hash in capitals',
    act: async (db) => change(db, 8, { hash: (await row(db, 8)).hash.toUpperCase() }),
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'a record with a hash that fits its new text',
    act: async (db) => {
      await change(db, 8, { document: '{}' });
      const { hash: previous } = await row(db, 7);
      await change(db, 8, { hash: auditHash(previous, await row(db, 8)) });
    },
    brokenAt: 9,
    problem: /hash/,
  },
  {
    name: 'the number of a record',
    act: (db) => change(db, 8, { sequence: 80 }),
    brokenAt: 8,
    problem: /missing/,
  },
  {
    name: 'a record moved to another log',
    act: (db) => change(db, 8, { chain: 'gw-2' }),
    brokenAt: 8,
    problem: /missing/,
  },
  {
    name: 'the first record removed',
    act: (db) => remove(db, 1, 1),
    brokenAt: 1,
    problem: /missing/,
  },
  {
    name: 'one in the middle removed',
    act: (db) => remove(db, 8, 8),
    brokenAt: 8,
    problem: /missing/,
  },
  {
    name: 'the last one removed',
    act: (db) => remove(db, 20, 20),
    brokenAt: 20,
    problem: /missing/,
  },
  { name: 'the tail removed', act: (db) => remove(db, 15, 20), brokenAt: 15, problem: /missing/ },
  { name: 'all removed', act: (db) => remove(db, 1, 20), brokenAt: 1, problem: /missing/ },
  {
    name: 'two neighbours swapped',
    act: async (db) => {
      await change(db, 8, { sequence: 100 });
      await change(db, 9, { sequence: 8 });
      await change(db, 100, { sequence: 9 });
    },
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'a forged record in the middle, and those after it moved up',
    act: async (db) => {
      for (let sequence = 20; sequence >= 8; sequence -= 1) {
        await change(db, sequence, { sequence: sequence + 1 });
      }
      const forged = { ...(await row(db, 9)), sequence: 8, document: '{"forged":true}' };
      await db.insertInto('audit_record').values(forged).execute();
      await setEnds(db, { head_sequence: 21 });
    },
    brokenAt: 8,
    problem: /hash/,
  },
  {
    name: 'a forged record behind the head',
    act: async (db) => {
      const last = await row(db, 20);
      const forged = { ...last, sequence: 21 };
      const hash = auditHash(last.hash, forged);
      await db
        .insertInto('audit_record')
        .values({ ...forged, hash })
        .execute();
    },
    brokenAt: 21,
    problem: /behind the head/,
  },
  {
    name: 'a forged record before the first',
    act: async (db) => {
      const forged = { ...(await row(db, 1)), sequence: 0 };
      await db.insertInto('audit_record').values(forged).execute();
    },
    brokenAt: 0,
    problem: /before the beginning/,
  },
  {
    name: 'the hash of the base',
    act: (db) => setEnds(db, { base_hash: flipped(genesisHash) }),
    brokenAt: 1,
    problem: /hash/,
  },
  {
    name: 'the hash of the head',
    act: async (db) => setEnds(db, { head_hash: flipped((await row(db, 20)).hash) }),
    brokenAt: 20,
    problem: /head/,
  },
  {
    name: 'a head that is moved on',
    act: (db) => setEnds(db, { head_sequence: 21 }),
    brokenAt: 21,
    problem: /missing/,
  },
  {
    name: 'a head that is moved back to its record, with the tail left there',
    act: async (db) => setEnds(db, { head_sequence: 15, head_hash: (await row(db, 15)).hash }),
    brokenAt: 16,
    problem: /behind the head/,
  },
  {
    name: 'a head before the base',
    act: (db) => setEnds(db, { head_sequence: -1 }),
    brokenAt: 0,
    problem: /make no sense/,
  },
  {
    name: 'the first records removed and the base moved, as if they had been pruned',
    act: async (db) => {
      await setEnds(db, { base_sequence: 5, base_hash: (await row(db, 5)).hash });
      await remove(db, 1, 5);
    },
    brokenAt: 6,
    problem: /no record says that they were pruned/,
  },
  {
    name: 'the ends removed',
    act: (db) => db.deleteFrom('audit_chain').where('chain', '=', chain).execute(),
    brokenAt: 1,
    problem: /no ends/,
  },
];

describeEachStore('the audit log', (open) => {
  test('verifies, and holds every entry in its order', async () => {
    await using t = await open();
    assert.equal(await verifyChain(t.store, chain), undefined);
    await append(t.store, 1, 1);
    await append(t.store, 2, 200);
    await append(t.store, 201, 203);
    await t.store.transact((db) => appendRecords(db, chain, []));
    const stored = await rows(t.store);
    assert.deepEqual(
      stored.map(({ sequence, at_ms, event, charger, document }) => ({
        sequence,
        atMs: at_ms,
        event,
        charger: charger ?? undefined,
        fields: JSON.parse(document) as unknown,
      })),
      Array.from({ length: 203 }, (_, n) => ({
        charger: undefined,
        sequence: n + 1,
        ...entry(n + 1),
      })),
    );
    const verdict = await verifyChain(t.store, chain);
    const head = { sequence: 203, hash: stored.at(-1)?.hash };
    assert.deepEqual(verdict, { ok: true, chain, count: 203, head });
    assert.deepEqual(await auditChains(t.store), [chain]);
  });

  test('is verified over several batches, with progress', async () => {
    await using t = await open();
    await append(t.store, 1, 2_500);
    const told: (readonly number[])[] = [];
    const onProgress = (...progress: number[]): void => void told.push(progress);
    assert((await verifyChain(t.store, chain, { onProgress }))?.ok);
    assert.deepEqual(told, [
      [1_000, 2_500],
      [2_000, 2_500],
      [2_500, 2_500],
    ]);
    for (const sequence of [1_000, 1_001, 2_000, 2_500]) {
      const { document } = await t.store.query((db) => row(db, sequence));
      await t.store.query((db) => change(db, sequence, { document: '{}' }));
      const verdict = await verifyChain(t.store, chain);
      assert.equal(verdict?.ok === false && verdict.sequence, sequence);
      await t.store.query((db) => change(db, sequence, { document }));
    }
  });

  test('says nothing of a transaction that was rolled back', async () => {
    await using t = await open();
    await append(t.store, 1, 3);
    await assert.rejects(
      t.store.transact(async (db) => {
        await appendRecords(db, chain, [entry(4)]);
        throw new Error('changed my mind');
      }),
      /changed my mind/,
    );
    await append(t.store, 5, 5);
    assert.deepEqual(
      (await rows(t.store)).map(({ at_ms }) => at_ms - startMs),
      [1, 2, 3, 5],
    );
    assert((await verifyChain(t.store, chain))?.ok);
  });

  test('of each gateway is a log of its own', async () => {
    await using t = await open();
    await append(t.store, 1, 5);
    await append(t.store, 1, 5, 'gw-2');
    await t.store.query((db) => change(db, 3, { document: '{}' }));
    assert.equal((await verifyChain(t.store, chain))?.ok, false);
    assert.equal((await verifyChain(t.store, 'gw-2'))?.ok, true);
    assert.deepEqual(await auditChains(t.store), [chain, 'gw-2']);
  });

  test('of two writers that append at once is one log', async () => {
    await using t = await open();
    const writers = [t.store, await t.openAnother()];
    await Promise.all(
      writers.map(async (store, writer) => {
        for (let n = 0; n < 200; n += 1) {
          const fields = { writer, n };
          await store.transactDurably((db) =>
            appendRecords(db, chain, [{ atMs: startMs, event: 'GatewayStopping', fields }]),
          );
        }
      }),
    );
    const verdict = await verifyChain(t.store, chain);
    assert.equal(verdict?.ok === true && verdict.count, 400);
    const documents = (await rows(t.store)).map(
      ({ document }) => JSON.parse(document) as { readonly writer: number; readonly n: number },
    );
    for (const writer of [0, 1]) {
      assert.deepEqual(
        documents.filter((it) => it.writer === writer).map(({ n }) => n),
        Array.from({ length: 200 }, (_, n) => n),
      );
    }
  });

  test('of a gateway that writes behind is what a command line adds to as well', async () => {
    await using t = await open();
    const log = new AuditLog(t.store, { chain }, t.clock, () => {});
    const visitor = await t.openAnother();
    for (let n = 1; n <= 300; n += 1) {
      log.record(entry(n));
      if (n % 50 === 0) await append(visitor, 1_000 + n, 1_000 + n);
    }
    await log.settled();
    const verdict = await verifyChain(visitor, chain);
    assert.equal(verdict?.ok === true && verdict.count, 306);
    await log.close();
  });
});

describeEachStore('an attack on the audit log', (open) => {
  let shared: TestStore;
  before(async () => {
    shared = await open();
  });
  after(() => shared[Symbol.asyncDispose]());

  for (const { name, act, brokenAt, problem } of attacks) {
    test(`${name} is found, and named`, async () => {
      const t = shared;
      await t.store.query((db) => db.deleteFrom('audit_record').execute());
      await t.store.query((db) => db.deleteFrom('audit_chain').execute());
      await append(t.store, 1, 20);
      assert.equal((await verifyChain(t.store, chain))?.ok, true, 'the benign twin');
      await t.store.transact((db) => act(db));
      const verdict = await verifyChain(t.store, chain);
      assert(verdict !== undefined && !verdict.ok);
      assert.equal(verdict.sequence, brokenAt, verdict.problem);
      assert.match(verdict.problem, problem);
    });
  }

  test('a log that is rewritten as a whole is found by a head that was noted elsewhere', async () => {
    await using t = await open();
    await append(t.store, 1, 20);
    const noted = await verifyChain(t.store, chain);
    assert(noted?.ok);
    await append(t.store, 21, 30);
    const expected = noted.head;
    assert((await verifyChain(t.store, chain, { expected }))?.ok, 'the benign twin');
    await t.store.transact(async (db) => {
      await change(db, 8, { document: '{"n":"another"}' });
      await rehash(db, 8);
    });
    assert((await verifyChain(t.store, chain))?.ok, 'it is consistent in itself');
    const verdict = await verifyChain(t.store, chain, { expected });
    assert(verdict?.ok === false);
    assert.equal(verdict.sequence, 20);
    assert.match(verdict.problem, /rewritten/);
  });

  test('a tail that is cut off with its head is found by what was noted', async () => {
    await using t = await open();
    await append(t.store, 1, 20);
    const noted = await verifyChain(t.store, chain);
    assert(noted?.ok);
    await t.store.transact(async (db) => {
      await setEnds(db, { head_sequence: 15, head_hash: (await row(db, 15)).hash });
      await remove(db, 16, 20);
    });
    assert((await verifyChain(t.store, chain))?.ok, 'it is consistent in itself');
    const verdict = await verifyChain(t.store, chain, { expected: noted.head });
    assert(verdict?.ok === false);
    assert.match(verdict.problem, /ends before/);
  });
});

describeEachStore('retention of the audit log', (open) => {
  const keepAll = { days: 400, recordsMax: 1_000_000 };

  async function pruneAll(store: Store, retention: typeof keepAll, nowMs: number) {
    const steps: number[] = [];
    for (;;) {
      const count = await pruneAudit(store, chain, retention, nowMs);
      if (count === 0) return steps;
      steps.push(count);
      assert(steps.length < 100, 'it ends');
    }
  }

  test('prunes what is too old, in small steps, and the rest verifies', async () => {
    await using t = await open();
    await append(t.store, 1, 1_200);
    const nowMs = startMs + 400 * dayMs + 1_150;
    assert.deepEqual(await pruneAll(t.store, keepAll, startMs), []);
    // The last hundred wait for others: a step for each of them would leave as many records.
    assert.deepEqual(await pruneAll(t.store, keepAll, nowMs), [500, 500]);
    const verdict = await verifyChain(t.store, chain);
    assert.equal(verdict?.ok === true && verdict.count, 202);
    assert.deepEqual(await pruneAll(t.store, keepAll, nowMs + 3_600_001), [200]);
    assert((await verifyChain(t.store, chain))?.ok);
    const [first, ...others] = (await rows(t.store)).map(({ event, document }) => ({
      event,
      ...(JSON.parse(document) as { readonly throughSequence: number; readonly count: number }),
    }));
    assert.equal(first?.event, 'AuditPruned');
    assert.deepEqual(
      [first, ...others].map((it) => [it?.count, it?.throughSequence]),
      [
        [500, 500],
        [500, 1_000],
        [200, 1_200],
      ],
    );
  });

  test('prunes what is too much, with some room to spare, and then rests', async () => {
    await using t = await open();
    await append(t.store, 1, 1_000);
    const retention = { days: 400, recordsMax: 1_000 };
    assert.deepEqual(await pruneAll(t.store, retention, startMs), []);
    await append(t.store, 1_001, 1_001);
    assert.deepEqual(await pruneAll(t.store, retention, startMs), [102]);
    assert.equal((await rows(t.store)).length, 900);
    await append(t.store, 1_002, 1_101);
    assert.deepEqual(await pruneAll(t.store, retention, startMs), []);
    assert((await verifyChain(t.store, chain))?.ok);
  });

  test('never prunes the newest record, and knows an empty log', async () => {
    await using t = await open();
    assert.deepEqual(await pruneAll(t.store, keepAll, startMs), []);
    await append(t.store, 1, 1);
    assert.deepEqual(await pruneAll(t.store, keepAll, startMs + 4_000 * dayMs), []);
    await append(t.store, 2, 2);
    // The first, because there is a newer one; then that one, because there is the record of that.
    assert.deepEqual(await pruneAll(t.store, keepAll, startMs + 4_000 * dayMs), [1, 1]);
    assert.deepEqual(
      (await rows(t.store)).map(({ event }) => event),
      ['AuditPruned', 'AuditPruned'],
    );
    assert((await verifyChain(t.store, chain))?.ok);
  });

  test('an attack: a base moved further than the records say is found', async () => {
    await using t = await open();
    await append(t.store, 1, 600);
    await pruneAll(t.store, { days: 400, recordsMax: 500 }, startMs);
    const [first] = await rows(t.store);
    assert(first !== undefined);
    assert((await verifyChain(t.store, chain))?.ok, 'the benign twin');
    await t.store.transact(async (db) => {
      await remove(db, first.sequence, first.sequence);
      await setEnds(db, { base_sequence: first.sequence, base_hash: first.hash });
    });
    const verdict = await verifyChain(t.store, chain);
    assert(verdict?.ok === false);
    assert.equal(verdict.sequence, first.sequence + 1);
    assert.match(verdict.problem, /pruned through/);
  });

  test('an attack: the hash of the base after pruning is found', async () => {
    await using t = await open();
    await append(t.store, 1, 600);
    await pruneAll(t.store, { days: 400, recordsMax: 500 }, startMs);
    await t.store.query((db) => setEnds(db, { base_hash: 'f'.repeat(64) }));
    assert.equal((await verifyChain(t.store, chain))?.ok, false);
  });

  test('an attack: another past, and a log rehashed to fit it, differs from what pruning noted', async () => {
    await using t = await open();
    await append(t.store, 1, 600);
    await pruneAll(t.store, { days: 400, recordsMax: 500 }, startMs);
    const [first] = await rows(t.store);
    assert(first !== undefined);
    await t.store.transact(async (db) => {
      await setEnds(db, { base_hash: 'f'.repeat(64) });
      const hash = auditHash('f'.repeat(64), first);
      await change(db, first.sequence, { hash });
      await rehash(db, first.sequence + 1);
    });
    const verdict = await verifyChain(t.store, chain);
    assert(verdict?.ok === false);
    assert.match(verdict.problem, /pruned/);
  });

  test('what is expected and was pruned cannot be compared, unless it is the base', async () => {
    await using t = await open();
    await append(t.store, 1, 600);
    const all = await rows(t.store);
    await pruneAll(t.store, { days: 400, recordsMax: 500 }, startMs);
    const [first] = await rows(t.store);
    const base = (first?.sequence ?? 0) - 1;
    const noted = (sequence: number) => ({ sequence, hash: all[sequence - 1]?.hash ?? '' });
    const verify = (sequence: number) => verifyChain(t.store, chain, { expected: noted(sequence) });
    assert.equal((await verify(base))?.ok, true);
    const verdict = await verify(base - 1);
    assert.match((verdict?.ok === false && verdict.problem) || '', /was pruned/);
  });

  test('and writing and verifying at the same time disturb nobody', async () => {
    await using t = await open();
    await append(t.store, 1, 3_000);
    const visitor = await t.openAnother();
    const retention = { days: 400, recordsMax: 1_000 };
    let isDone = false;
    const verifying = (async () => {
      for (let round = 0; !isDone || round < 3; round += 1) {
        const verdict = await verifyChain(visitor, chain);
        assert(verdict?.ok, JSON.stringify(verdict));
      }
    })();
    for (let n = 3_001; n <= 3_100; n += 1) {
      await append(t.store, n, n);
      await pruneAudit(t.store, chain, retention, startMs);
    }
    isDone = true;
    await verifying;
  });
});

describeEachStore('an export of the audit log', (open) => {
  async function exported(store: Store, filter: Partial<AuditFilter> = {}) {
    const found: number[] = [];
    for await (const group of exportRecords(store, { chain, ...filter })) {
      found.push(...group.map(({ sequence }) => sequence));
    }
    return found;
  }
  const numbers = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);

  test('has everything in its order, over several queries', async () => {
    await using t = await open();
    assert.deepEqual(await exported(t.store), []);
    await append(t.store, 1, 2_345);
    await append(t.store, 1, 5, 'gw-2');
    assert.deepEqual(await exported(t.store), numbers(1, 2_345));
    assert.deepEqual(await exported(t.store, { chain: 'gw-2' }), numbers(1, 5));
  });

  test('has what was asked for: a time with its beginning, without its end; charger; event', async () => {
    await using t = await open();
    await append(t.store, 1, 30);
    assert.deepEqual(
      await exported(t.store, { sinceMs: startMs + 10, untilMs: startMs + 13 }),
      [10, 11, 12],
    );
    assert.deepEqual(await exported(t.store, { charger: 'Cp-1' }), [1, 11, 16, 26]);
    assert.deepEqual(
      await exported(t.store, { event: 'GatewayStopping', sinceMs: startMs + 20 }),
      [21, 24, 27, 30],
    );
  });

  test('ends where the log ended when it began, and does not stop writers', async () => {
    await using t = await open();
    await append(t.store, 1, 1_500);
    const found: number[] = [];
    for await (const group of exportRecords(t.store, { chain })) {
      found.push(...group.map(({ sequence }) => sequence));
      await append(t.store, 5_000, 6_000);
    }
    assert.deepEqual(found, numbers(1, 1_500));
  });

  test('begins at the base of a log that was pruned, and does not follow a head far away', async () => {
    await using t = await open();
    await append(t.store, 1, 600);
    await pruneAudit(t.store, chain, { days: 400, recordsMax: 500 }, startMs);
    const [first] = await exported(t.store);
    assert.equal(first, (await rows(t.store))[0]?.sequence);
    await t.store.query((db) => setEnds(db, { head_sequence: 2 ** 50 }));
    assert.equal((await exported(t.store)).at(-1), 601);
  });
});
