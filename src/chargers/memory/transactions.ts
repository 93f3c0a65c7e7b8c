import { transactionKey } from '../../ocpp/transaction-id.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { integerAt, listAt } from './read-property.ts';
import {
  idTokenAt,
  openRecord,
  savedRecord,
  type TransactionParty,
  type TransactionRecord,
} from './transaction-record.ts';

/** A start that the charger accepted, and that no transaction has followed yet. */
export interface RemoteStart {
  readonly idToken: string | undefined;
  /** Undefined when the CSMS left the choice to the charger. */
  readonly connectorId: number | undefined;
  readonly atMs: number;
}

/** A transaction that the CSMS of OCPP 1.6 gave an id. */
export interface Start16 {
  readonly connectorId: number | undefined;
  readonly idToken: string | undefined;
  readonly meterStart: number | undefined;
  readonly chargerStartedAt: string | undefined;
  readonly atMs: number;
}

/** How a transaction ended. */
export interface TransactionEnd {
  readonly idToken: string | undefined;
  readonly reason: string | undefined;
  readonly meterStop: number | undefined;
  readonly chargerEndedAt: string | undefined;
  readonly atMs: number;
}

/** What an event of OCPP 2.0.1 or 2.1 says of a transaction that goes on. */
export interface Progress {
  readonly evseId: number | undefined;
  readonly connectorId: number | undefined;
  readonly idToken: string | undefined;
  readonly remoteStartId: number | undefined;
  readonly sequenceNumber: number | undefined;
  readonly chargingState: string | undefined;
  readonly meterStart: number | undefined;
  /** Only from the event that starts the transaction. */
  readonly chargerStartedAt: string | undefined;
  readonly isOffline: boolean;
}

/** Larger than any charger; the oldest is forgotten first. */
const openMax = 32;
/** Late messages about a transaction, and repeated ones, come soon after its end. */
const endedMax = 16;
/** Records that nobody has taken yet. Their writer has given up long before there are so many. */
const unwrittenMax = 64;
/** Several drivers may be on their way to their connectors. */
const remoteStartsMax = 8;
/** How long after its acceptance a start explains a transaction: cables are slow. */
const remoteStartMs = 600_000;

/** Remembers the transactions of a charger: the open ones, and the last that ended. */
export class TransactionMemory {
  #open: readonly TransactionRecord[] = [];
  #ended: readonly TransactionRecord[] = [];
  #unwritten: readonly TransactionRecord[] = [];
  #remoteStarts: readonly RemoteStart[] = [];

  constructor(saved: unknown) {
    for (const record of savedRecords(saved, 'open')) this.#keep(record);
    for (const record of savedRecords(saved, 'ended')) this.#keep(record);
    // What was restored is as it was written, but for these.
    this.#unwritten = savedRecords(saved, 'unwritten').slice(-unwrittenMax);
    this.#remoteStarts = listAt(saved, 'remoteStarts')
      .slice(-remoteStartsMax)
      .map(savedRemoteStart);
  }

  /** The transaction with this id, if it is remembered. */
  find(transactionId: string): TransactionRecord | undefined {
    const key = transactionKey(transactionId);
    const isIt = (record: TransactionRecord) => transactionKey(record.transactionId) === key;
    return this.#open.find(isIt) ?? this.#ended.findLast(isIt);
  }

  /** The CSMS of OCPP 1.6 gave a transaction its id. A known id is a new transaction all the same. */
  started16(transactionId: string, start: Start16): TransactionRecord {
    const { idToken, atMs, ...known } = start;
    const by = this.#takeRemoteStart(start) ? 'csms' : 'charger';
    const record = { ...openRecord(transactionId, 'ocpp1.6', atMs), ...known };
    return this.#replace({ ...record, startedBy: { idToken, by } });
  }

  /**
   * An event of OCPP 2.0.1 or 2.1 says how a transaction goes on. One that was not known is opened:
   * the gateway may have come later than the transaction. One that has ended stays ended.
   */
  goesOn(
    transactionId: string,
    version: OcppVersion,
    progress: Progress,
    atMs: number,
  ): TransactionRecord {
    const before = this.find(transactionId) ?? openRecord(transactionId, version, atMs);
    const remoteStartId = before.remoteStartId ?? progress.remoteStartId;
    return this.#replace({
      ...before,
      evseId: progress.evseId ?? before.evseId,
      connectorId: progress.connectorId ?? before.connectorId,
      chargerStartedAt: before.chargerStartedAt ?? progress.chargerStartedAt,
      startedBy: {
        idToken: before.startedBy.idToken ?? progress.idToken,
        by: remoteStartId === undefined ? before.startedBy.by : 'csms',
      },
      remoteStartId,
      meterStart: before.meterStart ?? progress.meterStart,
      sequenceNumber: highest(before.sequenceNumber, progress.sequenceNumber),
      chargingState: progress.chargingState ?? before.chargingState,
      isOffline: before.isOffline || progress.isOffline,
    });
  }

  /** A transaction ends. @returns undefined when it is unknown, or has ended before. */
  ends(transactionId: string, end: TransactionEnd): TransactionRecord | undefined {
    const before = this.find(transactionId);
    if (before === undefined || before.status === 'ended') return undefined;
    const wasAsked = before.stopAcceptedAtMs !== undefined || end.reason === 'Remote';
    const endedBy: TransactionParty = { idToken: end.idToken, by: wasAsked ? 'csms' : 'charger' };
    return this.#replace({
      ...before,
      status: 'ended',
      endedAtMs: end.atMs,
      chargerEndedAt: end.chargerEndedAt,
      endedBy,
      stopReason: end.reason,
      meterStop: end.meterStop,
    });
  }

  /**
   * The charger of OCPP 1.6 accepted a start. Some chargers start the transaction before they
   * answer (quirk R10): then it is the one that has begun since `sentAtMs`.
   *
   * @returns the transaction, where it has begun already.
   */
  startAccepted(start: RemoteStart, sentAtMs: number): TransactionRecord | undefined {
    const begun = this.#open.find(
      (record) =>
        record.startedAtMs >= sentAtMs &&
        record.startedBy.by === 'charger' &&
        explains(start, record.startedBy, record),
    );
    if (begun !== undefined) {
      return this.#replace({ ...begun, startedBy: { ...begun.startedBy, by: 'csms' } });
    }
    this.#remoteStarts = [...this.#remoteStarts, start].slice(-remoteStartsMax);
    return undefined;
  }

  /** The open transaction that the CSMS asked for under this id (OCPP 2.0.1 and 2.1). */
  withRemoteStartId(remoteStartId: number): TransactionRecord | undefined {
    return this.#open.find((record) => record.remoteStartId === remoteStartId);
  }

  /**
   * The charger accepted to end a transaction. It may have ended it before it answered.
   *
   * @returns whether anything changed.
   */
  stopAccepted(transactionId: string, sentAtMs: number, atMs: number): boolean {
    const before = this.find(transactionId);
    if (before === undefined) return false;
    const { endedAtMs, endedBy } = before;
    if (endedAtMs === undefined) {
      this.#replace({ ...before, stopAcceptedAtMs: atMs });
      return true;
    }
    if (endedAtMs < sentAtMs || endedBy?.by === 'csms') return false;
    const by: TransactionParty = { idToken: endedBy?.idToken, by: 'csms' };
    this.#replace({ ...before, stopAcceptedAtMs: atMs, endedBy: by });
    return true;
  }

  /** The records that have changed since the last take, in order of their last change. */
  take(): readonly TransactionRecord[] {
    const taken = this.#unwritten;
    this.#unwritten = [];
    return taken;
  }

  /** Gives back what could not be written. Where a newer version of one has come, that one counts. */
  putBack(records: readonly TransactionRecord[]): void {
    const newer = new Set(this.#unwritten.map((record) => record.transactionId));
    const back = records.filter((record) => !newer.has(record.transactionId));
    this.#unwritten = [...back, ...this.#unwritten].slice(-unwrittenMax);
  }

  /** The transactions that go on; last, the one that was heard of last. */
  get open(): readonly TransactionRecord[] {
    return this.#open;
  }

  /** The open transactions, then the last that ended. */
  view(): readonly TransactionRecord[] {
    return [...this.#open, ...this.#ended];
  }

  /** What is to be saved. */
  saved(): object {
    return {
      open: this.#open,
      ended: this.#ended,
      unwritten: this.#unwritten,
      remoteStarts: this.#remoteStarts,
    };
  }

  #replace(record: TransactionRecord): TransactionRecord {
    this.#keep(record);
    const others = this.#unwritten.filter((other) => other.transactionId !== record.transactionId);
    this.#unwritten = [...others, record].slice(-unwrittenMax);
    return record;
  }

  #keep(record: TransactionRecord): void {
    const isOther = (other: TransactionRecord) => other.transactionId !== record.transactionId;
    const open = this.#open.filter(isOther);
    const ended = this.#ended.filter(isOther);
    this.#open = record.status === 'open' ? [...open, record].slice(-openMax) : open;
    this.#ended = record.status === 'ended' ? [...ended, record].slice(-endedMax) : ended;
  }

  /** Was this start asked for? A request explains one transaction, not more. */
  #takeRemoteStart(start: Start16): boolean {
    const cause = this.#remoteStarts.find(
      (remote) => remote.atMs + remoteStartMs >= start.atMs && explains(remote, start, start),
    );
    if (cause === undefined) return false;
    this.#remoteStarts = this.#remoteStarts.filter((remote) => remote !== cause);
    return true;
  }
}

/** Does a request to start explain a transaction? Case does not matter in idTags. */
function explains(
  remote: RemoteStart,
  party: Pick<TransactionParty, 'idToken'>,
  place: Pick<TransactionRecord, 'connectorId'>,
): boolean {
  return (
    remote.idToken !== undefined &&
    remote.idToken.toLowerCase() === party.idToken?.toLowerCase() &&
    (remote.connectorId === undefined || remote.connectorId === place.connectorId)
  );
}

function highest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || (other !== undefined && other > one) ? other : one;
}

function savedRecords(saved: unknown, key: string): readonly TransactionRecord[] {
  return listAt(saved, key)
    .map(savedRecord)
    .filter((record) => record !== undefined);
}

function savedRemoteStart(saved: unknown): RemoteStart {
  return {
    idToken: idTokenAt(saved, 'idToken'),
    connectorId: integerAt(saved, 'connectorId'),
    atMs: integerAt(saved, 'atMs') ?? 0,
  };
}

/** The place of a transaction's measurements: its EVSE, or in OCPP 1.6 its connector. */
export function placeOf(record: TransactionRecord): number | undefined {
  return record.version === 'ocpp1.6' ? record.connectorId : record.evseId;
}

/** Is `transactionId` one that a CSMS of OCPP 1.6 gives to say "none"? They use 0 and -1 (P12). */
export function isNoTransaction16(transactionId: string): boolean {
  return Number(transactionId) <= 0;
}
