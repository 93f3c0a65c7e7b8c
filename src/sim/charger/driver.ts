import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { SimulatedCharger } from './charger.ts';

/** How drivers come and go. */
export interface DriverHabits {
  /** A connector stays empty up to this long, at random. */
  readonly idleSecondsMax: number;
  /** A car stays up to this long, at random, and at least a tenth of it. */
  readonly chargingSecondsMax: number;
}

/** A minute between cars, half an hour at the plug. */
export const defaultHabits: DriverHabits = { idleSecondsMax: 60, chargingSecondsMax: 1800 };

/** Drivers who start and stop transactions on every connector of one charger, until stopped. */
export class Drivers {
  readonly #charger: SimulatedCharger;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #habits: DriverHabits;
  readonly #timers = new Map<number, Timer>();
  #stopped = false;

  constructor(charger: SimulatedCharger, habits: DriverHabits, clock: Clock, random: Random) {
    this.#charger = charger;
    this.#habits = habits;
    this.#clock = clock;
    this.#random = random;
    for (const { connectorId } of charger.state().connectors) this.#arrive(connectorId);
  }

  /** No driver comes or goes any more. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #arrive(connectorId: number): void {
    const seconds = this.#random.fraction() * this.#habits.idleSecondsMax;
    this.#after(connectorId, seconds, async () => {
      const idTag = `SIM-TAG-${this.#random.integer(1, 9999)}`;
      try {
        await this.#charger.startTransaction(connectorId, idTag);
      } catch {
        // Taken, offline or not accepted: the driver leaves, and another comes.
        this.#arrive(connectorId);
        return;
      }
      this.#leave(connectorId);
    });
  }

  #leave(connectorId: number): void {
    const shareMin = 0.1;
    const share = shareMin + (1 - shareMin) * this.#random.fraction();
    this.#after(connectorId, share * this.#habits.chargingSecondsMax, async () => {
      this.#arrive(connectorId);
      await this.#charger.stopTransaction(connectorId);
    });
  }

  #after(connectorId: number, seconds: number, action: () => Promise<void>): void {
    if (this.#stopped) return;
    this.#timers.set(
      connectorId,
      this.#clock.after(seconds * 1000, () => void action()),
    );
  }
}
