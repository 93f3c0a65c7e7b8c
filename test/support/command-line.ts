import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';

/** What a command has written, and its exit code. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const processFile = new URL('./command-line-process.ts', import.meta.url);

let child: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs `gatewatt` with these words. All that a test file runs share one process, one after the other:
 * starting one takes longer than what most commands do.
 */
export function runGatewatt(...words: readonly string[]): Promise<Ended> {
  const ended = last.then(() => runNow(words));
  last = ended.catch(() => undefined);
  return ended;
}

async function runNow(words: readonly string[]): Promise<Ended> {
  child ??= fork(processFile, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const settled = new AbortController();
  const { signal } = settled;
  const death = once(child, 'exit', { signal }).then(
    () => Promise.reject(new Error('the command line has died')),
    () => new Promise<never>(() => undefined),
  );
  child.send({ words });
  try {
    const [ended] = await Promise.race([once(child, 'message', { signal }), death]);
    return ended as Ended;
  } finally {
    settled.abort();
  }
}

after(() => {
  child?.disconnect();
});
