/** A transaction as the CSMS knows it. */
export interface CsmsTransaction {
  /** As the charger says it; in 1.6 a number that the CSMS allotted. */
  readonly transactionId: string;
  readonly identity: string;
  /** The connector (1.6) or the EVSE (2.x). */
  readonly connectorId: number;
  readonly idTag: string;
  readonly startedAt: string;
  readonly meterStartWh: number | undefined;
  /** The last register that the charger has told. */
  readonly meterWh: number | undefined;
  readonly endedAt: string | undefined;
  readonly reason: string | undefined;
  /** The last sequence number of 2.x. */
  readonly seqNo: number | undefined;
}

/** What a message tells of a transaction; what is undefined is not told. */
export type TransactionChange = {
  readonly [Key in keyof CsmsTransaction]?: CsmsTransaction[Key] | undefined;
};

/** Transactions that are kept; beyond it the oldest is forgotten. */
const transactionsMax = 10_000;

/** The transactions of all chargers. */
export class CsmsTransactions {
  readonly #transactions = new Map<string, CsmsTransaction>();
  #lastId = 0;

  /** The next transaction id of 1.6: 1, 2, 3. */
  allotId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Adds a transaction, or changes the one that is known. */
  record(identity: string, transactionId: string, change: TransactionChange): void {
    const key = JSON.stringify([identity, transactionId]);
    const known = this.#transactions.get(key) ?? emptyTransaction(identity, transactionId);
    const given = Object.entries(change).filter(([, value]) => value !== undefined);
    this.#transactions.set(key, { ...known, ...Object.fromEntries(given) });
    if (this.#transactions.size <= transactionsMax) return;
    const [oldest] = this.#transactions.keys();
    if (oldest !== undefined) this.#transactions.delete(oldest);
  }

  /** Every transaction, oldest first. */
  all(): readonly CsmsTransaction[] {
    return [...this.#transactions.values()];
  }
}

function emptyTransaction(identity: string, transactionId: string): CsmsTransaction {
  return {
    transactionId,
    identity,
    connectorId: 0,
    idTag: '',
    startedAt: '',
    meterStartWh: undefined,
    meterWh: undefined,
    endedAt: undefined,
    reason: undefined,
    seqNo: undefined,
  };
}
