import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PostgresQueryCompiler, type Transaction } from 'kysely';
import {
  belongingsOf,
  bindCertificate,
  bindingsOf,
  ownersOf,
  unbindCertificates,
} from '../../src/chargers/certificate-bindings.ts';
import type { CertificateBinding } from '../../src/chargers/charger-credential.ts';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { changesSince, lockRegistry } from '../../src/chargers/registry-changes.ts';
import { BrokenInvariant } from '../../src/lib/assert.ts';
import type { Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: a certificate never belongs to two chargers, whoever binds it and when.
// Method: each function by itself, then operators side by side, then past our own code with plain
// rows, on both databases.

const cp1 = 'CP-1' as ChargerId;
const lower = 'cp-1' as ChargerId;
const cp2 = 'CP-2' as ChargerId;
const name: CertificateBinding = { kind: 'common-name', value: 'CP-1' };
const serial: CertificateBinding = { kind: 'serial-number', value: '1a2b' };
const print: CertificateBinding = { kind: 'fingerprint', value: 'ab'.repeat(32) };

const bind = (store: Store, id: ChargerId, binding: CertificateBinding) =>
  store.transact((db) => bindCertificate(db, id, binding, 10));
const unbind = (store: Store, id: ChargerId) =>
  store.transact((db) => unbindCertificates(db, id, 20));
const of = (store: Store, id: ChargerId) => store.query((db) => bindingsOf(db, id));
const owners = (store: Store, candidates: readonly CertificateBinding[]) =>
  store.query((db) => ownersOf(db, candidates));
const revisions = async (store: Store) => {
  const { changes } = await store.query((db) => changesSince(db, 0, 100));
  return changes.map(({ revision, identityKey }) => `${revision} ${identityKey}`);
};

describeEachStore('a certificate', (open) => {
  test('is bound once, in any spelling of the identity, and gateways are told', async () => {
    await using opened = await open();
    const { store } = opened;
    assert.deepEqual(await of(store, cp1), []);
    assert.deepEqual(await bind(store, cp1, name), { is: 'bound' });
    assert.deepEqual(await bind(store, lower, name), { is: 'already' });
    assert.deepEqual(await of(store, lower), [name]);
    assert.deepEqual(await of(store, cp2), []);
    assert.deepEqual(await revisions(store), ['1 cp-1']);
    const [row] = await store.query((db) =>
      db.selectFrom('charger_certificate').selectAll().execute(),
    );
    assert.deepEqual(row, { ...name, identity_key: 'cp-1', bound_ms: 10 });
  });

  test('T2-07: of another charger cannot be bound; its twin of another kind or value can', async () => {
    await using opened = await open();
    const { store } = opened;
    await bind(store, cp1, name);
    assert.deepEqual(await bind(store, cp2, name), { is: 'taken', by: 'cp-1' });
    assert.deepEqual(await of(store, cp2), []);
    assert.deepEqual(await revisions(store), ['1 cp-1']);
    assert.deepEqual(await bind(store, cp2, { ...name, kind: 'serial-number' }), { is: 'bound' });
    // Common names are compared as they stand.
    assert.deepEqual(await bind(store, cp2, { ...name, value: 'cp-1' }), { is: 'bound' });
    assert.deepEqual(await owners(store, [name]), ['cp-1']);
  });

  test('of a charger that has several is taken away with all of them, and is free then', async () => {
    await using opened = await open();
    const { store } = opened;
    for (const binding of [name, serial, print]) await bind(store, cp1, binding);
    const other: CertificateBinding = { kind: 'fingerprint', value: 'cd' };
    await bind(store, cp2, other);
    assert.deepEqual(await of(store, cp1), [name, print, serial]);
    assert.deepEqual(await unbind(store, lower), [name, print, serial]);
    assert.deepEqual(await of(store, cp1), []);
    assert.deepEqual(await of(store, cp2), [other]);
    assert.deepEqual(await unbind(store, cp1), []);
    // Nobody is told of nothing.
    assert.deepEqual((await revisions(store)).slice(4), ['5 cp-1']);
    assert.deepEqual(await bind(store, cp2, name), { is: 'bound' });
  });

  test('has the owners that any of its candidates has, each once', async () => {
    await using opened = await open();
    const { store } = opened;
    await bind(store, cp2, print);
    await bind(store, cp1, name);
    await bind(store, cp1, serial);
    assert.deepEqual(await owners(store, []), []);
    assert.deepEqual(await owners(store, [name]), ['cp-1']);
    assert.deepEqual(await owners(store, [name, serial]), ['cp-1']);
    assert.deepEqual(await owners(store, [serial, print, name]), ['cp-1', 'cp-2']);
    assert.deepEqual(await owners(store, [{ ...name, kind: 'fingerprint' }]), []);
    assert.deepEqual(await owners(store, [{ ...name, value: 'CP-' }]), []);
    assert.deepEqual(await owners(store, [{ ...name, value: 'CP-_' }]), []);
    const many = [1, 2, 3, 4].map((n): CertificateBinding => ({ ...name, value: `${n}` }));
    assert.deepEqual(await owners(store, [...many, name]), ['cp-1']);
  });

  test('that nobody could bind has no owner, and is not bound', async () => {
    await using opened = await open();
    const { store } = opened;
    await bind(store, cp1, name);
    for (const value of ['', 'CP-1\0', '\ud800', 'x'.repeat(257)]) {
      const binding: CertificateBinding = { ...name, value };
      assert.deepEqual(await owners(store, [binding]), []);
      assert.deepEqual(await owners(store, [binding, name]), ['cp-1']);
      await assert.rejects(bind(store, cp2, binding), BrokenInvariant);
    }
    assert.deepEqual(await bind(store, cp2, { ...name, value: 'x'.repeat(256) }), { is: 'bound' });
  });

  test('of a kind that a newer release knows is left alone, until all are taken away', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.query((db) =>
      db
        .insertInto('charger_certificate')
        .values({ kind: 'future', value: 'CP-1', identity_key: 'cp-1', bound_ms: 1 })
        .execute(),
    );
    assert.deepEqual(await of(store, cp1), []);
    assert.deepEqual(await owners(store, [name]), []);
    assert.deepEqual(await unbind(store, cp1), []);
    assert.deepEqual(await revisions(store), ['1 cp-1']);
    const left = await store.query((db) =>
      db.selectFrom('charger_certificate').selectAll().execute(),
    );
    assert.deepEqual(left, []);
  });

  test('costs one query, which is the same for one, all, some or none of the candidates', async () => {
    await using opened = await open();
    const { store } = opened;
    await bind(store, cp1, name);
    const asked = async (candidates: readonly CertificateBinding[]) => {
      const queries: string[] = [];
      await store.query((db) =>
        ownersOf(
          db.withPlugin({
            transformQuery: ({ node, queryId }) => {
              queries.push(new PostgresQueryCompiler().compileQuery(node, queryId).sql);
              return node;
            },
            transformResult: async ({ result }) => result,
          }),
          candidates,
        ),
      );
      return queries;
    };
    const forNone = await asked([]);
    assert.equal(forNone.length, 1);
    for (const candidates of [[name], [serial, name], [print], [print, serial, name]]) {
      assert.deepEqual(await asked(candidates), forNone);
    }
  });

  test('is told from those of the charger at the door in one query, which finds the same', async () => {
    await using opened = await open();
    const { store } = opened;
    // In an order in which no database keeps them.
    await bind(store, cp2, print);
    await bind(store, cp1, serial);
    await bind(store, cp1, name);
    const certificates = [[], [name], [serial, name], [name, print], [{ ...name, value: 'CP-3' }]];
    for (const id of [cp1, lower, cp2, 'CP-3' as ChargerId]) {
      for (const candidates of certificates) {
        const found = await store.query((db) => belongingsOf(db, id, candidates));
        const expected = { owners: await owners(store, candidates), own: await of(store, id) };
        assert.deepEqual(found, expected);
      }
    }
    assert.deepEqual(await owners(store, [print, name]), ['cp-1', 'cp-2']);
  });

  test('that two operators bind at once to two chargers gets one of them', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    for (let round = 0; round < 10; round += 1) {
      const binding: CertificateBinding = { kind: 'serial-number', value: `a${round}` };
      const outcomes = await Promise.all([
        bind(store, cp1, binding),
        bind(other, cp2, binding),
        bind(other, cp1, binding),
        bind(store, cp2, binding),
      ]);
      const [owner, ...others] = await owners(store, [binding]);
      assert.ok(owner !== undefined);
      assert.deepEqual(others, []);
      const [own, foreign] =
        owner === 'cp-1'
          ? [
              [0, 2],
              [1, 3],
            ]
          : [
              [1, 3],
              [0, 2],
            ];
      const at = (indexes: readonly number[]) => indexes.map((index) => outcomes[index]);
      assert.deepEqual(
        at(own)
          .map((outcome) => outcome?.is)
          .sort(),
        ['already', 'bound'],
      );
      const taken = { is: 'taken', by: owner };
      assert.deepEqual(at(foreign), [taken, taken]);
    }
  });

  test('is not bound twice while whoever binds it does other work in the same transaction', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    // Both lock the registry first or last; neither waits for the other in a circle.
    const work = (order: 'lock' | 'bind', id: ChargerId) => async (db: Transaction<Tables>) => {
      if (order === 'lock') await lockRegistry(db);
      const first = await bindCertificate(db, id, name, 1);
      await bindCertificate(db, id, id === cp1 ? serial : print, 1);
      await unbindCertificates(db, id, 2);
      return [first.is, (await bindCertificate(db, id, name, 3)).is];
    };
    const outcomes = await Promise.all([
      store.transact(work('lock', cp1)),
      other.transact(work('bind', cp2)),
    ]);
    assert.deepEqual(outcomes.map(([first]) => first).sort(), ['bound', 'taken']);
    assert.equal((await owners(store, [name])).length, 1);
  });

  test('is kept from a second charger by the database itself', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    const insert = (it: Store, key: string) =>
      it.query((db) =>
        db
          .insertInto('charger_certificate')
          .values({ ...serial, identity_key: key, bound_ms: 1 })
          .execute(),
      );
    const results = await Promise.allSettled([insert(store, 'cp-1'), insert(other, 'cp-2')]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.equal((await owners(store, [serial])).length, 1);
  });
});
