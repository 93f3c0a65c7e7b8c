import { seededRandom } from '../../src/lib/random.ts';
import type { FaultPace } from './faults.ts';
import type { GatewayChoices } from './gateway-options.ts';
import { calmConditions, type LinkConditions } from './network/link.ts';

/** What decides everything that happens in a simulation. */
export interface SimulationOptions {
  readonly seed: number;
  readonly chargers: number;
  /** Simulated seconds in which things go wrong. */
  readonly seconds: number;
  /** Does anything go wrong? */
  readonly hasFaults: boolean;
}

/** What a seed makes of the options. */
export interface Scenario {
  readonly gateway: GatewayChoices;
  readonly conditions: LinkConditions;
  readonly faults: FaultPace;
  /** How many of the chargers misbehave: 0 to 1. */
  readonly rascals: number;
  /** How many speak OCPP 2.0.1. */
  readonly newer: number;
  /** How many of all statements the database takes long for. */
  readonly stalls: number;
}

/** Chooses by the seed. */
export function scenarioOf({ chargers, hasFaults, seed }: SimulationOptions): Scenario {
  const random = seededRandom(seed);
  const isRough = hasFaults && random.fraction() < 0.7;
  const replies = ['auto', 'immediate', 'defer'] as const;
  const reply = replies[random.integer(0, 3)] ?? 'auto';
  const feeders = random.integer(1, 5);
  const commandsPerInterval = Math.max(1, Math.round(chargers / 200)) + random.integer(0, 2);
  const minutesMs = 60_000 * (1 + random.fraction());
  return {
    gateway: {
      reply,
      feeders,
      commandsPerInterval,
      commandsPerIntervalInAll: Math.max(
        commandsPerInterval,
        Math.round((commandsPerInterval * feeders * (1 + random.fraction())) / 2),
      ),
    },
    conditions: isRough
      ? {
          delayMs: random.integer(2, 80),
          jitterMs: random.integer(5, 200),
          lost: random.fraction() * 0.03,
          doubled: random.fraction() * 0.02,
          overtaken: random.fraction() * 0.05,
          cut: random.fraction() * 0.2,
        }
      : calmConditions,
    faults: {
      gatewayMs: minutesMs,
      csmsMs: 1.5 * minutesMs,
      csmsLinkMs: 2 * minutesMs,
      chargerMs: 3 * minutesMs,
      databaseMs: minutesMs,
    },
    rascals: hasFaults ? 0.05 : 0,
    newer: 0.2,
    stalls: hasFaults ? 0.0005 : 0,
  };
}
