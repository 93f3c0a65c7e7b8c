import type { EventSink } from '../events/emit.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { type DialRank, dialRanks } from './dial-rank.ts';
import { type Place, WaitingLine } from './waiting-line.ts';

/** How fast the CSMS may be dialled. */
export interface DialLimits {
  /** Dials in any one second; 0 for no limit. */
  readonly dialsPerSecond: number;
  /** Seconds that a charger may wait for its turn. */
  readonly dialWaitSeconds: number;
}

/** There is no turn in time. `afterSeconds`, 1 at least: when there probably would be one. */
export interface DialBusy {
  readonly is: 'busy';
  readonly afterSeconds: number;
}

/** What became of a turn. */
export type DialTurn =
  | { readonly is: 'go' }
  /** Who asked for it has left. */
  | { readonly is: 'gone' }
  | DialBusy;

/** What dial turns work with. */
export interface DialTurnsTools {
  readonly clock: Clock;
  readonly emit: EventSink;
}

interface Waiter {
  readonly rank: DialRank;
  readonly sinceMs: number;
  /** Tells it, and takes it out of the line. */
  end(turn: DialTurn): void;
}

/**
 * What a dial may take longer than another one to get to the CSMS, in milliseconds: the time to
 * connect, and whatever keeps the gateway busy meanwhile. Two that begin a second apart may arrive
 * in the same second, so a turn counts for a second and this.
 */
const spreadMs = 100;
const windowMs = 1_000 + spreadMs;
/** A wait that people are told of, in milliseconds. */
const longWaitMs = 1_000;

/**
 * Takes turns at dialling the CSMS: when all chargers come back at once, the CSMS sees no more than
 * `dialsPerSecond` of them in any second, the ones that have shown who they are first.
 *
 * Whoever comes when few have come lately goes at once, so that a site that is smaller than that
 * never waits. The others wait in line, one line for each rank, and go one by one at even distances.
 * Nobody waits for longer than `dialWaitSeconds`: who would, by the length of the lines as they are,
 * is told so at once; who was overtaken by a better rank, later.
 */
export class DialTurns {
  readonly #limits: DialLimits;
  readonly #tools: DialTurnsTools;
  readonly #lines: Readonly<Record<DialRank, WaitingLine<Waiter>>> = {
    proven: new WaitingLine(),
    known: new WaitingLine(),
    newcomer: new WaitingLine(),
  };
  /** Between two turns of those who wait, in milliseconds. */
  readonly #distanceMs: number;
  /** When the last turns were given, as many as a window may have; a ring. */
  readonly #givenAtMs: Float64Array;
  /** Where the oldest of them is. */
  #oldestAt = 0;
  /** When the next of those who wait may go; undefined when nobody waits. */
  #nextAtMs: number | undefined;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  #givenCount = 0;
  /** The longest wait since people were told that some wait; undefined when none does for long. */
  #toldLongestMs: number | undefined;

  constructor(limits: DialLimits, tools: DialTurnsTools) {
    const { dialsPerSecond } = limits;
    this.#limits = limits;
    this.#tools = tools;
    this.#distanceMs = dialsPerSecond === 0 ? 0 : windowMs / dialsPerSecond;
    this.#givenAtMs = new Float64Array(dialsPerSecond).fill(-Infinity);
  }

  /** Chargers that wait for their turn. */
  get waitingCount(): number {
    return dialRanks.reduce((sum, rank) => sum + this.#lines[rank].size, 0);
  }

  /** Turns that were given since the start. */
  get givenCount(): number {
    return this.#givenCount;
  }

  /** Would a charger of this rank be turned away now? Undefined when it would get its turn. */
  outlook(rank: DialRank): DialBusy | undefined {
    if (this.#limits.dialsPerSecond === 0 || this.#isOpen()) return undefined;
    const waitMs = this.#waitMsOf(rank);
    if (waitMs <= this.#limits.dialWaitSeconds * 1000) return undefined;
    return { is: 'busy', afterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
  }

  /**
   * Waits for a turn. With `go` it is used, whatever becomes of the dial.
   *
   * @param signal aborted when whoever asks for it leaves, or the gateway stops.
   */
  take(rank: DialRank, signal: AbortSignal): Promise<DialTurn> {
    if (signal.aborted) return Promise.resolve({ is: 'gone' });
    // Those who wait are not overtaken because a timer is late.
    this.#serve();
    if (this.#limits.dialsPerSecond === 0 || this.#isOpen()) {
      this.#give();
      return Promise.resolve({ is: 'go' });
    }
    const busy = this.outlook(rank);
    if (busy !== undefined) return Promise.resolve(busy);
    return new Promise((resolve) => {
      this.#join(rank, signal, resolve);
    });
  }

  #join(rank: DialRank, signal: AbortSignal, resolve: (turn: DialTurn) => void): void {
    const { clock, emit } = this.#tools;
    this.#nextAtMs ??= this.#firstAtMs();
    if (this.#waitMsOf(rank) > longWaitMs && this.#toldLongestMs === undefined) {
      this.#toldLongestMs = 0;
      emit({ name: 'CsmsDialsWaiting', dialsPerSecond: this.#limits.dialsPerSecond });
    }
    const line = this.#lines[rank];
    const onAbort = (): void => {
      place.item.end({ is: 'gone' });
      this.#settle();
    };
    const sinceMs = clock.elapsedMs();
    const place: Place<Waiter> = line.join({
      rank,
      sinceMs,
      end: (turn) => {
        line.leave(place);
        signal.removeEventListener('abort', onAbort);
        const waitedMs = clock.elapsedMs() - sinceMs;
        if (this.#toldLongestMs !== undefined) {
          this.#toldLongestMs = Math.max(this.#toldLongestMs, waitedMs);
        }
        resolve(turn);
      },
    });
    signal.addEventListener('abort', onAbort, { once: true });
    this.#pushOut();
    this.#settle();
  }

  /**
   * Turns away from the end of the worst line who does not get its turn in time any more. So there
   * are never more than `dialsPerSecond * dialWaitSeconds` in all lines.
   */
  #pushOut(): void {
    for (;;) {
      const worst = dialRanks.findLast((rank) => this.#lines[rank].size > 0);
      const last = worst === undefined ? undefined : this.#lines[worst].youngest?.item;
      if (last === undefined) return;
      const atMs = this.#dueMs() + (this.waitingCount - 1) * this.#distanceMs;
      if (atMs <= this.#deadlineMs(last)) return;
      this.#turnAway(last);
    }
  }

  /** Gives the turns that are due, and turns away who has waited for too long. */
  #serve(): void {
    const nowMs = this.#tools.clock.elapsedMs();
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      const dueMs = this.#dueMs();
      if (dueMs > nowMs) break;
      this.#give();
      // A little lateness is made good, so that timers cost no turns; a long one makes no crowd.
      this.#nextAtMs = Math.max(this.#nextAtMs ?? dueMs, nowMs - spreadMs) + this.#distanceMs;
      next.end({ is: 'go' });
    }
    for (const rank of dialRanks) {
      const line = this.#lines[rank];
      while (line.oldest !== undefined && this.#deadlineMs(line.oldest.item) <= nowMs) {
        this.#turnAway(line.oldest.item);
      }
    }
    this.#settle();
  }

  #turnAway(waiter: Waiter): void {
    const afterSeconds = Math.max(1, Math.ceil(this.#waitMsOf(waiter.rank) / 1000));
    waiter.end({ is: 'busy', afterSeconds });
  }

  #give(): void {
    this.#givenCount += 1;
    if (this.#givenAtMs.length === 0) return;
    this.#givenAtMs[this.#oldestAt] = this.#tools.clock.elapsedMs();
    this.#oldestAt = (this.#oldestAt + 1) % this.#givenAtMs.length;
  }

  /** Does nobody wait, and may one more go at once? */
  #isOpen(): boolean {
    const oldestMs = this.#givenAtMs[this.#oldestAt] ?? -Infinity;
    return this.waitingCount === 0 && oldestMs + windowMs <= this.#tools.clock.elapsedMs();
  }

  /** How long one more of this rank would wait, if no better ones came after it. */
  #waitMsOf(rank: DialRank): number {
    const upTo = dialRanks.indexOf(rank) + 1;
    const ahead = dialRanks.slice(0, upTo).reduce((sum, it) => sum + this.#lines[it].size, 0);
    const nowMs = this.#tools.clock.elapsedMs();
    return Math.max(0, this.#dueMs() - nowMs) + ahead * this.#distanceMs;
  }

  #dueMs(): number {
    const oldestMs = this.#givenAtMs[this.#oldestAt] ?? -Infinity;
    return Math.max(this.#nextAtMs ?? this.#firstAtMs(), oldestMs + windowMs);
  }

  /** From when on turns at even distances fit into every window, whatever went before. */
  #firstAtMs(): number {
    const count = this.#givenAtMs.length;
    let firstMs = this.#tools.clock.elapsedMs();
    for (let index = 0; index < count; index += 1) {
      const givenMs = this.#givenAtMs[(this.#oldestAt + index) % count] ?? -Infinity;
      firstMs = Math.max(firstMs, givenMs + windowMs - index * this.#distanceMs);
    }
    return firstMs;
  }

  #first(): Waiter | undefined {
    const rank = dialRanks.find((it) => this.#lines[it].size > 0);
    return rank === undefined ? undefined : this.#lines[rank].oldest?.item;
  }

  #deadlineMs({ sinceMs }: Waiter): number {
    return sinceMs + this.#limits.dialWaitSeconds * 1000;
  }

  /** Sets the timer to what happens next, if anything does. */
  #settle(): void {
    if (this.waitingCount === 0) {
      this.#setTimer(Infinity);
      this.#nextAtMs = undefined;
      if (this.#toldLongestMs === undefined) return;
      const longestWaitSeconds = Math.round(this.#toldLongestMs / 100) / 10;
      this.#toldLongestMs = undefined;
      this.#tools.emit({ name: 'CsmsDialsCaughtUp', longestWaitSeconds });
      return;
    }
    const oldest = dialRanks.flatMap((rank) => this.#lines[rank].oldest?.item ?? []);
    this.#setTimer(Math.min(this.#dueMs(), ...oldest.map((waiter) => this.#deadlineMs(waiter))));
  }

  #setTimer(atMs: number): void {
    if (atMs === this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = atMs;
    if (atMs === Infinity) return;
    const { clock } = this.#tools;
    // Whole milliseconds: timers of Node leave fractions out, and would be too early.
    const delayMs = Math.max(0, Math.ceil(atMs - clock.elapsedMs()));
    this.#timer = clock.after(delayMs, () => {
      this.#timerAtMs = Infinity;
      this.#serve();
    });
  }
}
