import { isSendAction, senderOf } from '../ocpp/actions.ts';
import type { Rule, Violation } from './rule.ts';

/**
 * Rule 2: a peer sends only the actions that its side of the protocol owns.
 *
 * A charger that sends UpdateFirmware is broken or hostile. Passing it on would make the CSMS run
 * a request that it was never written to receive. Replies carry no action, so they always pass;
 * rule 3 ties them to their call.
 *
 * Source: PNNL-35706 Table 1, row 2.
 */
export const actionDirection: Rule = {
  id: 2,
  name: 'direction',
  factor: 'OCPP Action Directionality',
  demand: 'The action exists in the negotiated version, and this side may send it.',
  source: 'PNNL-35706 Table 1, row 2',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { kinds: ['call', 'send'] },

  check({ frame, from, version }) {
    if (frame.kind !== 'call' && frame.kind !== 'send') return undefined;
    const sender = senderOf(version, frame.action);
    if (sender === undefined) {
      return violation('DIRECTION_UNKNOWN_ACTION', `${version} has no such action`);
    }
    if (sender !== from && sender !== 'either') {
      return violation('DIRECTION_WRONG_SENDER', `${frame.action} is sent by the ${sender}`);
    }
    if (isSendAction(version, frame.action) !== (frame.kind === 'send')) {
      return violation('DIRECTION_WRONG_KIND', `${frame.action} does not travel as ${frame.kind}`);
    }
    return undefined;
  },
};

function violation(
  code: 'DIRECTION_UNKNOWN_ACTION' | 'DIRECTION_WRONG_SENDER' | 'DIRECTION_WRONG_KIND',
  detail: string,
): Violation {
  return { rule: 'direction', code, severity: 'hard', detail };
}
