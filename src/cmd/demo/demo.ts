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
import { type OcppVersion, ocppVersions } from '../../ocpp/version.ts';
import type { PresetName } from '../../rules/presets.ts';
import { type SimulatedCharger, startSimulatedCharger } from '../../sim/charger/charger.ts';
import { Drivers } from '../../sim/charger/driver.ts';
import { type SimulatedCsms, startSimulatedCsms } from '../../sim/csms/csms.ts';
import { acRating, dcRating } from '../../sim/electrical/electrical.ts';
import type { Traffic } from '../../sim/protocol/traffic.ts';
import { type RunningGateway, runGateway } from '../run-gateway.ts';
import { playScene, type Stage } from './scene.ts';
import type { ScreenFacts } from './screen.ts';
import { type DemoCharger, DemoState } from './state.ts';
import { type DemoOutput, type DemoView, openPlainView, openScreen } from './view.ts';

/** What a demo is given. */
export interface DemoOptions {
  readonly chargerCount: number;
  readonly gatewayPort: number;
  readonly csmsPort: number;
  readonly adminPort: number;
  readonly paceSeconds: number;
  /** The rules that the gateway runs with. `monitor` shows what happens without protection. */
  readonly preset: PresetName;
  /** Plain lines even on a terminal. */
  readonly isPlain: boolean;
  readonly output: DemoOutput;
  /** Resolves when the demo shall end. */
  readonly ended: Promise<void>;
}

/** How a demo went. */
export interface DemoResult {
  /** False when an attack got through, or when the scene could not be played to its end. */
  readonly allStopped: boolean;
  readonly isSceneOver: boolean;
  readonly counts: Readonly<DemoState['counts']>;
}

/** Cars come and go fast, so that there is something to see. */
const habits = { idleSecondsMax: 12, chargingSecondsMax: 90 };

/** The identity of the charger that the scene's attacks aim at. It speaks OCPP 1.6. */
const victimNumber = 1;

/**
 * Runs a CSMS, a gateway and some chargers on loopback, shows what passes, and plays the scene.
 *
 * @throws the system's error when a port is taken; then nothing is left running.
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const cast = await assemble(options);
  const { state, clock } = cast;
  const view = openView(options, cast);
  const ending = new AbortController();
  let isSceneOver = false;
  let allStopped = false;
  const scene = (async () => {
    await cast.chargers[victimNumber - 1]?.connected();
    await cast.rogueCharger.connected();
    const stage = stageOf(cast, options, ending.signal);
    await stage.pause(options.paceSeconds * 1000);
    allStopped = await playScene(stage);
    isSceneOver = true;
    const text = 'that was all: the chargers go on until you press Ctrl-C';
    state.add({ atMs: clock.nowMs(), kind: 'notice', text });
  })();
  try {
    // The scene fails only when its connections are gone, and then the demo is ending anyway.
    await Promise.race([options.ended, scene.then(() => options.ended)]);
  } finally {
    ending.abort();
    view.close();
    await cast.end();
    await scene.catch(() => undefined);
  }
  return { allStopped, isSceneOver, counts: state.counts };
}

interface Cast {
  readonly clock: Clock;
  readonly random: Random;
  readonly state: DemoState;
  readonly csms: SimulatedCsms;
  readonly running: RunningGateway;
  readonly chargers: readonly SimulatedCharger[];
  readonly rogueCharger: SimulatedCharger;
  /** Every text that reached its destination. */
  readonly delivered: Traffic[];
  readonly listeners: Set<(event: GatewayEvent) => void>;
  readonly url: string;
  end(): Promise<void>;
}

async function assemble(options: DemoOptions): Promise<Cast> {
  const clock = systemClock();
  const random = systemRandom;
  const state = new DemoState();
  const delivered: Traffic[] = [];
  const listeners = new Set<(event: GatewayEvent) => void>();
  const onTraffic = (traffic: Traffic): void => {
    if (traffic.direction === 'received') delivered.push(traffic);
    if (delivered.length > 5000) delivered.splice(0, 1000);
  };
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
    running = await runGateway(demoConfig(options, csms.url), {
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
  const chargers = Array.from({ length: options.chargerCount }, (_, index) =>
    startSimulatedCharger({
      ...shared,
      identity: `DEMO-${String(index + 1).padStart(2, '0')}`,
      version: versionOf(index),
      rating: index % 4 === 3 ? dcRating : acRating,
    }),
  );
  const rogueCharger = startSimulatedCharger({
    ...shared,
    identity: 'ROGUE-1',
    version: 'ocpp1.6',
  });
  const drivers: Drivers[] = [];
  for (const charger of chargers) {
    charger.connected().then(
      () => drivers.push(new Drivers(charger, habits, clock, random)),
      () => undefined,
    );
  }
  const end = async (): Promise<void> => {
    for (const driver of drivers) driver.stop();
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
    rogueCharger,
    delivered,
    listeners,
    url,
    end,
  };
}

function versionOf(index: number): OcppVersion {
  return ocppVersions[index % ocppVersions.length] ?? 'ocpp1.6';
}

function demoConfig(options: DemoOptions, csmsUrl: string): Config {
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
      chargers: { unknown: 'enroll', probeSeconds: 1 },
      rules: { preset: options.preset },
      admin: { address: `127.0.0.1:${options.adminPort}` },
    }),
  );
  const mistakes = config.ok ? [] : config.error.map((it) => describeMistake('demo', it));
  invariant(config.ok, `the demo's own configuration has mistakes: ${mistakes.join('; ')}`);
  return config.value;
}

function openView(options: DemoOptions, { chargers, clock, csms, running, state }: Cast): DemoView {
  const { output } = options;
  const gateway = running.gateway.listeners[0]?.address ?? '';
  const admin = running.admin.address;
  if (output.isTTY !== true || options.isPlain) {
    const text = `gateway ${gateway}, CSMS ${csms.url}, metrics http://${admin}/metrics`;
    const view = openPlainView(output, state, clock);
    state.add({ atMs: clock.nowMs(), kind: 'notice', text });
    return view;
  }
  const facts = (): ScreenFacts => ({
    gateway,
    csms: `127.0.0.1:${csms.port}`,
    admin,
    sessions: running.gateway.sessionCount(),
    chargers: chargers.map(demoCharger),
  });
  return openScreen(output, state, facts, clock);
}

function demoCharger(charger: SimulatedCharger): DemoCharger {
  const { connection, connectors, powerKw } = charger.state();
  const first = connectors[0];
  return {
    identity: charger.identity,
    version: charger.version,
    status: connection === 'accepted' ? (first?.status ?? '') : connection,
    powerKw,
    socPercent: first?.socPercent,
  };
}

/** The scene was not played to its end, because the demo was ended. */
class DemoEnded extends Error {
  override readonly name = 'DemoEnded';
}

/** Time for the gateway to react to an attack, in milliseconds. Far more than it needs. */
const reactionMs = 10_000;

function stageOf(cast: Cast, options: DemoOptions, ending: AbortSignal): Stage {
  const { clock, random, csms, delivered, listeners, rogueCharger, state, url } = cast;
  const victim = cast.chargers[victimNumber - 1];
  invariant(victim !== undefined, 'the demo has at least one charger');
  const nextEvent: Stage['nextEvent'] = (matches) =>
    new Promise((resolve) => {
      const settle = (event: GatewayEvent | undefined): void => {
        listeners.delete(listener);
        ending.removeEventListener('abort', onEnding);
        timer.cancel();
        resolve(event);
      };
      const onEnding = (): void => settle(undefined);
      const listener = (event: GatewayEvent): void => {
        if (matches(event)) settle(event);
      };
      const timer = clock.after(reactionMs, () => settle(undefined));
      listeners.add(listener);
      ending.addEventListener('abort', onEnding, { once: true });
    });
  const pause: Stage['pause'] = (delayMs) =>
    new Promise((resolve, reject) => {
      const onEnding = (): void => {
        timer.cancel();
        reject(new DemoEnded());
      };
      const timer = clock.after(delayMs, () => {
        ending.removeEventListener('abort', onEnding);
        resolve();
      });
      if (ending.aborted) onEnding();
      else ending.addEventListener('abort', onEnding, { once: true });
    });
  return {
    clock,
    state,
    csms,
    victim,
    rogueCharger,
    nextEvent,
    pause,
    paceSeconds: options.paceSeconds,
    wasDelivered: (text) => delivered.some((traffic) => traffic.text.includes(text)),
    impersonate: async () => {
      const refused = nextEvent((event) => event.name === 'DuplicateIdentity');
      const impostor = startSimulatedCharger({
        clock,
        random,
        url,
        identity: victim.identity,
        version: 'ocpp1.6',
        description: { vendor: 'scene-identity' },
        onTraffic: (traffic) => {
          // Whatever reaches the impostor was meant for the victim.
          const text = `scene-identity ${traffic.text}`;
          if (traffic.direction === 'received') delivered.push({ ...traffic, text });
        },
      });
      await refused;
      await impostor.close();
    },
  };
}
