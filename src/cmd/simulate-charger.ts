import { Command, InvalidArgumentError, Option } from 'commander';
import { type Clock, systemClock } from '../lib/clock.ts';
import { seededRandom, systemRandom } from '../lib/random.ts';
import type { OcppVersion } from '../ocpp/version.ts';
import type { SimulatedChargerOptions } from '../sim/charger/charger.ts';
import type { SecurityProfile } from '../sim/charger/charger-security.ts';
import { defaultHabits } from '../sim/charger/driver.ts';
import { Fleet } from '../sim/charger/fleet.ts';
import { acRating, dcRating } from '../sim/electrical/electrical.ts';
import { isHexadecimalKey, type PasswordForm, passwordForms } from '../sim/protocol/password.ts';
import { loadScenario, playAsCharger, type Scenario } from '../sim/scenario.ts';
import { describeSystemError } from './describe-system-error.ts';
import { exitCodes } from './exit-codes.ts';
import {
  type ProfileUrls,
  readChargerTls,
  readPassword,
  readProfileUrl,
} from './simulate-credentials.ts';
import { numberAtLeast, type SimulateOutput, simulateOutput } from './simulate-output.ts';

interface ChargerCommandOptions {
  readonly url: string;
  readonly id?: string;
  readonly count: number;
  readonly protocol: '1.6' | '2.0.1' | '2.1';
  readonly connectors: number;
  readonly powerKw?: number;
  readonly dc?: true;
  readonly scenario?: string;
  readonly passwordFile?: string;
  readonly passwordForm?: PasswordForm;
  readonly basicUser?: string;
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly keyFile?: string;
  readonly securityProfile?: '0' | '1' | '2' | '3';
  readonly profileUrl?: ProfileUrls;
  readonly securityEvents?: true;
  readonly meterIntervalSeconds: number;
  readonly autostart?: true;
  readonly startsPerSecond: number;
  readonly connectSeconds: number;
  readonly durationSeconds?: number;
  readonly seed?: number;
  readonly quiet?: true;
  readonly json?: true;
}

const versions: Readonly<Record<ChargerCommandOptions['protocol'], OcppVersion>> = {
  '1.6': 'ocpp1.6',
  '2.0.1': 'ocpp2.0.1',
  '2.1': 'ocpp2.1',
};

const examples = `
Examples:
  One charger of OCPP 1.6 with a driver:
    gatewatt simulate charger --url ws://127.0.0.1:9000/ocpp --id CP-1 --autostart

  A hundred chargers of OCPP 2.0.1, ten new ones per second, for five minutes:
    gatewatt simulate charger --url ws://127.0.0.1:9000/ocpp --protocol 2.0.1 \\
      --id "DEPOT-{n}" --count 100 --autostart --duration-seconds 300 --quiet

  Security profile 2, with the password in a file:
    gatewatt simulate charger --url wss://gateway.example:9443/ocpp --id CP-1 \\
      --password-file cp-1.password --ca-file ca.pem

  Security profile 1, which the CSMS may raise to 2:
    gatewatt simulate charger --url ws://gateway.example:9000/ocpp --id CP-1 \\
      --password-file cp-1.password --ca-file ca.pem \\
      --profile-url 2=wss://gateway.example:9443/ocpp

  A flow of your own (docs/operating/simulators.md):
    gatewatt simulate charger --url ws://127.0.0.1:9000/ocpp --scenario my-flow.ts

Exit codes: 0 all went well; 1 no charger was accepted within --connect-seconds, a file cannot be
used, or a scenario failed; 2 wrong usage.
`;

/** `gatewatt simulate charger`. Sets process.exitCode. */
export function simulateChargerCommand(): Command {
  return new Command('charger')
    .description('one simulated charger, or many')
    .requiredOption('--url <url>', 'of the CSMS or gateway, without the identity', readUrl)
    .option('--id <identity>', 'the identity; {n} is the number of the charger (default: SIM-{n})')
    .option('--count <number>', 'how many chargers', numberAtLeast(1, true), 1)
    .addOption(
      new Option('--protocol <version>', 'OCPP version')
        .choices(Object.keys(versions))
        .default('1.6'),
    )
    .option('--connectors <number>', 'connectors of each charger', numberAtLeast(1, true), 1)
    .option(
      '--power-kw <kw>',
      'of each connector (default: 11, with --dc 150)',
      numberAtLeast(0.1, false),
    )
    .option('--dc', 'fast chargers instead of AC ones')
    .option('--scenario <file>', 'a module that exports the function "scenario"')
    .option('--password-file <file>', 'HTTP Basic password; one line break at its end is ignored')
    .addOption(
      new Option(
        '--password-form <form>',
        'how 1.6 sends 32 to 40 hexadecimal digits: the bytes that they spell, or as they are ' +
          '(default: raw; other passwords and 2.x: text)',
      ).choices(passwordForms),
    )
    .option('--basic-user <name>', 'HTTP Basic user name (default: the identity)')
    .option('--ca-file <file>', 'PEM certificates to trust with wss://')
    .option('--certificate-file <file>', 'PEM client certificate (security profile 3)')
    .option('--key-file <file>', 'PEM key of the client certificate')
    .addOption(
      new Option(
        '--security-profile <number>',
        'to begin with (default: what URL, password and certificate amount to)',
      ).choices(['0', '1', '2', '3']),
    )
    .option(
      '--profile-url <number=url>',
      'where the CSMS is when it asks for this security profile; repeatable',
      readProfileUrl,
    )
    .option('--security-events', 'send SecurityEventNotification at the start and at changes')
    .option(
      '--meter-interval-seconds <seconds>',
      'between meter values; 0: none',
      numberAtLeast(0, true),
      60,
    )
    .option('--autostart', 'drivers come and go by themselves')
    .option(
      '--starts-per-second <number>',
      'new chargers per second',
      numberAtLeast(0.01, false),
      10,
    )
    .option(
      '--connect-seconds <seconds>',
      'give up when none is accepted',
      numberAtLeast(0.1, false),
      30,
    )
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
    .action(async (options: ChargerCommandOptions, command: Command) => {
      if (options.count > 1 && options.id !== undefined && !options.id.includes('{n}')) {
        command.error('error: with --count, --id must contain {n}', { exitCode: exitCodes.usage });
      }
      const problem = credentialProblem(options);
      if (problem !== undefined) command.error(`error: ${problem}`, { exitCode: exitCodes.usage });
      process.exitCode = await simulateChargers(options);
    });
}

/** Which options for credentials do not fit each other. */
function credentialProblem(options: ChargerCommandOptions): string | undefined {
  const { passwordFile, passwordForm, protocol, certificateFile, keyFile } = options;
  const { securityProfile, url } = options;
  const isTls = url.startsWith('wss:');
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    return '--certificate-file and --key-file belong together';
  }
  if (passwordForm !== undefined && passwordFile === undefined) {
    return '--password-form needs --password-file';
  }
  if (passwordForm !== undefined && passwordForm !== 'text' && protocol !== '1.6') {
    return `--password-form ${passwordForm} is for 1.6; later versions always send the text`;
  }
  if (securityProfile !== undefined && isTls !== securityProfile >= '2') {
    return `security profile ${securityProfile} does not go with ${isTls ? 'wss://' : 'ws://'}`;
  }
  if (securityProfile === '3' && certificateFile === undefined) {
    return '--security-profile 3 needs --certificate-file and --key-file';
  }
  return undefined;
}

async function simulateChargers(options: ChargerCommandOptions): Promise<number> {
  const clock = systemClock();
  const output = simulateOutput(clock, options);
  let scenario: Scenario | undefined;
  let charger: Omit<SimulatedChargerOptions, 'clock' | 'random' | 'identity' | 'onTraffic'>;
  try {
    charger = chargerOptions(options);
    if (options.scenario !== undefined) scenario = await loadScenario(options.scenario);
  } catch (error) {
    output.problem(describeSystemError(error));
    return exitCodes.failed;
  }
  const fleet = new Fleet({
    clock,
    random: options.seed === undefined ? systemRandom : seededRandom(options.seed),
    count: options.count,
    idPattern: options.id ?? 'SIM-{n}',
    startsPerSecond: options.startsPerSecond,
    charger,
    habits: options.autostart === true ? defaultHabits : undefined,
    onTraffic: (traffic) => output.traffic(traffic),
  });
  const exitCode = await run(fleet, scenario, options, clock, output);
  const summary = fleet.summary();
  await fleet.close();
  output.summary({ ...summary, powerKw: summary.powerKw.toFixed(1) });
  return exitCode;
}

/** Runs until the end that comes first: Ctrl-C, the duration, the scenario, or no connection. */
async function run(
  fleet: Fleet,
  scenario: Scenario | undefined,
  options: ChargerCommandOptions,
  clock: Clock,
  output: SimulateOutput,
): Promise<number> {
  const end = Promise.withResolvers<number>();
  const interrupted = (): void => end.resolve(exitCodes.ok);
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  const { durationSeconds, connectSeconds } = options;
  const connectTimer = clock.after(connectSeconds * 1000, () => {
    const failure = fleet.chargers()[0]?.state().lastFailure ?? 'no answer';
    output.problem(`no charger was accepted within ${connectSeconds} s: ${failure}`);
    end.resolve(exitCodes.failed);
  });
  // When the time is up before anything connected, the simulation has failed, not ended.
  const endTimer =
    durationSeconds === undefined
      ? undefined
      : clock.after(durationSeconds * 1000, () => {
          end.resolve(fleet.summary().everAccepted > 0 ? exitCodes.ok : exitCodes.failed);
        });
  fleet.firstAccepted().then(
    () => connectTimer.cancel(),
    () => undefined,
  );
  if (scenario !== undefined) {
    play(fleet, scenario, options.count, clock, output).then(
      () => end.resolve(exitCodes.ok),
      (error: unknown) => {
        output.problem(`the scenario failed: ${describeSystemError(error)}`);
        end.resolve(exitCodes.failed);
      },
    );
  }
  const exitCode = await end.promise;
  connectTimer.cancel();
  endTimer?.cancel();
  process.off('SIGINT', interrupted);
  process.off('SIGTERM', interrupted);
  return exitCode;
}

/** Plays the scenario with every charger, each as soon as one is accepted. */
async function play(
  fleet: Fleet,
  scenario: Scenario,
  count: number,
  clock: Clock,
  output: SimulateOutput,
): Promise<void> {
  await fleet.firstAccepted();
  const plays: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const charger = fleet.chargers()[index];
    if (charger === undefined) break;
    plays.push(
      charger.connected().then(() =>
        playAsCharger(scenario, charger, clock, (text) => {
          output.note(`${charger.identity} ${text}`);
        }),
      ),
    );
  }
  await Promise.all(plays);
}

function chargerOptions(
  options: ChargerCommandOptions,
): Omit<SimulatedChargerOptions, 'clock' | 'random' | 'identity' | 'onTraffic'> {
  const { url, protocol, connectors, meterIntervalSeconds, passwordFile, passwordForm } = options;
  const password = passwordFile === undefined ? undefined : readPassword(passwordFile);
  if (passwordForm !== undefined && passwordForm !== 'text') {
    if (password === undefined || !isHexadecimalKey(password)) {
      throw new Error(`${passwordFile} does not hold 32 to 40 hexadecimal digits`);
    }
  }
  const rating = options.dc === true ? dcRating : acRating;
  return {
    url,
    version: versions[protocol],
    connectorCount: connectors,
    meterIntervalSeconds,
    rating: { ...rating, powerKwMax: options.powerKw ?? rating.powerKwMax },
    passwordBytes: password,
    passwordForm,
    basicUser: options.basicUser,
    tls: readChargerTls(options),
    securityProfile: profiles.get(options.securityProfile),
    urls: options.profileUrl,
    sendsSecurityEvents: options.securityEvents,
  };
}

const profiles: ReadonlyMap<string | undefined, SecurityProfile> = new Map([
  ['0', 0],
  ['1', 1],
  ['2', 2],
  ['3', 3],
]);

function readUrl(text: string): string {
  if (!URL.canParse(text) || !/^wss?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('It must be a ws:// or wss:// URL.');
  }
  return text;
}
