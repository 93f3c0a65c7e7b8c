import type { EventSink } from '../events/emit.ts';
import type { HeldCommand } from './command-rows.ts';
import { earlyAnswer } from './early-answer.ts';
import { wholeCommandMilli } from './load-change.ts';
import type { Release } from './plan.ts';
import type { RampOptions } from './ramp-options.ts';
import type { LoadCommandRequest, RampRefusal, ReleaseOutcome } from './ramp-target.ts';
import type { TakenRequest } from './take-request.ts';
import type { TickResult } from './tick.ts';

/** Tells operators what becomes of commands that change load. */
export class RampReport {
  readonly #emit: EventSink;
  readonly #options: RampOptions;

  constructor(emit: EventSink, options: RampOptions) {
    this.#emit = emit;
    this.#options = options;
  }

  /** A command was decided about. */
  taken(charger: string, request: LoadCommandRequest, taken: TakenRequest): void {
    const { cancelled, decision, feeder, superseded } = taken;
    const { action, lane, reason } = request;
    const subject = { charger, action, feeder };
    for (const old of superseded) {
      this.#emit({ name: 'LoadCommandSuperseded', charger, action: old.action });
    }
    if (cancelled !== undefined) {
      const actions = [cancelled.action, action];
      this.#emit({ name: 'LoadCommandsCancelledOut', charger, actions });
      if (cancelled.isAnswered) this.#mismatch(cancelled, 'cancelled out');
    }
    switch (decision.is) {
      case 'pass':
        if (lane === 'emergency') {
          this.#emit({ name: 'EmergencyLaneUsed', ...subject, reason: reason ?? '' });
        }
        this.#shifted(subject, decision.shiftSeconds);
        this.#oversized(charger, action, { now: request.estimate.now, exceeds: decision.exceeds });
        return;
      case 'refuse':
        if (cancelled === undefined) this.refused(charger, request, feeder, decision.code);
        return;
      case 'hold': {
        const { mustAnswer, reason: why, waitMs } = decision;
        this.#shifted(subject, decision.shiftSeconds);
        this.#emit({
          name: 'LoadCommandHeld',
          ...subject,
          reason: why,
          waitSeconds: why === 'busy' ? undefined : seconds(waitMs),
          answered: mustAnswer,
        });
      }
    }
  }

  /** A command was refused. */
  refused(
    charger: string,
    { action }: LoadCommandRequest,
    feeder: string,
    code: RampRefusal,
  ): void {
    this.#emit({ name: 'LoadCommandRefused', charger, action, feeder, code });
  }

  /** In `monitor`: what would have become of a command. */
  wouldHold(charger: string, { action }: LoadCommandRequest, taken: TakenRequest): void {
    const { decision, feeder } = taken;
    if (decision.is === 'pass') return;
    const waitSeconds = decision.is === 'hold' ? seconds(decision.waitMs) : undefined;
    const code = decision.is === 'refuse' ? decision.code : undefined;
    this.#emit({ name: 'LoadPacingWouldHold', charger, action, feeder, waitSeconds, code });
  }

  /** The caller of a command that waits was answered after all. */
  answeredLate({ action, arrivedAtMs, charger, feeder }: HeldCommand, nowMs: number): void {
    const waitSeconds = seconds(nowMs - arrivedAtMs);
    const reason = 'order';
    this.#emit({
      name: 'LoadCommandHeld',
      charger,
      action,
      feeder,
      reason,
      waitSeconds,
      answered: true,
    });
  }

  /** A command that waited is sent. */
  released(command: HeldCommand, { command: planned, exceeds }: Release, nowMs: number): void {
    const { action, arrivedAtMs, charger, feeder, lane, reason } = command;
    this.#emit({
      name: 'LoadCommandReleased',
      charger,
      action,
      feeder,
      waitedSeconds: seconds(nowMs - arrivedAtMs),
      upKw: planned.now.upW / 1000,
      downKw: planned.now.downW / 1000,
      lane,
    });
    if (lane === 'emergency') {
      this.#emit({ name: 'EmergencyLaneUsed', charger, action, feeder, reason: reason ?? '' });
    }
    this.#oversized(charger, action, { now: planned.now, exceeds });
  }

  /** A command that waited is given up. */
  givenUp(command: HeldCommand, code: RampRefusal): void {
    const { action, charger, feeder, isAnswered } = command;
    if (code === 'RAMP_EXPIRED') {
      this.#emit({ name: 'LoadCommandExpired', charger, action, feeder, wasAnswered: isAnswered });
    } else if (!isAnswered) {
      this.#emit({ name: 'LoadCommandRefused', charger, action, feeder, code });
    }
  }

  /** How a command came out that the gateway had answered for. */
  settled(command: HeldCommand, outcome: ReleaseOutcome, nowMs: number): void {
    const { action, arrivedAtMs, charger } = command;
    switch (outcome) {
      case 'as-told':
      case 'moot': {
        const waitedSeconds = seconds(nowMs - arrivedAtMs);
        this.#emit({ name: 'LoadCommandReconciled', charger, action, waitedSeconds });
        return;
      }
      case 'refused':
        this.#mismatch(command, 'refused by the charger');
        return;
      case 'unanswered':
        this.#emit({ name: 'LoadCommandUnclear', charger, action });
        return;
      case 'unsent':
        return;
    }
  }

  /** What a look at the waiting commands has found. */
  looked({ calmed, lowered, unclear }: TickResult): void {
    for (const { action, charger } of unclear) {
      this.#emit({ name: 'LoadCommandUnclear', charger, action });
    }
    for (const feeder of calmed) this.#emit({ name: 'FeederCalm', feeder });
    for (const feeder of lowered) {
      this.#emit({ name: 'FeederLiftEnded', feeder, by: 'gateway' });
    }
  }

  /** A feeder swings to and fro. */
  oscillates(feeder: string, reversals: number): void {
    const windowSeconds = this.#options.oscillation.windowMs / 1000;
    this.#emit({ name: 'FeederOscillating', feeder, reversals, windowSeconds });
  }

  #mismatch({ action, charger, payload, version }: HeldCommand, outcome: string): void {
    const told = String(earlyAnswer(version, action, payload)['status']);
    this.#emit({ name: 'LoadCommandMismatch', charger, action, told, outcome });
  }

  #shifted(
    subject: { readonly charger: string; readonly action: string; readonly feeder: string },
    shiftSeconds: number,
  ): void {
    if (shiftSeconds > 0) this.#emit({ name: 'LoadStepShifted', ...subject, shiftSeconds });
  }

  #oversized(
    charger: string,
    action: string,
    { exceeds, now }: Pick<Release, 'exceeds'> & { readonly now: Release['command']['now'] },
  ): void {
    if (exceeds === undefined) return;
    const { dimension, feeder } = exceeds;
    const unit = dimension === 'commandsMilli' ? wholeCommandMilli : 1000;
    const budget = this.#options.feeders.find(feeder)?.budget[dimension] ?? 0;
    const kw = now[dimension] / unit;
    this.#emit({
      name: 'LoadCommandOversized',
      charger,
      action,
      feeder,
      kw,
      budgetKw: budget / unit,
    });
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
