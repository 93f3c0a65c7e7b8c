import { ownProperty } from '../../ocpp/message.ts';
import { integerAt, listAt, textAt } from './read-property.ts';
import type { Urgency } from './seen.ts';

/** The last value of one measurand. */
export interface Reading {
  readonly measurand: string;
  readonly phase: string | undefined;
  readonly location: string;
  readonly value: number;
  readonly unit: string | undefined;
  /** As the charger wrote it. */
  readonly timestamp: string | undefined;
  /** When the gateway saw it, Unix time in milliseconds. */
  readonly atMs: number;
}

/** The last readings at one place: a connector in OCPP 1.6, an EVSE since; 0 is the grid meter. */
export interface PlaceReadings {
  readonly place: number;
  readonly readings: readonly Reading[];
}

/** The power that a place takes. */
export interface PowerReading {
  readonly place: number;
  readonly watts: number;
  /** When the gateway saw it, Unix time in milliseconds; of several phases, the oldest. */
  readonly atMs: number;
}

/** A reading that newer ones of the same measurand are written over. */
interface KeptReading extends Reading {
  value: number;
  unit: string | undefined;
  timestamp: string | undefined;
  atMs: number;
}

interface KeptReadings {
  readonly place: number;
  readonly readings: KeptReading[];
}

const readingsPerPlaceMax = 32;
const placesMax = 64;
/** Over all places. Ten for each of as many connectors as a charger may have. */
const readingsMax = 640;
/** One message may carry an hour of them; the last ones count. */
const valuesPerMessageMax = 200;

const measurandCharsMax = 40;
const phaseCharsMax = 10;
const unitCharsMax = 16;
const timestampCharsMax = 40;

const energyRegister = 'Energy.Active.Import.Register';
const activePower = 'Power.Active.Import';

/** Units that OCPP takes for granted, or that chargers leave out, by how the measurand begins. */
const defaultUnits = [
  ['Energy.Active.', 'Wh'],
  ['Power.Active.', 'W'],
  ['Power.Offered', 'W'],
  ['Current.', 'A'],
  ['Voltage', 'V'],
] as const;

/** Remembers the last value of each measurand, at each place. */
export class MeterMemory {
  readonly #places: KeptReadings[] = [];

  constructor(saved: unknown) {
    if (!Array.isArray(saved)) return;
    for (const item of saved) {
      const place = integerAt(item, 'place');
      if (place === undefined) continue;
      for (const reading of listAt(item, 'readings')) {
        const timestamp = textAt(reading, 'timestamp', timestampCharsMax);
        this.#learn(place, readingOf(reading, timestamp, integerAt(reading, 'atMs') ?? 0));
      }
    }
  }

  /** The charger sends a `meterValue` list, of whatever version, for `place`. */
  learn(place: number | undefined, meterValue: readonly unknown[], atMs: number): Urgency {
    if (place === undefined) return 'none';
    let urgency: Urgency = 'none';
    const known = this.#places.find((other) => other.place === place)?.readings;
    for (const moment of lastOf(meterValue)) {
      const timestamp = textAt(moment, 'timestamp', timestampCharsMax);
      let at = 0;
      for (const sample of firstOf(listAt(moment, 'sampledValue'))) {
        const isLearned =
          refresh(known?.[at], sample, timestamp, atMs) ||
          this.#learn(place, readingOf(sample, timestamp, atMs));
        if (isLearned) urgency = 'eventually';
        at += 1;
      }
    }
    return urgency;
  }

  /**
   * The power that `place` takes, in W; undefined when the charger has not said. Phases are added
   * up only where it gives no sum.
   */
  measuredPowerW(place: number): number | undefined {
    const known = this.#places.find((other) => other.place === place);
    return known && powerIn(known)?.watts;
  }

  /** The power that each place takes, where the charger has said it. */
  powers(): readonly PowerReading[] {
    return this.#places.map(powerIn).filter((power) => power !== undefined);
  }

  /** What is known, place by place. */
  saved(): readonly PlaceReadings[] {
    return this.#places.map(({ place, readings }) => ({
      place,
      readings: readings.map((reading) => ({ ...reading })),
    }));
  }

  #learn(place: number, reading: Reading | undefined): boolean {
    if (reading === undefined) return false;
    const readings = this.#places.find((other) => other.place === place)?.readings ?? [];
    const known = readings.find((other) => isSameMeasurement(other, reading));
    if (known !== undefined) {
      known.value = reading.value;
      known.unit = reading.unit;
      known.timestamp = reading.timestamp;
      known.atMs = reading.atMs;
      return true;
    }
    const count = this.#places.reduce((sum, other) => sum + other.readings.length, 0);
    if (readings.length >= readingsPerPlaceMax || count >= readingsMax) return false;
    if (readings.length === 0) {
      if (this.#places.length >= placesMax) return false;
      this.#places.push({ place, readings });
    }
    readings.push({ ...reading });
    return true;
  }
}

function lastOf(moments: readonly unknown[]): readonly unknown[] {
  return moments.length > valuesPerMessageMax ? moments.slice(-valuesPerMessageMax) : moments;
}

function firstOf(samples: readonly unknown[]): readonly unknown[] {
  return samples.length > valuesPerMessageMax ? samples.slice(0, valuesPerMessageMax) : samples;
}

/**
 * Takes a new value of OCPP 1.6 over into `known`, the reading that had this place in the message
 * before. A charger sends the same measurands in the same order each time, and reading them from
 * scratch cost more than all rules together.
 *
 * @returns false where it is not evidently the same measurand, told in the same words.
 */
function refresh(
  known: KeptReading | undefined,
  sample: unknown,
  timestamp: string | undefined,
  atMs: number,
): boolean {
  if (known === undefined) return false;
  if (
    ownProperty(sample, 'measurand') !== known.measurand ||
    ownProperty(sample, 'phase') !== known.phase ||
    (ownProperty(sample, 'location') ?? 'Outlet') !== known.location ||
    ownProperty(sample, 'unit') !== known.unit ||
    ownProperty(sample, 'format') === 'SignedData' ||
    ownProperty(sample, 'unitOfMeasure') !== undefined
  ) {
    return false;
  }
  const value = scaled(ownProperty(sample, 'value'), undefined);
  if (value === undefined) return false;
  known.value = value;
  known.timestamp = timestamp;
  known.atMs = atMs;
  return true;
}

function powerIn({ place, readings }: KeptReadings): PowerReading | undefined {
  const powers = readings.filter(
    ({ measurand, unit }) => measurand === activePower && (unit === 'W' || unit === 'kW'),
  );
  for (const location of ['Outlet', 'Cable', 'Inlet']) {
    const here = powers.filter((reading) => reading.location === location);
    const total = here.find((reading) => reading.phase === undefined);
    const phases = here.filter((reading) => /^L[123](?:-N)?$/.test(reading.phase ?? ''));
    const used = total === undefined ? phases : [total];
    if (used.length === 0) continue;
    const watts = used.map(inBaseUnit).reduce((sum, phase) => sum + phase);
    return { place, watts, atMs: Math.min(...used.map(({ atMs }) => atMs)) };
  }
  return undefined;
}

/** The energy register in a `meterValue` list, taken at `context`, in Wh. */
export function registerWh(meterValue: readonly unknown[], context: string): number | undefined {
  for (const moment of lastOf(meterValue)) {
    for (const sample of firstOf(listAt(moment, 'sampledValue'))) {
      if (ownProperty(sample, 'context') !== context) continue;
      const reading = readingOf(sample, undefined, 0);
      if (reading?.measurand !== energyRegister || reading.phase !== undefined) continue;
      if (reading.unit === 'Wh' || reading.unit === 'kWh') return inBaseUnit(reading);
    }
  }
  return undefined;
}

/** Reads a sampled value; undefined when it is no number, such as signed data. */
function readingOf(
  sample: unknown,
  timestamp: string | undefined,
  atMs: number,
): Reading | undefined {
  if (ownProperty(sample, 'format') === 'SignedData') return undefined;
  const unitOfMeasure = ownProperty(sample, 'unitOfMeasure');
  const value = scaled(ownProperty(sample, 'value'), ownProperty(unitOfMeasure, 'multiplier'));
  if (value === undefined) return undefined;
  const measurand = textAt(sample, 'measurand', measurandCharsMax) ?? energyRegister;
  return {
    measurand,
    phase: textAt(sample, 'phase', phaseCharsMax),
    location: textAt(sample, 'location', phaseCharsMax) ?? 'Outlet',
    value,
    unit:
      textAt(sample, 'unit', unitCharsMax) ??
      textAt(unitOfMeasure, 'unit', unitCharsMax) ??
      defaultUnits.find(([start]) => measurand.startsWith(start))?.[1],
    timestamp,
    atMs,
  };
}

/** OCPP 1.6 has numbers in texts, later versions have a power of ten beside the number. */
function scaled(value: unknown, multiplier: unknown): number | undefined {
  const isText = typeof value === 'string' && /^\s*[+-]?(?:\d|\.\d)[\d.eE+-]*\s*$/.test(value);
  const number = isText ? Number(value) : value;
  const exponent = Number.isSafeInteger(multiplier) ? Number(multiplier) : 0;
  if (typeof number !== 'number') return undefined;
  // Divided, not multiplied, by a fraction: 23 * 10 ** -1 is 2.3000000000000003.
  const product = exponent < 0 ? number / 10 ** -exponent : number * 10 ** exponent;
  return Number.isFinite(product) ? product : undefined;
}

/** In W, or in Wh. */
function inBaseUnit({ unit, value }: Reading): number {
  return unit?.startsWith('k') ? value * 1000 : value;
}

function isSameMeasurement(one: Reading, other: Reading): boolean {
  return (
    one.measurand === other.measurand &&
    one.phase === other.phase &&
    one.location === other.location
  );
}
