import { transactionIdAt } from '../../chargers/memory/read-property.ts';
import type { TransactionRecord } from '../../chargers/memory/transaction-record.ts';
import { placeOf } from '../../chargers/memory/transactions.ts';
import { failed, ok, type Result } from '../../lib/result.ts';
import { ownProperty } from '../../ocpp/message.ts';
import { transactionKey } from '../../ocpp/transaction-id.ts';
import { type LoadEstimate, wholeCommandMilli } from '../load-change.ts';
import { effectiveLimit } from './effective-limit.ts';
import { anythingUpTo, changeTo, type Scene, swingOf } from './estimate.ts';
import { discharge } from './estimate-limits.ts';
import { type ChargerLoad, chargerLoad, loadOf } from './load-picture.ts';
import type { LoadProblem } from './profile-problems.ts';

/**
 * What a command does that leaves it to others what a car may take (OCPP 2.1, T1-07).
 *
 * Source: OCPP 2.1 part 2, chapters K (UsePriorityCharging) and Q (AFRRSignal,
 * NotifyAllowedEnergyTransfer).
 */
export function estimateSignal(scene: Scene): Result<LoadEstimate, LoadProblem> {
  const charger = chargerLoad(scene.picture, scene.options);
  switch (scene.command.action) {
    case 'UsePriorityCharging':
      return ok(usePriority(scene, charger));
    case 'NotifyAllowedEnergyTransfer':
      return allowTransfer(scene, charger);
    default:
      return ok(anythingUpTo(charger.rating.totalW, undefined));
  }
}

/** How a charger reacts to voltage and frequency, nobody can foresee (T1-08). */
export function estimateDerControl({ options, picture }: Scene): Result<LoadEstimate, LoadProblem> {
  if (options.derControls === 'refuse') return failed(derControl);
  return ok(anythingUpTo(chargerLoad(picture, options).rating.totalW, undefined));
}

/** The open transaction that a command names; undefined when it is not known. */
export function namedTransaction({ command, picture }: Scene): TransactionRecord | undefined {
  const named = transactionIdAt(command.payload, 'transactionId');
  if (named === undefined) return undefined;
  const key = transactionKey(named);
  return picture.view.transactions.find(
    ({ transactionId }) => transactionKey(transactionId) === key,
  );
}

const derControl: LoadProblem = {
  code: 'RAMP_DER_CONTROL',
  detail: 'the charger would react in another way to voltage and frequency',
};

/** Priority lifts the limits of a transaction, or puts others in their place. */
function usePriority(scene: Scene, charger: ChargerLoad): LoadEstimate {
  const { command, options, picture } = scene;
  const record = namedTransaction(scene);
  const place = record && placeOf(record);
  const activate = ownProperty(command.payload, 'activate');
  const { placeW } = charger.rating;
  const at = charger.places.find((one) => one.place === place);
  if (at === undefined || typeof activate !== 'boolean') return anythingUpTo(placeW, place);
  const surroundings = {
    ratingW: placeW,
    lineVolts: options.lineVolts,
    mayDischarge: options.discharge === 'count',
  };
  const limit = effectiveLimit(charger.book, { ...at, atMs: picture.nowMs }, surroundings);
  // The limits of priority, where they are known, are one end of this one already.
  const isKnown = charger.book.profiles.some(({ purpose }) => purpose === 'PriorityCharging');
  const first = { lowW: isKnown ? limit.lowW : placeW, highW: placeW };
  const change = activate ? changeTo(limit, first) : changeTo(first, limit);
  const now = { commandsMilli: wholeCommandMilli, ...change };
  return { now, basis: 'rating', place, swing: swingOf(now), later: undefined };
}

/** The car may charge in another way, or discharge. */
function allowTransfer(scene: Scene, charger: ChargerLoad): Result<LoadEstimate, LoadProblem> {
  const { command, options } = scene;
  const given = ownProperty(command.payload, 'allowedEnergyTransfer');
  const modes: readonly unknown[] = Array.isArray(given) ? given : [given];
  const isBidirectional = modes.some((mode) => typeof mode === 'string' && /bpt/i.test(mode));
  if (isBidirectional && options.discharge === 'refuse') return failed(discharge);
  const record = namedTransaction(scene);
  const place = record && placeOf(record);
  const { placeW } = charger.rating;
  if (isBidirectional) return ok(anythingUpTo(2 * placeW, place));
  if (place === undefined) return ok(anythingUpTo(placeW, undefined));
  const { load } = loadOf(charger, place);
  const now = { commandsMilli: wholeCommandMilli, ...changeTo(load, { lowW: 0, highW: placeW }) };
  return ok({ now, basis: 'rating', place, swing: swingOf(now), later: undefined });
}
