import { availabilityAt, type ConnectorState } from '../../chargers/memory/connectors.ts';
import { type LoadEstimate, wholeCommandMilli } from '../load-change.ts';
import { statesOfPlace, statesOfWhole } from './charger-places.ts';
import { effectiveLimit } from './effective-limit.ts';
import { anythingUpTo, endOf, nothingHappens, type Scene } from './estimate.ts';
import { placeIn } from './load-command.ts';
import {
  type ChargerLoad,
  chargerLoad,
  loadOf,
  type PlaceLoad,
  worstBasis,
} from './load-picture.ts';
import { wholeWatts } from './power-range.ts';

/** What a ChangeAvailability does (T1-10). */
export function estimateAvailability(scene: Scene): LoadEstimate {
  const { command, options, picture } = scene;
  const key = command.version === 'ocpp1.6' ? 'type' : 'operationalStatus';
  const place = placeIn(command);
  const charger = chargerLoad(picture, options, place);
  switch (availabilityAt(command.payload, key)) {
    case 'Operative':
      return intoService(scene, charger, place);
    case 'Inoperative': {
      const at = loadOf(charger, place);
      return at.basis === 'nothing' ? { ...nothingHappens, place } : endOf(at, place);
    }
    case undefined:
      return anythingUpTo(charger.rating.totalW, place);
  }
}

/** A car that waits at a place out of service begins to charge. */
function intoService(
  { options, picture }: Scene,
  charger: ChargerLoad,
  place: number | undefined,
): LoadEstimate {
  const { connectors } = picture.view;
  const ofWhole = statesOfWhole(connectors).some(isOutOfService);
  const returning = charger.places.filter((one) => {
    if (place !== undefined && one.place !== place) return false;
    if (one.car.is === 'known') return false;
    const states = statesOfPlace(connectors, one.place);
    return ofWhole || states.length === 0 || states.some(isOutOfService);
  });
  if (returning.length === 0) return { ...nothingHappens, place };
  const each = returning.map((one) => mostAt(one, charger, { options, picture }));
  const watts = each.reduce((sum, { highW }) => sum + highW, 0);
  const upW = wholeWatts(Math.min(watts, charger.rating.totalW));
  return {
    now: { commandsMilli: wholeCommandMilli, upW, downW: 0 },
    basis: worstBasis(each.map(({ basis }) => basis)),
    place,
    swing: upW > 0 ? 'up' : 'none',
    later: undefined,
  };
}

function mostAt(
  { car, place }: PlaceLoad,
  { book, rating }: ChargerLoad,
  { options, picture }: Pick<Scene, 'options' | 'picture'>,
) {
  const { highW } = effectiveLimit(
    book,
    { place, car, atMs: picture.nowMs },
    { ratingW: rating.placeW, lineVolts: options.lineVolts, mayDischarge: false },
  );
  const basis = highW < rating.placeW ? ('limit' as const) : ('rating' as const);
  return { highW: Math.max(0, highW), basis };
}

function isOutOfService({ availability, status }: ConnectorState): boolean {
  return availability === 'Inoperative' || status === 'Unavailable';
}
