import { Command } from 'commander';
import { addCommand } from './add.ts';
import { importCommand } from './import/import.ts';
import { listCommand } from './list.ts';
import { quarantineCommand } from './quarantine.ts';
import { releaseCommand } from './release.ts';
import { removeCommand } from './remove.ts';
import { rotateCommand } from './rotate.ts';
import { setCommand } from './set.ts';
import { showCommand } from './show.ts';

/** `gatewatt charger`: the registry of chargers, whether or not a gateway is running. */
export function chargerCommand(): Command {
  const command = new Command('charger').description(
    'which chargers may connect, and what is known of them',
  );
  const subcommands = [
    listCommand(),
    showCommand(),
    addCommand(),
    setCommand(),
    importCommand(),
    rotateCommand(),
    removeCommand(),
    quarantineCommand(),
    releaseCommand(),
  ];
  for (const subcommand of subcommands) {
    // Thrown, so that main.ts alone decides about exit codes.
    subcommand.exitOverride();
    command.addCommand(subcommand);
  }
  return command;
}
