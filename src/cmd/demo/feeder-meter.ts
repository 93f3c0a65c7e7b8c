import { invariant } from '../../lib/assert.ts';
import type { Clock, Timer } from '../../lib/clock.ts';

/** The feeder that all chargers of the demo hang on. */
export const feederName = 'demo';
/** Far shorter than an operator would choose, so that the scene is over in some seconds. */
export const intervalSeconds = 2;

/**
 * Between two readings. Commands that the gateway lets go one interval apart are carried out some
 * milliseconds more or less apart; the readings within an interval span a reading less than it.
 */
const readingMs = 500;
/** A minute of readings; no chart shows more. */
const readingsMax = 120;

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/** What a feeder carries at a moment. */
export interface FeederReading {
  /** Of the clock that never jumps, in milliseconds. */
  readonly atMs: number;
  readonly loadKw: number;
}

/** What the meter measures, and what it compares that with. */
export interface MeterOptions {
  readonly clock: Clock;
  /** What each charger can take, in kW. */
  readonly ratedKws: readonly number[];
  /** What all of them take at this moment, in kW: by their own electrics, not by what they tell. */
  takenKw(): number;
}

/** The meter of the demo's feeder. It reads until it is closed. */
export class FeederMeter {
  /** By how much commands may lower, or raise, the load within an interval. */
  readonly budgetKw: number;
  readonly #options: MeterOptions;
  readonly #capacityKw: number;
  readonly #readings: FeederReading[] = [];
  #timer: Timer | undefined;

  constructor(options: MeterOptions) {
    this.#options = options;
    this.#capacityKw = options.ratedKws.reduce((sum, kw) => sum + kw, 0);
    this.budgetKw = budgetKwFor(options.ratedKws);
    this.read();
  }

  /** Reads now, and regularly from now on. */
  read(): FeederReading {
    const { clock, takenKw } = this.#options;
    this.#timer?.cancel();
    // Sums of fractions are not exact, and a budget is.
    const loadKw = Math.round(takenKw() * 10) / 10;
    const reading = { atMs: clock.elapsedMs(), loadKw };
    this.#readings.push(reading);
    if (this.#readings.length > readingsMax) this.#readings.shift();
    this.#timer = clock.after(readingMs, () => this.read());
    return reading;
  }

  /** The newest reading. */
  get loadKw(): number {
    const newest = this.#readings.at(-1);
    invariant(newest !== undefined, 'the meter has read when it was made');
    return newest.loadKw;
  }

  /** What the budget is, for people. */
  get budgetText(): string {
    return `budget ${this.budgetKw} kW in ${intervalSeconds} s`;
  }

  /** The readings from `sinceMs` on, the oldest first. */
  since(sinceMs: number): readonly FeederReading[] {
    return this.#readings.filter(({ atMs }) => atMs >= sinceMs);
  }

  /** The newest `count` readings as bars; the highest bar is what all chargers can take. */
  latestChart(count: number): string {
    return this.chart(this.#readings.slice(-count));
  }

  /** Readings as bars, in the scale of `latestChart`. */
  chart(readings: readonly FeederReading[]): string {
    const highest = bars.length - 1;
    const barOf = ({ loadKw }: FeederReading): string =>
      bars[Math.min(highest, Math.ceil((loadKw / this.#capacityKw) * highest))] ?? '';
    return readings.map(barOf).join('');
  }

  /** Reads no more. */
  close(): void {
    this.#timer?.cancel();
  }
}

/** By how much the load fell at most from one reading to a later one of the same interval, in kW. */
export function worstFallKw(readings: readonly FeederReading[]): number {
  let worst = 0;
  for (const [index, from] of readings.entries()) {
    for (const to of readings.slice(index + 1)) {
      // As the gateway counts: what is a whole interval apart is in no common interval.
      if (to.atMs - from.atMs >= intervalSeconds * 1000) break;
      worst = Math.max(worst, from.loadKw - to.loadKw);
    }
  }
  return Math.round(worst * 10) / 10;
}

/** A third of what all chargers can take, in tens; every single one must be stoppable. */
export function budgetKwFor(ratedKws: readonly number[]): number {
  const third = ratedKws.reduce((sum, kw) => sum + kw, 0) / 3;
  return Math.ceil(Math.max(third, ...ratedKws) / 10) * 10;
}
