import { Command } from 'commander';
import { auditExportCommand } from './export.ts';
import { auditQuarantineCommand } from './quarantine.ts';
import { auditVerifyCommand } from './verify.ts';

/** `gatewatt audit`: what the gateway has decided, and what it has refused. */
export function auditCommand(): Command {
  const command = new Command('audit').description(
    'the audit log, and the quarantine of refused messages',
  );
  for (const subcommand of [auditVerifyCommand(), auditExportCommand(), auditQuarantineCommand()]) {
    // Thrown, so that main.ts alone decides about exit codes.
    subcommand.exitOverride();
    command.addCommand(subcommand);
  }
  return command;
}
