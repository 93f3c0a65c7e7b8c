import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FleetSetup } from './fleet-setup.ts';
import { type GatewayMetrics, parseMetrics } from './metrics-page.ts';
import { type ProcessFigures, processFigures } from './process-figures.ts';

const program = fileURLToPath(new URL('../../bin/gatewatt', import.meta.url));
const run = promisify(execFile);

/** What a process can be told to end with. */
export type EndSignal = 'SIGKILL' | 'SIGTERM';

/** The `gatewatt serve` of a run. It can be started again after its end. */
export interface FleetGateway {
  readonly pid: number;
  /** Resolves when it takes chargers. @throws Error with the end of its log when it does not. */
  start(): Promise<void>;
  /** Ends it, if it runs. */
  end(signal: EndSignal): Promise<void>;
  /** @throws Error with the end of its log when it has ended. */
  figures(): Promise<ProcessFigures>;
  /** @throws Error when it does not answer in time. */
  metrics(): Promise<GatewayMetrics>;
  /** The last lines of its log. */
  logEnd(): Promise<string>;
}

const startMsMax = 60_000;
const startPollMs = 20;
/** A gateway that does not end in this time is killed. */
const endMsMax = 60_000;
const scrapeMsMax = 15_000;
const logLinesShown = 10;

/**
 * The gateway of `setup`, which is not started yet.
 *
 * @param profileFolder where each of its processes that ends by SIGTERM leaves a CPU profile.
 */
export function fleetGateway(setup: FleetSetup, profileFolder?: string): FleetGateway {
  const logFile = path.join(setup.directory, 'gateway.log');
  const profile =
    profileFolder === undefined
      ? {}
      : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` };
  let child: ChildProcess | undefined;
  const kill = (): void => {
    child?.kill('SIGKILL');
  };
  const logEnd = async (): Promise<string> => {
    const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
    return lines.slice(-logLinesShown).join('\n');
  };
  const gateway: FleetGateway = {
    get pid() {
      return child?.pid ?? 0;
    },
    logEnd,
    start: async () => {
      const log = await open(logFile, 'a');
      const started = spawn(program, ['serve', '--config', setup.configFile], {
        stdio: ['ignore', log.fd, log.fd],
        // In a group of its own: a Ctrl-C is for the benchmark, which decides what becomes of it.
        detached: true,
        env: { ...process.env, ...profile },
      });
      child = started;
      process.once('exit', kill);
      await log.close();
      for (const untilMs = performance.now() + startMsMax; performance.now() < untilMs; ) {
        if (!isRunning(started)) break;
        if (await isReady(setup.adminPort)) return;
        await delay(startPollMs);
      }
      throw new Error(`the gateway does not start:\n${await logEnd()}`);
    },
    end: async (signal) => {
      const ended = child;
      if (ended === undefined || !isRunning(ended)) return;
      const exit = once(ended, 'exit');
      ended.kill(signal);
      const patience = setTimeout(kill, endMsMax);
      await exit;
      clearTimeout(patience);
      process.off('exit', kill);
    },
    figures: async () => {
      try {
        return await processFigures(gateway.pid);
      } catch (cause) {
        throw new Error(`the gateway has ended:\n${await logEnd()}`, { cause });
      }
    },
    metrics: async () => {
      const response = await fetch(`http://127.0.0.1:${setup.adminPort}/metrics`, {
        signal: AbortSignal.timeout(scrapeMsMax),
      });
      return parseMetrics(await response.text());
    },
  };
  return gateway;
}

/** The configuration with all defaults, as `gatewatt check` shows it; or what is wrong with it. */
export async function checkConfig(
  configFile: string,
): Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; text: string }> {
  try {
    const { stdout } = await run(program, ['check', '--config', configFile]);
    return { ok: true, text: stdout };
  } catch (error) {
    const { stderr, stdout } = error as { readonly stderr?: string; readonly stdout?: string };
    return { ok: false, text: `${stdout ?? ''}${stderr ?? String(error)}` };
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`, {
      signal: AbortSignal.timeout(1_000),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
