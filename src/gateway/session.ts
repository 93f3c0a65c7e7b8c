import type { ChargerCredential } from '../chargers/charger-credential.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import type { ChargerRecord } from '../chargers/record.ts';
import type { SocketEnd } from '../connection/peer-socket.ts';
import type { CloseErrorCode } from '../errors/catalogue.ts';
import { toClose } from '../errors/to-close.ts';
import { type Call, encodeMessage, type JsonObject } from '../ocpp/message.ts';
import { otherPeer, type Peer } from '../ocpp/version.ts';
import type { NamedCall } from '../queue/recent-calls.ts';
import type { Admitted, Frame } from '../rules/frame.ts';
import { CallPump } from './call-pump.ts';
import { CredentialKeeper } from './credential-keeper.ts';
import { type Effect, type ImmediateEffect, isImmediate, refusalOf } from './effects.ts';
import { endCodes } from './end-codes.ts';
import { Intake } from './intake.ts';
import { KnownCharger, type KnownChargerSubject } from './known-charger.ts';
import { LiveConversation } from './live-conversation.ts';
import { LoadPacer, type PacedMessage } from './load-pacer.ts';
import { passMessage } from './message-path.ts';
import { OwnCalls, type OwnReply } from './own-calls.ts';
import { probePeer } from './probe.ts';
import type { OpenedMessage, ReceivedMessage } from './received-message.ts';
import { Refusals } from './refusals.ts';
import type { SessionCredential } from './session-credential.ts';
import { SessionEffects } from './session-effects.ts';
import type { SessionSockets, SessionTools } from './session-tools.ts';
import type { ClaimEnd, ClaimHolder } from './sessions.ts';
import { SignatureGate } from './signature-gate.ts';
import { Strikes } from './strikes.ts';

const peers = ['charger', 'csms'] as const satisfies readonly Peer[];

/**
 * One charger, connected through: two sockets, two lanes, and the message path between them.
 *
 * Everything that one charger can cause ends here. What we broke ourselves ends the session, with
 * SessionFailed, and no other.
 */
export class Session implements ClaimHolder {
  readonly isOnItsWay = false;
  readonly #charger: ChargerId;
  readonly #known: KnownCharger;
  readonly #tools: SessionTools;
  readonly #sockets: SessionSockets;
  readonly #startedAtMs: number;
  readonly #onEnd: () => void;
  readonly #intake: Intake;
  readonly #gate: SignatureGate;
  readonly #pump: CallPump;
  readonly #conversation: LiveConversation;
  readonly #ownCalls: OwnCalls;
  readonly #keeper: CredentialKeeper;
  readonly #pacer: LoadPacer;
  readonly #effects: SessionEffects;
  readonly #refusals: Refusals;
  #isEnded = false;
  #isDraining = false;

  /** `onEnd` is called once, when both sockets are closed or closing. */
  constructor(
    subject: KnownChargerSubject,
    sockets: SessionSockets,
    tools: SessionTools,
    onEnd: () => void,
  ) {
    const { clock, emit, memories, policy, random, rotateDays, store, strikes } = tools;
    this.#charger = subject.charger;
    this.#known = new KnownCharger(subject, { clock, memories, policy, store });
    this.#sockets = sockets;
    this.#tools = tools;
    this.#onEnd = onEnd;
    this.#ownCalls = new OwnCalls(random);
    this.#refusals = new Refusals(tools);
    this.#pump = new CallPump(tools.lanes, clock, {
      onTurn: (from, { arrivedAtMs, call }) => {
        if (from === 'csms') {
          this.#ownCalls.sending(call.id);
          this.#keeper.sending(call.id);
        }
        const bytes = call.instead ?? call.bytes;
        this.#effects.forward(otherPeer(from), bytes, 'call', arrivedAtMs);
      },
      onExpired: (from, call, wasSent) => this.#onExpired(from, call, wasSent),
      onTimer: () => this.#guard(() => this.#runCalls()),
    });
    this.#intake = new Intake({
      sockets,
      isEnded: () => this.#isEnded,
      guard: (action) => this.#guard(action),
      take: (message) => this.#take(message),
      goOn: () => this.#runCalls(),
    });
    this.#gate = new SignatureGate(this.#known, this.#pump.lanes, tools);
    this.#conversation = new LiveConversation(this.#known, this.#pump.lanes, emit);
    this.#keeper = new CredentialKeeper(subject, {
      clock,
      emit,
      store,
      rotateDays,
      call: (action, payload) => this.#callCharger(action, payload),
      end: (code) => this.end(code),
      fail: (error) => this.#fail(error),
    });
    this.#pacer = new LoadPacer(this.#known, {
      clock,
      emit,
      limiter: tools.limiter,
      options: tools.ramp,
      lanes: this.#pump.lanes,
      call: (action, payload) => this.#callCharger(action, payload, true),
      act: (effects) => this.#runAll(effects, clock.elapsedMs()),
      answer: (result) => sockets.csms.sendOwn(encodeMessage(result)),
      guard: (action) =>
        this.#guard(() => {
          if (this.#isEnded) return;
          action();
          this.#runCalls();
        }),
    });
    this.#effects = new SessionEffects({
      charger: subject.charger,
      version: subject.version,
      known: this.#known,
      keeper: this.#keeper,
      pacer: this.#pacer,
      ownCalls: this.#ownCalls,
      pump: this.#pump,
      refusals: this.#refusals,
      sockets,
      strikes: { charger: new Strikes(strikes, clock), csms: new Strikes(strikes, clock) },
      tools,
      guard: (action) => this.#guard(action),
      endBecauseOf: (peer, code) => this.#endBecauseOf(peer, code),
      onStalled: (peer) => this.#onSocketEnd(peer, { why: 'stalled', closeCode: 1006 }),
    });
    this.#startedAtMs = clock.elapsedMs();
  }

  /** Lets the messages flow. */
  start(): void {
    for (const from of peers) {
      this.#sockets[from].start({
        onMessage: (bytes, receivedAtMs) => this.#receive({ from, bytes, receivedAtMs }),
        onEnd: (end) => this.#guard(() => this.#onSocketEnd(from, end)),
        // Room in this socket: whoever fills it may be read again.
        onDrained: () => this.#intake.readAgain(otherPeer(from)),
      });
    }
    this.#keeper.start();
    this.#pacer.start();
  }

  get shown(): SessionCredential {
    return this.#known.credential;
  }

  applyRecord(record: ChargerRecord | undefined): void {
    this.#known.applyRecord(record);
  }

  applyCredential(credential: ChargerCredential): void {
    this.#keeper.apply(credential);
  }

  /** The charger has been told to wait until it has a password of its own: gives it one. */
  commission(): void {
    this.#keeper.commission();
  }

  review(mayRotate: boolean): boolean {
    return this.#keeper.review(mayRotate);
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
    return this.#pump.hasOpenCall || peers.some((from) => this.#intake.isHeld(from));
  }

  #receive(message: ReceivedMessage): void {
    // As `guard`, without a function for each message.
    try {
      this.#intake.receive(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The one catch of a session, but for messages that come. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#tools.emit({ name: 'SessionFailed', charger: this.#charger, error });
    this.#end('SESSION_FAILED', 'gateway', { charger: 'SESSION_FAILED', csms: 'SESSION_FAILED' });
  }

  /** Looks at the signature of a message, and then passes it. */
  #take(message: ReceivedMessage): void {
    const opened = this.#gate.open(message);
    if (!('recorded' in opened)) {
      this.#pass(opened);
      return;
    }
    // What was signed once counts once, also after a restart and at another gateway.
    void this.#intake.hold(message.from, opened.recorded, (it) => this.#pass(it));
  }

  #pass(message: OpenedMessage): void {
    const { bytes, from, receivedAtMs, seal } = message;
    const effects = passMessage(this.#conversation, from, bytes, receivedAtMs, seal);
    this.#runInOrder(effects, message);
  }

  /** Runs effects in their order. Those behind one that waits for the store wait with it. */
  #runInOrder(effects: readonly Effect[], message: OpenedMessage): void {
    const { from, receivedAtMs } = message;
    let done = 0;
    for (const effect of effects) {
      if (this.#isEnded) return;
      done += 1;
      if (isImmediate(effect)) {
        this.#effects.run(effect, receivedAtMs);
        continue;
      }
      const rest = effects.slice(done);
      const goOn = (): void => this.#runInOrder(rest, message);
      switch (effect.do) {
        case 'look-up': {
          const { question } = effect;
          void this.#intake.hold(from, this.#known.lookUp(question), () => {
            this.#pass(message);
            this.#known.forget(question);
          });
          return;
        }
        case 'watch-credential': {
          const { call, changes } = effect;
          void this.#intake.hold(from, this.#keeper.watch(call, changes), (isWatched) => {
            if (isWatched) goOn();
            else
              this.#runAll(refusalOf(this.#charger, from, call, 'CREDENTIAL_CHANGE'), receivedAtMs);
          });
          return;
        }
        case 'pace': {
          const message: PacedMessage = {
            ...effect,
            receivedAtMs,
            goOn,
            passInstead: (call, instead) => this.#passInstead(call, instead, receivedAtMs),
          };
          void this.#intake.hold(from, this.#pacer.ask(message), (verdict) => {
            this.#pacer.follow(verdict, message);
          });
          return;
        }
      }
    }
  }

  /** Passes a call of the CSMS on that was changed on the way. */
  #passInstead(call: Admitted<Frame<Call>>, instead: Call, receivedAtMs: number): void {
    this.#known.learnCall('csms', instead);
    this.#runAll([{ do: 'enqueue', from: 'csms', call, instead }], receivedAtMs);
  }

  #runAll(effects: readonly ImmediateEffect[], receivedAtMs: number): void {
    for (const effect of effects) if (!this.#isEnded) this.#effects.run(effect, receivedAtMs);
  }

  /** Makes a call of the gateway's own. It waits for its turn like those of the CSMS. */
  #callCharger(action: string, payload: JsonObject, isLearned = false): Promise<OwnReply> {
    const { call, reply } = this.#ownCalls.make(action, payload);
    this.#guard(() => {
      const { id } = call;
      if (isLearned) this.#known.learnCall('csms', { kind: 'call', id, action, payload });
      if (this.#isEnded || !this.#pump.lanes.csms.offerOwn(call, this.#tools.clock.elapsedMs())) {
        this.#ownCalls.giveUp(call.id);
      } else this.#runCalls();
    });
    return reply;
  }

  /** Sees to the calls whose time is up, and sends those whose turn it is. */
  #runCalls(): void {
    if (this.#isEnded) return;
    this.#pump.run();
    this.#pacer.readyAgain();
    if (this.#isDraining && !this.hasOpenCall) this.stop();
  }

  #onExpired(from: Peer, call: NamedCall, wasSent: boolean): void {
    this.#known.callOver(from, call.id);
    if (this.#ownCalls.has(call.id)) {
      // The CSMS has not asked, and is told nothing.
      this.#ownCalls.giveUp(call.id);
      return;
    }
    if (from === 'csms' && !wasSent) this.#keeper.neverSent(call.id);
    const passesLateReplies =
      this.#known.modes.modeOf('message-id', 'hard', otherPeer(from)) !== 'enforce';
    // Where late replies pass, our answer to a call that was sent would be a second one.
    const effects = refusalOf(this.#charger, from, call, 'QUEUE_EXPIRED');
    const answers = !(wasSent && passesLateReplies);
    const done = effects.filter((it) => answers || it.do !== 'call-error');
    this.#runAll(done, this.#tools.clock.elapsedMs());
  }

  #endBecauseOf(peer: Peer, code: CloseErrorCode): void {
    const other = peer === 'charger' ? 'CHARGER_MISBEHAVED' : 'CSMS_MISBEHAVED';
    this.#end(code, peer, { charger: other, csms: other, [peer]: code });
  }

  #onSocketEnd(peer: Peer, end: SocketEnd): void {
    if (this.#intake.isHeld(peer) && peer === 'charger') {
      this.#intake.afterLastWords(() => this.#onSocketEnd(peer, end));
      return;
    }
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
    this.#pump.stop();
    // What was refused is still answered.
    void this.#refusals.settled().then(() => {
      for (const peer of peers) this.#sockets[peer].close(toClose(toPeers[peer]));
    });
    this.#known.end(this.#pump.openCalls.filter(({ id }) => !this.#ownCalls.has(id)));
    this.#ownCalls.end();
    this.#keeper.stop();
    this.#pacer.stop();
    const { clock, emit } = this.#tools;
    const durationSeconds = (clock.elapsedMs() - this.#startedAtMs) / 1000;
    const charger = this.#charger;
    emit({ name: 'SessionClosed', charger, code, endedBy, durationSeconds, peerCloseCode });
    this.#onEnd();
  }
}
