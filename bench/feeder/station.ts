import type { JsonObject } from '../../src/ocpp/message.ts';
import type { OcppVersion } from '../../src/ocpp/version.ts';
import {
  ChargingLimits,
  profileMatcher,
  withDynamicLimit,
} from '../../src/sim/electrical/charging-limits.ts';
import { readChargingProfile } from '../../src/sim/electrical/charging-profile.ts';
import type { FeederMeter } from './meter.ts';

/** What a station does when it is told something. */
export interface StationReply {
  readonly result: JsonObject;
  /** Calls that it makes of its own accord afterwards, in their order. */
  readonly calls: readonly (readonly [action: string, payload: JsonObject])[];
}

/** A station of the simulated feeder. */
export interface StationOptions {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly ratedW: number;
  readonly meter: FeederMeter;
}

const rating = { supply: 'AC', powerKwMax: 1000, phases: 3, batteryKwh: 1000 } as const;

/**
 * One charger with one EVSE and a car that takes whatever it is given, at once. No real charger is so
 * quick: it is the worst that a feeder can have.
 *
 * It also does what a charger should not: it cuts off a car for ChangeAvailability, UnlockConnector
 * and SetDERControl. The limiter must count on that.
 */
export class FeederStation {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly #ratedW: number;
  readonly #meter: FeederMeter;
  readonly #limits = new ChargingLimits(rating);
  #transactionId: string | undefined;
  #startedAtMs = 0;
  #loadW = 0;
  #isTripped = false;
  #transactions = 0;
  /** The wish of an AFRR signal or a dynamic limit, in W; undefined for the rating. */
  #wishW: number | undefined;

  constructor({ identity, meter, ratedW, version }: StationOptions) {
    this.identity = identity;
    this.version = version;
    this.#ratedW = ratedW;
    this.#meter = meter;
  }

  get loadW(): number {
    return this.#loadW;
  }

  get transactionId(): string | undefined {
    return this.#transactionId;
  }

  /** The CSMS of OCPP 1.6 has given the transaction its id. */
  named(transactionId: string): void {
    if (this.#transactionId !== undefined) this.#transactionId = transactionId;
  }

  /** Follows its schedules to this moment. */
  refresh(nowMs: number): void {
    const transaction = this.#transactionId;
    const isCharging = transaction !== undefined && !this.#isTripped;
    const limitW = this.#limits.limitW({
      connectorId: 1,
      atMs: nowMs,
      sharing: 1,
      transaction:
        transaction === undefined ? undefined : { id: transaction, startMs: this.#startedAtMs },
    });
    const loadW = isCharging ? Math.min(this.#wishW ?? this.#ratedW, this.#ratedW, limitW) : 0;
    this.#meter.note(nowMs, loadW - this.#loadW);
    this.#loadW = loadW;
  }

  /** A MeterValues, or in OCPP 2.x a TransactionEvent, that says what it takes. */
  measurement(nowMs: number): readonly [string, JsonObject] {
    const timestamp = new Date(nowMs).toISOString();
    if (this.version === 'ocpp1.6') {
      const sampledValue = [
        { value: String(this.#loadW), measurand: 'Power.Active.Import', unit: 'W' },
      ];
      const transactionId = Number(this.#transactionId ?? 0);
      const meterValue = [{ timestamp, sampledValue }];
      return ['MeterValues', { connectorId: 1, transactionId, meterValue }];
    }
    const sampledValue = [
      {
        value: this.#loadW,
        measurand: 'Power.Active.Import',
        unitOfMeasure: { unit: 'W' },
      },
    ];
    return this.#event('Updated', 'MeterValuePeriodic', nowMs, [{ timestamp, sampledValue }]);
  }

  /** Does what the CSMS says. */
  handle(action: string, payload: JsonObject, nowMs: number): StationReply {
    const reply = this.#handle(action, payload, nowMs);
    this.refresh(nowMs);
    return reply;
  }

  #handle(action: string, payload: JsonObject, nowMs: number): StationReply {
    const accepted: StationReply = { result: { status: 'Accepted' }, calls: [] };
    switch (action) {
      case 'RemoteStartTransaction':
      case 'RequestStartTransaction':
        return this.#start(payload, nowMs);
      case 'RemoteStopTransaction':
      case 'RequestStopTransaction':
        return this.#stop(nowMs, 'Remote');
      case 'SetChargingProfile': {
        const profile = payload['csChargingProfiles'] ?? payload['chargingProfile'];
        const place = Number(payload['connectorId'] ?? payload['evseId'] ?? 0);
        this.#limits.set(readChargingProfile(place, profile as JsonObject, nowMs));
        return accepted;
      }
      case 'ClearChargingProfile': {
        const criteria = { ...(payload['chargingProfileCriteria'] as object), ...payload };
        this.#limits.clear(profileMatcher(criteria));
        return accepted;
      }
      case 'UpdateDynamicSchedule':
        this.pulled(payload, nowMs);
        return accepted;
      case 'UsePriorityCharging':
        this.#limits.clear(() => true);
        return accepted;
      case 'AFRRSignal':
        this.#wishW = Math.max(0, Number(payload['signal']));
        return accepted;
      case 'Reset':
        return this.#stop(nowMs, action === 'Reset' ? 'HardReset' : 'Other');
      case 'ChangeAvailability':
      case 'UnlockConnector': {
        const isOn =
          payload['type'] === 'Operative' || payload['operationalStatus'] === 'Operative';
        const { calls } = isOn ? accepted : this.#stop(nowMs, 'UnlockCommand');
        const status = action === 'UnlockConnector' ? 'Unlocked' : 'Accepted';
        return { result: { status }, calls };
      }
      case 'SetDERControl':
        this.#isTripped = true;
        return accepted;
      default:
        return accepted;
    }
  }

  /** The limit of its dynamic profile is another one (OCPP 2.1), as sent or as pulled. */
  pulled(payload: JsonObject, nowMs: number): void {
    const update = payload['scheduleUpdate'] as JsonObject | undefined;
    if (update === undefined) return;
    for (const profile of this.#limits.profiles()) {
      this.#limits.set(withDynamicLimit(profile, update));
    }
    this.refresh(nowMs);
  }

  #start(payload: JsonObject, nowMs: number): StationReply {
    if (this.#transactionId !== undefined) return { result: { status: 'Rejected' }, calls: [] };
    this.#transactions += 1;
    this.#transactionId = `${this.identity}-${this.#transactions}`;
    this.#startedAtMs = nowMs;
    this.#isTripped = false;
    const timestamp = new Date(nowMs).toISOString();
    const result = { status: 'Accepted' };
    if (this.version === 'ocpp1.6') {
      const idTag = String(payload['idTag'] ?? 'TAG');
      const start = { connectorId: 1, idTag, meterStart: 0, timestamp };
      return { result, calls: [['StartTransaction', start]] };
    }
    const remoteStartId = Number(payload['remoteStartId'] ?? 0);
    const [action, event] = this.#event('Started', 'RemoteStart', nowMs, undefined, remoteStartId);
    return { result, calls: [[action, event]] };
  }

  #stop(nowMs: number, reason: string): StationReply {
    const transactionId = this.#transactionId;
    if (transactionId === undefined) return { result: { status: 'Rejected' }, calls: [] };
    const timestamp = new Date(nowMs).toISOString();
    const calls: (readonly [string, JsonObject])[] =
      this.version === 'ocpp1.6'
        ? [
            [
              'StopTransaction',
              { transactionId: Number(transactionId), meterStop: 1, timestamp, reason },
            ],
          ]
        : [this.#event('Ended', 'RemoteStop', nowMs)];
    this.#limits.endTransaction(transactionId, 1);
    this.#transactionId = undefined;
    return { result: { status: 'Accepted' }, calls };
  }

  #sequence = 0;

  #event(
    eventType: string,
    triggerReason: string,
    nowMs: number,
    meterValue?: readonly JsonObject[],
    remoteStartId?: number,
  ): readonly [string, JsonObject] {
    this.#sequence += 1;
    const transactionInfo = {
      transactionId: this.#transactionId ?? 'none',
      ...(remoteStartId !== undefined && { remoteStartId }),
      ...(eventType === 'Ended' && { stoppedReason: 'Remote' }),
    };
    const payload: JsonObject = {
      eventType,
      timestamp: new Date(nowMs).toISOString(),
      triggerReason,
      seqNo: this.#sequence,
      transactionInfo,
      evse: { id: 1, connectorId: 1 },
      ...(meterValue !== undefined && { meterValue }),
    };
    return ['TransactionEvent', payload];
  }
}
