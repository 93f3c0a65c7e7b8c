import type { Rule } from '../rules/rule.ts';
import { bootState } from './boot-state.ts';
import { certificates } from './certificates.ts';
import type { PolicyContext } from './context.ts';
import { credentialChange } from './credential-change.ts';
import { restricted } from './restricted.ts';
import { securityProfile } from './security-profile.ts';
import { transactionOwner } from './transaction-owner.ts';

/** The rules of context for one charger, in their order. */
export function policyRules(context: PolicyContext): readonly Rule[] {
  return [
    bootState(context),
    transactionOwner(context),
    restricted(context),
    credentialChange(context),
    securityProfile(context),
    certificates(context),
  ];
}
