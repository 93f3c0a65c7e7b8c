import type { Message } from '../ocpp/message.ts';

declare const decoded: unique symbol;
declare const admitted: unique symbol;

/**
 * An OCPP message as it came, with its own bytes. Only `decode` makes one.
 *
 * Forwarding sends `bytes`; the parsed copy is for decisions alone.
 */
export type Frame<M extends Message = Message> = M & {
  readonly bytes: Uint8Array;
  readonly [decoded]: true;
};

/** A text that could not be read as an OCPP message. */
export interface Unreadable {
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
