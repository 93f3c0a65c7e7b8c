import type { ChargerId } from '../../chargers/charger-id.ts';
import { storedIdentity } from '../../chargers/record.ts';
import {
  allCommands,
  type HeldCommand,
  type WaitingTotal,
  waitingTotals,
} from '../../ramp-limit/command-rows.ts';
import { feederStatesOf, ledgersOf } from '../../ramp-limit/entry-rows.ts';
import { estimateWaitMs } from '../../ramp-limit/estimate-wait.ts';
import { type FeederState, freshFeederState, limitsAt } from '../../ramp-limit/feeder-state.ts';
import { chainFrom, type Feeder, type Feeders } from '../../ramp-limit/feeders.ts';
import { dimensions, type Limits } from '../../ramp-limit/ledger.ts';
import { type LoadChange, noChange } from '../../ramp-limit/load-change.ts';
import type { WaitReason } from '../../ramp-limit/plan.ts';
import {
  type GroupPlan,
  groupsOf,
  type PlanningPlace,
  planGroup,
} from '../../ramp-limit/plan-group.ts';
import type { RampOptions } from '../../ramp-limit/ramp-options.ts';
import type { Queries } from '../../store/store.ts';
import { claimsOf } from '../charger/charger-status.ts';

/** Why a held command has not come out yet. */
export type Why =
  | WaitReason
  /** It is its turn: its gateway sends it when the charger has no other call open. */
  | { readonly is: 'now' }
  | { readonly is: 'arriving' | 'cancelled' | 'sent' };

/** A held command, and what is to be expected of it. */
export interface CommandOutlook {
  readonly command: HeldCommand;
  /** The feeders that it moves, the nearest first. */
  readonly chain: readonly Feeder[];
  /** The running gateway that has the charger; undefined when it is away. */
  readonly gateway: string | undefined;
  readonly why: Why;
  /** About when it goes, Unix time in milliseconds; Infinity for never, undefined for unknown. */
  readonly aboutMs: number | undefined;
}

/** How things stand with a feeder. */
export interface FeederOutlook {
  readonly feeder: Feeder;
  /** What the window that ends now has of each dimension. */
  readonly used: LoadChange;
  /** For each window. */
  readonly limits: Limits;
  /** Slowed down because it swung to and fro; undefined when it is not. */
  readonly slowedUntilMs: number | undefined;
  /** An operator has set other budgets until then; undefined when nobody has. */
  readonly liftedUntilMs: number | undefined;
  /** Commands that wait and would move it. */
  readonly waiting: number;
}

/** What waits, and for what. */
export interface Outlook {
  readonly nowMs: number;
  /** In the order of release; what was sent stands in front. */
  readonly commands: readonly CommandOutlook[];
  /** In the order of the configuration. */
  readonly feeders: readonly FeederOutlook[];
}

/** Commands that are looked at. As many may wait as `rampLimit.heldCommandsMax` allows, 10 000. */
const commandsMax = 20_000;

/**
 * A process that has no chargers: to its plans, all are connected elsewhere or nowhere. Whether they
 * are busy only their gateways know.
 */
const nowhere: PlanningPlace = {
  incarnation: '',
  othersMayTakeMs: Infinity,
  targetOf: () => undefined,
};

/** Looks at what waits as the gateways do, and changes nothing. */
export async function readOutlook(
  db: Queries,
  options: RampOptions,
  nowMs: number,
): Promise<Outlook> {
  const { feeders } = options;
  const held = await allCommands(db, commandsMax);
  const ids = [...new Set(held.map(({ charger }) => storedIdentity(charger)))];
  const gateways = await gatewaysOf(db, ids, nowMs);
  const plans = await plansOf(db, options, nowMs);
  const located = held.map((command) => {
    const feeder = feeders.find(command.feeder) ?? feeders.unassigned;
    return { command, chain: chainFrom(feeder), gateway: gateways.get(command.chargerKey) };
  });
  const commands = new Estimator(plans, feeders, nowMs).outlooks(located);
  const sent = commands.filter(({ why }) => why.is === 'sent');
  return {
    nowMs,
    commands: [...sent, ...commands.filter(({ why }) => why.is !== 'sent')],
    feeders: await feederOutlooks(db, feeders, commands, nowMs),
  };
}

/** Does it wait for its turn? */
export function isWaiting({ command }: CommandOutlook): boolean {
  return command.state === 'waiting';
}

/** The names of the running gateways that have these chargers, by identity key. */
async function gatewaysOf(
  db: Queries,
  ids: readonly ChargerId[],
  nowMs: number,
): Promise<ReadonlyMap<string, string>> {
  const claims = await claimsOf(db, ids, nowMs);
  const connected = [...claims].flatMap(([key, { connectedTo }]) => {
    return connectedTo === null ? [] : [[key, connectedTo] as const];
  });
  return new Map(connected);
}

/** A plan for each group of feeders for which something waits. */
async function plansOf(
  db: Queries,
  options: RampOptions,
  nowMs: number,
): Promise<readonly GroupPlan[]> {
  const waiting = (await waitingTotals(db)).map(({ feeder }) => feeder);
  const plans: GroupPlan[] = [];
  for (const { feeders, names } of groupsOf(waiting, options.feeders)) {
    plans.push(await planGroup(db, feeders, undefined, nowMs, nowhere, options, names));
  }
  return plans;
}

type Located = Pick<CommandOutlook, 'command' | 'chain' | 'gateway'>;

/** What is known of feeders that are parts of one. */
interface Line {
  readonly plan: Pick<GroupPlan, 'ledgers' | 'feederStates'>;
  /** What waits before the next command, by feeder. */
  readonly ahead: Map<string, WaitingTotal>;
}

/** Tells about each command, in the order of release, when it goes: by what stands before it. */
class Estimator {
  readonly #feeders: Feeders;
  readonly #nowMs: number;
  /** By the id of the command. */
  readonly #reasons = new Map<string, Why>();
  readonly #lines = new Map<Feeder, Line>();
  /** When the command before the next one goes, or expires, by charger. */
  readonly #before = new Map<string, number>();

  constructor(plans: readonly GroupPlan[], feeders: Feeders, nowMs: number) {
    this.#feeders = feeders;
    this.#nowMs = nowMs;
    for (const plan of plans) {
      for (const id of plan.heads.keys()) {
        this.#reasons.set(id, plan.waits.get(id) ?? { is: 'now' });
      }
      const line: Line = { plan, ahead: new Map() };
      for (const feeder of plan.feeders) this.#lines.set(feeder, line);
    }
  }

  outlooks(located: readonly Located[]): readonly CommandOutlook[] {
    return located.map((one) => {
      const why = this.#whyOf(one);
      const line = one.chain[0] && this.#lines.get(one.chain[0]);
      const aboutMs = line === undefined ? undefined : this.#aboutMs(one, why, line);
      if (line !== undefined) this.#pass(one.command, { why, aboutMs }, line);
      return { ...one, why, aboutMs };
    });
  }

  #whyOf({ command, gateway }: Located): Why {
    const { id, state } = command;
    if (state !== 'waiting') return { is: state };
    // A plan looks at the first commands of those whose chargers are connected.
    return this.#reasons.get(id) ?? { is: gateway === undefined ? 'away' : 'order' };
  }

  #aboutMs({ chain, command }: Located, why: Why, { ahead, plan }: Line): number | undefined {
    const nowMs = this.#nowMs;
    switch (why.is) {
      case 'now':
        return nowMs;
      case 'budget':
      case 'dwell':
      case 'jitter':
      case 'order': {
        const { ledgers, feederStates } = plan;
        // Those whom an operator has released stand in line as well.
        const lane = command.lane === 'emergency' ? command.lane : 'ordinary';
        const waitMs = estimateWaitMs(
          { chain, lane, now: command.now, reason: why, nowMs },
          { ledgers, feederStates, totals: [...ahead.values()], feeders: this.#feeders },
        );
        const beforeMs = why.is === 'order' ? this.#before.get(command.chargerKey) : undefined;
        return Math.max(nowMs + waitMs, beforeMs ?? 0);
      }
      case 'away':
      case 'busy':
      case 'arriving':
      case 'cancelled':
      case 'sent':
        return undefined;
    }
  }

  #pass(
    { chargerKey, expiresAtMs, feeder, now, arrivedAtMs: oldestMs }: HeldCommand,
    { aboutMs, why }: Pick<CommandOutlook, 'aboutMs' | 'why'>,
    { ahead }: Line,
  ): void {
    // What would go now is in the ledgers already; those who are away let the others pass.
    if (aboutMs === undefined || why.is === 'now') return;
    this.#before.set(chargerKey, Math.min(aboutMs, expiresAtMs));
    const { change, count } = ahead.get(feeder) ?? { change: noChange, count: 0 };
    const sum = { ...change };
    for (const dimension of dimensions) sum[dimension] += now[dimension];
    ahead.set(feeder, { feeder, oldestMs, count: count + 1, change: sum });
  }
}

async function feederOutlooks(
  db: Queries,
  { all }: Feeders,
  commands: readonly CommandOutlook[],
  nowMs: number,
): Promise<readonly FeederOutlook[]> {
  // Not those of the plans: there, what would go now has taken its part already.
  const ledgers = await ledgersOf(db, all, nowMs);
  const states = await feederStatesOf(db, all);
  const waiting = new Map<Feeder, number>();
  for (const { chain } of commands.filter(isWaiting)) {
    for (const feeder of chain) waiting.set(feeder, (waiting.get(feeder) ?? 0) + 1);
  }
  return all.map((feeder) => {
    const state: FeederState = states.get(feeder.name) ?? freshFeederState;
    const { slowedUntilMs } = state.oscillation;
    const untilMs = state.lift?.untilMs ?? 0;
    return {
      feeder,
      used: ledgers.get(feeder.name)?.inWindow(nowMs) ?? noChange,
      limits: limitsAt(feeder, state, nowMs, 'ordinary').limits,
      slowedUntilMs: slowedUntilMs > nowMs ? slowedUntilMs : undefined,
      liftedUntilMs: untilMs > nowMs ? untilMs : undefined,
      waiting: waiting.get(feeder) ?? 0,
    };
  });
}
