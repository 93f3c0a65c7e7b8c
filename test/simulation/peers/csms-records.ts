import type { Clock } from '../../../src/lib/clock.ts';
import type { JsonObject } from '../../../src/ocpp/message.ts';
import { fieldOf, type OcppText } from './ocpp-text.ts';

/** A transaction, as a CSMS knows it. */
export interface CsmsTransaction {
  readonly identity: string;
  /** What the charger, or the CSMS itself, has called it. */
  readonly transactionId: string | number;
  /** The token that it was begun with: chargers use each once, so that it names a transaction. */
  readonly token: string;
  isStarted: boolean;
  isStopped: boolean;
}

/** What a CSMS has been told, which no restart takes from it. */
export class CsmsRecords {
  readonly #clock: Clock;
  readonly #transactions = new Map<string, CsmsTransaction>();
  readonly #byId = new Map<string, CsmsTransaction>();
  readonly #active = new Map<string, CsmsTransaction>();
  readonly #received = new Map<string, Set<string>>();
  readonly #answers = new Map<string, Set<string>>();
  #nextTransactionId = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes a message that has arrived. */
  noteReceived(identity: string, text: string, message: OcppText | undefined): void {
    if (message?.kind === 'call') setOf(this.#received, identity).add(text);
  }

  /** Notes what was answered. */
  noteAnswered(identity: string, text: string): void {
    setOf(this.#answers, identity).add(text);
  }

  /** Has this very call of the charger arrived here? */
  hasReceived(identity: string, text: string): boolean {
    return this.#received.get(identity)?.has(text) === true;
  }

  /** Has this answer been given to the charger? */
  hasAnswered(identity: string, text: string): boolean {
    return this.#answers.get(identity)?.has(text) === true;
  }

  /** The transaction that was begun with `token`; undefined when nobody has told of it. */
  transaction(identity: string, token: string): CsmsTransaction | undefined {
    return this.#transactions.get(`${identity} ${token}`);
  }

  /** The transaction of a charger that is under way. */
  activeOf(identity: string): CsmsTransaction | undefined {
    return this.#active.get(identity);
  }

  /** Does what a call says. @returns the answer; undefined for an action that is not known. */
  take(identity: string, action: string, payload: unknown): JsonObject | undefined {
    const currentTime = new Date(this.#clock.nowMs()).toISOString();
    switch (action) {
      case 'BootNotification':
        return { currentTime, interval: 60, status: 'Accepted' };
      case 'Heartbeat':
        return { currentTime };
      case 'StatusNotification':
      case 'MeterValues':
        return {};
      case 'StartTransaction': {
        const token = String(fieldOf(payload, 'idTag'));
        const { transactionId } = this.#begin(identity, token, undefined);
        return { transactionId, idTagInfo: { status: 'Accepted' } };
      }
      case 'StopTransaction':
        this.#finish(identity, fieldOf(payload, 'transactionId'));
        return {};
      case 'TransactionEvent':
        this.#takeEvent(identity, payload);
        return {};
      default:
        return undefined;
    }
  }

  #takeEvent(identity: string, payload: unknown): void {
    const id = String(fieldOf(fieldOf(payload, 'transactionInfo'), 'transactionId'));
    const type = fieldOf(payload, 'eventType');
    // In OCPP 2.0.1 the charger names the transaction; these chargers name it as the token.
    if (type === 'Started') this.#begin(identity, id, id);
    if (type === 'Ended') this.#finish(identity, id);
  }

  /** The same start, told twice, is one start. */
  #begin(identity: string, token: string, id: string | undefined): CsmsTransaction {
    const key = `${identity} ${token}`;
    const known = this.#transactions.get(key);
    if (known !== undefined) return known;
    const transactionId = id ?? this.#nextTransactionId;
    this.#nextTransactionId += 1;
    const begun = { identity, transactionId, token, isStarted: true, isStopped: false };
    this.#transactions.set(key, begun);
    this.#byId.set(`${identity} ${transactionId}`, begun);
    this.#active.set(identity, begun);
    return begun;
  }

  #finish(identity: string, id: unknown): void {
    const transaction = this.#byId.get(`${identity} ${String(id)}`);
    if (transaction === undefined) return;
    transaction.isStopped = true;
    if (this.#active.get(identity) === transaction) this.#active.delete(identity);
  }
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const known = sets.get(key);
  if (known !== undefined) return known;
  const made = new Set<string>();
  sets.set(key, made);
  return made;
}
