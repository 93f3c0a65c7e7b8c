import type { Clock } from '../../src/lib/clock.ts';

/** Whether a gateway still runs. What is dead hears nothing and does nothing any more. */
export interface Life {
  isDead: boolean;
}

/** A clock whose timers die with `life`. */
export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    nowMs: () => clock.nowMs(),
    elapsedMs: () => clock.elapsedMs(),
    after: (delayMs, action) =>
      clock.after(delayMs, () => {
        if (!life.isDead) action();
      }),
  };
}
