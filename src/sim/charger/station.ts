import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import { ChargingLimits, type LimitQuestion } from '../electrical/charging-limits.ts';
import {
  ChargingSession,
  type ElectricalRating,
  type ElectricalSample,
  idleSample,
} from '../electrical/electrical.ts';
import { Outbox, type Outgoing } from './outbox.ts';
import type { Settings } from './settings.ts';
import type {
  ChargerDialect,
  ConnectorStatus,
  ConnectorView,
  Reading,
  ReadingContext,
  StartRequest,
  StopCause,
  Transaction,
  TransactionMoment,
  UpdateCause,
} from './station-types.ts';

/** Where a new car's state of charge lies, percent. */
const socPercentMin = 15;
const socPercentMax = 60;
/** What a meter may have counted before the simulation began. */
const registerWhMax = 5_000_000;

/** What a Station needs. */
export interface StationOptions {
  readonly version: OcppVersion;
  readonly dialect: ChargerDialect;
  readonly clock: Clock;
  readonly random: Random;
  readonly rating: ElectricalRating;
  readonly connectorCount: number;
  /** 0: no meter values between start and stop. */
  readonly meterIntervalSeconds: number;
  readonly settings: Settings;
  readonly call: (outgoing: Outgoing) => Promise<JsonObject>;
  /** A connection exists and the CSMS has accepted the boot. */
  readonly isAccepted: () => boolean;
}

interface Connector {
  readonly id: number;
  status: ConnectorStatus;
  operative: boolean;
  reservedFor: string | undefined;
  /** The register when no session runs, and at the start of the one that does. */
  registerWh: number;
  active: ActiveTransaction | undefined;
}

interface ActiveTransaction {
  readonly transaction: Transaction;
  readonly session: ChargingSession;
  nextSeqNo: number;
  meterTimer: Timer | undefined;
}

/** The connectors of one charger and the transactions on them. */
export class Station {
  readonly limits: ChargingLimits;
  readonly outbox: Outbox;
  readonly #options: StationOptions;
  readonly #connectors: readonly Connector[];

  constructor(options: StationOptions) {
    this.#options = options;
    this.limits = new ChargingLimits(options.rating);
    this.outbox = new Outbox(options.call);
    this.#connectors = Array.from({ length: options.connectorCount }, (_, index) => ({
      id: index + 1,
      status: 'Available',
      operative: true,
      reservedFor: undefined,
      registerWh: options.random.integer(0, registerWhMax),
      active: undefined,
    }));
  }

  /** Every connector, as it is at this moment. */
  connectors(): readonly ConnectorView[] {
    this.refresh();
    return this.#connectors.map((connector) => {
      const sample = this.#sample(connector);
      return {
        connectorId: connector.id,
        status: connector.status,
        powerKw: sample.powerW / 1000,
        socPercent: connector.active === undefined ? undefined : sample.socPercent,
        energyWh: connector.registerWh + sample.energyWh,
        transactionId: connector.active?.transaction.id,
        isCharging: connector.active !== undefined,
      };
    });
  }

  /** The connector on which transaction `id` runs. */
  connectorOf(transactionId: string): number | undefined {
    return this.#connectors.find((other) => other.active?.transaction.id === transactionId)?.id;
  }

  /** A connector on which `idTag` may start: `connectorId`, or any when it is undefined or 0. */
  freeConnector(connectorId: number | undefined, idTag: string): number | undefined {
    const wanted = connectorId === 0 ? undefined : connectorId;
    return this.#connectors.find(
      (connector) =>
        (wanted === undefined || connector.id === wanted) && isFreeFor(connector, idTag),
    )?.id;
  }

  /**
   * Starts a transaction; resolves with its id, which in 1.6 the CSMS must allot first.
   * Rejects when the connector is not free, or when the CSMS refuses.
   */
  async startTransaction(connectorId: number, request: StartRequest): Promise<string> {
    const connector = this.#connector(connectorId);
    if (!isFreeFor(connector, request.idTag)) {
      throw new Error(`connector ${connectorId} is ${connector.status}`);
    }
    // Before the first await, so that two starts cannot both find the connector free.
    this.#setStatus(connector, 'Preparing');
    if (request.authorizes && this.#options.isAccepted()) {
      await this.#authorize(connector, request.idTag);
    }
    connector.reservedFor = undefined;
    return this.#begin(connector, request);
  }

  /** Ends the transaction on this connector. False when none runs. */
  stopTransaction(connectorId: number, cause: StopCause): boolean {
    const connector = this.#connectors.find((other) => other.id === connectorId);
    const active = connector?.active;
    if (connector === undefined || active === undefined) return false;
    this.#advance(connector);
    const moment = this.#moment(connector, active, 'Transaction.End', 'Finishing');
    active.meterTimer?.cancel();
    connector.registerWh += active.session.sample(0).energyWh;
    connector.active = undefined;
    const { dialect } = this.#options;
    this.outbox.deliver({ build: (offline) => dialect.ended({ ...moment, offline }, cause) });
    this.limits.endTransaction(active.transaction.id, connectorId);
    this.#setStatus(connector, 'Finishing');
    // The driver unplugs at once.
    this.#setStatus(connector, connector.operative ? 'Available' : 'Unavailable');
    return true;
  }

  /** Ends every transaction. */
  stopAll(cause: StopCause): void {
    for (const { id } of this.#connectors) this.stopTransaction(id, cause);
  }

  /** Does any transaction run? */
  isBusy(): boolean {
    return this.#connectors.some((connector) => connector.active !== undefined);
  }

  /** Takes connectors in or out of service (0: all); where a transaction runs, when it ends. */
  setOperative(connectorId: number, operative: boolean): 'Accepted' | 'Scheduled' | 'Rejected' {
    const chosen = this.#connectors.filter(({ id }) => connectorId === 0 || id === connectorId);
    if (chosen.length === 0) return 'Rejected';
    for (const connector of chosen) {
      connector.operative = operative;
      if (connector.active === undefined) {
        this.#setStatus(connector, operative ? 'Available' : 'Unavailable');
      }
    }
    const waits = !operative && chosen.some((connector) => connector.active !== undefined);
    return waits ? 'Scheduled' : 'Accepted';
  }

  /** Keeps a free connector (0: any) for `idTag`; undefined when none is free. */
  reserve(connectorId: number, idTag: string): number | undefined {
    const free = this.#connectors.find(
      (connector) =>
        (connectorId === 0 || connector.id === connectorId) && connector.status === 'Available',
    );
    if (free === undefined) return undefined;
    free.reservedFor = idTag;
    this.#setStatus(free, 'Reserved');
    return free.id;
  }

  /** Gives a reserved connector back. */
  unreserve(connectorId: number): void {
    const connector = this.#connectors.find((other) => other.id === connectorId);
    if (connector?.status !== 'Reserved') return;
    connector.reservedFor = undefined;
    this.#setStatus(connector, connector.operative ? 'Available' : 'Unavailable');
  }

  /** Sends StatusNotification of one connector, or of all (undefined; 1.6 adds connector 0). */
  notifyStatus(connectorId?: number): void {
    const { version, dialect, clock } = this.#options;
    if (version === 'ocpp1.6' && (connectorId ?? 0) === 0) {
      this.notify(dialect.status(0, 'Available', clock.nowMs()));
    }
    for (const { id, status } of this.#connectors) {
      if (connectorId !== undefined && connectorId !== 0 && id !== connectorId) continue;
      this.notify(dialect.status(id, status, clock.nowMs()));
    }
  }

  /** Sends the values of one connector, or of all, as TriggerMessage asks. */
  notifyMeterValues(connectorId?: number): void {
    for (const connector of this.#connectors) {
      if (connectorId !== undefined && connectorId !== 0 && connector.id !== connectorId) continue;
      this.#advance(connector);
      this.notify(
        this.#options.dialect.meterValues(connector.id, this.#reading(connector, 'Trigger')),
      );
    }
  }

  /** Tells of every running transaction once more (TriggerMessage in 2.x). */
  notifyTransactions(): void {
    for (const connector of this.#connectors) this.#update(connector, 'trigger');
  }

  /** Integrates up to now, and tells of connectors that have changed, as after a new limit. */
  refresh(): void {
    for (const connector of this.#connectors) {
      const { active } = connector;
      if (active === undefined) continue;
      this.#advance(connector);
      const status = this.#chargingStatus(connector, active);
      if (status === connector.status) continue;
      this.#setStatus(connector, status);
      this.#update(connector, 'state');
    }
  }

  /** Sends a message that may be lost. */
  notify(outgoing: Outgoing): void {
    if (!this.#options.isAccepted()) return;
    // Whatever comes back, the observer of the traffic has seen it.
    this.#options.call(outgoing).catch(() => undefined);
  }

  /** The limit question about one connector, now. */
  limitQuestion(connectorId: number): LimitQuestion {
    const active = this.#connectors.find(({ id }) => id === connectorId)?.active;
    const sharing = this.#connectors.filter((connector) => connector.active !== undefined).length;
    return {
      connectorId,
      atMs: this.#options.clock.nowMs(),
      sharing: active === undefined ? 1 : sharing,
      ...(active !== undefined && {
        transaction: { id: active.transaction.id, startMs: active.transaction.startedAtMs },
      }),
    };
  }

  /** Stops all timers. */
  close(): void {
    for (const { active } of this.#connectors) active?.meterTimer?.cancel();
  }

  #connector(connectorId: number): Connector {
    const connector = this.#connectors.find((other) => other.id === connectorId);
    if (connector === undefined) throw new Error(`there is no connector ${connectorId}`);
    return connector;
  }

  async #authorize(connector: Connector, idTag: string): Promise<void> {
    const { dialect, call } = this.#options;
    try {
      const reply = await call(dialect.authorize(idTag));
      if (dialect.refusesIdTag(reply)) throw new Error(`the CSMS does not accept ${idTag}`);
    } catch (error) {
      this.#setStatus(connector, 'Available');
      throw error;
    }
  }

  #begin(connector: Connector, request: StartRequest): Promise<string> {
    const { clock, random, rating, version, dialect } = this.#options;
    const startedAtMs = clock.nowMs();
    const transaction: Transaction = {
      id: version === 'ocpp1.6' ? undefined : random.uuid(),
      connectorId: connector.id,
      idTag: request.idTag,
      startedAtMs,
      meterStartWh: connector.registerWh,
      remoteStartId: request.remoteStartId,
    };
    const socPercent = random.integer(socPercentMin, socPercentMax);
    const session = new ChargingSession(rating, socPercent, startedAtMs);
    const active: ActiveTransaction = { transaction, session, nextSeqNo: 0, meterTimer: undefined };
    connector.active = active;
    const status = this.#chargingStatus(connector, active);
    const moment = this.#moment(connector, active, 'Transaction.Begin', status);
    const started = new Promise<string>((resolve, reject) => {
      this.outbox.deliver({
        build: (offline) => dialect.started({ ...moment, offline }),
        onReply: (reply) => {
          transaction.id ??= dialect.transactionIdOf(reply);
          resolve(transaction.id ?? '');
          const isRunning = connector.active === active;
          if (isRunning && dialect.refusesIdTag(reply)) {
            this.stopTransaction(connector.id, 'DeAuthorized');
          }
        },
        onGivenUp: reject,
      });
    });
    this.#setStatus(connector, status);
    this.#scheduleReading(connector, active);
    return started;
  }

  #scheduleReading(connector: Connector, active: ActiveTransaction): void {
    const { settings, meterIntervalSeconds, clock } = this.#options;
    const seconds = settings.integer('MeterValueSampleInterval', meterIntervalSeconds);
    if (seconds <= 0) return;
    active.meterTimer = clock.after(seconds * 1000, () => {
      this.refresh();
      this.#update(connector, 'periodic');
      this.#scheduleReading(connector, active);
    });
  }

  #update(connector: Connector, cause: UpdateCause): void {
    const { active } = connector;
    if (active === undefined) return;
    const context = cause === 'trigger' ? 'Trigger' : 'Sample.Periodic';
    const { dialect, version } = this.#options;
    // 1.6 does not tell of a change of state in a transaction; StatusNotification does.
    if (version === 'ocpp1.6' && cause === 'state') return;
    const moment = this.#moment(connector, active, context, connector.status);
    this.outbox.deliver({ build: (offline) => dialect.updated({ ...moment, offline }, cause) });
  }

  #moment(
    connector: Connector,
    active: ActiveTransaction,
    context: ReadingContext,
    status: ConnectorStatus,
  ): TransactionMoment {
    const seqNo = active.nextSeqNo;
    active.nextSeqNo += 1;
    const reading = this.#reading(connector, context);
    return { transaction: active.transaction, reading, seqNo, offline: false, status };
  }

  #reading(connector: Connector, context: ReadingContext): Reading {
    const { clock, settings, rating } = this.#options;
    const sample = this.#sample(connector);
    const measurands = settings.byKey('MeterValuesSampledData')?.value.split(',') ?? [];
    return {
      ...sample,
      atMs: clock.nowMs(),
      registerWh: connector.registerWh + sample.energyWh,
      context,
      measurands: measurands.filter((name) => connector.active !== undefined || name !== 'SoC'),
      supply: rating.supply,
    };
  }

  #sample(connector: Connector): ElectricalSample {
    const { active } = connector;
    if (active === undefined) return idleSample;
    return active.session.sample(this.limits.limitW(this.limitQuestion(connector.id)));
  }

  #advance(connector: Connector): void {
    const question = this.limitQuestion(connector.id);
    connector.active?.session.advance(question.atMs, (atMs) =>
      this.limits.limitW({ ...question, atMs }),
    );
  }

  #chargingStatus(connector: Connector, active: ActiveTransaction): ConnectorStatus {
    if (active.session.isFull()) return 'SuspendedEV';
    return this.#sample(connector).powerW > 0 ? 'Charging' : 'SuspendedEVSE';
  }

  #setStatus(connector: Connector, status: ConnectorStatus): void {
    const { version, dialect, clock } = this.#options;
    const before = dialect.status(connector.id, connector.status, 0).payload['connectorStatus'];
    const isSame = connector.status === status;
    connector.status = status;
    const outgoing = dialect.status(connector.id, status, clock.nowMs());
    // 2.x folds five of our states into Occupied, and says it once.
    const isFolded = version !== 'ocpp1.6' && outgoing.payload['connectorStatus'] === before;
    if (!isSame && !isFolded) this.notify(outgoing);
  }
}

function isFreeFor(connector: Connector, idTag: string): boolean {
  if (connector.status === 'Available') return true;
  return connector.status === 'Reserved' && connector.reservedFor === idTag;
}
