import { ownProperty } from '../ocpp/message.ts';
import type { ReplyHandler } from './handler.ts';

/**
 * Keeps a charger whose session is restricted from being accepted. It is one whose certificate has
 * expired: it may connect to get a new one, and does no more than that.
 *
 * The CSMS knows nothing of the certificate, since it is the gateway that the charger has shown it
 * to. What else is in its reply, such as the time, is passed on.
 *
 * Source: OCPP 2.0.1 part 2, A00.FR.429 and A00.FR.430.
 */
export const keepPending: ReplyHandler = {
  name: 'keep-pending',
  from: 'csms',
  actions: {
    'ocpp1.6': ['BootNotification'],
    'ocpp2.0.1': ['BootNotification'],
    'ocpp2.1': ['BootNotification'],
  },

  handle({ reply, restriction }) {
    const { id, payload } = reply;
    const isAccepted = ownProperty(payload, 'status') === 'Accepted';
    if (restriction === undefined || !isAccepted) return { do: 'forward' };
    const pending = { ...payload, status: 'Pending' };
    return { do: 'rewrite', message: { kind: 'call-result', id, payload: pending } };
  },
};
