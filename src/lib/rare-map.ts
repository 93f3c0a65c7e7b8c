/**
 * A Map of which there are many, and nearly all empty: an empty one takes a tenth of the memory. What
 * it does is what Map does.
 */
export class RareMap<Key, Value> {
  #entries: Map<Key, Value> | undefined;

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  get(key: Key): Value | undefined {
    return this.#entries?.get(key);
  }

  has(key: Key): boolean {
    return this.#entries?.has(key) === true;
  }

  set(key: Key, value: Value): void {
    this.#entries ??= new Map();
    this.#entries.set(key, value);
  }

  delete(key: Key): void {
    this.#entries?.delete(key);
    if (this.#entries?.size === 0) this.#entries = undefined;
  }

  clear(): void {
    this.#entries = undefined;
  }

  /** The keys at this moment, in the order in which they were set. */
  keys(): readonly Key[] {
    return this.#entries === undefined ? [] : [...this.#entries.keys()];
  }

  /** The entries at this moment, in the order in which they were set. */
  entries(): readonly (readonly [Key, Value])[] {
    return this.#entries === undefined ? [] : [...this.#entries];
  }
}
