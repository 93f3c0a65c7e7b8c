import type { SimulatedTime } from './simulated-time.ts';

/** Events of one subject, and of all, that are kept for whoever reads about a failure. */
const keptOfSubject = 40;
const keptOfAll = 60;
/** Characters of one event that are shown. */
const shownCharacters = 400;

/** What has happened, as a hash of everything, and the last of it in words. */
export class Trace {
  readonly #time: SimulatedTime;
  readonly #last = new Map<string, string[]>();
  readonly #all: string[] = [];
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;
  #count = 0;

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  /** Notes that something has happened to `subject`. */
  note(kind: string, subject: string, detail: string): void {
    const atMs = this.#time.elapsedMs();
    this.#count += 1;
    this.#mix(`${Math.round(atMs * 1000)} ${kind} ${subject} ${detail}`);
    const line = `${atMs.toFixed(3).padStart(12)} ${kind} ${subject} ${detail.slice(0, shownCharacters)}`;
    keep(this.#all, line, keptOfAll);
    const key = subject.toLowerCase();
    const own = this.#last.get(key);
    if (own === undefined) this.#last.set(key, [line]);
    else keep(own, line, keptOfSubject);
  }

  /** Sixteen hexadecimal digits that are the same when everything was. */
  get hash(): string {
    return [this.#high, this.#low].map((part) => part.toString(16).padStart(8, '0')).join('');
  }

  get count(): number {
    return this.#count;
  }

  /** The last events of `subject`; of all, when it is undefined or has none. */
  lastOf(subject: string | undefined): readonly string[] {
    const own = subject === undefined ? undefined : this.#last.get(subject.toLowerCase());
    return own ?? this.#all;
  }

  /** FNV-1a twice, with different primes: fast, and not meant to withstand anybody. */
  #mix(text: string): void {
    let high = this.#high;
    let low = this.#low;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x85ebca6b) ^ (low >>> 15);
    }
    this.#high = high >>> 0;
    this.#low = low >>> 0;
  }
}

function keep(lines: string[], line: string, max: number): void {
  lines.push(line);
  // Rarely, because to shift an array takes time.
  if (lines.length > 2 * max) lines.splice(0, lines.length - max);
}
