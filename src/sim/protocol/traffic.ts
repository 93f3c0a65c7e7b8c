import type { Message } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';

/** One text frame, as a simulator sent or received it. */
export interface Traffic {
  /** The charger's identity, on both sides of the conversation. */
  readonly identity: string;
  readonly version: OcppVersion;
  /** Seen from the simulator that reports it. */
  readonly direction: 'sent' | 'received';
  readonly text: string;
  /** What the text says; absent when it is no OCPP-J message. */
  readonly message?: Message;
}

/** Is told of every text frame, in order. Must not throw. */
export type TrafficObserver = (traffic: Traffic) => void;
