import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { budgetKwFor, FeederMeter, type FeederReading, worstFallKw } from './feeder-meter.ts';

// Goal: the meter tells what the feeder saw, whoever caused it.
// Method: readings as lists, then a meter on a clock that is moved by hand.
describe('the meter of the feeder', () => {
  /** One reading every half second. */
  const readings = (...loads: readonly number[]): readonly FeederReading[] =>
    loads.map((loadKw, index) => ({ atMs: index * 500, loadKw }));

  test('a fall at once is the worst fall', () => {
    assert.equal(worstFallKw(readings(549, 549, 0, 0)), 549);
  });

  test('falls within one interval count together', () => {
    assert.equal(worstFallKw(readings(500, 400, 300, 200, 200)), 300);
  });

  test('falls that are an interval apart do not', () => {
    assert.equal(worstFallKw(readings(549, 366, 366, 366, 366, 183, 183, 183, 183, 0)), 183);
  });

  test('neither a rise nor rest is a fall', () => {
    assert.equal(worstFallKw(readings(0, 11, 11, 150)), 0);
    assert.equal(worstFallKw([]), 0);
  });

  test('a rise in between hides no fall', () => {
    assert.equal(worstFallKw(readings(100, 0, 100, 20)), 100);
  });

  test('the budget is a third of the chargers, and each of them can be stopped', () => {
    assert.equal(budgetKwFor([11]), 20);
    assert.equal(budgetKwFor([11, 11, 11]), 20);
    assert.equal(budgetKwFor([11, 11, 11, 150]), 150);
    assert.equal(
      budgetKwFor(Array.from({ length: 12 }, (_, at) => (at % 4 === 3 ? 150 : 11))),
      190,
    );
  });

  test('it reads twice a second, and shows what it has read in one scale', () => {
    const clock = manualClock();
    let loadKw = 0;
    const meter = new FeederMeter({ clock, ratedKws: [50, 50], takenKw: () => loadKw });
    for (const next of [1, 50, 100, 0]) {
      loadKw = next;
      clock.advance(500);
    }
    meter.close();
    clock.advance(5000);
    assert.equal(meter.latestChart(9), '▁▂▄▇▁');
    assert.equal(meter.latestChart(2), '▇▁');
    assert.equal(meter.loadKw, 0);
  });
});
