import type { Quarantine } from '../audit/quarantine.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import type { Memories } from '../chargers/memories.ts';
import type { ChargerRecord } from '../chargers/record.ts';
import type { PeerSocket, SocketEnd } from '../connection/peer-socket.ts';
import type { CloseErrorCode } from '../errors/catalogue.ts';
import { toCallError } from '../errors/to-call-error.ts';
import { toClose } from '../errors/to-close.ts';
import type { EventSink } from '../events/emit.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { encodeMessage } from '../ocpp/message.ts';
import { type OcppVersion, otherPeer, type Peer } from '../ocpp/version.ts';
import type { PolicyContext } from '../policy/context.ts';
import { CallLane, type CallLaneLimits } from '../queue/call-lane.ts';
import type { Modes, RulePolicy } from '../rules/presets.ts';
import type { Rule } from '../rules/rule.ts';
import { isNeverLost, type UnverifiedDescription } from '../rules/soft.ts';
import { type Effect, type ImmediateEffect, refusalOf } from './effects.ts';
import { endCodes } from './end-codes.ts';
import { KnownCharger, type KnownChargerSubject, type OpenCall } from './known-charger.ts';
import { type Conversation, passMessage } from './message-path.ts';
import { probePeer } from './probe.ts';
import type { ClaimEnd, ClaimHolder } from './sessions.ts';
import { type StrikeLimits, Strikes } from './strikes.ts';

/** What a session needs of the gateway. */
export interface SessionTools {
  readonly clock: Clock;
  readonly emit: EventSink;
  readonly quarantine: Quarantine;
  readonly memories: Memories;
  readonly policy: RulePolicy;
  readonly lanes: Readonly<Record<Peer, CallLaneLimits>>;
  readonly strikes: StrikeLimits;
  readonly probeSeconds: number;
  observeAdded(from: string, kind: string, seconds: number): void;
  /**
   * Resolves when all that was emitted is in the audit log, or cannot be written at the moment.
   * Never rejects.
   */
  audited(): Promise<void>;
}

/**
 * One charger, connected through: two sockets, two lanes, and the message path between them.
 *
 * Everything that one charger can cause ends here. What we broke ourselves ends the session, with
 * SessionFailed, and no other.
 */
export class Session implements Conversation, ClaimHolder {
  readonly charger: ChargerId;
  readonly version: OcppVersion;
  readonly lanes: Readonly<Record<Peer, CallLane>>;
  readonly #known: KnownCharger;
  readonly #tools: SessionTools;
  readonly #sockets: Readonly<Record<Peer, PeerSocket>>;
  readonly #strikes: Readonly<Record<Peer, Strikes>>;
  readonly #startedAtMs: number;
  readonly #onEnd: () => void;
  /** Messages of the charger that wait behind one that waits for the store. */
  readonly #inbox: { readonly bytes: Uint8Array; readonly receivedAtMs: number }[] = [];
  #isAsking = false;
  /** Refusals that wait for the audit log. */
  readonly #refusals = new Set<Promise<void>>();
  #expiry: Timer | undefined;
  #expiryAtMs = Infinity;
  #isEnded = false;
  #isDraining = false;

  /** `onEnd` is called once, when both sockets are closed or closing. */
  constructor(
    subject: KnownChargerSubject,
    sockets: Readonly<Record<Peer, PeerSocket>>,
    tools: SessionTools,
    onEnd: () => void,
  ) {
    this.charger = subject.charger;
    this.version = subject.version;
    this.#known = new KnownCharger(subject, tools.memories, tools.policy, tools.clock);
    this.#sockets = sockets;
    this.#tools = tools;
    this.#onEnd = onEnd;
    this.lanes = {
      charger: new CallLane(tools.lanes.charger),
      csms: new CallLane(tools.lanes.csms),
    };
    this.#strikes = {
      charger: new Strikes(tools.strikes, tools.clock),
      csms: new Strikes(tools.strikes, tools.clock),
    };
    this.#startedAtMs = tools.clock.elapsedMs();
  }

  /** Lets the messages flow. */
  start(): void {
    for (const from of ['charger', 'csms'] satisfies Peer[]) {
      this.#sockets[from].start({
        onMessage: (bytes) => this.#guard(() => this.#onMessage(from, bytes)),
        onEnd: (end) => this.#guard(() => this.#onSocketEnd(from, end)),
        // Room in this socket: whoever fills it may be read again.
        onDrained: () => this.#readAgain(otherPeer(from)),
      });
    }
  }

  get modes(): Modes {
    return this.#known.modes;
  }

  get rules(): readonly Rule[] {
    return this.#known.rules;
  }

  get context(): PolicyContext {
    return this.#known.context;
  }

  get recordsMessages(): boolean {
    return this.#known.record?.recordsMessages === true;
  }

  isStale(caller: Peer, callId: string): boolean {
    return this.#known.isStale(caller, callId);
  }

  describe(description: UnverifiedDescription): void {
    this.#known.describe(description);
    this.#tools.emit({ name: 'ChargerDescribed', charger: this.charger, ...description });
  }

  applyRecord(record: ChargerRecord | undefined): void {
    this.#known.applyRecord(record);
  }

  probe(): Promise<'alive' | 'silent'> {
    const { clock, probeSeconds } = this.#tools;
    return probePeer(this.#sockets.charger, probeSeconds, clock);
  }

  end(code: ClaimEnd): void {
    this.#end(code, 'gateway', { charger: code, csms: 'CHARGER_GONE' });
  }

  /** Ends the session as soon as no call is open in either direction. */
  drain(): void {
    this.#isDraining = true;
    if (!this.hasOpenCall) this.stop();
  }

  /** Ends the session now. */
  stop(): void {
    const code = 'GATEWAY_STOPPING';
    this.#end(code, 'gateway', { charger: code, csms: code });
  }

  /** Is somebody waiting for an answer? */
  get hasOpenCall(): boolean {
    return Object.values(this.lanes).some((lane) => lane.hasOpenCall || lane.waitingCount > 0);
  }

  /** The one catch of a session. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#tools.emit({ name: 'SessionFailed', charger: this.charger, error });
      const code = 'SESSION_FAILED';
      this.#end(code, 'gateway', { charger: code, csms: code });
    }
  }

  #onMessage(from: Peer, bytes: Buffer): void {
    if (this.#isEnded) return;
    const receivedAtMs = this.#tools.clock.elapsedMs();
    if (from === 'charger' && this.#isAsking) {
      this.#inbox.push({ bytes, receivedAtMs });
      return;
    }
    this.#pass(from, bytes, receivedAtMs);
    this.#pump();
  }

  #pass(from: Peer, bytes: Uint8Array, receivedAtMs: number): void {
    for (const effect of passMessage(this, from, bytes, receivedAtMs)) {
      if (this.#isEnded) return;
      if (effect.do === 'look-up') {
        this.#inbox.unshift({ bytes, receivedAtMs });
        void this.#lookUp(effect.transactionId);
        return;
      }
      this.#run(effect, receivedAtMs);
    }
  }

  /**
   * Asks the store whose transaction it is. The charger's messages wait meanwhile, in their order;
   * those of the CSMS do not.
   */
  async #lookUp(transactionId: string): Promise<void> {
    this.#isAsking = true;
    this.#sockets.charger.pause();
    let defect: unknown;
    try {
      await this.#known.lookUp(transactionId);
    } catch (error) {
      defect = error;
    }
    this.#isAsking = false;
    this.#guard(() => {
      if (defect !== undefined) throw defect;
      const first = this.#inbox.shift();
      if (first !== undefined) this.#pass('charger', first.bytes, first.receivedAtMs);
      this.#known.forgetLookUp();
      while (!this.#isEnded && !this.#isAsking) {
        const next = this.#inbox.shift();
        if (next === undefined) break;
        this.#pass('charger', next.bytes, next.receivedAtMs);
      }
      if (!this.#sockets.csms.isCongested) this.#readAgain('charger');
      this.#pump();
    });
  }

  #readAgain(from: Peer): void {
    if (from === 'csms' || !this.#isAsking) this.#sockets[from].resume();
  }

  /** Does it at once. A look-up is what others wait for, and is seen to in `#pass`. */
  #run(effect: ImmediateEffect, receivedAtMs: number): void {
    const { clock, emit, quarantine } = this.#tools;
    switch (effect.do) {
      case 'forward':
        this.#forward(effect.to, effect.frame.bytes, effect.frame.kind, receivedAtMs);
        return;
      case 'rewrite': {
        const { kind } = effect.message;
        this.#forward(effect.to, Buffer.from(encodeMessage(effect.message)), kind, receivedAtMs);
        return;
      }
      case 'enqueue': {
        const { call, from } = effect;
        if (this.lanes[from].offer(call, receivedAtMs, isNeverLost(call))) return;
        this.#known.callOver(from, call.id);
        this.#runAll(refusalOf(this.charger, from, call, 'QUEUE_FULL'), receivedAtMs);
        return;
      }
      case 'learn':
        this.#known.learn(effect.from, effect.frame);
        return;
      case 'settle':
        this.lanes[effect.caller].settle(effect.id, effect.hasResult, clock.elapsedMs());
        this.#known.callOver(effect.caller, effect.id);
        return;
      case 'call-error': {
        const refusal = this.#refuse(effect).finally(() => this.#refusals.delete(refusal));
        this.#refusals.add(refusal);
        return;
      }
      case 'strike':
        if (this.#strikes[effect.against].add()) this.#endBecauseOf(effect.against, 'STRIKES');
        return;
      case 'close':
        this.#endBecauseOf(effect.because, effect.code);
        return;
      case 'emit':
        emit(effect.event);
        return;
      case 'quarantine': {
        const { bytes, finding, penalty } = effect;
        quarantine.keep({ ...finding, penalty, bytes });
        this.#known.countRefused();
        return;
      }
    }
  }

  /**
   * Tells a caller that its call was refused, once the audit log has the refusal: what was answered
   * for survives the gateway.
   */
  async #refuse({ code, id, to }: Extract<Effect, { do: 'call-error' }>): Promise<void> {
    await this.#tools.audited();
    this.#guard(() => {
      const spelledAs = to === 'charger' ? this.#known.record?.spellErrorsAs : undefined;
      const message = toCallError(code, id, spelledAs ?? this.version);
      this.#sockets[to].sendOwn(encodeMessage(message));
    });
  }

  #openCalls(): OpenCall[] {
    return (['charger', 'csms'] satisfies Peer[]).flatMap((from) => {
      const call = this.lanes[from].openCall;
      return call === undefined ? [] : [{ from, id: call.id, action: call.action }];
    });
  }

  #runAll(effects: readonly ImmediateEffect[], receivedAtMs: number): void {
    for (const effect of effects) this.#run(effect, receivedAtMs);
  }

  #forward(to: Peer, bytes: Uint8Array, kind: string, receivedAtMs: number): void {
    const socket = this.#sockets[to];
    const from = otherPeer(to);
    socket.send(bytes);
    const addedMs = this.#tools.clock.elapsedMs() - receivedAtMs;
    this.#tools.observeAdded(from, kind, addedMs / 1000);
    if (socket.isCongested) this.#sockets[from].pause();
    if (socket.isOverwhelmed) this.#onSocketEnd(to, { why: 'stalled', closeCode: 1006 });
  }

  /** Sees to the calls whose time is up, and sends those whose turn it is. */
  #pump(): void {
    if (this.#isEnded) return;
    const nowMs = this.#tools.clock.elapsedMs();
    for (const from of ['charger', 'csms'] satisfies Peer[]) {
      // First: a command whose time is up must not be sent because its turn has come.
      this.#expire(from, nowMs);
      const waiting = this.lanes[from].next(nowMs);
      if (waiting === undefined) continue;
      this.#forward(otherPeer(from), waiting.call.bytes, 'call', waiting.arrivedAtMs);
    }
    if (this.#isDraining && !this.hasOpenCall) {
      this.stop();
      return;
    }
    this.#scheduleExpiry(nowMs);
  }

  /** One timer a session: it may come too early, then it looks and sets itself again. */
  #scheduleExpiry(nowMs: number): void {
    const times = Object.values(this.lanes).map((lane) => lane.nextExpiryMs() ?? Infinity);
    const nextMs = Math.min(...times);
    if (nextMs >= this.#expiryAtMs) return;
    this.#expiry?.cancel();
    this.#expiryAtMs = nextMs;
    this.#expiry = this.#tools.clock.after(Math.max(0, nextMs - nowMs), () => {
      this.#expiryAtMs = Infinity;
      this.#guard(() => this.#pump());
    });
  }

  #expire(from: Peer, nowMs: number): void {
    const lane = this.lanes[from];
    const passesLateReplies =
      this.modes.modeOf('message-id', 'hard', otherPeer(from)) !== 'enforce';
    for (const call of lane.expire(nowMs)) {
      this.#known.callOver(from, call.id);
      // Where late replies pass, our answer to a call that was sent would be a second one.
      const wasSent = lane.correlateReply(call.id, nowMs).is === 'late';
      const effects = refusalOf(this.charger, from, call, 'QUEUE_EXPIRED');
      const answers = !(wasSent && passesLateReplies);
      this.#runAll(answers ? effects : effects.filter((it) => it.do !== 'call-error'), nowMs);
    }
  }

  #endBecauseOf(peer: Peer, code: CloseErrorCode): void {
    const other = peer === 'charger' ? 'CHARGER_MISBEHAVED' : 'CSMS_MISBEHAVED';
    const codes =
      peer === 'charger' ? { charger: code, csms: other } : { charger: other, csms: code };
    this.#end(code, peer, codes as Record<Peer, CloseErrorCode>);
  }

  #onSocketEnd(peer: Peer, end: SocketEnd): void {
    const codes = endCodes[peer][end.why];
    this.#end(codes.code, peer, { charger: codes.toOther, csms: codes.toOther }, end.closeCode);
  }

  #end(
    code: CloseErrorCode,
    endedBy: Peer | 'gateway',
    toPeers: Readonly<Record<Peer, CloseErrorCode>>,
    peerCloseCode?: number,
  ): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#expiry?.cancel();
    // What was refused is still answered.
    void Promise.all(this.#refusals).then(() => {
      for (const peer of ['charger', 'csms'] satisfies Peer[]) {
        this.#sockets[peer].close(toClose(toPeers[peer]));
      }
    });
    this.#known.end(this.#openCalls());
    const { clock, emit } = this.#tools;
    const durationSeconds = (clock.elapsedMs() - this.#startedAtMs) / 1000;
    const { charger } = this;
    emit({ name: 'SessionClosed', charger, code, endedBy, durationSeconds, peerCloseCode });
    this.#onEnd();
  }
}
