import type { PeerLink } from '../connection/peer-link.ts';
import type { SocketEvents } from '../connection/peer-socket.ts';
import type { Clock } from '../lib/clock.ts';

/** Seconds after which a charger that was told Pending boots again. */
const bootIntervalSeconds = 60;

/**
 * Stands in for the CSMS while a charger has nothing but the default password of its batch: the
 * CSMS is not called, since nobody knows yet who the charger is. It tells the charger to wait, and
 * takes nothing that anybody would miss.
 *
 * Source: OCPP 2.0.1 part 2, A00.FR.806 (Pending until the factory's credentials are replaced), B02.
 */
export class CommissioningDesk implements PeerLink {
  readonly isCongested = false;
  readonly isOverwhelmed = false;
  readonly #clock: Clock;
  readonly #onBooted: () => void;
  #events: SocketEvents | undefined;
  #isClosed = false;

  /** `onBooted` is called when the charger has been told to wait. */
  constructor(clock: Clock, onBooted: () => void) {
    this.#clock = clock;
    this.#onBooted = onBooted;
  }

  start(events: SocketEvents): void {
    this.#events = events;
  }

  /** Answers a call of the charger, after whoever sends it is done with it. */
  send(bytes: Uint8Array): void {
    const message: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (!Array.isArray(message) || message[0] !== 2) return;
    const [, id, action] = message;
    void Promise.resolve().then(() => {
      if (this.#isClosed) return;
      const answer = this.#answer(String(action));
      const reply =
        answer === undefined
          ? [4, id, 'SecurityError', 'The charging station has not been commissioned.', {}]
          : [3, id, answer];
      this.#events?.onMessage(Buffer.from(JSON.stringify(reply)), this.#clock.elapsedMs());
      if (action === 'BootNotification') this.#onBooted();
    });
  }

  /** The gateway answers its own stand-in: nobody is there to hear it. */
  sendOwn(): void {}

  close(): void {
    this.#isClosed = true;
  }

  pause(): void {}

  resume(): void {}

  #answer(action: string): object | undefined {
    const currentTime = new Date(this.#clock.nowMs()).toISOString();
    switch (action) {
      case 'BootNotification':
        return { status: 'Pending', currentTime, interval: bootIntervalSeconds };
      case 'Heartbeat':
        return { currentTime };
      case 'SecurityEventNotification':
        return {};
      default:
        return undefined;
    }
  }
}
