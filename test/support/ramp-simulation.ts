import fc from 'fast-check';
import { type RampLane, rampLanes } from '../../src/ramp-limit/feeder-state.ts';
import {
  type Feeder,
  type FeederOptions,
  feedersFromOptions,
} from '../../src/ramp-limit/feeders.ts';
import {
  dimensions,
  Ledger,
  type LedgerEntry,
  type Limits,
  type OversizedPolicy,
} from '../../src/ramp-limit/ledger.ts';
import type { LoadChange } from '../../src/ramp-limit/load-change.ts';
import {
  othersMayTakeMs,
  type Plan,
  type PlannedCommand,
  type Presence,
  plan,
} from '../../src/ramp-limit/plan.ts';
import { limitOf, type Movement, overfullWindows } from './ramp-windows.ts';

/** A command, and all that will happen to its charger. */
export interface SimulatedCommand {
  readonly arrivesAtMs: number;
  readonly charger: number;
  readonly lane: RampLane;
  readonly now: LoadChange;
  readonly swing: PlannedCommand['swing'];
  readonly place: number | undefined;
  readonly jitterMs: number;
}

/** A charger from some moment on. */
export interface SimulatedPresence {
  readonly atMs: number;
  readonly charger: number;
  readonly is: 'here' | 'busy' | 'away';
}

/** A grid, and what happens there. */
export interface Scenario {
  readonly feeders: readonly FeederOptions[];
  readonly oversized: OversizedPolicy;
  /** For each charger, its feeder and the gateway that it is connected to. */
  readonly chargers: readonly { readonly feeder: number; readonly gateway: number }[];
  readonly commands: readonly SimulatedCommand[];
  readonly presences: readonly SimulatedPresence[];
  readonly dwellMs: number;
}

const chargersMax = 6;
const horizonMs = 60_000;
/** What never fits is given up after so long. */
const holdMs = 120_000;

const milli = fc.constantFrom(0, 1, 50, 300, 500, 999, 1000, 1000, 1000);
const watts = fc.constantFrom(0, 0, 1, 1400, 3700, 7400, 11_000, 22_000, 50_000);
const change: fc.Arbitrary<LoadChange> = fc
  .tuple(milli, watts, watts)
  .map(([commandsMilli, upW, downW]) => ({ commandsMilli, upW, downW }));

/** A budget, and what it has above it: a reserve, and perhaps a ceiling. */
const budget = (amounts: fc.Arbitrary<number>) =>
  fc.record({
    budget: fc.option(amounts, { nil: undefined, freq: 4 }),
    reserve: fc.oneof(fc.constant(0), amounts),
    above: fc.option(amounts, { nil: undefined, freq: 1 }),
  });
const count = budget(fc.constantFrom(300, 1000, 1500, 2000, 2001, 5000));
const power = budget(fc.constantFrom(1000, 7400, 11_000, 30_001, 60_000));

const budgets = fc
  .tuple(fc.constantFrom(1000, 5000, 10_000, 17_001), count, power, power)
  .map(([intervalMs, commandsMilli, upW, downW]) => {
    const each = { commandsMilli, upW, downW };
    const of = (take: (one: typeof upW) => number | undefined): Limits => ({
      commandsMilli: take(each.commandsMilli),
      upW: take(each.upW),
      downW: take(each.downW),
    });
    return {
      intervalMs,
      budget: of((one) => one.budget),
      ceiling: of(({ above, budget: paced }) =>
        above === undefined ? undefined : above + (paced ?? 0),
      ),
      reserve: {
        commandsMilli: commandsMilli.reserve,
        upW: upW.reserve,
        downW: downW.reserve,
      },
    };
  });

/** Up to three levels: a feeder is a part of one of the two before it, or of none. */
const feeders = fc
  .array(fc.tuple(budgets, fc.integer({ min: 0, max: 2 })), { minLength: 1, maxLength: 4 })
  .map((list) => {
    const made: (FeederOptions & { readonly level: number })[] = [];
    for (const [index, [own, back]] of list.entries()) {
      const parent = back === 0 ? undefined : made[index - back];
      const isDeep = parent === undefined || parent.level >= 3;
      made.push({
        ...own,
        name: `feeder-${index}`,
        within: isDeep ? undefined : parent.name,
        chargers: [],
        level: isDeep ? 1 : parent.level + 1,
      });
    }
    return made;
  });

const moment = fc.integer({ min: 0, max: horizonMs });
const charger = fc.integer({ min: 0, max: chargersMax - 1 });

/** Anything that may happen at a few feeders within a minute. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  feeders,
  oversized: fc.constantFrom<OversizedPolicy>('alone', 'refuse'),
  chargers: fc.array(
    fc.record({
      feeder: fc.integer({ min: 0, max: 4 }),
      gateway: fc.constantFrom(0, 0, 1),
    }),
    { minLength: chargersMax, maxLength: chargersMax },
  ),
  commands: fc.array(
    fc.record({
      // Bursts as well as a trickle.
      arrivesAtMs: fc.oneof(moment, fc.constantFrom(0, 0, 10_000)),
      charger,
      lane: fc.constantFrom('ordinary', 'ordinary', 'ordinary', ...rampLanes),
      now: change,
      swing: fc.constantFrom('up', 'down', 'none'),
      place: fc.constantFrom(undefined, 1, 2),
      jitterMs: fc.constantFrom(0, 0, 0, 2500),
    }),
    { maxLength: 30 },
  ),
  presences: fc.array(
    fc.record({
      atMs: moment,
      charger,
      is: fc.constantFrom('here', 'busy', 'away'),
    }),
    { maxLength: 12 },
  ),
  dwellMs: fc.constantFrom(0, 5000, 30_000),
});

interface Waiting {
  readonly command: SimulatedCommand;
  readonly planned: PlannedCommand;
}

/** What came of a scenario. */
export interface SimulationResult {
  /** What went wrong, in words. */
  readonly faults: readonly string[];
  readonly released: readonly string[];
  readonly expired: readonly string[];
  /** Found in a window with something else. For tests that ask whether scenarios are of any use. */
  readonly waited: number;
}

/** Runs a scenario to its end: all chargers are there then, and whatever can go has gone. */
export function simulate(scenario: Scenario): SimulationResult {
  return new Simulation(scenario).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #feeders: readonly Feeder[];
  readonly #presence = new Map<number, SimulatedPresence['is']>();
  readonly #entries = new Map<string, LedgerEntry[]>();
  readonly #moved = new Map<string, Movement[]>();
  readonly #falls: { readonly key: string; readonly place: number | undefined; atMs: number }[] =
    [];
  #waiting: Waiting[] = [];
  readonly #faults: string[] = [];
  readonly #released: string[] = [];
  readonly #expired: string[] = [];
  #waited = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const unlimited = { commandsMilli: undefined, upW: undefined, downW: undefined };
    const unassigned = {
      intervalMs: 1000,
      budget: unlimited,
      ceiling: unlimited,
      reserve: { commandsMilli: 0, upW: 0, downW: 0 },
    };
    this.#feeders = feedersFromOptions({ feeders: scenario.feeders, unassigned }).all;
  }

  run(): SimulationResult {
    const { commands, presences } = this.#scenario;
    const arrivals = [...commands.entries()].sort(
      ([, one], [, other]) => one.arrivesAtMs - other.arrivesAtMs,
    );
    const events = [...presences].sort((one, other) => one.atMs - other.atMs);
    const endMs = horizonMs + this.#boundMs();
    let nowMs = 0;
    let isCalm = false;
    while (arrivals.length > 0 || this.#waiting.length > 0) {
      for (; (events[0]?.atMs ?? Infinity) <= nowMs; events.shift()) {
        const [event] = events;
        if (event !== undefined) this.#presence.set(event.charger, event.is);
      }
      if (nowMs >= horizonMs && !isCalm) {
        // Whoever was away or busy is there from now on.
        isCalm = true;
        this.#presence.clear();
      }
      for (; (arrivals[0]?.[1].arrivesAtMs ?? Infinity) <= nowMs; arrivals.shift()) {
        const [arrival] = arrivals;
        if (arrival !== undefined) this.#arrive(...arrival);
      }
      this.#expire(nowMs);
      const wakeAtMs = this.#lookAll(nowMs);
      const horizon = isCalm ? Infinity : horizonMs;
      const expiryMs = Math.min(
        ...this.#waiting.filter((it) => this.#isHopeless(it)).map(expiryOf),
      );
      const nextMs = Math.min(
        events[0]?.atMs ?? Infinity,
        arrivals[0]?.[1].arrivesAtMs ?? Infinity,
        horizon,
        expiryMs,
        wakeAtMs,
      );
      if (this.#waiting.length === 0 && arrivals.length === 0) break;
      if (nextMs > endMs || nextMs <= nowMs) {
        const stuck = this.#waiting.map(({ planned }) => planned.id).join(' ');
        this.#faults.push(`at ${nowMs} nothing more happens (${nextMs}), with waiting: ${stuck}`);
        break;
      }
      nowMs = nextMs;
    }
    this.#checkEnd();
    return {
      faults: this.#faults,
      released: this.#released,
      expired: this.#expired,
      waited: this.#waited,
    };
  }

  #arrive(index: number, command: SimulatedCommand): void {
    const { arrivesAtMs, charger: of, jitterMs, lane, now, place, swing } = command;
    const { chargers } = this.#scenario;
    const chain: Feeder[] = [];
    const nearest = this.#feeders[(chargers[of]?.feeder ?? 0) % this.#feeders.length];
    for (let one = nearest; one !== undefined; one = one.parent) chain.push(one);
    const planned: PlannedCommand = {
      id: `${index}`,
      chargerKey: `cp-${of}`,
      chain,
      lane,
      now,
      swing,
      place,
      presence: 'ready',
      notBeforeMs: arrivesAtMs + jitterMs,
      arrivedAtMs: arrivesAtMs,
    };
    const rank = rampLanes.indexOf(lane);
    const at = this.#waiting.findIndex((it) => rampLanes.indexOf(it.command.lane) < rank);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, { command, planned });
  }

  #expire(nowMs: number): void {
    for (const one of this.#waiting) {
      if (!this.#isHopeless(one) || expiryOf(one) > nowMs) continue;
      this.#expired.push(one.planned.id);
      this.#waiting = this.#waiting.filter((it) => it !== one);
    }
  }

  /** It is larger than what may ever pass. */
  #isHopeless({ planned: { chain, lane, now } }: Waiting): boolean {
    const { oversized } = this.#scenario;
    return chain.some((feeder) =>
      dimensions.some((dimension) => {
        const most = oversized === 'refuse' ? limitOf(feeder, dimension, lane) : Infinity;
        return now[dimension] > Math.min(most, feeder.ceiling[dimension] ?? Infinity);
      }),
    );
  }

  /** Both gateways look, one after the other. @returns when to look again. */
  #lookAll(nowMs: number): number {
    let wakeAtMs = Infinity;
    for (const gateway of [0, 1]) {
      const line = this.#waiting.map(({ command, planned }): PlannedCommand => {
        return { ...planned, presence: this.#presenceAt(gateway, command.charger) };
      });
      const planned = this.#plan(line, nowMs);
      this.#check(line, planned, nowMs);
      for (const release of planned.releases) {
        for (const entry of release.taken) {
          push(this.#entries, entry.feeder, entry);
        }
        this.#release(release.command, nowMs);
      }
      wakeAtMs = Math.min(wakeAtMs, planned.wakeAtMs);
      // A charger that has taken a command is soon free for its next one.
      if (planned.releases.length > 0) wakeAtMs = Math.min(wakeAtMs, nowMs + 1);
    }
    this.#waited += this.#waiting.length;
    return wakeAtMs;
  }

  #presenceAt(gateway: number, of: number): Presence {
    const is = this.#presence.get(of) ?? 'here';
    if (is === 'away') return 'away';
    if (this.#scenario.chargers[of]?.gateway !== gateway) return 'elsewhere';
    return is === 'here' ? 'ready' : 'busy';
  }

  #plan(line: readonly PlannedCommand[], nowMs: number): Plan {
    const ledgers = new Map(
      this.#feeders.map(({ intervalMs, name }) => {
        return [name, new Ledger(intervalMs, this.#entries.get(name) ?? [])];
      }),
    );
    const state = {
      nowMs,
      ledgers,
      feederStates: new Map(),
      lastFallMs: (key: string, place: number | undefined) => this.#lastFallMs(key, place),
    };
    const { dwellMs, oversized } = this.#scenario;
    return plan(line, state, { dwellMs, oversized, othersMayTakeMs });
  }

  #lastFallMs(key: string, place: number | undefined): number | undefined {
    const falls = this.#falls.filter((fall) => {
      const isThere = place === undefined || fall.place === undefined || fall.place === place;
      return fall.key === key && isThere;
    });
    return falls.length === 0 ? undefined : Math.max(...falls.map(({ atMs }) => atMs));
  }

  #release({ chargerKey, id, place, swing }: PlannedCommand, nowMs: number): void {
    if (this.#released.includes(id)) this.#faults.push(`${id} is released twice`);
    this.#released.push(id);
    const released = this.#waiting.find(({ planned }) => planned.id === id);
    this.#waiting = this.#waiting.filter((it) => it !== released);
    for (const feeder of released?.planned.chain ?? []) {
      const { lane, now } = released?.command ?? {};
      if (lane !== undefined && now !== undefined) {
        push(this.#moved, feeder.name, { ...now, lane, id, atMs: nowMs });
      }
    }
    if (swing === 'down') this.#falls.push({ key: chargerKey, place, atMs: nowMs });
  }

  /** What may not be in a plan. */
  #check(line: readonly PlannedCommand[], { releases }: Plan, nowMs: number): void {
    const gone = new Set<string>();
    const served = new Set<string>();
    for (const { command } of releases) {
      const { chargerKey, id, lane, place, presence, swing } = command;
      if (presence !== 'ready') this.#faults.push(`${id} is released while ${presence}`);
      if (served.has(chargerKey)) this.#faults.push(`${id} is not the only one for ${chargerKey}`);
      served.add(chargerKey);
      const before = line.slice(0, line.indexOf(command)).filter((it) => !gone.has(it.id));
      for (const other of before) {
        if (other.chargerKey === chargerKey) {
          this.#faults.push(`${id} overtakes ${other.id} of its own charger at ${nowMs}`);
        }
        const mayTwinGo = !served.has(other.chargerKey) && mayGo(other, before, nowMs);
        if (isTwin(other, command) && mayTwinGo) {
          this.#faults.push(`${id} overtakes ${other.id}, which is as large, at ${nowMs}`);
        }
      }
      const fellMs = this.#lastFallMs(chargerKey, place);
      const isResting = fellMs !== undefined && fellMs + this.#scenario.dwellMs > nowMs;
      // What fell in this very plan is noted after it.
      if (swing === 'up' && lane !== 'emergency' && isResting) {
        this.#faults.push(`${id} rises at ${nowMs}, after a fall at ${fellMs}`);
      }
      gone.add(id);
    }
  }

  #checkEnd(): void {
    for (const { name, ...feeder } of this.#feeders) {
      const faults = overfullWindows(feeder, this.#moved.get(name) ?? [], this.#scenario.oversized);
      this.#faults.push(...faults.map((fault) => `${name}: ${fault}`));
    }
    const seen = [...this.#released, ...this.#expired, ...this.#waiting.map((it) => it.planned.id)];
    const all = this.#scenario.commands.map((_, index) => `${index}`);
    if (seen.toSorted().join() !== all.toSorted().join()) {
      this.#faults.push(`of ${all.join()} there are ${seen.join()}`);
    }
  }

  /** Within so long each command has gone, if each had all windows for itself, and a rest before. */
  #boundMs(): number {
    const { commands, dwellMs } = this.#scenario;
    const longestMs = Math.max(...this.#feeders.map(({ intervalMs }) => intervalMs));
    const windows = commands.reduce((sum, { lane, now }) => {
      const shares = this.#feeders.flatMap((feeder) =>
        dimensions.map((dimension) => now[dimension] / limitOf(feeder, dimension, lane)),
      );
      return sum + Math.min(64, Math.ceil(Math.max(...shares))) + 1;
    }, 1);
    return windows * longestMs + commands.length * dwellMs + holdMs;
  }
}

const expiryOf = ({ planned }: Waiting): number => planned.arrivedAtMs + holdMs;

/** Do two commands want the same of the same feeders? */
function isTwin(one: PlannedCommand, other: PlannedCommand): boolean {
  return (
    one.chain[0] === other.chain[0] &&
    one.lane === other.lane &&
    dimensions.every((dimension) => one.now[dimension] === other.now[dimension])
  );
}

/** Does nothing but the budgets keep this command waiting? */
function mayGo(command: PlannedCommand, before: readonly PlannedCommand[], nowMs: number): boolean {
  const { chargerKey, notBeforeMs, presence, swing } = command;
  const isFirst = before.find((it) => it.chargerKey === chargerKey) === command;
  return isFirst && presence === 'ready' && notBeforeMs <= nowMs && swing !== 'up';
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key) ?? [];
  list.push(value);
  map.set(key, list);
}
