import type { Rule } from './rule.ts';

/**
 * Rule 0: what claims to come from the CSMS is signed by who holds its key.
 *
 * The signature is looked at before the message is read, since it may be around it
 * (`gateway/signature-gate.ts`); what breaks the rule comes with the message. There is nothing left
 * to check here.
 *
 * Source: PNNL-35706 Table 1, row 0; OCPP 2.0.1 part 4 section 7.
 */
export const signature: Rule = {
  id: 0,
  name: 'signature',
  factor: 'JWS decodable',
  demand:
    'With `csms.signing.required`: a message of the CSMS is signed by a pinned key, for this charger ' +
    'and this moment, and has not come before.',
  source: 'PNNL-35706 Table 1, row 0',
  onFail: { call: 'close', reply: 'close' },
  concerns: { kinds: [] },

  check: () => undefined,
};
