import { setTimeout as delay } from 'node:timers/promises';
import type { FleetGateway } from './fleet-gateway.ts';
import type { GatewayMetrics } from './metrics-page.ts';
import type { ProcessFigures } from './process-figures.ts';

/** The gateway at one moment. */
export interface Sample extends Omit<ProcessFigures, 'cpuMs'>, GatewayMetrics {
  /** Since the run began. */
  readonly atSeconds: number;
  readonly phase: string;
  /** Of one core, since the sample before; NaN for the first one of a process. */
  readonly cpuShare: number;
}

/** Takes samples of a gateway, one after another. */
export class Sampler {
  readonly samples: Sample[] = [];
  /** Samples that could not be taken, because the gateway did not answer in time. */
  missed = 0;
  /** How late this process itself was at most, in milliseconds: a machine that stands still shows. */
  lateMsMax = 0;
  readonly #gateway: FleetGateway;
  readonly #beganAtMs = performance.now();
  #before: { readonly pid: number; readonly atMs: number; readonly cpuMs: number } | undefined;

  constructor(gateway: FleetGateway) {
    this.#gateway = gateway;
  }

  /** Since the run began. */
  get seconds(): number {
    return (performance.now() - this.#beganAtMs) / 1000;
  }

  /**
   * @returns undefined when the gateway does not answer.
   * @throws Error when the gateway has ended.
   */
  async take(phase: string): Promise<Sample | undefined> {
    // First, because the metrics cost time of the processor themselves.
    const { cpuMs, ...figures } = await this.#gateway.figures();
    const { pid } = this.#gateway;
    const atMs = performance.now();
    const before = this.#before?.pid === pid ? this.#before : undefined;
    this.#before = { pid, atMs, cpuMs };
    const metrics = await this.#gateway.metrics().catch(() => undefined);
    if (metrics === undefined) {
      this.missed += 1;
      return undefined;
    }
    const sample = {
      atSeconds: this.seconds,
      phase,
      ...figures,
      ...metrics,
      cpuShare: before === undefined ? Number.NaN : (cpuMs - before.cpuMs) / (atMs - before.atMs),
    };
    this.samples.push(sample);
    return sample;
  }

  /**
   * Takes one every `everySeconds` until `untilMs` (`performance.now`).
   *
   * @param onSample may tell of it.
   * @throws Error when the gateway has ended; AbortError when `signal` says so.
   */
  async takeUntil(
    { everySeconds, phase, signal, untilMs }: Sampling,
    onSample: (sample: Sample) => void | Promise<void>,
  ): Promise<void> {
    let dueAtMs = performance.now();
    while (dueAtMs < untilMs()) {
      // One that took long is not made up for.
      dueAtMs = Math.min(Math.max(dueAtMs + everySeconds * 1000, performance.now()), untilMs());
      await delay(Math.max(0, dueAtMs - performance.now()), undefined, { signal });
      this.lateMsMax = Math.max(this.lateMsMax, performance.now() - dueAtMs);
      const sample = await this.take(phase);
      if (sample !== undefined) await onSample(sample);
    }
  }

  of(phase: string): readonly Sample[] {
    return this.samples.filter((sample) => sample.phase === phase);
  }
}

/** Which samples to take. */
export interface Sampling {
  readonly phase: string;
  readonly everySeconds: number;
  /** Asked again and again: what ends a phase may not be known at its beginning. */
  readonly untilMs: () => number;
  readonly signal: AbortSignal;
}

/** One line for people. */
export function sampleLine(sample: Sample): string {
  const { atSeconds, cpuShare, heapBytes, lag, openFiles, phase } = sample;
  return (
    `${clockTime(atSeconds)} ${phase.padEnd(8)} ${sample.sessions} sessions, ` +
    `RSS ${megabytes(sample.residentBytes)}, heap ${megabytes(heapBytes)}, ${openFiles} files, ` +
    `CPU ${Number.isNaN(cpuShare) ? '-' : `${Math.round(cpuShare * 100)} %`}, ` +
    `lag p50 ${lag.p50Ms.toFixed(0)} p99 ${lag.p99Ms.toFixed(0)} max ${lag.maxMs.toFixed(0)} ms`
  );
}

/** `12:05`, minutes and seconds since the run began. */
export function clockTime(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Rounded, with the unit. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
