import { setTimeout as delay } from 'node:timers/promises';
import { runClosedLoop } from '../closed-loop.ts';
import type { Contestant } from './contestants/contestant.ts';
import { latencyAt, quantiles } from './figures.ts';
import { quantile, runOpenLoop } from './loads/open-loop.ts';
import { connectingAtOnce, type Options, openLoopChargers } from './options.ts';
import {
  connectUpTo,
  keep,
  type Measurement,
  type Scene,
  type Stage,
  withScenes,
} from './scene.ts';

/**
 * Measures what a contestant has to be alone for: latency, since the others collect their garbage just
 * when they have nothing else to do; idle chargers; and chargers that come.
 *
 * @param ratePerSecond calls a second of the open loop.
 */
export async function measureAlone(
  contestant: Contestant,
  options: Options,
  stage: Stage,
  ratePerSecond: number,
): Promise<Measurement> {
  const values: Record<string, number> = {};
  await withScenes([contestant], stage, async ([scene]) => {
    if (scene !== undefined) await measureLatency(scene, options, ratePerSecond, values);
  });
  const cipher = await withScenes([contestant], stage, async ([scene]) => {
    if (scene === undefined) return undefined;
    const cipher = await measureIdleMemory(scene, options, values);
    await measureConnecting(scene, options, values);
    return cipher;
  });
  return { contestant: contestant.name, values, cipher };
}

async function measureLatency(
  scene: Scene,
  { messages, openLoopSeconds: seconds }: Options,
  ratePerSecond: number,
  values: Record<string, number>,
): Promise<void> {
  await connectUpTo(scene, openLoopChargers, connectingAtOnce);
  await runClosedLoop(scene.sockets, messages);
  const { latenciesMs, unanswered } = await runOpenLoop(scene.sockets, { ratePerSecond, seconds });
  for (const { name, part } of quantiles) values[latencyAt(name)] = quantile(latenciesMs, part);
  values['unanswered'] = unanswered;
}

/** Chargers that are connected for memory and connections: as many as either needs. */
export function fleetSizeOf({ connections, idleChargers }: Options): number {
  return Math.max(idleChargers, connections);
}

/**
 * Connects all chargers, and lets them be idle for a while.
 *
 * @returns the cipher of the first.
 */
async function measureIdleMemory(
  scene: Scene,
  options: Options,
  values: Record<string, number>,
): Promise<string | undefined> {
  const { usage } = scene.running;
  const before = await usage?.residentBytes();
  const count = fleetSizeOf(options);
  const cipher = await connectUpTo(scene, count, connectingAtOnce);
  if (usage === undefined || before === undefined) return cipher;
  await delay(options.idleSeconds * 1000);
  values['idleBytes'] = ((await usage.residentBytes()) - before) / count;
  return cipher;
}

/**
 * Lets some of the chargers come back, as after a failure of the network. By now all code has run often
 * enough: what is new to the compiler would count against whoever has more of it.
 */
async function measureConnecting(
  scene: Scene,
  { connections: count }: Options,
  values: Record<string, number>,
): Promise<void> {
  const { running, sockets } = scene;
  const all = sockets.length;
  await keep(scene, all - count);
  const cpuBefore = await running.usage?.cpuMs();
  const startMs = performance.now();
  await connectUpTo(scene, all, connectingAtOnce);
  values['connectionsPerSecond'] = (count * 1000) / (performance.now() - startMs);
  if (running.usage === undefined || cpuBefore === undefined) return;
  values['connectionCpuMs'] = ((await running.usage.cpuMs()) - cpuBefore) / count;
}
