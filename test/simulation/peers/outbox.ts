import type { JsonObject } from '../../../src/ocpp/message.ts';

/** A message of a charger that waits to be sent, or for its answer. */
export interface Outgoing {
  readonly action: string;
  /** Made anew for each attempt: what it tells may be known only later. */
  readonly payload: () => JsonObject | undefined;
  /** Is it kept until it was acknowledged, as everything about transactions is? */
  readonly isKept: boolean;
  /** With what the CSMS has answered. */
  readonly onResult: (payload: unknown) => void;
  /** Of the last attempt. */
  id?: string;
  text?: string;
}

/** Messages that are not about transactions and wait at most: the rest is not worth sending. */
const waitingMax = 10;

/** What a charger still has to say, in order. */
export class Outbox {
  #waiting: Outgoing[] = [];

  add(message: Outgoing): void {
    if (!message.isKept && this.#waiting.length >= waitingMax) return;
    this.#waiting.push(message);
  }

  /** Before everything else. */
  addFirst(message: Outgoing): void {
    this.#waiting.unshift(message);
  }

  take(): Outgoing | undefined {
    return this.#waiting.shift();
  }

  /** What was not acknowledged is sent again, before what came later. */
  putBack(message: Outgoing): void {
    if (message.isKept) this.#waiting.unshift(message);
  }

  /** The charger restarts: only what it keeps is left. */
  dropTheRest(): void {
    this.#waiting = this.#waiting.filter(({ isKept }) => isKept);
  }

  get keptCount(): number {
    return this.#waiting.filter(({ isKept }) => isKept).length;
  }
}
