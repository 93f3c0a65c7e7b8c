/** A place in a line. Only the line changes it. */
export interface Place<Item> {
  readonly item: Item;
  older: Place<Item> | undefined;
  younger: Place<Item> | undefined;
  isFree: boolean;
}

/**
 * Those who wait, the oldest in front. To join, to leave from any place, and to look at either end
 * cost the same however many wait: when all come at once, the line is long.
 */
export class WaitingLine<Item> {
  #oldest: Place<Item> | undefined;
  #youngest: Place<Item> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): Place<Item> | undefined {
    return this.#oldest;
  }

  get youngest(): Place<Item> | undefined {
    return this.#youngest;
  }

  /** Takes the place behind all others. */
  join(item: Item): Place<Item> {
    const place: Place<Item> = { item, older: this.#youngest, younger: undefined, isFree: false };
    if (this.#youngest === undefined) this.#oldest = place;
    else this.#youngest.younger = place;
    this.#youngest = place;
    this.#size += 1;
    return place;
  }

  /** Frees a place of this line. Idempotent. */
  leave(place: Place<Item>): void {
    if (place.isFree) return;
    place.isFree = true;
    if (place.older === undefined) this.#oldest = place.younger;
    else place.older.younger = place.younger;
    if (place.younger === undefined) this.#youngest = place.older;
    else place.younger.older = place.older;
    this.#size -= 1;
  }
}
