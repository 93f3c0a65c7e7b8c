import type { ErrorCode } from '../errors/catalogue.ts';

/** What is wrong with a message that should have been signed. */
export type SignatureProblemKind =
  | 'missing'
  | 'unreadable'
  | 'oversized'
  | 'forbidden-header'
  | 'wrong-algorithm'
  | 'unknown-key'
  | 'altered'
  | 'other-message'
  | 'other-action'
  | 'other-charger'
  | 'stale'
  | 'from-the-future'
  | 'replayed'
  | 'unchecked';

/** The first thing that is wrong with a message. */
export interface SignatureProblem {
  readonly is: SignatureProblemKind;
  /** For the operator. Holds nothing that the message holds. */
  readonly detail: string;
}

/** The error code of each problem. */
export const signatureCodes = {
  missing: 'SIGNATURE_MISSING',
  unreadable: 'SIGNATURE_UNREADABLE',
  oversized: 'SIGNATURE_OVERSIZED',
  'forbidden-header': 'SIGNATURE_HEADER',
  'wrong-algorithm': 'SIGNATURE_ALGORITHM',
  'unknown-key': 'SIGNATURE_KEY_UNKNOWN',
  altered: 'SIGNATURE_ALTERED',
  'other-message': 'SIGNATURE_OTHER_MESSAGE',
  'other-action': 'SIGNATURE_OTHER_ACTION',
  'other-charger': 'SIGNATURE_OTHER_CHARGER',
  stale: 'SIGNATURE_STALE',
  'from-the-future': 'SIGNATURE_FUTURE',
  replayed: 'SIGNATURE_REPLAYED',
  unchecked: 'SIGNATURE_UNCHECKED',
} as const satisfies Readonly<Record<SignatureProblemKind, ErrorCode>>;

/** A failed Result with a problem. */
export function refuse(
  is: SignatureProblemKind,
  detail: string,
): { readonly ok: false; readonly error: SignatureProblem } {
  return { ok: false, error: { is, detail } };
}
