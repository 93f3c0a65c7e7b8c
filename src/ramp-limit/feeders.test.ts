import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../chargers/charger-id.ts';
import { BrokenInvariant } from '../lib/assert.ts';
import {
  type Feeder,
  type FeederBudgets,
  type FeederOptions,
  feedersFromOptions,
} from './feeders.ts';

// Goal: a command is counted on the feeder that its charger hangs on, and on all above it.
// Method: a small grid with every way to name a charger, asked for chargers on both sides of each.

const id = (text: string): ChargerId => text as ChargerId;

const budgets = (intervalMs = 10_000): FeederBudgets => ({
  intervalMs,
  budget: { commandsMilli: 2000, upW: undefined, downW: undefined },
  ceiling: { commandsMilli: undefined, upW: undefined, downW: undefined },
  reserve: { commandsMilli: 1000, upW: 0, downW: 0 },
});

const feeder = (name: string, rest: Partial<FeederOptions> = {}): FeederOptions => ({
  ...budgets(),
  name,
  chargers: [],
  ...rest,
});

const grid = feedersFromOptions({
  feeders: [
    // It is a part of one that stands further down.
    feeder('site', { within: 'street', chargers: ['DEPOT-*', 'cp-1'] }),
    feeder('street', { within: 'substation', chargers: ['DEPOT-7', '*-N-*'] }),
    feeder('substation', { intervalMs: 60_000, chargerRatedW: 22_000 }),
    feeder('other', { chargers: ['Caf-*-x', 'DEPOT-8', 'depot-N-*'], chargerRatedW: 350_000 }),
  ],
  unassigned: budgets(5000),
});

const namesOf = (charger: string, setting?: string): string =>
  grid
    .chainOf(id(charger), setting)
    .map(({ name }) => name)
    .join(' < ');

describe('the feeders of a charger', () => {
  const cases: readonly (readonly [string, string])[] = [
    // A pattern, and all that its feeder is a part of.
    ['DEPOT-1', 'site < street < substation'],
    ['depot-1', 'site < street < substation'],
    // Identities that are named exactly go before patterns, wherever they stand.
    ['DEPOT-7', 'street < substation'],
    ['depot-8', 'other'],
    ['CP-1', 'site < street < substation'],
    // The first pattern.
    ['DEPOT-N-1', 'site < street < substation'],
    ['X-N-1', 'street < substation'],
    ['CAF-1-X', 'other'],
    // Nobody has it.
    ['CP-10', 'unassigned'],
    ['XDEPOT-7', 'unassigned'],
    ['__proto__', 'unassigned'],
  ];
  for (const [charger, chain] of cases) {
    test(`${charger} hangs on ${chain}`, () => assert.equal(namesOf(charger), chain));
  }

  test('what the registry says goes first, if there is such a feeder', () => {
    assert.equal(namesOf('DEPOT-7', 'other'), 'other');
    assert.equal(namesOf('CP-10', 'site'), 'site < street < substation');
    assert.equal(namesOf('DEPOT-7', 'unassigned'), 'unassigned');
    for (const unknown of ['gone', 'OTHER', '', 'constructor', '__proto__']) {
      assert.equal(namesOf('DEPOT-7', unknown), 'street < substation', unknown);
      assert.equal(namesOf('CP-10', unknown), 'unassigned', unknown);
    }
  });

  test('the feeders of two chargers are the same objects', () => {
    assert.equal(grid.chainOf(id('DEPOT-7'), undefined)[1], grid.find('substation'));
    assert.equal(grid.find('street')?.parent, grid.find('substation'));
  });
});

describe('feeders', () => {
  test('stand in the order of the operator, the unassigned last', () => {
    const names = grid.all.map(({ name }) => name);
    assert.deepEqual(names, ['site', 'street', 'substation', 'other', 'unassigned']);
    assert.equal(grid.all.at(-1), grid.unassigned);
    assert.equal(grid.find('unassigned'), grid.unassigned);
    assert.equal(grid.find('gone'), undefined);
  });

  test('have their own budgets, and nothing else of what the operator wrote', () => {
    const { parent, ...substation } = grid.find('substation') ?? {};
    assert.equal(parent, undefined);
    const expected = { ...budgets(60_000), name: 'substation', chargerRatedW: 22_000 };
    assert.deepEqual(substation, expected);
    assert.equal(grid.find('site')?.intervalMs, 10_000);
    assert.equal(grid.unassigned.intervalMs, 5000);
  });

  test('take the rating of their chargers from above, unless they have one', () => {
    const ratings = grid.all.map(({ chargerRatedW }) => chargerRatedW);
    assert.deepEqual(ratings, [22_000, 22_000, 22_000, 350_000, undefined]);
  });

  test('are planned for with all that are parts of the same', () => {
    const groups = grid.all.map((one) => grid.groupOf(one));
    for (const [index, group] of groups.entries()) {
      const root = (feeder: Feeder | undefined): Feeder | undefined =>
        feeder?.parent === undefined ? feeder : root(feeder.parent);
      const expected = grid.all.filter((other) => root(other) === root(grid.all[index]));
      assert.deepEqual(group, expected);
      // The same list for all of them: it tells which groups are one.
      for (const other of group) assert.equal(grid.groupOf(other), group);
    }
    assert.ok(groups.some((group) => group.length > 1));
    assert.deepEqual(grid.groupOf(grid.unassigned), [grid.unassigned]);
  });

  test('without any, all chargers are unassigned', () => {
    const none = feedersFromOptions({ feeders: [], unassigned: budgets() });
    assert.deepEqual(none.all, [none.unassigned]);
    assert.deepEqual(none.chainOf(id('CP-1'), 'north'), [none.unassigned]);
  });

  for (const [what, feeders] of [
    ['one name twice', [feeder('a'), feeder('a')]],
    ['the reserved name', [feeder('unassigned')]],
    ['a part of nothing', [feeder('a', { within: 'b' })]],
    ['a circle', [feeder('a', { within: 'b' }), feeder('b', { within: 'a' })]],
    ['itself', [feeder('a', { within: 'a' })]],
  ] as const) {
    test(`${what} is what the configuration should have refused`, () => {
      const make = () => feedersFromOptions({ feeders, unassigned: budgets() });
      assert.throws(make, BrokenInvariant);
    });
  }
});
