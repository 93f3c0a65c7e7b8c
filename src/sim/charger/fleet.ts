import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Traffic, TrafficObserver } from '../protocol/traffic.ts';
import {
  type SimulatedCharger,
  type SimulatedChargerOptions,
  startSimulatedCharger,
} from './charger.ts';
import { type DriverHabits, Drivers } from './driver.ts';

/** What a fleet needs. */
export interface FleetOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly count: number;
  /** `{n}` stands for the number of the charger, from 1. */
  readonly idPattern: string;
  /** Chargers that are started per second; all at once would be a storm that nobody asked for. */
  readonly startsPerSecond: number;
  /** What all chargers have in common. */
  readonly charger: Omit<SimulatedChargerOptions, 'clock' | 'random' | 'identity' | 'onTraffic'>;
  /** Drivers who start transactions; undefined: only the CSMS does. */
  readonly habits?: DriverHabits | undefined;
  readonly onTraffic?: TrafficObserver | undefined;
}

/** What a fleet has done so far, and what it is doing. */
export interface FleetSummary {
  readonly chargers: number;
  /** Dialled at least once. */
  readonly started: number;
  /** Accepted by the CSMS at least once. */
  readonly everAccepted: number;
  readonly acceptedNow: number;
  readonly chargingNow: number;
  readonly powerKw: number;
  readonly framesSent: number;
  readonly framesReceived: number;
  /** CallErrors that came back. */
  readonly callErrorsReceived: number;
  /** CallErrors that we answered. */
  readonly callErrorsSent: number;
}

/** The identity of charger number `number` (from 1). */
export function fleetIdentity(idPattern: string, number: number): string {
  return idPattern.replaceAll('{n}', String(number));
}

/** One charger or a thousand, in one process. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #chargers: SimulatedCharger[] = [];
  readonly #drivers: Drivers[] = [];
  readonly #firstAccepted = Promise.withResolvers<void>();
  #timer: Timer | undefined;
  #everAccepted = 0;
  #framesSent = 0;
  #framesReceived = 0;
  #callErrorsReceived = 0;
  #callErrorsSent = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#startNext();
  }

  /** Those that have been started, in order. */
  chargers(): readonly SimulatedCharger[] {
    return this.#chargers;
  }

  /** Resolves when the CSMS has accepted any of them. */
  firstAccepted(): Promise<void> {
    return this.#firstAccepted.promise;
  }

  /** The counters at this moment. */
  summary(): FleetSummary {
    const states = this.#chargers.map((charger) => charger.state());
    const connectors = states.flatMap((state) => state.connectors);
    return {
      chargers: this.#options.count,
      started: this.#chargers.length,
      everAccepted: this.#everAccepted,
      acceptedNow: states.filter(({ connection }) => connection === 'accepted').length,
      chargingNow: connectors.filter(({ isCharging }) => isCharging).length,
      powerKw: connectors.reduce((sum, { powerKw }) => sum + powerKw, 0),
      framesSent: this.#framesSent,
      framesReceived: this.#framesReceived,
      callErrorsReceived: this.#callErrorsReceived,
      callErrorsSent: this.#callErrorsSent,
    };
  }

  /** Ends them all. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    for (const drivers of this.#drivers) drivers.stop();
    await Promise.all(this.#chargers.map((charger) => charger.close()));
  }

  #startNext(): void {
    const { clock, random, count, idPattern, startsPerSecond, habits } = this.#options;
    const number = this.#chargers.length + 1;
    if (number > count) return;
    const charger = startSimulatedCharger({
      ...this.#options.charger,
      clock,
      random,
      identity: fleetIdentity(idPattern, number),
      onTraffic: (traffic) => this.#observe(traffic),
    });
    this.#chargers.push(charger);
    charger.connected().then(
      () => {
        this.#everAccepted += 1;
        this.#firstAccepted.resolve();
        if (habits !== undefined) {
          this.#drivers.push(new Drivers(charger, habits, clock, random));
        }
      },
      // Closed before it was accepted.
      () => undefined,
    );
    this.#timer = clock.after(1000 / startsPerSecond, () => this.#startNext());
  }

  #observe(traffic: Traffic): void {
    const isSent = traffic.direction === 'sent';
    if (isSent) this.#framesSent += 1;
    else this.#framesReceived += 1;
    if (traffic.message?.kind === 'call-error') {
      if (isSent) this.#callErrorsSent += 1;
      else this.#callErrorsReceived += 1;
    }
    this.#options.onTraffic?.(traffic);
  }
}
