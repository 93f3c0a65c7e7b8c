/** A call, by its name. */
export interface NamedCall {
  readonly action: string;
  readonly id: string;
}

/**
 * By what a call is told from another one with its id. That they differ and have the same print is
 * one chance in four thousand million; and whoever makes two such calls on purpose deceives nobody:
 * each of them would pass under an id of its own as well.
 */
export interface Print {
  /** Of its bytes, a CRC-32. */
  readonly crc: number;
  /** In bytes. */
  readonly length: number;
}

/** How a call ended: what was passed on, or that its time was up. */
export type CallEnd = 'result' | 'complaint' | 'error' | 'expired';

/** A call that is over. */
export interface RecentCall extends NamedCall, Print {
  ended: CallEnd;
  readonly settledAtMs: number;
}

/** Which calls are remembered. */
export interface RecentLimits {
  /** How many. */
  readonly recentMax: number;
  /** How long, in milliseconds. */
  readonly recentMs: number;
}

/**
 * The last calls that are over, to tell late replies and retries.
 *
 * A ring of objects that are written again: what outlives a few messages and no more is what costs a
 * garbage collector most, and two maps that took turns were half of what it copied (`node --trace-gc`).
 */
export class RecentCalls {
  readonly #limits: RecentLimits;
  #slots: { -readonly [Key in keyof RecentCall]: RecentCall[Key] }[] = [];
  /** Of the id in each slot. */
  #hashes: number[] = [];
  /** Where the oldest one is. */
  #first = 0;
  #count = 0;

  constructor(limits: RecentLimits) {
    this.#limits = limits;
  }

  /** Remembers a call that is over now. */
  add(call: NamedCall & Print, ended: CallEnd, settledAtMs: number): void {
    const { action, crc, id, length } = call;
    this.#forgetOld(settledAtMs);
    if (this.#count === this.#slots.length && this.#count < this.#limits.recentMax) this.#grow();
    const at = this.#indexOf(this.#count);
    if (this.#count < this.#slots.length) this.#count += 1;
    else this.#first = this.#indexOf(1);
    this.#hashes[at] = hashOf(id);
    const slot = this.#slots[at];
    if (slot === undefined) return;
    slot.id = id;
    slot.action = action;
    slot.crc = crc;
    slot.length = length;
    slot.ended = ended;
    slot.settledAtMs = settledAtMs;
  }

  /** The last call with this id that is still remembered. */
  find(id: string, nowMs: number): RecentCall | undefined {
    const hash = hashOf(id);
    for (let place = this.#count - 1; place >= 0; place -= 1) {
      const at = this.#indexOf(place);
      if (this.#hashes[at] !== hash) continue;
      const call = this.#slots[at];
      if (call?.id !== id) continue;
      return this.#isOld(call, nowMs) ? undefined : call;
    }
    return undefined;
  }

  /** For how many calls it has room now, which is what it costs. */
  get room(): number {
    return this.#slots.length;
  }

  /** @param place 0 for the oldest one. */
  #indexOf(place: number): number {
    const at = this.#first + place;
    return at < this.#slots.length ? at : at - this.#slots.length;
  }

  #isOld({ settledAtMs }: RecentCall, nowMs: number): boolean {
    return settledAtMs + this.#limits.recentMs <= nowMs;
  }

  #forgetOld(nowMs: number): void {
    for (;;) {
      const oldest = this.#slots[this.#first];
      if (this.#count === 0 || oldest === undefined || !this.#isOld(oldest, nowMs)) break;
      this.#first = this.#indexOf(1);
      this.#count -= 1;
    }
    if (this.#count > 0 || this.#slots.length <= slotsOfQuietMax) return;
    // A charger that was busy once need not keep the room for it.
    this.#slots = [];
    this.#hashes = [];
    this.#first = 0;
  }

  #grow(): void {
    const { length } = this.#slots;
    if (this.#first > 0) {
      const order = Array.from({ length }, (_, place) => this.#indexOf(place));
      this.#slots = order.flatMap((at) => this.#slots[at] ?? []);
      this.#hashes = order.map((at) => this.#hashes[at] ?? 0);
      this.#first = 0;
    }
    this.#slots.push({ id: '', action: '', crc: 0, length: 0, ended: 'result', settledAtMs: 0 });
    this.#hashes.push(0);
  }
}

const slotsOfQuietMax = 8;

/** FNV-1a, in 32 bits. */
function hashOf(id: string): number {
  let hash = 0;
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  return hash;
}
