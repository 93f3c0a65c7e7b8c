import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** What a figure of a benchmark belongs to. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly kernel: string;
  /** Processes that wanted to run in the minute before, on average: others disturb. */
  readonly loadBefore: number;
  /** Files that one process may have open. */
  readonly openFilesMax: number;
}

/** This machine, now. */
export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    loadBefore: loadavg()[0] ?? Number.NaN,
    openFilesMax: openFilesMax(),
  };
}

/** One line for people. */
export function machineLine({ cores, loadBefore, node, openFilesMax, processor }: Machine): string {
  return (
    `${processor}, ${cores} cores, Node ${node}, load before ${loadBefore.toFixed(1)}, ` +
    `${openFilesMax} open files for a process`
  );
}

/**
 * The hard limit of open files of this process, which its children inherit. Node.js raises the soft
 * limit to it by itself.
 */
function openFilesMax(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === 'unlimited' ? 1_000_000 : Number(hard);
}

/** Files of the gateway that belong to no charger: store, listeners, log, metrics. */
const otherFiles = 300;
/** Files of a charger in the gateway: its socket, and that to the CSMS. */
const filesPerCharger = 2;

/**
 * How many of the chargers that were asked for one gateway of this machine can hold.
 *
 * @returns at most `asked`.
 */
export function chargersThatFit(asked: number, { openFilesMax: max }: Machine): number {
  return Math.max(0, Math.min(asked, Math.floor((max - otherFiles) / filesPerCharger)));
}

/** What to say when fewer fit; undefined when all do. */
export function fewerRemark(asked: number, used: number, machine: Machine): string | undefined {
  if (used >= asked) return undefined;
  return (
    `ONLY ${used} CHARGERS INSTEAD OF ${asked}: a process may have ${machine.openFilesMax} open ` +
    `files here, each charger takes ${filesPerCharger} of the gateway, and ${otherFiles} are kept ` +
    'for the rest. Raise the hard limit (ulimit -Hn) for more.'
  );
}
