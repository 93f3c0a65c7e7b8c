import { type Feeder, type Feeders, isWithin } from '../../ramp-limit/feeders.ts';

/** Feeders that somebody means by a name: one, and those that are parts of it. */
export interface NamedFeeders {
  /** Undefined when the configuration has it no longer. */
  readonly feeder: Feeder | undefined;
  /** Is the feeder with this name one of them? */
  has(name: string): boolean;
}

/**
 * The feeders that are meant by `name`.
 *
 * @param held the feeders of the commands that are held: they may be in the configuration no longer.
 * @returns undefined when there is no such feeder.
 */
export function namedFeeders(
  name: string,
  feeders: Feeders,
  held: Iterable<string>,
): NamedFeeders | undefined {
  const feeder = feeders.find(name);
  if (feeder !== undefined) {
    return {
      feeder,
      has: (other) => isWithin(feeders.find(other) ?? feeders.unassigned, feeder),
    };
  }
  const isHeld = [...held].includes(name);
  return isHeld ? { feeder, has: (other) => other === name } : undefined;
}
