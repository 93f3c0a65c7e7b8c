/**
 * An hour of a small fleet at a steady rate, with chargers that come and go: each leaves after one to
 * five minutes and comes back at once, some as somebody new, some without a word to their old
 * connection. Some messages have to be refused, and the CSMS sends a command now and then. Does
 * anything grow, slow down or stay unanswered?
 *
 *   npm run bench:soak -- [--minutes 60] [--rate 200] [--chargers 500] [--commands 720]
 *     [--seed N] [--out bench-results] [--cpu-prof FOLDER]
 *
 * A Ctrl-C ends it early, with a verdict that is marked as incomplete.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandLine } from './command-line.ts';
import { chargersThatFit, describeMachine, fewerRemark } from './machine.ts';
import type { Comings, CsmsReport } from './orders.ts';
import { type Outcome, type Run, runFleet, say } from './run.ts';
import { type Sample, sampleLine } from './samples.ts';
import { describeCounts, type Tally, totalOf } from './tally.ts';
import { atMost, type Finding, isSteady, lagFinding, verdictOf } from './verdict.ts';
import { bounds } from './whole-number.ts';

const commandLine = new CommandLine(
  `A small fleet at a steady rate for a long time, with chargers that come and go.

  npm run bench:soak -- [options]

  --minutes N      (60)
  --rate N         round trips within a second, of all chargers together (200)
  --chargers N     (500)
  --commands N     commands of the CSMS within an hour (720)
  --seed N         of what is random; printed at the beginning
  --out FOLDER     where soak.json goes (bench-results)
  --cpu-prof FOLDER  a CPU profile of the gateway
  --help           this text

A Ctrl-C ends it early, with a verdict that is marked as incomplete.
Exit codes: 0 nothing grew, slowed down or stayed unanswered; 1 not so; 2 wrong usage; 130 Ctrl-C.`,
  ['minutes', 'rate', 'chargers', 'commands', 'seed', 'out', 'cpu-prof'],
);
const minutes = commandLine.number('minutes', bounds.minutes, 60);
const perSecond = commandLine.number('rate', bounds.perSecond, 200);
const asked = commandLine.number('chargers', bounds.chargers, 500);
const commandsPerHour = commandLine.number('commands', [0, 36_000], 720);
const seed = commandLine.number('seed', bounds.seed, randomInt(1_000_000));
const chargers = chargersThatFit(asked, describeMachine());
const remark = fewerRemark(asked, chargers, describeMachine());

/** Chargers that connect within a second at the beginning. */
const connectsPerSecond = 40;
/** Of the calls of chargers, these have to be refused. */
const forbiddenShare = 0.005;
const stay = { staySecondsMin: 60, staySecondsMax: 300 };
const vanishShare = 0.03;
const renameShare = 0.02;
/** Somebody leaves every three minutes; twice as many are registered as will be somebody new. */
const newcomers = Math.ceil((chargers * minutes * 2 * renameShare) / 3);
const sampleSeconds = 5;
/** What has happened is looked at, and printed, this often. */
const minuteSeconds = 60;
/** How long the first calls, and the last ones, may take to be answered. */
const patienceSeconds = 90;
const residentRatioMax = 1.1;
const filesRatioMax = 1.05;
const p50RatioMax = 1.25;

/** One minute. */
interface Minute {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The largest p99 of the event loop, over the samples of this minute. */
  readonly lagP99Ms: number;
  readonly tally: Tally;
  readonly csms: CsmsReport;
}

if (remark !== undefined) say(remark);
say(`seed ${seed}`);
await runFleet(
  {
    name: 'soak',
    size: chargers,
    registered: chargers + newcomers,
    hasStrangers: false,
    seed,
    outFolder: commandLine.text('out') ?? 'bench-results',
    profileFolder: commandLine.text('cpu-prof'),
    options: { asked, chargers, minutes, perSecond, commandsPerHour, seed },
  },
  measure,
);

async function measure(run: Run): Promise<Outcome> {
  const { csms, fleet, signal } = run;
  await fleet.connect({ kind: 'known', from: 0, count: chargers }, connectsPerSecond);
  await settle(run, signal);
  const comings: Comings = {
    ...stay,
    vanishShare,
    renameShare,
    newcomers: { kind: 'known', from: chargers, count: newcomers },
  };
  await fleet.live(comings);
  await fleet.talk(perSecond, forbiddenShare);
  await csms.ask('command', { perHour: commandsPerHour, seed });
  const each: Minute[] = [];
  let taken = 0;
  const endsAtMs = performance.now() + minutes * 60_000;
  let isComplete = true;
  try {
    await run.sampler.takeUntil(
      { phase: 'soak', everySeconds: sampleSeconds, untilMs: () => endsAtMs, signal },
      async (sample) => {
        taken += 1;
        if (taken % (minuteSeconds / sampleSeconds) !== 0) return;
        const minute = await minuteOf(run);
        each.push(minute);
        say(`${sampleLine(sample)}, ${minuteText(minute)}`);
      },
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    isComplete = false;
  }
  await csms.ask('command', { perHour: 0, seed });
  await fleet.talk(0, 0);
  await fleet.live(undefined);
  // What was under way at a Ctrl-C would look as if it were not answered.
  await settle(run);
  const last = await minuteOf(run);
  const findings = [
    ...findingsOf(run.sampler.of('soak'), each, last),
    atMost('samples without an answer of the gateway', run.sampler.missed, 0),
  ];
  const verdict = verdictOf(findings, isComplete);
  return { verdict, figures: { last, minutes: each } };
}

/** Waits until all chargers are connected and nothing is open, or patience is at its end. */
async function settle({ csms, fleet }: Run, signal?: AbortSignal): Promise<void> {
  for (let waited = 0; waited < patienceSeconds; waited += 1) {
    const { tally } = await fleet.report();
    const { commands } = await csms.ask('report', undefined);
    if (tally.open === 0 && tally.online === chargers && commands.open === 0) return;
    await delay(1_000, undefined, { ...(signal === undefined ? {} : { signal }) });
  }
}

async function minuteOf({ csms, fleet, sampler }: Run): Promise<Minute> {
  const { latencies, tally } = await fleet.report();
  const recent = sampler.of('soak').slice(-minuteSeconds / sampleSeconds);
  return {
    lagP99Ms: Math.max(...recent.map(({ lag }) => lag.p99Ms)),
    p50Ms: latencies.quantile(0.5),
    p99Ms: latencies.quantile(0.99),
    tally,
    csms: await csms.ask('report', undefined),
  };
}

function minuteText({ csms: { commands }, lagP99Ms, p50Ms, p99Ms, tally }: Minute): string {
  return (
    `lag p99 of the minute at most ${lagP99Ms.toFixed(0)} ms; round trip p50 ${p50Ms.toFixed(2)} p99 ${p99Ms.toFixed(2)} ms, ` +
    `${tally.answered} of ${tally.sent} calls answered (${tally.forbidden} rightly refused), ` +
    `${commands.accepted} of ${commands.sent} commands accepted ` +
    `(errors: ${describeCounts(commands.errors)}; cut off: ${commands.cutOff}), ` +
    `${tally.left} left, ${tally.vanished} vanished, ${tally.renamed} new, ` +
    `lost: ${describeCounts(tally.dropped)}, refused: ${describeCounts(tally.refused)}`
  );
}

function findingsOf(
  samples: readonly Sample[],
  each: readonly Minute[],
  { csms: { commands }, tally }: Minute,
): readonly Finding[] {
  const figures = (figure: (sample: Sample) => number): readonly number[] => samples.map(figure);
  return [
    isSteady(
      'memory',
      figures((sample) => sample.residentBytes),
      residentRatioMax,
    ),
    isSteady(
      'open files',
      figures((sample) => sample.openFiles),
      filesRatioMax,
    ),
    isSteady(
      'p50',
      each.map(({ p50Ms }) => p50Ms),
      p50RatioMax,
    ),
    lagFinding(
      'soak',
      samples.map((sample) => sample.lag),
    ),
    atMost('calls of chargers that were not answered', tally.sent - tally.answered, 0),
    atMost('commands that were not answered', commands.open, 0),
    atMost('answers of the wrong kind', totalOf(tally.surprises), 0),
    atMost('connections that were lost', totalOf(tally.dropped), 0),
    atMost('calls that nobody was free to send', tally.skipped, 0),
    atMost('chargers that are missing', chargers - tally.online, 0),
  ];
}
