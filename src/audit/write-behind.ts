import type { Clock, Timer } from '../lib/clock.ts';

/** Something that waits to be written. */
export interface Waiting {
  /** What it takes in memory, roughly. */
  readonly bytes: number;
}

/** How a `WriteBehind` works. */
export interface WriteBehindOptions<Item> {
  /** Writes `items` in their order: all of them, or it rejects. They may come once more then. */
  write(items: readonly Item[]): Promise<void>;
  /** Hears why a write failed. It is tried again without being asked. */
  onFailure(error: unknown): void;
  /** Items and bytes that may wait. */
  readonly itemsMax: number;
  readonly bytesMax: number;
  /** Items of one write. */
  readonly batchMax: number;
}

/** Bytes of one write, unless a single item has more: a transaction must not take long. */
const batchBytesMax = 1024 * 1024;

/** Time between attempts while writing fails, in milliseconds; it doubles up to the second one. */
const retryMsMin = 1_000;
const retryMsMax = 10_000;

/**
 * Writes what it is given, in order and soon, while nobody waits for it.
 *
 * One write is under way at a time; whatever comes meanwhile goes into the next. What could not be
 * written stays first in line and is tried again.
 */
export class WriteBehind<Item extends Waiting> {
  readonly #options: WriteBehindOptions<Item>;
  readonly #clock: Clock;
  #items: Item[] = [];
  #bytes = 0;
  /** How many at the front of `#items` are being written. */
  #writing = 0;
  /** Items ever taken, and ever written. */
  #taken = 0;
  #written = 0;
  #waiters: { readonly target: number; readonly resolve: () => void }[] = [];
  /** The writes under way; they never reject. */
  #run: Promise<void> | undefined;
  #retry: Timer | undefined;
  #retryMs = retryMsMin;
  #isFailing = false;
  #isClosed = false;

  constructor(options: WriteBehindOptions<Item>, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** @returns false when too much waits already; then `item` was not taken. */
  push(item: Item): boolean {
    const { itemsMax, bytesMax } = this.#options;
    if (this.#items.length >= itemsMax || this.#bytes + item.bytes > bytesMax) return false;
    this.pushBeyond(item);
    return true;
  }

  /** Takes `item` however much waits. For what says that others were not taken. */
  pushBeyond(item: Item): void {
    if (this.#isClosed) return;
    this.#items.push(item);
    this.#bytes += item.bytes;
    this.#taken += 1;
    if (!this.#isFailing) this.#start();
  }

  /** How many items are not written yet. */
  get count(): number {
    return this.#items.length;
  }

  /** The item that came last, unless it is being written or was. */
  get lastWaiting(): Item | undefined {
    return this.#items.length > this.#writing ? this.#items.at(-1) : undefined;
  }

  /**
   * Resolves when everything that was taken before is written, or when writing fails: then nobody
   * can say how long it would take. Never rejects.
   */
  settled(): Promise<void> {
    if (this.#isFailing || this.#written >= this.#taken) return Promise.resolve();
    const target = this.#taken;
    return new Promise((resolve) => this.#waiters.push({ target, resolve }));
  }

  /** Tries once more to write what waits, and takes nothing from then on. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    // A write that fails while we wait for it was that one attempt.
    if (this.#run === undefined) this.#start();
    await this.#run;
    this.#retry?.cancel();
  }

  #start(): void {
    this.#run ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // A turn of grace: what one message causes arrives together and belongs into one write.
    await Promise.resolve();
    while (this.#items.length > 0) {
      const batch = this.#nextBatch();
      this.#writing = batch.length;
      try {
        await this.#options.write(batch);
        this.#onWritten(batch);
      } catch (error) {
        this.#onFailed(error);
        break;
      } finally {
        this.#writing = 0;
      }
    }
    // In the same turn as the last look at the items: what comes from now on starts another run.
    this.#run = undefined;
  }

  #nextBatch(): readonly Item[] {
    let bytes = 0;
    const end = this.#items.findIndex((item, index) => {
      bytes += item.bytes;
      return index >= this.#options.batchMax || (index > 0 && bytes > batchBytesMax);
    });
    return this.#items.slice(0, end < 0 ? this.#items.length : end);
  }

  #onWritten(batch: readonly Item[]): void {
    this.#items = this.#items.slice(batch.length);
    for (const { bytes } of batch) this.#bytes -= bytes;
    this.#written += batch.length;
    this.#isFailing = false;
    this.#retryMs = retryMsMin;
    this.#release((target) => target <= this.#written);
  }

  #onFailed(error: unknown): void {
    this.#isFailing = true;
    this.#release(() => true);
    if (!this.#isClosed) {
      this.#retry = this.#clock.after(this.#retryMs, () => this.#start());
      this.#retryMs = Math.min(2 * this.#retryMs, retryMsMax);
    }
    this.#options.onFailure(error);
  }

  #release(isDue: (target: number) => boolean): void {
    const due = this.#waiters.filter(({ target }) => isDue(target));
    this.#waiters = this.#waiters.filter(({ target }) => !isDue(target));
    for (const { resolve } of due) resolve();
  }
}
