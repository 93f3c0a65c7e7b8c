import type { CertificateBinding, ChargerCredential } from '../chargers/charger-credential.ts';
import { type ChargerId, identityKey } from '../chargers/charger-id.ts';
import type { Claim, Claims, HeldClaim, TakeOutcome } from '../chargers/claims.ts';
import type { ChargerRecord } from '../chargers/record.ts';
import { type Clock, sleep } from '../lib/clock.ts';

/** With what a charger has connected, as far as claims care. */
export interface ShownToClaim {
  /** The OCPP security profile. */
  readonly securityProfile: number;
  /** Has it shown who it is, by more than the default password of a batch? */
  readonly isProven: boolean;
  /** How its certificate is told to be its own; empty when it came without one. */
  readonly certificates: readonly CertificateBinding[];
}

/** A live connection, as far as claims care. */
export interface ClaimHolder {
  /**
   * Is the charger behind this connection alive? Asks it, and waits for a sign of life.
   *
   * @param isNewcomerProven has the one that would take its place shown who it is?
   */
  probe(isNewcomerProven: boolean): Promise<'alive' | 'silent'>;
  /** Ends the connection. */
  end(code: ClaimEnd): void;
  /** The operator has written down something else about the charger. */
  applyRecord(record: ChargerRecord | undefined): void;
  /** With what it has connected. */
  readonly shown: ShownToClaim;
  /** Is there no session yet? Then what it is told of is to be told to the session as well. */
  readonly isOnItsWay: boolean;
  /** What the store says of the charger's credential has changed. */
  applyCredential(credential: ChargerCredential): void;
  /**
   * Looks whether the charger's certificate is still good, and its password too old.
   *
   * @param mayRotate whether such a password may be replaced now.
   * @returns whether that was begun.
   */
  review(mayRotate: boolean): boolean;
}

/** Why a connection is ended whose claim is not its own any more. */
export type ClaimEnd =
  | 'SESSION_REPLACED'
  | 'CLAIM_LOST'
  | 'CHARGER_REMOVED'
  | 'CREDENTIAL_CHANGED'
  | 'CREDENTIAL_REVOKED'
  | 'IDENTITY_QUARANTINED';

/** What to do with a second connection of one identity. */
export const duplicatePolicies = ['probe', 'reject-new', 'replace-old'] as const;
/** One such policy. */
export type DuplicatePolicy = (typeof duplicatePolicies)[number];

/** How a claim came out. */
export type ClaimOutcome =
  | { readonly is: 'claimed'; readonly claim: Claim; readonly replaced: boolean }
  | { readonly is: 'active' }
  /** The newcomer left while the older connection was asked. */
  | { readonly is: 'gone' }
  | Extract<TakeOutcome, { is: 'quarantined' }>;

/** Choices about second connections. */
export interface SessionsOptions {
  readonly policy: DuplicatePolicy;
  /** How long another gateway may take to ask its charger, in milliseconds. */
  readonly remoteProbeMs: number;
}

interface Held {
  /** Undefined while the store is asked. */
  epoch: number | undefined;
  holder: ClaimHolder | undefined;
  isBeingProbed: boolean;
  /** The connection is over; the store may not know yet. */
  hasEnded: boolean;
  /** The store knows as well. */
  isForgotten: boolean;
}

/** How often the store is asked what another gateway has found out, in milliseconds. */
const remotePollMs = 250;

/**
 * Who is connected: one live connection per identity. The claim itself is in the store, for all
 * gateways; here is what this process knows of its own connections, so that it can ask them.
 *
 * "Newest wins" lets an impostor displace a charger; "oldest wins" locks a charger out after a
 * network failure, because its dead connection looks alive. `probe` asks the older connection.
 *
 * Source: PNNL-35706 section 4.0 (spoofed identifiers); docs/divergences.md.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #claims: Claims;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  /** Also of claims that are being contested at this moment. */
  readonly #heldBy = new WeakMap<Claim, Held>();

  constructor(claims: Claims, options: SessionsOptions, clock: Clock) {
    this.#claims = claims;
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * Claims `charger`. Of two newcomers that arrive together, at most one gets the claim.
   *
   * @param gone aborted when the newcomer leaves.
   * @param isProven has the newcomer shown who it is?
   * @throws StoreError when nobody can know; then nothing has changed.
   */
  async claim(charger: ChargerId, gone: AbortSignal, isProven = false): Promise<ClaimOutcome> {
    const key = identityKey(charger);
    const older = this.#held.get(key);
    if (older?.hasEnded === false && !(await this.#mayReplace(older, isProven)))
      return { is: 'active' };
    if (gone.aborted) return { is: 'gone' };
    // Others ran while the probe waited: the identity may be free, or somebody else's, by now.
    const current = this.#held.get(key);
    if (current !== older && current?.hasEnded === false) return { is: 'active' };
    const mine: Held = {
      epoch: undefined,
      holder: undefined,
      isBeingProbed: false,
      hasEnded: false,
      isForgotten: false,
    };
    this.#held.set(key, mine);
    let outcome: ClaimOutcome | undefined;
    try {
      outcome = await this.#take(charger, current);
    } finally {
      if (outcome?.is === 'claimed') {
        mine.epoch = outcome.claim.epoch;
        this.#heldBy.set(outcome.claim, mine);
      }
      // Whoever held it before still does, unless its claim was taken away.
      else this.#restore(key, mine, outcome?.is === 'quarantined' ? undefined : current);
    }
    if (outcome.is !== 'active' && current?.hasEnded === false) {
      const isQuarantined = outcome.is === 'quarantined';
      current.holder?.end(isQuarantined ? 'IDENTITY_QUARANTINED' : 'SESSION_REPLACED');
    }
    return outcome;
  }

  /** Says who holds `claim`. A claim that nobody holds answers no probe and counts as alive. */
  hold(claim: Claim, holder: ClaimHolder | undefined): void {
    const held = this.#heldBy.get(claim);
    if (held !== undefined && !held.hasEnded) held.holder = holder;
  }

  /**
   * The connection under `claim` is over.
   *
   * The next connection of the charger may be here before the store knows: until `forget` it can
   * take the claim over as it is.
   */
  end(claim: Claim): void {
    const held = this.#heldBy.get(claim);
    if (held === undefined) return;
    held.hasEnded = true;
    held.holder = undefined;
  }

  /** The store knows that `claim` is over. */
  forget(claim: Claim): void {
    const held = this.#heldBy.get(claim);
    const key = identityKey(claim.charger);
    if (held?.hasEnded !== true) return;
    // A newcomer that waits for the store would bring it back when it fails.
    held.isForgotten = true;
    if (this.#held.get(key) === held) this.#held.delete(key);
  }

  /** The live connection with this identity, if its claim has this epoch. */
  holderOf(key: string, epoch?: number): ClaimHolder | undefined {
    const held = this.#held.get(key);
    return epoch === undefined || held?.epoch === epoch ? held?.holder : undefined;
  }

  /** Is there a connection with this identity, live or on its way in? */
  isClaimed(key: string): boolean {
    return this.#held.get(key)?.hasEnded === false;
  }

  /**
   * Live connections whose claim is not among `own` any more, by identity key.
   *
   * @param own epochs by identity key, as the store has them.
   */
  lost(own: ReadonlyMap<string, number>): ReadonlyMap<string, ClaimHolder> {
    const lost = new Map<string, ClaimHolder>();
    for (const [key, { epoch, holder }] of this.#held) {
      if (holder !== undefined && own.get(key) !== epoch) lost.set(key, holder);
    }
    return lost;
  }

  /** The identity keys of all connections. */
  keys(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Identities that are claimed by a connection of this process. */
  get count(): number {
    let count = 0;
    for (const { hasEnded } of this.#held.values()) if (!hasEnded) count += 1;
    return count;
  }

  #restore(key: string, mine: Held, before: Held | undefined): void {
    if (this.#held.get(key) !== mine) return;
    if (before === undefined || before.isForgotten) this.#held.delete(key);
    else this.#held.set(key, before);
  }

  async #take(charger: ChargerId, before: Held | undefined): Promise<ClaimOutcome> {
    const replaces = before?.hasEnded === false;
    if (before?.epoch !== undefined) {
      const { epoch, hasEnded } = before;
      const held = { epoch, incarnation: this.#claims.incarnation };
      const handedOver = await this.#claims.takeOver(charger, held, hasEnded);
      if (handedOver.is !== 'held') return outcomeOf(handedOver, replaces);
      // The store knows of its end by now, or another gateway has the charger.
    }
    let taken = await this.#claims.take(charger);
    // Freed between the attempt and the look at who holds it.
    if (taken.is === 'held' && taken.by.incarnation === '')
      taken = await this.#claims.take(charger);
    if (taken.is !== 'held') return outcomeOf(taken, replaces);
    if (taken.by.incarnation !== this.#claims.incarnation) return this.#contest(charger, taken.by);
    // This gateway holds it, and no connection of it does: the answer to an earlier claim was lost.
    const recovered = await this.#claims.takeOver(charger, taken.by, true);
    return recovered.is === 'held' ? { is: 'active' } : outcomeOf(recovered, replaces);
  }

  /** The claim is held by another gateway: this one cannot ping the charger, so it asks. */
  async #contest(charger: ChargerId, by: HeldClaim): Promise<ClaimOutcome> {
    const { policy, remoteProbeMs } = this.#options;
    // Without a holder it has just become free; the charger will try again.
    if (policy === 'reject-new' || by.incarnation === '') return { is: 'active' };
    if (policy === 'probe') {
      const askedAtMs = await this.#claims.askWhetherAlive(charger, by);
      const deadlineMs = this.#clock.elapsedMs() + remoteProbeMs;
      for (;;) {
        const answer = await this.#claims.answerSince(charger, by, askedAtMs);
        if (answer === 'gone') break;
        if (answer === 'alive') return { is: 'active' };
        // No answer is no proof that the charger is gone; the end of the other's lease is.
        if (this.#clock.elapsedMs() >= deadlineMs) break;
        await sleep(this.#clock, remotePollMs);
      }
      const freed = await this.#claims.take(charger);
      if (freed.is !== 'taken') return freed.is === 'held' ? { is: 'active' } : freed;
      // A take-over like any other, and counted like one.
      const { epoch } = freed.claim;
      const own = { epoch, incarnation: this.#claims.incarnation };
      const counted = await this.#claims.takeOver(charger, own, false);
      return counted.is === 'held' ? { is: 'active' } : outcomeOf(counted, true);
    }
    const taken = await this.#claims.takeOver(charger, by, false);
    return taken.is === 'held' ? { is: 'active' } : outcomeOf(taken, true);
  }

  async #mayReplace(older: Held, isProven: boolean): Promise<boolean> {
    const { policy } = this.#options;
    // Whoever has shown nothing does not keep out whoever has.
    if (isProven && older.holder?.shown.isProven === false) return true;
    if (older.holder === undefined || policy === 'reject-new') return false;
    if (policy === 'replace-old') return true;
    // One probe at a time: a crowd of impostors must not become a flood of pings.
    if (older.isBeingProbed) return false;
    older.isBeingProbed = true;
    try {
      return (await older.holder.probe(isProven)) === 'silent';
    } finally {
      older.isBeingProbed = false;
    }
  }
}

function outcomeOf(taken: Exclude<TakeOutcome, { is: 'held' }>, replaced: boolean): ClaimOutcome {
  return taken.is === 'taken' ? { is: 'claimed', claim: taken.claim, replaced } : taken;
}
