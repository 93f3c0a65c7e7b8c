import { credentialChangesIn } from '../ocpp/credential-changes.ts';
import type { Rule, Violation } from '../rules/rule.ts';
import type { PolicyInput } from './context.ts';

/**
 * A security profile is raised and never lowered: a charger that is told to use a lower one sends
 * its password, or everything, in clear text. OCPP leaves it to the charger to refuse, and OCPP 2.1
 * has a variable that makes it accept; here the CSMS cannot have either.
 *
 * What the charger has used counts, and so does what it uses now. Network slots count as well: the
 * charger may turn to any of them.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3, A05.FR.01; OCPP 2.0.1 part 2, A05 and B09;
 * OCPP 2.1 part 2, A05 (AllowSecurityProfileDowngrade).
 */
export const securityProfile: Rule<PolicyInput> = {
  id: 10,
  name: 'security-profile',
  factor: 'System state',
  demand: 'The security profile of a charger is never lowered.',
  source: 'OCPP 2.0.1 part 2, A05',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { from: 'csms', kinds: ['call'] },

  check({ context, frame, from, version }: PolicyInput): Violation | undefined {
    if (from !== 'csms' || frame.kind !== 'call') return undefined;
    const lowest = Math.max(context.securityProfile, context.usedProfile);
    for (const change of credentialChangesIn(version, frame.action, frame.payload)) {
      switch (change.is) {
        case 'security-profile':
        case 'slot-profile':
          if (change.profile === undefined) return violation('a profile that cannot be read');
          if (change.profile < lowest) {
            return violation(`profile ${change.profile}, where ${lowest} has been used`);
          }
          break;
        case 'allow-downgrade':
          return violation('permission for the charger to lower its profile');
        case 'password':
        case 'slot-password':
          break;
      }
    }
    return undefined;
  },
};

function violation(detail: string): Violation {
  return { rule: 'security-profile', code: 'SECURITY_PROFILE_LOWERED', severity: 'hard', detail };
}
