import type { CallResult, Message } from '../ocpp/message.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { Admitted, Frame } from '../rules/frame.ts';

/** What a handler wants done with an admitted message. */
export type HandlerEffect =
  /** Pass the original bytes on, as if there were no handler. */
  | { readonly do: 'forward' }
  /** Pass this on instead. The only way in which the gateway ever changes a message. */
  | { readonly do: 'rewrite'; readonly message: Message };

/** An admitted reply, and the action of the call that it answers. */
export interface AdmittedReply {
  readonly reply: Admitted<Frame<CallResult>>;
  readonly action: string;
  readonly version: OcppVersion;
}

/**
 * A special case: what happens to some messages of one charger beside being forwarded.
 *
 * Pure. `gateway/effects.ts` does what it returns.
 *
 * Source: PNNL-35706 section 4.0, "special case message handlers".
 */
export interface ReplyHandler {
  readonly name: string;
  /** The side whose replies it handles. */
  readonly from: Peer;
  /** The actions whose replies it handles, by version. */
  readonly actions: Readonly<Record<OcppVersion, readonly string[]>>;
  handle(reply: AdmittedReply): HandlerEffect;
}
