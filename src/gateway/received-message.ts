import type { Peer } from '../ocpp/version.ts';
import type { Seal } from '../rules/frame.ts';

/** A message as it came. */
export interface ReceivedMessage {
  readonly from: Peer;
  readonly bytes: Uint8Array;
  /** In milliseconds of the session's clock. */
  readonly receivedAtMs: number;
}

/** A message of which the signature, if it has one, was looked at. */
export interface OpenedMessage extends ReceivedMessage {
  /** What is said of its signature. */
  readonly seal?: Seal | undefined;
}
