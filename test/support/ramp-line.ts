import assert from 'node:assert/strict';
import { type FeederState, freshFeederState } from '../../src/ramp-limit/feeder-state.ts';
import {
  type Feeder,
  type FeederOptions,
  feedersFromOptions,
} from '../../src/ramp-limit/feeders.ts';
import { Ledger, type LedgerEntry, type OversizedPolicy } from '../../src/ramp-limit/ledger.ts';
import { type LoadChange, noChange } from '../../src/ramp-limit/load-change.ts';
import {
  othersMayTakeMs,
  type Plan,
  type PlannedCommand,
  plan,
  type WaitReason,
} from '../../src/ramp-limit/plan.ts';

export const intervalMs = 10_000;
export const dwellMs = 60_000;
/** The moment at which it all happens: well after the beginning of time. */
export const nowMs = 1_000_000;

/** A feeder of two commands in ten seconds. */
export const feederOptions = (name: string, rest: Partial<FeederOptions> = {}): FeederOptions => ({
  name,
  intervalMs,
  budget: { commandsMilli: 2000, upW: undefined, downW: undefined },
  ceiling: { commandsMilli: undefined, upW: undefined, downW: undefined },
  reserve: { commandsMilli: 1000, upW: 0, downW: 0 },
  chargers: [],
  ...rest,
});

/** A budget in watts alone. */
export const power = (upW: number, downW = upW): FeederOptions['budget'] => ({
  commandsMilli: undefined,
  upW,
  downW,
});

/** A start or a stop of which only the number counts. */
export const whole: LoadChange = { ...noChange, commandsMilli: 1000 };
export const up = (upW: number): LoadChange => ({ ...noChange, upW });
export const down = (downW: number): LoadChange => ({ ...noChange, downW });

/** Feeders, what has passed there, and a line of commands that grows and shrinks. */
export class Line {
  readonly #feeders: readonly Feeder[];
  readonly #states = new Map<string, FeederState>();
  /** By feeder; what a plan has taken is written here when it is let through. */
  readonly entries = new Map<string, LedgerEntry[]>();
  readonly #fallsMs = new Map<string, number>();
  oversized: OversizedPolicy = 'alone';
  waiting: PlannedCommand[] = [];
  #count = 0;

  constructor(...feeders: readonly FeederOptions[]) {
    this.#feeders = feedersFromOptions({ feeders, unassigned: feederOptions('unassigned') }).all;
  }

  feeder(name: string): Feeder {
    const found = this.#feeders.find((feeder) => feeder.name === name);
    assert(found !== undefined);
    return found;
  }

  state(name: string, state: Partial<FeederState>): void {
    this.#states.set(name, { ...freshFeederState, ...state });
  }

  fell(chargerKey: string, atMs: number, place?: number): void {
    this.#fallsMs.set(`${chargerKey} ${place}`, atMs);
  }

  /** Adds a command to the end of the line. Each has a charger of its own unless it says so. */
  add(id: string, now: LoadChange, rest: Partial<PlannedCommand> & { at?: string } = {}): void {
    this.#count += 1;
    const { at = 'unassigned', ...more } = rest;
    const chain: Feeder[] = [];
    for (let one: Feeder | undefined = this.feeder(at); one !== undefined; one = one.parent) {
      chain.push(one);
    }
    this.waiting.push({
      id,
      chargerKey: `charger-${this.#count}`,
      chain,
      lane: 'ordinary',
      now,
      swing: 'none',
      place: undefined,
      presence: 'ready',
      notBeforeMs: 0,
      arrivedAtMs: nowMs,
      ...more,
    });
  }

  planAt(atMs: number): Plan {
    const ledgers = new Map(
      this.#feeders.map((feeder) => {
        const entries = this.entries.get(feeder.name) ?? [];
        return [feeder.name, new Ledger(feeder.intervalMs, entries)];
      }),
    );
    const state = {
      nowMs: atMs,
      ledgers,
      feederStates: this.#states,
      lastFallMs: (key: string, place: number | undefined) => this.#fallsMs.get(`${key} ${place}`),
    };
    return plan(this.waiting, state, { dwellMs, oversized: this.oversized, othersMayTakeMs });
  }

  /** Why a command waits. */
  reasonOf(id: string, atMs = nowMs): WaitReason | undefined {
    return this.planAt(atMs).waits.get(id);
  }

  /** Lets through what may go, and takes it out of the line. @returns the ids. */
  pass(atMs = nowMs): readonly string[] {
    const { releases } = this.planAt(atMs);
    for (const { command, taken } of releases) {
      for (const entry of taken) {
        this.entries.set(entry.feeder, [...(this.entries.get(entry.feeder) ?? []), entry]);
      }
      this.waiting = this.waiting.filter(({ id }) => id !== command.id);
    }
    return releases.map(({ command }) => command.id);
  }

  /** Lets through what may go whenever something may change. @returns the ids, by seconds. */
  passAll(untilMs = nowMs + 600_000): Readonly<Record<string, string>> {
    const passed: Record<string, string> = {};
    for (let atMs = nowMs; atMs < untilMs; ) {
      const ids = this.pass(atMs);
      if (ids.length > 0) passed[(atMs - nowMs) / 1000] = ids.join(' ');
      const { wakeAtMs } = this.planAt(atMs);
      assert(wakeAtMs > atMs, 'it asks to be looked at again and again');
      atMs = wakeAtMs;
    }
    return passed;
  }
}
