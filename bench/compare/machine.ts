import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

/** Where a run happened. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** Processes that wanted to run in the last minute, on average, before the run began. */
  readonly loadAverage: number;
  /** ISO 8601. */
  readonly date: string;
}

/** This machine, now. */
export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown processor',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    loadAverage: loadavg()[0] ?? Number.NaN,
    date: new Date().toISOString(),
  };
}
