import { rounded } from '../protocol/payload.ts';

/** What a connector and the car on it can do. */
export interface ElectricalRating {
  readonly supply: 'AC' | 'DC';
  /** The lower of what the connector gives and what the car takes. */
  readonly powerKwMax: number;
  /** Of the AC supply; 1 for DC. */
  readonly phases: 1 | 2 | 3;
  readonly batteryKwh: number;
}

/** A three-phase 11 kW wall box and a car with 60 kWh. */
export const acRating: ElectricalRating = {
  supply: 'AC',
  powerKwMax: 11,
  phases: 3,
  batteryKwh: 60,
};

/** A 150 kW fast charger and a car with 77 kWh. */
export const dcRating: ElectricalRating = {
  supply: 'DC',
  powerKwMax: 150,
  phases: 1,
  batteryKwh: 77,
};

/** Between line and neutral (IEC 60038). */
const lineVoltageV = 230;
/** The least a car draws per phase; below it the car pauses (IEC 61851-1 annex A). */
const phaseCurrentAMin = 6;
/** Above this state of charge the battery's voltage, not the charger, sets the current. */
const taperFromSocPercent = 80;
/** What is left of the power just before the battery is full. */
const taperLowest = 0.05;
/** The pack's voltage, empty and full: a 400 V class battery. */
const packVoltageEmptyV = 330;
const packVoltageFullV = 410;
/** The step of the integral. Power changes slowly, so ten seconds are exact enough. */
const stepSecondsMax = 10;
/** A week in steps; a clock that jumps further must not freeze the process. */
const stepsMax = 60_480;

/** A moment of one charging session. All values belong together: power = voltage x current. */
export interface ElectricalSample {
  readonly powerW: number;
  readonly currentA: number;
  readonly voltageV: number;
  readonly phasesUsed: number;
  readonly socPercent: number;
  /** Taken in since the session began. */
  readonly energyWh: number;
}

/** A connector without a car. */
export const idleSample: ElectricalSample = {
  powerW: 0,
  currentA: 0,
  voltageV: 230,
  phasesUsed: 1,
  socPercent: 0,
  energyWh: 0,
};

/** One car on one connector. */
export class ChargingSession {
  readonly #rating: ElectricalRating;
  #socPercent: number;
  #energyWh = 0;
  #atMs: number;

  constructor(rating: ElectricalRating, socPercent: number, startMs: number) {
    this.#rating = rating;
    this.#socPercent = socPercent;
    this.#atMs = startMs;
  }

  /**
   * Integrates the power up to `nowMs`. `limitW` tells the limit at a moment (Unix milliseconds);
   * Infinity where there is none. A clock that goes backwards changes nothing.
   */
  advance(nowMs: number, limitW: (atMs: number) => number): void {
    const totalSeconds = Math.max(0, (nowMs - this.#atMs) / 1000);
    const steps = Math.min(Math.ceil(totalSeconds / stepSecondsMax), stepsMax);
    for (let step = 0; step < steps; step += 1) {
      const seconds = totalSeconds / steps;
      const powerW = this.#powerW(limitW(this.#atMs));
      const roomWh = ((100 - this.#socPercent) / 100) * this.#rating.batteryKwh * 1000;
      const addedWh = Math.min((powerW * seconds) / 3600, roomWh);
      this.#energyWh += addedWh;
      this.#socPercent += (addedWh / (this.#rating.batteryKwh * 1000)) * 100;
      this.#atMs += seconds * 1000;
    }
    this.#atMs = Math.max(this.#atMs, nowMs);
  }

  /** The values under `limitW`, at the moment that `advance` has reached. */
  sample(limitW: number): ElectricalSample {
    const powerW = this.#powerW(limitW);
    const phasesUsed = this.#phasesUsed(powerW);
    const voltageV = this.#voltageV();
    return {
      powerW,
      currentA: powerW / (voltageV * phasesUsed),
      voltageV,
      phasesUsed,
      socPercent: this.#socPercent,
      energyWh: this.#energyWh,
    };
  }

  /** Has the car all it can take? */
  isFull(): boolean {
    return rounded(this.#socPercent, 3) >= 100;
  }

  #powerW(limitW: number): number {
    if (this.isFull()) return 0;
    const wantedW = this.#rating.powerKwMax * 1000 * taper(this.#socPercent);
    const powerW = Math.max(0, Math.min(wantedW, limitW));
    const powerWMin = this.#rating.supply === 'AC' ? phaseCurrentAMin * lineVoltageV : 1;
    // Only a limit makes a car pause; at the end of the taper it draws what it still needs.
    return powerW < powerWMin && powerW < wantedW ? 0 : powerW;
  }

  /** A car that is given too little for three phases goes on with one. */
  #phasesUsed(powerW: number): number {
    const { phases, supply } = this.#rating;
    if (supply === 'DC') return 1;
    return powerW >= phases * phaseCurrentAMin * lineVoltageV ? phases : 1;
  }

  #voltageV(): number {
    if (this.#rating.supply === 'AC') return lineVoltageV;
    const share = this.#socPercent / 100;
    return packVoltageEmptyV + (packVoltageFullV - packVoltageEmptyV) * share;
  }
}

/** The share of the full power that a battery takes: constant, then falling to the end. */
function taper(socPercent: number): number {
  if (socPercent <= taperFromSocPercent) return 1;
  const share = (socPercent - taperFromSocPercent) / (100 - taperFromSocPercent);
  return 1 - share * (1 - taperLowest);
}

/** `amperes` per phase as watts, on a connector of this rating. */
export function wattsOfAmperes(
  rating: ElectricalRating,
  amperes: number,
  numberPhases: number,
): number {
  if (rating.supply === 'DC') return amperes * packVoltageFullV;
  return amperes * lineVoltageV * Math.min(numberPhases, rating.phases);
}

/** `watts` as amperes per phase: the inverse of `wattsOfAmperes`. */
export function amperesOfWatts(rating: ElectricalRating, watts: number): number {
  return watts / wattsOfAmperes(rating, 1, rating.phases);
}
