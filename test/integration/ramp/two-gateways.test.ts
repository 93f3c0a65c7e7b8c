import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { configFor, portOf, serve, setUp } from '../../support/serve-process.ts';
import { describePostgres } from '../../support/stores.ts';
import { until } from '../store/exchanges.ts';
import { sharedPlace } from '../store/places.ts';
import { assertPaced } from './ramp-site.ts';
import {
  assertCounted,
  countedStops,
  type StopArrival,
  StoppableCar,
  StoppingCsms,
} from './stop-fleet.ts';

// Goal: gateways that share a database share the budgets: whoever has the CSMS cannot move a feeder
//   twice as fast because its chargers hang on two gateways.
// Method: two real `gatewatt serve` on one PostgreSQL database, a third of the fleet at one of them and
//   the rest at the other, and a stop of all at once.

const cars = 15;
const budget = 3;
const intervalMs = 1000;

describePostgres('two gateways on one database', () => {
  test('T1-01: have one budget: a stop of all at both takes as long as at one', async () => {
    await using place = await sharedPlace();
    await using csms = await StoppingCsms.start();
    const section = await place.section();
    const config = (id: string): object => ({
      ...configFor({ csms: csms.url }),
      gateway: { id, dataDir: 'data', drainSeconds: 0 },
      store: section,
      rampLimit: {
        reply: 'immediate',
        unassigned: { intervalSeconds: intervalMs / 1000, commandsPerInterval: budget },
      },
    });
    await using setups = new AsyncDisposableStack();
    const start = async (id: string) => {
      const { configFile } = setups.use(await setUp(config(id)));
      return serve(configFile);
    };
    using a = await start('gw-a');
    using b = await start('gw-b');
    const ports = [await portOf(a), await portOf(b), await portOf(b)];
    const store = await openStore(place.database.location, systemClock());
    setups.defer(() => store.close());

    const arrivals: StopArrival[] = [];
    const fleet = Array.from(
      { length: cars },
      (_, index) => new StoppableCar(`CAR-${index}`, (arrival) => arrivals.push(arrival)),
    );
    setups.defer(async () => {
      await Promise.all(fleet.map((car) => car.leave()));
    });
    for (const [index, car] of fleet.entries()) {
      await car.connect(ports[index % ports.length] ?? 0);
      await car.begin();
    }
    const answers = await Promise.all(
      fleet.map(({ identity, transactionId }) => csms.stop(identity, transactionId)),
    );
    assert.deepEqual(new Set(answers), new Set(['Accepted']));
    await until(() => arrivals.length >= cars);
    await Promise.all(fleet.map((car) => car.reported()));
    await until(async () => (await held(store)) === 0);

    assert.deepEqual(
      arrivals.map(({ car }) => car).toSorted(),
      fleet.map(({ identity }) => identity).toSorted(),
    );
    const counted = await countedStops(store);
    assert.equal(counted.length, cars);
    assertCounted(arrivals, counted, { budget, intervalMs });
    assertPaced(
      arrivals.map(({ atMs }) => atMs),
      { budget, intervalMs },
    );
    // All windows were used: it is one budget, and not a fraction of it each.
    const [first, last] = [counted.at(0), counted.at(-1)];
    const tookMs = Number(last?.atMs) - Number(first?.atMs);
    assert.ok(tookMs < (cars / budget) * intervalMs * 2, `it took ${tookMs} ms`);
  });
});

async function held(store: Awaited<ReturnType<typeof openStore>>): Promise<number> {
  const rows = await store.query((db) => db.selectFrom('ramp_command').select('id').execute());
  return rows.length;
}
