import type { SimulatedCharger } from '../../sim/charger/charger.ts';
import { assemble, type Cast, type CastOptions } from './cast.ts';
import { playScene } from './scene.ts';
import type { ScreenFacts } from './screen.ts';
import { stageOf } from './stage.ts';
import type { DemoCharger, DemoCounts } from './state.ts';
import { type DemoOutput, type DemoView, openPlainView, openScreen } from './view.ts';

/** What a demo is given. */
export interface DemoOptions extends CastOptions {
  readonly paceSeconds: number;
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
  readonly counts: Readonly<DemoCounts>;
}

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
    const stage = stageOf(cast, options.paceSeconds, ending.signal);
    await stage.victim.connected();
    await stage.rogueCharger.connected();
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

function openView(options: DemoOptions, cast: Cast): DemoView {
  const { chargers, clock, csms, meter, running, state } = cast;
  const { output } = options;
  const gateway = running.gateway.listeners[0]?.address ?? '';
  const admin = running.admin.address;
  if (output.isTTY !== true || options.isPlain) {
    const text = `gateway ${gateway}, CSMS ${csms.url}, metrics http://${admin}/metrics`;
    const view = openPlainView(output, state, meter, clock);
    state.add({ atMs: clock.nowMs(), kind: 'notice', text });
    return view;
  }
  const facts = (): ScreenFacts => ({
    gateway,
    csms: `127.0.0.1:${csms.port}`,
    admin,
    sessions: running.gateway.sessionCount(),
    chargers: chargers.map(demoCharger),
    meter,
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
