import { Command } from 'commander';
import { signingKeyCommand } from './signing-key.ts';

/** `gatewatt pki`. */
export function pkiCommand(): Command {
  const command = new Command('pki').summary('make keys and certificates');
  command.addCommand(signingKeyCommand().exitOverride());
  return command;
}
