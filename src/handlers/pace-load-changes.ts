import { loadActions, loadClassOf, loadReplyActions } from '../ocpp/load-actions.ts';
import type { CallHandler, ReplyHandler } from './handler.ts';

/**
 * Hands every command of the CSMS that changes load to the limiter, which holds it until the feeder
 * survives it.
 *
 * Many starts or stops at once swing the load of a feeder, and trip the protection of everybody on
 * it. "Limit 0 A to all", a reset of all and the like do the same, so they are no exception.
 *
 * Source: PNNL-35706 section 4.0 ("special case message handlers", "aggregated charger message
 * handler"), high-consequence event 1.
 */
export const paceLoadChanges: CallHandler = {
  name: 'pace-load-changes',
  from: 'csms',
  actions: {
    'ocpp1.6': Object.keys(loadActions['ocpp1.6']),
    'ocpp2.0.1': Object.keys(loadActions['ocpp2.0.1']),
    'ocpp2.1': Object.keys(loadActions['ocpp2.1']),
  },

  handle({ call, version }) {
    const loadClass = loadClassOf(version, call.action);
    return loadClass === undefined ? { do: 'forward' } : { do: 'pace', loadClass };
  },
};

/** The same for replies of the CSMS that carry a limit (OCPP 2.1, PullDynamicScheduleUpdate). */
export const paceLimitReplies: ReplyHandler = {
  name: 'pace-limit-replies',
  from: 'csms',
  actions: loadReplyActions,

  handle: () => ({ do: 'pace', loadClass: 'limit' }),
};
