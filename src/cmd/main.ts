import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { auditCommand } from './audit/audit.ts';
import { chargerCommand } from './charger/command.ts';
import { checkCommand } from './check.ts';
import { demoCommand } from './demo/command.ts';
import { exitCodes } from './exit-codes.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';

const packageFile = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string };

const program = new Command('gatewatt')
  .description('Zero-trust security gateway for OCPP, between charging stations and their CSMS.')
  .version(version)
  .showHelpAfterError('(see gatewatt --help)')
  .addCommand(demoCommand())
  .addCommand(serveCommand())
  .addCommand(checkCommand())
  .addCommand(auditCommand())
  .addCommand(chargerCommand())
  .addCommand(simulateCommand());

for (const command of program.commands) command.exitOverride();
program.exitOverride();

// A reader that has had enough (gatewatt ... | head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version end with 0; everything else that commander stops at is a usage mistake.
  process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
}
