import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import type { EventSink } from '../events/emit.ts';
import { handshakeFinding } from './handshake-failure.ts';
import { type ConnectionEnds, readEnds, remoteAddressOf } from './remote-address.ts';

/** Where the handshakes are done. */
export interface HandshakePlace {
  /** The name of the listener in the events. */
  readonly listener: string;
  /** The isolated network; undefined for that of the gateway itself. */
  readonly network: string | undefined;
}

/** The handshakes of a TLS server that are not done. Each that comes to nothing is reported. */
export class Handshakes {
  /** By the ends of the connection, which are what its TCP and its TLS socket have in common. */
  readonly #open = new Map<string, Socket>();
  readonly #place: HandshakePlace;
  readonly #emit: EventSink;
  #isClosed = false;

  constructor(server: Server, place: HandshakePlace, emit: EventSink) {
    this.#place = place;
    this.#emit = emit;
    // Before Node's own, which would answer with HTTP.
    server.prependListener('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const remoteAddress = remoteAddressOf(socket, place.network);
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
    const remoteAddress = remoteAddressOf(socket, this.#place.network);
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

  #report(detail: string, remoteAddress: string): void {
    if (this.#isClosed) return;
    const { listener } = this.#place;
    const finding = handshakeFinding(detail);
    this.#emit({ name: 'TlsHandshakeFailed', listener, remoteAddress, finding, detail });
  }
}

function endsOf(socket: ConnectionEnds): string | undefined {
  const { localAddress, remoteAddress, remotePort } = readEnds(socket) ?? {};
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
