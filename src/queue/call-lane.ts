import { hash } from 'node:crypto';
import { type Call, encodeMessage } from '../ocpp/message.ts';
import type { Admitted, Frame } from '../rules/frame.ts';
import type { Correlation } from '../rules/rule.ts';

/**
 * The calls of one side: those that wait, the one that is open, and those that were answered.
 *
 * OCPP allows one open call per direction. Calls wait in order of arrival; replies and SENDs never
 * come here. The two directions have a lane each and know nothing of each other, so neither can
 * block the other.
 *
 * Pure: it holds no timer and no socket. The session asks `next` what may be sent and `expire` what
 * has taken too long.
 *
 * Source: PNNL-35706 section 4.0 (message queue); OCPP-J 1.6 section 4.1.1; OCPP 2.0.1 part 4
 * section 4.1.1.
 */
export class CallLane {
  readonly #limits: CallLaneLimits;
  readonly #waiting: WaitingCall[] = [];
  readonly #recent = new Map<string, RecentCall>();
  /** Calls that somebody else keeps for now, by their id. */
  readonly #aside = new Map<string, QueuedCall>();
  #open: OpenCall | undefined;
  #waitingBytes = 0;

  constructor(limits: CallLaneLimits) {
    this.#limits = limits;
  }

  /** Is a call with this id open, or does one wait? */
  holds(id: string): boolean {
    return this.#heldWith(id) !== undefined;
  }

  /** What the lane knows of a call or SEND with this id and these bytes. */
  correlateCall(id: string, bytes: Uint8Array, nowMs: number): Correlation {
    const held = this.#heldWith(id);
    if (held !== undefined) {
      const isSame = Buffer.compare(held.bytes, bytes) === 0;
      return isSame
        ? { is: 'retry', open: true }
        : { is: 'conflict', open: true, isUnanswered: true };
    }
    const recent = this.#recentWith(id, nowMs);
    if (recent === undefined) return { is: 'new' };
    if (recent.digest === digestOf(bytes)) return { is: 'retry', open: false };
    return { is: 'conflict', open: false, isUnanswered: recent.ended === 'expired' };
  }

  /** What the lane knows of a reply with this id. A call that still waits has no reply. */
  correlateReply(id: string, nowMs: number): Correlation {
    if (this.#open?.call.id === id) return { is: 'answer', action: this.#open.call.action };
    return this.#recentWith(id, nowMs) === undefined ? { is: 'unsolicited' } : { is: 'late' };
  }

  /**
   * What the lane knows of a caller's complaint about the result of its call (OCPP 2.1). There is
   * one complaint for a result: the next one is about nothing.
   */
  correlateResultError(id: string, nowMs: number): Correlation {
    const recent = this.#recentWith(id, nowMs);
    if (recent?.ended !== 'result') return { is: 'unsolicited' };
    recent.ended = 'complaint';
    return { is: 'answer', action: recent.action };
  }

  /**
   * Takes a call that may be sent; false when the lane is full, and then it is not taken.
   *
   * @param isVital whether it counts for more than the number of calls that may wait.
   * @param instead what to send in place of its bytes, when a handler has rewritten it.
   */
  offer(call: Admitted<Frame<Call>>, nowMs: number, isVital = false, instead?: Call): boolean {
    const { action, bytes, id, sealed } = call;
    const sent = instead === undefined ? sealed : Buffer.from(encodeMessage(instead));
    return this.#take({ action, bytes, id, instead: sent }, nowMs, isVital);
  }

  /** Takes a call that the gateway itself makes; false when the lane is full. */
  offerOwn(call: QueuedCall, nowMs: number): boolean {
    return this.#take(call, nowMs, false);
  }

  #take(call: QueuedCall, nowMs: number, isVital: boolean): boolean {
    const { bytesMax, callsMax } = this.#limits;
    const isFull =
      (this.#waiting.length >= callsMax && !isVital) ||
      this.#waitingBytes + call.bytes.byteLength > bytesMax;
    if (isFull) return false;
    this.#waitingBytes += call.bytes.byteLength;
    const { action, id, instead } = call;
    const kept = { action, bytes: ownBytes(call.bytes), id };
    const queued = instead === undefined ? kept : { ...kept, instead };
    this.#waiting.push({ call: queued, arrivedAtMs: nowMs });
    return true;
  }

  /**
   * Somebody else keeps `call` until it may be offered: it counts as one that waits, for whoever
   * sends it again or uses its id. Whoever keeps calls bounds their number.
   */
  setAside({ action, bytes, id }: QueuedCall): void {
    this.#aside.set(id, { action, bytes: ownBytes(bytes), id });
  }

  /** The call `id` is kept no longer. */
  takeBack(id: string): void {
    this.#aside.delete(id);
  }

  /** `call` was answered, and never offered. */
  rememberAnswered(call: QueuedCall, nowMs: number): void {
    this.#remember(call, 'result', nowMs);
  }

  /** The call to send now, which is open from now on; undefined while another one is open. */
  next(nowMs: number): WaitingCall | undefined {
    if (this.#open !== undefined) return undefined;
    const waiting = this.#takeFirst();
    if (waiting === undefined) return undefined;
    this.#open = { ...waiting, sentAtMs: nowMs };
    return waiting;
  }

  /** Closes the open call `id`, because it was answered. Anything else changes nothing. */
  settle(id: string, hasResult: boolean, nowMs: number): void {
    if (this.#open?.call.id !== id) return;
    this.#remember(this.#open.call, hasResult ? 'result' : 'error', nowMs);
    this.#open = undefined;
  }

  /** Removes and returns the calls whose time is up, whether open or waiting. */
  expire(nowMs: number): readonly QueuedCall[] {
    const expired: QueuedCall[] = [];
    if (this.#open !== undefined && this.#open.sentAtMs + this.#limits.inFlightMs <= nowMs) {
      this.#remember(this.#open.call, 'expired', nowMs);
      expired.push(this.#open.call);
      this.#open = undefined;
    }
    const { waitMs } = this.#limits;
    let first = this.#waiting[0];
    while (waitMs !== undefined && first !== undefined && first.arrivedAtMs + waitMs <= nowMs) {
      this.#takeFirst();
      // Not remembered: it was never sent, so a reply to it is unsolicited.
      expired.push(first.call);
      first = this.#waiting[0];
    }
    return expired;
  }

  /** When `expire` next has something to do; undefined when nothing can expire. */
  nextExpiryMs(): number | undefined {
    const openMs = this.#open && this.#open.sentAtMs + this.#limits.inFlightMs;
    const first = this.#waiting[0];
    const { waitMs } = this.#limits;
    const waitingMs = first && waitMs !== undefined ? first.arrivedAtMs + waitMs : undefined;
    if (openMs === undefined || waitingMs === undefined) return openMs ?? waitingMs;
    return Math.min(openMs, waitingMs);
  }

  /** The action of the call `id`, open or answered a while ago; undefined when there is none. */
  actionOf(id: string, nowMs: number): string | undefined {
    return this.#open?.call.id === id
      ? this.#open.call.action
      : this.#recentWith(id, nowMs)?.action;
  }

  /** Is a call open? */
  get hasOpenCall(): boolean {
    return this.#open !== undefined;
  }

  /** The call that is sent and not answered. */
  get openCall(): { readonly action: string; readonly id: string } | undefined {
    return this.#open?.call;
  }

  /** Calls that wait to be sent. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  #takeFirst(): WaitingCall | undefined {
    const first = this.#waiting.shift();
    this.#waitingBytes -= first?.call.bytes.byteLength ?? 0;
    return first;
  }

  #heldWith(id: string): QueuedCall | undefined {
    if (this.#open?.call.id === id) return this.#open.call;
    return this.#aside.get(id) ?? this.#waiting.find(({ call }) => call.id === id)?.call;
  }

  #recentWith(id: string, nowMs: number): RecentCall | undefined {
    const recent = this.#recent.get(id);
    return recent !== undefined && recent.settledAtMs + this.#limits.recentMs > nowMs
      ? recent
      : undefined;
  }

  #remember(call: QueuedCall, ended: RecentCall['ended'], nowMs: number): void {
    this.#recent.delete(call.id);
    const { action, bytes } = call;
    this.#recent.set(call.id, { action, ended, digest: digestOf(bytes), settledAtMs: nowMs });
    if (this.#recent.size <= this.#limits.recentMax) return;
    const oldest = this.#recent.keys().next();
    if (oldest.done === false) this.#recent.delete(oldest.value);
  }
}

/** Limits of a lane. */
export interface CallLaneLimits {
  /** Calls that may wait. */
  readonly callsMax: number;
  /** Bytes that they may have together. */
  readonly bytesMax: number;
  /** How long a call may be open, in milliseconds. */
  readonly inFlightMs: number;
  /** How long a call may wait before it is sent, in milliseconds; undefined for no limit. */
  readonly waitMs: number | undefined;
  /** Answered calls that are remembered, to tell late replies and retries. */
  readonly recentMax: number;
  /** How long they are remembered, in milliseconds. */
  readonly recentMs: number;
}

/**
 * What is kept of an admitted call. Not its parsed payload: that can take twenty times the memory
 * of its bytes, and nobody needs it any more.
 */
export interface QueuedCall extends Pick<Frame<Call>, 'action' | 'bytes' | 'id'> {
  /** What is sent in place of `bytes`, by which the peer would send it again. */
  readonly instead?: Uint8Array | undefined;
}

/** A call and when it came, in milliseconds of the session's clock. */
export interface WaitingCall {
  readonly call: QueuedCall;
  readonly arrivedAtMs: number;
}

interface OpenCall extends WaitingCall {
  readonly sentAtMs: number;
}

interface RecentCall {
  readonly action: string;
  /** How it ended: what was passed on, or that its time was up. */
  ended: 'result' | 'complaint' | 'error' | 'expired';
  readonly digest: string;
  readonly settledAtMs: number;
}

/** The bytes in memory of their own: a small message can be a slice of 64 KiB that were read. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.byteLength ? new Uint8Array(bytes) : bytes;
}

function digestOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64');
}
