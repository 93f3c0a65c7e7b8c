import { createServer, type ServerOptions as HttpOptions, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { SecurityProfile } from '../chargers/charger-entry.ts';
import type { HttpErrorCode } from '../errors/catalogue.ts';
import { toHttp } from '../errors/to-http.ts';
import type { EventSink } from '../events/emit.ts';
import type { IdentitySource } from '../identity/parse-charger-id.ts';
import { isNetworkName } from '../identity/source-of.ts';
import { invariant } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { type Arrival, arrivalFrom, type Refusals } from './arrival.ts';
import { ConnectionCount, type ConnectionLimits } from './connection-count.ts';
import { answerHttp } from './http-answer.ts';
import type { SocketLimits } from './limits.ts';
import type { ListenerCertificates } from './listener-certificates.ts';
import type { ListenPlace, Network } from './network.ts';
import { readEnds, remoteAddressOf } from './remote-address.ts';
import type { TlsServer } from './tls-server.ts';
import { parseUpgrade } from './upgrade-request.ts';

/** One socket of a listener, with limits of its own: a flood here takes nothing from the others. */
export interface DoorOptions extends ConnectionLimits {
  readonly at: ListenPlace;
  /** The isolated network that it is in; undefined for that of the gateway itself. */
  readonly network?: string | undefined;
}

/** What the doors of a listener have in common. */
export interface DoorSettings {
  /** The name of the listener. */
  readonly name: string;
  /** The OCPP security profile that chargers have here. */
  readonly securityProfile: SecurityProfile;
  readonly paths: readonly string[];
  readonly identity: IdentitySource;
  readonly limits: SocketLimits;
  /** Seconds for a request to arrive in whole. */
  readonly handshakeSeconds: number;
}

/** What a listener gives its doors to work with. */
export interface DoorContext {
  readonly settings: DoorSettings;
  /** Undefined where chargers connect without TLS. */
  readonly certificates: ListenerCertificates | undefined;
  readonly onArrival: (arrival: Arrival) => void;
  readonly emit: EventSink;
  readonly clock: Clock;
  readonly network: Network;
}

/** A door that is open. */
export interface Door {
  readonly network: string | undefined;
  /** `host:port`, with the port that the system chose where 0 was asked for. */
  readonly address: string;
  readonly port: number;
  /** Stops taking connections. Those that were accepted stay. */
  close(): void;
}

/** No charger needs more: a path, a handful of headers, a password. */
const headerBytesMax = 8 * 1024;

/**
 * Opens a door.
 *
 * @throws the system's error when the address cannot be had.
 */
export async function openDoor(options: DoorOptions, context: DoorContext): Promise<Door> {
  const { at, network } = options;
  const { certificates, settings } = context;
  // With another name nobody behind the door could be told from the others: see `source-of.ts`.
  invariant(network === undefined || isNetworkName(network), 'a network has a proper name');
  const httpOptions = httpOptionsFor(settings);
  const secure = certificates?.createServer(httpOptions, network);
  const server = secure?.server ?? createServer(httpOptions);
  const report: Report = (code, socket, detail) => {
    const remoteAddress = remoteAddressOf(socket as Socket, network);
    const { name: listener } = settings;
    context.emit({ name: 'UpgradeRefused', code, listener, remoteAddress, detail });
  };
  countConnections(server, { options, secure, report });
  refuseOthers(server, report);
  takeUpgrades(server, { options, secure, report }, context);
  try {
    const { address, port } = await context.network.listen(server, at);
    return {
      network,
      address: `${address.includes(':') ? `[${address}]` : address}:${port}`,
      port,
      close: () => {
        // Its callback would wait for the WebSockets, which stay open: nothing waits for it.
        server.close();
        server.closeAllConnections();
        secure?.close();
      },
    };
  } catch (error) {
    secure?.close();
    throw error;
  }
}

/** Closes the socket of a door that was never opened, if it has one already. */
export function abandonDoor({ at }: DoorOptions): void {
  if ('opened' in at) at.opened.close();
}

function httpOptionsFor({ handshakeSeconds }: DoorSettings): HttpOptions {
  return {
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
}

type Report = (code: HttpErrorCode, socket: Duplex, detail?: string) => void;

/** What belongs to one door. */
interface DoorParts {
  readonly options: DoorOptions;
  readonly secure: TlsServer | undefined;
  readonly report: Report;
}

/** Decides on each new connection before anything is read from it or spent on it. */
function countConnections(server: Server, { options, secure, report }: DoorParts): void {
  const count = new ConnectionCount(options, (socket) => report('CONNECTIONS_FULL', socket));
  onConnection(server, (socket, begin) => {
    if (readEnds(socket) === undefined) {
      // Nobody could say who it was, nor hold it responsible.
      report('UPGRADE_MALFORMED', socket, 'its address has no name here');
      socket.destroy();
      return;
    }
    if (!count.admits(socket, remoteAddressOf(socket, options.network))) return;
    if (secure === undefined) begin();
    else secure.handshakes.start(socket, begin);
  });
}

/**
 * Lets `take` decide on each new connection: `begin` does what the server does by itself.
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

/** Answers whatever is no upgrade. */
function refuseOthers(server: Server, report: Report): void {
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
}

function takeUpgrades(
  server: Server,
  { options: { network }, secure, report }: DoorParts,
  { certificates, clock, emit, onArrival, settings }: DoorContext,
): void {
  const { identity: source, limits, name: listener, paths, securityProfile } = settings;
  const refusal = refusalsFor(securityProfile);
  const shared = {
    listener,
    network,
    securityProfile,
    limits,
    certificates,
    emit,
    refusal,
    report,
  };
  server.on('upgrade', (request, socket, head) => {
    // Node has taken its own listeners off: without one, a reset from now on would end the process.
    socket.on('error', () => {});
    const shown = socket instanceof TLSSocket ? secure?.clientCertificate(socket) : undefined;
    const upgrade = parseUpgrade(request, { paths, source, network }, shown);
    if (!upgrade.ok) {
      report(upgrade.error, socket);
      answerHttp(socket, refusal(upgrade.error));
      return;
    }
    onArrival(arrivalFrom(upgrade.value, { request, socket, head }, { ...shared, clock }));
  });
}

/** Where certificates are asked for, nobody is invited to try a password. */
function refusalsFor(securityProfile: SecurityProfile): Refusals {
  const challenge = securityProfile === 3 ? 'none' : 'basic';
  return (code, options) => toHttp(code, { ...options, challenge });
}
