import type { Clock, Timer } from '../../lib/clock.ts';
import type { SequenceName } from './charger-parts.ts';
import type { Outgoing } from './outbox.ts';

/** A day. A firmware update may be asked for any moment, but a simulation does not wait longer. */
const delaySecondsMax = 86_400;

/** Messages that follow each other with pauses, such as those of a firmware update. */
export class Sequences {
  readonly #clock: Clock;
  readonly #stepSeconds: number;
  readonly #notify: (outgoing: Outgoing) => void;
  readonly #timers = new Map<SequenceName, Timer>();

  constructor(clock: Clock, stepSeconds: number, notify: (outgoing: Outgoing) => void) {
    this.#clock = clock;
    this.#stepSeconds = stepSeconds;
    this.#notify = notify;
  }

  /** Does a sequence of this name have messages to send? */
  isRunning(name: SequenceName): boolean {
    return this.#timers.has(name);
  }

  /** Sends `messages` from `delaySeconds` on, in place of the sequence of the same name. */
  run(name: SequenceName, messages: readonly Outgoing[], delaySeconds: number): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
    const [first, ...rest] = messages;
    if (first === undefined) return;
    const pauseMs = Math.min(delaySeconds, delaySecondsMax) * 1000;
    const timer = this.#clock.after(pauseMs, () => {
      this.#notify(first);
      this.run(name, rest, this.#stepSeconds);
    });
    this.#timers.set(name, timer);
  }

  /** Stops them all. */
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
