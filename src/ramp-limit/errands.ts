import type { EventSink } from '../events/emit.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { isStoreError } from '../store/store-error.ts';

/** After the store was away, in milliseconds. */
export const retryMs = 1_000;

/** What is under way in a limiter, and what nobody waits for. */
export class Errands {
  readonly #clock: Clock;
  readonly #emit: EventSink;
  readonly #running = new Set<Promise<unknown>>();
  #isStopped = false;

  constructor(clock: Clock, emit: EventSink) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** Is nothing under way? */
  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Resolves when what is under way now is done. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Nothing is tried again any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Runs what nobody waits for. While the store is away it is tried again. */
  run(work: () => Promise<void>): void {
    const done = this.#insist(work).catch((error: unknown) => {
      if (!isStoreError(error)) this.#emit({ name: 'HousekeepingFailed', error });
    });
    void this.track(done);
  }

  /** Counts `work` among what is under way. @returns it. */
  track<Value>(work: Promise<Value>): Promise<Value> {
    this.#running.add(work);
    const done = (): void => {
      this.#running.delete(work);
    };
    work.then(done, done);
    return work;
  }

  async #insist(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (!isStoreError(error) || this.#isStopped) throw error;
        await sleep(this.#clock, retryMs);
      }
    }
  }
}
