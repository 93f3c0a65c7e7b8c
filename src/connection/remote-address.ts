import { unknownSource } from '../identity/source-of.ts';

/** What a socket says of its connection; each undefined when the peer has gone already. */
export interface ConnectionEnds {
  readonly localAddress?: string | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/**
 * How the peer of `socket` is written wherever it is named or counted: its address, and behind an @
 * the isolated network that it came through, for each of those may have the same addresses.
 *
 * @param network undefined for the network of the gateway itself.
 */
export function remoteAddressOf(socket: ConnectionEnds, network: string | undefined): string {
  const address = readEnds(socket)?.remoteAddress ?? unknownSource;
  return network === undefined ? address : `${address}@${network}`;
}

/**
 * Reads the ends of a connection.
 *
 * @returns undefined when they have no name here. To Node.js a link-local IPv6 address ends with the
 *   name of its interface, which it looks up where the gateway is. The interfaces of an isolated
 *   network are not there, and then it throws.
 */
export function readEnds(socket: ConnectionEnds): ConnectionEnds | undefined {
  try {
    const { localAddress, remoteAddress, remotePort } = socket;
    return { localAddress, remoteAddress, remotePort };
  } catch {
    return undefined;
  }
}
