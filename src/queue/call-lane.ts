import { crc32 } from 'node:zlib';
import { RareMap } from '../lib/rare-map.ts';
import { type Call, encodeMessage } from '../ocpp/message.ts';
import type { Admitted, Frame } from '../rules/frame.ts';
import type { Correlation } from '../rules/rule.ts';
import { type NamedCall, type Print, RecentCalls, type RecentLimits } from './recent-calls.ts';

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
  #waiting: WaitingCall[] = none;
  readonly #recent: RecentCalls;
  /** Calls that somebody else keeps for now, by their id. */
  readonly #aside = new RareMap<string, QueuedCall>();
  #open: OpenCall | undefined;
  #waitingBytes = 0;

  constructor(limits: CallLaneLimits) {
    this.#limits = limits;
    this.#recent = new RecentCalls(limits);
  }

  /** Is a call with this id open, or does one wait? */
  holds(id: string): boolean {
    return this.#printOfHeld(id) !== undefined;
  }

  /** What the lane knows of a call or SEND with this id and these bytes. */
  correlateCall(id: string, bytes: Uint8Array, nowMs: number): Correlation {
    const held = this.#printOfHeld(id);
    if (held !== undefined) {
      return isSame(held, bytes)
        ? { is: 'retry', open: true }
        : { is: 'conflict', open: true, isUnanswered: true };
    }
    const recent = this.#recent.find(id, nowMs);
    if (recent === undefined) return isNew;
    if (isSame(recent, bytes)) return { is: 'retry', open: false };
    return { is: 'conflict', open: false, isUnanswered: recent.ended === 'expired' };
  }

  /** What the lane knows of a reply with this id. A call that still waits has no reply. */
  correlateReply(id: string, nowMs: number): Correlation {
    if (this.#open?.id === id) return { is: 'answer', action: this.#open.action };
    return this.#recent.find(id, nowMs) === undefined ? { is: 'unsolicited' } : { is: 'late' };
  }

  /**
   * What the lane knows of a caller's complaint about the result of its call (OCPP 2.1). There is
   * one complaint for a result: the next one is about nothing.
   */
  correlateResultError(id: string, nowMs: number): Correlation {
    const recent = this.#recent.find(id, nowMs);
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
    // Most calls are sent at once, and need no bytes of their own.
    const isFirst = this.#open === undefined && this.#waiting.length === 0;
    const waiting = { call: isFirst ? call : keptCall(call), arrivedAtMs: nowMs };
    // A list of one: the first `push` to an empty one makes room for many.
    if (this.#waiting.length === 0) this.#waiting = [waiting];
    else this.#waiting.push(waiting);
    return true;
  }

  /**
   * Somebody else keeps `call` until it may be offered: it counts as one that waits, for whoever
   * sends it again or uses its id. Whoever keeps calls bounds their number.
   */
  setAside(call: QueuedCall): void {
    this.#aside.set(call.id, keptCall(call));
  }

  /** The call `id` is kept no longer. */
  takeBack(id: string): void {
    this.#aside.delete(id);
  }

  /** `call` was answered, and never offered. */
  rememberAnswered(call: QueuedCall, nowMs: number): void {
    const { action, bytes, id } = call;
    this.#recent.add({ action, id, ...printOf(bytes) }, 'result', nowMs);
  }

  /** The call to send now, which is open from now on; undefined while another one is open. */
  next(nowMs: number): WaitingCall | undefined {
    if (this.#open !== undefined) return undefined;
    const waiting = this.#takeFirst();
    if (waiting === undefined) return undefined;
    const { action, bytes, id } = waiting.call;
    // Not its bytes: they may be a slice of 64 KiB that were read.
    const { crc, length } = printOf(bytes);
    this.#open = { action, id, crc, length, sentAtMs: nowMs };
    return waiting;
  }

  /** Closes the open call `id`, because it was answered. Anything else changes nothing. */
  settle(id: string, hasResult: boolean, nowMs: number): void {
    const open = this.#open;
    if (open?.id !== id) return;
    this.#recent.add(open, hasResult ? 'result' : 'error', nowMs);
    this.#open = undefined;
  }

  /** Removes and returns the calls whose time is up, whether open or waiting. */
  expire(nowMs: number): readonly NamedCall[] {
    if (nowMs < this.nextExpiryMs()) return [];
    const expired: NamedCall[] = [];
    const open = this.#open;
    if (open !== undefined && open.sentAtMs + this.#limits.inFlightMs <= nowMs) {
      this.#recent.add(open, 'expired', nowMs);
      expired.push(open);
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

  /** When `expire` next has something to do; Infinity when nothing can expire. */
  nextExpiryMs(): number {
    const { inFlightMs, waitMs } = this.#limits;
    const openMs = this.#open === undefined ? Infinity : this.#open.sentAtMs + inFlightMs;
    const first = this.#waiting[0];
    if (first === undefined || waitMs === undefined) return openMs;
    return Math.min(openMs, first.arrivedAtMs + waitMs);
  }

  /** The action of the call `id`, open or answered a while ago; undefined when there is none. */
  actionOf(id: string, nowMs: number): string | undefined {
    return this.#open?.id === id ? this.#open.action : this.#recent.find(id, nowMs)?.action;
  }

  /** Is a call open? */
  get hasOpenCall(): boolean {
    return this.#open !== undefined;
  }

  /** The call that is sent and not answered. */
  get openCall(): NamedCall | undefined {
    return this.#open;
  }

  /** Calls that wait to be sent. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  #takeFirst(): WaitingCall | undefined {
    const [first] = this.#waiting;
    if (this.#waiting.length > 1) this.#waiting.shift();
    else this.#waiting = none;
    this.#waitingBytes -= first?.call.bytes.byteLength ?? 0;
    return first;
  }

  #printOfHeld(id: string): Print | undefined {
    if (this.#open?.id === id) return this.#open;
    if (this.#aside.size === 0 && this.#waiting.length === 0) return undefined;
    const held = this.#aside.get(id) ?? this.#waiting.find(({ call }) => call.id === id)?.call;
    return held && printOf(held.bytes);
  }
}

/** Of every lane in which nothing waits. Nothing is ever put into it. */
const none: WaitingCall[] = [];

const isNew: Correlation = { is: 'new' };

/** Limits of a lane. */
export interface CallLaneLimits extends RecentLimits {
  /** Calls that may wait. */
  readonly callsMax: number;
  /** Bytes that they may have together. */
  readonly bytesMax: number;
  /** How long a call may be open, in milliseconds. */
  readonly inFlightMs: number;
  /** How long a call may wait before it is sent, in milliseconds; undefined for no limit. */
  readonly waitMs: number | undefined;
}

/**
 * What is kept of an admitted call that waits. Not its parsed payload: that can take twenty times the
 * memory of its bytes, and nobody needs it any more.
 */
export interface QueuedCall extends NamedCall {
  readonly bytes: Uint8Array;
  /** What is sent in place of `bytes`, by which the peer would send it again. */
  readonly instead?: Uint8Array | undefined;
}

/** A call and when it came, in milliseconds of the session's clock. */
export interface WaitingCall {
  readonly call: QueuedCall;
  readonly arrivedAtMs: number;
}

interface OpenCall extends NamedCall, Print {
  readonly sentAtMs: number;
}

function printOf(bytes: Uint8Array): Print {
  return { crc: crcOf(bytes), length: bytes.byteLength };
}

/** As a signed number, which V8 keeps without an object of its own. */
function crcOf(bytes: Uint8Array): number {
  return crc32(bytes) | 0;
}

function isSame(print: Print, bytes: Uint8Array): boolean {
  return print.length === bytes.byteLength && print.crc === crcOf(bytes);
}

/** The call with bytes in memory of their own: a small message can be a slice of 64 KiB. */
function keptCall({ action, bytes, id, instead }: QueuedCall): QueuedCall {
  const isSlice = bytes.buffer.byteLength > 2 * bytes.byteLength;
  return { action, bytes: isSlice ? new Uint8Array(bytes) : bytes, id, instead };
}
