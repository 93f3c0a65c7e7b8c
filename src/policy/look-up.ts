import type { Peer } from '../ocpp/version.ts';
import type { Frame } from '../rules/frame.ts';
import { commonNameToLookUp } from './certificates.ts';
import type { LookUp, PolicyContext } from './context.ts';
import { transactionToLookUp } from './transaction-owner.ts';

/** What the store must be asked before `frame` can be judged; undefined for nothing. */
export function lookUpFor(frame: Frame, from: Peer, context: PolicyContext): LookUp | undefined {
  const transactionId = from === 'charger' ? transactionToLookUp(frame, context) : undefined;
  if (transactionId !== undefined) return { about: 'transaction', transactionId };
  const commonName = commonNameToLookUp(frame, from, context);
  return commonName === undefined ? undefined : { about: 'certificate', commonName };
}
