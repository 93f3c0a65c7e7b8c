/**
 * All chargers come back at once: a fleet is connected, the gateway (or the CSMS) is killed and
 * started again, and each charger does what chargers do: it waits up to two seconds, then twice as
 * long after each failure up to half a minute, or as long as a 503 asks for. How long until all are
 * back, and how many connections does the CSMS get in a second?
 *
 *   npm run bench:storm -- [--chargers 10000] [--restart gateway|csms] [--signal SIGKILL|SIGTERM]
 *     [--dials-per-second N] [--strangers 0] [--minutes 10] [--per-second 40] [--seed 1]
 *     [--out bench-results] [--cpu-prof FOLDER]
 *
 * Strangers are chargers that the gateway does not know. They come at the same moment, to a second
 * listener with security profile 0, and `chargers.unknown: enroll` would let them in.
 */
import { parse } from 'yaml';
import { quantileOf, rateMax } from './arrivals.ts';
import { CommandLine } from './command-line.ts';
import { checkConfig, type EndSignal } from './fleet-gateway.ts';
import { type FleetSetup, writeConfig } from './fleet-setup.ts';
import { chargersThatFit, describeMachine, fewerRemark } from './machine.ts';
import { preciseNowMs } from './orders.ts';
import { answersOf, type Outcome, type Run, runFleet, say } from './run.ts';
import { type Sample, sampleLine } from './samples.ts';
import { describeCounts, differenceOf, type Tally, totalOf } from './tally.ts';
import { atMost, type Finding, verdictOf } from './verdict.ts';
import { bounds } from './whole-number.ts';

const commandLine = new CommandLine(
  `All chargers come back at once, because the gateway or the CSMS was restarted.

  npm run bench:storm -- [options]

  --chargers N        (10000)
  --restart WHAT      gateway or csms (gateway)
  --signal NAME       by which the gateway ends: SIGKILL or SIGTERM (SIGKILL)
  --dials-per-second N  csms.dialsPerSecond; its default without it
  --strangers N       chargers that the gateway does not know, at the same moment (0)
  --minutes N         how long they may take (10)
  --per-second N      how many connect within a second, before (40)
  --seed N            of what is random (1)
  --out FOLDER        where storm.json goes (bench-results)
  --cpu-prof FOLDER   a CPU profile of the gateway
  --help              this text

Exit codes: 0 all are back, and the CSMS saw no more than it may; 1 not so; 2 wrong usage.`,
  [
    'chargers',
    'restart',
    'signal',
    'dials-per-second',
    'strangers',
    'minutes',
    'per-second',
    'seed',
    'out',
    'cpu-prof',
  ],
);
const asked = commandLine.number('chargers', bounds.chargers, 10_000);
const askedStrangers = commandLine.number('strangers', [0, bounds.chargers[1]], 0);
const minutesMax = commandLine.number('minutes', bounds.minutes, 10);
const connectsPerSecond = commandLine.number('per-second', bounds.perSecond, 40);
const seed = commandLine.number('seed', bounds.seed, 1);
const askedDials =
  commandLine.text('dials-per-second') === undefined
    ? undefined
    : commandLine.number('dials-per-second', [0, bounds.perSecond[1]], 0);
const restarted = commandLine.choice('restart', ['gateway', 'csms']);
const endSignal: EndSignal = commandLine.choice('signal', ['SIGKILL', 'SIGTERM']);
const machine = describeMachine();
const chargers = chargersThatFit(asked, machine);
const strangers = chargersThatFit(chargers + askedStrangers, machine) - chargers;
const remark = fewerRemark(asked + askedStrangers, chargers + strangers, machine);

/** Samples this far apart in the storm, and before it. */
const sampleSeconds = 1;
const calmSampleSeconds = 5;
/** Every such sample is printed. */
const printedEvery = 5;
/** The fleet stands still for so long before it begins. */
const calmSeconds = 10;
/** How long the answers to the first calls of those that are back may take. */
const patienceSeconds = 60;
/** Set once the configuration is known; undefined when the gateway has no such limit. */
let dialsPerSecond: number | undefined;

if (remark !== undefined) say(remark);
await runFleet(
  {
    name: 'storm',
    size: chargers + strangers,
    registered: chargers,
    hasStrangers: strangers > 0,
    dialsPerSecond: askedDials,
    seed,
    outFolder: commandLine.text('out') ?? 'bench-results',
    profileFolder: commandLine.text('cpu-prof'),
    options: {
      ...{ asked, chargers, askedStrangers, strangers, restarted, endSignal },
      ...{ askedDials, minutesMax, connectsPerSecond, seed },
    },
    adjust: findDialsPerSecond,
  },
  measure,
);
if (remark !== undefined) say(remark);

/** Looks what the gateway makes of the configuration, and does without what it does not know. */
async function findDialsPerSecond(setup: FleetSetup): Promise<void> {
  let checked = await checkConfig(setup.configFile);
  if (!checked.ok && askedDials !== undefined && checked.text.includes('dialsPerSecond')) {
    say(`csms.dialsPerSecond is unknown to this gateway: it runs without\n${checked.text.trim()}`);
    await writeConfig(setup, { dialsPerSecond: undefined });
    checked = await checkConfig(setup.configFile);
  }
  if (!checked.ok) throw new Error(checked.text);
  const config = parse(checked.text) as { readonly csms?: { readonly dialsPerSecond?: number } };
  dialsPerSecond = config.csms?.dialsPerSecond;
  const limit = dialsPerSecond === 0 ? 'off' : (dialsPerSecond ?? 'not in this gateway');
  say(`csms.dialsPerSecond: ${limit}`);
}

async function measure(run: Run): Promise<Outcome> {
  await connectAll(run);
  const calmUntilMs = performance.now() + calmSeconds * 1000;
  await run.sampler.takeUntil(
    {
      phase: 'calm',
      everySeconds: calmSampleSeconds,
      untilMs: () => calmUntilMs,
      signal: run.signal,
    },
    (sample) => say(sampleLine(sample)),
  );
  const before = (await run.fleet.report()).tally;
  // Its longest turn counts from here.
  await run.csms.ask('report', undefined);
  const beganAtMs = preciseNowMs();
  await strike(run);
  const knownAtMs = await watchReturn(run, beganAtMs);
  const { latencies, tally, turnMsMax } = await answersOf(run, patienceSeconds);
  const strangersAtMs = await run.fleet.arrivals('stranger', beganAtMs);
  const upgradesAtMs = await run.csms.ask('upgrades', { sinceMs: beganAtMs });
  const { longestTurnMs: csmsTurnMsMax } = await run.csms.ask('report', undefined);
  const figures = {
    dialsPerSecond,
    csmsTurnMsMax,
    turnMsMax,
    ...returnFigures(knownAtMs, beganAtMs),
    upgrades: upgradesAtMs.length,
    upgradesPerSecondMax: rateMax(upgradesAtMs, 1_000),
    ...strangerFigures(knownAtMs, strangersAtMs, beganAtMs),
    firstAnswerP50Ms: latencies.quantile(0.5),
    firstAnswerP99Ms: latencies.quantile(0.99),
    residentBytesMax: largest(run.sampler.of('storm'), (sample) => sample.residentBytes),
    lagP99MsMax: largest(run.sampler.of('storm'), (sample) => sample.lag.p99Ms),
    lagMsMax: largest(run.sampler.of('storm'), (sample) => sample.lag.maxMs),
    storm: differenceOf(tally, before),
  };
  say(figuresText(figures));
  return { verdict: verdictOf(findings(figures, knownAtMs.length)), figures };
}

async function connectAll({ fleet, sampler, signal }: Run): Promise<void> {
  let untilMs = Number.POSITIVE_INFINITY;
  let taken = 0;
  const connecting = fleet
    .connect({ kind: 'known', from: 0, count: chargers }, connectsPerSecond)
    .then(() => {
      untilMs = performance.now() + patienceSeconds * 1000;
    });
  await Promise.all([
    connecting,
    sampler.takeUntil(
      { phase: 'connect', everySeconds: calmSampleSeconds, untilMs: () => untilMs, signal },
      async (sample) => {
        taken += 1;
        if (taken % printedEvery === 0) say(sampleLine(sample));
        const { tally } = await fleet.report();
        if (tally.online === chargers && tally.open === 0) untilMs = 0;
      },
    ),
  ]);
  const { tally } = await fleet.report();
  if (tally.online < chargers) throw new Error(`only ${tally.online} chargers connected at first`);
}

/** Takes the connections of all chargers away, and lets strangers come. */
async function strike({ csms, fleet, gateway, restartCsms }: Run): Promise<void> {
  say(`${restarted} is killed, and started again`);
  if (restarted === 'gateway') await gateway.end(endSignal);
  else await csms.kill();
  const range = { kind: 'stranger', from: 0, count: strangers } as const;
  await Promise.all([
    restarted === 'gateway' ? gateway.start() : restartCsms(),
    strangers > 0 ? fleet.connect(range) : undefined,
  ]);
}

/**
 * Waits until all known chargers are back, or the time is up.
 *
 * @returns when each was let in, in Unix milliseconds, in order.
 */
async function watchReturn(
  { fleet, sampler, signal }: Run,
  beganAtMs: number,
): Promise<readonly number[]> {
  const endsAtMs = performance.now() + minutesMax * 60_000;
  let knownAtMs: readonly number[] = [];
  let taken = 0;
  const areBack = (): boolean => knownAtMs.length >= chargers;
  await sampler.takeUntil(
    {
      phase: 'storm',
      everySeconds: sampleSeconds,
      untilMs: () => (areBack() ? 0 : endsAtMs),
      signal,
    },
    async (sample) => {
      knownAtMs = await fleet.arrivals('known', beganAtMs);
      if (taken % printedEvery === 0 || areBack())
        say(`${sampleLine(sample)}; ${knownAtMs.length} are back`);
      taken += 1;
    },
  );
  return knownAtMs;
}

interface Figures {
  readonly dialsPerSecond: number | undefined;
  readonly halfSeconds: number;
  readonly nearlyAllSeconds: number;
  readonly allSeconds: number;
  readonly upgrades: number;
  readonly upgradesPerSecondMax: number;
  readonly csmsTurnMsMax: number;
  /** How long the benchmark itself kept a charger from connecting at most. */
  readonly turnMsMax: number;
  readonly strangersLetIn: number;
  readonly firstStrangerSeconds: number;
  readonly knownBackAtFirstStranger: number;
  readonly strangersBeforeHalf: number;
  readonly strangersBeforeAll: number;
  readonly firstAnswerP50Ms: number;
  readonly firstAnswerP99Ms: number;
  readonly residentBytesMax: number;
  readonly lagP99MsMax: number;
  readonly lagMsMax: number;
  readonly storm: Tally;
}

function returnFigures(
  knownAtMs: readonly number[],
  beganAtMs: number,
): Pick<Figures, 'halfSeconds' | 'nearlyAllSeconds' | 'allSeconds'> {
  const seconds = (part: number): number =>
    (quantileOf(knownAtMs, part, chargers) - beganAtMs) / 1000;
  return { halfSeconds: seconds(0.5), nearlyAllSeconds: seconds(0.99), allSeconds: seconds(1) };
}

function strangerFigures(
  knownAtMs: readonly number[],
  strangersAtMs: readonly number[],
  beganAtMs: number,
): Pick<
  Figures,
  | 'strangersLetIn'
  | 'firstStrangerSeconds'
  | 'knownBackAtFirstStranger'
  | 'strangersBeforeHalf'
  | 'strangersBeforeAll'
> {
  const firstAtMs = strangersAtMs[0] ?? Number.NaN;
  const back = knownAtMs.filter((atMs) => !(atMs > firstAtMs)).length;
  const strangersBefore = (part: number): number => {
    const untilMs = quantileOf(knownAtMs, part, chargers);
    return strangersAtMs.filter((atMs) => !(atMs > untilMs)).length;
  };
  return {
    strangersLetIn: strangersAtMs.length,
    firstStrangerSeconds: (firstAtMs - beganAtMs) / 1000,
    knownBackAtFirstStranger: back / chargers,
    strangersBeforeHalf: strangersBefore(0.5),
    strangersBeforeAll: strangersBefore(1),
  };
}

function findings(figures: Figures, back: number): readonly Finding[] {
  const { csmsTurnMsMax, storm, upgradesPerSecondMax } = figures;
  const limit =
    dialsPerSecond === undefined || dialsPerSecond === 0
      ? []
      : [
          atMost(
            'upgrades that the CSMS saw within a second, and the longest turn of its event loop',
            upgradesPerSecondMax,
            // What came while it was busy is seen at once after it, so a second can show so much.
            Math.floor(dialsPerSecond * (1 + csmsTurnMsMax / 1000)),
          ),
        ];
  return [
    atMost('known chargers that are not back', chargers - back, 0),
    ...limit,
    atMost('calls after the return that were not answered', storm.open, 0),
    atMost('answers of the wrong kind', totalOf(storm.surprises), 0),
  ];
}

function figuresText(figures: Figures): string {
  const { storm } = figures;
  const lines = [
    `back after ${figures.halfSeconds.toFixed(1)} s (50 %), ` +
      `${figures.nearlyAllSeconds.toFixed(1)} s (99 %), ${figures.allSeconds.toFixed(1)} s (all)`,
    `the CSMS saw ${figures.upgrades} upgrades, ${figures.upgradesPerSecondMax} within its busiest ` +
      `second; configured: ${figures.dialsPerSecond ?? 'no limit'}; its own longest turn took ` +
      `${figures.csmsTurnMsMax.toFixed(0)} ms; chargers waited for this benchmark itself for ` +
      `${figures.turnMsMax.toFixed(0)} ms at most`,
    `lost connections by close code: ${describeCounts(storm.dropped)}; failed attempts: ` +
      describeCounts(storm.refused),
    `first answers: p50 ${figures.firstAnswerP50Ms.toFixed(0)} ms, ` +
      `p99 ${figures.firstAnswerP99Ms.toFixed(0)} ms; RSS at most ` +
      `${Math.round(figures.residentBytesMax / 1e6)} MB; event loop p99 at most ` +
      `${figures.lagP99MsMax.toFixed(0)} ms, longest turn ${figures.lagMsMax.toFixed(0)} ms`,
  ];
  if (strangers > 0) lines.push(strangersText(figures));
  return lines.join('\n');
}

function strangersText(figures: Figures): string {
  const { firstStrangerSeconds, knownBackAtFirstStranger, strangersLetIn } = figures;
  const share = `${(knownBackAtFirstStranger * 100).toFixed(1)} % of the known chargers were back`;
  const before =
    `${figures.strangersBeforeHalf} before half of the known chargers were back, ` +
    `${figures.strangersBeforeAll} before all were`;
  return strangersLetIn === 0
    ? `no stranger was let in before all known chargers were back, or the time was up; ${share}`
    : `${strangersLetIn} of ${strangers} strangers were let in, the first one after ` +
        `${firstStrangerSeconds.toFixed(1)} s, when ${share}; ${before}`;
}

function largest(samples: readonly Sample[], figure: (sample: Sample) => number): number {
  return Math.max(...samples.map(figure).filter((number) => !Number.isNaN(number)));
}
