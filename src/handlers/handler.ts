import type { LoadClass } from '../ocpp/load-actions.ts';
import type { Call, CallResult } from '../ocpp/message.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { Admitted, Frame } from '../rules/frame.ts';

/** What a handler wants done with an admitted message. */
export type HandlerEffect<Rewritten> =
  /** Pass the original bytes on, as if there were no handler. */
  | { readonly do: 'forward' }
  /** Pass this on instead. The only way in which the gateway ever changes a message. */
  | { readonly do: 'rewrite'; readonly message: Rewritten }
  /** Let the limiter of load changes say when to pass it on. */
  | { readonly do: 'pace'; readonly loadClass: LoadClass };

/** With what a charger has connected that only serves to get something better. */
export type Restriction = 'default-password' | 'expired-certificate';

/** An admitted call. */
export interface AdmittedCall {
  readonly call: Admitted<Frame<Call>>;
  readonly version: OcppVersion;
}

/** An admitted reply, and the action of the call that it answers. */
export interface AdmittedReply {
  readonly reply: Admitted<Frame<CallResult>>;
  readonly action: string;
  readonly version: OcppVersion;
  /** Why only a few messages may pass; undefined when all may. */
  readonly restriction: Restriction | undefined;
}

/** Whose messages a handler handles, and which. */
interface Handled {
  readonly name: string;
  /** The side whose messages it handles. */
  readonly from: Peer;
  /** The actions whose messages it handles, by version. */
  readonly actions: Readonly<Record<OcppVersion, readonly string[]>>;
}

/**
 * A special case: what happens to some replies of one charger or CSMS beside being forwarded.
 *
 * Pure. `gateway/effects.ts` does what it returns.
 *
 * Source: PNNL-35706 section 4.0, "special case message handlers".
 */
export interface ReplyHandler extends Handled {
  handle(reply: AdmittedReply): HandlerEffect<CallResult>;
}

/** The same for calls. A call keeps its id and its action, whatever is rewritten in it. */
export interface CallHandler extends Handled {
  handle(call: AdmittedCall): HandlerEffect<Call>;
}
