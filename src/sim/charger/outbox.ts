import type { JsonObject } from '../../ocpp/message.ts';
import { ConnectionLost } from '../protocol/rpc-errors.ts';

/** A call that is still to be made. */
export interface Outgoing {
  readonly action: string;
  readonly payload: JsonObject;
}

/** A message that must arrive, in order. */
export interface Delivery {
  /** Built only when it is its turn: it may need the answer to the one before. */
  readonly build: (offline: boolean) => Outgoing | undefined;
  readonly onReply?: (reply: JsonObject) => void;
  /** The peer refused the message or never answered; it will not be sent again. */
  readonly onGivenUp?: (error: unknown) => void;
}

/** Messages that wait for a connection. Beyond it the oldest are given up, as chargers do. */
const deliveriesMax = 500;

/**
 * Transaction messages: one after the other, kept while there is no connection.
 *
 * A message that the peer refuses or never answers is given up, so that it does not block the rest
 * (OCPP 1.6 section 3.7.1 lets a charger do so after TransactionMessageAttempts).
 */
export class Outbox {
  readonly #call: (outgoing: Outgoing) => Promise<JsonObject>;
  readonly #waiting: { readonly delivery: Delivery; offline: boolean }[] = [];
  readonly #idleWaiters = new Set<() => void>();
  #connected = false;
  /** Counts connections, so that the late end of an old one does not stop the new one. */
  #connections = 0;
  #busy = false;

  constructor(call: (outgoing: Outgoing) => Promise<JsonObject>) {
    this.#call = call;
  }

  /** Adds a message to the end. */
  deliver(delivery: Delivery): void {
    if (this.#waiting.length >= deliveriesMax) this.#waiting.shift();
    this.#waiting.push({ delivery, offline: !this.#connected });
    void this.#run();
  }

  /** The station may send (its boot was accepted), or not. */
  setConnected(connected: boolean): void {
    this.#connected = connected;
    if (!connected) return;
    this.#connections += 1;
    void this.#run();
  }

  /** Resolves when nothing waits. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleWaiters.add(resolve);
    });
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#connected) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      const outgoing = next.delivery.build(next.offline);
      if (outgoing === undefined) continue;
      const connection = this.#connections;
      try {
        const reply = await this.#call(outgoing);
        next.delivery.onReply?.(reply);
      } catch (error) {
        if (error instanceof ConnectionLost) {
          // The peer may have it already: it was sent, but not answered. Chargers send it again.
          if (connection === this.#connections) this.#connected = false;
          this.#waiting.unshift({ delivery: next.delivery, offline: true });
        } else {
          next.delivery.onGivenUp?.(error);
        }
      }
    }
    this.#busy = false;
    if (this.#waiting.length > 0) return;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters.clear();
  }
}
