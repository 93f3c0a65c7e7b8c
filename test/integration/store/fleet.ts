import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Random } from '../../../src/lib/random.ts';
import { connectCharger, type TextPeer } from '../../support/text-peer.ts';

/** What a charger must not send, so that the gateway refuses it. */
const refusedActions = ['Reset', 'ClearCache', 'UnlockConnector', 'ChangeAvailability'];
/** Refused messages of one connection: the audit log takes 200 of a charger at once. */
const refusedMax = 150;

/** What the gateway has answered for. A test compares it with what is on disk. */
export class Witness {
  /** CallErrors of the gateway, by `refusalKey`. */
  readonly refusals = new Map<string, number>();
  /** How often each charger was connected through, by identity. */
  readonly connections = new Map<string, number>();
  /** What should not have been answered as it was. */
  readonly surprises: string[] = [];
  #answers = 0;
  #waiting: { readonly answers: number; readonly resolve: () => void }[] = [];

  /** Resolves when the gateway has given so many further answers. */
  further(answers: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ answers: this.#answers + answers, resolve });
    });
  }

  refused(charger: string, from: 'charger' | 'csms', action: string): void {
    increment(this.refusals, refusalKey(charger, from, action));
    this.answered();
  }

  connected(charger: string): void {
    increment(this.connections, charger);
    this.answered();
  }

  answered(): void {
    this.#answers += 1;
    const isDue = ({ answers }: { readonly answers: number }) => answers <= this.#answers;
    const due = this.#waiting.filter(isDue);
    this.#waiting = this.#waiting.filter((it) => !isDue(it));
    for (const { resolve } of due) resolve();
  }
}

/** What tells refusals apart, in the audit log and at the peer that got them. */
export function refusalKey(charger: string, from: string, action: string): string {
  return `${charger} ${from} ${action}`;
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** A CSMS that answers everything, and asks of each charger something that it must not ask. */
export interface AnsweringCsms {
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts one on loopback. */
export async function startAnsweringCsms(witness: Witness): Promise<AnsweringCsms> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  await new Promise<void>((resolve) => server.once('listening', resolve));
  let transactions = 0;
  const answerTo = (action: unknown): object => {
    const currentTime = '2026-01-01T00:00:00Z';
    switch (action) {
      case 'BootNotification':
        return { status: 'Accepted', currentTime, interval: 300 };
      case 'Heartbeat':
        return { currentTime };
      case 'StartTransaction':
        transactions += 1;
        return { transactionId: transactions, idTagInfo: { status: 'Accepted' } };
      default:
        return {};
    }
  };
  server.on('connection', (socket: WebSocket, request) => {
    const charger = request.url?.split('/').at(-1) ?? '';
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const [type, id, action] = JSON.parse(data.toString()) as readonly unknown[];
      if (type === 2) socket.send(JSON.stringify([3, id, answerTo(action)]));
      else if (type === 4 && id === 'upside-down') witness.refused(charger, 'csms', 'Heartbeat');
      else witness.surprises.push(`CSMS of ${charger}: ${data.toString()}`);
    });
    socket.send(JSON.stringify([2, 'upside-down', 'Heartbeat', {}]));
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/csms`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
}

/** How a charger's attempt to connect was refused. */
export interface RefusedAttempt {
  readonly status: number | undefined;
}

/** A charger that boots, charges and breaks rules for as long as it is connected. */
export class BusyCharger {
  readonly identity: string;
  readonly #witness: Witness;
  readonly #random: Random;
  readonly #isOld: boolean;
  /** Of its transaction, which outlives its connections. */
  #transactionId: number | string | undefined;
  #calls = 0;

  /** Every other one speaks OCPP 1.6. */
  constructor(index: number, witness: Witness, random: Random) {
    this.identity = `BUSY-${index}`;
    this.#isOld = index % 2 === 0;
    this.#witness = witness;
    this.#random = random;
  }

  /**
   * Connects through `port` and works until the connection ends.
   *
   * @param mayRetry decides whether an attempt that was refused is made again.
   */
  async work(port: number, mayRetry: (refused: RefusedAttempt) => Promise<boolean>): Promise<void> {
    const peer = await this.#connect(port, mayRetry);
    if (peer === undefined) return;
    this.#witness.connected(this.identity);
    try {
      await this.#boot(peer);
      for (let refused = 0; ; ) {
        const isBreach = refused < refusedMax && this.#random.integer(0, 2) > 0;
        if (isBreach) refused += 1;
        await (isBreach ? this.#breakRule(peer) : this.#charge(peer));
      }
    } catch (error) {
      // The gateway is gone. Anything else is for the test to hear of.
      if (peer.socket.readyState < peer.socket.CLOSING) throw error;
    } finally {
      peer.socket.terminate();
      await peer.closed;
    }
  }

  async #connect(
    port: number,
    mayRetry: (refused: RefusedAttempt) => Promise<boolean>,
  ): Promise<TextPeer | undefined> {
    const url = `ws://127.0.0.1:${port}/ocpp/${this.identity}`;
    for (;;) {
      try {
        return await connectCharger(url, [this.#isOld ? 'ocpp1.6' : 'ocpp2.0.1']);
      } catch (error) {
        const { status } = error as { readonly status?: number };
        if (!(await mayRetry({ status }))) return undefined;
      }
    }
  }

  async #boot(peer: TextPeer): Promise<void> {
    const chargingStation = { vendorName: 'Gatewatt', model: 'Busy' };
    await this.#call(
      peer,
      'BootNotification',
      this.#isOld
        ? { chargePointVendor: 'Gatewatt', chargePointModel: 'Busy' }
        : { reason: 'PowerUp', chargingStation },
    );
  }

  /** One step of a transaction. */
  async #charge(peer: TextPeer): Promise<void> {
    const timestamp = new Date().toISOString();
    const transactionId = this.#transactionId;
    const isOver = this.#random.integer(0, 2) === 0;
    if (!this.#isOld) {
      const id = transactionId ?? this.#random.uuid();
      const isNew = transactionId === undefined;
      const eventType = isNew ? 'Started' : isOver ? 'Ended' : 'Updated';
      await this.#call(peer, 'TransactionEvent', {
        eventType,
        timestamp,
        triggerReason: 'ChargingStateChanged',
        seqNo: this.#calls,
        transactionInfo: { transactionId: id },
      });
      this.#transactionId = eventType === 'Ended' ? undefined : id;
      return;
    }
    if (transactionId === undefined) {
      const answer = await this.#call(peer, 'StartTransaction', {
        connectorId: 1,
        idTag: 'TAG',
        meterStart: 0,
        timestamp,
      });
      this.#transactionId = (answer as { readonly transactionId: number }).transactionId;
    } else if (isOver) {
      await this.#call(peer, 'StopTransaction', { transactionId, meterStop: 1, timestamp });
      this.#transactionId = undefined;
    } else {
      const meterValue = [{ timestamp, sampledValue: [{ value: '1' }] }];
      await this.#call(peer, 'MeterValues', { connectorId: 1, transactionId, meterValue });
    }
  }

  async #breakRule(peer: TextPeer): Promise<void> {
    const action = refusedActions[this.#random.integer(0, refusedActions.length - 1)] ?? '';
    const [type] = await this.#exchange(peer, action, {});
    if (type === 4) this.#witness.refused(this.identity, 'charger', action);
    else this.#witness.surprises.push(`${this.identity}: ${action} was passed on`);
  }

  async #call(peer: TextPeer, action: string, payload: object): Promise<unknown> {
    const answer = await this.#exchange(peer, action, payload);
    if (answer[0] !== 3) {
      this.#witness.surprises.push(`${this.identity}: ${action}: ${JSON.stringify(answer)}`);
    }
    this.#witness.answered();
    return answer[2];
  }

  async #exchange(peer: TextPeer, action: string, payload: object): Promise<readonly unknown[]> {
    this.#calls += 1;
    const id = `${this.identity}-${this.#calls}`;
    peer.sendMessage(2, id, action, payload);
    const answer = await peer.nextMessage();
    if (answer[1] !== id) {
      this.#witness.surprises.push(`${this.identity}: ${JSON.stringify(answer)} answers ${id}`);
    }
    return answer;
  }
}
