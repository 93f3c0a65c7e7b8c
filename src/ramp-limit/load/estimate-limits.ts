import { type ChargingLimits, profileOf } from '../../chargers/memory/charging-limits.ts';
import { integerAt } from '../../chargers/memory/read-property.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { ownProperty } from '../../ocpp/message.ts';
import {
  type LaterSteps,
  type LoadBasis,
  type LoadEstimate,
  wholeCommandMilli,
} from '../load-change.ts';
import { limitBook } from './effective-limit.ts';
import { anythingUpTo, nothingHappens, type Scene } from './estimate.ts';
import { changeBetween, type LimitChange, limitsAt } from './limit-change.ts';
import { withoutProfiles, withProfile, withUpdate } from './limits-after.ts';
import { placeIn, profileKey } from './load-command.ts';
import {
  type ChargerLoad,
  chargerLoad,
  limitedCharger,
  loadedPlaces,
  type PlaceLoad,
} from './load-picture.ts';
import { invalidProfile, type LoadProblem, profileProblem } from './profile-problems.ts';
import { isDischargingPeriod, isDischargingProfile, updateFault } from './schedule-problems.ts';
import { firstSteps, scheduledSteps } from './schedule-steps.ts';

type Estimated = Result<LoadEstimate, LoadProblem>;

/** What a command about charging profiles does. */
export function estimateLimits(scene: Scene): Estimated {
  switch (scene.command.action) {
    case 'SetChargingProfile':
      return setProfile(scene);
    case 'ClearChargingProfile':
      return ok(clearProfiles(scene));
    default:
      return updateSchedule(scene);
  }
}

/** A profile in a command: why it cannot be counted, or may not. */
export function whyNotCounted(
  { command, options }: Scene,
  profile: unknown,
  place?: { readonly is: unknown },
): LoadProblem | undefined {
  return (
    profileProblem(command.version, profile, place) ??
    (options.discharge === 'refuse' && isDischargingProfile(profile) ? discharge : undefined)
  );
}

/** The command would let a car feed into the grid. */
export const discharge: LoadProblem = {
  code: 'RAMP_DISCHARGE',
  detail: 'the car may feed into the grid',
};

/**
 * What `places` of a charger do when its limits become one of `afters`; nobody knows which.
 *
 * A place without a car does nothing.
 */
export function changeOfLimits(
  { options, picture }: Scene,
  charger: ChargerLoad,
  {
    afters,
    places,
  }: { readonly afters: readonly ChargingLimits[]; readonly places: readonly PlaceLoad[] },
): LimitChange {
  const now = limitedCharger(places, charger, options);
  const before = limitsAt(now, picture.nowMs);
  return afters
    .map((limits) => {
      const then = { book: limitBook(limits), rating: charger.rating };
      const after = limitsAt(limitedCharger(places, then, options), picture.nowMs);
      return changeBetween(now, before, after);
    })
    .reduce((worst, other) => ({
      upW: Math.max(worst.upW, other.upW),
      downW: Math.max(worst.downW, other.downW),
      upMilli: Math.max(worst.upMilli, other.upMilli),
      downMilli: Math.max(worst.downMilli, other.downMilli),
      beforeW: Math.max(worst.beforeW, other.beforeW),
      afterW: Math.max(worst.afterW, other.afterW),
    }));
}

function setProfile(scene: Scene): Estimated {
  const { command, options, picture } = scene;
  const is16 = command.version === 'ocpp1.6';
  const given = ownProperty(command.payload, profileKey(command) ?? '');
  const place = ownProperty(command.payload, is16 ? 'connectorId' : 'evseId');
  const problem = whyNotCounted(scene, given, { is: place });
  if (problem !== undefined) return failed(problem);
  const profile = profileOf(given, typeof place === 'number' ? place : 0, picture.nowMs);
  if (profile === undefined) return failed(invalidProfile('there is no charging profile'));
  const after = withProfile(picture.view.limits, profile, is16);
  if (!after.ok) return after;
  const steps = scheduledSteps(after.value, picture, options);
  if (!steps.ok) return steps;
  const later = { is: 'schedule', steps: steps.value } as const;
  return ok(estimateOf(scene, { afters: [after.value], place: placeIn(command), later }));
}

function clearProfiles(scene: Scene): LoadEstimate {
  const { command, options, picture } = scene;
  const afters = withoutProfiles(picture.view.limits, command);
  const given = ownProperty(command.payload, 'chargingProfileCriteria');
  const named = command.version === 'ocpp1.6' ? command.payload : given;
  const key = command.version === 'ocpp1.6' ? 'connectorId' : 'evseId';
  const place = placeIn({ ...command, payload: { [key]: ownProperty(named, key) } });
  if (afters === undefined) {
    return anythingUpTo(chargerLoad(picture, options, place).rating.totalW, place);
  }
  const { steps } = firstSteps(afters[0], picture, options);
  return estimateOf(scene, { afters, place, later: { is: 'schedule', steps } });
}

/** New values in a dynamic schedule, sent or pulled (OCPP 2.1). */
function updateSchedule(scene: Scene): Estimated {
  const { command, options, picture } = scene;
  const { payload } = command;
  const isReply = command.action === 'PullDynamicScheduleUpdate';
  const update = ownProperty(payload, 'scheduleUpdate');
  // The CSMS has none.
  if (isReply && update === undefined) return ok(nothingHappens);
  const fault = updateFault(update);
  if (fault !== undefined) return failed(invalidProfile(fault));
  const isDischarging = isDischargingPeriod(update);
  if (isDischarging && options.discharge === 'refuse') return failed(discharge);
  const chargingProfileId = isReply
    ? command.chargingProfileId
    : integerAt(payload, 'chargingProfileId');
  const { limits } = picture.view;
  const profile = limits.profiles.find((one) => one.chargingProfileId === chargingProfileId);
  const after =
    chargingProfileId === undefined
      ? undefined
      : withUpdate(limits, { chargingProfileId, update }, picture.nowMs);
  if (after === undefined || profile === undefined) {
    const { totalW } = chargerLoad(picture, options).rating;
    return ok(anythingUpTo(isDischarging ? 2 * totalW : totalW, undefined));
  }
  const { steps } = firstSteps(after, picture, options);
  const place = profile.place > 0 ? profile.place : undefined;
  return ok(estimateOf(scene, { afters: [after], place, later: { is: 'schedule', steps } }));
}

interface NewLimits {
  readonly afters: readonly ChargingLimits[];
  readonly place: number | undefined;
  readonly later: LaterSteps;
}

function estimateOf(scene: Scene, { afters, later, place }: NewLimits): LoadEstimate {
  const charger = chargerLoad(scene.picture, scene.options, place);
  const places = loadedPlaces(charger);
  const change = changeOfLimits(scene, charger, { afters, places });
  const { downMilli, downW, upMilli, upW } = change;
  const commandsMilli = Math.min(wholeCommandMilli, upMilli + downMilli);
  return {
    now: { commandsMilli, upW, downW },
    basis: basisOfChange(change, charger, places),
    place,
    swing: swingOfChange(change),
    later,
  };
}

/** By more than half of what is taken, or may be. */
export function swingOfChange({
  downMilli,
  upMilli,
}: Pick<LimitChange, 'upMilli' | 'downMilli'>): LoadEstimate['swing'] {
  const half = wholeCommandMilli / 2;
  if (upMilli <= half && downMilli <= half) return 'none';
  return upMilli >= downMilli ? 'up' : 'down';
}

function basisOfChange(
  { afterW, beforeW, downW, upW }: LimitChange,
  { rating }: ChargerLoad,
  places: readonly PlaceLoad[],
): LoadBasis {
  if (upW === 0 && downW === 0) return 'nothing';
  if (upW === 0 && places.every(({ measuredW }) => measuredW !== undefined)) return 'measured';
  const mostW = Math.min(rating.totalW, rating.placeW * places.length);
  return Math.max(upW > 0 ? afterW : 0, downW > 0 ? beforeW : 0) < mostW ? 'limit' : 'rating';
}
