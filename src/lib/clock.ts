/**
 * Time is an argument everywhere, so that tests and simulations decide what time it is. Nothing
 * outside lib/ calls Date.now or setTimeout.
 */
export interface Clock {
  /** Wall-clock time, Unix milliseconds. For records that people read; it may jump. */
  nowMs(): number;
  /** Monotonic time in milliseconds, with fractions. For durations and deadlines; never jumps. */
  elapsedMs(): number;
  /** Calls `action` once, `delayMs` from now, unless it is cancelled before. */
  after(delayMs: number, action: () => void): Timer;
}

/** A timer that has been set. */
export interface Timer {
  /** Idempotent; after it, the action never runs. */
  cancel(): void;
}

/** The machine's own time. Its timers keep the process alive only when `keepAlive` is set. */
export function systemClock(options: { readonly keepAlive: boolean } = { keepAlive: true }): Clock {
  return {
    nowMs: () => Date.now(),
    elapsedMs: () => performance.now(),
    after(delayMs, action) {
      const handle = setTimeout(action, delayMs);
      if (!options.keepAlive) handle.unref();
      return { cancel: () => clearTimeout(handle) };
    },
  };
}

/** Resolves after `delayMs` of `clock`'s time. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
