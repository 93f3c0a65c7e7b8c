import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Csms, type Fleet, startCsms, startFleet } from './fleet.ts';
import { type FleetGateway, fleetGateway } from './fleet-gateway.ts';
import { type FleetNeeds, type FleetSetup, setUpFleet } from './fleet-setup.ts';
import { describeMachine, type Machine, machineLine } from './machine.ts';
import { Sampler } from './samples.ts';
import { type Verdict, verdictText } from './verdict.ts';

/** What runs: one gateway between a fleet and a CSMS. */
export interface Run {
  readonly setup: FleetSetup;
  readonly machine: Machine;
  readonly gateway: FleetGateway;
  readonly sampler: Sampler;
  readonly fleet: Fleet;
  readonly csms: Csms;
  /** Kills the CSMS and starts it again at the same place. */
  restartCsms(): Promise<Csms>;
  /** Says that the run is to end: Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What a run is to be. */
export interface RunOptions extends FleetNeeds {
  /** `scale`, `storm` or `soak`: the name of the file with the result. */
  readonly name: string;
  /** All chargers, known and strangers. */
  readonly size: number;
  readonly seed: number;
  /** Where the result goes. */
  readonly outFolder: string;
  /** Where the CPU profile of the gateway goes; none without. */
  readonly profileFolder?: string | undefined;
  /** As they were typed, for the result. */
  readonly options: object;
  /** Changes the configuration before the gateway starts. */
  readonly adjust?: (setup: FleetSetup) => Promise<void>;
}

/** What a run has shown. */
export interface Outcome {
  readonly verdict: Verdict;
  /** Beside samples and verdict. */
  readonly figures: object;
}

/** What the fleet reports, once the answers that were still to come have come, or are given up. */
export async function answersOf(
  { fleet, signal }: Run,
  patienceSeconds: number,
): ReturnType<Fleet['report']> {
  const report = await fleet.report();
  let { tally } = report;
  for (let waited = 0; tally.open > 0 && waited < patienceSeconds; waited += 1) {
    await delay(1_000, undefined, { signal });
    const later = await fleet.report();
    tally = later.tally;
    report.latencies.addAll(later.latencies.counts);
  }
  return { ...report, tally };
}

/** As shells have it: 128 and the number of SIGINT. */
const exitAfterInterrupt = 130;

/**
 * Starts everything, lets `measure` work, prints and writes down what it found, and clears
 * everything away, whatever happens. The exit code is 0 when the verdict is good, 1 when not, 130
 * after a Ctrl-C.
 */
export async function runFleet(
  options: RunOptions,
  measure: (run: Run) => Promise<Outcome>,
): Promise<void> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    // Whoever asks twice does not want to wait for the end of what is under way.
    if (interruption.signal.aborted) process.exit(exitAfterInterrupt);
    interruption.abort();
  };
  const { signal } = interruption;
  const machine = describeMachine();
  say(machineLine(machine));
  const startedAt = new Date().toISOString();
  await using stack = new AsyncDisposableStack();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, interrupt);
    // After all that is cleared away: it must not be left half done.
    stack.defer(() => {
      process.off(name, interrupt);
    });
  }
  try {
    const run = await startRun(options, { machine, signal, stack });
    const { figures, verdict } = await measure(run);
    say(verdictText(verdict));
    const { lateMsMax, missed, samples } = run.sampler;
    say(`this process itself was late by ${Math.round(lateMsMax)} ms at most`);
    const sampling = { missed, lateMsMax, samples };
    const result = { startedAt, machine, options: options.options, verdict, figures, ...sampling };
    say(`written to ${await writeResult(options, startedAt, result)}`);
    process.exitCode = verdict.isGood ? 0 : signal.aborted ? exitAfterInterrupt : 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    say('ended before there was anything to say');
    process.exitCode = exitAfterInterrupt;
  }
}

interface Surroundings {
  readonly machine: Machine;
  readonly signal: AbortSignal;
  readonly stack: AsyncDisposableStack;
}

async function startRun(
  options: RunOptions,
  { machine, signal, stack }: Surroundings,
): Promise<Run> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatewatt-fleet-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', remove);
  stack.defer(() => {
    process.off('exit', remove);
    remove();
  });
  const beganAtMs = performance.now();
  const setup = await setUpFleet(directory, options);
  await options.adjust?.(setup);
  const seconds = ((performance.now() - beganAtMs) / 1000).toFixed(1);
  say(
    `${options.registered} chargers with passwords of their own in the store, after ${seconds} s`,
  );
  signal.throwIfAborted();
  let csms = await startCsms(setup);
  stack.defer(() => csms.kill());
  const gateway = fleetGateway(setup, options.profileFolder);
  // A profile is written at an orderly end only.
  stack.defer(() => gateway.end(options.profileFolder === undefined ? 'SIGKILL' : 'SIGTERM'));
  await gateway.start();
  const fleet = await startFleet(setup, options.size, options.seed);
  stack.defer(() => fleet.end());
  return {
    setup,
    machine,
    gateway,
    sampler: new Sampler(gateway),
    fleet,
    get csms() {
      return csms;
    },
    restartCsms: async () => {
      await csms.kill();
      csms = await startCsms(setup);
      return csms;
    },
    signal,
  };
}

async function writeResult(
  { name, outFolder }: RunOptions,
  startedAt: string,
  result: object,
): Promise<string> {
  await mkdir(outFolder, { recursive: true });
  const file = path.join(outFolder, `${name}-${startedAt.replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify(result, undefined, 1)}\n`);
  return file;
}

/** One line on standard output. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
