import type { CallErrorCode, CloseErrorCode, ErrorCode } from '../errors/catalogue.ts';
import type { GatewayEvent } from '../events/catalogue.ts';
import type { FrameFinding } from '../events/fields.ts';
import { isActionName } from '../ocpp/actions.ts';
import type { CredentialChange } from '../ocpp/credential-changes.ts';
import type { LoadClass } from '../ocpp/load-actions.ts';
import type { Call, CallResult, Message } from '../ocpp/message.ts';
import type { Peer } from '../ocpp/version.ts';
import type { LookUp } from '../policy/context.ts';
import type { Admitted, Frame } from '../rules/frame.ts';

/**
 * What one message causes. `message-path.ts` decides, the session does it in order.
 *
 * Only an Admitted can be forwarded or queued; that is the whole promise of the gateway, and the
 * compiler keeps it.
 */
export type Effect =
  /** Send the original bytes now. */
  | { readonly do: 'forward'; readonly to: Peer; readonly frame: Admitted }
  /** Send this in place of an admitted message. */
  | { readonly do: 'rewrite'; readonly to: Peer; readonly message: Message }
  /** Take note of what a message that is passed on says about the charger. */
  | { readonly do: 'learn'; readonly from: Peer; readonly frame: Admitted<Frame> }
  /** Ask the store; then judge the message again. */
  | { readonly do: 'look-up'; readonly question: LookUp }
  /**
   * Send the call when its turn comes.
   *
   * `instead`: what to send in place of the original bytes.
   */
  | {
      readonly do: 'enqueue';
      readonly from: Peer;
      readonly call: Admitted<Frame<Call>>;
      readonly instead?: Call | undefined;
    }
  /** Take note, in the store, of what this call of the CSMS changes; then go on. */
  | {
      readonly do: 'watch-credential';
      readonly call: Admitted<Frame<Call>>;
      readonly changes: readonly CredentialChange[];
    }
  /**
   * Wait for the limiter of load changes, with this call of the CSMS, or this reply that carries a
   * limit; then go on.
   */
  | {
      readonly do: 'pace';
      readonly frame: Admitted<Frame<Call>> | Admitted<Frame<CallResult>>;
      /** Of the call, or of the one that is answered. */
      readonly action: string;
      readonly loadClass: LoadClass;
      /** Is another call with its id open, so that nobody could tell whose reply is whose? */
      readonly isAmbiguous?: boolean;
    }
  /** The open call of `caller` is over. */
  | {
      readonly do: 'settle';
      readonly caller: Peer;
      readonly id: string;
      readonly hasResult: boolean;
    }
  /** Tell `to` that its call was refused. */
  | {
      readonly do: 'call-error';
      readonly to: Peer;
      readonly id: string;
      readonly code: CallErrorCode;
    }
  | { readonly do: 'strike'; readonly against: Peer }
  | { readonly do: 'close'; readonly because: Peer; readonly code: CloseErrorCode }
  | { readonly do: 'emit'; readonly event: GatewayEvent }
  | {
      readonly do: 'quarantine';
      readonly finding: FrameFinding;
      readonly penalty: string;
      readonly bytes: Uint8Array;
    };

/** What can be done without waiting for anything. */
export type ImmediateEffect = Exclude<
  Effect,
  { readonly do: 'look-up' | 'pace' | 'watch-credential' }
>;

/** Can `effect` be done without waiting for anything? */
export function isImmediate(effect: Effect): effect is ImmediateEffect {
  return effect.do !== 'look-up' && effect.do !== 'pace' && effect.do !== 'watch-credential';
}

/** What the gateway tells a caller when its call cannot be passed on. */
export function refusalOf(
  charger: string,
  from: Peer,
  call: Pick<Call, 'action' | 'id'>,
  code: CallErrorCode & ErrorCode,
): readonly ImmediateEffect[] {
  const { id } = call;
  const action = isActionName(call.action) ? call.action : undefined;
  return [
    // First: the answer waits until what was emitted before it is in the audit log.
    { do: 'emit', event: { name: 'CallRefused', charger, from, code, action } },
    { do: 'call-error', to: from, id, code },
  ];
}
