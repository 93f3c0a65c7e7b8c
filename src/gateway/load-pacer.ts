import type { ChargerId } from '../chargers/charger-id.ts';
import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import { RareMap } from '../lib/rare-map.ts';
import type { LoadClass } from '../ocpp/load-actions.ts';
import { type Call, type CallResult, type JsonObject, ownProperty } from '../ocpp/message.ts';
import { otherPeer, type Peer } from '../ocpp/version.ts';
import type { CallLane } from '../queue/call-lane.ts';
import { cancelledOutBy, coalesceKeys } from '../ramp-limit/coalesce.ts';
import type { HeldCommand } from '../ramp-limit/command-rows.ts';
import { earlyAnswer, isAsTold } from '../ramp-limit/early-answer.ts';
import { estimateLoad } from '../ramp-limit/load/estimate-load.ts';
import type { LoadCommand } from '../ramp-limit/load/load-command.ts';
import type { LoadPicture } from '../ramp-limit/load/load-picture.ts';
import { shiftedPayload } from '../ramp-limit/load/shift-schedule.ts';
import { type LoadEstimate, noChange } from '../ramp-limit/load-change.ts';
import type { RampLimiter } from '../ramp-limit/ramp-limiter.ts';
import type { RampOptions } from '../ramp-limit/ramp-options.ts';
import type {
  RampRefusal,
  RampTarget,
  RampVerdict,
  ReleaseOutcome,
} from '../ramp-limit/ramp-target.ts';
import type { ShiftedCommand } from '../ramp-limit/reserve-steps.ts';
import type { Admitted, Frame } from '../rules/frame.ts';
import { type ImmediateEffect, refusalOf } from './effects.ts';
import type { KnownCharger } from './known-charger.ts';
import type { OwnReply } from './own-calls.ts';

/** A message that the limiter is asked about, and what happens when it may pass. */
export interface PacedMessage {
  readonly frame: Admitted<Frame<Call>> | Admitted<Frame<CallResult>>;
  /** Of the call, or of the one that is answered. */
  readonly action: string;
  readonly loadClass: LoadClass;
  /** Is another call with its id open? Then it passes at once or not at all. */
  readonly isAmbiguous?: boolean;
  readonly receivedAtMs: number;
  /** Passes it on. */
  goOn(): void;
  /** Passes the call on with another payload. */
  passInstead(call: Admitted<Frame<Call>>, instead: Call): void;
}

/** What pacing needs of the session. */
export interface LoadPacerTools {
  readonly clock: Clock;
  readonly emit: EventSink;
  readonly limiter: RampLimiter;
  readonly options: RampOptions;
  readonly lanes: Readonly<Record<Peer, CallLane>>;
  /** Makes a call of the gateway's own, from which the charger's memory learns. */
  call(action: string, payload: JsonObject): Promise<OwnReply>;
  /** Does something that a timer or the store has brought about. */
  act(effects: readonly ImmediateEffect[]): void;
  /** Passes on what was held, where what fails in it ends the session. */
  guard(action: () => void): void;
  /** Answers the CSMS in the name of the charger. */
  answer(result: CallResult): void;
}

/**
 * The commands of one session that change load: asks the limiter, keeps those that wait, and sends
 * them when it is their turn.
 *
 * Source: PNNL-35706 section 4.0 (special case message handlers).
 */
export class LoadPacer implements RampTarget {
  readonly charger: ChargerId;
  readonly #known: KnownCharger;
  readonly #tools: LoadPacerTools;
  /** Messages whose sender waits, by the id of the command. */
  readonly #open = new RareMap<
    string,
    PacedMessage & { readonly instead: JsonObject | undefined }
  >();
  /** Commands with schedules that the charger has not answered yet, by the id of the call. */
  readonly #unconfirmed = new RareMap<string, string>();
  /** The profile that the open PullDynamicScheduleUpdate of the charger is about, by its id. */
  #pulled: { readonly callId: string; readonly chargingProfileId: number | undefined } | undefined;
  #isStopped = false;

  constructor(known: KnownCharger, tools: LoadPacerTools) {
    this.charger = known.charger;
    this.#known = known;
    this.#tools = tools;
  }

  /** Held commands may come from now on. */
  start(): void {
    this.#tools.limiter.connect(this);
  }

  /** The session is over. What was answered for stays with the limiter. */
  stop(): void {
    this.#isStopped = true;
    this.#open.clear();
    this.#tools.limiter.disconnect(this);
  }

  get feederSetting(): string | undefined {
    return this.#known.record?.feeder;
  }

  get isReady(): boolean {
    const { csms } = this.#tools.lanes;
    return !csms.hasOpenCall && csms.waitingCount === 0;
  }

  /** A call has ended: there may be room for the next. */
  readyAgain(): void {
    if (!this.#isStopped && this.isReady) this.#tools.limiter.readyAgain(this);
  }

  /** Asks the limiter about a message. */
  async ask({ action, frame, isAmbiguous, loadClass }: PacedMessage): Promise<RampVerdict> {
    const { limiter, options } = this.#tools;
    const pass: RampVerdict = { is: 'pass', commandId: '' };
    if (options.mode === 'off') return pass;
    if (isAmbiguous === true) {
      return options.mode === 'enforce' ? { is: 'refused', code: 'RAMP_BUSY' } : pass;
    }
    const { id, payload } = frame;
    const command = this.#commandOf({ action, loadClass, payload, callId: id });
    const estimated = estimateLoad(command, this.#picture(), options.load);
    if (!estimated.ok) {
      const { code } = estimated.error;
      return this.#refuseUncounted(action, code) ? { is: 'refused', code } : pass;
    }
    const estimate = estimated.value;
    const subject = {
      loadClass,
      action,
      payload,
      place: estimate.place,
      stoppedIdToken: loadClass === 'stop' ? this.#known.idTokenOf(payload) : undefined,
    };
    const emergency = this.#emergencyOf(estimate);
    const verdict = await limiter.request(this, {
      messageId: id,
      version: this.#known.version,
      action,
      loadClass,
      payload,
      isReply: frame.kind === 'call-result',
      isSealed: frame.sealed !== undefined,
      estimate,
      lane: emergency === undefined ? 'ordinary' : 'emergency',
      reason: emergency,
      coalesceKeys: coalesceKeys(subject),
      cancelsOut: cancelledOutBy(subject),
      shifted: (seconds) => this.#shifted(command, seconds),
    });
    // The session has ended meanwhile: the CSMS does not hear of it, and will ask again.
    if (this.#isStopped && (verdict.is === 'open' || verdict.is === 'answered')) {
      limiter.forget(verdict.commandId);
    }
    return verdict;
  }

  /** Does what the limiter has said. */
  follow(verdict: RampVerdict, message: PacedMessage): void {
    const { frame } = message;
    switch (verdict.is) {
      case 'pass':
        this.#pass(message, verdict.commandId, verdict.instead);
        return;
      case 'open': {
        const { commandId, instead } = verdict;
        this.#open.set(commandId, { ...message, instead });
        if (frame.kind === 'call') this.#tools.lanes.csms.setAside(frame);
        return;
      }
      case 'answered':
        if (frame.kind === 'call') this.#answerFor(frame);
        return;
      case 'refused':
        this.#refuse(message, verdict.code);
    }
  }

  /** A message was passed on. */
  learn(from: Peer, frame: Admitted<Frame>): void {
    if (from !== 'charger') return;
    if (frame.kind === 'call' && frame.action === 'PullDynamicScheduleUpdate') {
      const id = ownProperty(frame.payload, 'chargingProfileId');
      const chargingProfileId = Number.isSafeInteger(id) ? Number(id) : undefined;
      this.#pulled = { callId: frame.id, chargingProfileId };
      return;
    }
    if (frame.kind !== 'call-result' && frame.kind !== 'call-error') return;
    const commandId = this.#unconfirmed.get(frame.id);
    if (commandId === undefined) return;
    this.#unconfirmed.delete(frame.id);
    const isAccepted = frame.kind === 'call-result' && isAsTold(frame.payload);
    this.#tools.limiter.confirm(this, commandId, isAccepted);
  }

  // RampTarget

  estimate(command: HeldCommand): Pick<LoadEstimate, 'now' | 'swing' | 'place'> {
    if (this.#isMoot(command)) return { now: noChange, swing: 'none', place: command.place };
    const { action, loadClass, messageId: callId } = command;
    const message = this.#open.get(command.id);
    const payload = message?.instead ?? message?.frame.payload ?? command.payload;
    const subject = this.#commandOf({ action, loadClass, payload, callId });
    const estimated = estimateLoad(subject, this.#picture(), this.#tools.options.load);
    const { now, place, swing } = estimated.ok ? estimated.value : command;
    return { now, place, swing };
  }

  release(command: HeldCommand): void {
    const message = this.#open.get(command.id);
    this.#open.delete(command.id);
    this.#tools.guard(() => {
      if (message !== undefined) {
        if (message.frame.kind === 'call') this.#tools.lanes.csms.takeBack(message.frame.id);
        this.#pass(message, command.id, message.instead);
      } else if (command.isAnswered) this.#sendAnswered(command);
    });
  }

  answer(command: HeldCommand): void {
    const message = this.#open.get(command.id);
    this.#open.delete(command.id);
    this.#tools.guard(() => {
      if (message?.frame.kind !== 'call') return;
      this.#tools.lanes.csms.takeBack(message.frame.id);
      this.#answerFor(message.frame);
    });
  }

  refuse(command: HeldCommand, code: RampRefusal): void {
    const message = this.#open.get(command.id);
    this.#open.delete(command.id);
    this.#tools.guard(() => {
      if (message === undefined) return;
      if (message.frame.kind === 'call') this.#tools.lanes.csms.takeBack(message.frame.id);
      this.#refuse(message, code);
    });
  }

  #pass(message: PacedMessage, commandId: string, instead: JsonObject | undefined): void {
    const { action, frame, loadClass } = message;
    if (frame.kind === 'call-result') {
      // Whoever waited may have given up meanwhile, and been told so.
      const correlation = this.#tools.lanes.charger.correlateReply(frame.id, 0);
      if (correlation.is === 'answer') message.goOn();
      return;
    }
    if (loadClass === 'limit' || loadClass === 'start' || loadClass === 'firmware') {
      this.#unconfirmed.set(frame.id, commandId);
      if (this.#unconfirmed.size > unconfirmedMax) {
        const [oldest] = this.#unconfirmed.keys();
        if (oldest !== undefined) this.#unconfirmed.delete(oldest);
      }
    }
    if (instead === undefined) {
      message.goOn();
      return;
    }
    const { id } = frame;
    message.passInstead(frame, { kind: 'call', id, action, payload: instead });
    const handler = 'shift-schedule';
    const charger = this.charger;
    this.#tools.emit({ name: 'FrameRewritten', charger, from: 'csms', action, handler });
  }

  /** The CSMS has its answer; so the charger's goes to nobody but this gateway. */
  #sendAnswered(command: HeldCommand): void {
    const { limiter } = this.#tools;
    if (this.#isMoot(command)) {
      limiter.settle(command, 'moot');
      return;
    }
    void this.#tools.call(command.action, command.payload).then((reply) => {
      limiter.settle(command, this.#outcomeOf(command, reply));
    });
  }

  #outcomeOf(command: HeldCommand, reply: OwnReply): ReleaseOutcome {
    switch (reply.is) {
      case 'result':
        if (isAsTold(reply.payload)) return 'as-told';
        return this.#isMoot(command) ? 'moot' : 'refused';
      case 'error':
        return this.#isMoot(command) ? 'moot' : 'refused';
      case 'unanswered':
        return 'unanswered';
      case 'unsent':
        return 'unsent';
    }
  }

  #answerFor(frame: Admitted<Frame<Call>>): void {
    const { clock, lanes } = this.#tools;
    const { action, id, payload } = frame;
    lanes.csms.rememberAnswered(frame, clock.elapsedMs());
    const result = earlyAnswer(this.#known.version, action, payload);
    this.#tools.answer({ kind: 'call-result', id, payload: result });
  }

  #refuse({ frame, isAmbiguous }: PacedMessage, code: RampRefusal): void {
    if (frame.kind === 'call') {
      const effects = refusalOf(this.charger, 'csms', frame, code);
      // An answer would be taken for that of the other call.
      this.#tools.act(effects.filter((it) => isAmbiguous !== true || it.do !== 'call-error'));
      return;
    }
    const { id } = frame;
    const to = otherPeer('csms');
    if (this.#tools.lanes.charger.correlateReply(id, 0).is !== 'answer') return;
    this.#tools.act([
      { do: 'call-error', to, id, code },
      { do: 'settle', caller: to, id, hasResult: false },
    ]);
  }

  /** The command with its schedule later, and what that does. */
  #shifted(command: LoadCommand, seconds: number): ShiftedCommand | undefined {
    const { clock, options } = this.#tools;
    const payload = shiftedPayload(command, seconds, clock.nowMs());
    if (payload === undefined) return undefined;
    const estimated = estimateLoad({ ...command, payload }, this.#picture(), options.load);
    return estimated.ok ? { payload, estimate: estimated.value } : undefined;
  }

  /** Of a command whose load nobody can tell. @returns whether it is refused. */
  #refuseUncounted(action: string, code: RampRefusal): boolean {
    const { emit, options } = this.#tools;
    const charger = this.charger;
    const feeder = options.feeders.chainOf(charger, this.feederSetting)[0]?.name ?? '';
    const isRefused = options.mode === 'enforce';
    const waitSeconds = undefined;
    emit(
      isRefused
        ? { name: 'LoadCommandRefused', charger, action, feeder, code }
        : { name: 'LoadPacingWouldHold', charger, action, feeder, waitSeconds, code },
    );
    return isRefused;
  }

  /** A stop whose transaction has ended meanwhile. */
  #isMoot({ id, loadClass, payload }: HeldCommand): boolean {
    const stop = this.#open.get(id)?.frame.payload ?? payload;
    return loadClass === 'stop' && this.#known.hasEnded(stop);
  }

  /** Why a fall must not wait: the place that it is about has failed. */
  #emergencyOf({ now, place }: LoadEstimate): string | undefined {
    if (now.downW === 0 || now.upW > 0) return undefined;
    return this.#known.isFaulted(place) ? 'the charger reports a fault' : undefined;
  }

  #commandOf(given: {
    readonly action: string;
    readonly loadClass: LoadClass;
    readonly payload: JsonObject;
    readonly callId: string;
  }): LoadCommand {
    const { action, callId, loadClass, payload } = given;
    const { version } = this.#known;
    const pulled = this.#pulled?.callId === callId ? this.#pulled.chargingProfileId : undefined;
    const command = { version, action, loadClass, payload };
    return pulled === undefined ? command : { ...command, chargingProfileId: pulled };
  }

  #picture(): LoadPicture {
    const { clock, options } = this.#tools;
    const chain = options.feeders.chainOf(this.charger, this.feederSetting);
    const { ratedKw } = this.#known.record ?? {};
    const ratedW = ratedKw === undefined ? chain[0]?.chargerRatedW : ratedKw * 1000;
    return { nowMs: clock.nowMs(), ratedW, view: this.#known.loadView() };
  }
}

/** Calls whose answers say whether a schedule is in force; one is open at a time. */
const unconfirmedMax = 16;
