import type { OcppVersion, Peer } from '../../ocpp/version.ts';

/** How soon a change must be on disk. */
export type Urgency = 'none' | 'eventually' | 'soon';

/** A call or SEND that was admitted and is passed on. */
export interface SeenCall {
  readonly from: Peer;
  readonly version: OcppVersion;
  readonly id: string;
  readonly action: string;
  readonly payload: unknown;
  /** Unix time in milliseconds. */
  readonly atMs: number;
}

/** An admitted reply to a call that was seen before. */
export interface SeenReply {
  readonly from: Peer;
  readonly callId: string;
  /** The payload of a CallResult, or the code of a CallError. */
  readonly result: { readonly payload: unknown } | { readonly errorCode: string };
  /** Unix time in milliseconds. */
  readonly atMs: number;
}

const ranks: Readonly<Record<Urgency, number>> = { none: 0, eventually: 1, soon: 2 };

/** The more urgent of the two. */
export function moreUrgent(one: Urgency, other: Urgency): Urgency {
  return ranks[one] >= ranks[other] ? one : other;
}
