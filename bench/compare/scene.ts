import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { type EchoCsms, startEchoCsms } from '../closed-loop.ts';
import type { Contestant, Kit, RunningContestant } from './contestants/contestant.ts';
import type { Values } from './figures.ts';
import { connectFleet, type Surroundings } from './loads/fleet.ts';
import type { Transport } from './transport.ts';

/** A contestant that runs between the chargers and a CSMS of this process. */
export interface Scene {
  readonly name: Contestant['name'];
  readonly running: RunningContestant;
  readonly csms: EchoCsms;
  readonly surroundings: Surroundings;
  /** The chargers that are connected. */
  readonly sockets: WebSocket[];
}

/** What a contestant is started with, and its chargers. */
export interface Stage {
  readonly transport: Transport;
  readonly kit: Kit;
  surroundingsOf(contestant: Contestant['name']): Pick<Surroundings, 'password' | 'tls'>;
}

/** What was found out about one contestant. */
export interface Measurement {
  readonly contestant: Contestant['name'];
  readonly values: Values;
  /** What its channels were encrypted with; undefined without TLS, and where nobody has looked. */
  readonly cipher?: string | undefined;
}

/** How long each contestant may be measured. */
const measureMsMax = 300_000;
/** How long a process may finish what it does after its start, or when chargers have left. */
export const settleMs = 200;

/**
 * Starts contestants afresh, and stops them when `work` is done.
 *
 * @throws {Error} when `work` fails or takes too long, or one of them ends by itself.
 */
export async function withScenes<Found>(
  contestants: readonly Contestant[],
  stage: Stage,
  work: (scenes: readonly Scene[]) => Promise<Found>,
): Promise<Found> {
  const scenes: Scene[] = [];
  try {
    for (const contestant of contestants) scenes.push(await openScene(contestant, stage));
    await delay(settleMs);
    const ended = scenes.map(({ running }) => running.ended);
    const tooLate = new Promise<never>((_, reject) => {
      const names = scenes.map(({ name }) => name).join(', ');
      const hangs = (): void => reject(new Error(`one of these hangs: ${names}`));
      AbortSignal.timeout(measureMsMax * scenes.length).addEventListener('abort', hangs);
    });
    return await Promise.race([work(scenes), ...ended, tooLate]);
  } catch (error) {
    // Its connections end before it is known that it has ended.
    await Promise.race([...scenes.map(({ running }) => running.ended), delay(settleMs)]);
    throw error;
  } finally {
    for (const { csms, running } of scenes) {
      await running.stop();
      await csms.close();
    }
  }
}

async function openScene(contestant: Contestant, stage: Stage): Promise<Scene> {
  const { name } = contestant;
  const csms = await startEchoCsms();
  const running = await contestant.start(csms.url, stage.transport, stage.kit);
  const surroundings = { ...stage.surroundingsOf(name), url: running.url };
  return { name, running, csms, surroundings, sockets: [] };
}

/**
 * Connects chargers until there are `count`.
 *
 * @returns the cipher of the first of them.
 */
export async function connectUpTo(
  { sockets, surroundings }: Scene,
  count: number,
  atOnceMax: number,
): Promise<string | undefined> {
  const first = sockets.length;
  const chargers = await connectFleet(surroundings, { first, count: count - first, atOnceMax });
  sockets.push(...chargers.map(({ socket }) => socket));
  return chargers[0]?.cipher;
}

/** Disconnects all chargers but `count`, and waits until the CSMS has seen them go. */
export async function keep({ csms, sockets }: Scene, count: number): Promise<void> {
  if (sockets.length === count) return;
  for (const socket of sockets.splice(count)) socket.close();
  while (csms.connectionCount() > count) await delay(10);
  await delay(settleMs);
}
