import type { Clock, Timer } from '../../../src/lib/clock.ts';
import type { Random } from '../../../src/lib/random.ts';
import type { JsonObject } from '../../../src/ocpp/message.ts';
import type { ChargerPlan } from './charger.ts';
import { type ChargerTransaction, type Dialect, dialects } from './dialect.ts';
import { fieldOf } from './ocpp-text.ts';
import type { Outgoing } from './outbox.ts';

/** What the work of a charger needs. */
export interface WorkTools {
  readonly clock: Clock;
  readonly random: Random;
  say(message: Outgoing): void;
  reboot(): void;
}

/** Times in milliseconds. */
const heartbeatMs = 60_000;
const meterMs = 15_000;
const idleMsMin = 20_000;
const idleMsMax = 150_000;
const chargingMsMin = 20_000;
const chargingMsMax = 120_000;
const obeyMs = 800;

/** What a charger does: it charges cars, tells of it, and obeys. */
export class ChargerWork {
  readonly #plan: ChargerPlan;
  readonly #dialect: Dialect;
  readonly #tools: WorkTools;
  readonly #begun: ChargerTransaction[] = [];
  #active: ChargerTransaction | undefined;
  #next: Timer | undefined;
  #meter: Timer | undefined;
  #isCalm = false;

  constructor(plan: ChargerPlan, tools: WorkTools) {
    this.#plan = plan;
    this.#dialect = dialects[plan.version];
    this.#tools = tools;
  }

  /** All transactions that it has ever begun. */
  get begun(): readonly ChargerTransaction[] {
    return this.#begun;
  }

  get isCharging(): boolean {
    return this.#active !== undefined;
  }

  start(): void {
    const { random } = this.#tools;
    this.#waitForCar();
    this.#heartbeatAfter(random.fraction() * heartbeatMs);
  }

  /** No car comes any more, and those that are there leave. */
  calmDown(): void {
    this.#isCalm = true;
    this.#next?.cancel();
    this.#end();
  }

  bootPayload(): JsonObject {
    return this.#dialect.boot;
  }

  onBooted(): void {
    this.#tellStatus();
  }

  /** The car goes on without power for a moment; then the transaction ends. */
  onReboot(): void {
    this.#end();
  }

  /** Does what a command says. @returns the answer; undefined for what it does not know. */
  obey(action: string, payload: unknown): JsonObject | undefined {
    const { clock } = this.#tools;
    switch (action) {
      case 'RemoteStartTransaction':
      case 'RequestStartTransaction': {
        const isPossible = this.#active === undefined && !this.#isCalm;
        if (isPossible) clock.after(obeyMs, () => this.#begin());
        return { status: isPossible ? 'Accepted' : 'Rejected' };
      }
      case 'RemoteStopTransaction':
      case 'RequestStopTransaction': {
        const isMine =
          this.#active?.id !== undefined && this.#active.id === fieldOf(payload, 'transactionId');
        if (isMine) clock.after(obeyMs, () => this.#end());
        return { status: isMine ? 'Accepted' : 'Rejected' };
      }
      case 'Reset':
        clock.after(2 * obeyMs, () => this.#tools.reboot());
        return { status: 'Accepted' };
      case 'TriggerMessage':
        clock.after(obeyMs, () => this.#say('Heartbeat', () => ({}), false));
        return { status: 'Accepted' };
      case 'SetChargingProfile':
      case 'ClearChargingProfile':
      case 'ChangeConfiguration':
        return { status: 'Accepted' };
      case 'GetConfiguration':
        return { configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '60' }] };
      default:
        return undefined;
    }
  }

  #waitForCar(): void {
    if (this.#isCalm) return;
    const { clock, random } = this.#tools;
    this.#next?.cancel();
    this.#next = clock.after(random.integer(idleMsMin, idleMsMax), () => this.#begin());
  }

  #begin(): void {
    if (this.#active !== undefined || this.#isCalm) return;
    const { clock, random } = this.#tools;
    const token = `T${this.#begun.length + 1}-${this.#plan.identity}`;
    const transaction: ChargerTransaction = {
      token,
      startedAt: new Date(clock.nowMs()).toISOString(),
      id: this.#plan.version === 'ocpp1.6' ? undefined : token,
      events: 0,
    };
    this.#begun.push(transaction);
    this.#active = transaction;
    const { action, payload } = this.#dialect.start(transaction);
    this.#say(
      action,
      () => payload,
      true,
      (result) => {
        const id = fieldOf(result, 'transactionId');
        if (typeof id === 'number') transaction.id = id;
      },
    );
    this.#tellStatus();
    this.#next?.cancel();
    this.#next = clock.after(random.integer(chargingMsMin, chargingMsMax), () => this.#end());
    this.#measureLater(transaction);
  }

  #measureLater(transaction: ChargerTransaction): void {
    this.#meter?.cancel();
    this.#meter = this.#tools.clock.after(meterMs, () => {
      if (this.#active !== transaction) return;
      const at = this.#now();
      const { action, payload } = this.#dialect.measure(transaction, at);
      this.#say(action, payload, false);
      this.#measureLater(transaction);
    });
  }

  #end(): void {
    const transaction = this.#active;
    if (transaction === undefined) return;
    this.#active = undefined;
    this.#meter?.cancel();
    const at = this.#now();
    const { action, payload } = this.#dialect.stop(transaction, at);
    this.#say(action, payload, true);
    this.#tellStatus();
    this.#waitForCar();
  }

  #tellStatus(): void {
    const at = this.#now();
    const payload = this.#dialect.status(this.#active !== undefined, at);
    this.#say('StatusNotification', () => payload, false);
  }

  #heartbeatAfter(delayMs: number): void {
    this.#tools.clock.after(delayMs, () => {
      this.#say('Heartbeat', () => ({}), false);
      this.#heartbeatAfter(heartbeatMs);
    });
  }

  #say(
    action: string,
    payload: () => JsonObject,
    isKept: boolean,
    onResult: (result: unknown) => void = () => {},
  ): void {
    this.#tools.say({ action, payload, isKept, onResult });
  }

  #now(): string {
    return new Date(this.#tools.clock.nowMs()).toISOString();
  }
}
