import { Command, InvalidArgumentError, Option } from 'commander';
import { sleep, systemClock } from '../../lib/clock.ts';
import { type PresetName, presetNames } from '../../rules/presets.ts';
import { describeSystemError } from '../describe-system-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { stopSignal } from '../serve.ts';
import { runDemo } from './demo.ts';
import { countsText } from './state.ts';

interface DemoArguments {
  readonly chargers: number;
  readonly gatewayPort: number;
  readonly csmsPort: number;
  readonly adminPort: number;
  readonly pace: number;
  readonly preset: PresetName;
  readonly duration?: number;
  readonly plain?: boolean;
}

/** `gatewatt demo`. */
export function demoCommand(): Command {
  return new Command('demo')
    .summary('gateway, simulated CSMS and simulated chargers, all on loopback')
    .description(
      'Shows the gateway at work: chargers of three OCPP versions talk through it to\n' +
        'a CSMS, and a hijacked charger and a stolen CSMS account try six things. The\n' +
        'last is to stop every car at once: all chargers hang on one feeder, whose load\n' +
        'commands may change by a third within two seconds. Everything runs on loopback\n' +
        'and ends with Ctrl-C. Without a terminal it prints plain lines.',
    )
    .option('--chargers <count>', 'how many chargers', numberIn(1, 200), 12)
    .option('--gateway-port <port>', 'port of the gateway', numberIn(0, 65_535), 9000)
    .option('--csms-port <port>', 'port of the CSMS', numberIn(0, 65_535), 9001)
    .option('--admin-port <port>', 'port of /metrics and /healthz', numberIn(0, 65_535), 9080)
    .option('--pace <seconds>', 'time between two attacks', numberIn(0, 60), 3)
    .addOption(
      new Option('--preset <name>', 'rules of the gateway; monitor blocks nothing')
        .choices(presetNames)
        .default('standard'),
    )
    .option('--duration <seconds>', 'end by itself after this time', numberIn(1, 86_400))
    .option('--plain', 'plain lines, even on a terminal')
    .addHelpText(
      'after',
      '\nPort 0 lets the system choose.' +
        '\nExit codes: 0 every attack that was tried was stopped or paced, 1 one got through or a port' +
        ' was taken, 2 usage.',
    )
    .action(async (options: DemoArguments) => {
      process.exitCode = await demo(options);
    });
}

async function demo(options: DemoArguments): Promise<number> {
  const ended = [stopSignal()];
  if (options.duration !== undefined) {
    ended.push(sleep(systemClock({ keepAlive: false }), options.duration * 1000));
  }
  try {
    const { allStopped, counts, isSceneOver } = await runDemo({
      chargerCount: options.chargers,
      gatewayPort: options.gatewayPort,
      csmsPort: options.csmsPort,
      adminPort: options.adminPort,
      paceSeconds: options.pace,
      preset: options.preset,
      isPlain: options.plain === true,
      output: process.stdout,
      ended: Promise.race(ended),
    });
    process.stdout.write(`${countsText(counts)}\n`);
    if (!isSceneOver) {
      process.stdout.write('the demo ended before all attacks were tried\n');
      return exitCodes.ok;
    }
    process.stdout.write(
      allStopped ? 'all attacks were stopped or paced\n' : 'AN ATTACK GOT THROUGH\n',
    );
    return allStopped ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    process.stderr.write(`gatewatt: the demo cannot start: ${describeSystemError(error)}\n`);
    process.stderr.write('see gatewatt demo --help for other ports\n');
    return exitCodes.failed;
  }
}

function numberIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}
