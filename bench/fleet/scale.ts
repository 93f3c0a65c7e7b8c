/**
 * Many chargers on one gateway: they connect at a steady rate over TLS (security profile 2, OCPP
 * 1.6), boot, are idle for some minutes, and then send one message each now and then. Is its memory
 * flat, does every connection last, is every message answered, and does its event loop keep up?
 *
 *   npm run bench:scale -- [--chargers 10000] [--minutes 10] [--every 30] [--per-second 40]
 *     [--seed 1] [--out bench-results] [--cpu-prof FOLDER]
 */
import { CommandLine } from './command-line.ts';
import { chargersThatFit, describeMachine, fewerRemark } from './machine.ts';
import { preciseNowMs } from './orders.ts';
import { answersOf, type Outcome, type Run, runFleet, say } from './run.ts';
import { type Sample, sampleLine } from './samples.ts';
import { describeCounts, type Tally, totalOf } from './tally.ts';
import { atMost, type Finding, isSteady, lagFinding, verdictOf } from './verdict.ts';
import { bounds } from './whole-number.ts';

const commandLine = new CommandLine(
  `Many chargers on one gateway: idle, and with a message each now and then.

  npm run bench:scale -- [options]

  --chargers N     as many as the open files of a process allow (10000)
  --minutes N      of being idle, and of talking (10)
  --every N        seconds between two messages of a charger (30)
  --per-second N   how many connect within a second (40)
  --seed N         of what is random (1)
  --out FOLDER     where scale.json goes (bench-results)
  --cpu-prof FOLDER  a CPU profile of the gateway
  --help           this text

Exit codes: 0 memory is flat, nothing was lost, and the event loop kept up; 1 not so; 2 wrong usage.`,
  ['chargers', 'minutes', 'every', 'per-second', 'seed', 'out', 'cpu-prof'],
);
const asked = commandLine.number('chargers', bounds.chargers, 10_000);
const minutes = commandLine.number('minutes', bounds.minutes, 10);
const everySeconds = commandLine.number('every', bounds.seconds, 30);
const connectsPerSecond = commandLine.number('per-second', bounds.perSecond, 40);
const seed = commandLine.number('seed', bounds.seed, 1);
const chargers = chargersThatFit(asked, describeMachine());
const remark = fewerRemark(asked, chargers, describeMachine());

/** Samples this far apart. */
const sampleSeconds = 5;
/** Every such sample is printed. */
const printedEvery = 6;
/** How long the last chargers may take to boot, and the last calls to be answered. */
const patienceSeconds = 120;
/** What a phase may grow by. */
const growthMax = 1.05;

if (remark !== undefined) say(remark);
await runFleet(
  {
    name: 'scale',
    size: chargers,
    registered: chargers,
    hasStrangers: false,
    seed,
    outFolder: commandLine.text('out') ?? 'bench-results',
    profileFolder: commandLine.text('cpu-prof'),
    options: { asked, chargers, minutes, everySeconds, connectsPerSecond, seed },
  },
  measure,
);
if (remark !== undefined) say(remark);

async function measure(run: Run): Promise<Outcome> {
  const before = await run.sampler.take('empty');
  if (before === undefined) throw new Error(`no metrics:\n${await run.gateway.logEnd()}`);
  say(sampleLine(before));
  const connectSeconds = await connectAll(run);
  await phase(run, 'idle');
  await run.fleet.talk(chargers / everySeconds, 0);
  await phase(run, 'talking');
  await run.fleet.talk(0, 0);
  const { latencies, tally } = await answersOf(run, patienceSeconds);
  const csms = await run.csms.ask('report', undefined);
  const full = run.sampler.of('idle')[0];
  const perCharger = ((full?.residentBytes ?? Number.NaN) - before.residentBytes) / chargers;
  const heapPerCharger = ((full?.heapBytes ?? Number.NaN) - before.heapBytes) / chargers;
  say(
    `${chargers} chargers were let in ${connectSeconds.toFixed(1)} s after the first one began, each ` +
      `takes ${(perCharger / 1000).toFixed(1)} kB (${(heapPerCharger / 1000).toFixed(1)} kB heap)\n` +
      `${tally.sent} calls, p50 ${latencies.quantile(0.5).toFixed(2)} ms, ` +
      `p99 ${latencies.quantile(0.99).toFixed(2)} ms; refused at first: ${describeCounts(tally.refused)}`,
  );
  const findings = [
    ...['idle', 'talking'].flatMap((name) => phaseFindings(name, run.sampler.of(name))),
    ...connectionFindings(tally, csms.connections),
    atMost('samples without an answer of the gateway', run.sampler.missed, 0),
  ];
  return {
    verdict: verdictOf(findings),
    figures: {
      connectSeconds,
      bytesPerCharger: perCharger,
      heapBytesPerCharger: heapPerCharger,
      p50Ms: latencies.quantile(0.5),
      p99Ms: latencies.quantile(0.99),
      tally,
    },
  };
}

/** Connects all, and waits until each was answered. @returns how long until the last was let in, in seconds. */
async function connectAll({ fleet, sampler, signal }: Run): Promise<number> {
  const beganAtMs = preciseNowMs();
  let lastMs = Number.POSITIVE_INFINITY;
  const connecting = fleet
    .connect({ kind: 'known', from: 0, count: chargers }, connectsPerSecond)
    .then(() => {
      lastMs = performance.now() + patienceSeconds * 1000;
    });
  let hasBooted = false;
  await Promise.all([
    connecting,
    sampler.takeUntil(
      {
        phase: 'connect',
        everySeconds: sampleSeconds,
        untilMs: () => (hasBooted ? 0 : lastMs),
        signal,
      },
      async (sample) => {
        say(sampleLine(sample));
        const { tally } = await fleet.report();
        hasBooted = tally.online === chargers && tally.open === 0;
      },
    ),
  ]);
  const arrivals = await fleet.arrivals('known', beganAtMs);
  return ((arrivals.at(-1) ?? Number.NaN) - beganAtMs) / 1000;
}

async function phase({ sampler, signal }: Run, name: string): Promise<void> {
  const endsAtMs = performance.now() + minutes * 60_000;
  let taken = 0;
  await sampler.takeUntil(
    { phase: name, everySeconds: sampleSeconds, untilMs: () => endsAtMs, signal },
    (sample) => {
      if (taken % printedEvery === 0) say(sampleLine(sample));
      taken += 1;
    },
  );
}

function phaseFindings(name: string, samples: readonly Sample[]): readonly Finding[] {
  const resident = samples.map((sample) => sample.residentBytes);
  return [
    isSteady(`${name}: memory`, resident, growthMax),
    lagFinding(
      name,
      samples.map((sample) => sample.lag),
    ),
  ];
}

function connectionFindings(tally: Tally, connections: number): readonly Finding[] {
  return [
    atMost('chargers that are missing', chargers - tally.online, 0),
    atMost('chargers that the CSMS misses', chargers - connections, 0),
    atMost('connections that were lost', totalOf(tally.dropped), 0),
    atMost('calls that were not answered', tally.sent - tally.answered, 0),
    atMost('calls that nobody was free to send', tally.skipped, 0),
    atMost('answers of the wrong kind', totalOf(tally.surprises), 0),
  ];
}
