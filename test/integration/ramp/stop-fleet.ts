import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import type { Store } from '../../../src/store/store.ts';
import { connectCharger, type TextPeer } from '../../support/text-peer.ts';

/** When a stop came to a car, Unix time in milliseconds. */
export interface StopArrival {
  readonly car: string;
  readonly atMs: number;
}

/** What became of a stop, as far as the CSMS has heard. */
export type StopAnswer = 'Accepted' | 'Rejected' | 'refused' | 'lost';

/** How long a charger takes from its answer to the end of the transaction, in milliseconds. */
const stoppingMs = 30;

/**
 * A CSMS that answers whatever chargers of OCPP 1.6 say, and stops their cars.
 *
 * It never sends a stop twice: what it does not hear of, it leaves.
 */
export class StoppingCsms {
  readonly #server: WebSocketServer;
  readonly #sockets = new Map<string, WebSocket>();
  readonly #waiting = new Map<string, (answer: StopAnswer) => void>();
  #transactions = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket, request) => {
      const charger = request.url?.split('/').at(-1) ?? '';
      this.#sockets.set(charger, socket);
      socket.on('error', () => {});
      socket.on('message', (data) => this.#onMessage(socket, charger, data.toString()));
      socket.on('close', () => {
        if (this.#sockets.get(charger) === socket) this.#settle(charger, 'lost');
      });
    });
  }

  static async start(): Promise<StoppingCsms> {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: (offered) => [...offered][0] ?? false,
    });
    await new Promise<void>((resolve) => server.once('listening', resolve));
    return new StoppingCsms(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/csms`;
  }

  /** Stops the car there, and resolves when the CSMS knows what that came to. */
  stop(charger: string, transactionId: number): Promise<StopAnswer> {
    const socket = this.#sockets.get(charger);
    if (socket === undefined || socket.readyState !== WebSocket.OPEN)
      return Promise.resolve('lost');
    return new Promise((resolve) => {
      this.#waiting.set(charger, resolve);
      socket.send(JSON.stringify([2, 'stop', 'RemoteStopTransaction', { transactionId }]));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #onMessage(socket: WebSocket, charger: string, text: string): void {
    const [type, id, third] = JSON.parse(text) as readonly unknown[];
    if (type === 2) {
      socket.send(JSON.stringify([3, id, this.#answerTo(third)]));
      return;
    }
    const status = type === 3 ? (third as { readonly status?: StopAnswer }).status : undefined;
    this.#settle(charger, status ?? 'refused');
  }

  #answerTo(action: unknown): object {
    if (action !== 'StartTransaction') return {};
    this.#transactions += 1;
    return { transactionId: this.#transactions, idTagInfo: { status: 'Accepted' } };
  }

  #settle(charger: string, answer: StopAnswer): void {
    this.#waiting.get(charger)?.(answer);
    this.#waiting.delete(charger);
  }
}

/** A charger with a car, which outlives its connections. */
export class StoppableCar {
  readonly identity: string;
  readonly #onStop: (arrival: StopArrival) => void;
  #transactionId: number | undefined;
  /** Is there an end of its transaction that the CSMS has not confirmed? */
  #mustReport = false;
  #peer: TextPeer | undefined;
  #reported: Promise<unknown> = Promise.resolve();
  #calls = 0;

  constructor(identity: string, onStop: (arrival: StopArrival) => void) {
    this.identity = identity;
    this.#onStop = onStop;
  }

  get transactionId(): number {
    assert.ok(this.#transactionId !== undefined, `${this.identity} has begun to charge`);
    return this.#transactionId;
  }

  /**
   * Connects, and first of all reports the end of its transaction where nobody has heard of it.
   *
   * A dead gateway holds its chargers until its lease is over; meanwhile it knocks.
   */
  async connect(port: number, lifeMs = 20_000): Promise<void> {
    const url = `ws://127.0.0.1:${port}/ocpp/${this.identity}`;
    const endMs = performance.now() + lifeMs;
    for (;;) {
      try {
        this.#peer = await connectCharger(url);
        break;
      } catch (error) {
        const { status } = error as { readonly status?: number };
        if (status !== 409 || performance.now() > endMs) throw error;
        await delay(50);
      }
    }
    this.#listen(this.#peer);
    if (this.#mustReport) void this.#report().catch(() => {});
  }

  /** Begins to charge. */
  async begin(): Promise<void> {
    const timestamp = new Date().toISOString();
    const start = { connectorId: 1, idTag: 'TAG', meterStart: 0, timestamp };
    const answer = await this.#call('StartTransaction', start);
    this.#transactionId = (answer as { readonly transactionId: number }).transactionId;
  }

  /** Resolves when the CSMS knows all that there is to know. */
  async reported(): Promise<void> {
    await this.#reported;
  }

  /** Loses its connection. */
  async leave(): Promise<void> {
    this.#peer?.socket.terminate();
    await this.#peer?.closed;
  }

  readonly #answers = new Map<string, (payload: unknown) => void>();

  #listen(peer: TextPeer): void {
    peer.socket.on('message', (data) => {
      const [type, id, third] = JSON.parse(data.toString()) as readonly unknown[];
      if (type === 2) this.#stop(peer, String(id));
      else if (type === 3) this.#answers.get(String(id))?.(third);
    });
  }

  /** Answers the only command that it gets, and ends the transaction soon. */
  #stop(peer: TextPeer, id: string): void {
    this.#onStop({ car: this.identity, atMs: Date.now() });
    const status = this.#mustReport ? 'Rejected' : 'Accepted';
    peer.sendMessage(3, id, { status });
    if (this.#mustReport) return;
    this.#mustReport = true;
    this.#reported = delay(stoppingMs).then(() => this.#report());
    // The connection may end before: then the next one begins with it.
    this.#reported.catch(() => {});
  }

  async #report(): Promise<void> {
    const timestamp = new Date().toISOString();
    const { transactionId } = this;
    this.#reported = this.#call('StopTransaction', { transactionId, meterStop: 1, timestamp });
    await this.#reported;
  }

  #call(action: string, payload: object): Promise<unknown> {
    this.#calls += 1;
    const id = `${this.identity}-${this.#calls}`;
    const peer = this.#peer;
    assert.ok(peer !== undefined, `${this.identity} has been connected`);
    return new Promise((resolve, reject) => {
      this.#answers.set(id, resolve);
      void peer.closed.then(() => reject(new Error(`${this.identity} has lost its connection`)));
      peer.sendMessage(2, id, action, payload);
    });
  }
}

/** An entry of the ledger: when a stop was counted, by the time of the store. */
export interface CountedStop {
  readonly car: string;
  readonly atMs: number;
}

/** The stops in the ledger, in their order. */
export async function countedStops(store: Store): Promise<readonly CountedStop[]> {
  const rows = await store.query((db) =>
    db
      .selectFrom('ramp_entry')
      .select(['identity_key', 'at_ms'])
      .where('kind', '=', 'release')
      .where('feeder', '=', 'unassigned')
      .orderBy('at_ms')
      .execute(),
  );
  return rows.map(({ at_ms, identity_key }) => ({ car: identity_key, atMs: at_ms }));
}

/**
 * How much the clocks of database, gateways and test may differ, in milliseconds: a gateway reads that
 * of the database off a query, which takes its time on a busy machine.
 */
const clocksDifferMs = 250;

/**
 * Every stop that came was counted, no later than it came; and no window of the ledger, which holds
 * its end and not its beginning, has more than `budget` of them.
 */
export function assertCounted(
  arrivals: readonly StopArrival[],
  counted: readonly CountedStop[],
  { budget, intervalMs }: { readonly budget: number; readonly intervalMs: number },
): void {
  for (const { atMs, car } of arrivals) {
    const own = counted.filter((entry) => entry.car === car.toLowerCase());
    assert.ok(
      own.some((entry) => entry.atMs <= atMs + clocksDifferMs),
      `${car} was stopped at ${atMs}, and counted at ${own.map((entry) => entry.atMs)}`,
    );
  }
  for (const [index, { atMs, car }] of counted.entries()) {
    const first = counted[index - budget];
    if (first === undefined) continue;
    const spanMs = atMs - first.atMs;
    assert.ok(spanMs >= intervalMs, `${budget + 1} stops in ${spanMs} ms, with that of ${car}`);
  }
}
