import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { isCallResult, nextCall } from '../../closed-loop.ts';

/** How long calls may be late when the time for sending is over. */
const lateMsMax = 5000;
/** The share of the time that is not counted, at the beginning. */
const leadIn = 0.1;

/** What became of the calls of an open loop. */
export interface OpenLoopResult {
  /**
   * From the time at which a call was to be sent until its answer was there, in milliseconds, sorted.
   * A call without an answer counts with the time that it has waited.
   */
  readonly latenciesMs: readonly number[];
  /** Calls that had no answer in time. */
  readonly unanswered: number;
}

/**
 * Lets chargers call at a fixed rate, in turns, whatever becomes of their calls. A charger that waits for
 * an answer sends its next call after that, as OCPP demands, and the time counts from when it was to be
 * sent: what is slow cannot hide by being asked less often.
 */
export async function runOpenLoop(
  sockets: readonly WebSocket[],
  { ratePerSecond, seconds }: { readonly ratePerSecond: number; readonly seconds: number },
): Promise<OpenLoopResult> {
  const total = Math.ceil(ratePerSecond * seconds);
  const spacingMs = 1000 / ratePerSecond;
  const latencies = new Float64Array(total).fill(-1);
  const startMs = performance.now();
  const intendedMs = (call: number): number => startMs + call * spacingMs;
  // The calls of each charger that are due, the open one first. Of charger n: n, n + count, ...
  const due: number[][] = sockets.map(() => []);
  let answered = 0;
  const failure = Promise.withResolvers<never>();
  const onClose = (): void => failure.reject(new Error('a connection ended under load'));
  for (const [index, socket] of sockets.entries()) {
    const calls = due[index] ?? [];
    socket.removeAllListeners('message');
    socket.on('close', onClose);
    socket.on('message', (data: Buffer) => {
      if (!isCallResult(data)) failure.reject(new Error(`a call got ${String(data)}`));
      const call = calls.shift();
      if (call === undefined) return;
      latencies[call] = performance.now() - intendedMs(call);
      answered += 1;
      if (calls.length > 0) socket.send(nextCall());
    });
  }
  const send = async (): Promise<void> => {
    let begun = 0;
    while (begun < total) {
      for (
        const nowMs = performance.now();
        begun < total && intendedMs(begun) <= nowMs;
        begun += 1
      ) {
        const charger = begun % sockets.length;
        const calls = due[charger];
        if (calls?.push(begun) === 1) sockets[charger]?.send(nextCall());
      }
      // Not a timer: those come a millisecond late, and let what is due go in bursts.
      await turn();
    }
    const deadlineMs = performance.now() + lateMsMax;
    while (answered < total && performance.now() < deadlineMs) await delay(5);
  };
  await Promise.race([send(), failure.promise]);
  for (const socket of sockets) socket.removeAllListeners('message').off('close', onClose);
  const endMs = performance.now();
  const latenciesMs = Array.from(latencies, (it, call) => (it < 0 ? endMs - intendedMs(call) : it))
    .slice(Math.floor(total * leadIn))
    .sort((a, b) => a - b);
  return { latenciesMs, unanswered: total - answered };
}

/** The value that `part` of the sorted numbers do not exceed. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
