import type { NewEntry } from './entry-rows.ts';
import { freshFeederState, limitsAt } from './feeder-state.ts';
import type { Feeder } from './feeders.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import { wholeCommandMilli } from './load-change.ts';
import type { LoadCommandRequest } from './ramp-target.ts';

/** Entries that are kept until the store takes them. More than an outage lets through. */
const entriesMax = 10_000;

/**
 * What passes while nobody can know what the budgets have left: single stops, one an interval for
 * each feeder and gateway, within the budget in kilowatts. A car must be stoppable; everything else
 * waits for the store.
 */
export class Outage {
  readonly #ledgers = new Map<string, Ledger>();
  #unwritten: NewEntry[] = [];

  /** May this command pass, though the store is away? What it takes is noted. */
  mayPass(
    request: LoadCommandRequest,
    subject: {
      readonly chargerKey: string;
      readonly commandId: string;
      readonly chain: readonly Feeder[];
    },
    nowMs: number,
  ): boolean {
    const { estimate, loadClass } = request;
    if (loadClass !== 'stop' || this.#unwritten.length >= entriesMax) return false;
    const { chain, chargerKey, commandId } = subject;
    const fits = chain.every((feeder) => {
      const { ceiling, limits } = limitsAt(feeder, freshFeederState, nowMs, 'ordinary');
      const trickle = { ceiling, limits: { ...limits, commandsMilli: wholeCommandMilli } };
      const ledger = this.#ledgerOf(feeder);
      return ledger.shortages(estimate.now, nowMs, trickle, 'alone').length === 0;
    });
    if (!fits) return false;
    const entry: LedgerEntry = { ...estimate.now, atMs: nowMs };
    for (const feeder of chain) {
      this.#ledgerOf(feeder).add(entry);
      this.#unwritten.push({
        ...entry,
        feeder: feeder.name,
        kind: 'release',
        chargerKey,
        commandId,
      });
    }
    return true;
  }

  /** What passed and is not in the store yet. */
  get unwritten(): readonly NewEntry[] {
    return this.#unwritten;
  }

  /** The store has `entries` by now. */
  written(entries: readonly NewEntry[]): void {
    const done = new Set(entries);
    this.#unwritten = this.#unwritten.filter((entry) => !done.has(entry));
    if (this.#unwritten.length === 0) this.#ledgers.clear();
  }

  #ledgerOf(feeder: Feeder): Ledger {
    const known = this.#ledgers.get(feeder.name) ?? new Ledger(feeder.intervalMs, []);
    this.#ledgers.set(feeder.name, known);
    return known;
  }
}
