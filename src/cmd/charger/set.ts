import { Command } from 'commander';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { findCharger, setCharger } from '../../chargers/registry.ts';
import { exitCodes } from '../exit-codes.ts';
import { actOn, complain, onStore } from '../on-store.ts';
import { changeCharger, readChanges } from './change-charger.ts';
import { RefusedChange } from './credential-changes.ts';
import {
  changesCredential,
  credentialFields,
  withCredentialChangeOptions,
  withCredentialOptions,
} from './credential-options.ts';
import { withCommonOptions, withIdentity } from './identity-argument.ts';
import { type GivenOptions, withClearOption, withSettingOptions } from './setting-options.ts';

interface SetOptions extends GivenOptions {
  readonly config: string;
  readonly json?: true;
}

const help = `
A password is stored as a hash and cannot be read back. --certificate and its sisters add to the
certificates that the charger has; with --clear certificates they replace them.

Examples:
  gatewatt charger set CP-1 -c gatewatt.yaml --feeder south --clear notes
  gatewatt charger set CP-1 -c gatewatt.yaml --rule payload=monitor --rule direction=enforce
  gatewatt charger set CP-1 -c gatewatt.yaml --clear rule --no-record-messages
  gatewatt charger set CP-1 -c gatewatt.yaml --password-file cp-1.password
  gatewatt charger set CP-1 -c gatewatt.yaml --clear certificates --certificate cp-1.pem
  gatewatt charger set CP-1 -c gatewatt.yaml --raise-to 2

Exit codes: 0 changed, 1 no such charger, it was refused, or the store failed, 2 wrong usage.
`;

/** `gatewatt charger set`. */
export function setCommand(): Command {
  const command = new Command('set')
    .summary('change what is set for a charger')
    .description(
      'Changes what is set for a charger of the registry; what is not named stays. What is set here ' +
        'goes before the configuration file. A running gateway takes notice within a second; the ' +
        'subprotocol and the pings count from the next connection on.',
    );
  withSettingOptions(withCommonOptions(withIdentity(command)));
  withCredentialChangeOptions(withCredentialOptions(command));
  withClearOption(command, credentialFields);
  return command.addHelpText('after', help).action(async (id: ChargerId, options: SetOptions) => {
    process.exitCode = await set(id, options);
  });
}

async function set(id: ChargerId, options: SetOptions): Promise<number> {
  const given = await readChanges(options, credentialFields);
  if (!given.ok) {
    for (const mistake of given.error) complain(mistake);
    return exitCodes.usage;
  }
  const { change, settings } = given.value;
  if (Object.keys(settings).length === 0 && !changesCredential(change)) {
    complain('there is nothing to change; see: gatewatt charger set --help');
    return exitCodes.usage;
  }
  return onStore(options.config, (visit) =>
    changeCharger(visit, id, options, given.value, async (db) => {
      const isThere = (await findCharger(db, id)) !== undefined;
      if (!isThere) {
        throw new RefusedChange(`${id} is not in the registry; add it with: gatewatt charger add`);
      }
      if (Object.keys(settings).length === 0) return { outcome: 'changed', acts: () => [] };
      await setCharger(db, id, settings, visit.store.nowMs());
      return {
        outcome: 'changed',
        acts: (identity) => [actOn('ChargerChanged', identity, { settings })],
      };
    }),
  );
}
