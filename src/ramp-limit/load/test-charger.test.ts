import assert from 'node:assert/strict';
import { Conversation } from '../../chargers/memory/conversation.test.ts';
import { loadClassOf } from '../../ocpp/load-actions.ts';
import type { JsonObject } from '../../ocpp/message.ts';
import type { OcppVersion } from '../../ocpp/version.ts';
import type { LoadEstimate } from '../load-change.ts';
import { chargerPlaces } from './charger-places.ts';
import { effectiveLimit, limitBook } from './effective-limit.ts';
import { estimateLoad } from './estimate-load.ts';
import type { LoadCommand } from './load-command.ts';
import type { LoadOptions, LoadPicture } from './load-picture.ts';
import type { LoadProblem } from './profile-problems.ts';
import { scheduledSteps } from './schedule-steps.ts';

/** When the conversations of these tests begin. */
export const beginMs: number = Date.UTC(2026, 0, 5, 12);

/** What a test says of a period, and the rest of a profile. */
export interface ProfileText {
  readonly id?: number;
  readonly place?: number;
  readonly purpose?: string;
  readonly kind?: string;
  readonly stackLevel?: number;
  readonly unit?: 'A' | 'W';
  /** Second and limit of each period; one number is a limit from the first second. */
  readonly limits?: number | readonly (readonly [number, number])[];
  readonly schedule?: object;
  readonly rest?: object;
}

const usualOptions: LoadOptions = {
  assumedRatedW: 22_000,
  measuredMsMax: 300_000,
  lineVolts: 230,
  discharge: 'refuse',
  derControls: 'refuse',
};

/**
 * A charger that a real memory listens to, for the tests of this folder. It has no tests of its own;
 * its name keeps it out of the build.
 */
export class TestCharger {
  readonly talk: Conversation;
  readonly version: OcppVersion;
  options: LoadOptions = usualOptions;
  ratedW: number | undefined;

  /** @param statuses of its places, from 1. */
  constructor(version: OcppVersion, statuses: readonly string[] = []) {
    this.version = version;
    this.talk = new Conversation(version);
    this.talk.nowMs = beginMs;
    for (const [index, status] of statuses.entries()) this.status(index + 1, status);
  }

  get is16(): boolean {
    return this.version === 'ocpp1.6';
  }

  get picture(): LoadPicture {
    return { nowMs: this.talk.nowMs, ratedW: this.ratedW, view: this.talk.memory.loadView() };
  }

  wait(seconds: number): this {
    this.talk.nowMs += seconds * 1000;
    return this;
  }

  status(place: number, status: string): this {
    const payload = this.is16
      ? { connectorId: place, status, errorCode: 'NoError' }
      : { evseId: place, connectorId: 1, connectorStatus: status };
    this.talk.open('charger', 'StatusNotification', payload);
    return this;
  }

  /** A transaction begins at `place`, under the number of the place. */
  begin(place: number, transactionId: number = place): this {
    const timestamp = new Date(this.talk.nowMs).toISOString();
    if (this.is16) {
      const start = { connectorId: place, idTag: 'TAG', meterStart: 0, timestamp };
      this.talk.exchange('charger', 'StartTransaction', start, { transactionId });
    } else {
      this.talk.open('charger', 'TransactionEvent', {
        eventType: 'Started',
        timestamp,
        seqNo: 0,
        evse: { id: place },
        transactionInfo: { transactionId: `${transactionId}` },
      });
    }
    return this;
  }

  end(transactionId: number): this {
    if (this.is16) this.talk.open('charger', 'StopTransaction', { transactionId });
    else {
      const transactionInfo = { transactionId: `${transactionId}` };
      this.talk.open('charger', 'TransactionEvent', { eventType: 'Ended', transactionInfo });
    }
    return this;
  }

  measure(place: number, watts: number): this {
    const sample = { measurand: 'Power.Active.Import', value: this.is16 ? `${watts}` : watts };
    const meterValue = [{ timestamp: 'T', sampledValue: [sample] }];
    const where = this.is16 ? { connectorId: place } : { evseId: place };
    this.talk.open('charger', 'MeterValues', { ...where, meterValue });
    return this;
  }

  /** The charger accepts a profile, whatever the limiter thinks of it. */
  set(text: ProfileText): this {
    const payload = setPayload(this.version, text);
    this.talk.exchange('csms', 'SetChargingProfile', payload, { status: 'Accepted' });
    return this;
  }

  /** The charger accepts a command. */
  accept(action: string, payload: JsonObject): this {
    this.talk.exchange('csms', action, payload, { status: 'Accepted' });
    return this;
  }

  command(action: string, payload: JsonObject): LoadCommand {
    const loadClass = loadClassOf(this.version, action) ?? 'limit';
    return { version: this.version, action, loadClass, payload };
  }

  /** What a command does, or the detail of why it is not counted. */
  ask(action: string, payload: JsonObject): LoadEstimate | LoadProblem {
    const result = estimateLoad(this.command(action, payload), this.picture, this.options);
    return result.ok ? result.value : result.error;
  }

  /** What a command does that can be counted. */
  estimate(action: string, payload: JsonObject): LoadEstimate {
    const said = this.ask(action, payload);
    assert.ok('now' in said, `refused: ${JSON.stringify(said)}`);
    return said;
  }

  /** What setting a profile does. */
  settle(text: ProfileText): LoadEstimate {
    return this.estimate('SetChargingProfile', setPayload(this.version, text));
  }

  /** Rise and fall of a command, in W, and its thousandths. */
  moves(action: string, payload: JsonObject): readonly [number, number, number] {
    return movesOf(this.estimate(action, payload));
  }

  /** Each step that is to come: seconds from now, rise, fall. */
  steps(): readonly (readonly [number, number, number])[] {
    const { picture } = this;
    const result = scheduledSteps(picture.view.limits, picture, this.options);
    assert.ok(result.ok);
    return result.value.map(({ atMs, downW, upW }) => [(atMs - picture.nowMs) / 1000, upW, downW]);
  }
}

/** Rise and fall, in W, and thousandths of a command. */
export function movesOf({ now }: LoadEstimate): readonly [number, number, number] {
  return [now.upW, now.downW, now.commandsMilli];
}

/** A profile of whatever version. */
export function profileText(version: OcppVersion, text: ProfileText): JsonObject {
  const { limits = 11_000, unit = 'W' } = text;
  const pairs = typeof limits === 'number' ? [[0, limits] as const] : limits;
  const schedule = {
    ...(version === 'ocpp1.6' ? {} : { id: 1 }),
    chargingRateUnit: unit,
    chargingSchedulePeriod: pairs.map(([startPeriod, limit]) => ({ startPeriod, limit })),
    ...text.schedule,
  };
  return {
    [version === 'ocpp1.6' ? 'chargingProfileId' : 'id']: text.id ?? 1,
    stackLevel: text.stackLevel ?? 0,
    chargingProfilePurpose: text.purpose ?? 'TxDefaultProfile',
    chargingProfileKind: text.kind ?? 'Absolute',
    chargingSchedule: version === 'ocpp1.6' ? schedule : [schedule],
    ...text.rest,
  };
}

/** A SetChargingProfile of whatever version. */
export function setPayload(version: OcppVersion, text: ProfileText): JsonObject {
  const profile = profileText(version, text);
  const place = text.place ?? 1;
  return version === 'ocpp1.6'
    ? { connectorId: place, csChargingProfiles: profile }
    : { evseId: place, chargingProfile: profile };
}

/** The purpose of a maximum of the whole charger. */
export function maximumPurpose(version: OcppVersion): string {
  return version === 'ocpp1.6' ? 'ChargePointMaxProfile' : 'ChargingStationMaxProfile';
}

/** `seconds` from the beginning, as OCPP writes a moment. */
export function momentAt(seconds: number): string {
  return new Date(beginMs + seconds * 1000).toISOString();
}

/** The limit of a place: the least and the most that it may be. */
export function limitOf(
  charger: TestCharger,
  place: number = 1,
  ratingW: number = 22_000,
  discharge: LoadOptions['discharge'] = 'refuse',
): readonly [number, number] {
  const { nowMs, view } = charger.picture;
  const car = chargerPlaces(view, place).places.find((one) => one.place === place)?.car;
  const { highW, lowW } = effectiveLimit(
    limitBook(view.limits),
    { place, car: car ?? { is: 'none' }, atMs: nowMs },
    { ratingW, lineVolts: 230, mayDischarge: discharge === 'count' },
  );
  return [lowW, highW];
}
