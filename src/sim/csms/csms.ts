import type { IncomingMessage, Server } from 'node:http';
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
import { type AuthorityOptions, CertificateAuthority } from './certificate-authority.ts';
import {
  admitCharger,
  type CsmsDemands,
  type Newcomer,
  normalPath,
  refuseUpgrade,
} from './csms-admission.ts';
import { csmsAnswers } from './csms-answers.ts';
import {
  answerSignCertificate,
  askForRenewal,
  type CallCharger,
  changePassword,
  newPassword,
  raiseProfile,
} from './csms-credentials.ts';
import { acceptedPassword, type CsmsPasswords, PasswordCheck } from './csms-passwords.ts';
import { type ClientCertificate, type CsmsTls, createCsmsServer } from './csms-server.ts';
import { type CsmsTransaction, CsmsTransactions } from './csms-transactions.ts';

/** Largest frame that the CSMS takes; reports are the longest messages of the schemas. */
const payloadBytesMax = 1024 * 1024;
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
  /** Whom to let in by HTTP Basic (security profiles 1 and 2). Without it: everybody. */
  readonly passwords?: CsmsPasswords | undefined;
  /** For wss (security profiles 2 and 3). */
  readonly tls?: CsmsTls | undefined;
  /** Answers requests for certificates. Without it they are accepted, and nothing follows. */
  readonly authority?: AuthorityOptions | undefined;
  /** Is told, in words, which charger was refused and why. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** A connected charger. */
export interface ConnectedCharger {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly connectedAt: string;
  /** What it showed, when the CSMS demands certificates. */
  readonly certificate?: ClientCertificate;
  /** The status that each connector (1.6) or EVSE (2.x) told last. */
  readonly statuses: Readonly<Record<number, string>>;
}

/** What became of a password that a charger was given. */
export interface RotatedPassword {
  /** As the charger answers. */
  readonly status: string;
  readonly password: string;
}

/** A simulated charging station management system. Without credentials it believes everybody. */
export interface SimulatedCsms {
  /** What chargers dial: ws://host:port/path (with TLS wss), without the identity. */
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
  /**
   * Gives the charger a password, or a new random one (A01). Rejects as `call` does. From the answer
   * Accepted on both are good, until the new one is used.
   */
  rotatePassword(identity: string, password?: string): Promise<RotatedPassword>;
  /** Asks the charger to renew its certificate (A02). Resolves with its status. */
  askForRenewal(identity: string): Promise<string>;
  /** Tells the charger to use security profile `to` (A05); in 2.x at `url`. Its last status. */
  raiseProfile(identity: string, to: number, url?: string): Promise<string>;
  /** Closes the charger's connection. */
  disconnect(identity: string): void;
  /** Ends everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a CSMS. Rejects with the system's error when the port is taken, and when a certificate or
 * a key cannot be used.
 */
export async function startSimulatedCsms(options: SimulatedCsmsOptions): Promise<SimulatedCsms> {
  const { tls, authority, clock, random } = options;
  const server = createCsmsServer(tls);
  const issuer =
    authority === undefined ? undefined : new CertificateAuthority(authority, clock, random);
  const { host, port } = await listen(server, options.host ?? '127.0.0.1', options.port ?? 0);
  const path = normalPath(options.path ?? '/ocpp');
  const url = `${tls === undefined ? 'ws' : 'wss'}://${host}:${port}${path}`;
  return new Csms({ options, server, issuer, port, url, path });
}

interface CsmsFoundation {
  readonly options: SimulatedCsmsOptions;
  /** Listening. */
  readonly server: Server;
  readonly issuer: CertificateAuthority | undefined;
  readonly port: number;
  readonly url: string;
  readonly path: string;
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
  readonly #demands: CsmsDemands;
  readonly #server: Server;
  readonly #issuer: CertificateAuthority | undefined;
  readonly #webSockets: WebSocketServer;
  readonly #sessions = new Map<string, Session>();
  readonly #transactions = new CsmsTransactions();
  readonly #hooks = new ActionHooks();
  readonly #bootWaiters = new Map<string, Set<(charger: ConnectedCharger) => void>>();
  #closing: Promise<void> | undefined;

  constructor({ options, server, issuer, port, url, path }: CsmsFoundation) {
    this.#options = options;
    this.#server = server;
    this.#issuer = issuer;
    this.#demands = {
      path,
      isCertificateDemanded: options.tls?.clientCa !== undefined,
      passwords: options.passwords === undefined ? undefined : new PasswordCheck(options.passwords),
    };
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
    server.on('tlsClientError', (error, socket) => {
      this.#note(`a connection from ${socket.remoteAddress} failed in TLS: ${error.message}`);
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  chargers(): readonly ConnectedCharger[] {
    return [...this.#sessions.values()].map(viewOf);
  }

  transactions(): readonly CsmsTransaction[] {
    return this.#transactions.all();
  }

  async call(identity: string, action: string, payload: JsonObject): Promise<JsonObject> {
    const { version, peer } = this.#session(identity);
    if (isSendAction(version, action)) {
      peer.send(action, payload);
      return {};
    }
    const reply = await peer.call(action, payload);
    const password = acceptedPassword(version, action, payload, reply);
    if (password !== undefined) this.#demands.passwords?.changed(identity, password);
    return reply;
  }

  sendRaw(identity: string, text: string): void {
    this.#session(identity).peer.sendRaw(text);
  }

  async rotatePassword(
    identity: string,
    password = newPassword(this.#options.random),
  ): Promise<RotatedPassword> {
    const { version } = this.#session(identity);
    const status = await changePassword(version, this.#callerOf(identity), password);
    return { status, password };
  }

  async askForRenewal(identity: string): Promise<string> {
    return askForRenewal(this.#session(identity).version, this.#callerOf(identity));
  }

  async raiseProfile(identity: string, to: number, url = this.url): Promise<string> {
    const { version } = this.#session(identity);
    return raiseProfile(version, this.#callerOf(identity), { to, url });
  }

  /** @throws {ConnectionLost} when there is none. */
  #session(identity: string): Session {
    const session = this.#sessions.get(identity);
    if (session === undefined) throw new ConnectionLost(`${identity} is not connected`);
    return session;
  }

  #callerOf(identity: string): CallCharger {
    return (action, payload) => this.call(identity, action, payload);
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
    const admission = admitCharger(this.#demands, request, socket);
    if (admission.is === 'refused') {
      if (admission.note !== undefined) this.#note(admission.note);
      refuseUpgrade(socket, admission.status);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#connected(webSocket, admission.newcomer),
    );
  }

  #note(text: string): void {
    this.#options.onNote?.(text);
  }

  #connected(socket: WebSocket, { identity, version, certificate }: Newcomer): void {
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
      ...(certificate !== undefined && { certificate }),
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
    if (call.action === 'SignCertificate' && this.#issuer !== undefined) {
      return answerSignCertificate(this.#issuer, session.peer, call, (problem) => {
        this.#note(`${identity} ${problem}`);
      });
    }
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

function viewOf(session: Session): ConnectedCharger {
  const { identity, version, connectedAt, certificate, statuses } = session;
  return {
    identity,
    version,
    connectedAt,
    ...(certificate !== undefined && { certificate }),
    statuses: { ...statuses },
  };
}
