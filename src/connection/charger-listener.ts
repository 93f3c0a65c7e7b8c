import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import type { SecurityProfile } from '../chargers/charger-entry.ts';
import type { HttpErrorCode } from '../errors/catalogue.ts';
import { type HttpOptions, type HttpRefusal, toHttp } from '../errors/to-http.ts';
import type { EventSink } from '../events/emit.ts';
import type { IdentitySource } from '../identity/parse-charger-id.ts';
import type { Clock } from '../lib/clock.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { ClientTrust } from '../pki/trust.ts';
import { ConnectionCount } from './connection-count.ts';
import { answerHttp } from './http-answer.ts';
import {
  bufferedChunksMax,
  closing,
  compression,
  fragmentsMax,
  type SocketLimits,
} from './limits.ts';
import { PeerSocket } from './peer-socket.ts';
import type { ListenerTls } from './tls-material.ts';
import { createTlsServer, type TlsServer } from './tls-server.ts';
import { parseUpgrade, type UpgradeRequest } from './upgrade-request.ts';

/** One place where chargers connect. */
export interface ListenerOptions {
  readonly name: string;
  /** The OCPP security profile that chargers have here. */
  readonly securityProfile: SecurityProfile;
  readonly host: string;
  readonly port: number;
  readonly paths: readonly string[];
  readonly identity: IdentitySource;
  readonly limits: SocketLimits;
  /** Open TCP connections, whatever they are doing. */
  readonly connectionsMax: number;
  /** Open TCP connections from one address. */
  readonly connectionsPerAddressMax: number;
  /** Seconds for a request to arrive in whole. */
  readonly handshakeSeconds: number;
  /** For security profiles 2 and 3; without it, chargers connect without TLS. */
  readonly tls?: ListenerTls | undefined;
}

/** A charger at the door. Exactly one of `accept` and `refuse` must be called, once. */
export interface Arrival {
  readonly request: UpgradeRequest;
  readonly listener: string;
  readonly securityProfile: SecurityProfile;
  /** Aborted when the charger goes away before it was answered. */
  readonly gone: AbortSignal;
  /**
   * Whose certificates count here at this moment; undefined where none is asked for. Ask again for
   * each decision: its files may have changed.
   */
  clientTrust(): ClientTrust | undefined;
  /**
   * Answers 101.
   *
   * @param version the subprotocol to name; undefined for a charger that offered none.
   * @param pingSeconds overrides the listener's.
   * @returns undefined when the charger has gone meanwhile.
   */
  accept(
    version: OcppVersion | undefined,
    pingSeconds?: number | undefined,
  ): Promise<PeerSocket | undefined>;
  /**
   * Answers with an HTTP error and closes.
   *
   * @param detail for the operator; the peer does not get it.
   */
  refuse(code: HttpErrorCode, retryAfterSeconds?: number, detail?: string): void;
}

/** A listener that is open. */
export interface ChargerListener {
  readonly name: string;
  /** `host:port`, with the port that the system chose where 0 was asked for. */
  readonly address: string;
  readonly port: number;
  /** Whose certificates count at this moment; undefined where none is asked for. */
  clientTrust(): ClientTrust | undefined;
  /** Stops taking connections. Those that were accepted stay. */
  close(): Promise<void>;
}

/** No charger needs more: a path, a handful of headers, a password. */
const headerBytesMax = 8 * 1024;

/**
 * Opens a listener and hands each well-formed upgrade request to `onArrival`.
 *
 * @throws the system's error when the address cannot be had; an Error that names the file when one
 * of TLS cannot be used.
 */
export async function openChargerListener(
  options: ListenerOptions,
  onArrival: (arrival: Arrival) => void,
  emit: EventSink,
  clock: Clock,
): Promise<ChargerListener> {
  const { connectionsMax, connectionsPerAddressMax, handshakeSeconds, name, tls } = options;
  const httpOptions = {
    maxHeaderSize: headerBytesMax,
    headersTimeout: handshakeSeconds * 1000,
    requestTimeout: handshakeSeconds * 1000,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 1_000,
    insecureHTTPParser: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  const secure =
    tls && (await createTlsServer({ name, handshakeSeconds, tls }, httpOptions, emit, clock));
  const server = secure?.server ?? createServer(httpOptions);
  server.maxConnections = connectionsMax;

  const report = (code: HttpErrorCode, socket: Duplex, detail?: string): void => {
    const remoteAddress = (socket as Socket).remoteAddress ?? 'unknown';
    emit({ name: 'UpgradeRefused', code, listener: name, remoteAddress, detail });
  };
  const reportFull = (remoteAddress = 'unknown'): void => {
    emit({ name: 'UpgradeRefused', code: 'CONNECTIONS_FULL', listener: name, remoteAddress });
  };
  const count = new ConnectionCount(connectionsPerAddressMax, reportFull);
  onConnection(server, (socket, begin) => {
    if (!count.admits(socket)) return;
    if (secure === undefined) begin();
    else secure.handshakes.start(socket, begin);
  });
  server.on('drop', (dropped) => reportFull(dropped?.remoteAddress));
  server.on('request', (request, response) => {
    report('UPGRADE_REQUIRED', request.socket);
    const { status, headers, body } = toHttp('UPGRADE_REQUIRED');
    response.writeHead(status, headers).end(body);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    report('UPGRADE_MALFORMED', socket, error.code);
    answerHttp(socket, toHttp('UPGRADE_MALFORMED'));
  });
  server.on('connect', (_request, socket) => {
    socket.on('error', () => {});
    report('UPGRADE_MALFORMED', socket, 'CONNECT');
    answerHttp(socket, toHttp('UPGRADE_MALFORMED'));
  });
  const refusal = refusalsFor(options.securityProfile);
  server.on('upgrade', (request, socket, head) => {
    // Node has taken its own listeners off: without one, a reset from now on would end the process.
    socket.on('error', () => {});
    const shown = socket instanceof TLSSocket ? secure?.clientCertificate(socket) : undefined;
    const reading = { paths: options.paths, source: options.identity };
    const upgrade = parseUpgrade(request, reading, shown);
    if (!upgrade.ok) {
      report(upgrade.error, socket);
      answerHttp(socket, refusal(upgrade.error));
      return;
    }
    const raw = { request, socket, head };
    onArrival(arrivalFrom(upgrade.value, raw, { options, secure, emit, report, refusal, clock }));
  });
  try {
    const listener = await listen(server, name, options, secure);
    secure?.announce();
    return listener;
  } catch (error) {
    secure?.close();
    throw error;
  }
}

/**
 * Lets `take` decide on each new connection, before anything is read from it or spent on it: `begin`
 * does what the server does by itself.
 */
function onConnection(server: Server, take: (socket: Socket, begin: () => void) => void): void {
  const own = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    take(socket, () => {
      for (const listener of own) listener.call(server, socket);
    });
  });
}

type Refusals = (code: HttpErrorCode, options?: HttpOptions) => HttpRefusal;

/** Where certificates are asked for, nobody is invited to try a password. */
function refusalsFor(securityProfile: number): Refusals {
  const challenge = securityProfile === 3 ? 'none' : 'basic';
  return (code, options) => toHttp(code, { ...options, challenge });
}

interface RawUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** What an arrival needs of its listener. */
interface ArrivalContext {
  readonly options: ListenerOptions;
  readonly secure: TlsServer | undefined;
  readonly emit: EventSink;
  readonly refusal: Refusals;
  readonly report: (code: HttpErrorCode, socket: Duplex, detail?: string) => void;
  readonly clock: Clock;
}

function arrivalFrom(
  upgrade: UpgradeRequest,
  { request, socket, head }: RawUpgrade,
  { options, secure, emit, report, refusal, clock }: ArrivalContext,
): Arrival {
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  // Who ends its side before the answer has gone, though Node would keep the other side open: it
  // would hold its identity until the CSMS has answered.
  const onHalfClosed = (): void => {
    socket.destroy();
  };
  socket.on('end', onHalfClosed);
  return {
    request: upgrade,
    listener: options.name,
    securityProfile: options.securityProfile,
    gone: gone.signal,
    clientTrust: () => secure?.clientTrust(),
    accept: (version, pingSeconds) =>
      new Promise((resolve) => {
        if (gone.signal.aborted) {
          resolve(undefined);
          return;
        }
        socket.off('end', onHalfClosed);
        socket.once('close', () => resolve(undefined));
        const limits = { ...options.limits };
        if (pingSeconds !== undefined) limits.pingSeconds = pingSeconds;
        // ws would read the charger's list again, in its own way.
        if (version !== undefined) request.headers['sec-websocket-protocol'] = version;
        const server = upgrader(options.limits.frameBytesMax, version);
        // What only ws checks: the extensions.
        server.once('wsClientError', () => {
          report('UPGRADE_MALFORMED', socket, 'extensions');
          answerHttp(socket, toHttp('UPGRADE_MALFORMED'));
        });
        if (upgrade.clientCertificate !== undefined) secure?.remember(upgrade.clientCertificate);
        server.handleUpgrade(request, socket, head, (webSocket) =>
          resolve(new PeerSocket(webSocket, limits, clock)),
        );
      }),
    refuse: (code, retryAfterSeconds, detail) => {
      const { remoteAddress, unverifiedId: charger } = upgrade;
      const { name: listener } = options;
      emit({ name: 'UpgradeRefused', code, listener, remoteAddress, charger, detail });
      answerHttp(socket, refusal(code, { retryAfterSeconds }));
    },
  };
}

/** ws needs a server object for each set of options; it holds no connection and no state. */
function upgrader(frameBytesMax: number, version: OcppVersion | undefined): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: frameBytesMax,
    maxFragments: fragmentsMax,
    maxBufferedChunks: bufferedChunksMax,
    ...closing,
    perMessageDeflate: compression,
    skipUTF8Validation: false,
    autoPong: false,
    handleProtocols: () => version ?? false,
  });
}

function listen(
  server: Server,
  name: string,
  { host, port }: { readonly host: string; readonly port: number },
  secure: TlsServer | undefined,
): Promise<ChargerListener> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      const opened = server.address() as AddressInfo;
      const shownHost = opened.address.includes(':') ? `[${opened.address}]` : opened.address;
      resolve({
        name,
        address: `${shownHost}:${opened.port}`,
        port: opened.port,
        clientTrust: () => secure?.clientTrust(),
        close: () => {
          // Its callback would wait for the WebSockets, which stay open: nothing waits for it.
          server.close();
          server.closeAllConnections();
          secure?.close();
          return Promise.resolve();
        },
      });
    });
  });
}
