import type { Rule } from '../rules/rule.ts';
import { RuleBook } from '../rules/rule-book.ts';
import { rules } from '../rules/table.ts';
import { bootState } from './boot-state.ts';
import { certificates } from './certificates.ts';
import type { PolicyInput } from './context.ts';
import { credentialChange } from './credential-change.ts';
import { restricted } from './restricted.ts';
import { securityProfile } from './security-profile.ts';
import { transactionOwner } from './transaction-owner.ts';

/** The rules of context, in their order. */
export const policyRules: readonly Rule<PolicyInput>[] = [
  bootState,
  transactionOwner,
  restricted,
  credentialChange,
  securityProfile,
  certificates,
];

/** Every rule: those of Table 1, and then those of context. */
export const allRules = new RuleBook<PolicyInput>([...rules, ...policyRules]);
