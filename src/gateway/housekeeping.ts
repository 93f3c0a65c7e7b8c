import type { Claims } from '../chargers/claims.ts';
import type { ChargerDirectory } from '../chargers/directory.ts';
import { storedIdentity } from '../chargers/record.ts';
import { changesSince, latestRevision } from '../chargers/registry-changes.ts';
import type { EventSink } from '../events/emit.ts';
import { judgeProfile } from '../identity/security-profile.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import type { Sessions } from './sessions.ts';

/** What housekeeping works with. */
export interface HousekeepingTools {
  readonly store: Store;
  readonly claims: Claims;
  readonly sessions: Sessions;
  readonly directory: ChargerDirectory;
  readonly clock: Clock;
  readonly emit: EventSink;
  /** How long the lease lasts, in milliseconds. */
  readonly leaseMs: number;
  /** Are chargers let in that nobody has written down? */
  readonly admitsUnknown: boolean;
  /**
   * Deletes some of what is too old or too much.
   *
   * @returns whether there is more of it.
   */
  prune(): Promise<boolean>;
}

/** How often other gateways and operators are listened to, in milliseconds. */
const lookMs = 500;
/** Changes of the registry that are read at a time. */
const changesMax = 200;
/** How often there may be something to prune, in milliseconds. */
const pruneMs = 600_000;
/** Between two reviews of what chargers are connected with, in milliseconds. */
const reviewMs = 2_000;
/** Chargers that are reviewed in a step, and the time between two steps, in milliseconds. */
const reviewedAtOnceMax = 20;
const reviewStepMs = 100;
/** Passwords that are replaced because of their age in one review. */
const rotationsPerReviewMax = 4;
/** Between two steps of pruning, so that they never crowd out what matters, in milliseconds. */
const pruneStepMs = 250;

/**
 * What a gateway does beside relaying: it renews its lease, answers other gateways that ask about
 * its chargers, takes notice of what operators change, and prunes what grows.
 */
export class Housekeeping {
  readonly #tools: HousekeepingTools;
  /** Ends the pauses that are under way. */
  readonly #wakers = new Set<() => void>();
  /**
   * Identity keys of chargers that were changed while they waited for their turn, or while the CSMS
   * was being dialed for them: they are let in by what was known before, and looked up again once
   * they are in.
   */
  readonly #onTheirWay = new Set<string>();
  #isStopping = false;
  #loops: readonly Promise<void>[] = [];
  #revision = 0;

  constructor(tools: HousekeepingTools) {
    this.#tools = tools;
  }

  /** @throws StoreError */
  async start(): Promise<void> {
    this.#revision = await this.#tools.store.query(latestRevision);
    const { leaseMs } = this.#tools;
    this.#loops = [
      this.#repeat(lookMs, () => this.#look()),
      // Two renewals may fail before the lease runs out.
      this.#repeat(leaseMs / 3, () => this.#renew()),
      this.#repeat(pruneMs, () => this.#prune()),
      this.#repeat(reviewMs, () => this.#review()),
    ];
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const wake of this.#wakers) wake();
    await Promise.all(this.#loops);
  }

  /** Nothing that goes wrong in one round ends the next one. */
  async #repeat(everyMs: number, round: () => Promise<void>): Promise<void> {
    const { clock } = this.#tools;
    for (;;) {
      await this.#pause(clock, everyMs);
      if (this.#isStopping) return;
      try {
        await round();
      } catch (error) {
        this.#report(error);
      }
    }
  }

  /** The store says itself that it is away. */
  #report(error: unknown): void {
    if (!isStoreError(error)) this.#tools.emit({ name: 'HousekeepingFailed', error });
  }

  #pause(clock: Clock, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = clock.after(delayMs, wake);
      this.#wakers.add(wake);
      if (this.#isStopping) wake();
    });
  }

  async #renew(): Promise<void> {
    const { claims, sessions } = this.#tools;
    const { hadLapsed } = await claims.renew();
    if (!hadLapsed) return;
    // Others could take this gateway's chargers meanwhile; those they took are theirs.
    for (const [charger, holder] of sessions.lost(await claims.own())) {
      this.#tools.emit({ name: 'ClaimLost', charger });
      holder.end('CLAIM_LOST');
    }
  }

  async #look(): Promise<void> {
    const { claims, sessions, store } = this.#tools;
    // Only a write shows that the store is back; there may be nothing else to write.
    if (!store.isAvailable) await this.#renew();
    if (claims.isShared) await this.#answerNotices();
    for (const key of [...this.#onTheirWay]) {
      // It is looked up once when it was changed, and once when it is in; a crowd may wait for minutes.
      if (sessions.holderOf(key)?.isOnItsWay === true) continue;
      this.#onTheirWay.delete(key);
      try {
        await this.#applyChange(key);
      } catch (error) {
        this.#onTheirWay.add(key);
        throw error;
      }
    }
    const { changes, hasGap } = await store.query((db) =>
      changesSince(db, this.#revision, changesMax),
    );
    for (const { identityKey, revision } of changes) {
      await this.#applyChange(identityKey);
      this.#revision = revision;
    }
    if (!hasGap) return;
    // What was missed is not known: everybody who is connected is looked up again.
    const latest = await store.query(latestRevision);
    for (const key of sessions.keys()) await this.#applyChange(key);
    this.#revision = latest;
  }

  async #answerNotices(): Promise<void> {
    const { claims, sessions } = this.#tools;
    for (const { epoch, identityKey, kind } of await claims.takeNotices()) {
      const holder = sessions.holderOf(identityKey, epoch);
      if (holder === undefined) continue;
      if (kind === 'replaced') {
        holder.end('SESSION_REPLACED');
        continue;
      }
      // Not waited for: a charger takes its time to answer.
      void holder
        // Of one that came to another gateway nobody here knows what it has shown.
        .probe(false)
        .then(async (sign) => {
          if (sign === 'silent') holder.end('SESSION_REPLACED');
          else await claims.sayAlive(identityKey, epoch);
        })
        .catch((error: unknown) => this.#report(error));
    }
  }

  async #applyChange(key: string): Promise<void> {
    const { admitsUnknown, claims, directory, sessions } = this.#tools;
    const holder = sessions.holderOf(key);
    if (holder === undefined) {
      if (sessions.isClaimed(key)) this.#onTheirWay.add(key);
      return;
    }
    const id = storedIdentity(key);
    const { certificates, securityProfile } = holder.shown;
    const { certificateOwners, credential, entry, record } = await directory.find(id, certificates);
    const isQuarantined = (await claims.quarantinedUntilMs(id)) !== undefined;
    if (isQuarantined) holder.end('IDENTITY_QUARANTINED');
    else if (record === undefined && (!admitsUnknown || entry === undefined)) {
      holder.end('CHARGER_REMOVED');
    } else if (certificates.length > 0 && !certificateOwners.includes(key)) {
      holder.end('CREDENTIAL_REVOKED');
    } else if (judgeProfile(securityProfile, record, credential).is === 'too-low') {
      holder.end('CREDENTIAL_REVOKED');
    } else {
      holder.applyRecord(record);
      holder.applyCredential(credential);
      if (holder.isOnItsWay) this.#onTheirWay.add(key);
    }
  }

  async #review(): Promise<void> {
    const { clock, sessions, store } = this.#tools;
    let rotations = 0;
    for (const [index, key] of sessions.keys().entries()) {
      // A fleet that was commissioned in one hour is due in one hour, and must not reconnect at once.
      const hasRotated = sessions
        .holderOf(key)
        ?.review(store.isAvailable && rotations < rotationsPerReviewMax);
      if (hasRotated === true) rotations += 1;
      if ((index + 1) % reviewedAtOnceMax === 0) await this.#pause(clock, reviewStepMs);
      if (this.#isStopping) return;
    }
  }

  async #prune(): Promise<void> {
    const { clock } = this.#tools;
    while (!this.#isStopping && (await this.#tools.prune())) {
      await this.#pause(clock, pruneStepMs);
    }
  }
}
