import { systemClock } from '../../lib/clock.ts';

/** Nobody needs to be told that something takes a second. Milliseconds. */
const patienceMs = 2_000;
/** On a terminal, where a line is written over, and in a log, where it is not. Milliseconds. */
const terminalEveryMs = 500;
const logEveryMs = 5_000;

/** Tells on standard error how far a long command is, also where nobody watches. */
export function progress(what: string): (done: number, all: number) => void {
  const clock = systemClock();
  const isTerminal = process.stderr.isTTY === true;
  let nextMs = clock.elapsedMs() + (isTerminal ? patienceMs : logEveryMs);
  let hasShown = false;
  return (done, all) => {
    const nowMs = clock.elapsedMs();
    const isLast = done >= all;
    if (nowMs < nextMs && !(isLast && hasShown)) return;
    nextMs = nowMs + (isTerminal ? terminalEveryMs : logEveryMs);
    hasShown = true;
    const begin = isTerminal ? '\r' : '';
    const end = isLast || !isTerminal ? '\n' : '';
    process.stderr.write(`${begin}${what}: ${done} of ${all}${end}`);
  };
}
