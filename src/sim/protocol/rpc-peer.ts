import type { RawData, WebSocket } from 'ws';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { spellErrorCode } from '../../ocpp/error-codes.ts';
import {
  type CallResult,
  encodeMessage,
  type JsonObject,
  type Message,
} from '../../ocpp/message.ts';
import { schemaErrors } from '../../ocpp/schemas.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { decodeMessage } from './decode-message.ts';
import { CallRefused, CallTimedOut, ConnectionLost, QueueFull, refusal } from './rpc-errors.ts';
import type { TrafficObserver } from './traffic.ts';

/** Calls that wait behind the one in flight. More than this is a simulator gone wild. */
const queuedCallsMax = 1000;

/** What a handler answers: a payload, a CallError, or nothing at all. */
export type Answer = JsonObject | CallRefused | 'silence';

/** A call, or a SEND (2.1), that came in. */
export interface IncomingCall {
  readonly action: string;
  readonly payload: JsonObject;
  /** Runs `effect` when the answer is on its way, so that what follows cannot overtake it. */
  afterReply(effect: () => void): void;
}

/** Answers calls. What it throws, other than CallRefused, becomes an InternalError. */
export type CallHandler = (call: IncomingCall) => Answer | Promise<Answer>;

/** What an RpcPeer needs. */
export interface RpcPeerOptions {
  /** Open; the peer listens on it, and its owner closes it. */
  readonly socket: WebSocket;
  readonly identity: string;
  readonly version: OcppVersion;
  readonly clock: Clock;
  readonly random: Random;
  readonly callTimeoutSeconds: number;
  /** Complain of results that depart from their schema, with CALLRESULTERROR (2.1 only). */
  readonly validatesPayloads: boolean;
  readonly onCall: CallHandler;
  readonly onTraffic?: TrafficObserver | undefined;
}

interface QueuedCall {
  readonly action: string;
  readonly payload: JsonObject;
  readonly resolve: (payload: JsonObject) => void;
  readonly reject: (error: Error) => void;
}

interface CallInFlight extends QueuedCall {
  readonly id: string;
  readonly deadline: Timer;
}

/**
 * One OCPP-J conversation over an open WebSocket.
 *
 * Calls go out one at a time and in order (OCPP-J 1.6 section 4.1.1; OCPP 2.1 part 4 section
 * 4.1.1); answers are never queued. When the socket closes, every open call rejects with
 * ConnectionLost.
 */
export class RpcPeer {
  readonly #options: RpcPeerOptions;
  readonly #queue: QueuedCall[] = [];
  #inFlight: CallInFlight | undefined;

  constructor(options: RpcPeerOptions) {
    this.#options = options;
    options.socket.on('message', (data, isBinary) => {
      // OCPP-J knows text frames only.
      if (!isBinary) this.#receive(textOfFrame(data));
    });
    options.socket.on('close', () => this.#abandonCalls());
  }

  /** @throws {CallRefused | CallTimedOut | ConnectionLost | QueueFull} as a rejection. */
  call(action: string, payload: JsonObject): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen()) {
        reject(new ConnectionLost(`not connected; ${action} was not sent`));
        return;
      }
      if (this.#queue.length >= queuedCallsMax) {
        reject(new QueueFull(`${queuedCallsMax} calls wait already; ${action} was not sent`));
        return;
      }
      this.#queue.push({ action, payload, resolve, reject });
      this.#sendNext();
    });
  }

  /** Sends a SEND, which never gets an answer (OCPP 2.1 part 4 section 4.2.5). */
  send(action: string, payload: JsonObject): void {
    this.#transmit({ kind: 'send', id: this.#options.random.uuid(), action, payload });
  }

  /** Sends `text` as it is. @throws {ConnectionLost} when the socket is not open. */
  sendRaw(text: string): void {
    if (!this.#isOpen()) throw new ConnectionLost('not connected; the text was not sent');
    const { identity, version, onTraffic, socket } = this.#options;
    const message = decodeMessage(text);
    onTraffic?.({ identity, version, direction: 'sent', text, ...(message && { message }) });
    socket.send(text);
  }

  #isOpen(): boolean {
    return this.#options.socket.readyState === this.#options.socket.OPEN;
  }

  #transmit(message: Message): void {
    // An answer may be ready only after the socket has gone; there is nobody left to tell.
    if (this.#isOpen()) this.sendRaw(encodeMessage(message));
  }

  #sendNext(): void {
    if (this.#inFlight !== undefined) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    const { clock, random, callTimeoutSeconds } = this.#options;
    const id = random.uuid();
    const deadline = clock.after(callTimeoutSeconds * 1000, () => {
      const text = `no answer to ${next.action} within ${callTimeoutSeconds} s`;
      this.#takeInFlight(id)?.reject(new CallTimedOut(text));
      this.#sendNext();
    });
    this.#inFlight = { ...next, id, deadline };
    this.#transmit({ kind: 'call', id, action: next.action, payload: next.payload });
  }

  /** The call in flight, no longer in flight; undefined when `id` is not its id. */
  #takeInFlight(id: string): CallInFlight | undefined {
    const call = this.#inFlight;
    if (call === undefined || call.id !== id) return undefined;
    this.#inFlight = undefined;
    call.deadline.cancel();
    return call;
  }

  #receive(text: string): void {
    const { identity, version, onTraffic } = this.#options;
    const message = decodeMessage(text);
    onTraffic?.({ identity, version, direction: 'received', text, ...(message && { message }) });
    if (message === undefined) {
      this.#complainOfText();
      return;
    }
    switch (message.kind) {
      case 'call':
      case 'send':
        void this.#answer(message);
        return;
      case 'call-result':
        this.#settle(message);
        return;
      case 'call-error': {
        const { code, description, details } = message;
        this.#takeInFlight(message.id)?.reject(new CallRefused(code, description, details));
        this.#sendNext();
        return;
      }
      case 'call-result-error':
        // The peer complains of our answer. The observer has seen it; there is nothing to undo.
        return;
    }
  }

  #complainOfText(): void {
    const { version } = this.#options;
    // 1.6 has no way to say it (OCPP-J 1.6 section 4.2.3 wants the id of the call).
    if (version === 'ocpp1.6') return;
    const code = spellErrorCode(version, 'RpcFrameworkError');
    const description = 'The text is no OCPP-J message.';
    this.#transmit({ kind: 'call-error', id: '-1', code, description, details: {} });
  }

  #settle(result: CallResult): void {
    const call = this.#takeInFlight(result.id);
    // Unasked or too late: dropped, as the observer has seen.
    if (call === undefined) return;
    const { version, validatesPayloads } = this.#options;
    const checked = version === 'ocpp2.1' && validatesPayloads;
    const [error] = checked ? schemaErrors(version, call.action, 'response', result.payload) : [];
    if (error === undefined) {
      call.resolve(result.payload);
    } else {
      const description = `${error.instancePath} ${error.message ?? ''}`.trim();
      const complaint = refusal(version, 'FormatViolation', description);
      const { code, details } = complaint;
      this.#transmit({ kind: 'call-result-error', id: result.id, code, description, details });
      call.reject(complaint);
    }
    this.#sendNext();
  }

  async #answer(message: Extract<Message, { kind: 'call' | 'send' }>): Promise<void> {
    const { id, action, payload } = message;
    const effects: (() => void)[] = [];
    const answer = await this.#handle({
      action,
      payload,
      afterReply: (effect) => effects.push(effect),
    });
    if (message.kind === 'call' && answer !== 'silence') this.#reply(id, answer);
    for (const effect of effects) effect();
  }

  async #handle(call: IncomingCall): Promise<Answer> {
    try {
      return await this.#options.onCall(call);
    } catch (error) {
      if (error instanceof CallRefused) return error;
      const text = error instanceof Error ? error.message : String(error);
      return refusal(this.#options.version, 'InternalError', text.slice(0, 255));
    }
  }

  #reply(id: string, answer: JsonObject | CallRefused): void {
    if (answer instanceof CallRefused) {
      const { code, description, details } = answer;
      this.#transmit({ kind: 'call-error', id, code, description, details });
    } else {
      this.#transmit({ kind: 'call-result', id, payload: answer });
    }
  }

  #abandonCalls(): void {
    const open = [...(this.#inFlight === undefined ? [] : [this.#inFlight]), ...this.#queue];
    this.#inFlight?.deadline.cancel();
    this.#inFlight = undefined;
    this.#queue.length = 0;
    for (const call of open) {
      call.reject(new ConnectionLost(`the connection ended before ${call.action} was answered`));
    }
  }
}

/** `data` as text: ws hands a frame over as one Buffer unless it is told otherwise. */
export function textOfFrame(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}
