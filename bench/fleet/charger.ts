import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect as connectPlain, type NetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type SecureContext } from 'node:tls';
import { type ClientOptions, WebSocket } from 'ws';
import type { Random } from '../../src/lib/random.ts';
import { parseRetryAfter, waitSeconds } from './back-off.ts';
import type { HandshakeTurns } from './handshake-turns.ts';
import { addressOf, identityOf, type Kind, passwordOf } from './identities.ts';
import type { Latencies } from './latencies.ts';
import {
  bootNotification,
  heartbeat,
  type PlannedCall,
  startTransaction,
  stopTransaction,
} from './messages.ts';
import type { ChargerSettings } from './orders.ts';
import { count, type OwnTally } from './tally.ts';

/** What the chargers of a process share. */
export interface ChargerTools {
  readonly settings: ChargerSettings;
  readonly secureContext: SecureContext;
  readonly random: Random;
  readonly tally: OwnTally;
  readonly latencies: Latencies;
  readonly turns: HandshakeTurns;
  readonly onLetIn: (kind: Kind) => void;
}

/** A charger gives up an attempt to connect after this time. */
const handshakeMs = 60_000;
/** How long nobody listens to a connection that was left without a word, in milliseconds. */
const vanishedMs = 120_000;
/** How long a transaction takes, in milliseconds. */
const transactionMs = [20_000, 60_000] as const;
/** Calls that wait for their turn: those of transactions, which are few. */
const plannedMax = 8;

interface OpenCall {
  readonly id: string;
  readonly call: PlannedCall;
  readonly sentAtMs: number;
}

/**
 * One charger, with as little memory as a WebSocket of the package ws allows. It comes back whenever
 * it loses its connection, and has one call open at most, as OCPP wants.
 */
export class Charger {
  readonly #tools: ChargerTools;
  readonly #kind: Kind;
  #index: number;
  #socket: WebSocket | undefined;
  #open: OpenCall | undefined;
  #planned: PlannedCall[] = [];
  #failures = 0;
  #calls = 0;
  #hasBooted = false;
  #isLeaving = false;
  #transactionId: number | undefined;
  #wait: NodeJS.Timeout | undefined;
  /** When it leaves, by `performance.now`. */
  leavesAtMs = Number.POSITIVE_INFINITY;

  constructor(kind: Kind, index: number, tools: ChargerTools) {
    this.#kind = kind;
    this.#index = index;
    this.#tools = tools;
  }

  /** Is it connected, with no call open, and does it want to stay? */
  get isFree(): boolean {
    return this.isOnline && this.#open === undefined && !this.#isLeaving;
  }

  get isOnline(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get hasOpenCall(): boolean {
    return this.#open !== undefined;
  }

  /** Is there a transaction, which belongs to this identity? */
  get isCharging(): boolean {
    return this.#transactionId !== undefined || this.#planned.length > 0;
  }

  /** Connects, again and again until it is let in. */
  start(): void {
    this.#tools.turns.take((done) => this.#connect(done));
  }

  #connect(onThrough: () => void): void {
    const { settings, secureContext, tally } = this.#tools;
    const identity = identityOf(this.#kind, this.#index);
    const isKnown = this.#kind === 'known';
    const port = isKnown ? settings.port : settings.strangersPort;
    const socket = new WebSocket(
      `${isKnown ? 'wss' : 'ws'}://127.0.0.1:${port}/ocpp/${identity}`,
      ['ocpp1.6'],
      {
        perMessageDeflate: false,
        handshakeTimeout: handshakeMs,
        localAddress: addressOf(this.#kind, this.#index),
        createConnection: ((options: ConnectionOptions) => {
          // Its path is that of the request, and would be taken for a socket in the file system.
          const connection = isKnown
            ? connectTls({ ...options, path: undefined, servername: '' })
            : connectPlain({ ...options, path: undefined } as unknown as NetConnectOpts);
          // Not the answer: for that a charger may have to wait as long as the gateway likes.
          connection.once(isKnown ? 'secureConnect' : 'connect', onThrough);
          connection.once('close', onThrough);
          return connection;
        }) as NonNullable<ClientOptions['createConnection']>,
        ...(isKnown
          ? { secureContext, auth: `${identity}:${passwordOf(settings.passwordKey, identity)}` }
          : {}),
      },
    );
    this.#socket = socket;
    let wasLetIn = false;
    let reason = 'closed';
    let retryAfterSeconds: number | undefined;
    socket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
      reason = String(response.statusCode);
      retryAfterSeconds = parseRetryAfter(response.headers['retry-after']);
      request.destroy();
      socket.terminate();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (reason === 'closed') reason = error.code ?? error.message;
    });
    socket.on('open', () => {
      wasLetIn = true;
      this.#onOpen();
    });
    socket.on('message', (data) => {
      // What was on its way to a connection that was left without a word is heard by nobody.
      if (socket === this.#socket) this.#onMessage(String(data), socket);
    });
    socket.on('close', (code) => {
      if (socket !== this.#socket) return;
      this.#socket = undefined;
      if (!wasLetIn) {
        count(tally.refused, reason);
        this.#failures += 1;
        this.#startAfter(retryAfterSeconds);
      } else this.#onClosed(code);
    });
  }

  /** Connects as if it had lost its connection at this moment: after a random wait. */
  comeBack(): void {
    this.#startAfter(undefined);
  }

  /** Sends a call: what it has planned, or else this one. Only while it is free. */
  say(call: PlannedCall): void {
    const socket = this.#socket;
    if (socket === undefined || !this.isFree) return;
    const { tally } = this.#tools;
    const next = this.#planned.shift() ?? call;
    this.#calls += 1;
    const id = String(this.#calls);
    this.#open = { id, call: next, sentAtMs: performance.now() };
    tally.sent += 1;
    socket.send(`[2,"${id}","${next.action}",${next.payload}]`);
  }

  /** Closes the connection and comes back at once; as somebody else when there is a number. */
  leave(newIndex: number | undefined): void {
    const { tally } = this.#tools;
    this.#isLeaving = true;
    if (newIndex === undefined) tally.left += 1;
    else {
      tally.renamed += 1;
      this.#index = newIndex;
      this.#hasBooted = false;
    }
    this.#socket?.close(1000);
  }

  /** Comes back at once on a new connection. Nobody listens to the old one, and nothing ends it. */
  vanish(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#tools.tally.vanished += 1;
    this.#socket = undefined;
    socket.pause();
    setTimeout(() => socket.terminate(), vanishedMs).unref();
    this.start();
  }

  #onOpen(): void {
    this.#failures = 0;
    this.#isLeaving = false;
    this.#tools.tally.letIn += 1;
    this.#tools.onLetIn(this.#kind);
    // One that only lost its connection does not boot, but shows that the way is free.
    this.say(this.#hasBooted ? heartbeat : bootNotification(identityOf(this.#kind, this.#index)));
  }

  #onClosed(code: number): void {
    const { tally } = this.#tools;
    if (this.#open !== undefined) {
      tally.cutOff += 1;
      // It was not heard, so it is said again.
      if (this.#isTransactional(this.#open.call)) this.#plan(this.#open.call);
      this.#open = undefined;
    }
    if (this.#isLeaving) this.start();
    else {
      count(tally.dropped, String(code));
      this.#startAfter(undefined);
    }
  }

  #startAfter(retryAfterSeconds: number | undefined): void {
    clearTimeout(this.#wait);
    const seconds = waitSeconds(this.#failures, retryAfterSeconds, this.#tools.random);
    this.#wait = setTimeout(() => this.start(), seconds * 1000);
  }

  #onMessage(text: string, socket: WebSocket): void {
    const frame = JSON.parse(text) as readonly unknown[];
    const [type, id, third] = frame;
    if (type === 2) this.#onCommand(String(id), String(third), socket);
    else if (type === 3) this.#onAnswer(String(id), 'result', third);
    else this.#onAnswer(String(id), 'error', third);
  }

  #onAnswer(id: string, is: PlannedCall['expects'], content: unknown): void {
    const { latencies, tally } = this.#tools;
    const open = this.#open;
    if (open?.id !== id) {
      count(tally.surprises, 'answer to nothing');
      return;
    }
    this.#open = undefined;
    tally.answered += 1;
    latencies.add(performance.now() - open.sentAtMs);
    if (open.call.expects !== is) {
      count(tally.surprises, `${open.call.action}: ${is === 'error' ? String(content) : 'passed'}`);
    } else if (is === 'error') tally.forbidden += 1;
    if (open.call.action === 'BootNotification') this.#hasBooted = true;
    if (open.call.action === 'StartTransaction' && is === 'result') this.#onStarted(content);
    if (open.call.action === 'StopTransaction') this.#transactionId = undefined;
  }

  #onCommand(id: string, action: string, socket: WebSocket): void {
    this.#tools.tally.commands += 1;
    const isStart = action === 'RemoteStartTransaction';
    const isRefused = isStart && this.isCharging;
    socket.send(`[3,"${id}",{"status":"${isRefused ? 'Rejected' : 'Accepted'}"}]`);
    if (isStart && !isRefused) this.#plan(startTransaction());
  }

  #onStarted(content: unknown): void {
    const { transactionId } = content as { readonly transactionId: number };
    this.#transactionId = transactionId;
    const afterMs = this.#tools.random.integer(...transactionMs);
    setTimeout(() => this.#plan(stopTransaction(transactionId)), afterMs).unref();
  }

  #isTransactional({ action }: PlannedCall): boolean {
    return action === 'StartTransaction' || action === 'StopTransaction';
  }

  #plan(call: PlannedCall): void {
    if (this.#planned.length < plannedMax) this.#planned.push(call);
  }
}
