import type { Clock, Timer } from '../../src/lib/clock.ts';

interface Due extends Timer {
  readonly atMs: number;
  readonly sequence: number;
  action: (() => void) | undefined;
}

/** Steps that are handed to the event loop at once: it looks for real input between such batches. */
const stepsPerBatch = 64;

/**
 * The time of a simulation: a heap of what is to happen. Nothing happens between two events, and
 * after each event JavaScript comes to rest before the next one.
 */
export class SimulatedTime implements Clock {
  readonly #startMs: number;
  readonly #heap: Due[] = [];
  #elapsedMs = 0;
  #sequence = 0;
  #steps = 0;

  /** @param startMs Unix time in milliseconds at which it begins. */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Events that have happened so far. */
  get steps(): number {
    return this.#steps;
  }

  after(delayMs: number, action: () => void): Timer {
    this.#sequence += 1;
    const due: Due = {
      // What is no number comes at once, as with the timers of Node.js.
      atMs: this.#elapsedMs + Math.max(0, delayMs || 0),
      sequence: this.#sequence,
      action,
      cancel: () => {
        due.action = undefined;
      },
    };
    this.#push(due);
    return due;
  }

  /**
   * Lets time pass until `isOver` says so. Between two events all promises and ticks that can run
   * have run.
   *
   * @param onRest called after each event, when JavaScript has come to rest. What it throws ends the
   *   run, and so does what fails anywhere in between.
   */
  run(isOver: () => boolean, onRest: () => void): Promise<void> {
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    let hasEnded = false;
    const end = (settle: () => void): void => {
      hasEnded = true;
      process.off('uncaughtException', onDefect);
      settle();
    };
    const onDefect = (error: unknown): void => end(() => reject(error));
    process.on('uncaughtException', onDefect);
    const step = (): void => {
      if (hasEnded) return;
      try {
        onRest();
        if (isOver()) end(resolve);
        else this.#next();
      } catch (error) {
        end(() => reject(error));
      }
    };
    const batch = (): void => {
      if (hasEnded) return;
      // Between two of them Node.js runs its ticks and all promises.
      for (let index = 0; index < stepsPerBatch; index += 1) realSetImmediate(step);
      realSetImmediate(batch);
    };
    batch();
    return promise;
  }

  #next(): void {
    const due = this.#pop();
    if (due === undefined) throw new Error('nothing is left to happen');
    this.#steps += 1;
    this.#elapsedMs = due.atMs;
    due.action?.();
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isSooner(due, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): Due | undefined {
    for (;;) {
      const first = this.#takeFirst();
      // What was cancelled is no event.
      if (first === undefined || first.action !== undefined) return first;
    }
  }

  #takeFirst(): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const isRight = right !== undefined && isSooner(right, left);
      const child = isRight ? right : left;
      if (!isSooner(child, last)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}

function isSooner(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.sequence < other.sequence);
}

/** Taken before anybody replaces it. */
const realSetImmediate = setImmediate;
