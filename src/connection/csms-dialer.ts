import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ChargerId } from '../chargers/charger-id.ts';
import type { Clock } from '../lib/clock.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import { isOcppVersion, type OcppVersion } from '../ocpp/version.ts';
import {
  bufferedChunksMax,
  closing,
  compression,
  fragmentsMax,
  type SocketLimits,
} from './limits.ts';
import { PeerSocket } from './peer-socket.ts';

/** Where the CSMS is and how it is called. */
export interface CsmsAddress {
  /** `ws://` or `wss://`, with a path; the identity is appended. */
  readonly url: string;
  readonly connectTimeoutSeconds: number;
}

/** A connection to the CSMS, for one charger. */
export interface CsmsConnection {
  readonly socket: PeerSocket;
  /** What the CSMS chose of the versions that were offered. */
  readonly version: OcppVersion;
}

/** Why there is no connection to the CSMS. */
export interface DialFailure {
  readonly code: 'CSMS_UNREACHABLE' | 'CSMS_REFUSED' | 'SUBPROTOCOL_NONE_IN_COMMON';
  /** For the log: an HTTP status or a system error code. */
  readonly detail: string;
}

/** One call to the CSMS. */
export interface Dial {
  readonly id: ChargerId;
  readonly versions: readonly OcppVersion[];
  /** Aborts the attempt, because the charger has gone. */
  readonly signal: AbortSignal;
}

/** Calls the CSMS as if it were the charger. */
export type CsmsDialer = (dial: Dial) => Promise<Result<CsmsConnection, DialFailure>>;

/**
 * A dialer for `address`.
 *
 * The request is built from scratch: nothing that the charger sent goes into it but its identity,
 * which is parsed, and the versions that the gateway knows.
 */
export function csmsDialer(address: CsmsAddress, limits: SocketLimits, clock: Clock): CsmsDialer {
  return (dial) => {
    const socket = new WebSocket(urlFor(address.url, dial.id), [...dial.versions], {
      followRedirects: false,
      maxPayload: limits.frameBytesMax,
      maxFragments: fragmentsMax,
      maxBufferedChunks: bufferedChunksMax,
      ...closing,
      perMessageDeflate: compression,
      skipUTF8Validation: false,
      autoPong: false,
      headers: { 'user-agent': 'gatewatt' },
      // For wss: the certificate of the CSMS is always verified.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    });
    const { connectTimeoutSeconds } = address;
    return connectionFrom(socket, dial, { connectTimeoutSeconds, limits, clock });
  };
}

/** The identity, percent-encoded, after the path of `base`. */
export function urlFor(base: string, id: ChargerId): string {
  const url = new URL(base);
  const path = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
  url.pathname = `${path}${encodeURIComponent(id)}`;
  return url.href;
}

interface DialTools {
  readonly connectTimeoutSeconds: number;
  readonly limits: SocketLimits;
  readonly clock: Clock;
}

function connectionFrom(
  socket: WebSocket,
  dial: Dial,
  { connectTimeoutSeconds, limits, clock }: DialTools,
): Promise<Result<CsmsConnection, DialFailure>> {
  return new Promise((resolve) => {
    let failure: DialFailure | undefined;
    const abort = (): void => socket.terminate();
    dial.signal.addEventListener('abort', abort, { once: true });
    // Not the timeout of ws, which starts again with each byte that the CSMS sends.
    const deadline = clock.after(connectTimeoutSeconds * 1000, () => {
      failure ??= { code: 'CSMS_UNREACHABLE', detail: 'timed out' };
      socket.terminate();
    });
    const onDecided = (): void => {
      deadline.cancel();
      dial.signal.removeEventListener('abort', abort);
    };

    socket.on('upgrade', (response: IncomingMessage) => {
      // ws refuses such an answer with a text only; the header tells the reason by itself.
      const chosen = response.headers['sec-websocket-protocol'];
      if (chosen === undefined || !(dial.versions as readonly string[]).includes(chosen)) {
        failure ??= { code: 'SUBPROTOCOL_NONE_IN_COMMON', detail: 'no version in common' };
      }
    });
    socket.on('unexpected-response', (request, response) => {
      failure ??= { code: 'CSMS_REFUSED', detail: `HTTP ${response.statusCode}` };
      request.destroy();
      socket.terminate();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure ??= { code: 'CSMS_UNREACHABLE', detail: error.code ?? 'connection failed' };
    });
    socket.on('close', () => {
      onDecided();
      resolve(failed(failure ?? { code: 'CSMS_UNREACHABLE', detail: 'closed before it opened' }));
    });
    socket.on('open', () => {
      onDecided();
      const version = socket.protocol;
      if (failure !== undefined || !isOcppVersion(version)) {
        socket.terminate();
        return;
      }
      // At once, so that nothing that the CSMS sends first is missed.
      resolve(ok({ socket: new PeerSocket(socket, limits, clock), version }));
    });
  });
}
