import { type Command, InvalidArgumentError } from 'commander';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { identityLengthMax, parseChargerId } from '../../identity/parse-charger-id.ts';

/** Adds the argument ID: an identity that a charger could connect with. */
export function withIdentity(command: Command): Command {
  return command.argument('<id>', 'the identity of the charger', readIdentity);
}

/** Adds what all commands have: the configuration file that names the store, and --json. */
export function withCommonOptions(command: Command): Command {
  return command
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('--json', 'one JSON value for programs');
}

/** What an identity must be, for whoever typed something else. */
export const identityDemand =
  `must be 1 to ${identityLengthMax} characters of printable ASCII, without slashes, ` +
  'backslashes, percent signs, "..", and spaces at its ends';

/** The identity that `text` is, if a charger could connect with it. */
export function identityIn(text: string): ChargerId | undefined {
  // As it would stand in a request, and read by the same code: what is added can connect.
  const target = `/${encodeURIComponent(text.toWellFormed())}`;
  const id = parseChargerId(target, ['/'], { from: 'path' });
  return id.ok ? id.value : undefined;
}

function readIdentity(text: string): ChargerId {
  const id = identityIn(text);
  if (id === undefined) throw new InvalidArgumentError(`It ${identityDemand}.`);
  return id;
}
