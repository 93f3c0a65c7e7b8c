import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { type EchoCsms, runClosedLoop, startEchoCsms } from '../closed-loop.ts';
import type { Contestant, Kit, RunningContestant } from './contestants/contestant.ts';
import { cpuAt, latencyAt, quantiles, roundTripsAt, type Values } from './figures.ts';
import { connectFleet, type Surroundings } from './loads/fleet.ts';
import { quantile, runOpenLoop } from './loads/open-loop.ts';
import { connectingAtOnce, type Options, openLoopChargers } from './options.ts';
import type { Transport } from './transport.ts';

/** One contestant in one round. */
export interface Measurement {
  readonly values: Values;
  /** What its channels were encrypted with. */
  readonly cipher: string | undefined;
  /** Calls per second of the open loop. */
  readonly ratePerSecond: number;
}

/** What `measure` needs besides the options. */
export interface Given {
  readonly transport: Transport;
  readonly kit: Kit;
  readonly surroundings: Pick<Surroundings, 'password' | 'tls'>;
  /** Says the rate of the open loop, once the figures of the closed loop are there. */
  rateBy(values: Values): number;
}

/** A contestant between the chargers and the CSMS of this process. */
interface Scene {
  readonly running: RunningContestant;
  readonly csms: EchoCsms;
  readonly surroundings: Surroundings;
  readonly options: Options;
  /** The chargers that are connected. */
  readonly sockets: WebSocket[];
  /** What was measured so far. */
  readonly values: Record<string, number>;
}

/** How long a round of one contestant may take. */
const measureMsMax = 300_000;
/** How long a process may finish what it does after its start, or when chargers have left. */
const settleMs = 200;

/** Chargers that are connected at first: as many as any load needs. */
export function fleetSizeOf({ chargers, connections, idleChargers }: Options): number {
  return Math.max(idleChargers, connections, openLoopChargers, ...chargers);
}

/** Starts a contestant afresh, and takes all its figures from the same process. */
export async function measure(
  contestant: Contestant,
  options: Options,
  given: Given,
): Promise<Measurement> {
  const csms = await startEchoCsms();
  const running = await contestant.start(csms.url, given.transport, given.kit);
  const surroundings = { ...given.surroundings, url: running.url };
  const scene: Scene = { running, csms, surroundings, options, sockets: [], values: {} };
  const overdue = AbortSignal.timeout(measureMsMax);
  const tooLate = new Promise<never>((_, reject) => {
    overdue.addEventListener('abort', () => reject(new Error(`${contestant.name} hangs`)));
  });
  try {
    return await Promise.race([takeFigures(scene, given), running.ended, tooLate]);
  } catch (error) {
    // Its connections end before it is known that it has ended.
    await Promise.race([running.ended, delay(settleMs)]);
    throw error;
  } finally {
    await running.stop();
    await csms.close();
  }
}

async function takeFigures(scene: Scene, given: Given): Promise<Measurement> {
  const { options, values } = scene;
  const cipher = await measureIdleMemory(scene);
  await measureConnecting(scene);
  let ratePerSecond = 0;
  for (const count of sizesOf(options)) {
    await keep(scene, count);
    if (options.chargers.includes(count)) await measureClosedLoop(scene);
    if (count !== openLoopChargers) continue;
    ratePerSecond = given.rateBy(values);
    await measureOpenLoop(scene, ratePerSecond);
  }
  await keep(scene, 0);
  return { values, cipher, ratePerSecond };
}

/** How many chargers stay for a load, the largest first. */
function sizesOf(options: Options): readonly number[] {
  return [...new Set([...options.chargers, openLoopChargers])].sort((a, b) => b - a);
}

/**
 * Connects all chargers, and lets them be idle for a while.
 *
 * @returns the cipher of the first.
 */
async function measureIdleMemory(scene: Scene): Promise<string | undefined> {
  const { options, running, sockets, surroundings, values } = scene;
  await delay(settleMs);
  const before = await running.usage?.residentBytes();
  const count = fleetSizeOf(options);
  const fleet = { first: 0, count, atOnceMax: connectingAtOnce };
  const chargers = await connectFleet(surroundings, fleet);
  sockets.push(...chargers.map(({ socket }) => socket));
  if (running.usage !== undefined && before !== undefined) {
    await delay(options.idleSeconds * 1000);
    values['idleBytes'] = ((await running.usage.residentBytes()) - before) / count;
  }
  return chargers[0]?.cipher;
}

/**
 * Lets some of the chargers come back, as after a failure of the network. By now all code has run often
 * enough: what is new to the compiler would count against whoever has more of it.
 */
async function measureConnecting(scene: Scene): Promise<void> {
  const { options, running, sockets, surroundings, values } = scene;
  const { connections: count } = options;
  const first = sockets.length - count;
  await keep(scene, first);
  const cpuBefore = await running.usage?.cpuMs();
  const startMs = performance.now();
  const chargers = await connectFleet(surroundings, { first, count, atOnceMax: connectingAtOnce });
  values['connectionsPerSecond'] = (count * 1000) / (performance.now() - startMs);
  sockets.push(...chargers.map(({ socket }) => socket));
  if (running.usage === undefined || cpuBefore === undefined) return;
  values['connectionCpuMs'] = ((await running.usage.cpuMs()) - cpuBefore) / count;
}

async function measureClosedLoop({ options, running, sockets, values }: Scene): Promise<void> {
  const count = sockets.length;
  const messages = Math.ceil(options.messages * shareOf(count, options.chargers));
  // To warm up. The first loop needs the most.
  const isFirst = count === options.chargers[0];
  await runClosedLoop(sockets, isFirst ? options.messages : Math.ceil(messages / 2));
  const cpuBefore = await running.usage?.cpuMs();
  const startMs = performance.now();
  await runClosedLoop(sockets, messages);
  values[roundTripsAt(count)] = (messages * 1000) / (performance.now() - startMs);
  if (running.usage === undefined || cpuBefore === undefined) return;
  values[cpuAt(count)] = (((await running.usage.cpuMs()) - cpuBefore) * 1000) / messages;
}

/** A single charger waits for each answer, so it gets a tenth; the others share what is left. */
function shareOf(count: number, sizes: readonly number[]): number {
  if (sizes.length === 1) return 1;
  if (count === 1) return 0.1;
  return sizes.includes(1) ? 0.9 / (sizes.length - 1) : 1 / sizes.length;
}

async function measureOpenLoop(scene: Scene, ratePerSecond: number): Promise<void> {
  const { options, sockets, values } = scene;
  const { latenciesMs, unanswered } = await runOpenLoop(sockets, {
    ratePerSecond,
    seconds: options.openLoopSeconds,
  });
  for (const { name, part } of quantiles) values[latencyAt(name)] = quantile(latenciesMs, part);
  values['unanswered'] = unanswered;
}

/** Disconnects all chargers but `count`, and waits until the CSMS has seen them go. */
async function keep({ csms, sockets }: Scene, count: number): Promise<void> {
  if (sockets.length === count) return;
  for (const socket of sockets.splice(count)) socket.close();
  while (csms.connectionCount() > count) await delay(10);
  await delay(settleMs);
}
