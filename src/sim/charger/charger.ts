import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { isSendAction } from '../../ocpp/actions.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { acRating, type ElectricalRating } from '../electrical/electrical.ts';
import { ActionHooks, type PayloadFilter, refusalOf } from '../protocol/action-hooks.ts';
import type { PasswordForm } from '../protocol/password.ts';
import { dateTimeText } from '../protocol/payload.ts';
import { ConnectionLost, refusal } from '../protocol/rpc-errors.ts';
import type { Answer, IncomingCall } from '../protocol/rpc-peer.ts';
import type { TrafficObserver } from '../protocol/traffic.ts';
import { type BackOff, defaultBackOff } from './back-off.ts';
import { chargerAnswers2x } from './charger-answers-2x.ts';
import { chargerAnswers16 } from './charger-answers-16.ts';
import { chargerAnswers21 } from './charger-answers-21.ts';
import { chargerDialect2x } from './charger-dialect-2x.ts';
import { chargerDialect16 } from './charger-dialect-16.ts';
import { ChargerLink, type ChargerTls, type ConnectionState } from './charger-link.ts';
import type { ChargerAnswers, ChargerParts } from './charger-parts.ts';
import { ChargerSecurity, type PasswordChange, type SecurityProfile } from './charger-security.ts';
import { Sequences } from './sequences.ts';
import { Settings } from './settings.ts';
import { Station } from './station.ts';
import { emptyRecords } from './station-records.ts';
import type {
  ChargerDialect,
  ConnectorView,
  StationDescription,
  StopCause,
} from './station-types.ts';

/** Security events that wait for a connection; a charger with more to tell is not simulated. */
const securityEventsMax = 20;
/** How long a reset waits for the ends of its transactions to be told. */
const resetWaitSecondsMax = 5;

/** What a simulated charger needs; all that is optional has a sensible default. */
export interface SimulatedChargerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Of the CSMS, such as ws://127.0.0.1:9000/ocpp; the identity is appended. */
  readonly url: string;
  readonly identity: string;
  readonly version: OcppVersion;
  /** Sent with HTTP Basic (security profiles 1 and 2), in the form of `passwordForm`. */
  readonly passwordBytes?: Buffer | undefined;
  /** How a password of hexadecimal digits is sent in 1.6. The default is `raw`. */
  readonly passwordForm?: PasswordForm | undefined;
  /** The user name of HTTP Basic. The default is the identity. */
  readonly basicUser?: string | undefined;
  /** What the charger does when the CSMS changes its password. The default is `reconnects`. */
  readonly passwordChange?: PasswordChange | undefined;
  /** For wss (security profiles 2 and 3). */
  readonly tls?: ChargerTls | undefined;
  /** To begin with. The default is what `url`, password and certificate amount to. */
  readonly securityProfile?: SecurityProfile | undefined;
  /** Where the CSMS is for another profile. Without an entry: at `url`, if its scheme fits. */
  readonly urls?: Readonly<Partial<Record<SecurityProfile, string>>> | undefined;
  /**
   * CN of the certificates that the charger asks for. The default is that of its certificate, or
   * else its serial number.
   */
  readonly certificateName?: string | undefined;
  /** Send SecurityEventNotification after a start and a change of credentials. Not by default. */
  readonly sendsSecurityEvents?: boolean | undefined;
  readonly connectorCount?: number | undefined;
  readonly rating?: ElectricalRating | undefined;
  /** Between the meter values of a transaction; 0: none. The default is 60. */
  readonly meterIntervalSeconds?: number | undefined;
  /** How long it takes to come back after a reset. The default is 2. */
  readonly rebootSeconds?: number | undefined;
  /** Between the messages of a firmware update or a log upload. The default is 2. */
  readonly stepSeconds?: number | undefined;
  readonly callTimeoutSeconds?: number | undefined;
  readonly backOff?: BackOff | undefined;
  readonly description?: Partial<StationDescription> | undefined;
  /** Refuse calls that depart from their schema, as a good charger does. The default is true. */
  readonly validatesPayloads?: boolean | undefined;
  readonly onTraffic?: TrafficObserver | undefined;
}

/** What a charger is doing. */
export interface ChargerState {
  readonly connection: ConnectionState;
  /** Why the last attempt to connect failed. */
  readonly lastFailure: string | undefined;
  /** Of the last connection that worked; at the start the one to begin with. */
  readonly securityProfile: SecurityProfile;
  /** Of all connectors. */
  readonly powerKw: number;
  readonly connectors: readonly ConnectorView[];
}

/** A simulated charging station. It dials at once, and again whenever it loses the connection. */
export interface SimulatedCharger {
  readonly identity: string;
  readonly version: OcppVersion;
  state(): ChargerState;
  /** Resolves when the CSMS has accepted a boot for the first time; rejects after `close`. */
  connected(): Promise<void>;
  /** @throws {CallRefused | CallTimedOut | ConnectionLost} as a rejection. */
  call(action: string, payload: JsonObject): Promise<JsonObject>;
  /** Sends any text. @throws {ConnectionLost} without a connection. */
  sendRaw(text: string): void;
  /** Resolves with the transaction id. Rejects when the connector is taken or the CSMS refuses. */
  startTransaction(connectorId: number, idTag?: string): Promise<string>;
  /** Resolves when all that was to be told has been told. False: there was no transaction. */
  stopTransaction(connectorId: number): Promise<boolean>;
  /** Takes over one action of the CSMS; undefined gives it back. */
  on(
    action: string,
    handler: ((payload: JsonObject) => Answer | Promise<Answer>) | undefined,
  ): void;
  /** The payload of the next such `action` that the CSMS sends. */
  waitFor(action: string, where?: PayloadFilter): Promise<JsonObject>;
  /** Closes the connection, and stays away until `reconnect`. */
  disconnect(): void;
  reconnect(): void;
  /** Ends everything; resolves when the socket is gone. Idempotent. */
  close(): Promise<void>;
}

const answersByVersion: Readonly<Record<OcppVersion, ChargerAnswers>> = {
  'ocpp1.6': chargerAnswers16,
  'ocpp2.0.1': chargerAnswers2x,
  'ocpp2.1': chargerAnswers21,
};

const dialects: Readonly<Record<OcppVersion, ChargerDialect>> = {
  'ocpp1.6': chargerDialect16,
  'ocpp2.0.1': chargerDialect2x,
  'ocpp2.1': chargerDialect2x,
};

/** Rejected until the CSMS has accepted the boot (OCPP 1.6 section 4.2; B02.FR.05 in 2.0.1). */
const afterBootOnly: ReadonlySet<string> = new Set([
  'RemoteStartTransaction',
  'RemoteStopTransaction',
  'RequestStartTransaction',
  'RequestStopTransaction',
]);

/** The idTag of a driver who starts without naming one. */
const idTagDefault = 'SIM-DRIVER';

/** Starts a charger. It never throws for what the network does; `state` tells. */
export function startSimulatedCharger(options: SimulatedChargerOptions): SimulatedCharger {
  const charger = new Charger(options);
  charger.start();
  return charger;
}

class Charger implements SimulatedCharger {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly #options: SimulatedChargerOptions;
  readonly #link: ChargerLink;
  readonly #security: ChargerSecurity;
  readonly #station: Station;
  readonly #sequences: Sequences;
  readonly #hooks = new ActionHooks();
  readonly #parts: ChargerParts;
  readonly #connected = Promise.withResolvers<void>();
  readonly #description: StationDescription;
  /** Waiting for the CSMS to accept the charger: type, and moment. */
  readonly #securityEvents: (readonly [type: string, atMs: number])[] = [];
  #resetsWhenIdle = false;
  #resetTimer: Timer | undefined;

  constructor(options: SimulatedChargerOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.version = options.version;
    const { clock, random, version } = options;
    const rating = options.rating ?? acRating;
    const meterIntervalSeconds = options.meterIntervalSeconds ?? 60;
    const connectorCount = options.connectorCount ?? 1;
    this.#description = {
      vendor: 'Gatewatt',
      model: 'Simulated',
      serialNumber: options.identity,
      firmwareVersion: '1.0.0',
      ...options.description,
    };
    this.#security = new ChargerSecurity({
      version,
      url: options.url,
      urls: options.urls ?? {},
      profile: options.securityProfile,
      password: options.passwordBytes,
      passwordForm: options.passwordForm,
      user: options.basicUser ?? options.identity,
      passwordChange: options.passwordChange ?? 'reconnects',
      tls: options.tls ?? {},
      onProfile: (profile) => settings.report('SecurityProfile', String(profile)),
    });
    const certified = this.#security.certificate.subject();
    const settings = new Settings(version, {
      MeterValueSampleInterval: String(meterIntervalSeconds),
      NumberOfConnectors: String(connectorCount),
      SecurityProfile: String(this.#security.profile()),
      ...(certified.organization !== undefined && { CpoName: certified.organization }),
    });
    this.#link = this.#newLink();
    this.#station = new Station({
      version,
      dialect: dialects[version],
      clock,
      random,
      rating,
      connectorCount,
      meterIntervalSeconds,
      settings,
      call: (outgoing) => this.#link.call(outgoing),
      isAccepted: () => this.#link.state() === 'accepted',
    });
    const notify: ChargerParts['notify'] = (outgoing) => {
      // Whatever comes back, the observer of the traffic has seen it.
      this.#link.call(outgoing).catch(() => undefined);
    };
    this.#sequences = new Sequences(clock, options.stepSeconds ?? 2, notify);
    this.#parts = {
      identity: options.identity,
      version,
      clock,
      random,
      rating,
      station: this.#station,
      settings,
      records: emptyRecords(),
      security: this.#security,
      certificateName:
        options.certificateName ?? certified.commonName ?? this.#description.serialNumber,
      noteSecurityEvent: (type) => this.#noteSecurityEvent(type),
      redial: () => this.#link.redial('Unknown'),
      notify,
      sequence: (name, messages, delay) => this.#sequences.run(name, messages, delay),
      isSequenceRunning: (name) => this.#sequences.isRunning(name),
      bootAgain: () => this.#link.bootAgain(),
      heartbeatEvery: (intervalSeconds) => this.#link.heartbeatEvery(intervalSeconds),
      reset: (cause) => void this.#reset(cause),
      resetWhenIdle: () => {
        this.#resetsWhenIdle = true;
      },
    };
    this.#noteSecurityEvent('StartupOfTheDevice');
    // A charger that never connects and is closed has nobody to tell.
    this.#connected.promise.catch(() => undefined);
  }

  start(): void {
    this.#link.connect();
  }

  state(): ChargerState {
    const connectors = this.#station.connectors();
    return {
      connection: this.#link.state(),
      lastFailure: this.#link.lastFailure(),
      securityProfile: this.#security.profile(),
      powerKw: connectors.reduce((sum, { powerKw }) => sum + powerKw, 0),
      connectors,
    };
  }

  connected(): Promise<void> {
    return this.#connected.promise;
  }

  call(action: string, payload: JsonObject): Promise<JsonObject> {
    if (!isSendAction(this.version, action)) return this.#link.call({ action, payload });
    this.#link.send({ action, payload });
    return Promise.resolve({});
  }

  sendRaw(text: string): void {
    this.#link.sendRaw(text);
  }

  startTransaction(connectorId: number, idTag = idTagDefault): Promise<string> {
    return this.#station.startTransaction(connectorId, { idTag, authorizes: true });
  }

  async stopTransaction(connectorId: number): Promise<boolean> {
    const wasRunning = this.#station.stopTransaction(connectorId, 'Local');
    await this.#station.outbox.idle();
    this.#resetIfIdle();
    return wasRunning;
  }

  on(
    action: string,
    handler: ((payload: JsonObject) => Answer | Promise<Answer>) | undefined,
  ): void {
    this.#hooks.on(action, handler);
  }

  waitFor(action: string, where?: PayloadFilter): Promise<JsonObject> {
    return this.#hooks.waitFor(action, undefined, where);
  }

  disconnect(): void {
    this.#link.disconnect(undefined, 'Unknown');
  }

  reconnect(): void {
    this.#link.connect();
  }

  close(): Promise<void> {
    this.#connected.reject(new Error('the charger was closed'));
    this.#resetTimer?.cancel();
    this.#sequences.close();
    this.#station.close();
    return this.#link.close();
  }

  #newLink(): ChargerLink {
    const { options, dialect } = { options: this.#options, dialect: dialects[this.version] };
    return new ChargerLink({
      identity: options.identity,
      version: options.version,
      clock: options.clock,
      random: options.random,
      dialling: () => this.#security.dialling(),
      onDialled: (isOpen) => {
        if (isOpen) this.#security.succeeded();
        else this.#security.failed();
      },
      backOff: options.backOff ?? defaultBackOff,
      callTimeoutSeconds: options.callTimeoutSeconds ?? 30,
      validatesPayloads: options.validatesPayloads ?? true,
      onTraffic: options.onTraffic,
      boot: (reason) => dialect.boot(this.#description, reason),
      onCall: (call) => this.#answer(call),
      onAccepted: () => {
        this.#station.notifyStatus();
        this.#station.outbox.setConnected(true);
        this.#tellSecurityEvents();
        this.#connected.resolve();
      },
      onLost: () => this.#station.outbox.setConnected(false),
    });
  }

  async #answer(call: IncomingCall): Promise<Answer> {
    const handler = this.#hooks.take(call, this.identity);
    if (handler !== undefined) return handler(call.payload, this.identity);
    const refused = refusalOf(this.version, 'csms', call, this.#options.validatesPayloads ?? true);
    if (refused !== undefined) return refused;
    if (this.#link.state() !== 'accepted' && afterBootOnly.has(call.action)) {
      return { status: 'Rejected' };
    }
    const answer = answersByVersion[this.version][call.action];
    if (answer === undefined) {
      return refusal(this.version, 'NotSupported', 'The simulated charger does not do this.');
    }
    const payload = answer(call.payload, this.#parts, (effect) => call.afterReply(effect));
    // Last, because what the answer does may have ended the transaction that a reset waits for.
    call.afterReply(() => this.#resetIfIdle());
    return payload;
  }

  #noteSecurityEvent(type: string, atMs = this.#options.clock.nowMs()): void {
    if (this.#options.sendsSecurityEvents !== true) return;
    if (this.#securityEvents.length >= securityEventsMax) return;
    this.#securityEvents.push([type, atMs]);
  }

  #tellSecurityEvents(): void {
    for (const [type, atMs] of this.#securityEvents.splice(0)) {
      const payload = { type, timestamp: dateTimeText(atMs) };
      this.#link.call({ action: 'SecurityEventNotification', payload }).catch((error) => {
        // They are told again until the CSMS has them (A04).
        if (error instanceof ConnectionLost) this.#noteSecurityEvent(type, atMs);
      });
    }
  }

  #resetIfIdle(): void {
    if (!this.#resetsWhenIdle || this.#station.isBusy()) return;
    this.#resetsWhenIdle = false;
    void this.#reset('SoftReset');
  }

  async #reset(cause: StopCause): Promise<void> {
    this.#station.stopAll(cause);
    const { clock, rebootSeconds } = this.#options;
    const limit = Promise.withResolvers<void>();
    this.#resetTimer?.cancel();
    this.#resetTimer = clock.after(resetWaitSecondsMax * 1000, () => limit.resolve());
    await Promise.race([this.#station.outbox.idle(), limit.promise]);
    this.#resetTimer.cancel();
    this.#security.restarted();
    this.#noteSecurityEvent('StartupOfTheDevice');
    this.#link.disconnect(rebootSeconds ?? 2, 'RemoteReset');
  }
}
