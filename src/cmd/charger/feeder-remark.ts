import type { SettingsChange } from '../../chargers/charger-entry.ts';
import type { Config } from '../../config/schema/config.ts';

/**
 * What is odd about the feeder of `settings`: one that the configuration does not describe counts for
 * nothing, and the charger counts as its lists say. Undefined where no feeder is described: the grid
 * may be described later.
 */
export function feederRemark(
  { feeder }: SettingsChange,
  { rampLimit: { feeders } }: Config,
): string | undefined {
  if (typeof feeder !== 'string' || feeders.length === 0) return undefined;
  if (feeders.some(({ name }) => name === feeder)) return undefined;
  return `rampLimit.feeders of the configuration has no feeder of that name: ${feeder}`;
}
