import { stringify } from 'yaml';
import { gatewayOptions } from '../../src/cmd/gateway-options.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { GatewayOptions } from '../../src/gateway/gateway.ts';
import { quickDigest } from '../support/quick-hash.ts';
import type { FeederLimit } from './observers/feeder-budgets.ts';

/** What differs from one simulated gateway to another. */
export interface GatewayChoices {
  readonly reply: 'auto' | 'immediate' | 'defer';
  /** Feeders, each with its chargers by pattern, and how many commands each takes in an interval. */
  readonly feeders: number;
  readonly commandsPerInterval: number;
  /** Of all feeders together. */
  readonly commandsPerIntervalInAll: number;
}

/** Seconds of an interval of the budgets. */
export const intervalSeconds = 10;
/** Above all feeders. */
export const substation = 'substation';

/** The name of a feeder. */
export function feederName(index: number): string {
  return `feeder-${index}`;
}

/** Longer than any simulation: the timers of node:http know no other time than the machine's. */
const neverSeconds = 1_000_000;

/** What the gateway of a simulation is to do: a configuration file as an operator would write it. */
export function simulatedOptions(choices: GatewayChoices): GatewayOptions {
  const { commandsPerInterval, commandsPerIntervalInAll, feeders, reply } = choices;
  const budget = { intervalSeconds, emergencyCommandsPerInterval: 0 };
  const text = stringify({
    gateway: { id: 'simulated', dataDir: 'data', drainSeconds: 3 },
    listeners: [{ name: 'field', address: '127.0.0.1:9000', path: '/ocpp', securityProfile: 1 }],
    csms: { url: 'ws://csms:9000/ocpp', callTimeoutSeconds: 30 },
    chargers: { unknown: 'reject' },
    rampLimit: {
      reply,
      holdSecondsMax: 120,
      feeders: [
        {
          ...budget,
          name: substation,
          commandsPerInterval: commandsPerIntervalInAll,
        },
        ...Array.from({ length: feeders }, (_, index) => ({
          ...budget,
          name: feederName(index),
          within: substation,
          commandsPerInterval,
          chargers: [`CP-${index}-*`],
        })),
      ],
    },
  });
  const config = parseConfig(text);
  if (!config.ok) throw new Error(config.error.map(({ message }) => message).join('\n'));
  const files = { batches: [], csmsAuth: { type: 'none' } } as const;
  const options = gatewayOptions(config.value, 'simulated.yaml', files);
  const { connectTimeoutSeconds, url } = config.value.csms;
  return {
    ...options,
    listeners: options.listeners.map((it) => ({ ...it, handshakeSeconds: neverSeconds })),
    // No thread may come in: it would have a time of its own.
    passwords: { ...options.passwords, hash: quickDigest },
    csms: { url, connectTimeoutSeconds },
    signing: undefined,
  };
}

/** What observers hold against the gateway: the budgets of the same feeders. */
export function feederLimits(choices: GatewayChoices): readonly FeederLimit[] {
  const { commandsPerInterval, commandsPerIntervalInAll, feeders } = choices;
  const intervalMs = intervalSeconds * 1000;
  return [
    { name: substation, commandsMilliMax: 1000 * commandsPerIntervalInAll, intervalMs },
    ...Array.from({ length: feeders }, (_, index) => ({
      name: feederName(index),
      commandsMilliMax: 1000 * commandsPerInterval,
      intervalMs,
    })),
  ];
}
