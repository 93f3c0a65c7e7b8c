import type { Timer } from '../../src/lib/clock.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** The timers of libraries, which do not take a clock as an argument. */
export interface ReplacedTimers {
  /**
   * None of those that are set will run, since the process that has set them is gone; but for what
   * was to be done at the end of the turn, which modules of this process remember as set.
   */
  dropAll(): void;
  /** Puts the real timers back. */
  restore(): void;
}

const names = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
] as const;

/** Lets `setTimeout` and its kin run in simulated time, for whoever looks them up from now on. */
export function replaceTimers(time: SimulatedTime): ReplacedTimers {
  const real = names.map((name) => [name, globalThis[name]] as const);
  const pending = new Set<SimulatedHandle>();
  const set = (
    delayMs: number,
    action: () => void,
    kind: 'once' | 'repeats' | 'outlives',
  ): SimulatedHandle => {
    const handle = new SimulatedHandle(pending);
    const run = (): void => {
      if (kind === 'repeats') handle.timer = time.after(Math.max(1, delayMs), run);
      else pending.delete(handle);
      action();
    };
    handle.timer = time.after(delayMs, run);
    if (kind !== 'outlives') pending.add(handle);
    return handle;
  };
  type Action = (...values: readonly unknown[]) => void;
  const clear = (handle: unknown): void => {
    if (handle instanceof SimulatedHandle) handle.close();
  };
  Object.assign(globalThis, {
    setTimeout: (action: Action, delayMs = 0, ...values: readonly unknown[]) =>
      set(Number(delayMs), () => action(...values), 'once'),
    setInterval: (action: Action, delayMs = 0, ...values: readonly unknown[]) =>
      set(Number(delayMs), () => action(...values), 'repeats'),
    setImmediate: (action: Action, ...values: readonly unknown[]) =>
      set(0, () => action(...values), 'outlives'),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  });
  return {
    dropAll: () => {
      for (const handle of [...pending]) handle.close();
    },
    restore: () => {
      for (const [name, value] of real) Object.assign(globalThis, { [name]: value });
    },
  };
}

/** What callers of the timers of Node.js expect to get. */
class SimulatedHandle {
  readonly #pending: Set<SimulatedHandle>;
  timer: Timer | undefined;

  constructor(pending: Set<SimulatedHandle>) {
    this.#pending = pending;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  close(): this {
    this.timer?.cancel();
    this.#pending.delete(this);
    return this;
  }
}
