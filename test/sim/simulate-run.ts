import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('./simulate-entry.ts', import.meta.url));

/** A command that runs. */
export interface Run {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  readonly output: () => string;
  /** Resolves with the match when the output has it. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
}

const children = new Set<ChildProcess>();

/** Ends the commands that a failed test has left behind. */
export function endRuns(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** Spawns `gatewatt simulate` with these parameters. */
export function run(...parameters: readonly string[]): Run {
  const child = spawn(process.execPath, [entry, ...parameters], { stdio: 'pipe' });
  children.add(child);
  let output = '';
  const listeners = new Set<() => void>();
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const exit = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  const says = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(output);
        if (match !== null) resolve(match);
      };
      listeners.add(look);
      look();
      void exit.then(() => reject(new Error(`ended without ${pattern}: ${output}`)));
    });
  return { child, exit, output: () => output, says };
}
