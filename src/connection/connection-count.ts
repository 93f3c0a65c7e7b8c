import type { Socket } from 'node:net';
import { sourceOf } from '../identity/source-of.ts';

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
    // Of an IPv6 network, one host has all addresses.
    const source = sourceOf(address);
    const count = (this.#open.get(source) ?? 0) + 1;
    if (count > this.#perAddressMax) {
      // Before any byte is read: a flood from one place must cost as little as possible.
      this.#onFull(address);
      socket.destroy();
      return false;
    }
    this.#open.set(source, count);
    socket.once('close', () => {
      const left = (this.#open.get(source) ?? 1) - 1;
      if (left > 0) this.#open.set(source, left);
      else this.#open.delete(source);
    });
    return true;
  }
}
