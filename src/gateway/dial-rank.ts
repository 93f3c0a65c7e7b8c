import type { FoundCharger } from '../chargers/directory.ts';
import type { Authenticated } from '../identity/authentication.ts';

/** Who is connected to the CSMS first when many chargers come at once; the best rank first. */
export const dialRanks = ['proven', 'known', 'newcomer'] as const;
/**
 * - `proven`: has shown who it is, by its own password or certificate.
 * - `known`: somebody has written it down, but it has shown nothing: security profile 0.
 * - `newcomer`: all others. Whoever invents identities, or is the first to use one, is among them.
 */
export type DialRank = (typeof dialRanks)[number];

/**
 * The rank of a charger.
 *
 * @param found what was known of it before it came: from then on a newcomer is written down.
 */
export function dialRank(
  authenticated: Authenticated,
  { record }: Pick<FoundCharger, 'record'>,
): DialRank {
  switch (authenticated.by) {
    case 'password':
      return 'proven';
    case 'certificate':
      return authenticated.learns === undefined ? 'proven' : 'newcomer';
    case 'nobody':
      return record === undefined ? 'newcomer' : 'known';
    case 'first-password':
    case 'default-password':
      return 'newcomer';
  }
}
