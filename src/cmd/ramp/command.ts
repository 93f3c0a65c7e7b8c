import { Command } from 'commander';
import { cancelCommand } from './cancel.ts';
import { liftCommand } from './lift.ts';
import { listCommand } from './list.ts';
import { releaseCommand } from './release.ts';
import { showCommand } from './show.ts';

/** `gatewatt ramp`: commands that change load and wait for their turn, and the budgets of feeders. */
export function rampCommand(): Command {
  const command = new Command('ramp').description(
    'commands that wait, so that the load of a feeder does not change too fast',
  );
  const subcommands = [
    listCommand(),
    showCommand(),
    cancelCommand(),
    releaseCommand(),
    liftCommand(),
  ];
  for (const subcommand of subcommands) {
    // Thrown, so that main.ts alone decides about exit codes.
    subcommand.exitOverride();
    command.addCommand(subcommand);
  }
  return command;
}
