import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { bindingsOf } from '../../src/chargers/certificate-bindings.ts';
import { noCredential } from '../../src/chargers/charger-credential.ts';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { findCredential, noteAuthenticated } from '../../src/chargers/credentials.ts';
import { migrateToLatest, migrations } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open-store.ts';
import { postgresDialect } from '../../src/store/postgres-dialect.ts';
import { sqliteDialect } from '../../src/store/sqlite-dialect.ts';
import { SqliteThread } from '../../src/store/sqlite-thread.ts';
import type { Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { manualClock } from '../support/manual-clock.ts';
import {
  describePostgres,
  type EmptyDatabase,
  emptyPostgres,
  emptySqlite,
} from '../support/stores.ts';

// Goal: the tables of any release become those of this one, and nothing of what is in them is lost;
// those of a newer release are left alone.
// Method: both databases, from every point at which a gateway may find or leave them.

const names = Object.keys(migrations);

function suite(empty: () => Promise<EmptyDatabase>): void {
  test('an empty database gets every table, and a second start changes nothing', async () => {
    await using database = await empty();
    for (let start = 0; start < 2; start += 1) {
      await using store = await opened(database);
      assert.deepEqual(await migrationsIn(store.db), names);
      assert.deepEqual(await tablesOf(store.db), tableNames);
    }
  });

  for (const [index, name] of names.slice(0, -1).entries()) {
    test(`the tables of ${name} are brought up to date, and keep their rows`, async () => {
      await using database = await empty();
      {
        await using bare = await bareDatabase(database);
        await migrateToLatest(bare.db, name);
        assert.deepEqual(await migrationsIn(bare.db), names.slice(0, index + 1));
        await bare.db.insertInto('charger').values(charger).execute();
        await bare.db.insertInto('counter').values({ name: 'a', value: 3e9 }).execute();
      }
      await using store = await opened(database);
      assert.deepEqual(await migrationsIn(store.db), names);
      assert.deepEqual(await tablesOf(store.db), tableNames);
      assert.deepEqual(await store.db.selectFrom('charger').selectAll().execute(), [charger]);
      assert.deepEqual(await store.db.selectFrom('counter').selectAll().execute(), [
        { name: 'a', value: 3e9 },
      ]);
    });
  }

  test('credentials come to chargers that had none, and change nothing of what was there', async () => {
    await using database = await empty();
    await using store = await brought(database, '0002-audit', rowsBeforeCredentials);
    assert.deepEqual(await findCredential(store.db, cp1), noCredential);
    assert.deepEqual(await bindingsOf(store.db, cp1), []);
    const address = '192.0.2.1';
    const before = await noteAuthenticated(store.db, cp1, { profile: 1, address });
    assert.deepEqual([before, (await findCredential(store.db, cp1)).usedProfile], [0, 1]);
  });

  test('load changes come to gateways that held none, and change nothing of what was there', async () => {
    await using database = await empty();
    await using store = await brought(database, '0003-credentials', rowsBeforeRamp);
    assert.deepEqual(await read(store.db, rampRows), {
      ramp_command: [],
      ramp_entry: [],
      ramp_fall: [],
      ramp_feeder: [],
    });
    await write(store.db, rampRows);
    assert.deepEqual(await read(store.db, rampRows), inLists(rampRows));
  });

  test('one feeder has one state, one place falls once, and no two commands have one id', async () => {
    await using database = await empty();
    await using store = await opened(database);
    await write(store.db, rampRows);
    const { ramp_command, ramp_entry, ramp_fall, ramp_feeder } = rampRows;
    await assert.rejects(write(store.db, { ramp_command }), /unique/i);
    await assert.rejects(write(store.db, { ramp_entry }), /unique/i);
    await assert.rejects(write(store.db, { ramp_fall }), /unique/i);
    await assert.rejects(write(store.db, { ramp_feeder }), /unique/i);
    await write(store.db, { ramp_fall: { ...ramp_fall, place: 1 } });
    await write(store.db, { ramp_fall: { ...ramp_fall, identity_key: 'cp-2' } });
  });

  test('nonces come to gateways that knew none, and each counts once for a charger', async () => {
    await using database = await empty();
    const before = { ...rowsBeforeRamp, ...rampRows };
    await using store = await brought(database, '0004-ramp', before);
    assert.deepEqual(await read(store.db, signatureRows), { signature_nonce: [] });
    await write(store.db, signatureRows);
    assert.deepEqual(await read(store.db, signatureRows), inLists(signatureRows));
    await assert.rejects(write(store.db, signatureRows), /unique/i);
    const { signature_nonce } = signatureRows;
    await write(store.db, { signature_nonce: { ...signature_nonce, identity_key: 'cp-2' } });
  });

  test('one charger has one credential, and one certificate has one charger', async () => {
    await using database = await empty();
    await using store = await opened(database);
    const credential = { identity_key: 'cp-1', used_profile: 0, fallbacks: 0 };
    const addCredential = () =>
      store.db.insertInto('charger_credential').values(credential).execute();
    await addCredential();
    await assert.rejects(addCredential(), /unique/i);
    const certificate = { kind: 'common-name', value: 'CP-1', bound_ms: 1 };
    const bind = (key: string, more: object = {}) =>
      store.db
        .insertInto('charger_certificate')
        .values({ ...certificate, identity_key: key, ...more })
        .execute();
    await bind('cp-1');
    await assert.rejects(bind('cp-1'), /unique/i);
    await assert.rejects(bind('cp-2'), /unique/i);
    await bind('cp-2', { kind: 'serial-number' });
    await bind('cp-1', { value: 'CP-2' });
  });

  test('several who start at once on an empty database all succeed', async () => {
    await using database = await empty();
    const stores = await Promise.all(
      Array.from({ length: 4 }, () => openStore(database.visitorLocation, manualClock())),
    );
    await using bare = await bareDatabase(database);
    assert.deepEqual(await migrationsIn(bare.db), names);
    await Promise.all(stores.map((store) => store.close()));
  });

  test('tables of a newer release are refused by its name, and stay as they are', async () => {
    await using database = await empty();
    await (await openStore(database.location, manualClock())).close();
    await using bare = await bareDatabase(database);
    await sql`insert into kysely_migration (name, timestamp)
      values ('9999-future', '2099-01-01T00:00:00.000Z')`.execute(bare.db);
    await sql`drop table quarantined_frame`.execute(bare.db);
    const before = await tablesOf(bare.db);
    await assert.rejects(openStore(database.visitorLocation, manualClock()), {
      name: 'StoreError',
      failure: 'newer-schema',
      message: /made by a newer release \(9999-future\); run that release, or restore a backup/,
    });
    assert.deepEqual(await tablesOf(bare.db), before);
    assert.deepEqual(await migrationsIn(bare.db), [...names, '9999-future']);
  });

  test('a migration that fails half-way leaves the tables of before, and may be tried again', async () => {
    await using database = await empty();
    await using bare = await bareDatabase(database);
    await migrateToLatest(bare.db);
    const before = await tablesOf(bare.db);
    let isBroken = true;
    const more: Readonly<Record<string, Migration>> = {
      ...migrations,
      '0998-good': { up: (db) => db.schema.createTable('good').addColumn('a', 'text').execute() },
      '0999-bad': {
        async up(db: Kysely<unknown>) {
          await db.schema.createTable('bad').addColumn('a', 'text').execute();
          await sql`alter table charger add column extra text`.execute(db);
          if (isBroken) await sql`insert into no_such_table values (1)`.execute(db);
        },
      },
    };
    await assert.rejects(migrateToLatest(bare.db, undefined, more), /no_such_table/);
    assert.deepEqual(await tablesOf(bare.db), before);
    assert.deepEqual(await migrationsIn(bare.db), names);
    await (await openStore(database.visitorLocation, manualClock())).close();
    isBroken = false;
    await migrateToLatest(bare.db, undefined, more);
    assert.deepEqual(await migrationsIn(bare.db), [...names, '0998-good', '0999-bad']);
  });
}

describe('migrations (SQLite)', () => suite(emptySqlite));
describePostgres('migrations (PostgreSQL)', () => suite(emptyPostgres));

const charger = {
  identity_key: 'cp-1',
  identity: 'CP-1',
  origin: 'operator',
  settings: '{"note":"Zähler 🔌"}',
  reported_vendor: 'vendor',
  reported_model: null,
  reported_serial: null,
  reported_firmware: null,
  created_ms: Date.UTC(2026, 0, 1),
  first_seen_ms: null,
  last_seen_ms: 2 ** 40,
};

const cp1 = 'CP-1' as ChargerId;

/** A row for each table of `0002-audit`. */
const rowsBeforeCredentials = {
  audit_chain: {
    chain: 'G',
    base_sequence: 0,
    base_hash: 'a',
    head_sequence: 1,
    head_hash: 'b',
  },
  audit_record: {
    chain: 'G',
    sequence: 1,
    at_ms: 2 ** 40,
    event: 'ChargerAdded',
    charger: 'CP-1',
    document: '{}',
    hash: 'b',
  },
  charger,
  charger_change: { revision: 1, identity_key: 'cp-1', at_ms: 2 ** 40 },
  charger_memory: {
    identity_key: 'cp-1',
    epoch: 3,
    document: '{"boot":"Accepted"}',
    variables: '[]',
    updated_ms: 2 ** 40,
  },
  charger_transaction: {
    identity_key: 'cp-1',
    transaction_id: '7',
    status: 'open',
    started_ms: 2 ** 40,
    ended_ms: null,
    document: '{}',
  },
  claim: {
    identity_key: 'cp-1',
    epoch: 3,
    incarnation: 'I',
    claimed_ms: 2 ** 40,
    alive_ms: null,
    takeovers: 1,
    takeovers_since_ms: 2 ** 40,
    quarantined_until_ms: null,
    quarantine_reason: null,
  },
  claim_notice: {
    id: 'N',
    incarnation: 'I',
    identity_key: 'cp-1',
    epoch: 3,
    kind: 'probe',
    at_ms: 2 ** 40,
  },
  counter: { name: 'charger-change', value: 1 },
  gateway_lease: { incarnation: 'I', gateway_id: 'G', started_ms: 1, expires_ms: 2 ** 40 },
  quarantined_frame: {
    id: 'Q',
    at_ms: 2 ** 40,
    gateway_id: 'G',
    identity_key: 'cp-1',
    charger: 'CP-1',
    finding: '{}',
    frame: '"[]"',
    frame_bytes: 4,
  },
} satisfies Omit<Tables, CredentialTable | RampTable | SignatureTable>;

type CredentialTable = 'charger_certificate' | 'charger_credential';
type SignatureTable = 'signature_nonce';
type RampTable = 'ramp_command' | 'ramp_entry' | 'ramp_fall' | 'ramp_feeder';

/** A row for each table of `0003-credentials`. */
const rowsBeforeRamp = {
  ...rowsBeforeCredentials,
  charger_certificate: {
    kind: 'common-name',
    value: 'CP-1',
    identity_key: 'cp-1',
    bound_ms: 2 ** 40,
  },
  charger_credential: {
    identity_key: 'cp-1',
    used_profile: 2,
    candidate_profile: null,
    candidate_since_ms: null,
    fallbacks: 0,
    password_hash: 'scrypt',
    password_origin: 'operator',
    password_set_ms: 2 ** 40,
    password_form: null,
    next_hash: null,
    next_origin: null,
    next_state: null,
    next_since_ms: null,
    default_retired_ms: null,
    rotation_requested_ms: null,
    rotation_outcome: null,
    rotation_outcome_ms: null,
    csms_password: null,
    last_address: '192.0.2.1',
  },
} satisfies Omit<Tables, RampTable | SignatureTable>;

/** A row for each table of `0004-ramp`, with what is largest and smallest in it. */
const rampRows = {
  ramp_command: {
    id: 'C',
    sequence: 2 ** 40,
    lane_rank: 2,
    identity_key: 'cp-1',
    charger: 'CP-1',
    feeder: 'Nördliche Straße',
    version: 'ocpp1.6',
    action: 'RemoteStartTransaction',
    load_class: 'start',
    payload: '{"idTag":"🔌"}',
    message_id: 'M',
    is_reply: 0,
    incarnation: 'I',
    state: 'waiting',
    is_answered: 1,
    on_long_wait: 'answer',
    arrived_ms: 2 ** 40,
    not_before_ms: 2 ** 40,
    answer_by_ms: 2 ** 40,
    expires_ms: 2 ** 40,
    sent_ms: null,
    place: null,
    swing: 'up',
    basis: 'rating',
    commands_milli: 1000,
    up_w: 1e12,
    down_w: 0,
    coalesce_keys: '[]',
    reason: null,
  },
  ramp_entry: {
    id: 'E',
    feeder: 'Nördliche Straße',
    at_ms: 2 ** 40,
    kind: 'release',
    identity_key: 'cp-1',
    command_id: 'C',
    commands_milli: 1,
    up_w: 1e12,
    down_w: 0,
  },
  ramp_fall: { identity_key: 'cp-1', place: -1, at_ms: 2 ** 40, rose_ms: 0 },
  ramp_feeder: { name: 'Nördliche Straße', state: '{}' },
} satisfies Pick<Tables, RampTable>;

/** A row for each table of `0005-signatures`. */
const signatureRows = {
  signature_nonce: { identity_key: 'cp-1', nonce: 'x'.repeat(64), issued_ms: 2 ** 40 },
} satisfies Pick<Tables, SignatureTable>;

type Rows = Readonly<Partial<Record<keyof Tables, object>>>;

/** Writes a row into each table. */
async function write(db: Kysely<Tables>, rows: Rows): Promise<void> {
  for (const [name, row] of Object.entries(rows)) {
    await db
      .insertInto(name as keyof Tables)
      .values(row)
      .execute();
  }
}

/** All rows of the tables of `rows`. */
async function read(db: Kysely<Tables>, rows: Rows): Promise<Record<string, readonly object[]>> {
  const found: Record<string, readonly object[]> = {};
  for (const name of Object.keys(rows)) {
    found[name] = await db
      .selectFrom(name as keyof Tables)
      .selectAll()
      .execute();
  }
  return found;
}

/** A database of the release that ended with `migration`, with a row in each table, brought up to date. */
async function brought(database: EmptyDatabase, migration: string, rows: Rows): Promise<Bare> {
  {
    await using bare = await bareDatabase(database);
    await migrateToLatest(bare.db, migration);
    await write(bare.db, rows);
    assert.deepEqual(await read(bare.db, rows), inLists(rows));
  }
  const store = await opened(database);
  assert.deepEqual(await read(store.db, rows), inLists(rows));
  return store;
}

/** Each row as the only one of its table. */
function inLists(rows: Readonly<Record<string, object>>): Record<string, readonly object[]> {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, [row]]));
}

/** All tables of this release. */
const tableNames = Object.keys({
  audit_chain: true,
  audit_record: true,
  charger: true,
  charger_certificate: true,
  charger_change: true,
  charger_credential: true,
  charger_memory: true,
  charger_transaction: true,
  claim: true,
  claim_notice: true,
  counter: true,
  gateway_lease: true,
  quarantined_frame: true,
  ramp_command: true,
  ramp_entry: true,
  ramp_fall: true,
  ramp_feeder: true,
  signature_nonce: true,
} satisfies Record<keyof Tables, true>).sort();

interface Bare {
  readonly db: Kysely<Tables>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The database as `openStore` leaves it. */
async function opened({ location }: EmptyDatabase): Promise<Bare> {
  const store: Store = await openStore(location, manualClock());
  const bare = await bareDatabase({ location });
  return {
    db: bare.db,
    [Symbol.asyncDispose]: async () => {
      await bare[Symbol.asyncDispose]();
      await store.close();
    },
  };
}

/** The database without a store: nothing is migrated. */
async function bareDatabase({ location }: Pick<EmptyDatabase, 'location'>): Promise<Bare> {
  if (location.type === 'postgres') {
    const timeouts = { connectMs: 5000, queryMs: 5000 };
    const db = new Kysely<Tables>({ dialect: postgresDialect(location.url, timeouts) });
    return { db, [Symbol.asyncDispose]: () => db.destroy() };
  }
  const thread = new SqliteThread({
    file: path.join(location.directory, 'gatewatt.sqlite'),
    lockFile: undefined,
  });
  await thread.open();
  const db = new Kysely<Tables>({ dialect: sqliteDialect(thread) });
  return { db, [Symbol.asyncDispose]: () => thread.close() };
}

async function tablesOf(db: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables();
  return tables.map(({ name }) => name).sort();
}

async function migrationsIn(db: Kysely<Tables>): Promise<readonly string[]> {
  const { rows } = await sql<{
    name: string;
  }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}
