import { runClosedLoop } from '../closed-loop.ts';
import type { Contestant } from './contestants/contestant.ts';
import { cpuAt, roundTripsAt } from './figures.ts';
import { connectingAtOnce, type Options } from './options.ts';
import {
  connectUpTo,
  keep,
  type Measurement,
  type Scene,
  type Stage,
  withScenes,
} from './scene.ts';

/** In how many pieces a closed loop is run: some tenths of a second each. */
const windows = 10;

/** One contestant, and what was measured of it so far. */
interface Runner {
  readonly scene: Scene;
  readonly values: Record<string, number>;
}

/**
 * Runs the closed loops of all contestants side by side, in short windows by turns, so that what else the
 * machine does happens to all of them: one that others use as well is half as fast for a minute, and then
 * it is not.
 */
export function measureTogether(
  contestants: readonly Contestant[],
  options: Options,
  stage: Stage,
): Promise<readonly Measurement[]> {
  return withScenes(contestants, stage, async (scenes) => {
    const runners = scenes.map((scene): Runner => ({ scene, values: {} }));
    for (const { scene } of runners) {
      await connectUpTo(scene, options.chargers[0] ?? 0, connectingAtOnce);
    }
    for (const count of options.chargers) {
      for (const { scene } of runners) await keep(scene, count);
      await runClosedLoops(runners, count, options);
    }
    return runners.map(({ scene, values }) => ({ contestant: scene.name, values }));
  });
}

async function runClosedLoops(
  runners: readonly Runner[],
  count: number,
  options: Options,
): Promise<void> {
  const messages = Math.ceil(options.messages * shareOf(count, options.chargers));
  // To warm up. The first loop needs the most.
  const isFirst = count === options.chargers[0];
  const before = isFirst ? options.messages : Math.ceil(messages / 2);
  for (const { scene } of runners) await runClosedLoop(scene.sockets, before);
  const perWindow = Math.ceil(messages / windows);
  const loops = runners.map((runner) => ({ ...runner, elapsedMs: 0, cpuMs: 0 }));
  await inWindows(loops, async (loop) => {
    const { running, sockets } = loop.scene;
    const cpuBefore = await running.usage?.cpuMs();
    const startMs = performance.now();
    await runClosedLoop(sockets, perWindow);
    loop.elapsedMs += performance.now() - startMs;
    if (running.usage === undefined || cpuBefore === undefined) return;
    loop.cpuMs += (await running.usage.cpuMs()) - cpuBefore;
  });
  const roundTrips = perWindow * windows;
  for (const { cpuMs, elapsedMs, scene, values } of loops) {
    values[roundTripsAt(count)] = (roundTrips * 1000) / elapsedMs;
    if (scene.running.usage !== undefined) values[cpuAt(count)] = (cpuMs * 1000) / roundTrips;
  }
}

/** A single charger waits for each answer, so it gets a tenth; the others share what is left. */
function shareOf(count: number, sizes: readonly number[]): number {
  if (sizes.length === 1) return 1;
  if (count === 1) return 0.1;
  return sizes.includes(1) ? 0.9 / (sizes.length - 1) : 1 / sizes.length;
}

/** Lets each have its windows, in turns; whoever goes first in one goes last in the next. */
async function inWindows<Loop>(
  loops: readonly Loop[],
  run: (loop: Loop) => Promise<void>,
): Promise<void> {
  const order = [...loops];
  for (let window = 0; window < windows; window += 1) {
    for (const loop of order) await run(loop);
    order.reverse();
  }
}
