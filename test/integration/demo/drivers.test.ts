import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DemoDrivers } from '../../../src/cmd/demo/demo-drivers.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { startSimulatedCharger } from '../../../src/sim/charger/charger.ts';
import { manualClock } from '../../support/manual-clock.ts';

// Goal: while the drivers wait nobody changes the load of the feeder, and afterwards the demo goes on.
// Method: a charger that nobody answers, which charges all the same, and a clock moved by hand.
describe('the drivers of the demo', () => {
  test('nobody comes or goes while they wait, and then others come', async () => {
    const clock = manualClock();
    const random = seededRandom(1);
    const url = 'ws://127.0.0.1:9/ocpp';
    const charger = startSimulatedCharger({
      clock,
      random,
      url,
      identity: 'A',
      version: 'ocpp2.1',
    });
    const isCharging = (): boolean => charger.state().connectors[0]?.isCharging === true;
    const drivers = new DemoDrivers(clock, random);
    try {
      drivers.add(charger);
      drivers.pause();
      clock.advance(60_000);
      assert.equal(isCharging(), false);
      drivers.resume();
      assert.equal(isCharging(), false);
      clock.advance(12_000);
      assert.equal(isCharging(), true);

      drivers.pause();
      clock.advance(120_000);
      assert.equal(isCharging(), true, 'a car that charges goes on');
      drivers.resume();
      assert.equal(isCharging(), false, 'its driver is forgotten, and it must not stay for ever');
      clock.advance(12_000);
      assert.equal(isCharging(), true);
    } finally {
      drivers.pause();
      await charger.close();
    }
  });
});
