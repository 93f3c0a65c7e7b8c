import type { Rule } from './rule.ts';

/**
 * Rule 1: the message is JSON and OCPP formatted.
 *
 * `decode` finds what breaks it, because a text that cannot be read is no Frame to check. What is
 * left for here is the reserved id.
 *
 * Source: PNNL-35706 Table 1, row 1.
 */
export const messageFormat: Rule = {
  id: 1,
  name: 'format',
  factor: 'JSON and OCPP formatted',
  demand:
    'The text is unambiguous JSON, and the JSON is an OCPP message of the negotiated version.',
  source: 'PNNL-35706 Table 1, row 1',
  onFail: { call: 'close', reply: 'close' },

  check({ frame }) {
    // OCPP 2.x answers a message whose id it could not read with the id "-1"; a call under that
    // name could never be told from such an answer.
    if (frame.id !== '-1' || frame.kind === 'call-error') return undefined;
    return {
      rule: 'format',
      code: 'FORMAT_MESSAGE_ID',
      severity: 'hard',
      detail: 'the message id "-1" is reserved',
    };
  },
};
