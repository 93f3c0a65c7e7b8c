import { Command } from 'commander';
import { simulateChargerCommand } from './simulate-charger.ts';
import { simulateCsmsCommand } from './simulate-csms.ts';

/** `gatewatt simulate`: chargers and management systems to test with. */
export function simulateCommand(): Command {
  const command = new Command('simulate').description(
    'simulated chargers and management systems (OCPP 1.6, 2.0.1, 2.1)',
  );
  for (const subcommand of [simulateChargerCommand(), simulateCsmsCommand()]) {
    // Thrown, so that main.ts alone decides about exit codes.
    subcommand.exitOverride();
    command.addCommand(subcommand);
  }
  return command;
}
