import type { Server } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Where to listen; or a server that listens already, whose socket is taken over. That server must
 * not be used any more: the socket is closed with the door, and when the door cannot be opened.
 */
export type ListenPlace =
  | { readonly host: string; readonly port: number }
  | { readonly opened: NetServer };

/** Where a connection goes, as ws hands it on. */
export interface NetworkEndpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * Where connections come from and go to. An argument of the gateway, like time and chance, so that a
 * simulation decides what becomes of each packet.
 */
export interface Network {
  /**
   * Lets `server` take connections. They end when the server is closed.
   *
   * @returns the address that was got: the system chooses a port where 0 was asked for.
   * @throws the system's error when the address cannot be had.
   */
  listen(server: Server, at: ListenPlace): Promise<AddressInfo>;
  /**
   * Begins a connection without TLS: what it returns may still be connecting. Undefined where ws
   * connects by itself.
   */
  readonly connect: ((endpoint: NetworkEndpoint) => Duplex) | undefined;
}

/** Connections that the system may hold until they are taken: a fleet comes back at once. */
const backlog = 4096;

/** The machine's own network. */
export const systemNetwork: Network = {
  listen: (server, at) =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      const onListening = (): void => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      };
      if ('opened' in at) server.listen(at.opened, backlog, onListening);
      else server.listen({ host: at.host, port: at.port, backlog }, onListening);
    }),
  connect: undefined,
};
