import { bindingText } from './binding-text.ts';
import type { CredentialReport } from './credential-report.ts';

/** The rows about a credential for people; what there is not is left out. */
export function credentialRows(report: CredentialReport): readonly (readonly string[])[] {
  const { isDefaultRetired, nextPassword, password, rotation, securityProfile } = report;
  const { raise, required, used } = securityProfile;
  return [
    ...row('profile used', used === 0 ? null : `${used}`),
    ...row('profile required', required === 0 ? null : `${required} or higher`),
    ...row('being raised', raise && `to ${raise.to} since ${raise.since}, ${fallbacks(raise)}`),
    ...row('password', password && passwordText(password)),
    ...row(
      'new password',
      nextPassword &&
        `${nextPassword.state} since ${nextPassword.since} (origin ${nextPassword.origin})`,
    ),
    ...row('rotation requested', rotation.requestedAt),
    ...row(
      'last rotation',
      rotation.outcome === null ? null : `${rotation.outcome} at ${rotation.outcomeAt}`,
    ),
    ...row('default password', isDefaultRetired ? 'does not hold any more' : null),
    ...report.certificates.map((binding) => ['certificate', bindingText(binding)]),
    ...row('CSMS password', report.hasCsmsPassword ? 'is set' : null),
    ...row('last address', report.lastAddress),
  ];
}

function row(name: string, value: string | null): readonly (readonly string[])[] {
  return value === null ? [] : [[name, value]];
}

function fallbacks({ fallbacks: count }: { readonly fallbacks: number }): string {
  return count === 0 ? 'no lower one since' : `a lower one ${count} times since`;
}

function passwordText(password: NonNullable<CredentialReport['password']>): string {
  const { ageDays, form, origin, setAt } = password;
  const age = ageDays === 1 ? '1 day' : `${ageDays} days`;
  const sent = form === null ? 'not used yet' : form === 'hex' ? 'sent as digits' : 'sent as bytes';
  return `origin ${origin}, set ${setAt} (${age}), ${sent}`;
}
