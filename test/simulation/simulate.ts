import { BrokenInvariant, invariants } from './observers/broken-invariant.ts';
import type { SimulationOptions } from './scenario.ts';
import { Simulation } from './simulation.ts';
import type { Tampering } from './tampering.ts';

/** What came of a simulation in which everything held. */
export interface SimulationOutcome {
  /** The same for the same options, and for no others. */
  readonly hash: string;
  readonly steps: number;
  readonly simulatedSeconds: number;
  /** How often the gateway has said what, by the name of the event. */
  readonly events: Readonly<Record<string, number>>;
}

/** Something did not hold. Its message is for whoever has to find out why. */
export class SimulationFailure extends Error {
  readonly options: SimulationOptions;
  /** The invariant; undefined when the simulation itself has failed. */
  readonly invariant: string | undefined;

  constructor(options: SimulationOptions, text: string, cause: unknown) {
    super(text, { cause });
    this.name = 'SimulationFailure';
    this.options = options;
    this.invariant = cause instanceof BrokenInvariant ? cause.invariant : undefined;
  }
}

/** Runs one simulation. @throws SimulationFailure */
export async function simulate(
  options: SimulationOptions,
  tampering?: Tampering,
): Promise<SimulationOutcome> {
  const simulation = new Simulation(options, tampering);
  try {
    await simulation.run();
  } catch (error) {
    throw new SimulationFailure(options, describe(simulation, error), error);
  }
  const { observer, time, trace } = simulation;
  return {
    hash: trace.hash,
    steps: time.steps,
    simulatedSeconds: time.elapsedMs() / 1000,
    events: observer.counts,
  };
}

/** The command that runs a simulation once more. */
export function replayCommand({ chargers, hasFaults, seconds, seed }: SimulationOptions): string {
  const rest = hasFaults ? '' : ' --no-faults';
  const choices = `--seed ${seed} --chargers ${chargers} --seconds ${seconds} --runs 1${rest}`;
  return `npm run simulate:long -- ${choices}`;
}

function describe({ options, time, trace }: Simulation, error: unknown): string {
  const isBroken = error instanceof BrokenInvariant;
  const text = error instanceof Error ? error.message : String(error);
  return [
    isBroken ? `broken: ${text}` : `failed: ${text}`,
    ...(isBroken ? [`  demand: ${invariants[error.invariant]}`] : []),
    `  seed ${options.seed}, step ${time.steps}, ${time.elapsedMs().toFixed(3)} ms, trace ${trace.hash}`,
    `  again: ${replayCommand(options)}`,
    '  what happened last:',
    ...trace.lastOf(isBroken ? error.subject : undefined).map((line) => `  ${line}`),
  ].join('\n');
}
