import { credentialChangesIn } from '../ocpp/credential-changes.ts';
import type { Rule, Violation } from '../rules/rule.ts';
import type { PolicyInput } from './context.ts';

/**
 * Nobody sets the password of a charger behind the back of the gateway, which would refuse the
 * charger afterwards; and nobody who has got into the CSMS takes a charger over that way.
 *
 * Where the CSMS keeps the passwords, the gateway takes over what the charger accepts. That works
 * for one password at a time, and not for those of network slots: nobody knows when the charger
 * begins to use one. Without a security profile there is no password to speak of.
 *
 * Source: "Improved security for OCPP 1.6-J" edition 3, A01; OCPP 2.0.1 part 2, A01; OCPP 2.1
 * part 2, B09 (passwords of network slots).
 */
export const credentialChange: Rule<PolicyInput> = {
  id: 9,
  name: 'credential-change',
  factor: 'System state',
  demand: 'A charger’s password is changed only where the gateway can keep track of it.',
  source: 'OCPP 2.0.1 part 2, A01',
  onFail: { call: 'call-error', reply: 'drop' },
  concerns: { from: 'csms', kinds: ['call'] },

  check({ context, frame, from, version }: PolicyInput): Violation | undefined {
    if (from !== 'csms' || frame.kind !== 'call') return undefined;
    const changes = credentialChangesIn(version, frame.action, frame.payload);
    if (changes.some(({ is }) => is === 'slot-password')) {
      return violation('a password that nobody can keep track of');
    }
    const count = changes.filter(({ is }) => is === 'password').length;
    if (count === 0 || context.securityProfile === 0) return undefined;
    if (context.credentialChanges === 'refuse') return violation('the password of the charger');
    return count === 1 ? undefined : violation('several passwords at once');
  },
};

function violation(detail: string): Violation {
  return { rule: 'credential-change', code: 'CREDENTIAL_CHANGE', severity: 'hard', detail };
}
