/** A message that waits. */
export interface WaitingMessage {
  readonly bytes: Uint8Array;
  readonly receivedAtMs: number;
}

/** The messages of one side that wait behind one that waits for the store, in their order. */
export class Inbox {
  readonly #messages: WaitingMessage[] = [];
  #isHeld = false;

  /** Does a message wait for the store, so that the next ones wait behind it? */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
  }

  add(message: WaitingMessage): void {
    this.#messages.push(message);
  }

  /** The next message that may be read; undefined while one waits for the store. */
  next(): WaitingMessage | undefined {
    return this.#isHeld ? undefined : this.#messages.shift();
  }
}
