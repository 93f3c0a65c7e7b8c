import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import type { EventSink } from '../events/emit.ts';
import { handshakeFinding } from './handshake-failure.ts';

/** The handshakes of a TLS server that are not done. Each that comes to nothing is reported. */
export class Handshakes {
  /** By the ends of the connection, which are what its TCP and its TLS socket have in common. */
  readonly #open = new Map<string, Socket>();
  readonly #listener: string;
  readonly #emit: EventSink;
  #isClosed = false;

  /** @param listener its name in the events. */
  constructor(server: Server, listener: string, emit: EventSink) {
    this.#listener = listener;
    this.#emit = emit;
    // Before Node's own, which would answer with HTTP.
    server.prependListener('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const { remoteAddress } = socket;
      // Whoever has hung up has no address any more; that is reported when its TCP socket closes.
      if (this.#open.delete(endsOf(socket) ?? '')) {
        this.#report(error.code ?? 'unknown error', remoteAddress);
      }
      socket.destroy();
    });
    server.prependListener('secureConnection', (socket) => {
      this.#open.delete(endsOf(socket) ?? '');
      if (this.#isClosed) socket.destroy();
    });
  }

  /** Lets a new TCP connection `begin` its handshake. */
  start(socket: Socket, begin: () => void): void {
    const key = endsOf(socket);
    if (key === undefined) {
      socket.destroy();
      return;
    }
    const { remoteAddress } = socket;
    this.#open.set(key, socket);
    socket.once('close', () => {
      if (this.#open.get(key) !== socket) return;
      this.#open.delete(key);
      // Who came and went without a word is nobody's concern.
      if (socket.bytesRead > 0) this.#report('ECONNRESET', remoteAddress);
    });
    begin();
  }

  /** Ends those that are open, and lets none succeed any more. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#open.values()) socket.destroy();
  }

  #report(detail: string, remoteAddress = 'unknown'): void {
    if (this.#isClosed) return;
    const listener = this.#listener;
    const finding = handshakeFinding(detail);
    this.#emit({ name: 'TlsHandshakeFailed', listener, remoteAddress, finding, detail });
  }
}

function endsOf({ localAddress, remoteAddress, remotePort }: Socket): string | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
