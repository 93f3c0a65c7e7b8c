import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type MeasuredProcess, startMeasuredProcess } from '../measured-process.ts';
import type { Transport } from '../transport.ts';
import type { RunningContestant } from './contestant.ts';

/** How long a contestant may take until it listens. */
const startMsMax = 15_000;

/** A port of loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a contestant that listens on `port`, and waits until it does. */
export async function startOnPort(
  port: number,
  transport: Transport,
  command: string,
  args: readonly string[],
): Promise<RunningContestant> {
  const measured = startMeasuredProcess(command, args);
  await Promise.race([untilListening(port), measured.ended]);
  return runningOn(`${transport === 'tls' ? 'wss' : 'ws'}://127.0.0.1:${port}/ocpp`, measured);
}

/** A contestant at `url` that is this process. */
export function runningOn(url: string, measured: MeasuredProcess): RunningContestant {
  const { ended, stop } = measured;
  return { url: (identity) => `${url}/${identity}`, usage: measured, ended, stop };
}

async function untilListening(port: number): Promise<void> {
  const deadlineMs = performance.now() + startMsMax;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isListening = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isListening) return;
    if (performance.now() > deadlineMs) throw new Error(`nothing listens on port ${port}`);
    await delay(20);
  }
}
