import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadCommandRequest } from '../../src/ramp-limit/ramp-target.ts';
import { limit, RampBench, rampOptions, start } from '../support/ramp-bench.ts';
import { describeEachStore } from '../support/stores.ts';

// Goal: a command that must reach its charger as it was signed is held and refused like any other,
// but never answered for and never changed: both would make it a message that nobody has signed.
// Method: the same commands with and without a signature, over a real store.

const isSealed = true;
/** Two steps of 15 kW at once, and no third. */
const grid = {
  unassigned: { budget: { commandsMilli: undefined, upW: 35_000, downW: undefined } },
};

describeEachStore('rule 0: a signed command that changes load', (open) => {
  for (const reply of ['auto', 'immediate'] as const) {
    test(`reply: ${reply}: it is not answered for, and its unsigned twin is`, async () => {
      await using opened = await open();
      const bench = new RampBench(opened, rampOptions({ reply, openMs: 5_000 }));
      const gateway = await bench.start();
      const [first, second, third, fourth] = await gateway.connectMany(4);
      assert(first && second && third && fourth);
      assert.equal(await first.does(start('1', { isSealed })), 'pass');
      assert.equal(await second.does(start('2', { isSealed })), 'pass');
      // The next turn is in ten seconds, which is longer than its caller waits.
      assert.equal(await third.does(start('3', { isSealed })), 'refused RAMP_BUSY');
      assert.equal(await fourth.does(start('4')), 'answered');
    });
  }

  test('while its caller waits it is held, and passes in its turn', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions());
    const gateway = await bench.start();
    const [first, second, third] = await gateway.connectMany(3);
    assert(first && second && third);
    await first.does(start('1'));
    await second.does(start('2'));
    assert.equal(await third.does(start('3', { isSealed })), 'open');
    await bench.pass(60_000);
    assert.deepEqual(bench.log('answer', 'release', 'refuse'), ['release 3 10']);
  });

  test('its schedule is not moved: where there is no room for the step it is refused', async () => {
    await using opened = await open();
    const bench = new RampBench(opened, rampOptions({}, grid));
    const gateway = await bench.start();
    const stepped = (name: string, changes: Partial<LoadCommandRequest>): LoadCommandRequest => {
      const estimateAt = (seconds: number): LoadCommandRequest['estimate'] => ({
        ...limit('').estimate,
        now: { commandsMilli: 1, upW: 0, downW: 0 },
        later: {
          is: 'schedule',
          steps: [
            {
              atMs: bench.store.nowMs() - bench.clock.elapsedMs() + (3600 + seconds) * 1000,
              commandsMilli: 0,
              upW: 15_000,
              downW: 0,
            },
          ],
        },
      });
      const shifted = (seconds: number) => ({ payload: {}, estimate: estimateAt(seconds) });
      return limit(name, { estimate: estimateAt(0), shifted, ...changes });
    };
    const chargers = await gateway.connectMany(4);
    const verdicts: string[] = [];
    for (const [index, charger] of chargers.entries()) {
      verdicts.push(await charger.does(stepped(`${index}`, index === 2 ? { isSealed } : {})));
    }
    assert.deepEqual(verdicts, ['pass', 'pass', 'refused RAMP_STEP', 'pass']);
  });
});
