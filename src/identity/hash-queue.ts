/** Who waits for a turn. */
export interface Waiter {
  /** See `source-of.ts`. */
  readonly source: string;
  /** Has this charger shown who it is from this source before? */
  readonly isKnownPair: boolean;
  /** Aborted when nobody waits for the result any more. */
  readonly gone?: AbortSignal | undefined;
}

/** What became of a turn. */
export type TurnOutcome<Value> =
  | { readonly is: 'done'; readonly value: Value }
  /** There was no place to wait, or somebody with a better claim got it. */
  | { readonly is: 'refused' }
  /** Who asked for it has gone before it began. */
  | { readonly is: 'abandoned' };

interface Entry {
  readonly source: string;
  begin(): void;
  refuse(): void;
}

/**
 * A queue for work that costs memory and a processor: some at once, some waiting, the rest refused.
 *
 * It is fair to sources, and fair to chargers that are known:
 *
 * - Turns go round by source. A flood from one source delays another one by a turn for each of its
 *   own.
 * - Every second turn belongs to pairs of charger and source that are known, if one waits. However
 *   many sources a stranger has, a known charger does not wait behind all of them.
 * - When all places are taken, a newcomer gets the place of the newest from the source that has
 *   most, unless its own source has as many; and each of the two classes has a right to half of
 *   them.
 */
export class HashQueue {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #known = new Turns();
  readonly #strangers = new Turns();
  #running = 0;
  #isTurnOfKnown = true;

  /** @param waitingMax 0 is possible: whatever cannot begin at once is refused. */
  constructor(options: { readonly atOnceMax: number; readonly waitingMax: number }) {
    this.#atOnceMax = options.atOnceMax;
    this.#waitingMax = options.waitingMax;
  }

  /**
   * Does `work` when it is its turn. What has begun is not stopped, also when its waiter goes.
   *
   * @throws what `work` throws.
   */
  run<Value>(waiter: Waiter, work: () => Promise<Value>): Promise<TurnOutcome<Value>> {
    if (waiter.gone?.aborted === true) return Promise.resolve({ is: 'abandoned' });
    if (this.#running < this.#atOnceMax) return this.#begin(work);
    const turns = waiter.isKnownPair ? this.#known : this.#strangers;
    if (!this.#hasRoomFor(waiter.source, turns)) return Promise.resolve({ is: 'refused' });
    return new Promise((resolve) => {
      const { gone, source } = waiter;
      const leave = (): void => {
        turns.remove(entry);
        resolve({ is: 'abandoned' });
      };
      const entry: Entry = {
        source,
        begin: () => {
          gone?.removeEventListener('abort', leave);
          resolve(this.#begin(work));
        },
        refuse: () => {
          gone?.removeEventListener('abort', leave);
          resolve({ is: 'refused' });
        },
      };
      gone?.addEventListener('abort', leave, { once: true });
      turns.add(entry);
    });
  }

  async #begin<Value>(work: () => Promise<Value>): Promise<TurnOutcome<Value>> {
    this.#running += 1;
    try {
      return { is: 'done', value: await work() };
    } finally {
      this.#running -= 1;
      this.#next()?.begin();
    }
  }

  #next(): Entry | undefined {
    const [first, second] = this.#isTurnOfKnown
      ? [this.#known, this.#strangers]
      : [this.#strangers, this.#known];
    this.#isTurnOfKnown = !this.#isTurnOfKnown;
    return first.next() ?? second.next();
  }

  #hasRoomFor(source: string, turns: Turns): boolean {
    if (this.#known.size + this.#strangers.size < this.#waitingMax) return true;
    const others = turns === this.#known ? this.#strangers : this.#known;
    const half = this.#waitingMax / 2;
    const shareOfOthers = others === this.#known ? Math.ceil(half) : Math.floor(half);
    if (others.size > shareOfOthers) return others.refuseNewest(0);
    return turns.refuseNewest(turns.countOf(source) + 1);
  }
}

/** Those who wait, by source, in the order of their turns. */
class Turns {
  readonly #bySource = new Map<string, Set<Entry>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  countOf(source: string): number {
    return this.#bySource.get(source)?.size ?? 0;
  }

  add(entry: Entry): void {
    const entries = this.#bySource.get(entry.source) ?? new Set();
    entries.add(entry);
    this.#bySource.set(entry.source, entries);
    this.#size += 1;
  }

  remove(entry: Entry): void {
    const entries = this.#bySource.get(entry.source);
    if (entries?.delete(entry) !== true) return;
    this.#size -= 1;
    if (entries.size === 0) this.#bySource.delete(entry.source);
  }

  /** The oldest one of the source whose turn it is; the source goes to the end. */
  next(): Entry | undefined {
    for (const [source, entries] of this.#bySource) {
      for (const entry of entries) {
        this.remove(entry);
        if (this.#bySource.delete(source)) this.#bySource.set(source, entries);
        return entry;
      }
    }
    return undefined;
  }

  /**
   * Refuses the newest one of the source that has most.
   *
   * @returns false, and refuses nobody, when no source has more than `countMax`.
   */
  refuseNewest(countMax: number): boolean {
    let most: ReadonlySet<Entry> = new Set();
    for (const entries of this.#bySource.values()) {
      if (entries.size > most.size) most = entries;
    }
    const newest = [...most].at(-1);
    if (most.size <= countMax || newest === undefined) return false;
    this.remove(newest);
    newest.refuse();
    return true;
  }
}
