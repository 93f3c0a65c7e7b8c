import { type Clock, sleep, type Timer } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import { type ChargerId, identityKey } from './charger-id.ts';
import type { Claim, Claims } from './claims.ts';
import type { Identification } from './memory/boot.ts';
import { ChargerMemory } from './memory/charger-memory.ts';
import type { Urgency } from './memory/seen.ts';
import { storedTransactionId, type WrittenCharger, writeMemories } from './write-memories.ts';

/** How long changes gather before they are written, in milliseconds. */
const soonMs = 100;
/** The same for what may be lost: the last meter values, and when a charger was last seen. */
const eventuallyMs = 30_000;
/**
 * Chargers that are written in one transaction. Messages wait meanwhile: when many had left at once,
 * steps of a hundred held up those of the others for tens of milliseconds.
 */
const perStepMax = 16;
/** Pause after a failure, in milliseconds. */
const retryMs = 1_000;
/**
 * How long a transaction that has ended is still its charger's, in milliseconds. A CSMS that counts
 * anew uses older ids again.
 */
const recentMs = 86_400_000;
/** Attempts to write what is left when the gateway stops, and the pause between them. */
const lastAttemptsMax = 3;
const lastPauseMs = 600;

/** What is to be written of one charger. */
interface Pending {
  readonly claim: Claim;
  /** Undefined when only the claim is to be released. */
  readonly memory: ChargerMemory | undefined;
  /** Did the connection end? Then its claim is released with the last write. */
  readonly hasEnded: boolean;
}

/** Who wants to hear of what `Memories` does. */
export interface MemoriesListener {
  /** The store knows that this claim is over. */
  onReleased(claim: Claim): void;
  /** So many chargers could not be written before the end; what they had done lately is lost. */
  onLost(count: number): void;
  /** Something failed, and not because the store is away. */
  onDefect(error: unknown): void;
}

/**
 * What the gateway has learned about its chargers: in memory while they are connected, and written
 * behind to the store.
 *
 * Nothing here waits for the store but `load`. While the store is away the changes stay, one entry
 * for each charger, and are written when it is back. A process that dies loses what changed in the
 * last `soonMs`, and the meter values of the last `eventuallyMs`; both are learned again from the
 * next messages.
 */
export class Memories {
  readonly #store: Store;
  readonly #claims: Claims;
  readonly #clock: Clock;
  readonly #listener: MemoriesListener;
  /** To be written at once, and later; by identity key, the oldest first. */
  readonly #soon = new Map<string, Pending>();
  readonly #eventually = new Map<string, Pending & { readonly dueMs: number }>();
  /** Being written at this moment. */
  readonly #inWriting = new Map<string, Pending>();
  /** What was last written of what a charger said of itself. */
  readonly #written = new WeakMap<ChargerMemory, Identification>();
  #timer: Timer | undefined;
  #dueMs = Infinity;
  #writing: Promise<void> | undefined;
  #perStep = perStepMax;
  #isClosed = false;

  constructor(store: Store, claims: Claims, clock: Clock, listener: MemoriesListener) {
    this.#store = store;
    this.#claims = claims;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** What is known of the charger of `claim`. @throws StoreError */
  async load({ charger }: Claim): Promise<ChargerMemory> {
    const key = identityKey(charger);
    // What an earlier connection has learned may not be written yet.
    const unwritten = this.#soon.get(key) ?? this.#eventually.get(key) ?? this.#inWriting.get(key);
    if (unwritten?.memory !== undefined) return unwritten.memory;
    const row = await this.#store.query((db) =>
      db
        .selectFrom('charger_memory')
        .select(['document', 'variables'])
        .where('identity_key', '=', key)
        .executeTakeFirst(),
    );
    return new ChargerMemory(row);
  }

  /** Takes note that `memory` has changed. */
  changed(claim: Claim, memory: ChargerMemory, urgency: Urgency): void {
    if (urgency === 'none') return;
    const key = identityKey(claim.charger);
    if (urgency === 'soon') {
      this.#add(key, { claim, memory, hasEnded: false });
      this.#schedule(soonMs);
      return;
    }
    if (this.#soon.has(key) || this.#eventually.has(key)) return;
    const dueMs = this.#clock.elapsedMs() + eventuallyMs;
    this.#eventually.set(key, { claim, memory, hasEnded: false, dueMs });
    this.#schedule(eventuallyMs);
  }

  /**
   * The connection under `claim` has ended: writes what is left, and releases the claim.
   *
   * @param memory undefined when the connection ended before anything was loaded.
   */
  ended(claim: Claim, memory: ChargerMemory | undefined): void {
    this.#add(identityKey(claim.charger), { claim, memory, hasEnded: true });
    this.#schedule(0);
  }

  /** Of an older and a newer connection of one charger, the newer one counts. */
  #add(key: string, pending: Pending): void {
    const later = this.#eventually.get(key);
    this.#eventually.delete(key);
    if (later !== undefined && later.claim.epoch > pending.claim.epoch) {
      const { claim, hasEnded, memory } = later;
      this.#soon.set(key, { claim, hasEnded, memory });
      return;
    }
    const known = this.#soon.get(key);
    if (known !== undefined && known.claim.epoch > pending.claim.epoch) return;
    if (known?.hasEnded === true && known.claim.epoch === pending.claim.epoch) return;
    // What an earlier connection has learned is not lost because a later one failed.
    this.#soon.set(key, { ...pending, memory: pending.memory ?? known?.memory });
  }

  /** Chargers of which something is not written yet. */
  get unwrittenCount(): number {
    return this.#soon.size + this.#eventually.size;
  }

  /**
   * Identity keys of chargers, other than `charger`, that have a transaction with this id; none when
   * `charger` has one as well, from so long ago that its memory does not have it any more.
   */
  async otherOwners(charger: ChargerId, transactionId: string): Promise<readonly string[]> {
    const key = identityKey(charger);
    const nowMs = this.#store.nowMs();
    const rows = await this.#store.query((db) =>
      db
        .selectFrom('charger_transaction')
        .select('identity_key')
        .where('transaction_id', '=', storedTransactionId(transactionId))
        .where((row) =>
          row.or([
            row('identity_key', '=', key),
            row('status', '=', 'open'),
            row('ended_ms', '>', nowMs - recentMs),
          ]),
        )
        .orderBy((row) => row.case().when('identity_key', '=', key).then(0).else(1).end())
        .limit(2)
        .execute(),
    );
    const owners = new Set(rows.map((row) => row.identity_key));
    if (owners.has(key)) return [];
    for (const [other, { memory }] of [...this.#soon, ...this.#eventually, ...this.#inWriting]) {
      if (other !== key && memory?.ownsTransaction(transactionId) === true) owners.add(other);
    }
    return [...owners];
  }

  /** Writes everything, if the store takes it. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#writing;
    for (const [key, pending] of this.#eventually) this.#soon.set(key, pending);
    this.#eventually.clear();
    for (let failures = 0; this.#soon.size > 0 && failures < lastAttemptsMax; ) {
      if (await this.#writeStep()) continue;
      failures += 1;
      if (failures < lastAttemptsMax) await sleep(this.#clock, lastPauseMs);
    }
    if (this.#soon.size > 0) this.#listener.onLost(this.#soon.size);
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed || this.#writing !== undefined) return;
    const dueMs = this.#clock.elapsedMs() + delayMs;
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#writing = this.#writeAll().finally(() => {
        this.#writing = undefined;
        this.#scheduleNext();
      });
    });
  }

  async #writeAll(): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    for (const [key, pending] of this.#eventually) {
      if (pending.dueMs > nowMs) break;
      this.#eventually.delete(key);
      this.#soon.set(key, pending);
    }
    // What changes meanwhile gathers for the next time.
    for (let left = this.#soon.size; left > 0; left -= this.#perStep) {
      if (!(await this.#writeStep())) return;
    }
  }

  #scheduleNext(): void {
    if (this.#soon.size > 0) {
      this.#schedule(this.#store.isAvailable ? soonMs : retryMs);
      return;
    }
    const first = this.#eventually.values().next();
    if (first.done === true) return;
    this.#schedule(Math.max(0, first.value.dueMs - this.#clock.elapsedMs()));
  }

  /** Writes some chargers. @returns whether that worked; otherwise they wait as before. */
  async #writeStep(): Promise<boolean> {
    const entries = [...this.#soon].slice(0, this.#perStep);
    const batch = entries.flatMap(([key, pending]): readonly WrittenCharger[] => {
      // From here on changes count as new ones.
      this.#soon.delete(key);
      this.#inWriting.set(key, pending);
      const { claim, memory } = pending;
      if (memory === undefined) return [];
      const { identification } = memory;
      const isNews = this.#written.get(memory) !== identification;
      // First: what is written in this very step is not saved as what is still to be written.
      const transactions = memory.takeTransactions();
      return [
        {
          claim,
          memory,
          saved: memory.save(),
          transactions,
          identification: isNews ? identification : undefined,
        },
      ];
    });
    const ended = entries.filter(([, { hasEnded }]) => hasEnded).map(([, { claim }]) => claim);
    try {
      const nowMs = this.#store.nowMs();
      await this.#store.transact(async (db) => {
        await writeMemories(db, batch, nowMs);
        // After the writing, in one transaction: whoever has the charger next reads all of it.
        await this.#claims.release(db, ended);
      });
      for (const { memory, identification } of batch) {
        if (identification !== undefined) this.#written.set(memory, identification);
      }
      for (const claim of ended) this.#listener.onReleased(claim);
      if (this.#soon.size === 0) this.#perStep = perStepMax;
      return true;
    } catch (error) {
      // A charger that cannot be written at all must not keep the others from it: they go one by
      // one, and it is left out.
      const isDefect = !isStoreError(error);
      if (isDefect) this.#listener.onDefect(error);
      const isLeftOut = isDefect && entries.length === 1;
      if (isDefect) this.#perStep = 1;
      for (const { memory, transactions } of batch) memory.putBackTransactions(transactions);
      for (const [key, pending] of entries) this.#takeBack(key, pending, isLeftOut);
      return isDefect;
    } finally {
      for (const [key] of entries) this.#inWriting.delete(key);
    }
  }
  #takeBack(key: string, pending: Pending, isLeftOut: boolean): void {
    const newer = this.#soon.get(key);
    if (isLeftOut) {
      // Its claim is released all the same.
      const hasClaimOnly = pending.memory === undefined;
      if (newer === undefined && pending.hasEnded && !hasClaimOnly) {
        this.#soon.set(key, { ...pending, memory: undefined });
      }
    } else if (newer === undefined) {
      this.#add(key, pending);
    } else if (newer.memory === undefined) {
      this.#soon.set(key, { ...newer, memory: pending.memory });
    }
  }
}
