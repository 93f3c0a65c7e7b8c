import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { seededRandom, systemRandom } from '../lib/random.ts';
import { isJsonObject } from '../ocpp/message.ts';
import type { AuthorityOptions } from '../sim/csms/certificate-authority.ts';
import { type SimulatedCsms, startSimulatedCsms } from '../sim/csms/csms.ts';
import { type CsmsControl, startCsmsControl } from '../sim/csms/csms-control.ts';
import type { Traffic } from '../sim/protocol/traffic.ts';
import { loadScenario, playAsCsms, type Scenario } from '../sim/scenario.ts';
import { describeSystemError } from './describe-system-error.ts';
import { exitCodes } from './exit-codes.ts';
import { readCsmsTls, readPasswords } from './simulate-credentials.ts';
import {
  type HostAndPort,
  hostAndPort,
  numberAtLeast,
  type SimulateOutput,
  simulateOutput,
} from './simulate-output.ts';

interface CsmsCommandOptions {
  readonly listen: HostAndPort;
  readonly path: string;
  readonly control?: HostAndPort;
  readonly scenario?: string;
  readonly passwordFile?: string;
  readonly passwordsFile?: string;
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  readonly clientCaFile?: string;
  readonly authorityCertFile?: string;
  readonly authorityKeyFile?: string;
  readonly issueDays: number;
  readonly heartbeatSeconds: number;
  readonly durationSeconds?: number;
  readonly seed?: number;
  readonly quiet?: true;
  readonly json?: true;
}

const examples = `
Examples:
  A CSMS for the gateway, with a control interface:
    gatewatt simulate csms --listen 127.0.0.1:9001 --path /ocpp --control 127.0.0.1:9002
    curl http://127.0.0.1:9002/chargers
    curl http://127.0.0.1:9002/chargers/CP-1/call \\
      -d '{"action":"Reset","payload":{"type":"Soft"}}'

  Commands by standard input, "<charger|*> <Action> <json payload>":
    echo '* TriggerMessage {"requestedMessage":"Heartbeat"}' | gatewatt simulate csms

  Security profile 2, and a new password for one charger:
    gatewatt simulate csms --password-file cp.password --control 127.0.0.1:9002 \\
      --tls-cert-file csms.pem --tls-key-file csms.key
    curl -X POST http://127.0.0.1:9002/chargers/CP-1/password

  A flow of your own (docs/operating/simulators.md):
    gatewatt simulate csms --scenario my-flow.ts

Exit codes: 0 all went well; 1 a port is taken, a file cannot be used, or the scenario failed; 2 wrong
usage.
The control interface asks for no password. Keep it on loopback.
`;

/** `gatewatt simulate csms`. Sets process.exitCode. */
export function simulateCsmsCommand(): Command {
  return new Command('csms')
    .description('a simulated charging station management system')
    .addOption(
      new Option('--listen <host:port>', 'where chargers connect; port 0: any')
        .argParser(hostAndPort)
        .default({ host: '127.0.0.1', port: 9001 }, '127.0.0.1:9001'),
    )
    .option('--path <path>', 'the identity is the one segment after it', '/ocpp')
    .option('--control <host:port>', 'HTTP control interface (default: none)', hostAndPort)
    .option('--scenario <file>', 'a module that exports the function "scenario"')
    .option('--password-file <file>', 'demand this password, the same of every charger')
    .option('--passwords-file <file>', 'demand passwords; lines of identity,password')
    .option('--tls-cert-file <file>', 'PEM certificate with its chain: speak wss://')
    .option('--tls-key-file <file>', 'PEM key of the certificate')
    .option('--client-ca-file <file>', 'demand client certificates that these PEM ones issued')
    .option('--authority-cert-file <file>', 'PEM certificate that issues certificates to chargers')
    .option('--authority-key-file <file>', 'PEM key of the authority')
    .option(
      '--issue-days <days>',
      'validity of what the authority issues',
      numberAtLeast(0, false),
      365,
    )
    .option('--heartbeat-seconds <seconds>', 'told to chargers', numberAtLeast(1, true), 300)
    .option(
      '--duration-seconds <seconds>',
      'then end (default: at Ctrl-C)',
      numberAtLeast(0, false),
    )
    .option(
      '--seed <number>',
      'the same chance every time; not for secrets',
      numberAtLeast(0, true),
    )
    .option('--quiet', 'only problems and the summary')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', examples)
    .action(async (options: CsmsCommandOptions, command: Command) => {
      const problem = credentialProblem(options);
      if (problem !== undefined) command.error(`error: ${problem}`, { exitCode: exitCodes.usage });
      process.exitCode = await simulateCsms(options);
    });
}

/** Which options for credentials do not fit each other. */
function credentialProblem(options: CsmsCommandOptions): string | undefined {
  if (options.passwordFile !== undefined && options.passwordsFile !== undefined) {
    return 'choose --password-file or --passwords-file';
  }
  if ((options.tlsCertFile === undefined) !== (options.tlsKeyFile === undefined)) {
    return '--tls-cert-file and --tls-key-file belong together';
  }
  if (options.clientCaFile !== undefined && options.tlsCertFile === undefined) {
    return '--client-ca-file needs --tls-cert-file and --tls-key-file';
  }
  if ((options.authorityCertFile === undefined) !== (options.authorityKeyFile === undefined)) {
    return '--authority-cert-file and --authority-key-file belong together';
  }
  return undefined;
}

interface Counters {
  framesSent: number;
  framesReceived: number;
  callErrorsSent: number;
  callErrorsReceived: number;
}

async function simulateCsms(options: CsmsCommandOptions): Promise<number> {
  const clock = systemClock();
  const output = simulateOutput(clock, options);
  const counters: Counters = {
    framesSent: 0,
    framesReceived: 0,
    callErrorsSent: 0,
    callErrorsReceived: 0,
  };
  const { host, port } = options.listen;
  let scenario: Scenario | undefined;
  let csms: SimulatedCsms;
  try {
    if (options.scenario !== undefined) scenario = await loadScenario(options.scenario);
    csms = await startSimulatedCsms({
      clock,
      random: options.seed === undefined ? systemRandom : seededRandom(options.seed),
      host,
      port,
      path: options.path,
      heartbeatIntervalSeconds: options.heartbeatSeconds,
      passwords: readPasswords(options),
      tls: readCsmsTls(options),
      authority: readAuthority(options),
      onNote: (text) => output.problem(text),
      onTraffic: (traffic) => {
        count(counters, traffic);
        output.traffic(traffic);
      },
    });
  } catch (error) {
    output.problem(describeSystemError(error));
    return exitCodes.failed;
  }
  let control: CsmsControl | undefined;
  try {
    control = await openControl(csms, options.control);
  } catch (error) {
    output.problem(describeSystemError(error));
    await csms.close();
    return exitCodes.failed;
  }
  output.note(`chargers connect to ${csms.url}/<identity>`);
  if (control !== undefined) output.note(`control interface at ${control.url}`);
  const exitCode = await run(csms, scenario, options, output);
  const transactions = csms.transactions();
  const summary = {
    chargersNow: csms.chargers().length,
    transactions: transactions.length,
    transactionsOpen: transactions.filter(({ endedAt }) => endedAt === undefined).length,
    ...counters,
  };
  await control?.close();
  await csms.close();
  output.summary(summary);
  return exitCode;
}

function readAuthority({
  authorityCertFile,
  authorityKeyFile,
  issueDays,
}: CsmsCommandOptions): AuthorityOptions | undefined {
  if (authorityCertFile === undefined || authorityKeyFile === undefined) return undefined;
  const certificate = readFileSync(authorityCertFile);
  return { certificate, key: readFileSync(authorityKeyFile), issueDays };
}

function openControl(
  csms: SimulatedCsms,
  place: HostAndPort | undefined,
): Promise<CsmsControl | undefined> {
  if (place === undefined) return Promise.resolve(undefined);
  return startCsmsControl(csms, place.host, place.port);
}

/** Runs until the end that comes first: Ctrl-C, the duration, or the scenario. */
async function run(
  csms: SimulatedCsms,
  scenario: Scenario | undefined,
  { durationSeconds }: CsmsCommandOptions,
  output: SimulateOutput,
): Promise<number> {
  const clock = systemClock();
  const end = Promise.withResolvers<number>();
  const interrupted = (): void => end.resolve(exitCodes.ok);
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  const timer =
    durationSeconds === undefined
      ? undefined
      : clock.after(durationSeconds * 1000, () => end.resolve(exitCodes.ok));
  const lines = createInterface({ input: process.stdin });
  // The end of the input is not the end of the simulation: a service has no standard input.
  lines.on('line', (line) => void obey(csms, line, output));
  if (scenario !== undefined) {
    playAsCsms(scenario, csms, clock, (text) => output.note(text)).then(
      () => end.resolve(exitCodes.ok),
      (error: unknown) => {
        output.problem(`the scenario failed: ${describeSystemError(error)}`);
        end.resolve(exitCodes.failed);
      },
    );
  }
  const exitCode = await end.promise;
  timer?.cancel();
  lines.close();
  // Without this the open input would keep the process alive.
  process.stdin.destroy();
  process.off('SIGINT', interrupted);
  process.off('SIGTERM', interrupted);
  return exitCode;
}

/** Makes the call that a line of the standard input asks for. */
async function obey(csms: SimulatedCsms, line: string, output: SimulateOutput): Promise<void> {
  if (line.trim() === '') return;
  const match = /^\s*(\S+)\s+(\S+)\s*(.*)$/.exec(line);
  const [, target = '', action = '', payloadText = ''] = match ?? [];
  const payload = parsePayload(payloadText);
  if (match === null || payload === undefined) {
    output.problem('a line must be "<charger|*> <Action> <json payload>"');
    return;
  }
  const identities = target === '*' ? csms.chargers().map(({ identity }) => identity) : [target];
  await Promise.all(
    identities.map(async (identity) => {
      try {
        await csms.call(identity, action, payload);
      } catch (error) {
        output.problem(`${identity} ${action}: ${describeSystemError(error)}`);
      }
    }),
  );
}

function parsePayload(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function count(counters: Counters, { direction, message }: Traffic): void {
  const isSent = direction === 'sent';
  counters[isSent ? 'framesSent' : 'framesReceived'] += 1;
  if (message?.kind !== 'call-error') return;
  counters[isSent ? 'callErrorsSent' : 'callErrorsReceived'] += 1;
}
