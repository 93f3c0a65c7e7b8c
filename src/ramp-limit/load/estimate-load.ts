import { ok, type Result } from '../../lib/result.ts';
import type { LoadEstimate } from '../load-change.ts';
import { anythingUpTo, nothingHappens, type Scene } from './estimate.ts';
import { estimateAvailability } from './estimate-availability.ts';
import { estimateLimits } from './estimate-limits.ts';
import {
  estimateFirmware,
  estimateReset,
  estimateStop,
  estimateUnlock,
} from './estimate-outage.ts';
import { estimateDerControl, estimateSignal } from './estimate-signals.ts';
import { estimateStart } from './estimate-start.ts';
import type { LoadCommand } from './load-command.ts';
import { chargerLoad, type LoadOptions, type LoadPicture } from './load-picture.ts';
import { mayChangeLoad } from './load-settings.ts';
import type { LoadProblem } from './profile-problems.ts';

/**
 * What a command does to the load of a charger, now and later; or why that cannot be counted.
 *
 * What is not known counts as what the charger can do at most. It never throws, whatever is in the
 * command; its numbers are whole, and not below 0.
 *
 * Source: PNNL-35706 section 4.0, aggregated charger message handler; the attacks T1-01 to T1-10 of
 * docs/threat-model.md.
 */
export function estimateLoad(
  command: LoadCommand,
  picture: LoadPicture,
  options: LoadOptions,
): Result<LoadEstimate, LoadProblem> {
  const scene: Scene = { command, picture, options };
  switch (command.loadClass) {
    case 'start':
      return estimateStart(scene);
    case 'stop':
      return ok(estimateStop(scene));
    case 'limit':
      return estimateLimits(scene);
    case 'reset':
      return ok(estimateReset(scene));
    case 'availability':
      return ok(estimateAvailability(scene));
    case 'unlock':
      return ok(estimateUnlock(scene));
    case 'firmware':
      return ok(estimateFirmware(scene));
    case 'signal':
      return estimateSignal(scene);
    case 'der':
      return estimateDerControl(scene);
    case 'setting':
      return ok(estimateSetting(scene));
  }
}

/** A name that may be one of a limit: nobody knows what a vendor's key does. */
function estimateSetting({ command, options, picture }: Scene): LoadEstimate {
  if (!mayChangeLoad(command)) return nothingHappens;
  return anythingUpTo(chargerLoad(picture, options).rating.totalW, undefined);
}
