/**
 * What the gateway itself adds to a message: the real sessions, from the bytes that a socket hands
 * over to the bytes that it is given, without sockets. Beside it stands what JSON.parse takes for the
 * same messages, since a machine is not always equally fast.
 *
 *   npm run bench:path [-- --chargers 100] [--messages 200000] [--rounds 7]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { AuditLog } from '../src/audit/audit-log.ts';
import { auditSink } from '../src/audit/audit-sink.ts';
import type { ChargerId } from '../src/chargers/charger-id.ts';
import { Claims } from '../src/chargers/claims.ts';
import { Memories } from '../src/chargers/memories.ts';
import { gatewayOptions } from '../src/cmd/gateway-options.ts';
import { parseConfig } from '../src/config/load.ts';
import type { SocketEvents } from '../src/connection/peer-socket.ts';
import { gatewaySink, teeSink } from '../src/events/emit.ts';
import { limitLog } from '../src/events/log-limit.ts';
import { jsonLogger, logSink } from '../src/events/log-sink.ts';
import { gatewayMetrics } from '../src/events/metrics-sink.ts';
import { Session } from '../src/gateway/session.ts';
import type { SessionTools } from '../src/gateway/session-tools.ts';
import { systemClock } from '../src/lib/clock.ts';
import { systemRandom } from '../src/lib/random.ts';
import { RampLimiter } from '../src/ramp-limit/ramp-limiter.ts';
import { openStore } from '../src/store/open-store.ts';
import { noCredential } from '../test/support/session-credential.ts';
import { meterValues } from './closed-loop.ts';
import { median, spread } from './median.ts';

const { values } = parseArgs({
  options: {
    chargers: { type: 'string', default: '100' },
    messages: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '7' },
  },
});
const chargers = Number(values.chargers);
const messages = Number(values.messages);
const rounds = Number(values.rounds);

/** One end of a session: what is sent to it is kept for a moment. */
class End {
  readonly isCongested = false;
  readonly isOverwhelmed = false;
  readonly isOpen = true;
  readonly isPaused = false;
  readonly hasAnsweredPing = true;
  readonly heardAtMs = 0;
  events: SocketEvents | undefined;
  sent: Uint8Array | undefined;

  start(events: SocketEvents): void {
    this.events = events;
  }

  send(bytes: Uint8Array): void {
    this.sent = bytes;
  }

  sendOwn(): void {}
  close(): void {}
  pause(): void {}
  resume(): void {}
  ping(): void {}
}

const config = parseConfig(`
gateway: { dataDir: data }
listeners: [{ name: field, address: '127.0.0.1:0', path: /ocpp, securityProfile: 0, allowUnauthenticated: true }]
csms: { url: 'ws://127.0.0.1:1/' }
chargers: { unknown: enroll }
`);
if (!config.ok) throw new Error('the configuration of the benchmark is broken');
const options = gatewayOptions(config.value, 'gatewatt.yaml', {
  batches: [],
  csmsAuth: { type: 'none' },
});
const directory = mkdtempSync(path.join(tmpdir(), 'gatewatt-bench-'));
const clock = systemClock();
const store = await openStore({ type: 'sqlite', directory, isGateway: true }, clock);
const metrics = gatewayMetrics({ processMetrics: false });
const log = limitLog(
  logSink(jsonLogger('info', { write: () => {} })),
  { perSource: { burst: 50, perSecond: 2 }, total: { burst: 5_000, perSecond: 200 } },
  clock,
);
const seen = teeSink([metrics.sink, log]);
const audit = new AuditLog(store, { chain: 'bench' }, clock, seen);
const emit = gatewaySink(metrics.sink, teeSink([auditSink(audit, clock), seen]));
const claims = new Claims(store, options.claims, systemRandom);
await claims.start();
const memories = new Memories(store, claims, clock, {
  onReleased: () => {},
  onLost: () => {},
  onDefect: (error) => {
    throw error;
  },
});
const { incarnation } = claims;
const limiter = new RampLimiter(options.ramp, {
  store,
  clock,
  random: systemRandom,
  emit,
  incarnation,
});
const tools: SessionTools = {
  clock,
  random: systemRandom,
  emit,
  store,
  quarantine: { keep: () => {}, close: async () => {} },
  memories,
  policy: options.rules,
  lanes: options.lanes,
  strikes: options.strikes,
  signing: undefined,
  limiter,
  ramp: options.ramp,
  probeSeconds: 3,
  rotateDays: 0,
  observeAdded: metrics.observeAdded,
  audited: () => audit.settled(),
};
const pairs: { readonly charger: End; readonly csms: End; readonly session: Session }[] = [];
for (let index = 0; index < chargers; index += 1) {
  const charger = `BENCH-${index}` as ChargerId;
  const taken = await claims.take(charger);
  if (taken.is !== 'taken') throw new Error(`${charger} is ${taken.is}`);
  const memory = await memories.load(taken.claim);
  const ends = { charger: new End(), csms: new End() };
  const subject = {
    charger,
    version: 'ocpp1.6',
    listener: 'field',
    credential: noCredential(),
    record: undefined,
    claim: taken.claim,
    memory,
  } as const;
  const session = new Session(subject, ends, tools, () => {});
  session.start();
  pairs.push({ ...ends, session });
}

let calls = 0;
/** One round trip: the charger calls, the CSMS answers. */
function roundTrip({ charger, csms }: (typeof pairs)[number], call: string, result: string): void {
  calls += 1;
  // As a socket does, which asks for the time once for all that it hands over.
  const receivedAtMs = clock.elapsedMs();
  charger.events?.onMessage(Buffer.from(`[2,"${calls}",${call}]`), receivedAtMs);
  if (csms.sent === undefined) throw new Error('a call was not passed on');
  csms.sent = undefined;
  csms.events?.onMessage(Buffer.from(`[3,"${calls}",${result}]`), receivedAtMs);
  if (charger.sent === undefined) throw new Error('an answer was not passed on');
  charger.sent = undefined;
}

for (const pair of pairs) {
  roundTrip(
    pair,
    '"BootNotification",{"chargePointVendor":"Gatewatt","chargePointModel":"Bench"}',
    '{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":300}',
  );
}
const texts = [
  '[2,"1","Heartbeat",{}]',
  '[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]',
  `[2,"1","MeterValues",${meterValues}]`,
  '[3,"1",{}]',
].map((text) => Buffer.from(text));
/** Reading the same messages, and nothing else, at this moment on this machine. */
function parseMicroseconds(): number {
  const before = process.threadCpuUsage();
  for (let sent = 0; sent < messages; sent += 2) {
    for (const text of texts) JSON.parse(text.toString());
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / messages;
}

const microseconds: number[] = [];
const parsing: number[] = [];
for (let round = 0; round <= rounds; round += 1) {
  const before = process.threadCpuUsage();
  for (let sent = 0; sent < messages; sent += 1) {
    const pair = pairs[sent % pairs.length];
    if (pair === undefined) break;
    // Each charger sends both: the count of chargers may be even.
    const isHeartbeat = (sent + Math.floor(sent / pairs.length)) % 2 === 0;
    if (isHeartbeat) roundTrip(pair, '"Heartbeat",{}', '{"currentTime":"2026-01-01T00:00:00Z"}');
    else roundTrip(pair, `"MeterValues",${meterValues}`, '{}');
    // Timers and the store want their turns.
    if (sent % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.threadCpuUsage(before);
  // The first round is for the compiler.
  if (round === 0) continue;
  microseconds.push((user + system) / messages);
  parsing.push(parseMicroseconds());
}
process.stdout.write(
  `${median(microseconds).toFixed(2)} µs of CPU for a round trip, half of the rounds within ` +
    `${(spread(microseconds) * 100).toFixed(1)} %; ${median(parsing).toFixed(2)} µs to read its ` +
    'messages by JSON.parse alone\n',
);
for (const { session } of pairs) session.stop();
await memories.close();
await limiter.stop();
await audit.close();
await store.close();
rmSync(directory, { recursive: true, force: true });
