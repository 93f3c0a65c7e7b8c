import { parseArgs } from 'node:util';
import type { SimulationOptions } from './scenario.ts';
import { replayCommand, SimulationFailure, simulate } from './simulate.ts';

// Goal: the invariants of simulation.test.ts, for as long as somebody is willing to wait.
// Method: npm run simulate:long. One seed after another; the first failure ends it, and says how to
// run it again.

const usage = `usage: npm run simulate:long -- [options]

  --minutes N    how long one seed is tried after another (60)
  --runs N       how many seeds at most
  --seed N       the first one (1)
  --chargers N   chargers of each run (1000)
  --seconds N    simulated time of each run (600)
  --no-faults    no packet is lost, and nothing crashes

Exit codes: 0 all seeds hold; 1 one does not, and how to replay it is said; 2 wrong usage.
`;

const values = readOptions();
const minutes = Number(values.minutes);
const chargers = Number(values.chargers);
const seconds = Number(values.seconds);
const runs = Number(values.runs);
const firstSeed = Number(values.seed);
const isUsable =
  minutes > 0 &&
  runs > 0 &&
  Number.isSafeInteger(firstSeed) &&
  Number.isSafeInteger(chargers) &&
  chargers > 0 &&
  seconds > 0;
if (!isUsable) refuse('these numbers make no sense');

const startedAtMs = performance.now();
const spentMs = (): number => performance.now() - startedAtMs;

for (let run = 0; run < runs && spentMs() < minutes * 60_000; run += 1) {
  const hasFaults = !values['no-faults'];
  const options: SimulationOptions = { seed: firstSeed + run, chargers, seconds, hasFaults };
  const beganAtMs = performance.now();
  try {
    const { events, hash, simulatedSeconds, steps } = await simulate(options);
    const took = ((performance.now() - beganAtMs) / 1000).toFixed(1);
    process.stdout.write(
      `${(spentMs() / 1000).toFixed(0)} s: seed ${options.seed} holds, trace ${hash}, ` +
        `${steps} steps, ${simulatedSeconds.toFixed(0)} simulated s in ${took} s, ` +
        `${events['FrameAdmitted'] ?? 0} messages, ${events['GatewayStarted'] ?? 0} gateways\n`,
    );
  } catch (error) {
    const isFailure = error instanceof SimulationFailure;
    process.stderr.write(`${isFailure ? error.message : String(error)}\n`);
    if (!isFailure) process.stderr.write(`again: ${replayCommand(options)}\n`);
    process.exit(1);
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '60' },
        seed: { type: 'string', default: '1' },
        chargers: { type: 'string', default: '1000' },
        seconds: { type: 'string', default: '600' },
        runs: { type: 'string', default: 'Infinity' },
        'no-faults': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (!values.help) return values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  process.stdout.write(usage);
  process.exit(0);
}

function refuse(complaint: string): never {
  process.stderr.write(`${complaint}\n\n${usage}`);
  process.exit(2);
}
