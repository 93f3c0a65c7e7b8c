import { Command } from 'commander';
import { downCommand } from './down.ts';
import { statusCommand } from './status.ts';
import { upCommand } from './up.ts';

/** `gatewatt network`: the namespaces that keep chargers apart. */
export function networkCommand(): Command {
  const command = new Command('network').description(
    'the networks of chargers, each in a namespace of its own',
  );
  for (const subcommand of [upCommand(), downCommand(), statusCommand()]) {
    subcommand.exitOverride();
    command.addCommand(subcommand);
  }
  return command;
}
