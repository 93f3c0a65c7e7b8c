import { runCommandLine } from './command-line.ts';
import { exitCodes } from './exit-codes.ts';
import { pkiCommand } from './pki/command.ts';
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
  .addCommand(simulateCommand())
  .addCommand(pkiCommand());

for (const command of program.commands) command.exitOverride();
program.exitOverride();

// A reader that has had enough (gatewatt ... | head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
});

await runCommandLine(process.argv.slice(2));
