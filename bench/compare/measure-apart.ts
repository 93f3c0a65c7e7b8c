import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ContestantName, Kit } from './contestants/contestant.ts';
import type { Cores } from './cores.ts';
import type { Options } from './options.ts';
import type { Measurement } from './scene.ts';
import type { Transport } from './transport.ts';

/** What is to be measured. It goes to another process. */
export interface Task {
  readonly contestants: readonly ContestantName[];
  readonly transport: Transport;
  readonly options: Options;
  readonly kit: Kit;
  /** Of the chargers, in base64, by identity. */
  readonly passwords: readonly (readonly [identity: string, password: string])[];
  /**
   * Calls a second of the open loop, which is for those who are measured alone; undefined for the closed
   * loops, in which all are measured together.
   */
  readonly openLoopRate: number | undefined;
}

/** What the process answers. */
export interface Measured {
  readonly measurements: readonly Measurement[];
  /** Who ran where; undefined when all shared all cores. */
  readonly cores: Cores | undefined;
}

const program = fileURLToPath(new URL('load-process.ts', import.meta.url));

/**
 * Much room for what is short-lived and more for what is not: a collector that stops the load, or takes
 * the core away from it, would be the latency of whoever is measured.
 */
const heap = [
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--initial-old-space-size=2048',
  '--max-old-space-size=4096',
];

/** Measures contestants in a process of their own. @throws {Error} when that fails. */
export function measureApart(task: Task): Promise<Measured> {
  const child = fork(program, { execArgv: heap });
  return new Promise((resolve, reject) => {
    child.once('message', (measured) => resolve(measured as Measured));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the process of the load ended: ${code}`)));
    child.send(task);
  });
}
