import type { Clock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import type { Link } from '../network/link.ts';
import { type ChargerPlan, type ChargerTools, SimulatedCharger } from './charger.ts';
import { Rascal } from './rascal.ts';

/** What a fleet consists of. */
export interface FleetPlan {
  readonly seed: number;
  readonly chargers: number;
  readonly feeders: number;
  /** 0 to 1 of all chargers. */
  readonly rascals: number;
  readonly newer: number;
}

/** All chargers of a simulation. */
export interface Fleet {
  readonly chargers: readonly SimulatedCharger[];
  /** Those that keep to the rules. */
  readonly honest: readonly SimulatedCharger[];
  /** The path of each to the gateway, at the same index. */
  readonly links: readonly Link[];
  start(): void;
  /** No new transactions, no misdeeds. */
  calmDown(): void;
}

/** All of them connect within this time, in milliseconds. */
const arrivalMs = 20_000;

/** Who is to be there, before anybody is. */
export function planFleet({ chargers, feeders, newer, seed }: FleetPlan): readonly ChargerPlan[] {
  const random = seededRandom(seed ^ 0x5eed);
  return Array.from({ length: chargers }, (_, index) => ({
    identity: `CP-${index % feeders}-${index}`,
    address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    password: `password-of-charger-${index}`,
    version: random.fraction() < newer ? 'ocpp2.0.1' : 'ocpp1.6',
  }));
}

/** Makes the chargers of `plans`. */
export function makeFleet(
  { rascals: rascalPart, seed }: FleetPlan,
  plans: readonly ChargerPlan[],
  tools: Omit<ChargerTools, 'link' | 'random'>,
  makeLink: (index: number) => Link,
): Fleet {
  const random = seededRandom(seed ^ 0xf1ee7);
  const links = plans.map((_, index) => makeLink(index));
  const rascals: Rascal[] = [];
  const honest: SimulatedCharger[] = [];
  const chargers = plans.map((plan, index) => {
    const link = links[index];
    if (link === undefined) throw new Error('each charger has a link');
    const own = { ...tools, link, random: seededRandom(seed ^ (index * 7919 + 1)) };
    const charger = new SimulatedCharger(plan, own);
    if (random.fraction() < rascalPart) {
      rascals.push(new Rascal(charger, own, seededRandom(seed ^ (index * 104_729 + 2))));
    } else honest.push(charger);
    return charger;
  });
  return {
    chargers,
    honest,
    links,
    start: () => {
      for (const charger of chargers) startLater(tools.clock, random.fraction(), charger);
      for (const rascal of rascals) rascal.start();
    },
    calmDown: () => {
      for (const rascal of rascals) rascal.calmDown();
      for (const charger of chargers) charger.work.calmDown();
    },
  };
}

function startLater(clock: Clock, part: number, charger: SimulatedCharger): void {
  clock.after(part * arrivalMs, () => charger.start());
}
