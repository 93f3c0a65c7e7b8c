import type { Random } from '../lib/random.ts';
import { RareMap } from '../lib/rare-map.ts';
import type { JsonObject } from '../ocpp/message.ts';
import { encodeMessage } from '../ocpp/message.ts';
import type { QueuedCall } from '../queue/call-lane.ts';
import type { Admitted } from '../rules/frame.ts';

/** What became of a call that the gateway made. */
export type OwnReply =
  | { readonly is: 'result'; readonly payload: JsonObject }
  /** The charger answered with a CallError. */
  | { readonly is: 'error'; readonly errorCode: string }
  /** It was sent, and nobody knows whether the charger has done it. */
  | { readonly is: 'unanswered' }
  /** It was never sent. */
  | { readonly is: 'unsent' };

interface OwnCall {
  /** Undefined when the reply, or the want of one, was told. */
  resolve: ((reply: OwnReply) => void) | undefined;
  isSent: boolean;
}

/**
 * The calls that the gateway itself makes to a charger. Their ids are UUIDs, and their answers stay
 * here: the CSMS has not asked.
 *
 * Source: OCPP 2.0.1 part 4 section 6 (Local Controller).
 */
export class OwnCalls {
  readonly #random: Random;
  /** Also those that are over: a late answer is nobody else's either. */
  readonly #calls = new RareMap<string, OwnCall>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** A call to be sent, and the promise of its reply, which never rejects. */
  make(
    action: string,
    payload: JsonObject,
  ): { readonly call: QueuedCall; readonly reply: Promise<OwnReply> } {
    const id = this.#random.uuid();
    const { promise, resolve } = Promise.withResolvers<OwnReply>();
    this.#calls.set(id, { resolve, isSent: false });
    const bytes = Buffer.from(encodeMessage({ kind: 'call', id, action, payload }));
    return { call: { id, action, bytes }, reply: promise };
  }

  /** Is `id` one of them, open or over? */
  has(id: string): boolean {
    return this.#calls.has(id);
  }

  /** The call `id` is on its way, if it is one of them. */
  sending(id: string): void {
    const call = this.#calls.get(id);
    if (call !== undefined) call.isSent = true;
  }

  /** Takes the answer to one of them; false when `frame` is none. */
  take(frame: Admitted): boolean {
    if (frame.kind !== 'call-result' && frame.kind !== 'call-error') return false;
    if (!this.has(frame.id)) return false;
    if (frame.kind === 'call-result') {
      this.#settle(frame.id, { is: 'result', payload: frame.payload });
    } else this.#settle(frame.id, { is: 'error', errorCode: frame.code });
    return true;
  }

  /** The call `id` has no answer, and will get none; the first word counts. */
  giveUp(id: string): void {
    this.#settle(id, { is: this.#calls.get(id)?.isSent === true ? 'unanswered' : 'unsent' });
  }

  #settle(id: string, reply: OwnReply): void {
    const call = this.#calls.get(id);
    call?.resolve?.(reply);
    if (call !== undefined) call.resolve = undefined;
  }

  /** No answer will come any more. */
  end(): void {
    for (const id of this.#calls.keys()) this.giveUp(id);
  }
}
