import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Clock, sleep, type Timer } from '../lib/clock.ts';
import type { JsonObject } from '../ocpp/message.ts';
import { ownProperty } from '../ocpp/message.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { ChargerState, SimulatedCharger } from './charger/charger.ts';
import type { ConnectedCharger, RotatedPassword, SimulatedCsms } from './csms/csms.ts';
import type { CsmsTransaction } from './csms/csms-transactions.ts';
import type { ActionHandler, PayloadFilter } from './protocol/action-hooks.ts';
import { CallRefused } from './protocol/rpc-errors.ts';
import type { Answer } from './protocol/rpc-peer.ts';

/** How long `waitFor` and `waitForCharger` wait when they are not told. */
const waitSecondsDefault = 30;

/** A handler of a scenario: answers with a payload, `refuse(...)`, or 'silence'. */
export type ScenarioHandler = (payload: JsonObject) => Answer | Promise<Answer>;

/** What `waitFor` waits for, and how long. */
export interface WaitOptions {
  /** The default is 30; then the wait rejects. */
  readonly timeoutSeconds?: number;
  /** Only a payload for which this is true. */
  readonly where?: PayloadFilter;
}

/** What a scenario can do as a charger. */
export interface ScenarioCharger {
  readonly identity: string;
  readonly version: OcppVersion;
  state(): ChargerState;
  /** Resolves when the CSMS has accepted the boot. */
  connected(): Promise<void>;
  call(action: string, payload?: JsonObject): Promise<JsonObject>;
  /** Sends any text, valid or not. */
  send(rawText: string): void;
  /** Takes over one action of the CSMS. */
  on(action: string, handler: ScenarioHandler): void;
  /** A CallError for a handler to return. */
  refuse(code: string, description?: string): CallRefused;
  /** The payload of the next such `action` of the CSMS. */
  waitFor(action: string, options?: WaitOptions): Promise<JsonObject>;
  wait(seconds: number): Promise<void>;
  startTransaction(connectorId?: number, idTag?: string): Promise<string>;
  stopTransaction(connectorId?: number): Promise<boolean>;
  disconnect(): void;
  reconnect(): void;
}

/** What a scenario can do as a CSMS. */
export interface ScenarioCsms {
  readonly url: string;
  chargers(): readonly ConnectedCharger[];
  transactions(): readonly CsmsTransaction[];
  call(identity: string, action: string, payload?: JsonObject): Promise<JsonObject>;
  /** Sends any text, valid or not. */
  sendRaw(identity: string, rawText: string): void;
  /** Takes over one action of every charger. */
  on(action: string, handler: ActionHandler): void;
  /** A CallError for a handler to return. */
  refuse(code: string, description?: string): CallRefused;
  /** Resolves when the charger has booted. Rejects after `timeoutSeconds` (30). */
  waitForCharger(identity: string, timeoutSeconds?: number): Promise<ConnectedCharger>;
  /** The payload of the next such `action` of this charger. */
  waitFor(identity: string, action: string, options?: WaitOptions): Promise<JsonObject>;
  wait(seconds: number): Promise<void>;
  /** Gives the charger a new password; without one, a random one. */
  rotatePassword(identity: string, password?: string): Promise<RotatedPassword>;
  /** Asks the charger to renew its certificate. Resolves with its status. */
  askForRenewal(identity: string): Promise<string>;
  /** Tells the charger to use a higher security profile; in 2.x at `url`. Its last status. */
  raiseProfile(identity: string, to: number, url?: string): Promise<string>;
  disconnect(identity: string): void;
}

/** What the function of a scenario file gets: `charger` or `csms`, and a way to say something. */
export interface ScenarioTools {
  readonly charger?: ScenarioCharger;
  readonly csms?: ScenarioCsms;
  log(text: string): void;
}

/** A scenario: returns when all went well, throws when it did not. */
export type Scenario = (tools: never) => unknown;

/** Loads the named export `scenario` of a module. @throws {Error} when there is none. */
export async function loadScenario(file: string): Promise<Scenario> {
  const module: unknown = await import(pathToFileURL(resolve(file)).href);
  const scenario: unknown = typeof module === 'object' ? ownExport(module) : undefined;
  if (typeof scenario !== 'function') {
    throw new Error(`${file} has no function that is exported as "scenario"`);
  }
  return scenario as Scenario;
}

function ownExport(module: object | null): unknown {
  return module === null ? undefined : ownProperty(module, 'scenario');
}

/** Plays `scenario` as this charger; rejects when the scenario does. */
export async function playAsCharger(
  scenario: Scenario,
  charger: SimulatedCharger,
  clock: Clock,
  log: (text: string) => void,
): Promise<void> {
  const waits = cancellableClock(clock);
  const tools: ScenarioTools = { charger: chargerTools(charger, waits), log };
  try {
    await scenario(tools as never);
  } finally {
    waits.cancelAll();
  }
}

/** Plays `scenario` as this CSMS; rejects when the scenario does. */
export async function playAsCsms(
  scenario: Scenario,
  csms: SimulatedCsms,
  clock: Clock,
  log: (text: string) => void,
): Promise<void> {
  const waits = cancellableClock(clock);
  const tools: ScenarioTools = { csms: csmsTools(csms, waits), log };
  try {
    await scenario(tools as never);
  } finally {
    waits.cancelAll();
  }
}

function chargerTools(charger: SimulatedCharger, clock: Clock): ScenarioCharger {
  return {
    identity: charger.identity,
    version: charger.version,
    state: () => charger.state(),
    connected: () => charger.connected(),
    call: (action, payload = {}) => charger.call(action, payload),
    send: (rawText) => charger.sendRaw(rawText),
    on: (action, handler) => charger.on(action, handler),
    refuse: (code, description) => new CallRefused(code, description),
    waitFor: (action, { timeoutSeconds, where } = {}) =>
      within(clock, timeoutSeconds, action, charger.waitFor(action, where)),
    wait: (seconds) => sleep(clock, seconds * 1000),
    startTransaction: (connectorId = 1, idTag) => charger.startTransaction(connectorId, idTag),
    stopTransaction: (connectorId = 1) => charger.stopTransaction(connectorId),
    disconnect: () => charger.disconnect(),
    reconnect: () => charger.reconnect(),
  };
}

function csmsTools(csms: SimulatedCsms, clock: Clock): ScenarioCsms {
  return {
    url: csms.url,
    chargers: () => csms.chargers(),
    transactions: () => csms.transactions(),
    call: (identity, action, payload = {}) => csms.call(identity, action, payload),
    sendRaw: (identity, rawText) => csms.sendRaw(identity, rawText),
    on: (action, handler) => csms.on(action, handler),
    refuse: (code, description) => new CallRefused(code, description),
    waitForCharger: (identity, seconds) =>
      within(clock, seconds, identity, csms.waitForCharger(identity)),
    waitFor: (identity, action, { timeoutSeconds, where } = {}) =>
      within(clock, timeoutSeconds, action, csms.waitFor(identity, action, where)),
    wait: (seconds) => sleep(clock, seconds * 1000),
    rotatePassword: (identity, password) => csms.rotatePassword(identity, password),
    askForRenewal: (identity) => csms.askForRenewal(identity),
    raiseProfile: (identity, to, url) => csms.raiseProfile(identity, to, url),
    disconnect: (identity) => csms.disconnect(identity),
  };
}

/** A clock whose timers end with the scenario: a wait that nobody awaits must not hold the process. */
function cancellableClock(clock: Clock): Clock & { cancelAll(): void } {
  const timers = new Set<Timer>();
  return {
    ...clock,
    after(delayMs, action) {
      const timer = clock.after(delayMs, () => {
        timers.delete(timer);
        action();
      });
      timers.add(timer);
      return timer;
    },
    cancelAll() {
      for (const timer of timers) timer.cancel();
    },
  };
}

/** `promise`, or a rejection when it takes longer than `seconds`. */
async function within<Value>(
  clock: Clock,
  seconds: number | undefined,
  what: string,
  promise: Promise<Value>,
): Promise<Value> {
  const limitSeconds = seconds ?? waitSecondsDefault;
  const limit = Promise.withResolvers<never>();
  const timer = clock.after(limitSeconds * 1000, () => {
    limit.reject(new Error(`waited ${limitSeconds} s for ${what}`));
  });
  try {
    return await Promise.race([promise, limit.promise]);
  } finally {
    timer.cancel();
  }
}
