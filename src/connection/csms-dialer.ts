import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { ChargerId } from '../chargers/charger-id.ts';
import type { Clock } from '../lib/clock.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import { isOcppVersion, type OcppVersion } from '../ocpp/version.ts';
import { type CsmsEndpoint, connectTls, plainCsmsTls } from './connect-csms.ts';
import type { CsmsTls } from './csms-tls.ts';
import {
  bufferedChunksMax,
  closing,
  compression,
  fragmentsMax,
  type SocketLimits,
} from './limits.ts';
import { type Network, type NetworkEndpoint, systemNetwork } from './network.ts';
import { PeerSocket } from './peer-socket.ts';

/** Where the CSMS is and how it is called. */
export interface CsmsAddress {
  /** `ws://` or `wss://`, with a path; the identity is appended. */
  readonly url: string;
  readonly connectTimeoutSeconds: number;
  /**
   * How it is verified, for `wss://`; asked before each call. Without it: by the authorities that
   * Node.js trusts, and by the host name in `url`.
   */
  readonly tls?: (() => CsmsTls) | undefined;
}

/** A connection to the CSMS, for one charger. */
export interface CsmsConnection {
  readonly socket: PeerSocket;
  /** What the CSMS chose of the versions that were offered. */
  readonly version: OcppVersion;
}

/** Why there is no connection to the CSMS. */
export interface DialFailure {
  readonly code:
    | 'CSMS_UNREACHABLE'
    | 'CSMS_UNTRUSTED'
    | 'CSMS_REFUSED'
    | 'SUBPROTOCOL_NONE_IN_COMMON';
  /** For the log: an HTTP status, or an error code of the system or of TLS. */
  readonly detail: string;
}

/** One call to the CSMS. */
export interface Dial {
  readonly id: ChargerId;
  readonly versions: readonly OcppVersion[];
  /** Aborts the attempt, because the charger has gone. */
  readonly signal: AbortSignal;
  /** Sent as HTTP Basic, when there is one. The user name holds no colon. */
  readonly authorization?: CsmsAuthorization | undefined;
}

/** Whom the gateway authenticates as. */
export interface CsmsAuthorization {
  readonly user: string;
  /** Bytes: it need not be text. */
  readonly password: Buffer;
}

/** Calls the CSMS as if it were the charger. */
export type CsmsDialer = (dial: Dial) => Promise<Result<CsmsConnection, DialFailure>>;

/**
 * A dialer for `address`.
 *
 * The request is built from scratch: nothing that the charger sent goes into it but its identity,
 * which is parsed, and the versions that the gateway knows.
 */
export function csmsDialer(
  address: CsmsAddress,
  limits: SocketLimits,
  clock: Clock,
  { connect }: Network = systemNetwork,
): CsmsDialer {
  // ws connects by itself where nobody else does.
  const connectPlainly =
    connect === undefined
      ? {}
      : { createConnection: (endpoint: unknown) => connect(endpoint as NetworkEndpoint) };
  return (dial) => {
    let untrusted: string | undefined;
    const socket = new WebSocket(urlFor(address.url, dial.id), [...dial.versions], {
      followRedirects: false,
      maxPayload: limits.frameBytesMax,
      maxFragments: fragmentsMax,
      maxBufferedChunks: bufferedChunksMax,
      ...closing,
      perMessageDeflate: compression,
      skipUTF8Validation: false,
      autoPong: false,
      headers: headersFor(dial),
      ...(new URL(address.url).protocol === 'wss:'
        ? {
            createConnection: (endpoint: unknown) =>
              connectTls(endpoint as CsmsEndpoint, address.tls?.() ?? plainCsmsTls, (code) => {
                untrusted = code;
              }),
          }
        : connectPlainly),
    });
    const { connectTimeoutSeconds } = address;
    const untrustedCode = (): string | undefined => untrusted;
    return connectionFrom(socket, dial, { connectTimeoutSeconds, untrustedCode, limits, clock });
  };
}

function headersFor({ authorization }: Dial): Readonly<Record<string, string>> {
  const headers = { 'user-agent': 'gatewatt' };
  if (authorization === undefined) return headers;
  const { password, user } = authorization;
  const credential = Buffer.concat([Buffer.from(`${user}:`, 'utf8'), password]);
  return { ...headers, authorization: `Basic ${credential.toString('base64')}` };
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
  /** What was wrong with the certificate of the CSMS; undefined when nothing was. */
  readonly untrustedCode: () => string | undefined;
  readonly limits: SocketLimits;
  readonly clock: Clock;
}

function connectionFrom(
  socket: WebSocket,
  dial: Dial,
  { connectTimeoutSeconds, untrustedCode, limits, clock }: DialTools,
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

    let stream: Duplex | undefined;
    socket.on('upgrade', (response: IncomingMessage) => {
      stream = response.socket;
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
      const untrusted = untrustedCode();
      failure ??=
        untrusted === undefined
          ? { code: 'CSMS_UNREACHABLE', detail: error.code ?? 'connection failed' }
          : { code: 'CSMS_UNTRUSTED', detail: untrusted };
    });
    socket.on('close', () => {
      onDecided();
      resolve(failed(failure ?? { code: 'CSMS_UNREACHABLE', detail: 'closed before it opened' }));
    });
    socket.on('open', () => {
      onDecided();
      const version = socket.protocol;
      if (failure !== undefined || stream === undefined || !isOcppVersion(version)) {
        socket.terminate();
        return;
      }
      // What only the dial needed would stay as long as the connection.
      socket.removeAllListeners();
      // At once, so that nothing that the CSMS sends first is missed.
      const opened = { socket, stream, isClient: true };
      resolve(ok({ socket: new PeerSocket(opened, limits, clock), version }));
    });
  });
}
