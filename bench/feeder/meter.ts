/** A step of the load of a feeder. */
export interface LoadEvent {
  /** Unix time in milliseconds. */
  readonly atMs: number;
  /** W, up or down. */
  readonly deltaW: number;
}

/** What a feeder sees: every step of every charger, at its moment. */
export class FeederMeter {
  readonly events: LoadEvent[] = [];
  #loadW = 0;

  /** The load at this moment, in W. */
  get loadW(): number {
    return this.#loadW;
  }

  /** A charger takes more, or less, from now on. */
  note(atMs: number, deltaW: number): void {
    if (deltaW === 0) return;
    this.events.push({ atMs, deltaW });
    this.#loadW += deltaW;
  }
}

/** The worst that happened within any window of time. */
export interface WorstWindow {
  /** The sum of all rises in the worst window, in W. */
  readonly upW: number;
  /** The sum of all falls, in W. */
  readonly downW: number;
}

/**
 * The fullest windows of `windowMs`, of all that there are and not of a timetable. Rises and falls
 * are not set off against each other: a fall somewhere does not undo a rise elsewhere in time.
 *
 * @param sinceMs what was before does not count.
 */
export function worstWindow(
  events: readonly LoadEvent[],
  windowMs: number,
  sinceMs: number,
): WorstWindow {
  const counted = events.filter(({ atMs }) => atMs >= sinceMs);
  const worst = (amountOf: (deltaW: number) => number): number => {
    let first = 0;
    let sum = 0;
    let most = 0;
    for (const { atMs, deltaW } of counted) {
      sum += amountOf(deltaW);
      for (let oldest = counted[first]; oldest !== undefined; oldest = counted[first]) {
        if (oldest.atMs > atMs - windowMs) break;
        sum -= amountOf(oldest.deltaW);
        first += 1;
      }
      most = Math.max(most, sum);
    }
    return most;
  };
  return {
    upW: worst((deltaW) => Math.max(0, deltaW)),
    downW: worst((deltaW) => Math.max(0, -deltaW)),
  };
}
