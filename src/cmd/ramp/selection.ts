import type { Command } from 'commander';
import { type ChargerId, identityKey } from '../../chargers/charger-id.ts';
import type { Feeders } from '../../ramp-limit/feeders.ts';
import type { CommandSubject } from '../../ramp-limit/operator-acts.ts';
import { namedFeeders } from './feeder-name.ts';
import { readCharger, readIds } from './option-values.ts';

/** Which commands somebody means. */
export interface SelectionOptions {
  readonly feeder?: string;
  readonly charger?: ChargerId;
  readonly all?: true;
}

/** What was found. */
export interface Selection {
  readonly subjects: readonly CommandSubject[];
  /** Ids that mean nothing. */
  readonly unknown: readonly UnknownId[];
}

/** An id that means no command, or too many. */
export interface UnknownId {
  readonly id: string;
  readonly outcome: 'ambiguous' | 'unknown';
}

/** Adds the argument and the options that say which commands are meant. */
export function withSelection(command: Command): Command {
  return command
    .argument('[id...]', 'the ids of the commands, or their first 8 characters or more', readIds)
    .option('--feeder <name>', 'all that wait for this feeder and for its parts')
    .option('--charger <id>', 'all that wait for this charger', readCharger)
    .option('--all', 'all that wait');
}

/** What contradicts itself in what was typed. */
export function selectionMistake(
  ids: readonly string[],
  { all, charger, feeder }: SelectionOptions,
): string | undefined {
  const given = [ids.length > 0, feeder !== undefined, charger !== undefined, all === true];
  return given.filter(Boolean).length === 1
    ? undefined
    : 'name the commands, or give one of --feeder, --charger and --all';
}

/** The commands that are meant. @returns undefined when there is no such feeder. */
export function select(
  subjects: readonly CommandSubject[],
  ids: readonly string[],
  options: SelectionOptions,
  feeders: Feeders,
): Selection | undefined {
  const { charger, feeder } = options;
  if (ids.length > 0) return named(subjects, ids);
  if (charger !== undefined) {
    const key = identityKey(charger);
    return { subjects: subjects.filter(({ chargerKey }) => chargerKey === key), unknown: [] };
  }
  if (feeder === undefined) return { subjects, unknown: [] };
  const held = subjects.map((subject) => subject.feeder);
  const meant = namedFeeders(feeder, feeders, held);
  if (meant === undefined) return undefined;
  return { subjects: subjects.filter((subject) => meant.has(subject.feeder)), unknown: [] };
}

function named(subjects: readonly CommandSubject[], ids: readonly string[]): Selection {
  const found = new Set<CommandSubject>();
  const unknown: UnknownId[] = [];
  for (const id of ids) {
    const meant = findById(subjects, id, (subject) => subject.id);
    if (meant === 'ambiguous' || meant === 'unknown') unknown.push({ id, outcome: meant });
    else found.add(meant);
  }
  // The order of release, not that in which they were typed.
  return { subjects: subjects.filter((subject) => found.has(subject)), unknown };
}

/** The one of `all` that `id` means, or begins to. */
export function findById<Item>(
  all: readonly Item[],
  id: string,
  idOf: (item: Item) => string,
): Item | UnknownId['outcome'] {
  const [first, ...others] = all.filter((item) => idOf(item).startsWith(id));
  if (first === undefined) return 'unknown';
  return others.length === 0 ? first : 'ambiguous';
}

/** Says what is wrong with an id. */
export function unknownText({ id, outcome }: UnknownId): string {
  return outcome === 'ambiguous'
    ? `${id} is the beginning of several ids: give more of it`
    : `there is no command ${id} (any more)`;
}
