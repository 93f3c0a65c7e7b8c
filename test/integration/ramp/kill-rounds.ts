import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Random } from '../../../src/lib/random.ts';
import { openStore, type StoreLocation } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { configFor, portOf, type ServeProcess, serve } from '../../support/serve-process.ts';
import { until } from '../store/exchanges.ts';
import { assertPaced } from './ramp-site.ts';
import {
  assertCounted,
  countedStops,
  type StopAnswer,
  type StopArrival,
  StoppableCar,
  StoppingCsms,
} from './stop-fleet.ts';

/** Where the gateways of one test live, one after the other. */
export interface KillSetting {
  readonly directory: string;
  readonly kills: number;
  /** The `store` section. */
  readonly store: object;
  /** How the store is opened beside a gateway that runs. */
  readonly location: StoreLocation;
}

/** Cars that are stopped in each life. */
const carsPerLife = 3;
/**
 * Stops that may pass in each window of so many milliseconds. The next gateway is there before a window
 * has ended, so that it must know of what the last one sent.
 */
const pace = { budget: 3, intervalMs: 3000 };
/**
 * How long a stop may need from the ledger to its car. The chargers see windows that are distorted by
 * as much: one stop late and the next one in time are closer together than they were sent. With a
 * second of three a slow machine is forgiven, and a gateway that forgets its budget at a kill, or does
 * not keep it, is not: it is back and sends what waits within the window in which the old one did.
 */
const crossingMs = 1000;
/** Within so long all stops of one life have come, on a slow machine. */
const happeningMsMax = 60_000;
/** One life in so many is ended while it starts. */
const startingOneIn = 5;

/**
 * Stops one group of cars after the other, and kills the gateway each time; then lets the last one do
 * what is left.
 *
 * @returns what happened, for whoever reads the results.
 */
export async function killOften(setting: KillSetting, random: Random): Promise<string> {
  await using csms = await StoppingCsms.start();
  await using rounds = new KillRounds(setting, csms, random);
  await rounds.prepare();
  for (let kill = 0; kill < setting.kills; kill += 1) {
    // The first one has work to lose.
    const isStarting = kill > 0 && random.integer(1, startingOneIn) === 1;
    await (isStarting ? rounds.killWhileStarting() : rounds.killWhileStopping());
  }
  await rounds.endInPeace();
  return rounds.check();
}

class KillRounds {
  readonly #setting: KillSetting;
  readonly #csms: StoppingCsms;
  readonly #random: Random;
  readonly #configFile: string;
  readonly #fleet: readonly StoppableCar[];
  readonly #arrivals: StopArrival[] = [];
  /** By the identity of the car, in the order in which the CSMS has sent its stops. */
  readonly #answers = new Map<string, StopAnswer>();
  /** Stops that a gateway had on its way when it was killed. */
  readonly #unclear = new Set<string>();
  readonly #watchers = new Set<() => void>();

  constructor(setting: KillSetting, csms: StoppingCsms, random: Random) {
    this.#setting = setting;
    this.#csms = csms;
    this.#random = random;
    this.#configFile = path.join(setting.directory, 'gatewatt.yaml');
    this.#fleet = Array.from(
      { length: carsPerLife * (setting.kills + 1) },
      (_, index) => new StoppableCar(`CAR-${index}`, (arrival) => this.#arrived(arrival)),
    );
  }

  /** All cars charge, and that is on disk. */
  async prepare(): Promise<void> {
    await writeFile(
      this.#configFile,
      stringify({
        ...configFor({ csms: this.#csms.url }),
        gateway: { id: 'gatewatt', dataDir: 'data', drainSeconds: 1 },
        store: this.#setting.store,
        rampLimit: {
          reply: 'immediate',
          // Entries of the ledger are kept for as long.
          dwellSeconds: 3600,
          unassigned: {
            commandsPerInterval: pace.budget,
            intervalSeconds: pace.intervalMs / 1000,
          },
        },
      }),
    );
    using gateway = await this.#start();
    for (const car of this.#fleet) await car.begin();
    await using store = await opened(this.#setting.location);
    await until(async () => (await openTransactions(store)) === this.#fleet.length);
    await this.#leave();
    await endInPeace(gateway);
  }

  async killWhileStarting(): Promise<void> {
    using gateway = serve(this.#configFile);
    await delay(this.#random.integer(0, 1500));
    await kill(gateway);
  }

  /** The gateway dies after some of its answers, and of the stops that it has sent. */
  async killWhileStopping(): Promise<void> {
    using gateway = await this.#start();
    const happenings = this.#random.integer(1, 2 * carsPerLife);
    const enough = this.#further(happenings);
    const stopping = this.#stopSome();
    await Promise.race([enough, endOf(gateway), tooLong()]);
    await kill(gateway);
    await stopping;
    await this.#leave();
    await this.#noteUnclear();
  }

  /** What is left is done, by a gateway that is asked to end. */
  async endInPeace(): Promise<void> {
    using gateway = await this.#start();
    await using store = await opened(this.#setting.location);
    await this.#stopSome();
    const accepted = [...this.#answers].filter(([, answer]) => answer === 'Accepted');
    await until(async () => {
      // Every car that was stopped has said so: what may have been sent need not rest any longer,
      // and whatever is sent again now is sent once too often.
      await Promise.all(this.#fleet.map((car) => car.reported()));
      await hasten(store);
      const came = new Set(this.#arrivals.map(({ car }) => car));
      return (await heldCars(store)).length === 0 && accepted.every(([car]) => came.has(car));
    });
    await endInPeace(gateway);
  }

  /** Compares what the CSMS was told with what the cars have seen. */
  async check(): Promise<string> {
    const came = this.#arrivals.map(({ car }) => car);
    for (const [car, answer] of this.#answers) {
      const times = came.filter((one) => one === car).length;
      if (answer === 'Accepted') assert.equal(times, 1, `${car} was stopped ${times} times`);
      // The gateway died before it could say anything: it is done, or it is not.
      else assert.ok(answer === 'lost' && times <= 1, `${car}: ${answer}, and ${times} stops`);
    }
    const sent = [...this.#answers.keys()];
    const clear = came.filter((car) => !this.#unclear.has(car));
    assert.deepEqual(
      clear,
      sent.filter((car) => clear.includes(car)),
      'they are released in the order in which they came',
    );
    await using store = await opened(this.#setting.location);
    assertCounted(this.#arrivals, await countedStops(store), pace);
    assertPaced(
      this.#arrivals.map(({ atMs }) => atMs),
      { ...pace, crossingMs },
    );
    const lost = [...this.#answers.values()].filter((answer) => answer === 'lost').length;
    const unclear = this.#unclear.size;
    return `${came.length} stops, ${lost} without an answer, ${unclear} on their way at a kill`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  /** A gateway with all cars, which come back in their order: so that one can be told. */
  async #start(): Promise<ServeProcess> {
    const gateway = serve(this.#configFile);
    try {
      const port = await portOf(gateway);
      for (const car of this.#fleet) await Promise.race([car.connect(port), endOf(gateway)]);
      return gateway;
    } catch (error) {
      gateway[Symbol.dispose]();
      throw error;
    }
  }

  /** One stop after the other, so that it is known which came first. */
  async #stopSome(): Promise<void> {
    const from = this.#answers.size;
    for (const { identity, transactionId } of this.#fleet.slice(from, from + carsPerLife)) {
      this.#answers.set(identity, 'lost');
      this.#answers.set(identity, await this.#csms.stop(identity, transactionId));
      this.#happened();
    }
  }

  async #leave(): Promise<void> {
    await Promise.all(this.#fleet.map((car) => car.leave()));
  }

  async #noteUnclear(): Promise<void> {
    await using store = await opened(this.#setting.location);
    for (const { car, state } of await heldCars(store)) {
      if (state === 'sent') this.#unclear.add(car.toUpperCase());
    }
  }

  #arrived(arrival: StopArrival): void {
    this.#arrivals.push(arrival);
    this.#happened();
  }

  #happened(): void {
    for (const watch of [...this.#watchers]) watch();
  }

  /** Resolves when so many further answers and arrivals have been seen. */
  #further(count: number): Promise<void> {
    return new Promise((resolve) => {
      let left = count;
      const watch = (): void => {
        left -= 1;
        if (left > 0) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
    });
  }
}

async function kill(gateway: ServeProcess): Promise<void> {
  gateway.child.kill('SIGKILL');
  await gateway.exit;
}

async function endInPeace(gateway: ServeProcess): Promise<void> {
  gateway.child.kill('SIGTERM');
  assert.deepEqual(await gateway.exit, { code: 0, signal: null });
}

async function endOf(gateway: ServeProcess): Promise<never> {
  const exit = await gateway.exit;
  throw new Error(`the gateway has ended: ${JSON.stringify(exit)} ${gateway.stderr()}`);
}

/** A gateway that loses commands lets nothing more happen. */
async function tooLong(): Promise<never> {
  await delay(happeningMsMax, undefined, { ref: false });
  throw new Error(`for ${happeningMsMax} ms too little has happened`);
}

async function opened(location: StoreLocation): Promise<Store & AsyncDisposable> {
  const store = await openStore(location, systemClock());
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

async function openTransactions(store: Store): Promise<number> {
  const rows = await store.query((db) =>
    db.selectFrom('charger_transaction').select('status').where('status', '=', 'open').execute(),
  );
  return rows.length;
}

async function heldCars(store: Store): Promise<readonly { car: string; state: string }[]> {
  const rows = await store.query((db) =>
    db.selectFrom('ramp_command').select(['identity_key', 'state']).execute(),
  );
  return rows.map(({ identity_key, state }) => ({ car: identity_key, state }));
}

/** Half a minute passes for the stops that a dead gateway may have sent. */
export async function hasten(store: Store): Promise<void> {
  await store.transact((db) =>
    db
      .updateTable('ramp_command')
      .set({ not_before_ms: 0 })
      .where('state', '=', 'waiting')
      .where('not_before_ms', '>', store.nowMs())
      .execute(),
  );
}
