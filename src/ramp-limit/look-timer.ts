import type { Clock, Timer } from '../lib/clock.ts';

/** What a look timer works with. */
export interface LookTimerTools {
  readonly clock: Clock;
  /** The time in which `wakeAt` is told, Unix time in milliseconds. */
  nowMs(): number;
  /** Looks, and tells when to look again; Infinity for not by itself. Does not reject. */
  look(): Promise<number>;
}

/** Timers of Node cannot wait for longer, in milliseconds; a look before its time does no harm. */
const delayMsMax = 2 ** 31 - 1;

/** Looks when it is time to, one look after the other. */
export class LookTimer {
  readonly #tools: LookTimerTools;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  #isLooking = false;
  #isAskedAgain = false;
  #isStopped = false;
  /** Resolves when the look that is under way is over. */
  #under: Promise<void> = Promise.resolve();

  constructor(tools: LookTimerTools) {
    this.#tools = tools;
  }

  /** Is a look under way? */
  get isLooking(): boolean {
    return this.#isLooking;
  }

  /** Resolves when no look is under way. */
  async idle(): Promise<void> {
    await this.#under;
  }

  /** There is something to see at `atMs`, if not before. */
  wakeAt(atMs: number): void {
    if (this.#isStopped || atMs >= this.#timerAtMs) return;
    if (this.#isLooking) {
      // Whatever it has seen may be from before.
      this.#isAskedAgain = true;
      return;
    }
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    const { clock, nowMs } = this.#tools;
    const delayMs = Math.min(Math.max(0, atMs - nowMs()), delayMsMax);
    this.#timer = clock.after(delayMs, () => void this.lookNow());
  }

  /** Looks at once, unless a look is under way. */
  lookNow(): Promise<void> {
    if (this.#isLooking || this.#isStopped) return this.#under;
    this.#timer?.cancel();
    this.#timerAtMs = Infinity;
    this.#isLooking = true;
    this.#under = this.#look();
    return this.#under;
  }

  /** No look begins any more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const againAtMs = await this.#tools.look();
    this.#isLooking = false;
    const isAskedAgain = this.#isAskedAgain;
    this.#isAskedAgain = false;
    this.wakeAt(isAskedAgain ? this.#tools.nowMs() : againAtMs);
  }
}
