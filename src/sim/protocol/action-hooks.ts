import { senderOf } from '../../ocpp/actions.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import { schemaErrors } from '../../ocpp/schemas.ts';
import type { OcppVersion, Peer } from '../../ocpp/version.ts';
import { type CallRefused, refusal } from './rpc-errors.ts';
import type { Answer, IncomingCall } from './rpc-peer.ts';

/** What a scenario answers instead of the simulator. `identity` is the charger's. */
export type ActionHandler = (payload: JsonObject, identity: string) => Answer | Promise<Answer>;

/** Which payloads are waited for. */
export type PayloadFilter = (payload: JsonObject) => boolean;

interface Waiter {
  readonly action: string;
  readonly identity: string | undefined;
  readonly where: PayloadFilter;
  readonly resolve: (payload: JsonObject) => void;
}

/** Where a scenario takes over single actions, or waits for them. */
export class ActionHooks {
  readonly #handlers = new Map<string, ActionHandler>();
  readonly #waiters = new Set<Waiter>();

  /** From now on `handler` answers `action`; undefined gives it back to the simulator. */
  on(action: string, handler: ActionHandler | undefined): void {
    if (handler === undefined) this.#handlers.delete(action);
    else this.#handlers.set(action, handler);
  }

  /** The payload of the next such `action` that comes in (undefined: from any charger). */
  waitFor(
    action: string,
    identity: string | undefined,
    where: PayloadFilter = () => true,
  ): Promise<JsonObject> {
    return new Promise((resolve) => {
      this.#waiters.add({ action, identity, where, resolve });
    });
  }

  /** Tells those who wait for this call, and returns the handler that has taken it over. */
  take(call: IncomingCall, identity: string): ActionHandler | undefined {
    for (const waiter of this.#waiters) {
      if (waiter.action !== call.action) continue;
      if (waiter.identity !== undefined && waiter.identity !== identity) continue;
      if (!waiter.where(call.payload)) continue;
      this.#waiters.delete(waiter);
      call.afterReply(() => waiter.resolve(call.payload));
    }
    return this.#handlers.get(call.action);
  }
}

/**
 * Why a peer of this version refuses `call` before it looks at its meaning; undefined when it does
 * not. `sender` is the peer that sent it.
 *
 * Source of the codes: OCPP-J 1.6 section 4.2.3; OCPP 2.1 part 4 section 4.3.
 */
export function refusalOf(
  version: OcppVersion,
  sender: Peer,
  call: IncomingCall,
  validatesPayloads: boolean,
): CallRefused | undefined {
  const allowed = senderOf(version, call.action);
  if (allowed === undefined) {
    return refusal(version, 'NotImplemented', 'The action does not exist in this version.');
  }
  if (allowed !== sender && allowed !== 'either') {
    return refusal(version, 'NotSupported', 'The action goes in the other direction.');
  }
  if (!validatesPayloads) return undefined;
  const [error] = schemaErrors(version, call.action, 'request', call.payload);
  if (error === undefined) return undefined;
  const description = `${error.instancePath} ${error.message ?? ''}`.trim().slice(0, 255);
  switch (error.keyword) {
    case 'required':
      return refusal(version, 'OccurrenceConstraintViolation', description);
    case 'type':
      return refusal(version, 'TypeConstraintViolation', description);
    case 'additionalProperties':
      return refusal(version, 'FormatViolation', description);
    default:
      return refusal(version, 'PropertyConstraintViolation', description);
  }
}
