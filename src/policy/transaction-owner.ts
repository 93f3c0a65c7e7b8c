import type { ErrorCode } from '../errors/catalogue.ts';
import { ownProperty } from '../ocpp/message.ts';
import { transactionKey } from '../ocpp/transaction-id.ts';
import type { Frame } from '../rules/frame.ts';
import type { Rule, Violation } from '../rules/rule.ts';
import type { PolicyContext, PolicyInput } from './context.ts';

/**
 * Transaction ids of OCPP 2.x are made by chargers. Long ones are UUIDs or the like and never the
 * same by chance; short ones are counters, and every charger has a "1".
 */
const uniqueLengthMin = 16;

/**
 * A charger speaks of its own transactions only. Without this, any charger could end the
 * transactions of all others at a CSMS that looks transactions up by their id alone.
 *
 * What the gateway has not seen start may be the charger's own all the same, from before the
 * gateway was there: only a transaction that is known to be another's is refused. Where several
 * chargers have the same id, the CSMS evidently numbers them for each charger, and the id proves
 * nothing.
 *
 * Source: CVE-2026-28230 (any charger ends any transaction); OCPP 1.6 section 4.10; OCPP 2.0.1
 * part 2, E01.
 */
export const transactionOwner: Rule<PolicyInput> = {
  id: 7,
  name: 'transaction-owner',
  factor: 'System state',
  demand: 'A charger reports on transactions of its own.',
  source: 'PNNL-35706 section 4.0; CVE-2026-28230',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { from: 'charger', kinds: ['call'] },

  check({ context, frame, from }: PolicyInput): Violation | undefined {
    const transactionId = from === 'charger' ? reportedTransaction(frame) : undefined;
    if (transactionId === ambiguous) {
      return violation('TRANSACTION_AMBIGUOUS', 'hard', 'the id can be read in several ways');
    }
    if (transactionId === undefined || context.ownsTransaction(transactionId)) return undefined;
    const others = context.otherOwnersOf(transactionId);
    if (others === undefined || others === 0) return undefined;
    if (others === 'unknown') {
      // The relay goes on without the database; `strict` refuses.
      return violation('TRANSACTION_UNCHECKED', 'soft', 'the store does not answer');
    }
    const isUnique =
      context.version === 'ocpp1.6' ? others === 1 : transactionId.length >= uniqueLengthMin;
    return violation(
      'TRANSACTION_FOREIGN',
      isUnique ? 'hard' : 'soft',
      isUnique ? 'it belongs to another charger' : 'other chargers have the same id',
    );
  },
};

/**
 * The transaction of which the store must be asked before `frame` can be judged; undefined when
 * nothing needs to be asked.
 */
export function transactionToLookUp(frame: Frame, context: PolicyContext): string | undefined {
  const transactionId = reportedTransaction(frame);
  if (transactionId === undefined || transactionId === ambiguous) return undefined;
  if (context.ownsTransaction(transactionId)) return undefined;
  return context.otherOwnersOf(transactionId) === undefined ? transactionId : undefined;
}

/** Longer ids are none; rule 4 says what becomes of them. */
const idLengthMax = 64;

/** What stands for an id that one CSMS reads as this transaction and another one as that. */
const ambiguous = Symbol('ambiguous');

/** The transaction that a report of a charger is about. */
function reportedTransaction(frame: Frame): string | typeof ambiguous | undefined {
  if (frame.kind !== 'call') return undefined;
  switch (frame.action) {
    case 'StopTransaction': {
      const id = wholeNumber(ownProperty(frame.payload, 'transactionId'));
      if (id === ambiguous) return ambiguous;
      // 0 and -1 stand for "none" with many chargers and CSMS, and belong to nobody.
      return id !== undefined && id > 0 ? String(id) : undefined;
    }
    case 'TransactionEvent': {
      const id = ownProperty(ownProperty(frame.payload, 'transactionInfo'), 'transactionId');
      if (isStructure(id)) return ambiguous;
      const text = typeof id === 'number' ? String(id) : id;
      if (typeof text !== 'string' || text.length > idLengthMax) return undefined;
      const key = transactionKey(text);
      return key === '' ? undefined : key;
    }
    default:
      return undefined;
  }
}

/**
 * The number that a CSMS may read: many take "5" and 5.5 for 5, and a StopTransaction is not lost to
 * the wrong type of its id.
 */
function wholeNumber(value: unknown): number | typeof ambiguous | undefined {
  if (typeof value === 'number') return Math.trunc(value);
  if (isStructure(value)) return ambiguous;
  if (typeof value !== 'string') return undefined;
  const [, digits, next] = /^\s*\+?(\d+)(.?)/.exec(value) ?? [];
  if (digits === undefined) return undefined;
  // 0x7 and 1e1 are other numbers to whoever reads more than digits.
  return /[a-z_]/i.test(next ?? '') ? ambiguous : Number(digits);
}

/** Is it a list or an object? In JavaScript and PHP a list of one id stands for that id. */
function isStructure(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function violation(
  code: Extract<ErrorCode, `TRANSACTION_${string}`>,
  severity: 'hard' | 'soft',
  detail: string,
): Violation {
  return { rule: 'transaction-owner', code, severity, detail };
}
