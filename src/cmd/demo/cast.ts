import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { describeMistake, parseConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema/config.ts';
import type { GatewayEvent } from '../../events/catalogue.ts';
import { invariant } from '../../lib/assert.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { type Random, systemRandom } from '../../lib/random.ts';
import { ocppVersions } from '../../ocpp/version.ts';
import type { PresetName } from '../../rules/presets.ts';
import {
  type SimulatedCharger,
  type SimulatedChargerOptions,
  startSimulatedCharger,
} from '../../sim/charger/charger.ts';
import { type SimulatedCsms, startSimulatedCsms } from '../../sim/csms/csms.ts';
import { acRating, dcRating } from '../../sim/electrical/electrical.ts';
import type { Traffic } from '../../sim/protocol/traffic.ts';
import { type RunningGateway, runGateway } from '../run-gateway.ts';
import { DemoDrivers } from './demo-drivers.ts';
import { budgetKwFor, FeederMeter, feederName, intervalSeconds } from './feeder-meter.ts';
import { DemoState } from './state.ts';

/** What the cast needs to know. */
export interface CastOptions {
  readonly chargerCount: number;
  readonly gatewayPort: number;
  readonly csmsPort: number;
  readonly adminPort: number;
  /** The rules that the gateway runs with. `monitor` shows what happens without protection. */
  readonly preset: PresetName;
}

/** Everybody who takes part in the demo. */
export interface Cast {
  readonly clock: Clock;
  readonly random: Random;
  readonly state: DemoState;
  readonly csms: SimulatedCsms;
  readonly running: RunningGateway;
  readonly chargers: readonly SimulatedCharger[];
  readonly drivers: DemoDrivers;
  readonly meter: FeederMeter;
  readonly rogueCharger: SimulatedCharger;
  /** Every text that reached its destination. */
  readonly delivered: Traffic[];
  readonly listeners: Set<(event: GatewayEvent) => void>;
  readonly url: string;
  end(): Promise<void>;
}

/**
 * Starts a CSMS, a gateway and some chargers on loopback.
 *
 * @throws the system's error when a port is taken; then nothing is left running.
 */
export async function assemble(options: CastOptions): Promise<Cast> {
  const clock = systemClock();
  const random = systemRandom;
  const state = new DemoState();
  const delivered: Traffic[] = [];
  const listeners = new Set<(event: GatewayEvent) => void>();
  const onTraffic = (traffic: Traffic): void => {
    if (traffic.direction === 'received') delivered.push(traffic);
    if (delivered.length > 5000) delivered.splice(0, 1000);
  };
  const roles = Array.from({ length: options.chargerCount }, (_, index) => roleOf(index));
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-demo-'));
  const csms = await startSimulatedCsms({
    clock,
    random,
    port: options.csmsPort,
    heartbeatIntervalSeconds: 10,
    onTraffic,
  });
  let running: RunningGateway;
  try {
    running = await runGateway(demoConfig(options, csms.url, roles), {
      configFile: path.join(directory, 'gatewatt.yaml'),
      log: { write: () => {} },
      observer: (event) => {
        state.observe(event, clock.nowMs());
        for (const listener of [...listeners]) listener(event);
      },
    });
  } catch (error) {
    await csms.close();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const url = `ws://${running.gateway.listeners[0]?.address}/ocpp`;
  const shared = { clock, random, url, meterIntervalSeconds: 5, rebootSeconds: 1, onTraffic };
  const chargers = roles.map((role) => startSimulatedCharger({ ...shared, ...role }));
  const rogueCharger = startSimulatedCharger({
    ...shared,
    identity: 'ROGUE-1',
    version: 'ocpp1.6',
  });
  const drivers = new DemoDrivers(clock, random);
  for (const charger of chargers) {
    charger.connected().then(
      () => drivers.add(charger),
      () => undefined,
    );
  }
  const meter = new FeederMeter({
    clock,
    ratedKws: roles.map(ratedKwOf),
    takenKw: () => chargers.reduce((sum, charger) => sum + charger.state().powerKw, 0),
  });
  const end = async (): Promise<void> => {
    meter.close();
    drivers.pause();
    await Promise.all([rogueCharger, ...chargers].map((charger) => charger.close()));
    await running.stop();
    await csms.close();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    clock,
    random,
    state,
    csms,
    running,
    chargers,
    drivers,
    meter,
    rogueCharger,
    delivered,
    listeners,
    url,
    end,
  };
}

/** What one charger is. */
type Role = Required<Pick<SimulatedChargerOptions, 'identity' | 'version'>> & {
  readonly rating: NonNullable<SimulatedChargerOptions['rating']>;
};

function roleOf(index: number): Role {
  return {
    identity: `DEMO-${String(index + 1).padStart(2, '0')}`,
    version: ocppVersions[index % ocppVersions.length] ?? 'ocpp1.6',
    rating: index % 4 === 3 ? dcRating : acRating,
  };
}

function ratedKwOf({ rating }: Role): number {
  return rating.powerKwMax;
}

function demoConfig(options: CastOptions, csmsUrl: string, roles: readonly Role[]): Config {
  const budgetKw = budgetKwFor(roles.map(ratedKwOf));
  const config = parseConfig(
    stringify({
      gateway: { id: 'demo', drainSeconds: 1 },
      listeners: [
        {
          name: 'demo',
          address: `127.0.0.1:${options.gatewayPort}`,
          path: '/ocpp',
          securityProfile: 0,
          allowUnauthenticated: true,
        },
      ],
      csms: { url: csmsUrl },
      chargers: {
        unknown: 'enroll',
        probeSeconds: 1,
        records: roles.map((role) => ({ id: role.identity, ratedKw: ratedKwOf(role) })),
      },
      rampLimit: {
        // There is one gateway, and people who wait to see the next step.
        jitterSeconds: 0,
        feeders: [
          {
            name: feederName,
            chargers: ['DEMO-*'],
            intervalSeconds,
            maxUpKwPerInterval: budgetKw,
            maxDownKwPerInterval: budgetKw,
          },
        ],
      },
      rules: { preset: options.preset },
      admin: { address: `127.0.0.1:${options.adminPort}` },
    }),
  );
  const mistakes = config.ok ? [] : config.error.map((it) => describeMistake('demo', it));
  invariant(config.ok, `the demo's own configuration has mistakes: ${mistakes.join('; ')}`);
  return config.value;
}
