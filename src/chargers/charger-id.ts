/**
 * A charger's identity, parsed once from its upgrade request and never again.
 *
 * Holds only printable ASCII without slashes, backslashes or percent signs, so that no later step
 * can read it differently. Made by `identity/parse-charger-id.ts` alone.
 */
export type ChargerId = string & { readonly __brand: 'ChargerId' };

/**
 * What two spellings of one identity have in common.
 *
 * OCPP 2.x identifiers are case-insensitive. Two live chargers whose identities differ only in case
 * would be one charger to some systems and two to others, so they count as one.
 */
export function identityKey(id: ChargerId): string {
  return id.toLowerCase();
}
