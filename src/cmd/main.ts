import { runCommandLine } from './command-line.ts';
import { exitCodes } from './exit-codes.ts';

// A reader that has had enough (gatewatt ... | head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
});

await runCommandLine(process.argv.slice(2));
