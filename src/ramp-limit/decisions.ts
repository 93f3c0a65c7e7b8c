import type { Transaction } from 'kysely';
import type { Random } from '../lib/random.ts';
import type { Store } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { insertEntries, pruneEntries } from './entry-rows.ts';
import { Outage } from './outage.ts';

/** Between two times of deleting what counts no more, in milliseconds. */
const pruneMs = 60_000;

/**
 * The decisions of one gateway, one after the other: what one of them lets through is sent before the
 * next is made. Otherwise a newer command could be sent before an older one of its charger, in the
 * moment between the transaction that has released that one and its being sent.
 */
export class Decisions {
  readonly #store: Store;
  readonly #random: Random;
  /** How long entries count, in milliseconds. */
  readonly #keptMs: number;
  readonly outage = new Outage();
  #prunedAtMs = -Infinity;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store, random: Random, keptMs: number) {
    this.#store = store;
    this.#random = random;
    this.#keptMs = keptMs;
  }

  /** Does `work` when all that was asked for before is done. */
  inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Decides in a transaction. The store has then what passed while it was away. */
  async transact<Value>(decide: (db: Transaction<Tables>) => Promise<Value>): Promise<Value> {
    const nowMs = this.#store.nowMs();
    const { unwritten } = this.outage;
    const mustPrune = nowMs - this.#prunedAtMs >= pruneMs;
    const result = await this.#store.transact(async (db) => {
      await insertEntries(db, unwritten, this.#random);
      if (mustPrune) await pruneEntries(db, nowMs - this.#keptMs);
      return decide(db);
    });
    this.outage.written(unwritten);
    if (mustPrune) this.#prunedAtMs = nowMs;
    return result;
  }
}
