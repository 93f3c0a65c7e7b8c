/**
 * What a relayed message costs this gateway in CPU time, beside an older one: both run the same
 * load in turns, round by round, in one run. What counts is the ratio; the microseconds are those
 * of one machine on one day.
 *
 *   npm run bench:relay -- --against REF [--chargers 100] [--messages 120000] [--rounds 7]
 *
 * Without --against it measures this checkout alone.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connectClosedLoop, startEchoCsms } from './closed-loop.ts';
import { startMeasuredGateway } from './gateway-under-load.ts';
import { median, spread } from './median.ts';

const here = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    chargers: { type: 'string', default: '100' },
    messages: { type: 'string', default: '120000' },
    rounds: { type: 'string', default: '7' },
  },
});
const chargers = Number(values.chargers);
const messages = Number(values.messages);
const rounds = Number(values.rounds);
/** Rounds of one gateway may differ by this share of their median; otherwise the run says nothing. */
const noiseMax = 0.15;

interface Contestant {
  readonly name: string;
  readonly folder: string;
  readonly microseconds: number[];
  residentBytes: number;
}

/** One round: a fresh gateway, warmed up, then `messages` round trips. */
async function measure(contestant: Contestant): Promise<void> {
  const csms = await startEchoCsms();
  const gateway = await startMeasuredGateway(contestant.folder, csms.url);
  const loop = await connectClosedLoop(gateway.url, chargers);
  // Code that is new to the compiler would count against whoever has more of it.
  await loop.run(Math.ceil(messages / 2));
  const before = await gateway.cpuMs();
  await loop.run(messages);
  const usedMs = (await gateway.cpuMs()) - before;
  contestant.microseconds.push((usedMs * 1000) / messages);
  contestant.residentBytes = Math.max(contestant.residentBytes, await gateway.residentBytes());
  loop.close();
  await gateway.stop();
  await csms.close();
}

/** A checkout of another commit, with the packages of this one. */
function checkOut(ref: string): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatewatt-bench-ref-'));
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-C', here, ...args], { stdio: 'ignore' });
  git('worktree', 'add', '--detach', '--force', folder, ref);
  symlinkSync(path.join(here, 'node_modules'), path.join(folder, 'node_modules'));
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
      git('worktree', 'prune');
    },
  };
}

const contestants: Contestant[] = [
  { name: 'this checkout', folder: here, microseconds: [], residentBytes: 0 },
];
const other = values.against === undefined ? undefined : checkOut(values.against);
if (other !== undefined) {
  const { folder } = other;
  contestants.push({ name: `${values.against}`, folder, microseconds: [], residentBytes: 0 });
}
try {
  process.stdout.write(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ` +
      `Node ${process.version}; ${chargers} chargers, closed loop, ${rounds} rounds of ${messages} ` +
      'round trips, Heartbeat and MeterValues in turns\n',
  );
  for (let round = 1; round <= rounds; round += 1) {
    // Whoever goes first in one round goes last in the next.
    const order = round % 2 === 0 ? contestants : contestants.toReversed();
    for (const contestant of order) await measure(contestant);
    const line = contestants.map((it) => `${it.name} ${it.microseconds.at(-1)?.toFixed(1)} µs`);
    process.stdout.write(`round ${round}: ${line.join(', ')}\n`);
  }
} finally {
  other?.remove();
}
for (const { name, microseconds, residentBytes } of contestants) {
  process.stdout.write(
    `${name}: median ${median(microseconds).toFixed(1)} µs CPU per round trip, half of the rounds ` +
      `within ${(spread(microseconds) * 100).toFixed(1)} %, ${Math.round(residentBytes / 1e6)} MB\n`,
  );
}
const [mine, theirs] = contestants;
if (mine !== undefined && theirs !== undefined) {
  const ratios = mine.microseconds.map((it, round) => it / (theirs.microseconds[round] ?? 0));
  const isNoisy = [mine, theirs].some((it) => spread(it.microseconds) > noiseMax);
  process.stdout.write(
    isNoisy
      ? 'too noisy to conclude anything: run it again on a quiet machine\n'
      : `ratio: ${median(ratios).toFixed(3)} (median over the rounds)\n`,
  );
  process.exitCode = isNoisy ? 1 : 0;
}
