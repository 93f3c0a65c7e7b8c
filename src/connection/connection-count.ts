import type { Socket } from 'node:net';

/** Counts the open TCP connections of each address. */
export class ConnectionCount {
  readonly #open = new Map<string, number>();
  readonly #perAddressMax: number;
  readonly #onFull: (address: string) => void;

  constructor(perAddressMax: number, onFull: (address: string) => void) {
    this.#perAddressMax = perAddressMax;
    this.#onFull = onFull;
  }

  /** Counts `socket` until it closes. Destroys it when its address has too many. */
  admits(socket: Socket): boolean {
    const address = socket.remoteAddress ?? 'unknown';
    const count = (this.#open.get(address) ?? 0) + 1;
    if (count > this.#perAddressMax) {
      // Before any byte is read: a flood from one place must cost as little as possible.
      this.#onFull(address);
      socket.destroy();
      return false;
    }
    this.#open.set(address, count);
    socket.once('close', () => {
      const left = (this.#open.get(address) ?? 1) - 1;
      if (left > 0) this.#open.set(address, left);
      else this.#open.delete(address);
    });
    return true;
  }
}
