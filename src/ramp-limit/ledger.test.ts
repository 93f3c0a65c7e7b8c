import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Dimension,
  dimensions,
  Ledger,
  type LedgerEntry,
  type Limits,
  type OversizedPolicy,
} from './ledger.ts';
import { type LoadChange, noChange } from './load-change.ts';

// Goal: a change fits where every window that holds it stays within its limits, in each dimension by
// itself; and the ledger says the first moment at which it does.
// Method: the edges of windows by hand; then random ledgers beside an oracle that looks at the window
// of every single millisecond.

const intervalMs = 10;
const unlimited: Limits = { commandsMilli: undefined, upW: undefined, downW: undefined };

const up = (upW: number): LoadChange => ({ ...noChange, upW });
const at = (atMs: number, change: LoadChange): LedgerEntry => ({ ...change, atMs });
const upLimit = (upW: number): Limits => ({ ...unlimited, upW });

/** The dimensions that are short, and until when. */
function shortages(
  ledger: Ledger,
  change: LoadChange,
  atMs: number,
  limits: Limits,
  more: { readonly ceiling?: Limits; readonly oversized?: OversizedPolicy } = {},
): Record<string, number> {
  const { ceiling = unlimited, oversized = 'alone' } = more;
  const short = ledger.shortages(change, atMs, { limits, ceiling }, oversized);
  return Object.fromEntries(short.map(({ dimension, untilMs }) => [dimension, untilMs]));
}

describe('a window', () => {
  const ledger = new Ledger(intervalMs, [at(100, up(3))]);

  test('holds its end and not its beginning', () => {
    assert.deepEqual(ledger.inWindow(100), up(3));
    assert.deepEqual(ledger.inWindow(109), up(3));
    assert.deepEqual(ledger.inWindow(110), noChange);
    assert.deepEqual(ledger.inWindow(99), noChange);
  });

  test('is never common to two changes that are exactly one interval apart', () => {
    assert.deepEqual(shortages(ledger, up(1), 109, upLimit(3)), { upW: 110 });
    assert.deepEqual(shortages(ledger, up(1), 110, upLimit(3)), {});
    assert.deepEqual(shortages(ledger, up(1), 90, upLimit(3)), {});
    // What is to come counts as well.
    assert.deepEqual(shortages(ledger, up(1), 91, upLimit(3)), { upW: 110 });
  });

  test('that is full to its limit is not too full', () => {
    assert.deepEqual(shortages(ledger, up(2), 105, upLimit(5)), {});
    assert.deepEqual(shortages(ledger, up(3), 105, upLimit(5)), { upW: 110 });
  });

  test('slides: two bursts at the edge of a timetable are in one', () => {
    const edge = new Ledger(intervalMs, [at(19, up(2))]);
    assert.deepEqual(shortages(edge, up(1), 20, upLimit(2)), { upW: 29 });
  });

  test('counts what it holds, and not all that is near', () => {
    const around = new Ledger(intervalMs, [at(91, up(3)), at(109, up(4))]);
    assert.deepEqual(around.fullest(100), up(4));
    assert.deepEqual(around.fullest(99), up(3));
    assert.deepEqual(new Ledger(intervalMs, [at(96, up(3)), at(104, up(4))]).fullest(100), up(7));
  });

  test('is as long as its feeder wants it', () => {
    const long = new Ledger(60, [at(100, up(3))]);
    assert.deepEqual(shortages(long, up(1), 159, upLimit(3)), { upW: 160 });
  });
});

describe('dimensions', () => {
  const full: LoadChange = { commandsMilli: 2000, upW: 50, downW: 70 };
  const limits: Limits = full;

  test('are limited each by itself', () => {
    const ledger = new Ledger(intervalMs, [at(100, full)]);
    for (const dimension of dimensions) {
      const change = { ...noChange, [dimension]: 1 };
      assert.deepEqual(shortages(ledger, change, 105, limits), { [dimension]: 110 });
    }
    const all = { commandsMilli: 1, upW: 1, downW: 1 };
    assert.deepEqual(Object.keys(shortages(ledger, all, 105, limits)), [...dimensions]);
  });

  test('may be without a limit, and take nothing of what is full', () => {
    const ledger = new Ledger(intervalMs, [at(100, full)]);
    assert.deepEqual(shortages(ledger, up(1e9), 105, { ...limits, upW: undefined }), {});
    assert.deepEqual(shortages(ledger, noChange, 105, limits), {});
  });

  test('have fractions of commands that add up', () => {
    const ledger = new Ledger(intervalMs, [at(100, { ...noChange, commandsMilli: 1950 })]);
    const change = (commandsMilli: number): LoadChange => ({ ...noChange, commandsMilli });
    assert.deepEqual(shortages(ledger, change(50), 100, limits), {});
    assert.deepEqual(shortages(ledger, change(51), 100, limits), { commandsMilli: 110 });
  });
});

describe('a change that is larger than its limit', () => {
  const empty = new Ledger(intervalMs, []);
  const limits = upLimit(5);

  test('passes alone', () => {
    assert.deepEqual(shortages(empty, up(6), 100, limits), {});
    const busy = new Ledger(intervalMs, [at(95, up(1)), at(118, up(1))]);
    // At 105 the first has left the window, but the other will be in one of them.
    assert.deepEqual(shortages(busy, up(6), 100, limits), { upW: 105 });
    assert.deepEqual(shortages(busy, up(6), 109, limits), { upW: 128 });
  });

  test('is alone in its dimension, whatever the others hold', () => {
    const busy = new Ledger(intervalMs, [at(100, { commandsMilli: 1000, upW: 0, downW: 4 })]);
    assert.deepEqual(shortages(busy, up(6), 100, limits), {});
  });

  test('never passes with `refuse`', () => {
    assert.deepEqual(shortages(empty, up(6), 100, limits, { oversized: 'refuse' }), {
      upW: Infinity,
    });
    assert.deepEqual(shortages(empty, up(5), 100, limits, { oversized: 'refuse' }), {});
  });

  test('never passes above the ceiling', () => {
    const ceiling = upLimit(8);
    assert.deepEqual(shortages(empty, up(8), 100, limits, { ceiling }), {});
    assert.deepEqual(shortages(empty, up(9), 100, limits, { ceiling }), { upW: Infinity });
  });

  test('lets nothing else into its windows', () => {
    const ledger = new Ledger(intervalMs, []);
    ledger.add(at(100, up(6)));
    assert.deepEqual(shortages(ledger, up(1), 109, limits), { upW: 110 });
    assert.deepEqual(shortages(ledger, up(6), 109, limits), { upW: 110 });
  });
});

describe('a ledger beside an oracle that looks at every millisecond', () => {
  const small = fc.integer({ min: 0, max: 5 });
  const change: fc.Arbitrary<LoadChange> = fc.record({
    commandsMilli: small,
    upW: small,
    downW: small,
  });
  const entry: fc.Arbitrary<LedgerEntry> = fc
    .tuple(fc.integer({ min: 0, max: 60 }), change)
    .map(([atMs, moved]) => at(atMs, moved));
  const limit = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
  const limits = fc.record({ commandsMilli: limit, upW: limit, downW: limit });
  const situation = fc.record({
    entries: fc.array(entry, { maxLength: 12 }),
    windowMs: fc.integer({ min: 1, max: 15 }),
    change,
    atMs: fc.integer({ min: 0, max: 60 }),
    limits,
    ceiling: limits,
    oversized: fc.constantFrom<OversizedPolicy>('alone', 'refuse'),
  });
  type Situation = typeof situation extends fc.Arbitrary<infer Value> ? Value : never;

  /** What the window that ends at `endMs` holds. */
  const sumOf = ({ entries, windowMs }: Situation, endMs: number, dimension: Dimension): number =>
    entries
      .filter((one) => one.atMs <= endMs && one.atMs > endMs - windowMs)
      .reduce((sum, one) => sum + one[dimension], 0);

  const fullestOf = (given: Situation, atMs: number, dimension: Dimension): number =>
    Math.max(
      ...Array.from({ length: given.windowMs }, (_, later) =>
        sumOf(given, atMs + later, dimension),
      ),
    );

  const limitOf = ({ ceiling, limits: own }: Situation, dimension: Dimension): number =>
    Math.min(own[dimension] ?? Infinity, ceiling[dimension] ?? Infinity);

  const fits = (given: Situation, atMs: number, dimension: Dimension): boolean => {
    const amount = given.change[dimension];
    const present = fullestOf(given, atMs, dimension);
    if (amount === 0 || present + amount <= limitOf(given, dimension)) return true;
    const mayBeAlone =
      given.oversized === 'alone' && amount <= (given.ceiling[dimension] ?? Infinity);
    return mayBeAlone && amount > limitOf(given, dimension) && present === 0;
  };

  /** No entry, and so no shortage, reaches further. */
  const endMs = 200;

  test('it agrees on what fits, and on the first moment at which it does', () => {
    fc.assert(
      fc.property(situation, (given) => {
        const expected: Record<string, number> = {};
        for (const dimension of dimensions) {
          let atMs = given.atMs;
          while (atMs < endMs && !fits(given, atMs, dimension)) atMs += 1;
          if (atMs > given.atMs) expected[dimension] = atMs < endMs ? atMs : Infinity;
        }
        // As `limitsAt` has it: no limit is above its ceiling.
        const bounded: Record<string, number | undefined> = {};
        for (const dimension of dimensions) {
          const least = limitOf(given, dimension);
          bounded[dimension] = least === Infinity ? undefined : least;
        }
        const ledger = new Ledger(given.windowMs, given.entries);
        assert.deepEqual(
          shortages(ledger, given.change, given.atMs, bounded as Limits, given),
          expected,
        );
      }),
      { numRuns: 3000 },
    );
  });

  test('it agrees on the sums', () => {
    fc.assert(
      fc.property(situation, (given) => {
        const ledger = new Ledger(given.windowMs, given.entries);
        for (const dimension of dimensions) {
          assert.equal(
            ledger.fullest(given.atMs)[dimension],
            fullestOf(given, given.atMs, dimension),
          );
          assert.equal(ledger.inWindow(given.atMs)[dimension], sumOf(given, given.atMs, dimension));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('the order in which changes were noted makes no difference', () => {
    fc.assert(
      fc.property(situation, ({ atMs, change: asked, entries, limits: own, windowMs }) => {
        const added = new Ledger(windowMs, []);
        for (const one of entries) added.add(one);
        const given = new Ledger(windowMs, entries.toReversed());
        assert.deepEqual(added.fullest(atMs), given.fullest(atMs));
        assert.deepEqual(shortages(added, asked, atMs, own), shortages(given, asked, atMs, own));
      }),
    );
  });
});
