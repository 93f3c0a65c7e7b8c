import { type ChargerId, identityKey } from '../chargers/charger-id.ts';
import { invariant } from '../lib/assert.ts';
import { matchesGlob } from '../lib/glob.ts';
import type { Limits } from './ledger.ts';
import type { LoadChange } from './load-change.ts';

/** The feeder of the chargers that no other feeder has. Nobody else may have the name. */
export const unassignedName = 'unassigned';

/** How much may change within one interval. */
export interface FeederBudgets {
  readonly intervalMs: number;
  /** What the commands of each interval may change together; undefined for what is not limited. */
  readonly budget: Limits;
  /** Above it goes nothing, whatever the lane and whatever an operator lifts. */
  readonly ceiling: Limits;
  /** What emergencies may change beyond the budget. */
  readonly reserve: LoadChange;
}

/** A part of the grid whose load must not change too fast. */
export interface Feeder extends FeederBudgets {
  readonly name: string;
  /** The feeder that it is a part of. */
  readonly parent: Feeder | undefined;
  /** The rating of its chargers of which nobody said one, in W; undefined for that of the fleet. */
  readonly chargerRatedW: number | undefined;
}

/** A feeder as the operator describes it. */
export interface FeederOptions extends FeederBudgets {
  readonly name: string;
  /** The name of the feeder that it is a part of. */
  readonly within?: string | undefined;
  /** Identities, and patterns in which `*` stands for any characters. Case does not matter. */
  readonly chargers: readonly string[];
  /** Without it, that of the feeder that it is a part of. */
  readonly chargerRatedW?: number | undefined;
}

/** All feeders as the operator describes them. Names are unique, and `within` makes no circle. */
export interface FeedersOptions {
  readonly feeders: readonly FeederOptions[];
  readonly unassigned: FeederBudgets;
}

/** Which feeders there are, and which of them a charger hangs on. */
export interface Feeders {
  /** In the order of the operator, the one for unassigned chargers last. */
  readonly all: readonly Feeder[];
  /** The one for chargers that no other has. */
  readonly unassigned: Feeder;
  /** The feeder with this name, `unassigned` included. */
  find(name: string): Feeder | undefined;
  /**
   * The feeders that a command to `charger` moves: the one that it hangs on, then each that this
   * one is a part of. Never empty.
   *
   * @param feederSetting what the registry says of the charger. It wins, if there is such a feeder;
   *   then comes an identity that is named exactly, then the first pattern.
   */
  chainOf(charger: ChargerId, feederSetting: string | undefined): readonly Feeder[];
  /** All feeders that are parts of the same as `feeder`: what one of them does concerns the others. */
  groupOf(feeder: Feeder): readonly Feeder[];
}

/** The feeders that the operator describes. */
export function feedersFromOptions({ feeders, unassigned }: FeedersOptions): Feeders {
  const named = namedFeeders(feeders);
  const rest: Feeder = {
    ...budgetsOf(unassigned),
    name: unassignedName,
    parent: undefined,
    chargerRatedW: undefined,
  };
  invariant(!named.has(unassignedName), `no feeder of the operator is called ${unassignedName}`);
  const all = [...named.values(), rest];
  const byName = new Map(all.map((feeder) => [feeder.name, feeder]));
  const chains = new Map(all.map((feeder) => [feeder.name, chainFrom(feeder)]));
  const whole = chainsByCharger(feeders, chains);
  const unassignedChain = [rest];
  const groups = Map.groupBy(all, (feeder) => chainFrom(feeder).at(-1));
  return {
    all,
    unassigned: rest,
    find: (name) => byName.get(name),
    chainOf(charger, feederSetting) {
      const set = feederSetting === undefined ? undefined : chains.get(feederSetting);
      return set ?? whole.find(identityKey(charger)) ?? unassignedChain;
    },
    groupOf: (feeder) => groups.get(chainFrom(feeder).at(-1)) ?? [feeder],
  };
}

/** In the order of the operator, whichever is a part of which. */
function namedFeeders(options: readonly FeederOptions[]): ReadonlyMap<string, Feeder> {
  const optionsOf = new Map(options.map((option) => [option.name, option]));
  invariant(optionsOf.size === options.length, 'the names of feeders are unique');
  const made = new Map<string, Feeder>();
  const make = (name: string, below: readonly string[]): Feeder => {
    const option = optionsOf.get(name);
    invariant(option !== undefined, 'a feeder is a part of one that there is');
    invariant(!below.includes(name), 'no feeder is a part of itself');
    const before = made.get(name);
    if (before !== undefined) return before;
    const { within } = option;
    const parent = within === undefined ? undefined : make(within, [...below, name]);
    const chargerRatedW = option.chargerRatedW ?? parent?.chargerRatedW;
    const feeder: Feeder = { ...budgetsOf(option), name, parent, chargerRatedW };
    made.set(name, feeder);
    return feeder;
  };
  return new Map(options.map(({ name }) => [name, make(name, [])]));
}

function budgetsOf({ intervalMs, budget, ceiling, reserve }: FeederBudgets): FeederBudgets {
  return { intervalMs, budget, ceiling, reserve };
}

type Chain = readonly Feeder[];

/** `feeder`, then each that this one is a part of. */
export function chainFrom(feeder: Feeder): Chain {
  const { parent } = feeder;
  return parent === undefined ? [feeder] : [feeder, ...chainFrom(parent)];
}

/** Is `feeder` the same as `whole`, or a part of it? */
export function isWithin(feeder: Feeder, whole: Feeder): boolean {
  return chainFrom(feeder).includes(whole);
}

/** Finds the feeder that the operator's lists give a charger, by its `identityKey`. */
function chainsByCharger(
  options: readonly FeederOptions[],
  chains: ReadonlyMap<string, Chain>,
): { find(key: string): Chain | undefined } {
  const exact = new Map<string, Chain>();
  const patterns: { readonly pattern: string; readonly chain: Chain }[] = [];
  for (const { chargers, name } of options) {
    const chain = chains.get(name) ?? [];
    for (const charger of chargers) {
      const pattern = charger.toLowerCase();
      if (pattern.includes('*')) patterns.push({ pattern, chain });
      else if (!exact.has(pattern)) exact.set(pattern, chain);
    }
  }
  return {
    find: (key) =>
      exact.get(key) ?? patterns.find(({ pattern }) => matchesGlob(pattern, key))?.chain,
  };
}
