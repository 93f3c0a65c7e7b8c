import type { ChargerLink } from '../../src/connection/peer-link.ts';
import type { SocketEvents } from '../../src/connection/peer-socket.ts';
import type { Clock } from '../../src/lib/clock.ts';

/** A connection without a network: what one end sends, `onSent` gets. */
export class MemoryLink implements ChargerLink {
  readonly isCongested = false;
  readonly isOverwhelmed = false;
  readonly isOpen = true;
  readonly isPaused = false;
  readonly hasAnsweredPing = true;
  heardAtMs = 0;
  readonly #clock: Clock;
  readonly #onSent: (text: string) => void;
  #events: SocketEvents | undefined;
  #isClosed = false;

  constructor(clock: Clock, onSent: (text: string) => void) {
    this.#clock = clock;
    this.#onSent = onSent;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  start(events: SocketEvents): void {
    this.#events = events;
  }

  /** The other end says something. */
  receive(text: string): void {
    if (!this.#isClosed) this.#events?.onMessage(Buffer.from(text), this.#clock.elapsedMs());
  }

  /** The other end goes. */
  lose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events?.onEnd({ why: 'closed', closeCode: 1006 });
  }

  send(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#onSent(Buffer.from(bytes).toString('utf8'));
  }

  sendOwn(text: string): void {
    if (!this.#isClosed) this.#onSent(text);
  }

  close(): void {
    this.#isClosed = true;
  }

  pause(): void {}

  resume(): void {}

  ping(): void {}
}
