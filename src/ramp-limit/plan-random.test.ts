import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { scenarios, simulate } from '../../test/support/ramp-simulation.ts';

// Goal: whatever arrives, no window of any feeder holds more than it may, no charger's commands change
// their order, nothing is lost or let through twice, and everything that can go does so in time.
// Method: random grids of up to three levels, with chargers that come and go and two gateways that
// plan in turn; `test/support/ramp-simulation.ts` moves time to where the plan wants to be looked at.
// A failure prints its seed and the smallest scenario.

describe('a random minute at random feeders', () => {
  test('keeps to its budgets, in order, and ends', () => {
    let waited = 0;
    let expired = 0;
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const result = simulate(scenario);
        waited += result.waited;
        expired += result.expired.length;
        assert.deepEqual(result.faults, []);
      }),
      { numRuns: 4000 },
    );
    // The scenarios are of the kind in which something has to wait.
    assert.ok(waited > 1000 && expired > 10, `${waited} waited, ${expired} expired`);
  });
});
