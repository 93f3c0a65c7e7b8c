import type { Clock, Timer } from '../../src/lib/clock.ts';

/** A clock that stands still until it is told to move. For tests and simulations. */
export interface ManualClock extends Clock {
  /** Moves time on by `ms`, running each timer that falls due, in order, at its own moment. */
  advance(ms: number): void;
}

interface Pending extends Timer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly action: () => void;
}

/** A clock that starts at `startMs` (Unix milliseconds) and moves only by `advance`. */
export function manualClock(startMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0;
  let sequence = 0;
  const pending = new Set<Pending>();

  const earliestUntil = (limitMs: number): Pending | undefined => {
    let earliest: Pending | undefined;
    for (const timer of pending) {
      if (timer.dueMs > limitMs) continue;
      const sooner =
        earliest === undefined ||
        timer.dueMs < earliest.dueMs ||
        (timer.dueMs === earliest.dueMs && timer.sequence < earliest.sequence);
      if (sooner) earliest = timer;
    }
    return earliest;
  };

  return {
    nowMs: () => startMs + elapsed,
    elapsedMs: () => elapsed,
    after(delayMs, action) {
      sequence += 1;
      const timer: Pending = {
        dueMs: elapsed + Math.max(0, delayMs),
        sequence,
        action,
        cancel: () => pending.delete(timer),
      };
      pending.add(timer);
      return timer;
    },
    advance(ms) {
      const limitMs = elapsed + ms;
      for (let due = earliestUntil(limitMs); due !== undefined; due = earliestUntil(limitMs)) {
        pending.delete(due);
        elapsed = due.dueMs;
        due.action();
      }
      elapsed = limitMs;
    },
  };
}
