import { CommanderError } from 'commander';
import { simulateCommand } from '../../src/cmd/simulate.ts';

/** What main.ts does, for `simulate` alone, so that its test does not need the gateway. */
try {
  await simulateCommand().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
