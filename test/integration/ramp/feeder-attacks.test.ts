import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { feederAttacks } from '../../../bench/feeder/attacks.ts';
import {
  budgetKw,
  chargerW,
  feederChargers,
  feederRampOptions,
  playAttack,
} from '../../../bench/feeder/play-attack.ts';

// Goal: whatever a CSMS commands, the load of a feeder changes by no more than its budget in any
// interval, wherever the interval begins; and what is harmless passes.
// Method: 200 simulated chargers behind the real sessions, limiter and store of a gateway, on a clock
// that is moved by hand, from a seed. What counts is what the chargers do, not what the gateway says.
// Each attack is played without a gateway as well: it must break the bound, or it proves nothing.

const seed = Number(process.env['GATEWATT_SEED'] ?? 20261126);
const budgetW = budgetKw * 1000;

describe(`a feeder under attack (seed ${seed})`, { timeout: 240_000, concurrency: 2 }, () => {
  for (const attack of feederAttacks) {
    test(`${attack.id}: ${attack.title}: no window of the feeder exceeds its budget`, async () => {
      const { worst, startW } = await playAttack(attack, feederRampOptions(), { seed });
      if (attack.areCharging) assert(startW > 0, 'there was load to throw');
      assert(worst.upW <= budgetW, `${worst.upW} W up`);
      assert(worst.downW <= budgetW, `${worst.downW} W down`);
    });

    test(`${attack.id}: without a gateway it breaks the bound`, async () => {
      const { worst } = await playAttack(attack, undefined, { seed });
      const most = Math.max(worst.upW, worst.downW);
      assert(most > 5 * budgetW, `${most} W`);
    });
  }

  test('T1-01: every car is stopped in the end, in the order of the commands', async () => {
    const attack = feederAttacks.find(({ id }) => id === 'T1-01');
    assert(attack !== undefined);
    const ramp = feederRampOptions({ jitterSeconds: 0 });
    const { answers, events, steps } = await playAttack(attack, ramp, { seed });
    const fallen = steps.reduce((sum, { deltaW }) => sum + deltaW, 0);
    assert.equal(fallen, -feederChargers * chargerW);
    assert(answers.every((answer) => answer?.result?.['status'] === 'Accepted'));
    const released = events.flatMap((event) =>
      event.name === 'LoadCommandReleased' ? [event.charger] : [],
    );
    assert.deepEqual(released, [...released].sort());
    assert(!events.some(({ name }) => name === 'LoadCommandMismatch'));
  });
});
