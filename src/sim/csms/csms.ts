import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { isSendAction } from '../../ocpp/actions.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import { isOcppVersion, type OcppVersion } from '../../ocpp/version.ts';
import {
  type ActionHandler,
  ActionHooks,
  type PayloadFilter,
  refusalOf,
} from '../protocol/action-hooks.ts';
import { listen } from '../protocol/listen.ts';
import { ConnectionLost, refusal } from '../protocol/rpc-errors.ts';
import { type Answer, type IncomingCall, RpcPeer } from '../protocol/rpc-peer.ts';
import type { TrafficObserver } from '../protocol/traffic.ts';
import { csmsAnswers } from './csms-answers.ts';
import { type CsmsTransaction, CsmsTransactions } from './csms-transactions.ts';

/** Largest frame that the CSMS takes; reports are the longest messages of the schemas. */
const payloadBytesMax = 1024 * 1024;
/** Identities are shorter (48 in 2.x); whatever is longer is a mistake. */
const identityLengthMax = 255;
/** Connectors of one charger whose status is kept. */
const connectorsMax = 100;

/** What a simulated CSMS needs; all that is optional has a sensible default. */
export interface SimulatedCsmsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The default is 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0, the default, lets the system choose. */
  readonly port?: number | undefined;
  /** The identity is the one segment after it. The default is /ocpp. */
  readonly path?: string | undefined;
  /** Told to chargers when they boot. The default is 300. */
  readonly heartbeatIntervalSeconds?: number | undefined;
  readonly callTimeoutSeconds?: number | undefined;
  /** Refuse calls that depart from their schema. The default is true. */
  readonly validatesPayloads?: boolean | undefined;
  readonly onTraffic?: TrafficObserver | undefined;
}

/** A connected charger. */
export interface ConnectedCharger {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly connectedAt: string;
  /** The status that each connector (1.6) or EVSE (2.x) told last. */
  readonly statuses: Readonly<Record<number, string>>;
}

/** A simulated charging station management system. It believes whoever connects. */
export interface SimulatedCsms {
  /** What chargers dial: ws://host:port/path, without the identity. */
  readonly url: string;
  readonly port: number;
  chargers(): readonly ConnectedCharger[];
  transactions(): readonly CsmsTransaction[];
  /** @throws {CallRefused | CallTimedOut | ConnectionLost} as a rejection. */
  call(identity: string, action: string, payload: JsonObject): Promise<JsonObject>;
  /** Sends any text. @throws {ConnectionLost} when the charger is not connected. */
  sendRaw(identity: string, text: string): void;
  /** Takes over one action of all chargers; undefined gives it back. */
  on(action: string, handler: ActionHandler | undefined): void;
  /** The payload of the next such `action` that this charger sends. */
  waitFor(identity: string, action: string, where?: PayloadFilter): Promise<JsonObject>;
  /** Resolves when the charger is connected and its boot has been answered. */
  waitForCharger(identity: string): Promise<ConnectedCharger>;
  /** Closes the charger's connection. */
  disconnect(identity: string): void;
  /** Ends everything. Idempotent. */
  close(): Promise<void>;
}

/** Starts a CSMS. Rejects with the system's error when the port is taken. */
export async function startSimulatedCsms(options: SimulatedCsmsOptions): Promise<SimulatedCsms> {
  const server = createServer((_request, response) => {
    response.writeHead(426, { connection: 'close' }).end();
  });
  const { host, port } = await listen(server, options.host ?? '127.0.0.1', options.port ?? 0);
  const path = normalPath(options.path ?? '/ocpp');
  return new Csms(options, server, port, `ws://${host}:${port}${path}`, path);
}

interface Session extends ConnectedCharger {
  readonly peer: RpcPeer;
  readonly socket: WebSocket;
  readonly statuses: Record<number, string>;
  booted: boolean;
}

class Csms implements SimulatedCsms {
  readonly url: string;
  readonly port: number;
  readonly #options: SimulatedCsmsOptions;
  readonly #path: string;
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  readonly #sessions = new Map<string, Session>();
  readonly #transactions = new CsmsTransactions();
  readonly #hooks = new ActionHooks();
  readonly #bootWaiters = new Map<string, Set<(charger: ConnectedCharger) => void>>();
  #closing: Promise<void> | undefined;

  constructor(
    options: SimulatedCsmsOptions,
    server: Server,
    port: number,
    url: string,
    path: string,
  ) {
    this.#options = options;
    this.#server = server;
    this.#path = path;
    this.port = port;
    this.url = url;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: true,
      maxPayload: payloadBytesMax,
      // A CSMS must support compression (OCPP 2.0.1 part 4 section 5.4); no context is kept, so
      // that a thousand chargers do not cost a thousand windows.
      perMessageDeflate: {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        threshold: 1024,
        concurrencyLimit: 4,
      },
      // One frame per turn, as at the charger (charger-link.ts).
      allowSynchronousEvents: false,
      handleProtocols: (offered) => [...offered].find(isOcppVersion) ?? false,
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  chargers(): readonly ConnectedCharger[] {
    return [...this.#sessions.values()].map(viewOf);
  }

  transactions(): readonly CsmsTransaction[] {
    return this.#transactions.all();
  }

  call(identity: string, action: string, payload: JsonObject): Promise<JsonObject> {
    const session = this.#sessions.get(identity);
    if (session === undefined) {
      return Promise.reject(new ConnectionLost(`${identity} is not connected`));
    }
    if (!isSendAction(session.version, action)) return session.peer.call(action, payload);
    session.peer.send(action, payload);
    return Promise.resolve({});
  }

  sendRaw(identity: string, text: string): void {
    const session = this.#sessions.get(identity);
    if (session === undefined) throw new ConnectionLost(`${identity} is not connected`);
    session.peer.sendRaw(text);
  }

  on(action: string, handler: ActionHandler | undefined): void {
    this.#hooks.on(action, handler);
  }

  waitFor(identity: string, action: string, where?: PayloadFilter): Promise<JsonObject> {
    return this.#hooks.waitFor(action, identity, where);
  }

  waitForCharger(identity: string): Promise<ConnectedCharger> {
    const session = this.#sessions.get(identity);
    if (session?.booted === true) return Promise.resolve(viewOf(session));
    return new Promise((resolve) => {
      const waiters = this.#bootWaiters.get(identity) ?? new Set();
      waiters.add(resolve);
      this.#bootWaiters.set(identity, waiters);
    });
  }

  disconnect(identity: string): void {
    this.#sessions.get(identity)?.socket.close(1001);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    // Not politely: whoever closes a simulator does not wait for the other side.
    for (const socket of this.#webSockets.clients) socket.terminate();
    this.#webSockets.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const identity = identityOf(request.url ?? '', this.#path);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',');
    const version = offered.map((name) => name.trim()).find(isOcppVersion);
    if (identity === undefined || version === undefined) {
      const status = identity === undefined ? '404 Not Found' : '400 Bad Request';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#connected(webSocket, identity, version),
    );
  }

  #connected(socket: WebSocket, identity: string, version: OcppVersion): void {
    const { clock, random, callTimeoutSeconds, validatesPayloads, onTraffic } = this.#options;
    const peer = new RpcPeer({
      socket,
      identity,
      version,
      clock,
      random,
      callTimeoutSeconds: callTimeoutSeconds ?? 30,
      validatesPayloads: validatesPayloads ?? true,
      onCall: (call) => this.#answer(session, call),
      onTraffic,
    });
    const connectedAt = new Date(clock.nowMs()).toISOString();
    const session: Session = {
      identity,
      version,
      connectedAt,
      statuses: {},
      peer,
      socket,
      booted: false,
    };
    // The newest wins, as in the systems that the gateway protects.
    this.#sessions.get(identity)?.socket.close(1000);
    this.#sessions.set(identity, session);
    // ws closes the socket after an error; there is nothing to add.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      // Only its own entry: an older connection must not remove a newer one.
      if (this.#sessions.get(identity) === session) this.#sessions.delete(identity);
    });
  }

  async #answer(session: Session, call: IncomingCall): Promise<Answer> {
    const { identity, version } = session;
    if (call.action === 'BootNotification') call.afterReply(() => this.#booted(session));
    const handler = this.#hooks.take(call, identity);
    if (handler !== undefined) return handler(call.payload, identity);
    const refused = refusalOf(version, 'charger', call, this.#options.validatesPayloads ?? true);
    if (refused !== undefined) return refused;
    const answer = csmsAnswers[version][call.action];
    if (answer === undefined) {
      return refusal(version, 'NotSupported', 'The simulated CSMS does not do this.');
    }
    return answer(call.payload, {
      identity,
      nowMs: this.#options.clock.nowMs(),
      heartbeatIntervalSeconds: this.#options.heartbeatIntervalSeconds ?? 300,
      transactions: this.#transactions,
      noteStatus: (connectorId, status) => {
        const isKnown = Object.hasOwn(session.statuses, connectorId);
        if (!isKnown && Object.keys(session.statuses).length >= connectorsMax) return;
        session.statuses[connectorId] = status;
      },
    });
  }

  #booted(session: Session): void {
    session.booted = true;
    for (const resolve of this.#bootWaiters.get(session.identity) ?? []) resolve(viewOf(session));
    this.#bootWaiters.delete(session.identity);
  }
}

function viewOf({ identity, version, connectedAt, statuses }: Session): ConnectedCharger {
  return { identity, version, connectedAt, statuses: { ...statuses } };
}

function normalPath(path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

/** The identity in a request target; undefined when the target is not `path` and one segment. */
function identityOf(target: string, path: string): string | undefined {
  const [pathname = ''] = target.split('?');
  if (!pathname.startsWith(`${path}/`)) return undefined;
  const segment = pathname.slice(path.length + 1);
  if (segment === '' || segment.includes('/')) return undefined;
  try {
    const identity = decodeURIComponent(segment);
    return identity.length > identityLengthMax ? undefined : identity;
  } catch {
    return undefined;
  }
}
