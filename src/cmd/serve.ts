import { Command } from 'commander';
import { pino } from 'pino';
import { describeMistake, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import { type Keeper, keeperOfThisProcess } from '../connection/isolation/kept-gateway.ts';
import type { LogDestination } from '../events/log-sink.ts';
import { describeSystemError } from './describe-system-error.ts';
import { exitCodes } from './exit-codes.ts';
import { keepNetworks } from './keep-networks.ts';
import { type RunningGateway, runGateway } from './run-gateway.ts';

/** `gatewatt serve`. */
export function serveCommand(): Command {
  return new Command('serve')
    .summary('run the gateway')
    .description(
      'Runs the gateway until SIGTERM or SIGINT. Then it refuses new chargers, lets open calls\n' +
        'finish, and ends; a second signal ends it at once. The log goes to standard output, one\n' +
        'JSON object a line.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .addHelpText(
      'after',
      '\nExit codes: 0 stopped on request, 1 could not start, 2 mistakes in the configuration.',
    )
    .action(async (options: { readonly config: string }) => {
      process.exitCode = await serve(options.config);
    });
}

async function serve(configFile: string): Promise<number> {
  const config = await loadConfig(configFile);
  if (!config.ok) {
    for (const mistake of config.error) {
      process.stderr.write(`${describeMistake(configFile, mistake)}\n`);
    }
    return exitCodes.usage;
  }
  const { isolation } = config.value;
  const keeper = keeperOfThisProcess();
  if (isolation !== undefined && keeper === undefined) {
    return keepNetworks(isolation, config.value, configFile);
  }
  const log = logToStandardOutput();
  let running: RunningGateway;
  try {
    running = await runGateway(config.value, { configFile, log, ...(keeper && { keeper }) });
  } catch (error) {
    process.stderr.write(`gatewatt: cannot start: ${describeSystemError(error)}\n`);
    return exitCodes.failed;
  }
  // In words as well as in the log: whoever starts it by hand must not overlook it.
  for (const warning of warningsOf(config.value, running)) {
    process.stderr.write(`gatewatt: WARNING: ${warning}\n`);
  }
  if (keeper === undefined) await untilStopped(running);
  else await untilKeeperStops(running, keeper);
  log.flushSync();
  return exitCodes.ok;
}

/** What is dangerous about this gateway. */
function warningsOf({ csms, listeners }: Config, { gateway }: RunningGateway): readonly string[] {
  const open = gateway.listeners.filter((_, index) => listeners[index]?.securityProfile === 0);
  return [
    ...open.map(
      ({ address, name }) =>
        `listener ${name} (${address}) authenticates nobody (securityProfile 0)`,
    ),
    ...(csms.tls.dangerouslyAcceptAnyCertificate
      ? ['the CSMS is not verified (csms.tls.dangerouslyAcceptAnyCertificate)']
      : []),
  ];
}

/** Bytes of log that may wait for a reader. Beyond them entries are dropped. */
const logBytesMax = 16 * 1024 * 1024;

/**
 * Writes beside the event loop, within a bound: a log reader that hangs must not stop the gateway,
 * as a synchronous write to a full pipe would.
 */
export function logToStandardOutput(): LogDestination & { flushSync(): void } {
  const log = pino.destination({ dest: 1, sync: false, maxLength: logBytesMax });
  log.on('error', () => {});
  return log;
}

/** Stops it, gracefully, at the first SIGINT or SIGTERM; the second one ends the process at once. */
export async function untilStopped(
  running: { stop(): Promise<void> },
  signal: Promise<void> = stopSignal(),
): Promise<void> {
  await signal;
  process.once('SIGINT', exitAtOnce).once('SIGTERM', exitAtOnce);
  await running.stop();
  process.off('SIGINT', exitAtOnce).off('SIGTERM', exitAtOnce);
}

/**
 * The same for a gateway that has a keeper: whoever signals to all processes of a service, or of a
 * terminal, has asked once, and the keeper passes that on.
 */
async function untilKeeperStops(running: RunningGateway, keeper: Keeper): Promise<void> {
  process.on('SIGINT', () => {}).on('SIGTERM', () => {});
  void keeper.stoppedAtOnce.then(exitAtOnce);
  await keeper.stopped;
  await running.stop();
  keeper.leave();
}

/** Resolves at the first SIGINT or SIGTERM. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = (): void => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      resolve();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  });
}

function exitAtOnce(): void {
  process.exit(exitCodes.failed);
}
