import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { runTraffic, type TrafficOptions } from '../support/ramp-traffic.ts';
import { describeEachStore, type OpenTestStore } from '../support/stores.ts';

// Goal: whatever is asked of gateways, and whenever they die, no window of any feeder holds more than
// it may, commands of one charger keep their order, and what was answered is sent once or reported.
// Method: random commands at one gateway or two, which die between any two transactions, before an
// answer, or between two commands that they send; and others take their place. GATEWATT_SEED replays a
// run; GATEWATT_RUNS makes it longer.

const seed = Number(process.env['GATEWATT_SEED'] ?? randomInt(2 ** 31));
const runsWanted = process.env['GATEWATT_RUNS'];

async function runMany(
  t: TestContext,
  open: OpenTestStore,
  { runs, ...options }: Omit<TrafficOptions, 'seed'> & { readonly runs: number },
): Promise<void> {
  t.diagnostic(`GATEWATT_SEED=${seed}`);
  const total = { asked: 0, answered: 0, released: 0, died: 0 };
  // Of the kind in which something can go wrong. Chance may keep a run from it.
  const isTelling = (): boolean =>
    total.answered > 0 && total.released > 0 && (options.kills === 0 || total.died > 0);
  const wanted = Number(runsWanted ?? runs);
  for (let run = 0; run < wanted || (!isTelling() && run < wanted + 5); run += 1) {
    await using opened = await open();
    const result = await runTraffic(opened, { ...options, seed: seed + run });
    assert.deepEqual(result.faults, [], `with GATEWATT_SEED=${seed + run}`);
    total.asked += result.asked;
    total.answered += result.answered;
    total.released += result.released;
    total.died += result.died;
  }
  t.diagnostic(JSON.stringify(total));
  assert.ok(isTelling());
}

describeEachStore('random load changes', (open, kind) => {
  const runs = kind === 'sqlite' ? 2 : 1;

  test('at one gateway', (t) => runMany(t, open, { gateways: 1, kills: 0, steps: 45, runs }));

  test('at two gateways at the same time', (t) =>
    runMany(t, open, { gateways: 2, kills: 0, steps: 45, runs }));

  test('at gateways that die', (t) => runMany(t, open, { gateways: 1, kills: 6, steps: 45, runs }));

  test('at two gateways that die', (t) =>
    runMany(t, open, { gateways: 2, kills: 6, steps: 45, runs }));
});
