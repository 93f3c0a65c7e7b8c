import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type AuditPosition, verifyChain } from '../../../src/audit/verify.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type Random, seededRandom } from '../../../src/lib/random.ts';
import { ownProperty } from '../../../src/ocpp/message.ts';
import { openStore, type StoreLocation } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { configFor, portOf, type ServeProcess, serve } from '../../support/serve-process.ts';
import { describePostgres } from '../../support/stores.ts';
import { run } from '../charger-command/registry-at-work.ts';
import { BusyCharger, refusalKey, startAnsweringCsms, Witness } from './fleet.ts';
import { leaseSeconds, sharedPlace } from './places.ts';

// Goal: a gateway that is killed loses nothing that it has answered for, leaves a database that
//   opens and an audit log that verifies, and locks no charger out for longer than its lease.
// Method: the real command is killed with SIGKILL while fourteen chargers charge and break rules,
//   after a random number of answers or while it starts, many times over one database. Whatever was
//   answered, or seen on disk before, must be there afterwards; and the same chargers must get into
//   the next gateway. GATEWATT_SEED replays the choices of a run, though not the machine's own
//   timing; GATEWATT_KILLS makes it longer.

const chargers = 14;
/** Answers until the kill, at most. */
const answersMax = 600;
/** One round in so many is killed while it starts. */
const startingOneIn = 5;
/** How much the clocks of database and test may differ, in milliseconds. */
const clocksDifferMs = 500;
const chain = 'gatewatt';

const seed = Number(process.env['GATEWATT_SEED'] ?? randomInt(2 ** 31));
const killsWanted = process.env['GATEWATT_KILLS'];

describe('a gateway that is killed', () => {
  test('on SQLite', async (t) => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-killed-'));
    try {
      const location = (isGateway: boolean): StoreLocation => {
        return { type: 'sqlite', directory: path.join(directory, 'data'), isGateway };
      };
      await killOften(t, {
        directory,
        kills: Number(killsWanted ?? 8),
        store: { type: 'sqlite' },
        // The lock of the dead gateway must not stand in the way.
        afterwards: location(true),
        meanwhile: location(false),
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describePostgres('a gateway that is killed', () => {
  test('on PostgreSQL', async (t) => {
    await using place = await sharedPlace();
    const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-killed-'));
    try {
      await killOften(t, {
        directory,
        kills: Number(killsWanted ?? 3),
        store: await place.section(),
        afterwards: place.database.location,
        meanwhile: place.database.location,
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

interface Setting {
  readonly directory: string;
  readonly kills: number;
  /** The `store` section. */
  readonly store: object;
  /** How the store is opened once the gateway is dead, and while it runs. */
  readonly afterwards: StoreLocation;
  readonly meanwhile: StoreLocation;
}

async function killOften(t: TestContext, setting: Setting): Promise<void> {
  t.diagnostic(`${setting.kills} kills, GATEWATT_SEED=${seed}`);
  const random = seededRandom(seed);
  const witness = new Witness();
  await using csms = await startAnsweringCsms(witness);
  const rounds = new Rounds(setting, witness, await writeConfig(setting, csms.url), random);
  try {
    for (let kill = 0; kill < setting.kills; kill += 1) {
      // The first round always has load, so that there is something to lose.
      const isStarting = kill > 0 && random.integer(1, startingOneIn) === 1;
      await (isStarting ? rounds.killWhileStarting() : rounds.killUnderLoad());
      await rounds.check();
    }
    await rounds.endInPeace();
  } catch (error) {
    throw new Error(`with GATEWATT_SEED=${seed}: ${(error as Error).message}`, { cause: error });
  }
  t.diagnostic(
    `answered for: ${[...witness.refusals.values()].reduce((a, b) => a + b, 0)} refusals`,
  );
}

async function writeConfig({ directory, store }: Setting, csms: string): Promise<string> {
  const base = configFor({ csms, drainSeconds: 1 }) as Readonly<Record<string, object>>;
  const file = path.join(directory, 'gatewatt.yaml');
  const config = {
    ...base,
    gateway: { id: chain, dataDir: 'data', drainSeconds: 1 },
    store,
    chargers: { unknown: 'enroll', probeSeconds: 1 },
  };
  await writeFile(file, stringify(config));
  return file;
}

/** What was seen in the database while a gateway ran. Whatever was committed stays. */
interface Sight {
  readonly head: AuditPosition | undefined;
  /** Status by charger and id. */
  readonly transactions: ReadonlyMap<string, string>;
}

class Rounds {
  readonly #setting: Setting;
  readonly #witness: Witness;
  readonly #configFile: string;
  readonly #random: Random;
  readonly #fleet: readonly BusyCharger[];
  /** Chargers that a command said it had added. */
  readonly #added: string[] = [];
  #sight: Sight = { head: undefined, transactions: new Map() };
  /** When the lease of the last gateway that was killed ends, by the time of the store. */
  #leaseEndsMs = 0;

  constructor(setting: Setting, witness: Witness, configFile: string, random: Random) {
    this.#setting = setting;
    this.#witness = witness;
    this.#configFile = configFile;
    this.#random = random;
    this.#fleet = Array.from(
      { length: chargers },
      (_, index) => new BusyCharger(index, witness, seededRandom(seed + index)),
    );
  }

  async killWhileStarting(): Promise<void> {
    using gateway = serve(this.#configFile);
    await delay(this.#random.integer(0, 1500));
    gateway.child.kill('SIGKILL');
    await gateway.exit;
  }

  async killUnderLoad(): Promise<void> {
    using gateway = serve(this.#configFile);
    const port = await portOf(gateway);
    await using store = await opened(this.#setting.meanwhile);
    const stop = new AbortController();
    const doing = [
      ...this.#fleet.map((charger) => charger.work(port, this.#mayRetry(store))),
      this.#addChargers(stop.signal),
      this.#look(store, stop.signal),
    ];
    const failure = Promise.all(doing).then(() => {
      throw new Error('the chargers have left');
    });
    const ended = gateway.exit.then(() => {
      throw new Error(`the gateway has ended by itself: ${gateway.stderr()}`);
    });
    const answered = this.#witness.further(this.#random.integer(1, answersMax));
    try {
      await Promise.race([answered, failure, ended]);
    } finally {
      gateway.child.kill('SIGKILL');
      stop.abort();
      await Promise.allSettled([...doing, failure, ended]);
    }
    // What failed at the last moment counts as well.
    await Promise.all(doing);
  }

  /** A dead gateway holds its chargers as long as its lease; on SQLite, nobody waits for it. */
  #mayRetry(store: Store) {
    let askedAtMs = store.nowMs();
    return async ({ status }: { readonly status: number | undefined }): Promise<boolean> => {
      // The gateway is gone.
      if (status === undefined) return false;
      assert.equal(status, 409);
      assert.ok(
        askedAtMs < this.#leaseEndsMs + clocksDifferMs,
        'a charger is locked out after the lease of the dead gateway',
      );
      await delay(100);
      askedAtMs = store.nowMs();
      return true;
    };
  }

  /** An operator at work, beside the gateway. */
  async #addChargers(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const identity = `ADDED-${this.#added.length}`;
      const { code, stderr } = await run('add', identity, '-c', this.#configFile);
      assert.equal(code, 0, stderr);
      this.#added.push(identity);
    }
  }

  /** Looks at what is on disk, again and again. */
  async #look(store: Store, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      this.#sight = await sightOf(store);
      await delay(20);
    }
  }

  /** Compares what was answered for with what is there. */
  async check(): Promise<void> {
    const witness = this.#witness;
    await using store = await opened(this.#setting.afterwards);
    const verdict = await verifyChain(store, chain, { expected: this.#sight.head });
    assert.ok(verdict?.ok, JSON.stringify(verdict));

    const recorded = await recordedRefusals(store);
    for (const [key, count] of witness.refusals) {
      const inLog = recorded.get(key) ?? 0;
      assert.ok(inLog >= count, `${key}: ${count} answered, ${inLog} in the audit log`);
    }
    const { transactions } = await sightOf(store);
    for (const [key, status] of this.#sight.transactions) {
      assert.ok(transactions.has(key), `the transaction ${key} was on disk`);
      if (status === 'ended') assert.equal(transactions.get(key), 'ended', key);
    }
    const registered = await column(store, 'charger', 'identity');
    for (const identity of [...this.#added, ...witness.connections.keys()]) {
      assert.ok(registered.includes(identity), `${identity} is in the registry`);
    }
    const claims = await store.query((db) => db.selectFrom('claim').selectAll().execute());
    for (const [identity, count] of witness.connections) {
      const epoch = claims.find((it) => it.identity_key === identity.toLowerCase())?.epoch ?? 0;
      assert.ok(epoch >= count, `${identity}: connected ${count} times, claimed ${epoch} times`);
    }
    const leases = await store.query((db) =>
      db.selectFrom('gateway_lease').select('expires_ms').execute(),
    );
    this.#leaseEndsMs =
      store.kind === 'sqlite' ? 0 : Math.max(0, ...leases.map((it) => it.expires_ms));
    assert.ok(this.#leaseEndsMs <= store.nowMs() + leaseSeconds * 1000 + clocksDifferMs);
    assert.deepEqual(witness.surprises, []);
  }

  /** All chargers get in once more, and a gateway that is asked to end leaves nothing behind. */
  async endInPeace(): Promise<void> {
    // The lease of a gateway that was killed only now still runs.
    const ofTheDead = await this.#incarnations();
    using gateway = serve(this.#configFile);
    const port = await portOf(gateway);
    const before = new Map(this.#witness.connections);
    await using store = await opened(this.#setting.meanwhile);
    const working = this.#fleet.map((charger) => charger.work(port, this.#mayRetry(store)));
    const isEverybodyIn = (): boolean =>
      this.#fleet.every(
        ({ identity }) =>
          (this.#witness.connections.get(identity) ?? 0) > (before.get(identity) ?? 0),
      );
    while (!isEverybodyIn()) {
      await Promise.race([this.#witness.further(1), endOf(gateway)]);
    }
    gateway.child.kill('SIGTERM');
    assert.deepEqual(await gateway.exit, { code: 0, signal: null });
    await Promise.all(working);
    await this.check();
    const holders = await column(store, 'claim', 'incarnation');
    assert.deepEqual(new Set(holders), new Set([null]));
    const left = await column(store, 'gateway_lease', 'incarnation');
    assert.deepEqual(
      left.filter((incarnation) => !ofTheDead.has(incarnation)),
      [],
    );
  }

  async #incarnations(): Promise<ReadonlySet<unknown>> {
    await using store = await opened(this.#setting.afterwards);
    return new Set(await column(store, 'gateway_lease', 'incarnation'));
  }
}

async function endOf(gateway: ServeProcess): Promise<never> {
  const exit = await gateway.exit;
  throw new Error(`the gateway has ended: ${JSON.stringify(exit)} ${gateway.stderr()}`);
}

async function opened(location: StoreLocation): Promise<Store & AsyncDisposable> {
  const store = await openStore(location, systemClock());
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

async function sightOf(store: Store): Promise<Sight> {
  const ends = await store.query((db) =>
    db.selectFrom('audit_chain').selectAll().where('chain', '=', chain).executeTakeFirst(),
  );
  const rows = await store.query((db) =>
    db
      .selectFrom('charger_transaction')
      .select(['identity_key', 'transaction_id', 'status'])
      .execute(),
  );
  return {
    head:
      ends === undefined || ends.head_sequence === 0
        ? undefined
        : { sequence: ends.head_sequence, hash: ends.head_hash },
    transactions: new Map(
      rows.map((row) => [`${row.identity_key} ${row.transaction_id}`, row.status]),
    ),
  };
}

async function recordedRefusals(store: Store): Promise<ReadonlyMap<string, number>> {
  const rows = await store.query((db) =>
    db
      .selectFrom('audit_record')
      .select(['charger', 'document'])
      .where('event', '=', 'FrameRefused')
      .execute(),
  );
  const counts = new Map<string, number>();
  for (const { charger, document } of rows) {
    const fields: unknown = JSON.parse(document);
    const [from, action] = [ownProperty(fields, 'from'), ownProperty(fields, 'action')];
    const key = refusalKey(String(charger), String(from), String(action));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

async function column(
  store: Store,
  table: 'charger' | 'claim' | 'gateway_lease',
  name: 'identity' | 'incarnation',
): Promise<readonly unknown[]> {
  const rows = await store.query((db) => db.selectFrom(table).selectAll().execute());
  return rows.map((row) => ownProperty(row, name));
}
