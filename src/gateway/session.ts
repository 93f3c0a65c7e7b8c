import type { Quarantine } from '../audit/quarantine.ts';
import type { ChargerId } from '../chargers/charger-id.ts';
import type { ChargerRecord } from '../chargers/record.ts';
import type { PeerSocket, SocketEnd } from '../connection/peer-socket.ts';
import type { CloseErrorCode } from '../errors/catalogue.ts';
import { toCallError } from '../errors/to-call-error.ts';
import { toClose } from '../errors/to-close.ts';
import type { EventSink } from '../events/emit.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { encodeMessage } from '../ocpp/message.ts';
import { type OcppVersion, otherPeer, type Peer } from '../ocpp/version.ts';
import { CallLane, type CallLaneLimits } from '../queue/call-lane.ts';
import { type Modes, type RulePolicy, resolveModes } from '../rules/presets.ts';
import { isNeverLost, type UnverifiedDescription } from '../rules/soft.ts';
import { type Effect, refusalOf } from './effects.ts';
import { type Conversation, passMessage } from './message-path.ts';
import type { ClaimHolder } from './sessions.ts';
import { type StrikeLimits, Strikes } from './strikes.ts';

/** What a session is about. */
export interface SessionSubject {
  readonly charger: ChargerId;
  readonly version: OcppVersion;
  readonly listener: string;
  readonly record: ChargerRecord | undefined;
  /** What the charger said of itself on an earlier connection. */
  readonly description: UnverifiedDescription | undefined;
}

/** What a session needs of the gateway. */
export interface SessionTools {
  readonly clock: Clock;
  readonly emit: EventSink;
  readonly quarantine: Quarantine;
  readonly policy: RulePolicy;
  readonly lanes: Readonly<Record<Peer, CallLaneLimits>>;
  readonly strikes: StrikeLimits;
  readonly probeSeconds: number;
  observeAdded(from: string, kind: string, seconds: number): void;
  /** Keeps what a charger says of itself for its next connection. */
  remember(charger: ChargerId, description: UnverifiedDescription): void;
}

/** A charger that has never answered a ping is alive if it said anything within this time. */
const unpingableAliveMs = 120_000;

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
  readonly #subject: SessionSubject;
  readonly #tools: SessionTools;
  readonly #sockets: Readonly<Record<Peer, PeerSocket>>;
  readonly #strikes: Readonly<Record<Peer, Strikes>>;
  readonly #startedAtMs: number;
  readonly #onEnd: () => void;
  #modes: Modes;
  #expiry: Timer | undefined;
  #expiryAtMs = Infinity;
  #isEnded = false;
  #isDraining = false;

  /** `onEnd` is called once, when both sockets are closed or closing. */
  constructor(
    subject: SessionSubject,
    sockets: Readonly<Record<Peer, PeerSocket>>,
    tools: SessionTools,
    onEnd: () => void,
  ) {
    this.charger = subject.charger;
    this.version = subject.version;
    this.#subject = subject;
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
    this.#modes = this.#resolveModes(subject.description);
  }

  /** Lets the messages flow. */
  start(): void {
    for (const from of ['charger', 'csms'] satisfies Peer[]) {
      this.#sockets[from].start({
        onMessage: (bytes) => this.#guard(() => this.#onMessage(from, bytes)),
        onEnd: (end) => this.#guard(() => this.#onSocketEnd(from, end)),
        // Room in this socket: whoever fills it may be read again.
        onDrained: () => this.#sockets[otherPeer(from)].resume(),
      });
    }
  }

  get modes(): Modes {
    return this.#modes;
  }

  describe(description: UnverifiedDescription): void {
    const { emit, remember } = this.#tools;
    remember(this.charger, description);
    this.#modes = this.#resolveModes(description);
    emit({ name: 'ChargerDescribed', charger: this.charger, ...description });
  }

  async probe(): Promise<'alive' | 'silent'> {
    const socket = this.#sockets.charger;
    const { clock, probeSeconds } = this.#tools;
    const askedAtMs = clock.elapsedMs();
    socket.ping();
    await new Promise<void>((resolve) => {
      clock.after(probeSeconds * 1000, resolve);
    });
    if (!socket.isOpen) return 'silent';
    // A pong could not be heard. If the charger is dead, the stall will show it.
    if (socket.isPaused) return 'alive';
    if (socket.heardAtMs >= askedAtMs) return 'alive';
    if (socket.hasAnsweredPing) return 'silent';
    return clock.elapsedMs() - socket.heardAtMs < unpingableAliveMs ? 'alive' : 'silent';
  }

  replace(): void {
    this.#end('SESSION_REPLACED', 'gateway', { charger: 'SESSION_REPLACED', csms: 'CHARGER_GONE' });
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

  #resolveModes(description: UnverifiedDescription | undefined): Modes {
    const { listener, record } = this.#subject;
    return resolveModes(this.#tools.policy, {
      charger: this.charger,
      listener,
      // What the operator wrote down counts for more than what the charger says.
      vendor: record?.vendor ?? description?.vendor,
      model: record?.model ?? description?.model,
      firmware: record?.firmware ?? description?.firmware,
    });
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
    for (const effect of passMessage(this, from, bytes, receivedAtMs)) {
      if (this.#isEnded) return;
      this.#run(effect, receivedAtMs);
    }
    this.#pump();
  }

  #run(effect: Effect, receivedAtMs: number): void {
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
        this.#runAll(refusalOf(this.charger, from, call, 'QUEUE_FULL'), receivedAtMs);
        return;
      }
      case 'settle':
        this.lanes[effect.caller].settle(effect.id, effect.hasResult, clock.elapsedMs());
        return;
      case 'call-error': {
        const { code, id, to } = effect;
        const spelledAs = to === 'charger' ? this.#subject.record?.spellErrorsAs : undefined;
        const message = toCallError(code, id, spelledAs ?? this.version);
        this.#sockets[to].sendOwn(encodeMessage(message));
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
        return;
      }
    }
  }

  #runAll(effects: readonly Effect[], receivedAtMs: number): void {
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
      this.#modes.modeOf('message-id', 'hard', otherPeer(from)) !== 'enforce';
    for (const call of lane.expire(nowMs)) {
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
    for (const peer of ['charger', 'csms'] satisfies Peer[]) {
      this.#sockets[peer].close(toClose(toPeers[peer]));
    }
    const { clock, emit } = this.#tools;
    const durationSeconds = (clock.elapsedMs() - this.#startedAtMs) / 1000;
    const { charger } = this;
    emit({ name: 'SessionClosed', charger, code, endedBy, durationSeconds, peerCloseCode });
    this.#onEnd();
  }
}

interface EndCodes {
  /** For the log. */
  readonly code: CloseErrorCode;
  /** For the peer that is still there. */
  readonly toOther: CloseErrorCode;
}

const endCodes: Readonly<Record<Peer, Readonly<Record<SocketEnd['why'], EndCodes>>>> = {
  charger: {
    closed: { code: 'CHARGER_GONE', toOther: 'CHARGER_GONE' },
    failed: { code: 'CHARGER_GONE', toOther: 'CHARGER_GONE' },
    silent: { code: 'PEER_SILENT', toOther: 'CHARGER_GONE' },
    stalled: { code: 'PEER_STALLED', toOther: 'CHARGER_GONE' },
    misframed: { code: 'CHARGER_MISBEHAVED', toOther: 'CHARGER_MISBEHAVED' },
  },
  csms: {
    closed: { code: 'CSMS_GONE', toOther: 'CSMS_GONE' },
    failed: { code: 'CSMS_GONE', toOther: 'CSMS_GONE' },
    silent: { code: 'PEER_SILENT', toOther: 'CSMS_GONE' },
    stalled: { code: 'PEER_STALLED', toOther: 'CSMS_GONE' },
    misframed: { code: 'CSMS_MISBEHAVED', toOther: 'CSMS_MISBEHAVED' },
  },
};
