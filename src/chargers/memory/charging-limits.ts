import { ownProperty } from '../../ocpp/message.ts';
import {
  type ChargingSchedule,
  profilePeriodsMax,
  scheduleOf,
  schedulesAt,
  updatedSchedule,
} from './charging-schedule.ts';
import { integerAt, isTrueAt, listAt, textAt, transactionIdAt } from './read-property.ts';

/** A charging profile that the charger has accepted or reported, in the words of OCPP. */
export interface ChargingProfile {
  /** A connector in OCPP 1.6, an EVSE since; 0 is the whole charger. */
  readonly place: number;
  readonly chargingProfileId: number;
  readonly chargingProfilePurpose: string;
  readonly chargingProfileKind: string | undefined;
  readonly stackLevel: number | undefined;
  readonly recurrencyKind: string | undefined;
  readonly validFrom: string | undefined;
  readonly validTo: string | undefined;
  readonly transactionId: string | undefined;
  readonly chargingSchedule: readonly ChargingSchedule[];
  /** When it was accepted, reported or changed, Unix time in milliseconds. */
  readonly atMs: number;
}

/** A limit that did not come from the CSMS (OCPP 2.0.1 and 2.1). */
export interface ExternalLimit {
  readonly source: string;
  /** Undefined for the whole charger. */
  readonly evseId: number | undefined;
  readonly isGridCritical: boolean;
  readonly chargingSchedule: readonly ChargingSchedule[];
  readonly atMs: number;
}

/** The answer to the last GetCompositeSchedule that was accepted. */
export interface CompositeSchedule {
  readonly place: number;
  readonly schedule: ChargingSchedule;
  readonly atMs: number;
}

/** What limits the charger. */
export interface ChargingLimits {
  readonly profiles: readonly ChargingProfile[];
  readonly external: readonly ExternalLimit[];
  readonly composite: CompositeSchedule | undefined;
}

/** What a ClearChargingProfile asks for. What is undefined matches every profile. */
export interface ProfileCriteria {
  readonly id: number | undefined;
  readonly place: number | undefined;
  readonly purpose: string | undefined;
  readonly stackLevel: number | undefined;
}

/** More than a charger has to take; the oldest is forgotten first. */
const profilesMax = 32;
/** Over all profiles, likewise: two with a day in steps of five minutes. */
const periodsMax = 600;
/** There are four sources. */
const externalMax = 8;
const nameCharsMax = 40;

/** Set by others than the CSMS, so it cannot clear them (OCPP 2.0.1 part 2 K10). */
const externalPurpose = 'ChargingStationExternalConstraints';
const transactionPurpose = 'TxProfile';

/** Remembers what limits the charger. */
export class LimitMemory {
  #profiles: readonly ChargingProfile[] = [];
  #external: readonly ExternalLimit[] = [];
  #composite: CompositeSchedule | undefined;
  #changedAtMs = 0;

  /** A memory that goes on from `limits`: what becomes of them can be tried out on it. */
  static from(limits: ChargingLimits): LimitMemory {
    const memory = new LimitMemory(undefined);
    memory.#profiles = limits.profiles;
    memory.#external = limits.external;
    memory.#composite = limits.composite;
    return memory;
  }

  constructor(saved: unknown) {
    for (const item of listAt(saved, 'profiles')) {
      const atMs = integerAt(item, 'atMs') ?? 0;
      this.profileReported(profileOf(item, integerAt(item, 'place'), atMs));
    }
    for (const item of listAt(saved, 'external')) {
      this.externalLimitIs(externalLimitOf(item, integerAt(item, 'atMs') ?? 0));
    }
    const composite = ownProperty(saved, 'composite');
    const place = integerAt(composite, 'place');
    if (place === undefined) return;
    const atMs = integerAt(composite, 'atMs') ?? 0;
    this.compositeIs(place, scheduleOf(ownProperty(composite, 'schedule')), atMs);
  }

  /** The charger accepted `profile`. It replaces what OCPP says it replaces. */
  profileAccepted(profile: ChargingProfile | undefined, is16: boolean): boolean {
    if (profile === undefined) return false;
    this.#profiles = this.#profiles.filter((other) => !replaces(profile, other, is16));
    this.#changedAtMs = profile.atMs;
    return this.profileReported(profile);
  }

  /** The charger reports that it has `profile`. */
  profileReported(profile: ChargingProfile | undefined): boolean {
    if (profile === undefined) return false;
    const others = this.#profiles.filter(
      (other) =>
        other.place !== profile.place || other.chargingProfileId !== profile.chargingProfileId,
    );
    this.#profiles = withinBounds([...others, profile]);
    return true;
  }

  /** The charger cleared the profiles that meet all criteria. */
  cleared(criteria: ProfileCriteria, atMs: number): boolean {
    this.#changedAtMs = atMs;
    return this.#keepOnly((profile) => !meets(profile, criteria));
  }

  /**
   * A transaction has begun. A profile that came with the request to start it had neither its id
   * nor, at times, a place.
   */
  transactionBegan(transactionId: string, place: number): boolean {
    const before = this.#profiles;
    this.#profiles = before.map((profile) =>
      isUnbound(profile) && (profile.place === place || profile.place === 0)
        ? { ...profile, place, transactionId }
        : profile,
    );
    return this.#profiles.some((profile, index) => profile !== before[index]);
  }

  /** A transaction has ended, and its profiles with it. */
  transactionEnded(transactionId: string, place: number | undefined): boolean {
    return this.#keepOnly(
      (profile) =>
        profile.chargingProfilePurpose !== transactionPurpose ||
        !(
          profile.transactionId === transactionId ||
          (isUnbound(profile) && profile.place === place)
        ),
    );
  }

  /** The profile has new limits (OCPP 2.1, UpdateDynamicSchedule). */
  profileUpdated(chargingProfileId: number | undefined, update: unknown, atMs: number): boolean {
    let isFound = false;
    this.#changedAtMs = atMs;
    this.#profiles = this.#profiles.map((profile) => {
      if (profile.chargingProfileId !== chargingProfileId) return profile;
      isFound = true;
      const chargingSchedule = profile.chargingSchedule.map((one) => updatedSchedule(one, update));
      return { ...profile, chargingSchedule, atMs };
    });
    return isFound;
  }

  /** Somebody else limits the charger. */
  externalLimitIs(limit: ExternalLimit | undefined): boolean {
    if (limit === undefined) return false;
    const others = this.#external.filter(
      (other) => other.source !== limit.source || other.evseId !== limit.evseId,
    );
    this.#external = [...others, limit].slice(-externalMax);
    return true;
  }

  /** `source` no longer limits the EVSE; without one, no part of the charger. */
  externalLimitCleared(source: string | undefined, evseId: number | undefined): boolean {
    const before = this.#external.length;
    this.#external = this.#external.filter(
      (limit) => limit.source !== source || (evseId !== undefined && limit.evseId !== evseId),
    );
    return this.#external.length !== before;
  }

  /** The charger has worked out what its limits come to. */
  compositeIs(place: number, schedule: ChargingSchedule, atMs: number): void {
    this.#composite = { place, schedule, atMs };
  }

  /**
   * When the CSMS last changed profiles, Unix time in milliseconds; 0 when it has not since the
   * process began, for it is not saved.
   */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** What is known. */
  saved(): ChargingLimits {
    return { profiles: this.#profiles, external: this.#external, composite: this.#composite };
  }

  #keepOnly(isKept: (profile: ChargingProfile) => boolean): boolean {
    const before = this.#profiles.length;
    this.#profiles = this.#profiles.filter(isKept);
    return this.#profiles.length !== before;
  }
}

/** Reads a charging profile of whatever version; undefined when it has no id or no purpose. */
export function profileOf(
  object: unknown,
  place: number | undefined,
  atMs: number,
): ChargingProfile | undefined {
  const chargingProfileId = integerAt(object, 'chargingProfileId') ?? integerAt(object, 'id');
  const chargingProfilePurpose = textAt(object, 'chargingProfilePurpose', nameCharsMax);
  if (chargingProfileId === undefined || chargingProfilePurpose === undefined) return undefined;
  return {
    place: place ?? 0,
    chargingProfileId,
    chargingProfilePurpose,
    chargingProfileKind: textAt(object, 'chargingProfileKind', nameCharsMax),
    stackLevel: integerAt(object, 'stackLevel'),
    recurrencyKind: textAt(object, 'recurrencyKind', nameCharsMax),
    validFrom: textAt(object, 'validFrom', nameCharsMax),
    validTo: textAt(object, 'validTo', nameCharsMax),
    transactionId: transactionIdAt(object, 'transactionId'),
    chargingSchedule: schedulesAt(object, 'chargingSchedule', profilePeriodsMax),
    atMs,
  };
}

/** Reads a NotifyChargingLimit, or what was saved of one; undefined when it has no source. */
export function externalLimitOf(object: unknown, atMs: number): ExternalLimit | undefined {
  const said = ownProperty(object, 'chargingLimit');
  const source =
    textAt(said, 'chargingLimitSource', nameCharsMax) ?? textAt(object, 'source', nameCharsMax);
  if (source === undefined) return undefined;
  return {
    source,
    evseId: integerAt(object, 'evseId'),
    isGridCritical: isTrueAt(said, 'isGridCritical') || isTrueAt(object, 'isGridCritical'),
    chargingSchedule: schedulesAt(object, 'chargingSchedule'),
    atMs,
  };
}

/** The source in a ClearedChargingLimit. */
export function limitSourceAt(object: unknown): string | undefined {
  return textAt(object, 'chargingLimitSource', nameCharsMax);
}

/** The purpose in a ClearChargingProfile, or in its criteria. */
export function purposeAt(object: unknown): string | undefined {
  return textAt(object, 'chargingProfilePurpose', nameCharsMax);
}

function meets(profile: ChargingProfile, criteria: ProfileCriteria): boolean {
  const { id, place, purpose, stackLevel } = criteria;
  return (
    profile.chargingProfilePurpose !== externalPurpose &&
    (id === undefined || profile.chargingProfileId === id) &&
    (place === undefined || profile.place === place) &&
    (purpose === undefined || profile.chargingProfilePurpose === purpose) &&
    (stackLevel === undefined || profile.stackLevel === stackLevel)
  );
}

/**
 * Does a charger give up `other` when it accepts `profile`? OCPP 1.6 section 5.16.4: also one with
 * the same purpose and stack level.
 */
export function replaces(profile: ChargingProfile, other: ChargingProfile, is16: boolean): boolean {
  return (
    other.chargingProfileId === profile.chargingProfileId || (is16 && isSameStep(other, profile))
  );
}

/** The last of `profiles`, as many as may be remembered. */
function withinBounds(profiles: readonly ChargingProfile[]): readonly ChargingProfile[] {
  let left = periodsMax;
  const first = profiles.findLastIndex(({ chargingSchedule }) => {
    left -= chargingSchedule.reduce((sum, one) => sum + one.chargingSchedulePeriod.length, 0);
    return left < 0;
  });
  return profiles.slice(Math.max(first + 1, profiles.length - profilesMax));
}

function isSameStep(one: ChargingProfile, other: ChargingProfile): boolean {
  return (
    one.place === other.place &&
    one.chargingProfilePurpose === other.chargingProfilePurpose &&
    one.stackLevel === other.stackLevel
  );
}

function isUnbound(profile: ChargingProfile): boolean {
  return (
    profile.chargingProfilePurpose === transactionPurpose && profile.transactionId === undefined
  );
}
