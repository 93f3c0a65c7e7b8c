import { type ChargerId, identityKey } from '../chargers/charger-id.ts';
import { matchesGlob } from '../lib/glob.ts';

/** An isolated network, and who is in it. */
export interface ChargerNetwork {
  readonly name: string;
  /** Identities, or patterns with `*`, whatever their case. */
  readonly chargers: readonly string[];
}

/**
 * From where a charger may connect: a network is evidence of who is in it.
 *
 * A charger that belongs into networks may connect from these and from nowhere else; one that belongs
 * into none may not connect from any of them.
 *
 * Source: PNNL-35706 section 4.0, figures 5 and 6.
 */
export class ChargerNetworks {
  readonly #patterns: ReadonlyMap<string, readonly string[]>;

  constructor(networks: readonly ChargerNetwork[]) {
    this.#patterns = new Map(
      networks.map(({ chargers, name }) => [name, chargers.map((it) => it.toLowerCase())]),
    );
  }

  /** @param network where the charger has come from; undefined for none that is isolated. */
  admit(charger: ChargerId, network: string | undefined): boolean {
    const key = identityKey(charger);
    if (network !== undefined) return isAmong(key, this.#patterns.get(network) ?? []);
    return ![...this.#patterns.values()].some((patterns) => isAmong(key, patterns));
  }
}

function isAmong(key: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, key));
}
