import { isJsonObject } from '../ocpp/message.ts';
import { redactSecrets } from '../ocpp/secrets.ts';
import type { CallHandler, ReplyHandler } from './handler.ts';

/**
 * Takes credentials out of what a charger says about its configuration when it is asked.
 *
 * OCPP makes AuthorizationKey and BasicAuthPassword write-only, but real chargers return them, and
 * then everybody who can read a CSMS log can be that charger. Any other reply keeps its bytes.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3 chapter 6; OCPP 2.0.1 part 2, A01.
 */
export const withholdCredentials: ReplyHandler = {
  name: 'withhold-credentials',
  from: 'charger',
  actions: {
    'ocpp1.6': ['GetConfiguration'],
    'ocpp2.0.1': ['GetVariables'],
    'ocpp2.1': ['GetVariables'],
  },

  handle({ reply }) {
    const { value, found } = redactSecrets(reply.payload, { guesses: false });
    if (!found || !isJsonObject(value)) return { do: 'forward' };
    return { do: 'rewrite', message: { kind: 'call-result', id: reply.id, payload: value } };
  },
};

/**
 * Takes credentials out of what a charger reports by itself, or after GetReport: there the values of
 * its variables are in calls. Monitors have limits but no values, so NotifyMonitoringReport is
 * nothing of the kind.
 *
 * Source: OCPP 2.0.1 part 2, A01, B07 and N07.
 */
export const withholdReportedCredentials: CallHandler = {
  name: 'withhold-credentials',
  from: 'charger',
  actions: {
    'ocpp1.6': [],
    'ocpp2.0.1': ['NotifyEvent', 'NotifyReport'],
    'ocpp2.1': ['NotifyEvent', 'NotifyReport'],
  },

  handle({ call }) {
    const { value, found } = redactSecrets(call.payload, { guesses: false });
    if (!found || !isJsonObject(value)) return { do: 'forward' };
    const { action, id } = call;
    return { do: 'rewrite', message: { kind: 'call', id, action, payload: value } };
  },
};
