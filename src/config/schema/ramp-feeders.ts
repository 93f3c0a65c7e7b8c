import { z } from 'zod';
import { chargerPattern } from './fields.ts';

const pnnlSource = 'PNNL-35706 section 4.0, aggregated charger message handler';

/** The feeder of the chargers that no feeder has. */
const reservedName = 'unassigned';
/** Charger, site, feeder, substation, region, and some to spare. */
const levelsMax = 8;

const kwPerInterval = z.int().min(1).max(1_000_000).optional();
const commandsPerInterval = z.int().min(1).max(100_000).optional();

/** What a feeder and the unassigned chargers have in common. `default` is of the commands. */
function budgetFields(countDefault: string) {
  return {
    commandsPerInterval: commandsPerInterval.meta({
      description:
        `Commands that may pass within \`intervalSeconds\`. Without it: ${countDefault}, unless ` +
        'both kW budgets are given; then any number.',
      source: pnnlSource,
    }),
    intervalSeconds: z
      .int()
      .min(1)
      .max(3600)
      .default(10)
      .meta({
        description:
          'The length of an interval. The budgets hold in each stretch of time of this length, ' +
          'whenever it begins.',
        source: pnnlSource,
      }),
    maxUpKwPerInterval: kwPerInterval.meta({
      description: 'By how many kW commands may raise the load within an interval.',
    }),
    maxDownKwPerInterval: kwPerInterval.meta({
      description: 'By how many kW commands may lower the load within an interval.',
    }),
    ceilingUpKwPerInterval: kwPerInterval.meta({
      description:
        'Above this rise goes nothing at all: no emergency, no oversized command, and nothing that ' +
        'an operator lifts while the gateway runs.',
    }),
    ceilingDownKwPerInterval: kwPerInterval.meta({ description: 'The same for the fall.' }),
    ceilingCommandsPerInterval: commandsPerInterval.meta({
      description: 'The same for the number of commands.',
    }),
    emergencyKwPerInterval: z.int().min(0).max(1_000_000).default(0).meta({
      description: 'What emergencies may raise and lower within an interval beyond the kW budgets.',
    }),
    emergencyCommandsPerInterval: z.int().min(0).max(1000).default(1).meta({
      description: 'Emergency commands within an interval beyond `commandsPerInterval`.',
    }),
  };
}

/** The `rampLimit.unassigned` section. */
export const unassignedSection = z.strictObject(budgetFields('10, or 2 with `reply: immediate`'));

/** One entry of `rampLimit.feeders`. */
export const feederEntry = z.strictObject({
  name: z
    .string()
    .max(64)
    .regex(/^\P{C}+$/u, 'must be 1 to 64 characters that can be printed')
    .refine((name) => name !== reservedName, `"${reservedName}" is what the rest is called`)
    .meta({
      description:
        'The name of the feeder, as `gatewatt charger set --feeder` takes it. Not `unassigned`.',
    }),
  within: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .meta({
      description:
        'The name of the feeder that it is a part of. A command must fit into the budgets of all ' +
        'feeders that it moves. At most 8 levels.',
    }),
  chargers: z
    .array(chargerPattern)
    .max(10_000)
    .default([])
    .meta({
      description:
        'The identities of its chargers; `*` stands for any characters. What the registry says of a ' +
        'charger goes first, then an identity that is named exactly, then the first pattern.',
    }),
  chargerRatedKw: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .meta({
      description:
        'The rating of the chargers of this feeder of which nobody said one. Without it: that of the ' +
        'feeder that it is a part of, or else `rampLimit.assumedRatedKw`.',
    }),
  ...budgetFields('2'),
});

/** The `rampLimit.feeders` section. */
export const feedersSection = z.array(feederEntry).max(1000).default([]);

type FeederEntry = z.output<typeof feederEntry>;
/** The budgets of a feeder, or of the unassigned chargers. */
export type BudgetFields = z.output<typeof unassignedSection>;

/** Something that is wrong with what the operator says of feeders. */
export interface FeederMistake {
  /** Below `rampLimit`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The number of commands in an interval; undefined when kW alone count. */
export function countBudget(
  { commandsPerInterval: given, maxDownKwPerInterval, maxUpKwPerInterval }: BudgetFields,
  countDefault: number,
): number | undefined {
  if (given !== undefined) return given;
  // With one of the two, the other direction would have no limit at all.
  const hasBoth = maxUpKwPerInterval !== undefined && maxDownKwPerInterval !== undefined;
  return hasBoth ? undefined : countDefault;
}

/** What PNNL-35706 suggests: two messages every ten seconds. */
export const feederCountDefault = 2;

/** Chargers of which nobody knows where they hang are probably not all on one feeder. */
export function unassignedCountDefault(reply: 'auto' | 'immediate' | 'defer'): number {
  return reply === 'immediate' ? feederCountDefault : 10;
}

/** What contradicts itself in budgets. */
export function budgetMistakes(
  budgets: BudgetFields,
  countDefault: number,
  path: readonly (string | number)[],
): readonly FeederMistake[] {
  const count = countBudget(budgets, countDefault);
  const pairs = [
    ['ceilingUpKwPerInterval', 'maxUpKwPerInterval', budgets.maxUpKwPerInterval],
    ['ceilingDownKwPerInterval', 'maxDownKwPerInterval', budgets.maxDownKwPerInterval],
    ['ceilingCommandsPerInterval', 'commandsPerInterval', count],
  ] as const;
  return pairs.flatMap(([ceilingKey, budgetKey, budget]) => {
    const ceiling = budgets[ceilingKey];
    if (ceiling === undefined || budget === undefined || ceiling >= budget) return [];
    const message = `must not be below ${budgetKey} (${budget}): raise it, or lower ${budgetKey}`;
    return [{ path: [...path, ceilingKey], message }];
  });
}

/** What contradicts itself among feeders. */
export function feederMistakes(feeders: readonly FeederEntry[]): readonly FeederMistake[] {
  return [...nameMistakes(feeders), ...levelMistakes(feeders), ...chargerMistakes(feeders)];
}

function nameMistakes(feeders: readonly FeederEntry[]): readonly FeederMistake[] {
  const names = new Set<string>();
  return feeders.flatMap(({ name }, index) => {
    const isNew = !names.has(name);
    names.add(name);
    return isNew
      ? []
      : [{ path: ['feeders', index, 'name'], message: 'another feeder has this name' }];
  });
}

function levelMistakes(feeders: readonly FeederEntry[]): readonly FeederMistake[] {
  const within = new Map(feeders.map((feeder) => [feeder.name, feeder.within]));
  return feeders.flatMap((feeder, index) => {
    const message = levelMistake(feeder, within);
    return message === undefined ? [] : [{ path: ['feeders', index, 'within'], message }];
  });
}

function levelMistake(
  { name, within }: FeederEntry,
  withinOf: ReadonlyMap<string, string | undefined>,
): string | undefined {
  if (within === undefined) return undefined;
  if (!withinOf.has(within)) return 'there is no feeder of this name';
  let above: string | undefined = within;
  for (let level = 2; above !== undefined; level += 1) {
    if (above === name) return 'the feeder would be a part of itself';
    // A circle further up is the mistake of those that are on it.
    if (level > withinOf.size + 1) return undefined;
    const next: string | undefined = withinOf.get(above);
    if (level > levelsMax && next === undefined) {
      return `there are ${level} levels of feeders; ${levelsMax} are possible`;
    }
    above = next;
  }
  return undefined;
}

function chargerMistakes(feeders: readonly FeederEntry[]): readonly FeederMistake[] {
  const owners = new Map<string, string>();
  return feeders.flatMap(({ chargers, name }, index) =>
    chargers.flatMap((charger, at) => {
      const key = charger.toLowerCase();
      const owner = owners.get(key) ?? name;
      if (key.includes('*')) return [];
      owners.set(key, owner);
      const path = ['feeders', index, 'chargers', at];
      return owner === name ? [] : [{ path, message: `is a charger of ${owner} as well` }];
    }),
  );
}
