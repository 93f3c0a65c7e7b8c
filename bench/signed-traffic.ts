/**
 * What signatures of the CSMS cost the gateway in CPU time: the same load unsigned, signed with ES256
 * and signed with RS256, in turns, round by round, in one run. The CSMS signs in this process, and
 * the gateway is another one, so that nothing but verifying is counted. What counts is the ratio.
 *
 *   npm run bench:signing -- [--chargers 100] [--messages 20000] [--rounds 5] [--format ocpp]
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SignatureAlgorithm } from '../src/signing/algorithms.ts';
import { signMessage } from '../src/signing/sign.ts';
import type { SigningKey } from '../src/signing/signing-key.ts';
import { signatureFormats } from '../src/signing/verify.ts';
import { connectClosedLoop, type Envelope, startEchoCsms } from './closed-loop.ts';
import { startCommandLoop } from './command-loop.ts';
import { startMeasuredGateway } from './gateway-under-load.ts';
import { median, spread } from './median.ts';

const here = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    chargers: { type: 'string', default: '100' },
    messages: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    format: { type: 'string', default: 'ocpp' },
  },
});
const chargers = Number(values.chargers);
const messages = Number(values.messages);
const rounds = Number(values.rounds);
const format = signatureFormats.find((it) => it === values.format) ?? 'ocpp';
/** As in relay-cost.ts: more, and the run says nothing. */
const noiseMax = 0.15;

interface Way {
  readonly name: string;
  readonly envelope: Envelope;
  readonly signing: object | undefined;
  /** Microseconds of each round, by load. */
  readonly used: Readonly<Record<'replies' | 'commands', number[]>>;
}

const directory = mkdtempSync(path.join(tmpdir(), 'gatewatt-bench-keys-'));

function signedWay(algorithm: SignatureAlgorithm & ('ES256' | 'RS256')): Way {
  const { privateKey: key, publicKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 3072 });
  const signer: SigningKey = { key, algorithm, kid: algorithm, x5tS256: undefined };
  const keysFile = path.join(directory, `${algorithm}.json`);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: algorithm };
  writeFileSync(keysFile, JSON.stringify({ keys: [jwk] }));
  return {
    name: algorithm,
    signing: { required: true, keysFile },
    used: { replies: [], commands: [] },
    envelope: (text, charger, action) => {
      const frame = signMessage(Buffer.from(text), format, signer, {
        charger,
        nowMs: Date.now(),
        nonce: randomUUID(),
        actionOfReply: () => action,
      });
      if (!frame.ok) throw new Error(frame.error);
      return frame.value.bytes.toString();
    },
  };
}

/** Calls of the chargers, whose answers are signed. */
async function measureReplies({ envelope, signing, used }: Way): Promise<void> {
  const csms = await startEchoCsms(envelope);
  const gateway = await startMeasuredGateway(here, csms.url, { csms: { url: csms.url, signing } });
  const loop = await connectClosedLoop(gateway.url, chargers);
  await loop.run(Math.ceil(messages / 2));
  const before = await gateway.cpuMs();
  await loop.run(messages);
  used.replies.push((((await gateway.cpuMs()) - before) * 1000) / messages);
  loop.close();
  await gateway.stop();
  await csms.close();
}

/** Commands of the CSMS, each of which the store remembers. */
async function measureCommands({ envelope, signing, used }: Way): Promise<void> {
  const loop = await startCommandLoop(envelope);
  const gateway = await startMeasuredGateway(here, loop.url, { csms: { url: loop.url, signing } });
  await loop.connect(gateway.url, chargers);
  await loop.run(Math.ceil(messages / 2));
  const before = await gateway.cpuMs();
  await loop.run(messages);
  used.commands.push((((await gateway.cpuMs()) - before) * 1000) / messages);
  await gateway.stop();
  await loop.close();
}

const plain: Way = {
  name: 'unsigned',
  envelope: (text) => text,
  signing: undefined,
  used: { replies: [], commands: [] },
};
const ways = [plain, signedWay('ES256'), signedWay('RS256')];
const loads = ['replies', 'commands'] as const;
process.stdout.write(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ` +
    `load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}; ${chargers} chargers, closed loop, ` +
    `${rounds} rounds of ${messages} round trips, format ${format}, RSA keys of 3072 bits\n`,
);
try {
  for (let round = 1; round <= rounds; round += 1) {
    // Whoever goes first in one round goes last in the next.
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      await measureReplies(way);
      await measureCommands(way);
    }
    const line = ways.map(
      ({ name, used }) =>
        `${name} ${used.replies.at(-1)?.toFixed(0)} and ${used.commands.at(-1)?.toFixed(0)} µs`,
    );
    process.stdout.write(`round ${round} (replies and commands): ${line.join(', ')}\n`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
let isNoisy = false;
for (const load of loads) {
  for (const { name, used } of ways) {
    const own = used[load];
    const ratios = own.map((it, round) => it / (plain.used[load][round] ?? Number.NaN));
    isNoisy ||= spread(own) > noiseMax;
    process.stdout.write(
      `${load}, ${name}: median ${median(own).toFixed(1)} µs CPU per round trip, half of the ` +
        `rounds within ${(spread(own) * 100).toFixed(1)} %, ratio ${median(ratios).toFixed(2)}\n`,
    );
  }
}
if (isNoisy) process.stdout.write('noisy: the ratios are those of a busy machine\n');
