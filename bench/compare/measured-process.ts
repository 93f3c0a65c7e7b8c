import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { onMeasuredCore } from './cores.ts';
import { cpuMsOf, residentBytesOf } from './process-usage.ts';

/** A process that is being measured. It does not outlive this one. */
export interface MeasuredProcess {
  /** CPU time of it and its children since it was started, in milliseconds. */
  cpuMs(): Promise<number>;
  /** Resident memory of it and its children, in bytes. */
  residentBytes(): Promise<number>;
  /** Rejects when it ends. */
  readonly ended: Promise<never>;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>;
}

/** How long a process may take to end when it is asked to. */
const stopMsMax = 15_000;

/** What is shown of what a process has complained about, when it has ended by itself. */
const complaintLengthMax = 4000;

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/**
 * Starts `command`, and reads its output to the end: a full pipe would slow it down. `onLine` gets each
 * line of standard output.
 */
export function startMeasuredProcess(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): MeasuredProcess {
  removeLeftoversAtExit();
  // In a group of its own, so that what it starts can be ended together with it.
  const child = spawn(...onMeasuredCore(command, args), {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = `${complaint}${text}`.slice(-complaintLengthMax);
  });
  createInterface({ input: child.stdout }).on('line', onLine);
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      running.delete(child);
      resolve();
    });
  });
  let isStopping = false;
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (!isStopping)
        reject(new Error(`${path.basename(command)} ended: ${code ?? signal}\n${complaint}`));
    });
  });
  // Whoever waits for something else is told by that.
  ended.catch(() => {});
  const pid = child.pid ?? 0;
  return {
    cpuMs: () => cpuMsOf(pid),
    residentBytes: () => residentBytesOf(pid),
    ended,
    stop: async () => {
      isStopping = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => killGroup(child), stopMsMax);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** A folder for temporary files, which is removed when this process ends. */
export function makeTemporaryFolder(): string {
  removeLeftoversAtExit();
  const folder = mkdtempSync(path.join(tmpdir(), 'gatewatt-bench-'));
  folders.add(folder);
  return folder;
}

/** Removes such a folder before that. */
export function removeTemporaryFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

let isPrepared = false;

function removeLeftoversAtExit(): void {
  if (isPrepared) return;
  isPrepared = true;
  process.once('exit', () => {
    for (const child of running) killGroup(child);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  for (const [signal, code] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
