import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { auditCommand } from './audit/audit.ts';
import { chargerCommand } from './charger/command.ts';
import { checkCommand } from './check.ts';
import { demoCommand } from './demo/command.ts';
import { exitCodes } from './exit-codes.ts';
import { networkCommand } from './network/command.ts';
import { pkiCommand } from './pki/command.ts';
import { rampCommand } from './ramp/command.ts';
import { serveCommand } from './serve.ts';
import { signCommand } from './sign/command.ts';
import { simulateCommand } from './simulate.ts';

const packageFile = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string };

/**
 * Runs `gatewatt` with these words, and leaves its exit code in `process.exitCode`.
 *
 * @throws what is a defect.
 */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  const program = newProgram();
  for (const command of program.commands) command.exitOverride();
  program.exitOverride();
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end with 0; everything else that commander stops at is a usage mistake.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
}

function newProgram(): Command {
  return new Command('gatewatt')
    .description('Zero-trust security gateway for OCPP, between charging stations and their CSMS.')
    .version(version)
    .showHelpAfterError('(see gatewatt --help)')
    .addCommand(demoCommand())
    .addCommand(serveCommand())
    .addCommand(checkCommand())
    .addCommand(auditCommand())
    .addCommand(chargerCommand())
    .addCommand(rampCommand())
    .addCommand(networkCommand())
    .addCommand(simulateCommand())
    .addCommand(signCommand())
    .addCommand(pkiCommand());
}
