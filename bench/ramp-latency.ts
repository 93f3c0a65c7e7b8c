/**
 * How much later a command that changes load reaches its charger than one that does not, in a quiet
 * system: a RemoteStartTransaction, which fits into its budget, beside a ClearCache. Both go from one
 * CSMS through one gateway to one charger over loopback, in turns. What counts is the ratio; the
 * milliseconds are those of one machine on one day.
 *
 *   npm run bench:ramp [-- --rounds 400 --pauseMs 50]
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { startMeasuredGateway } from './gateway-under-load.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '400' },
    // So that little is in the window: a command in a quiet system is what is measured.
    pauseMs: { type: 'string', default: '50' },
  },
});
const rounds = Number(values.rounds);
const pauseMs = Number(values.pauseMs);
/** Code that is new to the compiler would count against whoever has more of it. */
const warmUpRounds = 200;

const commands = [
  { action: 'ClearCache', payload: '{}' },
  { action: 'RemoteStartTransaction', payload: '{"connectorId":1,"idTag":"TAG"}' },
] as const;
type Action = (typeof commands)[number]['action'];

/** Milliseconds until the charger has the command, and until the CSMS has its answer. */
interface Sample {
  readonly toCharger: number;
  readonly roundTrip: number;
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const rampLimit = { unassigned: { intervalSeconds: 1, commandsPerInterval: 100_000 } };
const here = fileURLToPath(new URL('..', import.meta.url));
const gateway = await startMeasuredGateway(here, `ws://127.0.0.1:${port}/csms`, { rampLimit });
const connected = once(server, 'connection');
const charger = new WebSocket(gateway.url('BENCH'), ['ocpp1.6'], { perMessageDeflate: false });
await once(charger, 'open');
const [csms] = (await connected) as [WebSocket];
let arrivedAtMs = 0;
charger.on('message', (data) => {
  arrivedAtMs = performance.now();
  const [, id] = JSON.parse(String(data)) as readonly [number, string];
  charger.send(`[3,"${id}",{"status":"Accepted"}]`);
});

const samples: Readonly<Record<Action, Sample[]>> = { ClearCache: [], RemoteStartTransaction: [] };
for (let round = 1 - warmUpRounds; round <= rounds; round += 1) {
  // Whoever goes first in one round goes last in the next.
  for (const command of round % 2 === 0 ? commands : commands.toReversed()) {
    const sample = await measure(command, `${command.action}-${round}`);
    if (round > 0) samples[command.action].push(sample);
    if (round > 0) await delay(pauseMs);
  }
}
charger.terminate();
server.close();
for (const client of server.clients) client.terminate();
await gateway.stop();

print(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ` +
    `Node ${process.version}; SQLite, ${rounds} rounds, ${pauseMs} ms between two commands`,
);
for (const key of ['toCharger', 'roundTrip'] as const) {
  const harmless = samples.ClearCache.map((sample) => sample[key]);
  const paced = samples.RemoteStartTransaction.map((sample) => sample[key]);
  print(key === 'toCharger' ? 'until the charger has it:' : 'until the CSMS has the answer:');
  print(`  ClearCache              ${summary(harmless)}`);
  print(`  RemoteStartTransaction  ${summary(paced)}`);
  const ratio = (part: number): string =>
    (quantile(paced, part) / quantile(harmless, part)).toFixed(2);
  print(`  ratio                   median ${ratio(0.5)}, p99 ${ratio(0.99)}`);
}

async function measure(
  { action, payload }: (typeof commands)[number],
  id: string,
): Promise<Sample> {
  const sentAtMs = performance.now();
  const answered = once(csms, 'message');
  csms.send(`[2,"${id}","${action}",${payload}]`);
  const [data] = await answered;
  const answeredAtMs = performance.now();
  if (String(data) !== `[3,"${id}",{"status":"Accepted"}]`) throw new Error(String(data));
  return { toCharger: arrivedAtMs - sentAtMs, roundTrip: answeredAtMs - sentAtMs };
}

function summary(numbers: readonly number[]): string {
  const at = (part: number): string => `${quantile(numbers, part).toFixed(2)} ms`;
  return `median ${at(0.5)}, p99 ${at(0.99)}`;
}

function quantile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
