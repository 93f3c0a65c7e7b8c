import { placeOf } from '../../chargers/memory/transactions.ts';
import { ownProperty } from '../../ocpp/message.ts';
import { type LoadEstimate, noChange, wholeCommandMilli } from '../load-change.ts';
import { endOf, nothingHappens, type Scene } from './estimate.ts';
import { namedTransaction } from './estimate-signals.ts';
import { type LoadCommand, placeIn } from './load-command.ts';
import { chargerLoad, loadOf } from './load-picture.ts';
import { momentIn } from './moment.ts';
import { wholeWatts } from './power-range.ts';

/** A restart this far ahead is one of later. */
const laterMs = 1_000;

/** A stop ends what its transaction takes; one that nobody knows may take all that a place can. */
export function estimateStop(scene: Scene): LoadEstimate {
  const { options, picture } = scene;
  const charger = chargerLoad(picture, options);
  const record = namedTransaction(scene);
  const place = record && placeOf(record);
  const at = charger.places.find((one) => one.place === place);
  const most = { lowW: 0, highW: charger.rating.placeW };
  return { ...endOf(at ?? { basis: 'rating', load: most }, place), swing: 'down' };
}

/** A restart ends what the charger takes, or one EVSE of it (T1-09). */
export function estimateReset({ command, options, picture }: Scene): LoadEstimate {
  const type = ownProperty(command.payload, 'type');
  // The charger waits until nothing is taken. When the cars are gone is their business.
  if (command.version !== 'ocpp1.6' && type === 'OnIdle') {
    return { ...nothingHappens, now: { ...noChange, commandsMilli: wholeCommandMilli } };
  }
  const place = command.version === 'ocpp1.6' ? undefined : placeIn(command);
  const end = endOf(loadOf(chargerLoad(picture, options, place), place), place);
  if (type !== 'ImmediateAndResume') return end;
  // What falls comes back by itself (OCPP 2.1).
  const most = Math.max(end.now.upW, end.now.downW);
  return { ...end, now: { ...end.now, upW: most, downW: most } };
}

/** Without its cable, a car takes nothing (T1-10). */
export function estimateUnlock({ command, options, picture }: Scene): LoadEstimate {
  const place = placeIn(command);
  const at = loadOf(chargerLoad(picture, options, place), place);
  return at.basis === 'nothing' ? { ...nothingHappens, place } : endOf(at, place);
}

/** New firmware ends in a restart, at once or at a moment that the command names (T1-13). */
export function estimateFirmware({ command, options, picture }: Scene): LoadEstimate {
  const charger = chargerLoad(picture, options);
  const atMs = restartMs(command);
  if (atMs === undefined || atMs <= picture.nowMs + laterMs) return endOf(charger, undefined);
  const restart = {
    atMs,
    commandsMilli: wholeCommandMilli,
    upW: 0,
    // By then there may be a car at every place.
    downW: wholeWatts(charger.rating.totalW),
  };
  return { ...nothingHappens, later: { is: 'restart', steps: [restart] } };
}

/** When the charger restarts at the earliest; undefined when the command does not say it. */
function restartMs({ action, payload, version }: LoadCommand): number | undefined {
  const isPlain16 = version === 'ocpp1.6' && action === 'UpdateFirmware';
  const firmware = ownProperty(payload, 'firmware');
  const retrieved = isPlain16
    ? momentIn(ownProperty(payload, 'retrieveDate'))
    : momentIn(ownProperty(firmware, 'retrieveDateTime'));
  const installed = isPlain16 ? undefined : momentIn(ownProperty(firmware, 'installDateTime'));
  if (typeof retrieved !== 'number' || installed === 'unreadable') return undefined;
  return Math.max(retrieved, installed ?? retrieved);
}
