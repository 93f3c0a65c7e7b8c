import { parseArgs } from 'node:util';
import type { SimulationOptions } from './scenario.ts';
import { replayCommand, SimulationFailure, simulate } from './simulate.ts';

// Goal: the invariants of simulation.test.ts, for as long as somebody is willing to wait.
// Method: npm run simulate:long -- --minutes N [--seed S] [--chargers N] [--seconds N] [--runs N]
// [--no-faults]. One seed after another; the first failure ends it, and says how to run it again.

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    chargers: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '600' },
    runs: { type: 'string', default: 'Infinity' },
    'no-faults': { type: 'boolean', default: false },
  },
});
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
if (!isUsable) {
  process.stderr.write(
    'usage: npm run simulate:long -- [--minutes N] [--seed N] [--chargers N] [--seconds N]' +
      ' [--runs N] [--no-faults]\n',
  );
  process.exit(2);
}

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
