import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { HttpErrorCode } from '../errors/catalogue.ts';
import { type HttpRefusal, toHttp } from '../errors/to-http.ts';
import type { EventSink } from '../events/emit.ts';
import type { IdentitySource } from '../identity/parse-charger-id.ts';
import type { Clock } from '../lib/clock.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import {
  bufferedChunksMax,
  closing,
  compression,
  fragmentsMax,
  type SocketLimits,
} from './limits.ts';
import { PeerSocket } from './peer-socket.ts';
import { parseUpgrade, type UpgradeRequest } from './upgrade-request.ts';

/** One place where chargers connect. */
export interface ListenerOptions {
  readonly name: string;
  /** The OCPP security profile that chargers have here. */
  readonly securityProfile: number;
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
}

/** A charger at the door. Exactly one of `accept` and `refuse` must be called, once. */
export interface Arrival {
  readonly request: UpgradeRequest;
  readonly listener: string;
  readonly securityProfile: number;
  /** Aborted when the charger goes away before it was answered. */
  readonly gone: AbortSignal;
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
  /** Answers with an HTTP error and closes. */
  refuse(code: HttpErrorCode, retryAfterSeconds?: number): void;
}

/** A listener that is open. */
export interface ChargerListener {
  readonly name: string;
  /** `host:port`, with the port that the system chose where 0 was asked for. */
  readonly address: string;
  readonly port: number;
  /** Stops taking connections. Those that were accepted stay. */
  close(): Promise<void>;
}

/** No charger needs more: a path, a handful of headers, a password. */
const headerBytesMax = 8 * 1024;

/**
 * Opens a listener and hands each well-formed upgrade request to `onArrival`.
 *
 * @throws the system's error when the address cannot be had.
 */
export function openChargerListener(
  options: ListenerOptions,
  onArrival: (arrival: Arrival) => void,
  emit: EventSink,
  clock: Clock,
): Promise<ChargerListener> {
  const server = createServer({
    maxHeaderSize: headerBytesMax,
    headersTimeout: options.handshakeSeconds * 1000,
    requestTimeout: options.handshakeSeconds * 1000,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 1_000,
    insecureHTTPParser: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  });
  server.maxConnections = options.connectionsMax;

  const report = (code: HttpErrorCode, socket: Duplex, detail?: string): void => {
    const remoteAddress = (socket as Socket).remoteAddress ?? 'unknown';
    emit({ name: 'UpgradeRefused', code, listener: options.name, remoteAddress, detail });
  };
  const reportFull = (remoteAddress: string | undefined): void => {
    const { name: listener } = options;
    emit({
      name: 'UpgradeRefused',
      code: 'CONNECTIONS_FULL',
      listener,
      remoteAddress: remoteAddress ?? 'unknown',
    });
  };
  countPerAddress(server, options.connectionsPerAddressMax, reportFull);
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
  server.on('upgrade', (request, socket, head) => {
    // Node has taken its own listeners off: without one, a reset from now on would end the process.
    socket.on('error', () => {});
    const upgrade = parseUpgrade(request, { paths: options.paths, source: options.identity });
    if (!upgrade.ok) {
      report(upgrade.error, socket);
      answerHttp(socket, toHttp(upgrade.error));
      return;
    }
    const raw = { request, socket, head };
    onArrival(arrivalFrom(upgrade.value, raw, { options, emit, report, clock }));
  });
  return listen(server, options);
}

interface RawUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** What an arrival needs of its listener. */
interface ArrivalContext {
  readonly options: ListenerOptions;
  readonly emit: EventSink;
  readonly report: (code: HttpErrorCode, socket: Duplex, detail?: string) => void;
  readonly clock: Clock;
}

function arrivalFrom(
  upgrade: UpgradeRequest,
  { request, socket, head }: RawUpgrade,
  { options, emit, report, clock }: ArrivalContext,
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
        server.handleUpgrade(request, socket, head, (webSocket) =>
          resolve(new PeerSocket(webSocket, limits, clock)),
        );
      }),
    refuse: (code, retryAfterSeconds) => {
      const { remoteAddress, unverifiedId } = upgrade;
      const { name: listener } = options;
      emit({ name: 'UpgradeRefused', code, listener, remoteAddress, charger: unverifiedId });
      answerHttp(socket, toHttp(code, retryAfterSeconds));
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

function answerHttp(socket: Duplex, { status, headers, body }: HttpRefusal): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(body);
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${statusText[status] ?? 'Error'}\r\n${lines.join('')}` +
      `content-length: ${length}\r\n\r\n${body}`,
  );
}

const statusText: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  409: 'Conflict',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

function countPerAddress(
  server: Server,
  connectionsPerAddressMax: number,
  onFull: (address: string) => void,
): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? 'unknown';
    const count = (open.get(address) ?? 0) + 1;
    if (count > connectionsPerAddressMax) {
      // Before any byte is read: a flood from one place must cost as little as possible.
      onFull(address);
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}

function listen(server: Server, options: ListenerOptions): Promise<ChargerListener> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      server.off('error', reject);
      const { address, port } = server.address() as AddressInfo;
      const host = address.includes(':') ? `[${address}]` : address;
      resolve({
        name: options.name,
        address: `${host}:${port}`,
        port,
        close: () => {
          // Its callback would wait for the WebSockets, which stay open: nothing waits for it.
          server.close();
          server.closeAllConnections();
          return Promise.resolve();
        },
      });
    });
  });
}
