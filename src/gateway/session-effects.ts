import type { CloseErrorCode } from '../errors/catalogue.ts';
import { toCallError } from '../errors/to-call-error.ts';
import { encodeMessage } from '../ocpp/message.ts';
import { type OcppVersion, otherPeer, type Peer } from '../ocpp/version.ts';
import { isNeverLost } from '../rules/soft.ts';
import type { CallPump } from './call-pump.ts';
import type { CredentialKeeper } from './credential-keeper.ts';
import { type Effect, type ImmediateEffect, refusalOf } from './effects.ts';
import type { KnownCharger } from './known-charger.ts';
import type { LoadPacer } from './load-pacer.ts';
import type { OwnCalls } from './own-calls.ts';
import type { Refusals } from './refusals.ts';
import type { SessionSockets, SessionTools } from './session-tools.ts';
import type { Strikes } from './strikes.ts';

/** The parts of a session that effects are done to. */
export interface EffectParts {
  readonly charger: string;
  readonly version: OcppVersion;
  readonly known: KnownCharger;
  readonly keeper: CredentialKeeper;
  readonly pacer: LoadPacer;
  readonly ownCalls: OwnCalls;
  readonly pump: CallPump;
  readonly refusals: Refusals;
  readonly sockets: SessionSockets;
  readonly strikes: Readonly<Record<Peer, Strikes>>;
  readonly tools: SessionTools;
  /** Runs `action` where what fails in it ends the session. */
  guard(action: () => void): void;
  /** Ends the session because of what `peer` has done. */
  endBecauseOf(peer: Peer, code: CloseErrorCode): void;
  /** `peer` does not take what is sent to it. */
  onStalled(peer: Peer): void;
}

/** Does what the message path has decided, as far as it need not wait for anything. */
export class SessionEffects {
  readonly #parts: EffectParts;

  constructor(parts: EffectParts) {
    this.#parts = parts;
  }

  /** Does one effect of a message that was received at `receivedAtMs` of the session's clock. */
  run(effect: ImmediateEffect, receivedAtMs: number): void {
    const { charger, keeper, known, ownCalls, pacer, pump, refusals, strikes } = this.#parts;
    const { emit, quarantine } = this.#parts.tools;
    switch (effect.do) {
      case 'forward': {
        const { frame, to } = effect;
        if (to === 'csms' && ownCalls.take(frame)) return;
        this.forward(to, frame.sealed ?? frame.bytes, frame.kind, receivedAtMs);
        return;
      }
      case 'rewrite': {
        const { kind } = effect.message;
        this.forward(effect.to, Buffer.from(encodeMessage(effect.message)), kind, receivedAtMs);
        return;
      }
      case 'enqueue': {
        const { call, from, instead } = effect;
        if (pump.lanes[from].offer(call, receivedAtMs, isNeverLost(call), instead)) return;
        known.callOver(from, call.id);
        keeper.neverSent(call.id);
        for (const next of refusalOf(charger, from, call, 'QUEUE_FULL'))
          this.run(next, receivedAtMs);
        return;
      }
      case 'learn':
        known.learn(effect.from, effect.frame);
        keeper.learn(effect.from, effect.frame);
        pacer.learn(effect.from, effect.frame);
        return;
      case 'settle':
        pump.lanes[effect.caller].settle(effect.id, effect.hasResult, receivedAtMs);
        known.callOver(effect.caller, effect.id);
        // Whatever was to be told of its answer has been: one that broke a rule tells nothing.
        if (effect.caller === 'csms') ownCalls.giveUp(effect.id);
        return;
      case 'call-error': {
        if (effect.to === 'csms' && ownCalls.has(effect.id)) return;
        refusals.afterAudit(() => this.#parts.guard(() => this.#refuse(effect)));
        return;
      }
      case 'strike':
        if (strikes[effect.against].add()) this.#parts.endBecauseOf(effect.against, 'STRIKES');
        return;
      case 'close':
        this.#parts.endBecauseOf(effect.because, effect.code);
        return;
      case 'emit':
        emit(effect.event);
        return;
      case 'quarantine': {
        const { bytes, finding, penalty } = effect;
        quarantine.keep({ ...finding, penalty, bytes });
        known.countRefused();
        return;
      }
    }
  }

  /** Sends bytes to `to`. Whoever fills its socket is not read for a while. */
  forward(to: Peer, bytes: Uint8Array, kind: string, receivedAtMs: number): void {
    const { sockets, tools } = this.#parts;
    const socket = sockets[to];
    const from = otherPeer(to);
    socket.send(bytes);
    tools.observeAdded(from, kind, (tools.clock.elapsedMs() - receivedAtMs) / 1000);
    if (socket.isCongested) sockets[from].pause();
    if (socket.isOverwhelmed) this.#parts.onStalled(to);
  }

  /** Tells a caller that its call was refused. */
  #refuse({ code, id, to }: Extract<Effect, { do: 'call-error' }>): void {
    const { known, sockets, version } = this.#parts;
    const spelledAs = to === 'charger' ? known.record?.spellErrorsAs : undefined;
    sockets[to].sendOwn(encodeMessage(toCallError(code, id, spelledAs ?? version)));
  }
}
