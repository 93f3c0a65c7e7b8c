import { systemClock } from '../../lib/clock.ts';

/** Nobody needs to be told that something takes a second. Milliseconds. */
const patienceMs = 2_000;
const everyMs = 500;

/** Tells on standard error how far a long command is, if somebody watches. */
export function progressOnTerminal(what: string): (done: number, all: number) => void {
  if (!process.stderr.isTTY) return () => {};
  const clock = systemClock();
  let nextMs = clock.elapsedMs() + patienceMs;
  let hasShown = false;
  return (done, all) => {
    const nowMs = clock.elapsedMs();
    const isLast = done >= all;
    if (nowMs < nextMs && !(isLast && hasShown)) return;
    nextMs = nowMs + everyMs;
    hasShown = true;
    process.stderr.write(`\r${what}: ${done} of ${all}${isLast ? '\n' : ''}`);
  };
}
