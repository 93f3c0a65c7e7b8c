import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PostgresQueryCompiler } from 'kysely';
import { bindCertificate } from '../../src/chargers/certificate-bindings.ts';
import { type CertificateBinding, noCredential } from '../../src/chargers/charger-credential.ts';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { findCredential, noteAuthenticated, setPassword } from '../../src/chargers/credentials.ts';
import { ChargerDirectory } from '../../src/chargers/directory.ts';
import { recordsFromList } from '../../src/chargers/record.ts';
import { addCharger, findCharger, removeCharger } from '../../src/chargers/registry.ts';
import { noteSeen } from '../../src/chargers/registry-sightings.ts';
import type { Queries, Store } from '../../src/store/store.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: whoever knocks is looked up with the same work, known or not, and what is found belongs
// together.
// Method: the SQL that a look-up sends, for identities of all kinds; then the ends of what is found.

const id = (text: string): ChargerId => text as ChargerId;
const binding: CertificateBinding = { kind: 'common-name', value: 'CP-1' };
const configured = recordsFromList([{ id: 'DEPOT-*', vendor: 'V' }]);

/** `store`, and the SQL of each visit to it. After each query `act` is done. */
function watched(
  store: Store,
  act = async (): Promise<void> => {},
): { readonly store: Store; readonly visits: string[][] } {
  const visits: string[][] = [];
  const query = <T>(ask: (db: Queries) => Promise<T>): Promise<T> =>
    store.query((db) => {
      const visit: string[] = [];
      visits.push(visit);
      return ask(
        db.withPlugin({
          transformQuery: ({ node, queryId }) => {
            visit.push(new PostgresQueryCompiler().compileQuery(node, queryId).sql);
            return node;
          },
          transformResult: async ({ result }) => {
            await act();
            return result;
          },
        }),
      );
    });
  // Everything else is that of the store.
  return { store: Object.assign(Object.create(store), { query }) as Store, visits };
}

async function fill(store: Store): Promise<void> {
  await store.transact(async (db) => {
    for (const name of ['CP-1', 'CP-2', 'CP-3']) await addCharger(db, id(name), {}, 1);
    await setPassword(db, id('CP-1'), { hash: 'h', origin: 'operator' }, 1);
    await bindCertificate(db, id('CP-1'), binding, 1);
    await setPassword(db, id('DEPOT-2'), { hash: 'h', origin: 'operator' }, 1);
  });
  const seen = (name: string, profile: 1 | 2) =>
    store.query(async (db) => {
      await noteSeen(db, [{ id: id(name), origin: 'configured', atMs: 1 }]);
      await noteAuthenticated(db, id(name), { profile, address: '192.0.2.1' });
    });
  await seen('CP-3', 2);
  await seen('DEPOT-1', 1);
  await seen('GONE', 1);
}

describeEachStore('the directory', (open) => {
  test('asks the store the same for identities that it knows and that it does not', async () => {
    await using opened = await open();
    await fill(opened.store);
    const { store, visits } = watched(opened.store);
    const directory = new ChargerDirectory(store, configured, 10);
    const names = ['CP-1', 'CP-2', 'CP-3', 'DEPOT-1', 'DEPOT-2', 'DEPOT-3', 'GONE', 'NOBODY'];
    const certificates: readonly (readonly CertificateBinding[] | undefined)[] = [
      undefined,
      [],
      [binding],
      [{ ...binding, value: 'CP-2' }],
      [binding, { kind: 'serial-number', value: '1a' }, { kind: 'fingerprint', value: 'ab' }],
    ];
    for (const name of names) {
      for (const certificate of certificates) await directory.find(id(name), certificate);
    }
    assert.equal(visits.length, names.length * certificates.length);
    assert.equal(visits[0]?.length, 2);
    for (const visit of visits) assert.deepEqual(visit, visits[0]);
  });

  test('finds what there is of each, in any spelling', async () => {
    await using opened = await open();
    const { store } = opened;
    await fill(store);
    const directory = new ChargerDirectory(store, configured, 10);
    const found = await directory.find(id('cp-1'), [binding]);
    assert.deepEqual(found, {
      entry: await store.query((db) => findCharger(db, id('CP-1'))),
      record: { id: 'CP-1' },
      credential: await store.query((db) => findCredential(db, id('CP-1'))),
      certificateOwners: ['cp-1'],
      ownCertificates: [binding],
    });
    assert.equal(found.credential.password?.hash, 'h');
    assert.deepEqual(await directory.find(id('NOBODY'), [binding]), {
      entry: undefined,
      record: undefined,
      credential: noCredential,
      certificateOwners: ['cp-1'],
      ownCertificates: [],
    });
    assert.deepEqual((await directory.find(id('CP-1'))).certificateOwners, []);
    assert.deepEqual((await directory.find(id('CP-2'))).credential, noCredential);
    assert.equal((await directory.find(id('cp-3'))).credential.usedProfile, 2);
    const depot = await directory.find(id('DEPOT-2'));
    assert.deepEqual(
      [depot.entry, depot.record, depot.credential.password?.hash],
      [undefined, { id: 'DEPOT-*', vendor: 'V' }, 'h'],
    );
    const gone = await directory.find(id('GONE'));
    assert.deepEqual([gone.record, gone.credential.usedProfile], [undefined, 1]);
  });

  test('never finds a charger without the password that it was added with', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    const charger = id('CP-1');
    const add = () =>
      other.transact(async (db) => {
        await addCharger(db, charger, {}, 1);
        await setPassword(db, charger, { hash: 'h', origin: 'operator' }, 1);
      });
    for (let queriesBefore = 1; queriesBefore <= 2; queriesBefore += 1) {
      let queries = 0;
      const interrupted = watched(store, async () => {
        queries += 1;
        if (queries === queriesBefore) await add();
      });
      const directory = new ChargerDirectory(interrupted.store, configured, 10);
      const { credential, entry } = await directory.find(charger);
      if (entry !== undefined) assert.equal(credential.password?.hash, 'h');
      assert.equal((await directory.find(charger)).credential.password?.hash, 'h');
      await other.transact((db) => removeCharger(db, charger, 2));
    }
  });

  test('knows nothing of what a charger that was removed authenticated itself with', async () => {
    await using opened = await open();
    const { store } = opened;
    await fill(store);
    const directory = new ChargerDirectory(store, configured, 10);
    const remove = (name: string) => store.transact((db) => removeCharger(db, id(name), 2));
    const others = await directory.find(id('CP-3'));
    assert.equal(await remove('cp-1'), 'removed');
    // It has no entry, because the configuration file admits it, but it has a password.
    assert.equal(await remove('DEPOT-2'), 'removed');
    assert.equal(await remove('DEPOT-2'), 'unknown');
    for (const name of ['CP-1', 'DEPOT-2']) {
      const { certificateOwners, credential } = await directory.find(id(name), [binding]);
      assert.deepEqual([certificateOwners, credential], [[], noCredential]);
    }
    assert.deepEqual(await directory.find(id('CP-3')), others);
    await store.transact((db) => addCharger(db, id('CP-1'), {}, 3));
    assert.deepEqual((await directory.find(id('CP-1'))).credential, noCredential);
  });
});
