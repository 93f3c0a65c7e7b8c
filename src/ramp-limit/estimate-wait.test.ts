import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WaitingTotal } from './command-rows.ts';
import { estimateWaitMs, type WaitQuestion } from './estimate-wait.ts';
import { type FeederState, freshFeederState } from './feeder-state.ts';
import { type FeederOptions, feedersFromOptions, unassignedName } from './feeders.ts';
import { Ledger } from './ledger.ts';
import { type LoadChange, noChange } from './load-change.ts';
import type { WaitReason } from './plan.ts';

// Goal: whoever asks for how long a command will wait hears a time that is about right, and forever
// only when it is so.
// Method: a small grid, with what has passed and what waits before the command.

const nowMs = 1_000_000;
const command: LoadChange = { ...noChange, commandsMilli: 1000 };
const some = (count: number): LoadChange => ({ ...noChange, commandsMilli: 1000 * count });

const feeder = (name: string, commands: number, rest: Partial<FeederOptions> = {}) => ({
  name,
  intervalMs: 10_000,
  budget: { commandsMilli: 1000 * commands, upW: undefined, downW: undefined },
  ceiling: { commandsMilli: undefined, upW: undefined, downW: undefined },
  reserve: { commandsMilli: 1000, upW: 0, downW: 0 },
  chargers: [],
  ...rest,
});
const grid = feedersFromOptions({
  feeders: [
    feeder('site', 2, { within: 'street' }),
    feeder('other-site', 2, { within: 'street' }),
    feeder('street', 3, { intervalMs: 60_000 }),
  ],
  unassigned: feeder(unassignedName, 10),
});
const chainOf = (name: string) => {
  const chain = [];
  for (let one = grid.find(name); one !== undefined; one = one.parent) chain.push(one);
  return chain;
};

interface Situation {
  readonly feeder?: string;
  readonly lane?: WaitQuestion['lane'];
  readonly now?: LoadChange;
  readonly reason?: WaitReason;
  /** What passed a moment ago, by feeder. */
  readonly passed?: Readonly<Record<string, LoadChange>>;
  /** What waits, by feeder. */
  readonly waiting?: Readonly<Record<string, LoadChange>>;
  readonly states?: ReadonlyMap<string, FeederState>;
}

function waitOf(situation: Situation): number {
  const { now = command, passed = {}, reason = { is: 'order' }, waiting = {} } = situation;
  const ledgers = new Map(
    grid.all.map(({ intervalMs, name }) => {
      const change = passed[name];
      return [name, new Ledger(intervalMs, change ? [{ ...change, atMs: nowMs - 1 }] : [])];
    }),
  );
  const totals = Object.entries(waiting).map(
    ([name, change]): WaitingTotal => ({ feeder: name, count: 1, oldestMs: nowMs, change }),
  );
  const chain = chainOf(situation.feeder ?? unassignedName);
  const { lane = 'ordinary', states = new Map() } = situation;
  return estimateWaitMs(
    { chain, lane, now, reason, nowMs },
    { ledgers, feederStates: states, totals, feeders: grid },
  );
}

const budget = (untilMs: number): WaitReason => {
  return { is: 'budget', feeder: unassignedName, dimension: 'commandsMilli', untilMs };
};

describe('the wait of a command', () => {
  test('is nothing in a quiet system', () => {
    assert.equal(waitOf({}), 0);
  });

  for (const [passed, waiting, intervals] of [
    [9, 0, 0],
    [10, 0, 1],
    [0, 9, 0],
    [0, 10, 1],
    [10, 10, 2],
    [10, 19, 2],
    [5, 15, 2],
    [10, 100, 11],
  ] as const) {
    test(`with ${passed} passed and ${waiting} before it, ten an interval: ${intervals} of them`, () => {
      const situation = {
        passed: { [unassignedName]: some(passed) },
        waiting: { [unassignedName]: some(waiting) },
      };
      assert.equal(waitOf(situation), intervals * 10_000);
    });
  }

  test('is the longest of all feeders that it moves', () => {
    // Three in a minute for the street.
    assert.equal(waitOf({ feeder: 'site', waiting: { site: some(3) } }), 60_000);
    assert.equal(waitOf({ feeder: 'site', waiting: { 'other-site': some(3) } }), 60_000);
    assert.equal(waitOf({ feeder: 'site', waiting: { 'other-site': some(2) } }), 0);
    // What waits for the street as a whole does not hang on the site.
    assert.equal(waitOf({ feeder: 'site', waiting: { street: some(2) } }), 0);
    assert.equal(waitOf({ feeder: 'site', waiting: { [unassignedName]: some(50) } }), 0);
  });

  test('counts what waits for feeders that are gone with the unassigned', () => {
    assert.equal(waitOf({ waiting: { gone: some(10) } }), 10_000);
    assert.equal(waitOf({ feeder: 'site', waiting: { gone: some(10) } }), 0);
  });

  test('is no shorter than what the budgets say', () => {
    assert.equal(waitOf({ reason: budget(nowMs + 7000) }), 7000);
    const waiting = { [unassignedName]: some(30) };
    assert.equal(waitOf({ reason: budget(nowMs + 7000), waiting }), 30_000);
  });

  test('is forever when it fits nowhere', () => {
    assert.equal(waitOf({ reason: budget(Infinity) }), Infinity);
  });

  test('is longer while the feeder is slowed down', () => {
    const { oscillation } = freshFeederState;
    const slowed = { lift: undefined, oscillation: { ...oscillation, slowedUntilMs: nowMs + 1 } };
    const waiting = { [unassignedName]: some(10) };
    assert.equal(waitOf({ waiting }), 10_000);
    const states = new Map([[unassignedName, slowed]]);
    assert.equal(waitOf({ waiting, states }), 20_000);
  });

  test('of another lane is not that of those behind it', () => {
    const waiting = { [unassignedName]: some(100) };
    const passed = { [unassignedName]: some(10) };
    assert.equal(waitOf({ waiting, lane: 'released' }), 0);
    assert.equal(waitOf({ waiting, passed, lane: 'released' }), 10_000);
    assert.equal(waitOf({ waiting, lane: 'emergency' }), 0);
    // An emergency has the reserve as well.
    assert.equal(waitOf({ waiting, passed, lane: 'emergency' }), 0);
    const passedAll = { [unassignedName]: some(11) };
    assert.equal(waitOf({ waiting, passed: passedAll, lane: 'emergency' }), 10_000);
  });

  test('of what is larger than the budget is until it may go alone, and no longer', () => {
    assert.equal(waitOf({ now: some(50) }), 0);
    assert.equal(waitOf({ now: some(50), passed: { [unassignedName]: some(1) } }), 10_000);
    assert.equal(waitOf({ now: some(50), waiting: { [unassignedName]: some(20) } }), 20_000);
  });

  test('is about what it moves, and not about other dimensions', () => {
    const waiting = { [unassignedName]: { ...some(0), upW: 1e9 } };
    assert.equal(waitOf({ waiting }), 0);
    const commands = { [unassignedName]: some(100) };
    assert.equal(waitOf({ now: { ...noChange, upW: 1 }, waiting: commands }), 0);
  });

  test('is known where time alone decides, and a guess of nothing where the charger does', () => {
    const waiting = { [unassignedName]: some(100) };
    assert.equal(waitOf({ reason: { is: 'dwell', untilMs: nowMs + 1234 }, waiting }), 1234);
    assert.equal(waitOf({ reason: { is: 'jitter', untilMs: nowMs + 5 }, waiting }), 5);
    assert.equal(waitOf({ reason: { is: 'busy' }, waiting }), 0);
  });
});
