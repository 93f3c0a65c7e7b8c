import type { Message } from '../ocpp/message.ts';
import type { Violation } from './rule.ts';

declare const decoded: unique symbol;
declare const admitted: unique symbol;

/**
 * An OCPP message as it came, with its own bytes. Only `decode` makes one.
 *
 * Forwarding sends `bytes`; the parsed copy is for decisions alone.
 */
export type Frame<M extends Message = Message> = M &
  Envelope & {
    readonly bytes: Uint8Array;
    readonly [decoded]: true;
  };

/** What is known of the envelope of a message that came signed. */
export interface Envelope {
  /** The message as it came: what is kept of it when it is refused. */
  readonly received?: Uint8Array | undefined;
  /** The same, when it is what the other side is to have in place of `bytes`. */
  readonly sealed?: Uint8Array | undefined;
}

/** What was found out about the signature of a message before it was read. */
export interface Seal extends Envelope {
  /** What breaks rule 0. */
  readonly violation?: Violation | undefined;
}

/** A text that could not be read as an OCPP message. */
export interface Unreadable extends Envelope {
  readonly kind: 'unreadable';
  readonly bytes: Uint8Array;
  /** The message type and id, where at least those could be read. */
  readonly typeId: number | undefined;
  readonly id: string | undefined;
}

/**
 * What no enforced rule stops. Only `admit` makes one; handlers and queues take nothing else.
 *
 * An Unreadable can be admitted in the modes that block nothing; then its bytes pass untouched.
 */
export type Admitted<F extends Frame | Unreadable = Frame | Unreadable> = F & {
  readonly [admitted]: true;
};
