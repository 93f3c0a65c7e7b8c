import { isSendAction, senderOf } from '../ocpp/actions.ts';
import { schemaReport } from '../ocpp/schemas.ts';
import { type Rule, type RuleInput, type Violation, worst } from './rule.ts';
import { type PayloadContext, payloadViolation } from './soft.ts';

/**
 * Rule 4: the payload keeps the official schema.
 *
 * A reply is checked against the schema of the call that it answers, so a reply that answers
 * nothing is rule 3's alone.
 *
 * Source: PNNL-35706 Table 1, row 4; the official JSON schemas of each version.
 */
export const payloadSchema: Rule = {
  id: 4,
  name: 'payload',
  factor: 'Payload Verification',
  demand: 'The payload keeps the official schema of its action.',
  source: 'PNNL-35706 Table 1, row 4',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { kinds: ['call', 'send', 'call-result'] },

  check(input: RuleInput): Violation | undefined {
    const context = payloadContext(input);
    if (context === undefined) return undefined;
    const { version, action, side } = context;
    const { errors, isComplete } = schemaReport(version, action, side, context.payload);
    if (errors.length === 0) return undefined;
    const violation = worst(errors.map((error) => payloadViolation(error, context)));
    if (violation === undefined || isComplete) return violation;
    // Nobody has looked at the rest of it, so the first departure counts as the worst.
    return { ...violation, severity: 'hard' };
  },
};

function payloadContext({ frame, version, correlation }: RuleInput): PayloadContext | undefined {
  switch (frame.kind) {
    case 'call':
    case 'send': {
      const { action, payload } = frame;
      // Rule 2 has spoken of these; where it only watches, there is no schema to check against.
      if (senderOf(version, action) === undefined) return undefined;
      return { version, action, side: 'request', payload };
    }
    case 'call-result': {
      if (correlation.is !== 'answer') return undefined;
      const { action } = correlation;
      if (senderOf(version, action) === undefined || isSendAction(version, action)) {
        return undefined;
      }
      return { version, action, side: 'response', payload: frame.payload };
    }
    case 'call-error':
    case 'call-result-error':
      return undefined;
  }
}
