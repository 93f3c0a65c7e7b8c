import assert from 'node:assert/strict';
import type { ChargerId } from '../../src/chargers/charger-id.ts';
import { Claims } from '../../src/chargers/claims.ts';
import type { GatewayEvent } from '../../src/events/catalogue.ts';
import type { Clock, Timer } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { HeldCommand } from '../../src/ramp-limit/command-rows.ts';
import {
  type Feeder,
  type FeederOptions,
  feedersFromOptions,
  unassignedName,
} from '../../src/ramp-limit/feeders.ts';
import type { LoadChange } from '../../src/ramp-limit/load-change.ts';
import { RampLimiter } from '../../src/ramp-limit/ramp-limiter.ts';
import type { RampOptions } from '../../src/ramp-limit/ramp-options.ts';
import type {
  LoadCommandRequest,
  RampRefusal,
  RampTarget,
  RampVerdict,
  ReleaseOutcome,
} from '../../src/ramp-limit/ramp-target.ts';
import type { Store } from '../../src/store/store.ts';
import type { ManualClock } from './manual-clock.ts';
import { feederOptions } from './ramp-line.ts';
import type { Movement } from './ramp-windows.ts';

/** A grid of the tests: feeders, and what is different about the unassigned chargers. */
export interface TestGrid {
  readonly feeders?: readonly FeederOptions[];
  readonly unassigned?: Partial<FeederOptions>;
}

/** Options of PNNL-35706's two commands in ten seconds, without chance and without dwell time. */
export function rampOptions(
  changes: Partial<RampOptions> = {},
  { feeders = [], unassigned = {} }: TestGrid = {},
): RampOptions {
  return {
    mode: 'enforce',
    reply: 'auto',
    onLongWait: { starts: 'answer', stops: 'answer', limits: 'refuse', others: 'refuse' },
    openMs: 24_000,
    holdMs: 900_000,
    heldMax: 1000,
    heldPerChargerMax: 8,
    dwellMs: 0,
    jitterMs: 0,
    oscillation: { windowMs: 300_000, reversalsMax: 100 },
    load: {
      assumedRatedW: 150_000,
      measuredMsMax: 300_000,
      lineVolts: 230,
      discharge: 'refuse',
      derControls: 'refuse',
    },
    futureSteps: 'shift',
    shiftMsMax: 900_000,
    oversized: 'alone',
    feeders: feedersFromOptions({
      feeders,
      unassigned: { ...feederOptions(unassignedName), ...unassigned },
    }),
    ...changes,
  };
}

/** A start, called by its message id; it counts as one command. */
export function start(name: string, changes: Partial<LoadCommandRequest> = {}): LoadCommandRequest {
  return {
    messageId: name,
    version: 'ocpp1.6',
    action: 'RemoteStartTransaction',
    loadClass: 'start',
    payload: { idTag: 'TAG', connectorId: 1 },
    isReply: false,
    estimate: {
      now: { commandsMilli: 1000, upW: 0, downW: 0 },
      basis: 'rating',
      place: 1,
      swing: 'up',
      later: undefined,
    },
    lane: 'ordinary',
    reason: undefined,
    coalesceKeys: [],
    cancelsOut: undefined,
    shifted: () => undefined,
    ...changes,
  };
}

/** The same, to stop it. */
export function stop(name: string, changes: Partial<LoadCommandRequest> = {}): LoadCommandRequest {
  return start(name, {
    action: 'RemoteStopTransaction',
    loadClass: 'stop',
    payload: { transactionId: 1 },
    estimate: { ...start('').estimate, swing: 'down' },
    ...changes,
  });
}

/** A charging profile. */
export function limit(name: string, changes: Partial<LoadCommandRequest> = {}): LoadCommandRequest {
  return start(name, {
    action: 'SetChargingProfile',
    loadClass: 'limit',
    payload: { connectorId: 1 },
    estimate: { ...start('').estimate, swing: 'none' },
    ...changes,
  });
}

/** A reset: of the class of the others, for which the gateway may answer. */
export function reset(name: string, changes: Partial<LoadCommandRequest> = {}): LoadCommandRequest {
  return start(name, {
    action: 'Reset',
    loadClass: 'reset',
    payload: { type: 'Soft' },
    estimate: { ...start('').estimate, place: undefined, swing: 'down' },
    ...changes,
  });
}

/** What a command does, with something changed. */
export function moving(
  request: LoadCommandRequest,
  now: Partial<LoadChange>,
  more: Partial<LoadCommandRequest['estimate']> = {},
): LoadCommandRequest {
  const { estimate } = request;
  const nothing = { commandsMilli: 0, upW: 0, downW: 0 };
  return { ...request, estimate: { ...estimate, now: { ...nothing, ...now }, ...more } };
}

/** When a gateway dies. */
export interface Life {
  isDead: boolean;
  /** Moments to live: each end of a transaction, and each command sent, is one. */
  momentsLeft: number;
  readonly death: PromiseWithResolvers<void>;
}

/** A moment at which a gateway may die. @returns whether it is dead. */
function hasDied(life: Life): boolean {
  if (!life.isDead && life.momentsLeft <= 0) {
    life.isDead = true;
    life.death.resolve();
  }
  life.momentsLeft -= 1;
  return life.isDead;
}

/** Turns of the event loop without a question to the store, after which nothing is under way. */
const calmTurns = 3;

const never = <Value>(): Promise<Value> => new Promise<Value>(() => {});

/** Something that went to a charger, or to its CSMS. */
export interface Told {
  readonly atMs: number;
  readonly is: 'pass' | 'release' | 'answer' | 'refuse';
  /** The message id of the command. */
  readonly name: string;
  readonly charger: string;
  readonly command: HeldCommand | undefined;
  readonly code: RampRefusal | undefined;
}

/** Longer than any test, by whatever clock. */
const leaseMs = 360_000_000;

/** No two gateways draw the same numbers. */
let seeds = 0;

/** Gateways that pace commands, on one store whose time moves with the clock of the test. */
export class RampBench {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly options: RampOptions;
  readonly gateways: TestGateway[] = [];
  /** All that was sent and said, in order. */
  readonly told: Told[] = [];
  /** What was let through, by feeder. */
  readonly moved = new Map<string, Movement[]>();
  /** Timers of living gateways. */
  readonly timers = new Set<{ readonly dueMs: number }>();

  constructor(
    { clock, store }: { readonly clock: ManualClock; readonly store: Store },
    options: RampOptions = rampOptions(),
  ) {
    this.store = store;
    this.clock = clock;
    this.options = options;
  }

  /** Starts a gateway, beside those of this bench that live. */
  async start(
    changes: Partial<RampOptions> = {},
    store: Store = this.store,
    momentsLeft = Infinity,
  ): Promise<TestGateway> {
    seeds += 2;
    const gateway = new TestGateway(this, { ...this.options, ...changes }, store, seeds);
    this.gateways.push(gateway);
    await gateway.claims.start();
    for (const other of this.living) await other.revive();
    gateway.life.momentsLeft = momentsLeft;
    await Promise.race([gateway.limiter.start(), gateway.life.death.promise]);
    await this.settle();
    return gateway;
  }

  get living(): readonly TestGateway[] {
    return this.gateways.filter(({ life }) => !life.isDead);
  }

  /** Resolves when nothing more happens at this moment. */
  async settle(): Promise<void> {
    for (let round = 0; ; round += 1) {
      await this.#calm();
      const nowMs = this.clock.elapsedMs();
      if (![...this.timers].some(({ dueMs }) => dueMs <= nowMs)) return;
      assert(round < 1000, 'a gateway looks again and again at one moment');
      this.clock.advance(0);
    }
  }

  /** Everything that is under way waits for the clock: nothing asks the store. */
  async #calm(): Promise<void> {
    for (let turns = 0; turns < calmTurns; turns += 1) {
      await new Promise(setImmediate);
      if (this.gateways.some(({ asking }) => asking > 0)) turns = 0;
    }
  }

  /** Moves time on, from one timer to the next. The store gets the time that it needs. */
  async pass(ms: number): Promise<void> {
    const endMs = this.clock.elapsedMs() + ms;
    await this.settle();
    for (;;) {
      const nowMs = this.clock.elapsedMs();
      if (nowMs >= endMs) return;
      const nextMs = Math.min(endMs, ...[...this.timers].map(({ dueMs }) => dueMs));
      this.clock.advance(Math.max(0, nextMs - nowMs));
      await this.settle();
    }
  }

  /** What was told, as `name second` with one of them for each; `is` selects. */
  log(...is: readonly Told['is'][]): readonly string[] {
    return this.told
      .filter((it) => is.length === 0 || is.includes(it.is))
      .map(({ atMs, code, is: what, name }) => {
        return `${what} ${name}${code === undefined ? '' : ` ${code}`} ${atMs / 1000}`;
      });
  }

  /** The names of what was sent to chargers, in order. */
  get sent(): readonly string[] {
    return this.told.filter(({ is }) => is === 'pass' || is === 'release').map(({ name }) => name);
  }

  tell(told: Omit<Told, 'atMs'>): void {
    this.told.push({ ...told, atMs: this.clock.elapsedMs() });
  }

  /** Notes that a charger got a command. */
  move(chain: readonly Feeder[], movement: Omit<Movement, 'atMs'>): void {
    for (const { name } of chain) {
      const list = this.moved.get(name) ?? [];
      list.push({ ...movement, atMs: this.clock.elapsedMs() });
      this.moved.set(name, list);
    }
  }

  /** The commands in the store, in the order of release. */
  commands() {
    return this.store.query((db) =>
      db.selectFrom('ramp_command').selectAll().orderBy('lane_rank').orderBy('sequence').execute(),
    );
  }

  /** The entries of all ledgers, in order of time. */
  entries() {
    return this.store.query((db) =>
      db.selectFrom('ramp_entry').selectAll().orderBy('at_ms').orderBy('feeder').execute(),
    );
  }
}

/** A gateway as far as pacing goes. */
export class TestGateway {
  readonly bench: RampBench;
  readonly options: RampOptions;
  readonly claims: Claims;
  readonly limiter: RampLimiter;
  readonly events: GatewayEvent[] = [];
  readonly life: Life = {
    isDead: false,
    momentsLeft: Infinity,
    death: Promise.withResolvers<void>(),
  };
  /** Transactions so far, and those that the store has not answered yet. */
  transactions = 0;
  asking = 0;

  constructor(bench: RampBench, options: RampOptions, store: Store, seed: number) {
    this.bench = bench;
    this.options = options;
    const claimOptions = {
      gatewayId: 'gw',
      leaseMs,
      takeoversPerHourMax: 1000,
      quarantineMs: 1000,
    };
    this.claims = new Claims(store, claimOptions, seededRandom(seed));
    this.limiter = new RampLimiter(options, {
      store: this.#mortalStore(store),
      clock: this.#mortalClock(),
      random: seededRandom(seed + 1),
      emit: (event) => {
        if (!this.life.isDead) this.events.push(event);
      },
      incarnation: this.claims.incarnation,
    });
  }

  /** Connects a charger. Whoever held it before is gone. */
  async connect(name: string, changes: Partial<TestCharger> = {}): Promise<TestCharger> {
    const charger = Object.assign(new TestCharger(name as ChargerId, this), changes);
    const taken = await this.claims.take(charger.charger);
    if (taken.is === 'held') {
      const outcome = await this.claims.takeOver(charger.charger, taken.by, true);
      assert(outcome.is === 'taken', JSON.stringify(outcome));
    }
    this.limiter.connect(charger);
    await this.bench.settle();
    return charger;
  }

  /** Connects chargers that are called `CP-1` and so on. */
  async connectMany(count: number, changes: Partial<TestCharger> = {}): Promise<TestCharger[]> {
    const chargers: TestCharger[] = [];
    for (let index = 1; index <= count; index += 1) {
      chargers.push(await this.connect(`CP-${index}`, changes));
    }
    return chargers;
  }

  async disconnect(charger: TestCharger): Promise<void> {
    this.limiter.disconnect(charger);
    const epoch = (await this.claims.own()).get(charger.key);
    const { store } = this.bench;
    if (epoch !== undefined) {
      const claim = { charger: charger.charger, epoch };
      await store.transact((db) => this.claims.release(db, [claim]));
    }
    await this.bench.settle();
  }

  /** Its lease holds again: on SQLite, whoever starts ends the leases of all others. */
  async revive(): Promise<void> {
    const { store } = this.bench;
    const expires_ms = store.nowMs() + leaseMs;
    const { incarnation } = this.claims;
    await store.query((db) =>
      db
        .insertInto('gateway_lease')
        .values({ incarnation, gateway_id: 'gw', started_ms: store.nowMs(), expires_ms })
        .onConflict((row) => row.column('incarnation').doUpdateSet({ expires_ms }))
        .execute(),
    );
  }

  /** The process is gone, and its lease with it. */
  async kill(): Promise<void> {
    this.life.momentsLeft = 0;
    hasDied(this.life);
    for (const timer of this.#timers) this.bench.timers.delete(timer);
    const { store } = this.bench;
    await store.query((db) =>
      db
        .updateTable('gateway_lease')
        .set({ expires_ms: store.nowMs() })
        .where('incarnation', '=', this.claims.incarnation)
        .execute(),
    );
  }

  /** The events of one name. */
  eventsOf<Name extends GatewayEvent['name']>(
    name: Name,
  ): readonly Extract<GatewayEvent, { readonly name: Name }>[] {
    return this.events.filter(
      (event): event is Extract<GatewayEvent, { readonly name: Name }> => event.name === name,
    );
  }

  readonly #timers = new Set<{ readonly dueMs: number }>();

  #mortalClock(): Clock {
    const { bench, life } = this;
    return {
      nowMs: () => bench.clock.nowMs(),
      elapsedMs: () => bench.clock.elapsedMs(),
      after: (delayMs, action): Timer => {
        const known = { dueMs: bench.clock.elapsedMs() + Math.max(0, delayMs) };
        const forget = (): void => {
          bench.timers.delete(known);
          this.#timers.delete(known);
        };
        if (!life.isDead) {
          bench.timers.add(known);
          this.#timers.add(known);
        }
        const timer = bench.clock.after(delayMs, () => {
          forget();
          if (!life.isDead) action();
        });
        return {
          cancel: () => {
            forget();
            timer.cancel();
          },
        };
      },
    };
  }

  /** The store, which dies with its gateway: before a transaction, or between it and its answer. */
  #mortalStore(store: Store): Store {
    const { life } = this;
    const mortal =
      <Ask, Result>(run: (ask: Ask) => Promise<Result>) =>
      async (ask: Ask): Promise<Result> => {
        if (hasDied(life)) return never();
        this.transactions += 1;
        this.asking += 1;
        try {
          return await run(ask);
        } finally {
          this.asking -= 1;
          if (hasDied(life)) await never();
        }
      };
    return new Proxy(store, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        const bound = value.bind(target);
        return key === 'transact' || key === 'transactDurably' ? mortal(bound) : bound;
      },
    });
  }
}

/** A charger that does what it is told, as fast as the test wants. */
export class TestCharger implements RampTarget {
  readonly charger: ChargerId;
  readonly #gateway: TestGateway;
  feederSetting: string | undefined;
  isReady = true;
  /** How a command comes out whose caller was answered; undefined for silence. */
  outcome: ReleaseOutcome | undefined = 'as-told';
  /** How long it takes to answer a command, in milliseconds. */
  busyMs = 0;
  /** What a command does by now; undefined for what it did when it came. */
  current: ((command: HeldCommand) => ReturnType<RampTarget['estimate']>) | undefined;

  constructor(charger: ChargerId, gateway: TestGateway) {
    this.charger = charger;
    this.#gateway = gateway;
  }

  get key(): string {
    return this.charger.toLowerCase();
  }

  /** Asks what becomes of a command, and notes what passes. */
  async ask(request: LoadCommandRequest): Promise<RampVerdict> {
    const { bench, life, limiter } = this.#gateway;
    const asked = limiter.request(this, request);
    const verdict = await Promise.race([asked, life.death.promise]);
    if (verdict === undefined) return never();
    const { messageId: name, lane, estimate } = request;
    if (verdict.is === 'pass') {
      this.#tell('pass', name);
      bench.move(this.#chain, { ...estimate.now, lane, id: name });
      this.#beBusy(() => {});
    } else if (verdict.is === 'answered') this.#tell('answer', name);
    else if (verdict.is === 'refused') this.#tell('refuse', name, undefined, verdict.code);
    return verdict;
  }

  /** Asks, and lets happen what happens at once. @returns what becomes of it, in one word or two. */
  async does(request: LoadCommandRequest): Promise<string> {
    const verdict = await this.ask(request);
    await this.#gateway.bench.settle();
    return verdict.is === 'refused' ? `refused ${verdict.code}` : verdict.is;
  }

  /** Says whether it has accepted a command that was not answered for it. */
  confirm(commandId: string, isAccepted: boolean): void {
    this.#gateway.limiter.confirm(this, commandId, isAccepted);
  }

  /** Resolves when nothing more happens at this moment. */
  settle(): Promise<void> {
    return this.#gateway.bench.settle();
  }

  setReady(isReady: boolean): void {
    this.isReady = isReady;
    if (isReady) this.#gateway.limiter.readyAgain(this);
  }

  estimate(command: HeldCommand): ReturnType<RampTarget['estimate']> {
    return this.current === undefined ? command : this.current(command);
  }

  release(command: HeldCommand): void {
    const { bench, life, limiter } = this.#gateway;
    if (hasDied(life)) return;
    this.#tell('release', command.messageId, command);
    bench.move(this.#chain, {
      ...this.estimate(command).now,
      lane: command.lane,
      id: command.messageId,
    });
    const { outcome } = this;
    this.#beBusy(() => {
      if (command.isAnswered && outcome !== undefined) limiter.settle(command, outcome);
    });
  }

  answer(command: HeldCommand): void {
    if (!this.#gateway.life.isDead) this.#tell('answer', command.messageId, command);
  }

  refuse(command: HeldCommand, code: RampRefusal): void {
    // Whoever was answered hears no more of it.
    if (this.#gateway.life.isDead || command.isAnswered) return;
    this.#tell('refuse', command.messageId, command, code);
  }

  get #chain(): readonly Feeder[] {
    return this.#gateway.options.feeders.chainOf(this.charger, this.feederSetting);
  }

  /** Does what it was told, and then says so. */
  #beBusy(sayDone: () => void): void {
    if (this.busyMs === 0) {
      sayDone();
      return;
    }
    this.isReady = false;
    const { bench, life } = this.#gateway;
    const known = { dueMs: bench.clock.elapsedMs() + this.busyMs };
    bench.timers.add(known);
    bench.clock.after(this.busyMs, () => {
      bench.timers.delete(known);
      if (life.isDead) return;
      sayDone();
      this.setReady(true);
    });
  }

  #tell(is: Told['is'], name: string, command?: HeldCommand, code?: RampRefusal): void {
    this.#gateway.bench.tell({ is, name, charger: this.charger, command, code });
  }
}
