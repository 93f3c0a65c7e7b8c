import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Who runs where, by the numbers of Linux. */
export interface Cores {
  /** Of this process: the chargers and the CSMS. */
  readonly load: number;
  /** Of whatever is measured. */
  readonly measured: number;
}

let cores: Cores | undefined;

/**
 * Keeps this process to one core, and what is measured from now on to another: otherwise the two push each
 * other aside now and then, and the latency of everybody is that of the scheduler.
 *
 * @returns undefined where there is only one core, or no `taskset`; then nothing is changed.
 */
export function separateCores(): Cores | undefined {
  const [load, measured] = allowedCores();
  if (load === undefined || measured === undefined) return undefined;
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', `${load}`, `${process.pid}`]);
  if (status === 0) cores = { load, measured };
  return cores;
}

/** The command line that runs a command where it is to be measured. */
export function onMeasuredCore(
  command: string,
  args: readonly string[],
): readonly [command: string, args: readonly string[]] {
  if (cores === undefined) return [command, args];
  return ['taskset', ['-c', `${cores.measured}`, command, ...args]];
}

/** The first two cores that this process may use. */
function allowedCores(): readonly number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const ranges = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1]?.split(',') ?? [];
  return ranges
    .flatMap((range) => {
      const [first = Number.NaN, last = first] = range.split('-').map(Number);
      return first === last ? [first] : [first, first + 1];
    })
    .slice(0, 2);
}
