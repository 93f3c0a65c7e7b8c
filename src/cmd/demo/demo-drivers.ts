import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { SimulatedCharger } from '../../sim/charger/charger.ts';
import { Drivers } from '../../sim/charger/driver.ts';

/** Cars come and go fast, so that there is something to see. */
const habits = { idleSecondsMax: 12, chargingSecondsMax: 90 };

/** The drivers of all chargers, who can be asked to wait. */
export class DemoDrivers {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #chargers: SimulatedCharger[] = [];
  #drivers: Drivers[] = [];
  #isPaused = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** From now on drivers come to this charger as well. */
  add(charger: SimulatedCharger): void {
    this.#chargers.push(charger);
    if (!this.#isPaused) this.#drive(charger);
  }

  /** Nobody comes or goes any more. Cars that charge go on. */
  pause(): void {
    this.#isPaused = true;
    for (const drivers of this.#drivers) drivers.stop();
    this.#drivers = [];
  }

  /** New drivers come. Those whose cars still charge leave: nobody else knows of them. */
  resume(): void {
    this.#isPaused = false;
    for (const charger of this.#chargers) {
      for (const { connectorId, isCharging } of charger.state().connectors) {
        // What cannot be told now is told when the charger is connected again.
        if (isCharging) charger.stopTransaction(connectorId).catch(() => undefined);
      }
      this.#drive(charger);
    }
  }

  #drive(charger: SimulatedCharger): void {
    this.#drivers.push(new Drivers(charger, habits, this.#clock, this.#random));
  }
}
