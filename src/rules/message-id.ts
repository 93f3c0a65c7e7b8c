import type { ErrorCode } from '../errors/catalogue.ts';
import type { Rule, RuleInput, Violation } from './rule.ts';

/**
 * Rule 3: a reply answers a call that is open in the other direction.
 *
 * A reply that answers nothing confuses a CSMS at best; at worst it completes another call. Table 1
 * speaks of replies only; ids of calls are checked here as well, because two open calls with one id
 * would let one answer serve the other. The same id with the same bytes is a retry, which the
 * errata of all versions allow.
 *
 * Source: PNNL-35706 Table 1, row 3; OCPP 2.0.1 errata 2024-09 and OCPP 1.6 errata 2025-04 (ids of
 * retries).
 */
export const messageIdMatching: Rule = {
  id: 3,
  name: 'message-id',
  factor: 'Message ID Matching',
  demand: 'A reply answers an open call of the other side, and no two calls share an id.',
  source: 'PNNL-35706 Table 1, row 3',
  onFail: { call: 'drop', reply: 'drop' },

  check({ correlation, from }: RuleInput): Violation | undefined {
    switch (correlation.is) {
      case 'new':
      case 'answer':
      case 'retry':
        return undefined;
      case 'conflict':
        if (correlation.open) return violation('MATCH_ID_IN_USE', 'hard', 'id of an open call');
        // Small random ids collide by chance, and where the earlier call was answered nothing can
        // be confused. A CSMS has no such excuse.
        return violation(
          'MATCH_ID_REUSED',
          from === 'charger' && !correlation.isUnanswered ? 'soft' : 'hard',
          'id of a recent call, other bytes',
        );
      case 'late':
        return violation('MATCH_LATE', 'hard', 'the call is over');
      case 'stale':
        return violation('MATCH_STALE', 'hard', 'the call is from an earlier connection');
      case 'unsolicited':
        return violation('MATCH_UNSOLICITED', 'hard', 'no such call');
    }
  },
};

function violation(
  code: Extract<ErrorCode, `MATCH_${string}`>,
  severity: 'hard' | 'soft',
  detail: string,
): Violation {
  return { rule: 'message-id', code, severity, detail };
}
