import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KyselyPlugin, Transaction } from 'kysely';
import { noCredential } from '../../src/chargers/charger-credential.ts';
import type { SecurityProfile } from '../../src/chargers/charger-entry.ts';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import {
  acceptStaged,
  dropStaged,
  type ExpectedPassword,
  findCredential,
  noteAuthenticated,
  noteRotationOutcome,
  promoteStaged,
  requestRotation,
  setCsmsPassword,
  setPassword,
  stagePassword,
} from '../../src/chargers/credentials.ts';
import { allowDefault } from '../../src/chargers/forget-password.ts';
import { noteFallback, raiseProfile } from '../../src/chargers/profile-raises.ts';
import { changesSince, latestRevision, lockRegistry } from '../../src/chargers/registry-changes.ts';
import type { Queries, Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { describeEachStore, type OpenTestStore } from '../support/stores.ts';

// Goal: gateways and operators who change one credential at once never lose what keeps somebody out,
// and what comes too late changes nothing.
// Method: each function on a charger with and without a row, then side by side with the others and
// between two statements of one of them, on both databases.

const cp1 = 'CP-1' as ChargerId;
/** The same charger in another spelling. */
const lower = 'cp-1' as ChargerId;
const cp2 = 'CP-2' as ChargerId;
const address = '192.0.2.1';

const find = (store: Store, id = lower) => store.query((db) => findCredential(db, id));
const rows = (store: Store) =>
  store.query((db) =>
    db.selectFrom('charger_credential').selectAll().orderBy('identity_key').execute(),
  );
const onlyRow = async (store: Store) => {
  const [row, ...others] = await rows(store);
  assert.deepEqual(others, []);
  assert.ok(row !== undefined);
  return row;
};
const revisions = async (store: Store) => {
  const { changes } = await store.query((db) => changesSince(db, 0, 100));
  return changes.map(({ revision, identityKey }) => `${revision} ${identityKey}`);
};
/** Opens all connections that a store may have, so that what comes next comes at once. */
const warmUp = (store: Store) =>
  Promise.all(Array.from({ length: 8 }, () => store.query(latestRevision)));

/** Does `action` as an operator does, who locks the registry first. */
const operate = (store: Store, action: (db: Transaction<Tables>) => Promise<unknown>) =>
  store.transact(async (db) => {
    await lockRegistry(db);
    await action(db);
  });
const set = (store: Store, hash: string, nowMs = 10, id = cp1) =>
  operate(store, (db) => setPassword(db, id, { hash, origin: 'operator' }, nowMs));
const stage = (store: Store, hash: string, nowMs = 20, id = cp1) =>
  store.transact((db) => stagePassword(db, id, { hash, origin: 'provisioned' }, 'any', nowMs));
const accept = (store: Store, hash: string, nowMs = 30, id = cp1) =>
  store.query((db) => acceptStaged(db, id, hash, nowMs));
const drop = (store: Store, hash: string, nowMs = 40, id = cp1) =>
  store.query((db) => dropStaged(db, id, hash, { outcome: 'rejected' }, nowMs));
const promote = (store: Store, hash: string, nowMs = 50, id = cp1) =>
  store.query((db) => promoteStaged(db, id, hash, nowMs));
const authenticate = (store: Store, profile: SecurityProfile, more: object = {}) =>
  store.query((db) => noteAuthenticated(db, cp1, { profile, address, ...more }));
const raise = (store: Store, to: SecurityProfile, nowMs = 70) =>
  operate(store, (db) => raiseProfile(db, cp1, to, nowMs));
const fallback = (store: Store) => store.query((db) => noteFallback(db, lower));

/** Two gateways on one database. */
async function twoStores(open: OpenTestStore) {
  const opened = await open();
  const other = await opened.openAnother();
  await Promise.all([warmUp(opened.store), warmUp(other)]);
  return {
    store: opened.store,
    other,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** Fills everything that a credential can hold. */
async function fill(store: Store): Promise<void> {
  await set(store, 'old');
  await authenticate(store, 1, { form: 'hex' });
  await raise(store, 2);
  await fallback(store);
  await operate(store, (db) => setCsmsPassword(db, cp1, 'sealed', 71));
  await store.query((db) => noteRotationOutcome(db, cp1, 'unsupported', 72));
  await operate(store, (db) => requestRotation(db, cp1, 73));
  await stage(store, 'next', 74);
}
const filled = {
  usedProfile: 1,
  raise: { to: 2, sinceMs: 70, fallbacks: 1 },
  password: { hash: 'old', origin: 'operator', setAtMs: 10, form: 'hex' },
  next: { hash: 'next', origin: 'provisioned', state: 'sent', sinceMs: 74 },
  isDefaultRetired: true,
  rotationRequestedAtMs: 73,
  rotationOutcome: { outcome: 'unsupported', atMs: 72 },
  csmsPassword: 'sealed',
  lastAddress: address,
} as const;

describeEachStore('the credential of a charger', (open) => {
  test('is empty without a row, and what has nothing to change makes none', async () => {
    await using opened = await open();
    const { store } = opened;
    assert.deepEqual(await find(store), noCredential);
    assert.equal(await accept(store, 'h'), false);
    assert.equal(await drop(store, 'h'), false);
    assert.equal(await promote(store, 'h'), false);
    assert.equal(await fallback(store), 0);
    await operate(store, (db) => allowDefault(db, cp1, 1));
    assert.deepEqual(await rows(store), []);
  });

  const firsts: Readonly<Record<string, readonly [(store: Store) => Promise<unknown>, object]>> = {
    'a password': [
      (store) => set(store, 'h'),
      {
        password: { hash: 'h', origin: 'operator', setAtMs: 10, form: undefined },
        isDefaultRetired: true,
      },
    ],
    'a new password': [
      (store) => stage(store, 'h'),
      { next: { hash: 'h', origin: 'provisioned', state: 'sent', sinceMs: 20 } },
    ],
    'an authentication': [
      (store) => authenticate(store, 2),
      { usedProfile: 2, lastAddress: address },
    ],
    'a raise': [(store) => raise(store, 3), { raise: { to: 3, sinceMs: 70, fallbacks: 0 } }],
    'a raise to nothing': [(store) => raise(store, 0), {}],
    'a request': [
      (store) => operate(store, (db) => requestRotation(db, cp1, 5)),
      { rotationRequestedAtMs: 5 },
    ],
    'a password towards the CSMS': [
      (store) => operate(store, (db) => setCsmsPassword(db, cp1, 'sealed', 5)),
      { csmsPassword: 'sealed' },
    ],
    'no password towards the CSMS': [
      (store) => operate(store, (db) => setCsmsPassword(db, cp1, null, 5)),
      {},
    ],
  };
  for (const [name, [first, expected]] of Object.entries(firsts)) {
    test(`begins with ${name}, in any spelling of the identity, and is nobody else’s`, async () => {
      await using opened = await open();
      const { store } = opened;
      await first(store);
      assert.deepEqual(await find(store), { ...noCredential, ...expected });
      assert.deepEqual(await find(store, cp2), noCredential);
      // Nothing of this takes an entry in the registry.
      assert.equal((await rows(store)).length, 1);
    });
  }

  const changesOf: Readonly<Record<string, readonly [(store: Store) => Promise<unknown>, object]>> =
    {
      'another password keeps the profile, the raise, the address and the CSMS’s': [
        (store) => set(store, 'new', 80),
        {
          password: { hash: 'new', origin: 'operator', setAtMs: 80, form: undefined },
          next: undefined,
          rotationRequestedAtMs: undefined,
        },
      ],
      'another new password replaces the one before': [
        (store) => stage(store, 'newer', 80),
        { next: { hash: 'newer', origin: 'provisioned', state: 'sent', sinceMs: 80 } },
      ],
      'a new password that was accepted is still not the charger’s': [
        (store) => accept(store, 'next', 80),
        {
          next: { ...filled.next, state: 'accepted' },
          rotationRequestedAtMs: undefined,
          rotationOutcome: { outcome: 'accepted', atMs: 80 },
        },
      ],
      'a new password that was dropped leaves the old one': [
        (store) => drop(store, 'next', 80),
        {
          next: undefined,
          rotationRequestedAtMs: undefined,
          rotationOutcome: { outcome: 'rejected', atMs: 80 },
        },
      ],
      'a new password that was promoted takes the place of the old one': [
        (store) => promote(store, 'next', 80),
        {
          password: { hash: 'next', origin: 'provisioned', setAtMs: 80, form: 'hex' },
          next: undefined,
          rotationRequestedAtMs: undefined,
          rotationOutcome: { outcome: 'confirmed', atMs: 80 },
        },
      ],
      'an outcome ends the request, and nothing else': [
        (store) => store.query((db) => noteRotationOutcome(db, lower, 'failed', 80)),
        { rotationRequestedAtMs: undefined, rotationOutcome: { outcome: 'failed', atMs: 80 } },
      ],
      'a request is the last one': [
        (store) => operate(store, (db) => requestRotation(db, lower, 80)),
        { rotationRequestedAtMs: 80 },
      ],
      'the default is allowed again without the password, but with the profile': [
        (store) => operate(store, (db) => allowDefault(db, lower, 80)),
        { password: undefined, next: undefined, isDefaultRetired: false },
      ],
      'the password towards the CSMS is cleared': [
        (store) => operate(store, (db) => setCsmsPassword(db, lower, null, 80)),
        { csmsPassword: undefined },
      ],
      'another raise counts anew': [
        (store) => raise(store, 3, 80),
        { raise: { to: 3, sinceMs: 80, fallbacks: 0 } },
      ],
      'a raise to what was used already ends the raise': [
        (store) => raise(store, 1, 80),
        { raise: undefined },
      ],
      'an authentication below the aim of the raise leaves the raise': [
        (store) => authenticate(store, 1, { address: '192.0.2.2' }),
        { lastAddress: '192.0.2.2' },
      ],
      'an authentication at the aim of the raise ends the raise': [
        (store) => authenticate(store, 2),
        { usedProfile: 2, raise: undefined },
      ],
      'an authentication above the aim of the raise ends the raise': [
        (store) => authenticate(store, 3, { form: 'raw' }),
        { usedProfile: 3, raise: undefined, password: { ...filled.password, form: 'raw' } },
      ],
      'an authentication below what was used lowers nothing': [
        (store) => authenticate(store, 0),
        {},
      ],
    };
  for (const [name, [change, expected]] of Object.entries(changesOf)) {
    test(`${name}`, async () => {
      await using opened = await open();
      const { store } = opened;
      await fill(store);
      await stage(store, 'other', 1, cp2);
      assert.deepEqual(await find(store), filled);
      await change(store);
      assert.deepEqual(await find(store), { ...filled, ...expected });
      const other = { hash: 'other', origin: 'provisioned', state: 'sent', sinceMs: 1 };
      assert.deepEqual(await find(store, cp2), { ...noCredential, next: other });
    });
  }

  test('what concerns another new password than the present one changes nothing', async () => {
    await using opened = await open();
    const { store } = opened;
    await fill(store);
    for (const late of [accept, drop, promote]) {
      assert.equal(await late(store, 'before'), false);
      assert.equal(await late(store, 'old'), false);
      assert.equal(await late(store, ''), false);
      assert.deepEqual(await find(store), filled);
    }
    assert.equal(await promote(store, 'next'), true);
    assert.equal(await promote(store, 'next'), false);
  });

  test('a new password that was dropped or overtaken is neither accepted nor promoted', async () => {
    await using opened = await open();
    const { store } = opened;
    await set(store, 'old');
    await stage(store, 'next');
    assert.equal(await drop(store, 'next'), true);
    assert.equal(await accept(store, 'next'), false);
    assert.equal(await promote(store, 'next'), false);
    assert.equal((await find(store)).password?.hash, 'old');
    await stage(store, 'next');
    await set(store, 'operator');
    assert.equal(await accept(store, 'next'), false);
    assert.equal(await promote(store, 'next'), false);
    assert.equal((await find(store)).password?.hash, 'operator');
  });

  test('a new password that is dropped leaves the one that was sent before it', async () => {
    await using opened = await open();
    const { store } = opened;
    await set(store, 'old');
    assert.deepEqual(await stage(store, 'first', 20), { is: 'staged', before: undefined });
    const staged = await stage(store, 'second', 30);
    const before = { hash: 'first', origin: 'provisioned', state: 'sent', sinceMs: 20 } as const;
    assert.deepEqual(staged, { is: 'staged', before });
    const given = { outcome: 'rejected', before };
    assert.equal(await store.query((db) => dropStaged(db, cp1, 'second', given, 40)), true);
    const { next, rotationOutcome } = await find(store);
    assert.deepEqual(next, before);
    assert.equal(rotationOutcome?.outcome, 'rejected');
  });

  test('an outcome makes no row: the charger may have been removed meanwhile', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.query((db) => noteRotationOutcome(db, cp1, 'unanswered', 5));
    assert.deepEqual(await find(store), noCredential);
    await set(store, 'old');
    await store.query((db) => noteRotationOutcome(db, cp1, 'unanswered', 5));
    assert.equal((await find(store)).rotationOutcome?.outcome, 'unanswered');
  });

  test('one that was accepted is waited for: a week long none comes in its place', async () => {
    await using opened = await open();
    const { store } = opened;
    const weekMs = 7 * 86_400_000;
    await set(store, 'old');
    await stage(store, 'first', 20);
    await accept(store, 'first', 25);
    assert.deepEqual(await stage(store, 'second', 20 + weekMs - 1), { is: 'pending' });
    assert.equal((await find(store)).next?.hash, 'first');
    assert.equal((await stage(store, 'second', 20 + weekMs)).is, 'staged');
  });

  test('is noted only beside what the charger has shown', async () => {
    await using opened = await open();
    const { store } = opened;
    const staged = async (expected: ExpectedPassword) => {
      const password = { hash: 'next', origin: 'provisioned' } as const;
      return (await store.transact((db) => stagePassword(db, cp1, password, expected, 5))).is;
    };
    assert.equal(await staged({ hash: 'old' }), 'superseded');
    assert.equal(await staged('default'), 'staged');
    await set(store, 'old');
    assert.equal(await staged('default'), 'superseded');
    assert.equal(await staged({ hash: 'other' }), 'superseded');
    assert.equal((await find(store)).next, undefined);
    assert.equal(await staged({ hash: 'old' }), 'staged');
    assert.equal(await staged('any'), 'staged');
  });

  test('a charger with a default gets its first password, and the default is retired', async () => {
    await using opened = await open();
    const { store } = opened;
    await stage(store, 'first');
    assert.equal((await find(store)).isDefaultRetired, false);
    assert.equal(await accept(store, 'first'), true);
    assert.equal((await find(store)).isDefaultRetired, false);
    assert.equal(await promote(store, 'first', 50), true);
    const { isDefaultRetired, password } = await find(store);
    assert.deepEqual(
      [isDefaultRetired, password],
      [true, { hash: 'first', origin: 'provisioned', setAtMs: 50, form: undefined }],
    );
    // Later passwords do not retire it later.
    await stage(store, 'second');
    await promote(store, 'second', 51);
    await set(store, 'third', 52);
    assert.equal((await onlyRow(store)).default_retired_ms, 50);
  });

  test('the form of a password is noted before it is promoted, or after', async () => {
    await using opened = await open();
    const { store } = opened;
    const formAfter = async (steps: readonly (() => Promise<unknown>)[]) => {
      await set(store, 'old');
      await authenticate(store, 1, { form: 'hex' });
      await stage(store, 'next');
      for (const step of steps) await step();
      return (await find(store)).password?.form;
    };
    const promoted = () => promote(store, 'next');
    const noted = () => authenticate(store, 1, { form: 'raw' });
    assert.equal(await formAfter([promoted, noted]), 'raw');
    assert.equal(await formAfter([noted, promoted]), 'raw');
  });

  test('what operators do is told to all gateways, and what gateways note to none', async () => {
    await using opened = await open();
    const { store } = opened;
    await stage(store, 'a');
    await accept(store, 'a');
    await promote(store, 'a');
    await stage(store, 'b');
    await drop(store, 'b');
    await authenticate(store, 2);
    await fallback(store);
    await store.query((db) => noteRotationOutcome(db, cp1, 'failed', 1));
    assert.deepEqual(await revisions(store), []);
    await set(store, 'c');
    await raise(store, 3);
    await operate(store, (db) => allowDefault(db, cp1, 1));
    await operate(store, (db) => requestRotation(db, cp1, 1));
    await operate(store, (db) => setCsmsPassword(db, cp1, null, 1));
    assert.deepEqual(
      await revisions(store),
      [1, 2, 3, 4, 5].map((revision) => `${revision} cp-1`),
    );
  });

  test('texts that do not fit are cut, and what the database does not take is replaced', async () => {
    await using opened = await open();
    const { store } = opened;
    const text = `\0${'x'.repeat(1000)}`;
    await authenticate(store, 1, { address: text });
    await store.query((db) => noteRotationOutcome(db, cp1, text, 1));
    const { lastAddress, rotationOutcome } = await find(store);
    assert.equal(lastAddress, `\ufffd${'x'.repeat(95)}`);
    assert.equal(rotationOutcome?.outcome, `\ufffd${'x'.repeat(127)}`);
  });
});

describeEachStore('the profile that a charger has used', (open) => {
  test('is told as it was before, and never falls', async () => {
    await using opened = await open();
    const { store } = opened;
    const steps = [1, 1, 0, 3, 2, 3] as const;
    const before: number[] = [];
    for (const profile of steps) before.push(await authenticate(store, profile));
    assert.deepEqual(before, [0, 1, 1, 1, 3, 3]);
    await set(store, 'h');
    await raise(store, 1);
    await operate(store, (db) => allowDefault(db, cp1, 1));
    assert.equal((await find(store)).usedProfile, 3);
  });

  test('is the strictest one when a newer release wrote it, and stays what it is', async () => {
    await using opened = await open();
    const { store } = opened;
    await authenticate(store, 1);
    await store.query((db) =>
      db.updateTable('charger_credential').set({ used_profile: 4 }).execute(),
    );
    assert.equal(await authenticate(store, 2, { address: '192.0.2.9' }), 3);
    const { last_address: lastAddress, used_profile: used } = await onlyRow(store);
    assert.deepEqual([used, lastAddress], [4, '192.0.2.9']);
  });

  test('is the higher one of two that gateways note at once; each knows what it has raised', async () => {
    await using both = await twoStores(open);
    const { store, other } = both;
    for (let round = 0; round < 10; round += 1) {
      await store.query((db) => db.deleteFrom('charger_credential').execute());
      const before = await Promise.all([
        authenticate(store, 1),
        authenticate(other, 2),
        authenticate(store, 2),
        authenticate(other, 1),
      ]);
      assert.equal((await find(store)).usedProfile, 2);
      // One of them has raised it from 0, and whoever raised it to 2 knows from where.
      const raised = before.filter((profile, index) => profile < (index % 3 === 0 ? 1 : 2));
      assert.ok(raised.length === 1 || raised.length === 2, `${before}`);
      assert.equal(new Set(raised).size, raised.length, `${before}`);
    }
  });

  const between: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
    'another gateway raises it higher': (store) => authenticate(store, 3),
    'another gateway raises it less': (store) => authenticate(store, 1),
    'another gateway raises it as high': (store) => authenticate(store, 2),
    'an operator removes the charger': (store) =>
      store.query((db) => db.deleteFrom('charger_credential').execute()),
  };
  for (const hasRow of [false, true]) {
    for (const [name, intervene] of Object.entries(between)) {
      test(`holds when ${name} while it is noted, ${hasRow ? 'with' : 'without'} a row`, async () => {
        await using both = await twoStores(open);
        const { store, other } = both;
        if (hasRow) await authenticate(store, 0);
        const before = await store.query((db) =>
          noteAuthenticated(
            afterFirst(db, () => intervene(other)),
            cp1,
            { profile: 2, address: '192.0.2.7' },
          ),
        );
        const expected = {
          'another gateway raises it higher': [3, 3],
          'another gateway raises it less': [1, 2],
          'another gateway raises it as high': [2, 2],
          'an operator removes the charger': [0, 2],
        }[name];
        const { lastAddress, usedProfile } = await find(store);
        assert.deepEqual([before, usedProfile], expected);
        assert.equal(lastAddress, '192.0.2.7');
      });
    }
  }

  test('is written only if something is different', async () => {
    await using opened = await open();
    const { store } = opened;
    const queriesFor = async (profile: SecurityProfile, more: object = {}) => {
      let queries = 0;
      const count: KyselyPlugin = {
        transformQuery: ({ node }) => {
          queries += 1;
          return node;
        },
        transformResult: async ({ result }) => result,
      };
      await store.query((db) =>
        noteAuthenticated(db.withPlugin(count), cp1, { profile, address, ...more }),
      );
      return queries;
    };
    assert.equal(await queriesFor(1, { form: 'raw' }), 2);
    assert.equal(await queriesFor(1, { form: 'raw' }), 1);
    assert.equal(await queriesFor(1), 1);
    assert.equal(await queriesFor(1, { form: 'hex' }), 2);
    assert.equal(await queriesFor(1, { address: '192.0.2.2' }), 2);
    assert.equal(await queriesFor(2, { address: '192.0.2.2' }), 2);
    // A raise that was reached in another way is still ended.
    await store.query((db) =>
      db.updateTable('charger_credential').set({ candidate_profile: 2 }).execute(),
    );
    assert.equal(await queriesFor(2, { address: '192.0.2.2' }), 2);
    assert.equal((await find(store)).raise, undefined);
  });
});

describeEachStore('a raise of the security profile', (open) => {
  test('T2-05: counts how often the charger falls back, until it is over', async () => {
    await using opened = await open();
    const { store } = opened;
    await authenticate(store, 1);
    assert.equal(await fallback(store), 0);
    await raise(store, 2);
    assert.deepEqual([await fallback(store), await fallback(store)], [1, 2]);
    assert.deepEqual((await find(store)).raise, { to: 2, sinceMs: 70, fallbacks: 2 });
    await raise(store, 2, 90);
    assert.deepEqual((await find(store)).raise, { to: 2, sinceMs: 90, fallbacks: 0 });
    assert.equal(await fallback(store), 1);
    await authenticate(store, 2);
    assert.equal(await fallback(store), 0);
    assert.deepEqual(await find(store), {
      ...noCredential,
      usedProfile: 2,
      lastAddress: address,
    });
    const { candidate_since_ms: sinceMs, fallbacks } = await onlyRow(store);
    assert.deepEqual([sinceMs, fallbacks], [null, 0]);
  });

  test('loses no fallback that gateways count at once', async () => {
    await using both = await twoStores(open);
    const { store, other } = both;
    await raise(store, 2);
    const counts = await Promise.all(
      Array.from({ length: 20 }, (_, index) => fallback(index % 2 === 0 ? store : other)),
    );
    assert.deepEqual(
      counts.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test('and a success that is noted at once leave the profile raised and no raise', async () => {
    await using both = await twoStores(open);
    const { store, other } = both;
    for (let round = 0; round < 10; round += 1) {
      await store.query((db) => db.deleteFrom('charger_credential').execute());
      await authenticate(store, 1);
      await Promise.all([raise(store, 2), authenticate(other, 2), fallback(store)]);
      const { raise: underWay, usedProfile } = await find(store);
      assert.deepEqual([underWay, usedProfile], [undefined, 2]);
    }
  });
});

describeEachStore('a new password', (open) => {
  test('that several gateways promote at once is promoted once', async () => {
    await using both = await twoStores(open);
    const { store, other } = both;
    await set(store, 'old');
    await stage(store, 'next');
    const outcomes = await Promise.all(
      [store, other, store, other].map((it) => promote(it, 'next')),
    );
    assert.deepEqual(outcomes.filter((isPromoted) => isPromoted).length, 1);
    assert.equal((await find(store)).password?.hash, 'next');
  });

  test('never comes in place of what an operator sets at that moment', async () => {
    await using both = await twoStores(open);
    const { store, other } = both;
    for (let round = 0; round < 10; round += 1) {
      await set(store, 'old');
      await stage(store, 'next');
      await Promise.all([set(store, 'operator'), accept(other, 'next'), promote(other, 'next')]);
      const { next, password } = await find(store);
      assert.deepEqual([password?.hash, next], ['operator', undefined]);
    }
  });

  test('of one gateway is not dropped or promoted by another that has sent one before', async () => {
    await using both = await twoStores(open);
    const { store, other } = both;
    await set(store, 'old');
    await stage(other, 'earlier');
    await stage(store, 'later');
    const outcomes = await Promise.all([
      accept(other, 'earlier'),
      drop(other, 'earlier'),
      promote(other, 'earlier'),
      accept(store, 'later'),
    ]);
    assert.deepEqual(outcomes, [false, false, false, true]);
    const { next, password } = await find(store);
    assert.deepEqual([password?.hash, next?.hash, next?.state], ['old', 'later', 'accepted']);
  });

  test('is staged at once for a charger without a row, and the last one stays whole', async () => {
    await using both = await twoStores(open);
    const { store, other } = both;
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        stage(index % 2 === 0 ? store : other, `hash-${index}`, index),
      ),
    );
    const { next } = await find(store);
    assert.equal(next?.hash, `hash-${next?.sinceMs}`);
  });
});

/** The same queries; after the first of them `action` is done, once. */
function afterFirst(db: Queries, action: () => Promise<unknown>): Queries {
  let isDone = false;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      if (!isDone) {
        isDone = true;
        await action();
      }
      return result;
    },
  };
  return db.withPlugin(plugin);
}
