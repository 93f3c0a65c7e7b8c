import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SimulationOptions } from './scenario.ts';
import { simulate } from './simulate.ts';

// Goal: whatever the network, the chargers, the CSMS, the database and crashes do, the gateway keeps
// its promises: nothing passes that was not admitted, one connection of each identity, messages in
// order, replies to whoever has asked, budgets of feeders, nothing lost that was acknowledged; and
// when all is well again, all is well.
// Method: the real gateway on a simulated clock, network and database, everything from one seed. The
// same seed once more is the same run. `npm run simulate:long` goes on for hours;
// tampering.test.ts shows that each promise could be seen to be broken.

const small = { chargers: 12, seconds: 60, hasFaults: true } as const;

const runs: readonly SimulationOptions[] = [
  { ...small, seed: 1, hasFaults: false },
  // Load changes are answered for at once, when they have to wait for long, and never.
  { seed: 20_261_145, chargers: 30, seconds: 100, hasFaults: true },
  { seed: 20_261_147, chargers: 30, seconds: 100, hasFaults: true },
  { seed: 20_261_144, chargers: 30, seconds: 100, hasFaults: true },
  // The gateway goes down and comes back while all of them are there.
  { seed: 20_261_158, chargers: 1000, seconds: 18, hasFaults: true },
];

for (const options of runs) {
  const { chargers, hasFaults, seconds, seed } = options;
  const what = hasFaults ? 'with faults' : 'without faults';
  test(`seed ${seed}: ${chargers} chargers for ${seconds} s ${what} break nothing`, async () => {
    const { events } = await simulate(options);
    // One that did nothing would break nothing either.
    assert.ok((events['SessionOpened'] ?? 0) >= chargers);
    assert.ok((events['FrameAdmitted'] ?? 0) >= 4 * chargers);
    assert.ok((events['FrameRefused'] ?? 0) > 0);
    assert.ok(!hasFaults || (events['GatewayStarted'] ?? 0) > 1);
  });
}

test('the same seed is the same run, and another one is not', async () => {
  const options = { ...small, seed: 3 };
  const first = await simulate(options);
  assert.deepEqual(await simulate(options), first);
  assert.notEqual((await simulate({ ...options, seed: 4 })).hash, first.hash);
});
