import { ownProperty } from '../../ocpp/message.ts';
import { type OcppVersion, otherPeer, type Peer } from '../../ocpp/version.ts';
import { AskedActions } from './asked-actions.ts';
import { type Boot, BootMemory, type Identification } from './boot.ts';
import { LimitMemory } from './charging-limits.ts';
import { ConnectorMemory } from './connectors.ts';
import { ExpectedReplies } from './expected-replies.ts';
import type { Learners, Parts } from './learner.ts';
import { learners16 } from './learners-1.6.ts';
import { learners2 } from './learners-2.ts';
import { MeterMemory } from './meter-values.ts';
import { keptOutstanding, type OutstandingCall, savedOutstanding } from './outstanding-call.ts';
import { integerAt } from './read-property.ts';
import { openDocument, type SavedMemory, sealDocument } from './saved-memory.ts';
import { SecurityEventMemory } from './security-events.ts';
import { moreUrgent, type SeenCall, type SeenReply, type Urgency } from './seen.ts';
import { type LastSigningRequest, SigningRequestMemory } from './signing-requests.ts';
import type { TransactionRecord } from './transaction-record.ts';
import { TransactionMemory } from './transactions.ts';
import { VariableMemory } from './variables.ts';
import type { ChargerView, LoadView, MessageCounts } from './view.ts';

/**
 * What the gateway learns about one charger from the messages that it passes, both ways.
 *
 * It decides nothing and never throws: where a message is not what OCPP says, it teaches nothing.
 * All that it holds is bounded. A method that returns an `Urgency` says how soon `save` is due.
 *
 * Source: PNNL-35706 figure 4 (charger information database).
 */
export class ChargerMemory {
  readonly #parts: Parts;
  readonly #expected = new ExpectedReplies();
  #outstanding: readonly OutstandingCall[];
  #fromCharger: number;
  #fromCsms: number;
  #refused: number;

  /** @param saved what `save` returned; damaged or unknown text is as good as none. */
  constructor(saved?: SavedMemory) {
    const document = saved && openDocument(saved.document);
    const part = (name: string): unknown => ownProperty(document, name);
    this.#parts = {
      boot: new BootMemory(part('boot')),
      asked: new AskedActions(part('asked')),
      connectors: new ConnectorMemory(part('connectors')),
      transactions: new TransactionMemory(part('transactions')),
      meters: new MeterMemory(part('meterValues')),
      limits: new LimitMemory(part('limits')),
      securityEvents: new SecurityEventMemory(part('securityEvents')),
      signingRequests: new SigningRequestMemory(part('signingRequests')),
      variables: new VariableMemory(saved?.variables),
    };
    this.#outstanding = savedOutstanding(part('outstanding'));
    this.#fromCharger = integerAt(part('counts'), 'fromCharger') ?? 0;
    this.#fromCsms = integerAt(part('counts'), 'fromCsms') ?? 0;
    this.#refused = integerAt(part('counts'), 'refused') ?? 0;
  }

  /** A call or SEND was admitted and is passed on. */
  onCall(call: SeenCall): Urgency {
    this.#count(call.from);
    // A reply belongs to the last call with its id.
    this.#expected.forget(call.from, call.id);
    const learner = learners[call.version].get(call.action);
    if (learner === undefined || learner.from !== call.from) return 'none';
    if (learner.reply !== undefined) {
      const { from, id, action } = call;
      this.#expected.add({ from, id, action, learn: learner.reply(call) });
    }
    return learner.call?.(this.#parts, call) ?? 'none';
  }

  /** An admitted reply is passed on, to a call that was seen before. */
  onReply(reply: SeenReply): Urgency {
    this.#count(reply.from);
    const { from, callId, result, atMs } = reply;
    const expected = this.#expected.take(otherPeer(from), callId);
    const isOfBoot = expected?.action === 'BootNotification';
    const { boot } = this.#parts;
    const urgency = from === 'csms' && !isOfBoot ? boot.otherAnswered(result, atMs) : 'none';
    if (expected === undefined || 'errorCode' in result) return urgency;
    return moreUrgent(urgency, expected.learn(this.#parts, result.payload, atMs));
  }

  /** The call expired, or was refused later: no reply to it will be passed on. */
  onCallOver(from: Peer, callId: string): void {
    this.#expected.forget(from, callId);
  }

  /** A message was refused. */
  countRefused(): void {
    this.#refused += 1;
  }

  /** Whether the CSMS takes the charger for registered. */
  get boot(): Boot {
    return this.#parts.boot.boot;
  }

  /** What the charger said of itself in the BootNotification that was last answered. */
  get identification(): Identification {
    return this.#parts.boot.identification;
  }

  /** Has the CSMS asked the charger to send `action`, since it was last accepted? */
  wasTriggered(action: string): boolean {
    return this.#parts.asked.has(action);
  }

  /** Is this transaction one of the charger: open, or one of the last that ended? */
  ownsTransaction(transactionId: string): boolean {
    return this.#parts.transactions.find(transactionId) !== undefined;
  }

  /** The transaction with this id: an open one, or one of the last that ended. */
  findTransaction(transactionId: string): TransactionRecord | undefined {
    return this.#parts.transactions.find(transactionId);
  }

  /** The last request for a certificate of the charger itself, as far as it was passed on. */
  get lastSigningRequest(): LastSigningRequest | undefined {
    return this.#parts.signingRequests.last;
  }

  /** Has the charger asked for few enough certificates of late? */
  mayRequestCertificate(nowMs: number): boolean {
    return this.#parts.signingRequests.mayRequest(nowMs);
  }

  /** The transactions that changed since the last take, to be written to a table. */
  takeTransactions(): readonly TransactionRecord[] {
    return this.#parts.transactions.take();
  }

  /** Writing them failed. Of a transaction that has changed since, the newer version is kept. */
  putBackTransactions(records: readonly TransactionRecord[]): void {
    this.#parts.transactions.putBack(records);
  }

  /**
   * The power that a connector (OCPP 1.6) or EVSE takes, in W, as the charger last measured it;
   * undefined when it has not. It may be old: `view` says from when it is.
   */
  measuredPowerW(evseOrConnector: number): number | undefined {
    return this.#parts.meters.measuredPowerW(evseOrConnector);
  }

  /** The calls that are sent and not answered; normally one of each side at most. */
  get outstanding(): readonly OutstandingCall[] {
    return this.#outstanding;
  }

  /** The session says which calls are sent and not answered. */
  setOutstanding(calls: readonly OutstandingCall[]): void {
    this.#outstanding = keptOutstanding(calls);
  }

  /** All that is known, for people to read. */
  view(): ChargerView {
    const { boot, asked, connectors, transactions, meters, limits, securityEvents, variables } =
      this.#parts;
    return {
      boot: boot.boot,
      identification: boot.identification,
      asked: asked.saved(),
      connectors: connectors.saved(),
      transactions: transactions.view(),
      meterValues: meters.saved(),
      limits: limits.saved(),
      securityEvents: securityEvents.view(),
      variables: variables.view(),
      counts: this.#counts(),
      outstanding: this.#outstanding,
    };
  }

  /** What is known of its load: a few short lists, for every command that changes load. */
  loadView(): LoadView {
    const { connectors, transactions, meters, limits } = this.#parts;
    return {
      connectors: connectors.saved(),
      transactions: transactions.open,
      powers: meters.powers(),
      limits: limits.saved(),
      limitsChangedAtMs: limits.changedAtMs,
    };
  }

  /**
   * All that is known, for the constructor of the next process. Replies that are expected are not
   * saved: connections end with the process, and their calls with them.
   */
  save(): SavedMemory {
    const {
      boot,
      asked,
      connectors,
      transactions,
      meters,
      limits,
      securityEvents,
      signingRequests,
      variables,
    } = this.#parts;
    const document = sealDocument({
      boot: boot.saved(),
      asked: asked.saved(),
      connectors: connectors.saved(),
      transactions: transactions.saved(),
      meterValues: meters.saved(),
      limits: limits.saved(),
      securityEvents: securityEvents.saved(),
      signingRequests: signingRequests.saved(),
      counts: this.#counts(),
      outstanding: this.#outstanding,
    });
    return { document, variables: variables.text };
  }

  #counts(): MessageCounts {
    return {
      fromCharger: this.#fromCharger,
      fromCsms: this.#fromCsms,
      refused: this.#refused,
    };
  }

  #count(from: Peer): void {
    if (from === 'charger') this.#fromCharger += 1;
    else this.#fromCsms += 1;
  }
}

const learners: Readonly<Record<OcppVersion, Learners>> = {
  'ocpp1.6': learners16,
  'ocpp2.0.1': learners2,
  'ocpp2.1': learners2,
};
