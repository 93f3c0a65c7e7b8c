import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindCertificate } from '../../src/chargers/certificate-bindings.ts';
import type { ChargerOrigin } from '../../src/chargers/charger-entry.ts';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { noteAuthenticated, setPassword } from '../../src/chargers/credentials.ts';
import {
  addCharger,
  findCharger,
  listChargers,
  removeCharger,
  setCharger,
} from '../../src/chargers/registry.ts';
import { changesSince, latestRevision } from '../../src/chargers/registry-changes.ts';
import { quarantineIdentity } from '../../src/chargers/registry-quarantine.ts';
import { enrollCharger, noteReported, noteSeen } from '../../src/chargers/registry-sightings.ts';
import type { Store } from '../../src/store/store.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: the registry does the same on both databases, and keeps its promises when several write.
// Method: each function on an empty database, then side by side with itself and the others.

const id = (text: string): ChargerId => text as ChargerId;
const cp1 = id('CP-1');

const add = (store: Store, charger: ChargerId, settings = {}) =>
  store.transact((db) => addCharger(db, charger, settings, store.nowMs()));
const find = (store: Store, charger: ChargerId) => store.query((db) => findCharger(db, charger));
const seen = (store: Store, charger: ChargerId, atMs: number, origin: ChargerOrigin) =>
  store.query((db) => noteSeen(db, [{ id: charger, origin, atMs }]));
const enroll = (store: Store, charger: ChargerId, max: number) =>
  store.query((db) => enrollCharger(db, charger, max, store.nowMs()));
/** Opens all connections that a store may have, so that what comes next comes at once. */
const warmUp = (store: Store) =>
  Promise.all(Array.from({ length: 8 }, () => store.query(latestRevision)));
const changes = async (store: Store, since: number, limit = 100) => {
  const found = await store.query((db) => changesSince(db, since, limit));
  return found.changes.map(({ revision, identityKey }) => `${revision} ${identityKey}`);
};

describeEachStore('the registry', (open) => {
  test('what was added is found in any spelling', async () => {
    await using opened = await open();
    const { store } = opened;
    assert.equal(await find(store, cp1), undefined);
    assert.equal(await add(store, cp1, { feeder: 'north', pingSeconds: 0, notes: null }), 'added');
    const entry = await find(store, id('cp-1'));
    assert.deepEqual(entry, {
      identity: 'CP-1',
      origin: 'operator',
      settings: { feeder: 'north', pingSeconds: 0 },
      reported: {
        vendor: undefined,
        model: undefined,
        serialNumber: undefined,
        firmware: undefined,
      },
      createdAtMs: store.nowMs(),
      firstSeenAtMs: undefined,
      lastSeenAtMs: undefined,
    });
  });

  test('adding twice changes nothing, and tells nobody', async () => {
    await using opened = await open();
    const { store } = opened;
    await add(store, cp1, { feeder: 'north' });
    assert.equal(await add(store, id('cp-1'), { feeder: 'south' }), 'exists');
    const entry = await find(store, cp1);
    assert.deepEqual([entry?.identity, entry?.settings], ['CP-1', { feeder: 'north' }]);
    assert.deepEqual(await changes(store, 0), ['1 cp-1']);
  });

  test('adding one that came by itself makes it the operator’s, and keeps what was set', async () => {
    await using opened = await open();
    const { store } = opened;
    await seen(store, id('cp-1'), 1000, 'configured');
    await store.transact((db) => setCharger(db, cp1, { vendor: 'V', feeder: 'F' }, 5));
    assert.equal(await add(store, cp1, { feeder: 'G' }), 'added');
    const entry = await find(store, cp1);
    assert.equal(entry?.identity, 'CP-1');
    assert.equal(entry.origin, 'operator');
    assert.deepEqual(entry.settings, { vendor: 'V', feeder: 'G' });
    assert.equal(entry.firstSeenAtMs, 1000);

    await enroll(store, id('CP-2'), 10);
    assert.equal(await add(store, id('CP-2')), 'confirmed');
    assert.equal((await find(store, id('CP-2')))?.origin, 'operator');
  });

  test('setting sets, clears with null, and leaves the rest', async () => {
    await using opened = await open();
    const { store } = opened;
    const set = (change: object, charger = cp1) =>
      store.transact((db) => setCharger(db, charger, change, store.nowMs()));
    assert.equal(await set({ vendor: 'V' }), 'unknown');
    assert.deepEqual(await changes(store, 0), []);
    await add(store, cp1, { vendor: 'V', model: 'M', recordsMessages: true });
    const ruleModes = [{ rule: 'payload', mode: 'monitor', from: 'charger' }];
    assert.equal(await set({ vendor: null, model: undefined, ruleModes }, id('cp-1')), 'changed');
    const { settings } = (await find(store, cp1)) ?? {};
    assert.deepEqual(settings, { model: 'M', recordsMessages: true, ruleModes });
    assert.deepEqual(await changes(store, 0), ['1 cp-1', '2 cp-1']);
  });

  test('settings that two operators change at once are both there', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    await add(store, cp1);
    const keys = ['vendor', 'model', 'firmware', 'feeder', 'notes'] as const;
    await Promise.all(
      keys.map((key, index) =>
        (index % 2 === 0 ? store : other).transact((db) => setCharger(db, cp1, { [key]: key }, 1)),
      ),
    );
    const expected = Object.fromEntries(keys.map((key) => [key, key]));
    assert.deepEqual({ ...(await find(store, cp1))?.settings }, expected);
    assert.equal(await store.query(latestRevision), 6);
  });

  test('of two that add one charger, one adds it', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    const outcomes = await Promise.all([store, other, store, other].map((it) => add(it, cp1)));
    assert.deepEqual(outcomes.sort(), ['added', 'exists', 'exists', 'exists']);
  });

  test('removing takes memory and credentials along, and leaves transactions and claims', async () => {
    await using opened = await open();
    const { store } = opened;
    const remove = () => store.transact((db) => removeCharger(db, id('cp-1'), store.nowMs()));
    assert.equal(await remove(), 'unknown');
    await add(store, cp1);
    await store.transact(async (db) => {
      const key = { identity_key: 'cp-1' };
      await db
        .insertInto('charger_memory')
        .values([
          { ...key, epoch: 1, document: '{}', variables: '[]', updated_ms: 1 },
          { identity_key: 'cp-2', epoch: 1, document: '{}', variables: '[]', updated_ms: 1 },
        ])
        .execute();
      await db
        .insertInto('charger_transaction')
        .values({ ...key, transaction_id: '7', status: 'open', started_ms: 1, document: '{}' })
        .execute();
      await quarantineIdentity(db, cp1, { untilMs: store.nowMs() + 1000, reason: 'R' }, 1);
      for (const charger of [cp1, id('CP-2')]) {
        await setPassword(db, charger, { hash: 'h', origin: 'operator' }, 1);
        const binding = { kind: 'common-name', value: charger } as const;
        await bindCertificate(db, charger, binding, 1);
      }
    });
    assert.equal(await remove(), 'removed');
    assert.equal(await find(store, cp1), undefined);
    const left = await store.query(async (db) => [
      await db.selectFrom('charger_memory').select('identity_key').execute(),
      await db.selectFrom('charger_transaction').select('identity_key').execute(),
      await db.selectFrom('claim').select('identity_key').execute(),
      await db.selectFrom('charger_credential').select('identity_key').execute(),
      await db.selectFrom('charger_certificate').select('identity_key').execute(),
    ]);
    assert.deepEqual(left, [
      [{ identity_key: 'cp-2' }],
      [{ identity_key: 'cp-1' }],
      [{ identity_key: 'cp-1' }],
      [{ identity_key: 'cp-2' }],
      [{ identity_key: 'cp-2' }],
    ]);
  });

  test('removing finds a charger that has nothing but a credential, and tells gateways', async () => {
    await using opened = await open();
    const { store } = opened;
    const remove = () => store.transact((db) => removeCharger(db, id('cp-1'), store.nowMs()));
    await store.transact((db) => setPassword(db, cp1, { hash: 'h', origin: 'operator' }, 1));
    assert.deepEqual([await remove(), await remove()], ['removed', 'unknown']);
    const binding = { kind: 'common-name', value: 'CP-1' } as const;
    await store.transact((db) => bindCertificate(db, cp1, binding, 1));
    assert.deepEqual([await remove(), await remove()], ['removed', 'unknown']);
    assert.equal(await store.query(latestRevision), 4);
  });

  test('removing and what gateways note of the charger do not wait for each other', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    await Promise.all([warmUp(store), warmUp(other)]);
    const note = (profile: 1 | 2) =>
      other.query((db) => noteAuthenticated(db, cp1, { profile, address: '192.0.2.1' }));
    for (let round = 0; round < 10; round += 1) {
      await add(store, cp1);
      await Promise.all([
        note(1),
        store.transact((db) => removeCharger(db, cp1, 1)),
        other.transact((db) => setPassword(db, cp1, { hash: 'h', origin: 'operator' }, 1)),
        note(2),
      ]);
      assert.equal(await find(store, cp1), undefined);
    }
  });

  test('a damaged document, and members of a newer release, survive a change', async () => {
    await using opened = await open();
    const { store } = opened;
    await add(store, cp1, { vendor: 'V' });
    const write = (settings: string) =>
      store.query((db) => db.updateTable('charger').set({ settings }).execute());
    const read = () => store.query((db) => db.selectFrom('charger').select('settings').execute());
    await write('{"vendor":"V","fromTheFuture":{"a":[1]},"feeder":17}');
    assert.deepEqual((await find(store, cp1))?.settings, { vendor: 'V' });
    await store.transact((db) => setCharger(db, cp1, { vendor: null, model: 'M' }, 1));
    const [row] = await read();
    assert.deepEqual(JSON.parse(row?.settings ?? ''), {
      fromTheFuture: { a: [1] },
      feeder: 17,
      model: 'M',
    });
    await write('no JSON');
    assert.deepEqual((await find(store, cp1))?.settings, { requiredSecurityProfile: 3 });
    await store.transact((db) => setCharger(db, cp1, { model: 'M' }, 1));
    assert.deepEqual((await find(store, cp1))?.settings, {
      requiredSecurityProfile: 3,
      model: 'M',
    });
  });

  test('lists by pattern, feeder, origin and page', async () => {
    await using opened = await open();
    const { store } = opened;
    for (const [name, feeder] of [
      ['CP-2', 'north'],
      ['CP-1', 'south'],
      ['DEPOT_1', 'north'],
      ['DEPOTX1', 'north'],
      ['cp-10', 'north'],
      ['A!B', 'north'],
    ] as const) {
      await add(store, id(name), { feeder });
    }
    await enroll(store, id('CP-9'), 10);
    const names = async (query: object) => {
      const found = await store.query((db) => listChargers(db, { limit: 100, ...query }));
      return found.map(({ identity }) => identity);
    };
    assert.deepEqual(await names({}), [
      ...['A!B', 'CP-1', 'cp-10', 'CP-2', 'CP-9'],
      ...['DEPOT_1', 'DEPOTX1'],
    ]);
    assert.deepEqual(await names({ match: 'CP-1*' }), ['CP-1', 'cp-10']);
    assert.deepEqual(await names({ match: '*1' }), ['CP-1', 'DEPOT_1', 'DEPOTX1']);
    assert.deepEqual(await names({ match: 'depot_1' }), ['DEPOT_1']);
    assert.deepEqual(await names({ match: '%' }), []);
    assert.deepEqual(await names({ match: 'a!b' }), ['A!B']);
    assert.deepEqual(await names({ match: '**p-2' }), ['CP-2']);
    assert.deepEqual(await names({ origin: 'enrolled' }), ['CP-9']);
    assert.deepEqual(await names({ feeder: 'south' }), ['CP-1']);
    // The limit counts what is found, not what is looked at.
    assert.deepEqual(await names({ feeder: 'south', limit: 1 }), ['CP-1']);
    assert.deepEqual(await names({ feeder: 'north', limit: 2 }), ['A!B', 'cp-10']);
    assert.deepEqual(await names({ limit: 2, after: id('cp-1') }), ['cp-10', 'CP-2']);
    assert.deepEqual(await names({ limit: 2, after: id('DEPOTX1') }), []);
    assert.deepEqual(await names({ limit: 0 }), []);
  });
});

describeEachStore('chargers that come by themselves', (open) => {
  test('are enrolled once, and not beyond the maximum', async () => {
    await using opened = await open();
    const { store } = opened;
    assert.equal(await enroll(store, cp1, 2), 'enrolled');
    assert.equal(await enroll(store, id('cp-1'), 2), 'known');
    assert.equal(await enroll(store, id('CP-2'), 2), 'enrolled');
    assert.equal(await enroll(store, id('CP-3'), 2), 'full');
    assert.equal(await find(store, id('CP-3')), undefined);
    // Those that are known stay so when it is full; those that an operator added do not count.
    assert.equal(await enroll(store, cp1, 2), 'known');
    await add(store, cp1);
    assert.equal(await enroll(store, cp1, 2), 'known');
    assert.equal(await enroll(store, id('CP-3'), 2), 'enrolled');
    const entry = await find(store, id('CP-3'));
    assert.equal(entry?.origin, 'enrolled');
    assert.equal(entry.firstSeenAtMs, store.nowMs());
    assert.equal(entry.lastSeenAtMs, store.nowMs());
  });

  test('are enrolled though the configuration file admitted them once', async () => {
    await using opened = await open();
    const { store } = opened;
    await seen(store, cp1, 1000, 'configured');
    assert.equal(await enroll(store, cp1, 0), 'full');
    assert.equal(await enroll(store, cp1, 1), 'enrolled');
    const entry = await find(store, cp1);
    assert.deepEqual([entry?.origin, entry?.firstSeenAtMs], ['enrolled', 1000]);
  });

  test('are enrolled once however many connections try', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    await Promise.all([warmUp(store), warmUp(other)]);
    const tries = Array.from({ length: 40 }, (_, index) =>
      enroll(index % 2 === 0 ? store : other, id(`CP-${index % 4}`), 3),
    );
    const outcomes = await Promise.all(tries);
    const enrolled = outcomes.filter((outcome) => outcome === 'enrolled').length;
    const rows = await store.query((db) => listChargers(db, { limit: 100 }));
    assert.equal(rows.length, enrolled);
    assert.ok(enrolled >= 3 && enrolled <= 4, `${enrolled}`);
  });
});

describeEachStore('sightings', (open) => {
  test('keep the first and the last time, in whatever order they come', async () => {
    await using opened = await open();
    const { store } = opened;
    await seen(store, cp1, 2000, 'configured');
    await seen(store, id('cp-1'), 3000, 'configured');
    await seen(store, cp1, 2500, 'configured');
    const entry = await find(store, cp1);
    assert.deepEqual(
      [entry?.identity, entry?.origin, entry?.firstSeenAtMs, entry?.lastSeenAtMs],
      ['CP-1', 'configured', 2000, 3000],
    );
  });

  test('of chargers that an operator has removed make no new entry', async () => {
    await using opened = await open();
    const { store } = opened;
    await add(store, cp1);
    await seen(store, cp1, 1000, 'operator');
    assert.equal((await find(store, cp1))?.firstSeenAtMs, 1000);
    await store.transact((db) => removeCharger(db, cp1, 1));
    await seen(store, cp1, 2000, 'operator');
    assert.equal(await find(store, cp1), undefined);
  });

  test('come by the thousand, some of them twice', async () => {
    await using opened = await open();
    const { store } = opened;
    await add(store, id('CP-3'));
    await add(store, id('CP-4'), { feeder: 'F' });
    const all = Array.from({ length: 12_000 }, (_, index) => ({
      id: id(`${index % 3 === 0 ? 'CP' : 'cp'}-${index % 11_000}`),
      origin: index % 2 === 0 ? ('configured' as const) : ('operator' as const),
      atMs: 1000 + index,
    }));
    await store.query((db) => noteSeen(db, all));
    await store.query((db) => noteSeen(db, []));
    const entries = await store.query((db) => listChargers(db, { limit: 9000 }));
    assert.equal(entries.length, 5501);
    const [third, fourth] = await Promise.all([find(store, id('CP-3')), find(store, id('CP-4'))]);
    // Seen at 3 and 11 003, and at 4 and 11 004: the later one counts.
    assert.deepEqual([third?.firstSeenAtMs, third?.lastSeenAtMs], [12_003, 12_003]);
    assert.deepEqual([fourth?.lastSeenAtMs, fourth?.settings], [12_004, { feeder: 'F' }]);
  });

  test('gateways that note the same chargers in other orders do not block each other', async () => {
    await using opened = await open();
    const { store } = opened;
    const other = await opened.openAnother();
    await Promise.all([warmUp(store), warmUp(other)]);
    const ids = Array.from({ length: 300 }, (_, index) => id(`CP-${index}`));
    const note = (it: Store, list: readonly ChargerId[], origin: ChargerOrigin) =>
      it.query((db) =>
        noteSeen(
          db,
          list.map((charger, index) => ({ id: charger, origin, atMs: 1000 + index })),
        ),
      );
    await Promise.all([
      ...[1, 2, 3].map(() => note(store, ids, 'configured')),
      ...[1, 2, 3].map(() => note(other, ids.toReversed(), 'configured')),
    ]);
    assert.equal((await store.query((db) => listChargers(db, { limit: 1000 }))).length, 300);
  });

  test('what a charger says of itself is bounded, and replaces what it said before', async () => {
    await using opened = await open();
    const { store } = opened;
    await add(store, cp1);
    const report = (reported: object) =>
      store.query((db) =>
        noteReported(db, id('cp-1'), {
          vendor: undefined,
          model: undefined,
          serialNumber: undefined,
          firmware: undefined,
          ...reported,
        }),
      );
    await report({ vendor: 'V\0\ud800', model: 'M', serialNumber: 'S'.repeat(1000) });
    const first = (await find(store, cp1))?.reported;
    assert.deepEqual(first, {
      vendor: 'V\ufffd\ufffd',
      model: 'M',
      serialNumber: 'S'.repeat(128),
      firmware: undefined,
    });
    await report({ firmware: '1.2' });
    assert.deepEqual((await find(store, cp1))?.reported, {
      vendor: undefined,
      model: undefined,
      serialNumber: undefined,
      firmware: '1.2',
    });
  });
});
