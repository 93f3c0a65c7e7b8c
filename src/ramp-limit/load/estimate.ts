import { type LoadBasis, type LoadEstimate, noChange, wholeCommandMilli } from '../load-change.ts';
import type { LoadCommand } from './load-command.ts';
import type { LoadOptions, LoadPicture, PlaceLoad } from './load-picture.ts';
import { type PowerRange, wholeWatts } from './power-range.ts';

/** What an estimate is made of. */
export interface Scene {
  readonly command: LoadCommand;
  readonly picture: LoadPicture;
  readonly options: LoadOptions;
}

/** It moves nothing, and is no command that counts. */
export const nothingHappens: LoadEstimate = {
  now: noChange,
  basis: 'nothing',
  place: undefined,
  swing: 'none',
  later: undefined,
};

/** Nobody knows what it does: up or down by `watts`. */
export function anythingUpTo(watts: number, place: number | undefined): LoadEstimate {
  const most = wholeWatts(watts);
  return {
    now: { commandsMilli: wholeCommandMilli, upW: most, downW: most },
    basis: 'rating',
    place,
    swing: 'up',
    later: undefined,
  };
}

/** All that is taken goes away. Who feeds in stops as well, and that is a rise. */
export function endOf(
  { basis, load }: Pick<PlaceLoad, 'basis' | 'load'>,
  place: number | undefined,
): LoadEstimate {
  const now = { commandsMilli: wholeCommandMilli, ...changeTo(load, { lowW: 0, highW: 0 }) };
  return { now, basis: basisOf(basis, now), place, swing: swingOf(now), later: undefined };
}

/** How far a load may rise, and fall, from `before` to `after`. */
export function changeTo(
  before: PowerRange,
  after: PowerRange,
): { readonly upW: number; readonly downW: number } {
  return {
    upW: wholeWatts(after.highW - before.lowW),
    downW: wholeWatts(before.highW - after.lowW),
  };
}

/** The larger of both; of equal ones the rise, which has to wait for more. */
export function swingOf({
  downW,
  upW,
}: {
  readonly upW: number;
  readonly downW: number;
}): LoadEstimate['swing'] {
  if (upW === 0 && downW === 0) return 'none';
  return upW >= downW ? 'up' : 'down';
}

/** Where nothing moves, it comes from nothing. */
export function basisOf(
  basis: LoadBasis,
  { downW, upW }: { readonly upW: number; readonly downW: number },
): LoadBasis {
  return upW === 0 && downW === 0 ? 'nothing' : basis;
}
