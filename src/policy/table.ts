import type { Rule } from '../rules/rule.ts';
import { bootState } from './boot-state.ts';
import type { PolicyContext } from './context.ts';
import { transactionOwner } from './transaction-owner.ts';

/** The rules of context for one charger, in their order. */
export function policyRules(context: PolicyContext): readonly Rule[] {
  return [bootState(context), transactionOwner(context)];
}
