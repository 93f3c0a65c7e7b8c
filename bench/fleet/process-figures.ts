import { readdir, readFile } from 'node:fs/promises';

/** What Linux says of a process. */
export interface ProcessFigures {
  readonly residentBytes: number;
  readonly openFiles: number;
  /** CPU time of all its threads since it was started, in milliseconds. */
  readonly cpuMs: number;
}

/** Clock ticks in a second, in `/proc/PID/stat`: the same for all Linux systems of today. */
const ticksPerSecond = 100;

/** @throws the system's error when there is no such process any more. */
export async function processFigures(pid: number): Promise<ProcessFigures> {
  const [status, stat, files] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readdir(`/proc/${pid}/fd`),
  ]);
  // The name of the program is in parentheses, and may hold blanks. The state is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    residentBytes: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024,
    openFiles: files.length,
    cpuMs: (ticks * 1000) / ticksPerSecond,
  };
}
