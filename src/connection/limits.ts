import type { PerMessageDeflateOptions } from 'ws';

/** Limits of one WebSocket connection, on either leg. */
export interface SocketLimits {
  /** Bytes of one message, after decompression. Beyond it: close 1009. */
  readonly frameBytesMax: number;
  /** Seconds between pings; 0 for none. */
  readonly pingSeconds: number;
  /** Seconds without any traffic, after a ping, until a peer that answers pings counts as gone. */
  readonly pongSeconds: number;
  /** Seconds without any traffic until a peer that has never answered a ping counts as gone. */
  readonly silentSeconds: number;
  /** Seconds that bytes may wait to be taken by the peer. */
  readonly stallSeconds: number;
}

/** Bytes waiting for a peer at which its source is no longer read. */
export const highWaterBytes = 256 * 1024;
/** Bytes waiting at which reading goes on. */
export const lowWaterBytes = 64 * 1024;
/**
 * Bytes waiting at which the connection is given up. A paused source still hands over what it had
 * sent before, and compressed messages inflate: one read of 64 KiB can hold 60 MB of them.
 */
export const overwhelmedBytes = 32 * 1024 * 1024;
/** Seconds between two looks at a connection, at most: a stall must not wait for a rare ping. */
export const lookSecondsMax = 60;
/** Bytes waiting at which the gateway stops adding words of its own: CallErrors and pongs. */
export const ownWordsBytesMax = 512 * 1024;

/**
 * Fragments of one message. A charger has no reason to fragment at all; a hostile peer sends a
 * million fragments of one byte to exhaust memory.
 */
export const fragmentsMax = 64;
/** Chunks that may wait inside the WebSocket parser. */
export const bufferedChunksMax = 1024;
/** Time for a peer to answer a close, in milliseconds, before the socket is destroyed. */
export const closeTimeoutMs = 5_000;
/** The same for closes that ws begins or answers by itself; its types do not know the option. */
export const closing = { closeTimeout: closeTimeoutMs };

/**
 * permessage-deflate (RFC 7692), which OCPP 2.x asks of a management system.
 *
 * No context is kept between messages: it would cost each idle charger hundreds of kilobytes. A
 * message that inflates beyond `frameBytesMax` ends the connection while it is being inflated.
 *
 * No window sizes: with one, ws refuses the whole upgrade of a peer that offers another or none.
 *
 * Source: OCPP 2.0.1 part 4 section 3.4.
 */
export const compression: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 8,
  // Most OCPP messages are smaller, and not worth the work.
  threshold: 1024,
  zlibDeflateOptions: { level: 3, memLevel: 7, chunkSize: 4 * 1024 },
  zlibInflateOptions: { chunkSize: 4 * 1024 },
};
