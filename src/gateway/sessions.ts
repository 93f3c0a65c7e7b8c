import { type ChargerId, identityKey } from '../chargers/charger-id.ts';

/** A live connection, as far as claims care. */
export interface ClaimHolder {
  /** Is the charger behind this connection alive? Asks it, and waits for a sign of life. */
  probe(): Promise<'alive' | 'silent'>;
  /** Ends the connection in favour of a newer one. */
  replace(): void;
}

/** The right to be the one live connection of an identity. */
export interface Claim {
  readonly charger: ChargerId;
  /** Rises with each claim, so that the late end of an old connection never ends a new one. */
  readonly epoch: number;
}

/** What to do with a second connection of one identity. */
export const duplicatePolicies = ['probe', 'reject-new', 'replace-old'] as const;
/** One such policy. */
export type DuplicatePolicy = (typeof duplicatePolicies)[number];

/** How a claim came out. */
export type ClaimOutcome =
  | { readonly is: 'claimed'; readonly claim: Claim; readonly replaced: boolean }
  | { readonly is: 'active' };

interface Held {
  readonly epoch: number;
  holder: ClaimHolder | undefined;
  isBeingProbed: boolean;
}

/**
 * Who is connected: one live connection per identity, in this process.
 *
 * "Newest wins" lets an impostor displace a charger; "oldest wins" locks a charger out after a
 * network failure, because its dead connection looks alive. `probe` asks the older connection.
 *
 * Source: PNNL-35706 section 4.0 (spoofed identifiers); docs/divergences.md.
 */
export class Sessions {
  readonly #policy: DuplicatePolicy;
  readonly #held = new Map<string, Held>();
  #epoch = 0;

  constructor(policy: DuplicatePolicy) {
    this.#policy = policy;
  }

  /** Claims `charger`. Of two newcomers that arrive together, at most one gets the claim. */
  async claim(charger: ChargerId): Promise<ClaimOutcome> {
    const older = this.#held.get(identityKey(charger));
    if (older === undefined) {
      return { is: 'claimed', claim: this.#take(charger), replaced: false };
    }
    if (!(await this.#mayReplace(older))) return { is: 'active' };
    // Others ran while the probe waited: the identity may be free, or somebody else's, by now.
    const current = this.#held.get(identityKey(charger));
    if (current !== undefined && current !== older) return { is: 'active' };
    const claim = this.#take(charger);
    older.holder?.replace();
    return { is: 'claimed', claim, replaced: true };
  }

  /** Says who holds `claim`. Until then the claim answers no probe and counts as alive. */
  hold(claim: Claim, holder: ClaimHolder): void {
    const held = this.#current(claim);
    if (held !== undefined) held.holder = holder;
  }

  /** Ends `claim`. A claim that is no longer current changes nothing. */
  release(claim: Claim): void {
    if (this.#current(claim) !== undefined) this.#held.delete(identityKey(claim.charger));
  }

  /** Identities that are claimed. */
  get count(): number {
    return this.#held.size;
  }

  #take(charger: ChargerId): Claim {
    this.#epoch += 1;
    const epoch = this.#epoch;
    this.#held.set(identityKey(charger), { epoch, holder: undefined, isBeingProbed: false });
    return { charger, epoch };
  }

  #current({ charger, epoch }: Claim): Held | undefined {
    const held = this.#held.get(identityKey(charger));
    return held?.epoch === epoch ? held : undefined;
  }

  async #mayReplace(older: Held): Promise<boolean> {
    if (older.holder === undefined || this.#policy === 'reject-new') return false;
    if (this.#policy === 'replace-old') return true;
    // One probe at a time: a crowd of impostors must not become a flood of pings.
    if (older.isBeingProbed) return false;
    older.isBeingProbed = true;
    try {
      return (await older.holder.probe()) === 'silent';
    } finally {
      older.isBeingProbed = false;
    }
  }
}
