import type { Violation } from '../rules/rule.ts';
import { type SignatureProblem, signatureCodes } from '../signing/problem.ts';

/** What breaks rule 0. All of it is hard: a signature is good, or it is none. */
export function signatureViolation({ detail, is }: SignatureProblem): Violation {
  return { rule: 'signature', code: signatureCodes[is], severity: 'hard', detail };
}
