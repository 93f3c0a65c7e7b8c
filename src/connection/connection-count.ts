import type { Socket } from 'node:net';
import { sourceOf } from '../identity/source-of.ts';

/** How many TCP connections may be open at once, whatever they are doing. */
export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

/**
 * Counts the open TCP connections, in all and of each address.
 *
 * Not `maxConnections` of node:net, which reads the addresses of what it drops, and so ends the
 * process when they have no name (see `remote-address.ts`).
 */
export class ConnectionCount {
  readonly #open = new Map<string, number>();
  readonly #limits: ConnectionLimits;
  readonly #onFull: (socket: Socket) => void;
  #count = 0;

  constructor(limits: ConnectionLimits, onFull: (socket: Socket) => void) {
    this.#limits = limits;
    this.#onFull = onFull;
  }

  /** Counts `socket` until it closes. Destroys it when there are too many. */
  admits(socket: Socket, remoteAddress: string): boolean {
    // Of an IPv6 network, one host has all addresses.
    const source = sourceOf(remoteAddress);
    const count = (this.#open.get(source) ?? 0) + 1;
    const { connectionsMax, connectionsPerAddressMax } = this.#limits;
    if (this.#count >= connectionsMax || count > connectionsPerAddressMax) {
      // Before any byte is read: a flood from one place must cost as little as possible.
      this.#onFull(socket);
      socket.destroy();
      return false;
    }
    this.#count += 1;
    this.#open.set(source, count);
    socket.once('close', () => {
      this.#count -= 1;
      const left = (this.#open.get(source) ?? 1) - 1;
      if (left > 0) this.#open.set(source, left);
      else this.#open.delete(source);
    });
    return true;
  }
}
