import {
  type ChargingLimits,
  type ChargingProfile,
  LimitMemory,
  type ProfileCriteria,
  purposeAt,
  replaces,
} from '../../chargers/memory/charging-limits.ts';
import { integerAt } from '../../chargers/memory/read-property.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { isJsonObject, ownProperty } from '../../ocpp/message.ts';
import type { LoadCommand } from './load-command.ts';
import { invalidProfile, type LoadProblem } from './profile-problems.ts';
import { boundariesOf, sayingsAt, timedProfile } from './profile-times.ts';

/** The limits of a charger once it has accepted `profile`. The memory itself is not changed. */
export function withProfile(
  limits: ChargingLimits,
  profile: ChargingProfile,
  is16: boolean,
): Result<ChargingLimits, LoadProblem> {
  const memory = LimitMemory.from(limits);
  memory.profileAccepted(profile, is16);
  const after = memory.saved();
  // The memory has an end. Whoever could make it forget a limit could then lift that unseen.
  const isForgotten = limits.profiles.some(
    (other) =>
      !after.profiles.includes(other) &&
      !replaces(profile, other, is16) &&
      mayStillCount(other, profile.atMs),
  );
  return isForgotten
    ? failed(invalidProfile('there are more profiles than can be watched'))
    : ok(after);
}

/**
 * What a ClearChargingProfile may leave of `limits`; first, what it leaves when all that it says
 * counts. It may name an id or criteria; of both, some chargers read one. Undefined when it cannot
 * be read.
 */
export function withoutProfiles(
  limits: ChargingLimits,
  { payload, version }: LoadCommand,
): readonly [ChargingLimits, ...ChargingLimits[]] | undefined {
  const is16 = version === 'ocpp1.6';
  const given = is16 ? payload : ownProperty(payload, 'chargingProfileCriteria');
  const [idKey, placeKey] = is16 ? ['id', 'connectorId'] : ['chargingProfileId', 'evseId'];
  const criteria: ProfileCriteria = {
    id: integerAt(payload, idKey),
    place: integerAt(given, placeKey),
    purpose: purposeAt(given),
    stackLevel: integerAt(given, 'stackLevel'),
  };
  const isReadable =
    (given === undefined || isJsonObject(given)) &&
    (ownProperty(payload, idKey) === undefined) === (criteria.id === undefined) &&
    (ownProperty(given, placeKey) === undefined) === (criteria.place === undefined) &&
    (ownProperty(given, 'chargingProfilePurpose') === undefined) ===
      (criteria.purpose === undefined) &&
    (ownProperty(given, 'stackLevel') === undefined) === (criteria.stackLevel === undefined);
  if (!isReadable) return undefined;
  const all = cleared(limits, criteria);
  const isBoth =
    criteria.id !== undefined &&
    [criteria.place, criteria.purpose, criteria.stackLevel].some((one) => one !== undefined);
  if (!isBoth) return [all];
  const idAlone = { id: criteria.id, place: undefined, purpose: undefined, stackLevel: undefined };
  return [all, cleared(limits, idAlone), cleared(limits, { ...criteria, id: undefined })];
}

/** `limits` with new values in one profile; undefined when the profile is unknown (OCPP 2.1). */
export function withUpdate(
  limits: ChargingLimits,
  { chargingProfileId, update }: { readonly chargingProfileId: number; readonly update: unknown },
  nowMs: number,
): ChargingLimits | undefined {
  const memory = LimitMemory.from(limits);
  return memory.profileUpdated(chargingProfileId, update, nowMs) ? memory.saved() : undefined;
}

function cleared(limits: ChargingLimits, criteria: ProfileCriteria): ChargingLimits {
  const memory = LimitMemory.from(limits);
  memory.cleared(criteria, 0);
  return memory.saved();
}

/** Has a profile anything to say, now or later? */
function mayStillCount(profile: ChargingProfile, nowMs: number): boolean {
  const timed = timedProfile(profile);
  const car = { is: 'unknown' } as const;
  return (
    sayingsAt(timed, car, nowMs).some(({ is }) => is !== 'nothing') ||
    boundariesOf(timed, car, nowMs).length > 0
  );
}
