import { matchesGlob } from '../lib/glob.ts';
import type { ChargerSettings, RegisteredCharger } from './charger-entry.ts';
import { type ChargerId, identityKey } from './charger-id.ts';

/** What the operator has written down about a charger, or about all that match a pattern. */
export interface ChargerRecord extends ChargerSettings {
  /** An identity, or a pattern in which `*` stands for any characters. Case does not matter. */
  readonly id: string;
}

/** Looks chargers up. */
export interface ChargerRecords {
  /** The first record that matches `id`. */
  find(id: ChargerId): ChargerRecord | undefined;
}

/** The records of a configuration file: exact identities first, then patterns in their order. */
export function recordsFromList(list: readonly ChargerRecord[]): ChargerRecords {
  const exact = new Map<string, ChargerRecord>();
  const patterns: { readonly pattern: string; readonly record: ChargerRecord }[] = [];
  for (const record of list) {
    const pattern = record.id.toLowerCase();
    if (pattern.includes('*')) patterns.push({ pattern, record });
    else if (!exact.has(pattern)) exact.set(pattern, record);
  }
  return {
    find(id) {
      const key = identityKey(id);
      return exact.get(key) ?? patterns.find(({ pattern }) => matchesGlob(pattern, key))?.record;
    },
  };
}

/** The identity as the operator spells it, where a record names it exactly; as it came elsewhere. */
export function canonicalIdentity(id: ChargerId, record: ChargerRecord | undefined): ChargerId {
  const namesIt = record !== undefined && record.id.toLowerCase() === identityKey(id);
  // The record's spelling differs in case alone, so it is as safe as the parsed one.
  return namesIt ? (record.id as ChargerId) : id;
}

/** An identity that was parsed before it was stored. */
export function storedIdentity(identity: string): ChargerId {
  return identity as ChargerId;
}

/**
 * What the operator has said of a charger in the registry and in the configuration file together.
 * What stands in the registry wins, member by member: it can be changed while the gateway runs.
 *
 * @returns undefined when neither admits the charger. An entry that is there because the
 *   configuration file once admitted the charger admits nobody by itself.
 */
export function mergeRecord(
  entry: RegisteredCharger | undefined,
  configured: ChargerRecord | undefined,
): ChargerRecord | undefined {
  if (entry === undefined) return configured;
  if (entry.origin === 'configured' && configured === undefined) return undefined;
  return { ...configured, ...entry.settings, id: mergedSpelling(entry, configured) };
}

/** The spelling of an entry that the charger itself caused is no more than how it came once. */
function mergedSpelling(entry: RegisteredCharger, configured: ChargerRecord | undefined): string {
  const isNamed = configured?.id.toLowerCase() === identityKey(entry.identity);
  return entry.origin === 'configured' && isNamed ? configured.id : entry.identity;
}
