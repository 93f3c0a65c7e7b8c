import { type ChargingLimits, profileOf } from '../../chargers/memory/charging-limits.ts';
import { openRecord } from '../../chargers/memory/transaction-record.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { ownProperty } from '../../ocpp/message.ts';
import { type LaterSteps, type LoadEstimate, wholeCommandMilli } from '../load-change.ts';
import { effectiveLimit, limitBook } from './effective-limit.ts';
import type { Scene } from './estimate.ts';
import { changeOfLimits, whyNotCounted } from './estimate-limits.ts';
import { withProfile } from './limits-after.ts';
import { placeIn } from './load-command.ts';
import { type ChargerLoad, chargerLoad, loadedPlaces } from './load-picture.ts';
import { momentText } from './moment.ts';
import { wholeWatts } from './power-range.ts';
import { invalidProfile, type LoadProblem } from './profile-problems.ts';
import { firstSteps, scheduledSteps } from './schedule-steps.ts';

/** The id of the transaction that is to begin. No peer can have one with this character. */
const startedId = '\u0000started';

/** What a request to start does: one car more, at what its place allows then. */
export function estimateStart(scene: Scene): Result<LoadEstimate, LoadProblem> {
  const { command, options, picture } = scene;
  const given = ownProperty(command.payload, 'chargingProfile');
  const place = placeIn(command);
  const charger = chargerLoad(picture, options, place);
  const limits = limitsOnceStarted(scene, given, place);
  if (!limits.ok) return limits;

  const start = startedCar(scene, charger, { limits: limits.value, place });
  const later = laterSteps(scene, limits.value, {
    place: start.place,
    isGiven: given !== undefined,
  });
  if (!later.ok) return later;

  // A profile in a request to start is one of the new transaction; but some chargers take others.
  const places = loadedPlaces(charger).filter((other) => other.place !== place);
  const others = changeOfLimits(scene, charger, { afters: [limits.value], places });
  const { totalW } = charger.rating;
  const now = {
    commandsMilli: wholeCommandMilli,
    upW: wholeWatts(Math.min(totalW, Math.max(0, start.limit.highW) + others.upW)),
    downW: wholeWatts(Math.min(totalW, Math.max(0, -start.limit.lowW) + others.downW)),
  };
  const basis = start.limit.highW < charger.rating.placeW ? 'limit' : 'rating';
  return ok({ now, basis, place, swing: 'up', later: later.value });
}

function limitsOnceStarted(
  scene: Scene,
  given: unknown,
  place: number | undefined,
): Result<ChargingLimits, LoadProblem> {
  const { command, picture } = scene;
  const { limits } = picture.view;
  if (given === undefined) return ok(limits);
  const problem = whyNotCounted(scene, given);
  if (problem !== undefined) return failed(problem);
  const profile = profileOf(given, place, picture.nowMs);
  if (profile === undefined) return failed(invalidProfile('there is no charging profile'));
  // Whatever transaction it names, it comes to belong to the one that begins.
  const bound = { ...profile, transactionId: startedId };
  return withProfile(limits, bound, command.version === 'ocpp1.6');
}

/** What the car may take at once. Without a place, the charger chooses one that is free. */
function startedCar(
  { options, picture }: Scene,
  { places, rating }: ChargerLoad,
  { limits, place }: { readonly limits: ChargingLimits; readonly place: number | undefined },
) {
  const free = places.filter(({ car }) => car.is === 'none');
  const candidates = place === undefined ? (free.length > 0 ? free : places) : [{ place }];
  const book = limitBook(limits);
  const surroundings = {
    ratingW: rating.placeW,
    lineVolts: options.lineVolts,
    mayDischarge: options.discharge === 'count',
  };
  const car = { is: 'known', transactionId: startedId, sinceMs: picture.nowMs } as const;
  return candidates
    .map((candidate) => ({
      place: candidate.place,
      limit: effectiveLimit(
        book,
        { place: candidate.place, car, atMs: picture.nowMs },
        surroundings,
      ),
    }))
    .reduce((most, other) => (other.limit.highW > most.limit.highW ? other : most));
}

/** Schedules that begin with a transaction now have a beginning. */
function laterSteps(
  { command, options, picture }: Scene,
  limits: ChargingLimits,
  { isGiven, place }: { readonly isGiven: boolean; readonly place: number },
): Result<LaterSteps | undefined, LoadProblem> {
  const begins = limits.profiles.some((profile) => profile.chargingProfileKind === 'Relative');
  if (!isGiven && !begins) return ok(undefined);
  const record = {
    ...openRecord(startedId, command.version, picture.nowMs),
    chargerStartedAt: momentText(picture.nowMs),
    connectorId: place,
    evseId: command.version === 'ocpp1.6' ? undefined : place,
  };
  const transactions = [...picture.view.transactions, record];
  const then = { ...picture, view: { ...picture.view, transactions, limits } };
  if (!isGiven) return ok({ is: 'schedule', steps: firstSteps(limits, then, options).steps });
  const steps = scheduledSteps(limits, then, options);
  return steps.ok ? ok({ is: 'schedule', steps: steps.value }) : steps;
}
