/**
 * Handshakes that one process has under way. In the field each charger has a processor of its own;
 * here thousands share one, and if all began at once each would take longer than a gateway waits for
 * it, again and again, while the gateway is idle.
 */
const underWayMax = 64;

/** Lets the chargers of a process begin their connections, in the order in which they want to. */
export class HandshakeTurns {
  readonly #waiting: (() => void)[] = [];
  #next = 0;
  #underWay = 0;

  /** Calls `begin`, now or when it is its turn; that has to call `done` once, when it is through. */
  take(begin: (done: () => void) => void): void {
    const sinceMs = performance.now();
    const start = (): void => {
      this.#underWay += 1;
      this.waitMsMax = Math.max(this.waitMsMax, performance.now() - sinceMs);
      let isDone = false;
      begin(() => {
        if (isDone) return;
        isDone = true;
        this.#underWay -= 1;
        this.#startNext();
      });
    };
    if (this.#underWay < underWayMax) start();
    else this.#waiting.push(start);
  }

  /** How long a charger has waited for its turn at most, in milliseconds. */
  waitMsMax = 0;

  #startNext(): void {
    const next = this.#waiting[this.#next];
    if (next === undefined) return;
    this.#next += 1;
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    next();
  }
}
