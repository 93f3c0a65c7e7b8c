import { ownersOf } from '../chargers/certificate-bindings.ts';
import { type ChargerId, identityKey } from '../chargers/charger-id.ts';
import type { Claim } from '../chargers/claims.ts';
import type { Memories } from '../chargers/memories.ts';
import type { ChargerMemory } from '../chargers/memory/charger-memory.ts';
import { transactionIdAt } from '../chargers/memory/read-property.ts';
import type { TransactionRecord } from '../chargers/memory/transaction-record.ts';
import type { LoadView } from '../chargers/memory/view.ts';
import type { ChargerRecord } from '../chargers/record.ts';
import type { Clock } from '../lib/clock.ts';
import type { Call, JsonObject } from '../ocpp/message.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import type { LookUp } from '../policy/context.ts';
import type { Admitted, Frame } from '../rules/frame.ts';
import {
  isMode,
  type Modes,
  type RuleOverride,
  type RulePolicy,
  resolveModes,
} from '../rules/presets.ts';
import { isRuleName } from '../rules/rule.ts';
import type { UnverifiedDescription } from '../rules/soft.ts';
import type { Store } from '../store/store.ts';
import { isStoreError } from '../store/store-error.ts';
import { ChargerContext } from './charger-context.ts';
import type { SessionCredential } from './session-credential.ts';

/** Who a session is about. */
export interface KnownChargerSubject {
  readonly charger: ChargerId;
  readonly version: OcppVersion;
  readonly listener: string;
  readonly credential: SessionCredential;
  readonly record: ChargerRecord | undefined;
  readonly claim: Claim;
  /** What was learned of the charger on earlier connections. */
  readonly memory: ChargerMemory;
}

/** A call that was sent and not answered. */
export interface OpenCall {
  /** Its caller. */
  readonly from: Peer;
  readonly id: string;
  readonly action: string;
}

/** What knowing a charger needs. */
export interface KnownChargerTools {
  readonly clock: Clock;
  readonly memories: Memories;
  readonly policy: RulePolicy;
  readonly store: Store;
}

/**
 * What a session knows of its charger: what the operator has written down, what was learned from
 * messages, and the rules and modes that follow from both.
 */
export class KnownCharger {
  readonly charger: ChargerId;
  readonly version: OcppVersion;
  readonly context: ChargerContext;
  readonly #subject: KnownChargerSubject;
  readonly #memories: Memories;
  readonly #policy: RulePolicy;
  readonly #clock: Clock;
  /** Calls of the connection before, which nobody waits for any more. */
  readonly #stale: readonly string[];
  readonly #store: Store;
  #record: ChargerRecord | undefined;
  #description: UnverifiedDescription;
  #modes: Modes;

  constructor(subject: KnownChargerSubject, { clock, memories, policy, store }: KnownChargerTools) {
    const { charger, credential, memory, record, version } = subject;
    this.charger = charger;
    this.version = version;
    this.#subject = subject;
    this.#memories = memories;
    this.#store = store;
    this.#policy = policy;
    this.#clock = clock;
    this.#stale = memory.outstanding.map(({ from, id }) => `${from} ${id}`);
    memory.setOutstanding([]);
    this.context = new ChargerContext(version, credential, memory, clock);
    this.#record = record;
    const { vendor, model, firmwareVersion } = memory.identification;
    this.#description = { vendor, model, firmware: firmwareVersion };
    this.#modes = this.#resolveModes();
    memories.changed(subject.claim, memory, 'eventually');
  }

  /** The modes in force. */
  get modes(): Modes {
    return this.#modes;
  }

  /** With what it has connected. */
  get credential(): SessionCredential {
    return this.#subject.credential;
  }

  /** What the operator has written down. */
  get record(): ChargerRecord | undefined {
    return this.#record;
  }

  /** The operator has written down something else. */
  applyRecord(record: ChargerRecord | undefined): void {
    this.#record = record;
    this.#modes = this.#resolveModes();
  }

  /** The charger says what it is. */
  describe(description: UnverifiedDescription): void {
    this.#description = description;
    this.#modes = this.#resolveModes();
  }

  /** Is this a call of `caller` from before the charger connected again? */
  isStale(caller: Peer, callId: string): boolean {
    return this.#stale.includes(`${caller} ${callId}`);
  }

  /** Takes note of what a message says that is passed on. */
  learn(from: Peer, frame: Admitted<Frame>): void {
    const { claim, memory } = this.#subject;
    const atMs = this.#clock.nowMs();
    switch (frame.kind) {
      case 'call':
      case 'send': {
        const { action, id, payload } = frame;
        const call = { from, version: this.version, id, action, payload, atMs };
        this.#memories.changed(claim, memory, memory.onCall(call));
        return;
      }
      case 'call-result':
      case 'call-error': {
        const result =
          frame.kind === 'call-result' ? { payload: frame.payload } : { errorCode: frame.code };
        const urgency = memory.onReply({ from, callId: frame.id, result, atMs });
        this.#memories.changed(claim, memory, urgency);
        return;
      }
      case 'call-result-error':
        return;
    }
  }

  /** Takes note of a call that the gateway itself makes, or has changed. */
  learnCall(from: Peer, { action, id, payload }: Call): void {
    const { claim, memory } = this.#subject;
    const atMs = this.#clock.nowMs();
    const call = { from, version: this.version, id, action, payload, atMs };
    this.#memories.changed(claim, memory, memory.onCall(call));
  }

  /** What the charger takes, and may take. */
  loadView(): LoadView {
    return this.#subject.memory.loadView();
  }

  /** Has the transaction that a stop is about ended, as far as is known? */
  hasEnded(stop: JsonObject): boolean {
    return this.#transactionOf(stop)?.status === 'ended';
  }

  /** Who has started the transaction that a stop is about. */
  idTokenOf(stop: JsonObject): string | undefined {
    return this.#transactionOf(stop)?.startedBy.idToken;
  }

  /** Does the charger report a fault of this place, or with undefined of any? */
  isFaulted(place: number | undefined): boolean {
    return this.loadView().connectors.some(({ connectorId, evseId, status }) => {
      if (status !== 'Faulted') return false;
      const own = this.version === 'ocpp1.6' ? connectorId : evseId;
      return place === undefined || own === undefined || own === 0 || own === place;
    });
  }

  #transactionOf(stop: JsonObject): TransactionRecord | undefined {
    const transactionId = transactionIdAt(stop, 'transactionId');
    return transactionId === undefined
      ? undefined
      : this.#subject.memory.findTransaction(transactionId);
  }

  /** No reply to this call will be passed on any more. */
  callOver(from: Peer, callId: string): void {
    this.#subject.memory.onCallOver(from, callId);
  }

  /** A message was refused. */
  countRefused(): void {
    this.#subject.memory.countRefused();
  }

  /**
   * Asks the store; then the context knows.
   *
   * @throws what is a defect, not a store that is away.
   */
  async lookUp(question: LookUp): Promise<void> {
    switch (question.about) {
      case 'transaction': {
        const { transactionId: id } = question;
        this.context.transaction = { id, others: 'unknown' };
        const others = await this.#ask(() => this.#memories.otherOwners(this.charger, id));
        if (others !== undefined) this.context.transaction = { id, others: others.length };
        return;
      }
      case 'certificate': {
        const { commonName: name } = question;
        const binding = { kind: 'common-name', value: name } as const;
        const owners = await this.#ask(() => this.#store.query((db) => ownersOf(db, [binding])));
        const key = identityKey(this.charger);
        const isForeign = owners?.some((owner) => owner !== key) ?? 'unknown';
        this.context.commonName = { name, isForeign };
      }
    }
  }

  /** The message was judged; the next one may find another answer. */
  forget(question: LookUp): void {
    if (question.about === 'transaction') this.context.transaction = undefined;
    else this.context.commonName = undefined;
  }

  /** @returns undefined when the store is away. */
  async #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (isStoreError(error)) return undefined;
      throw error;
    }
  }

  /** The connection has ended, with these calls open. */
  end(openCalls: readonly OpenCall[]): void {
    const { claim, memory } = this.#subject;
    const sentAtMs = this.#clock.nowMs();
    memory.setOutstanding(openCalls.map((call) => ({ ...call, sentAtMs })));
    this.#memories.ended(claim, memory);
  }

  #resolveModes(): Modes {
    const { vendor, model, firmware } = this.#description;
    const record = this.#record;
    // What the operator says of this one charger goes before what is said of its kind.
    const own = (record?.ruleModes ?? []).flatMap(
      ({ rule, mode, from }): readonly RuleOverride[] =>
        isRuleName(rule) && isMode(mode) ? [{ match: {}, rule, mode, from }] : [],
    );
    const { preset, overrides } = this.#policy;
    return resolveModes(
      { preset, overrides: [...overrides, ...own] },
      {
        charger: this.charger,
        listener: this.#subject.listener,
        // What the operator wrote down counts for more than what the charger says.
        vendor: record?.vendor ?? vendor,
        model: record?.model ?? model,
        firmware: record?.firmware ?? firmware,
      },
    );
  }
}
