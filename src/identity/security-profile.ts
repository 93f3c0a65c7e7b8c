import type { ChargerCredential } from '../chargers/charger-credential.ts';
import type { ChargerRecord } from '../chargers/record.ts';

/** What a charger's security profile is worth, against what was asked of it. */
export type ProfileVerdict =
  /** `candidate` is the profile that it was told to use, when it has come with a lower one. */
  { readonly is: 'allowed'; readonly candidate: number | undefined } | { readonly is: 'too-low' };

/**
 * May a charger connect with `profile`?
 *
 * Not below what it has used before, nor below what the operator demands. A charger that was told
 * to use a higher profile may fall back to the old one until it has succeeded once.
 *
 * Source: OCPP 2.0.1 part 2, A00.FR.005 and A05.FR.08, A05.FR.09.
 */
export function judgeProfile(
  profile: number,
  record: ChargerRecord | undefined,
  { raise, usedProfile }: ChargerCredential,
): ProfileVerdict {
  const floor = Math.max(usedProfile, record?.requiredSecurityProfile ?? 0);
  if (profile < floor) return { is: 'too-low' };
  const isFallback = raise !== undefined && profile < raise.to;
  return { is: 'allowed', candidate: isFallback ? raise.to : undefined };
}
