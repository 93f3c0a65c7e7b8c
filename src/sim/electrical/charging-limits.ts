import type { JsonObject } from '../../ocpp/message.ts';
import { listOf, objectOf, optionalNumber, optionalText, rounded } from '../protocol/payload.ts';
import { type ChargingProfile, type ProfilePurpose, periodAt } from './charging-profile.ts';
import { amperesOfWatts, type ElectricalRating, wattsOfAmperes } from './electrical.ts';

/** Profiles that a station keeps. Real ones keep about as many (MaxChargingProfilesInstalled). */
const profilesMax = 50;
/** Entries of one composite schedule; the schemas of 2.x stop at 1024. */
const compositePeriodsMax = 100;

/** What the limits are asked about. */
export interface LimitQuestion {
  readonly connectorId: number;
  readonly atMs: number;
  /** Of the connector; undefined when there is none, and then TxProfiles do not count. */
  readonly transaction?: { readonly id: string | undefined; readonly startMs: number } | undefined;
  /** Connectors that share the limit of the station, this one included. */
  readonly sharing: number;
}

/** One step of a composite schedule. */
export interface CompositePeriod {
  readonly startPeriod: number;
  readonly limit: number;
}

/**
 * The charging profiles of one station, and the limit that they make together.
 *
 * Source: OCPP 1.6 section 3.13; OCPP 2.0.1 part 2 chapter K section 3 (purposes, stack levels).
 */
export class ChargingLimits {
  readonly #rating: ElectricalRating;
  #profiles: readonly ChargingProfile[] = [];
  #priorityTransactions: ReadonlySet<string> = new Set();

  constructor(rating: ElectricalRating) {
    this.#rating = rating;
  }

  /** Every profile that is set, oldest first. */
  profiles(): readonly ChargingProfile[] {
    return this.#profiles;
  }

  /** Adds `profile` in place of the one it replaces. False when there is no room. */
  set(profile: ChargingProfile): boolean {
    const kept = this.#profiles.filter((other) => !replaces(profile, other));
    if (kept.length >= profilesMax) return false;
    this.#profiles = [...kept, profile];
    return true;
  }

  /** Clears what matches, and returns how many did. */
  clear(matches: (profile: ChargingProfile) => boolean): number {
    const kept = this.#profiles.filter((profile) => !matches(profile));
    const cleared = this.#profiles.length - kept.length;
    this.#profiles = kept;
    return cleared;
  }

  /** Forgets the profiles of a transaction that has ended. */
  endTransaction(id: string | undefined, connectorId: number): void {
    this.clear(
      (profile) =>
        profile.purpose === 'transaction' &&
        (profile.transactionId === undefined
          ? profile.connectorId === connectorId
          : profile.transactionId === id),
    );
  }

  /** Lets priority charging profiles count for this transaction, or not (2.1). */
  setPriority(transactionId: string, active: boolean): boolean {
    const others = [...this.#priorityTransactions].filter((id) => id !== transactionId);
    this.#priorityTransactions = new Set(active ? [...others, transactionId] : others);
    return this.#profiles.some((profile) => profile.purpose === 'priority');
  }

  /** The limit in watts; Infinity where no profile says anything. */
  limitW(question: LimitQuestion): number {
    const station = this.#lowestW('station', 0, question) / Math.max(question.sharing, 1);
    const id = question.transaction?.id;
    if (id !== undefined && this.#priorityTransactions.has(id)) {
      const priority = this.#highestStackW('priority', question);
      if (priority !== undefined) return Math.min(station, priority);
    }
    const own =
      this.#highestStackW('transaction', question) ?? this.#highestStackW('default', question);
    return Math.min(station, own ?? Number.POSITIVE_INFINITY);
  }

  /** The limits from `question.atMs` on, in `unit`, with equal neighbours joined. */
  composite(
    question: LimitQuestion,
    durationSeconds: number,
    unit: 'W' | 'A',
  ): readonly CompositePeriod[] {
    const periods: CompositePeriod[] = [];
    for (const startPeriod of this.#boundaries(question.atMs, durationSeconds)) {
      const limitW = this.limitW({ ...question, atMs: question.atMs + startPeriod * 1000 });
      const boundedW = Math.min(limitW, this.#rating.powerKwMax * 1000);
      const limit = rounded(unit === 'W' ? boundedW : amperesOfWatts(this.#rating, boundedW), 1);
      if (periods.at(-1)?.limit !== limit) periods.push({ startPeriod, limit });
    }
    return periods;
  }

  #boundaries(fromMs: number, durationSeconds: number): readonly number[] {
    const seconds = new Set([0]);
    for (const { schedule } of this.#profiles) {
      const startSeconds = ((schedule.startMs ?? fromMs) - fromMs) / 1000;
      const edges = [...schedule.periods.map((period) => period.startSeconds)];
      for (const edge of [...edges, schedule.durationSeconds]) {
        const at = Math.ceil(startSeconds + edge);
        if (at > 0 && at < durationSeconds) seconds.add(at);
      }
    }
    return [...seconds].sort((first, second) => first - second).slice(0, compositePeriodsMax);
  }

  #lowestW(purpose: ProfilePurpose, connectorId: number, question: LimitQuestion): number {
    const limits = this.#profiles
      .filter((profile) => profile.purpose === purpose && profile.connectorId === connectorId)
      .map((profile) => this.#limitOf(profile, question) ?? Number.POSITIVE_INFINITY);
    return Math.min(Number.POSITIVE_INFINITY, ...limits);
  }

  /** The limit of the profile with the highest stack level that has something to say now. */
  #highestStackW(purpose: ProfilePurpose, question: LimitQuestion): number | undefined {
    const candidates = this.#profiles
      .filter((profile) => profile.purpose === purpose && applies(profile, question))
      .sort(
        (first, second) =>
          second.stackLevel - first.stackLevel || second.connectorId - first.connectorId,
      );
    for (const profile of candidates) {
      const limit = this.#limitOf(profile, question);
      if (limit !== undefined) return limit;
    }
    return undefined;
  }

  #limitOf(profile: ChargingProfile, question: LimitQuestion): number | undefined {
    const period = periodAt(profile, question.atMs, question.transaction?.startMs);
    if (period === undefined) return undefined;
    if (profile.schedule.unit === 'W') return period.limit;
    return wattsOfAmperes(this.#rating, period.limit, period.phases);
  }
}

function applies(profile: ChargingProfile, question: LimitQuestion): boolean {
  if (profile.connectorId !== 0 && profile.connectorId !== question.connectorId) return false;
  if (profile.purpose !== 'transaction') return true;
  if (question.transaction === undefined) return false;
  return profile.transactionId === undefined || profile.transactionId === question.transaction.id;
}

function replaces(profile: ChargingProfile, other: ChargingProfile): boolean {
  if (profile.id === other.id) return true;
  return (
    profile.connectorId === other.connectorId &&
    profile.purposeText === other.purposeText &&
    profile.stackLevel === other.stackLevel &&
    profile.transactionId === other.transactionId
  );
}

/** Does a profile match the criteria of ClearChargingProfile or GetChargingProfiles? */
export function profileMatcher(criteria: JsonObject): (profile: ChargingProfile) => boolean {
  const id = optionalNumber(criteria, 'id');
  const ids = listOf(criteria, 'chargingProfileId');
  const connectorId = optionalNumber(criteria, 'connectorId') ?? optionalNumber(criteria, 'evseId');
  const purpose = optionalText(criteria, 'chargingProfilePurpose');
  const stackLevel = optionalNumber(criteria, 'stackLevel');
  return (profile) =>
    (id === undefined || profile.id === id) &&
    (ids.length === 0 || ids.includes(profile.id)) &&
    (connectorId === undefined || profile.connectorId === connectorId) &&
    (purpose === undefined || profile.purposeText === purpose) &&
    (stackLevel === undefined || profile.stackLevel === stackLevel);
}

/** A profile of 2.1 with the limit that UpdateDynamicSchedule gives it. */
export function withDynamicLimit(profile: ChargingProfile, update: JsonObject): ChargingProfile {
  const limit = optionalNumber(update, 'limit') ?? optionalNumber(update, 'setpoint');
  if (limit === undefined) return profile;
  const periods = [{ startSeconds: 0, limit, phases: 3 }];
  const [first, ...rest] = listOf(profile.source, 'chargingSchedule');
  const schedule = {
    ...objectOf({ first }, 'first'),
    chargingSchedulePeriod: [{ startPeriod: 0, limit }],
  };
  const source = { ...profile.source, chargingSchedule: [schedule, ...rest] };
  return { ...profile, source, schedule: { ...profile.schedule, periods } };
}
