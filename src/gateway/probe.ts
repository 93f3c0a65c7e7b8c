import type { ProbedSocket } from '../connection/peer-link.ts';
import { type Clock, sleep } from '../lib/clock.ts';

/** A charger that has never answered a ping is alive if it said anything within this time. */
const unpingableAliveMs = 120_000;
/** How often a probe looks for a sign of life, in milliseconds. */
const stepMs = 50;

/**
 * Is the peer behind `socket` alive? Pings it, and waits for a sign of life, at most
 * `probeSeconds`.
 *
 * Source: docs/decisions/0008-duplicate-probe.md.
 */
export async function probePeer(
  socket: ProbedSocket,
  probeSeconds: number,
  clock: Clock,
): Promise<'alive' | 'silent'> {
  const askedAtMs = clock.elapsedMs();
  const deadlineMs = askedAtMs + probeSeconds * 1000;
  socket.ping();
  while (socket.isOpen && clock.elapsedMs() < deadlineMs) {
    if (socket.heardAtMs > askedAtMs) return 'alive';
    await sleep(clock, Math.min(stepMs, deadlineMs - clock.elapsedMs()));
  }
  if (!socket.isOpen) return 'silent';
  // A pong could not be heard. If the charger is dead, the stall will show it.
  if (socket.isPaused) return 'alive';
  if (socket.heardAtMs > askedAtMs) return 'alive';
  if (socket.hasAnsweredPing) return 'silent';
  return clock.elapsedMs() - socket.heardAtMs < unpingableAliveMs ? 'alive' : 'silent';
}
