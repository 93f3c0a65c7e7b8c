import { parseArgs } from 'node:util';
import { describeFailure, play } from './play.ts';

// Goal: the properties of decode-admit.test.ts, for as long as somebody is willing to wait.
// Method: npm run fuzz -- --minutes N --seed S. Each seed is one conversation.

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
});
const minutes = Number(values.minutes);
let seed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: npm run fuzz -- [--minutes N] [--seed S]\n');
  process.exit(2);
}

const progressMs = 10_000;
const startedAtMs = performance.now();
let progressAtMs = startedAtMs + progressMs;
let frames = 0;

function report(): void {
  const seconds = (performance.now() - startedAtMs) / 1000;
  process.stdout.write(
    `${seconds.toFixed(0)} s: ${frames} frames, ${(frames / seconds).toFixed(0)} frames/s, next seed ${seed}\n`,
  );
}

while (performance.now() - startedAtMs < minutes * 60_000) {
  const outcome = play(seed);
  if (typeof outcome !== 'number') {
    process.stderr.write(`${describeFailure(outcome)}\n`);
    process.exit(1);
  }
  frames += outcome;
  seed += 1;
  if (performance.now() < progressAtMs) continue;
  progressAtMs += progressMs;
  report();
}
report();
