// Runs the tests of one kind, or all of them: node scripts/run-tests.mjs [kind ...]
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const patterns = {
  unit: 'src/**/*.test.ts',
  conformance: 'test/conformance/**/*.test.ts',
  contract: 'test/contract/**/*.test.ts',
  integration: 'test/integration/**/*.test.ts',
  interop: 'test/interop/**/*.test.ts',
  sim: 'test/sim/**/*.test.ts',
  simulation: 'test/simulation/**/*.test.ts',
  fuzz: 'test/fuzz/**/*.test.ts',
  bench: 'bench/**/*.test.ts',
  docs: 'test/docs/**/*.test.ts',
  architecture: 'test/architecture/**/*.test.ts',
};

const compiled = path.join(import.meta.dirname, '../node_modules/.cache/compiled');

const asked = process.argv.slice(2);
const kinds = asked.length === 0 ? Object.keys(patterns) : asked;
const unknown = kinds.filter((kind) => !Object.hasOwn(patterns, kind));
if (unknown.length > 0) {
  console.error(`no such kind of test: ${unknown.join(', ')}; there are ${Object.keys(patterns)}`);
  process.exit(2);
}
// A summary at the end and dots before it: thousands of names would hide a failure.
const reporters = [
  '--test-reporter=./scripts/test-reporter.mjs',
  '--test-reporter-destination=stdout',
];
const files = kinds.map((kind) => patterns[kind]);
const run = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-timeout=120000',
    // Many tests wait for other processes: with one for each processor, these would be idle.
    `--test-concurrency=${availableParallelism() + 1}`,
    ...reporters,
    ...files,
  ],
  {
    stdio: 'inherit',
    // Hundreds of processes load the same sources; each would compile them anew.
    env: { NODE_COMPILE_CACHE: compiled, ...process.env },
  },
);
process.exit(run.status ?? 1);
