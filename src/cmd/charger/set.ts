import { Command } from 'commander';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { findCharger, setCharger } from '../../chargers/registry.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore, recordAct } from '../on-store.ts';
import { withCommonOptions, withIdentity } from './identity-argument.ts';
import { jsonText } from './json-text.ts';
import {
  type GivenOptions,
  readSettings,
  withClearOption,
  withSettingOptions,
} from './setting-options.ts';

interface SetOptions extends GivenOptions {
  readonly config: string;
  readonly json?: true;
}

const help = `
Examples:
  gatewatt charger set CP-1 -c gatewatt.yaml --feeder south --clear notes
  gatewatt charger set CP-1 -c gatewatt.yaml --rule payload=monitor --rule direction=enforce
  gatewatt charger set CP-1 -c gatewatt.yaml --clear rule --no-record-messages

Exit codes: 0 changed, 1 no such charger or the store failed, 2 wrong usage.
`;

/** `gatewatt charger set`. */
export function setCommand(): Command {
  const command = new Command('set')
    .summary('change what is set for a charger')
    .description(
      'Changes what is set for a charger of the registry; what is not named stays. What is set here ' +
        'goes before the configuration file. A running gateway takes notice within a second; the ' +
        'security profile, the subprotocol and the pings count from the next connection on.',
    );
  withClearOption(withSettingOptions(withCommonOptions(withIdentity(command))));
  return command.addHelpText('after', help).action(async (id: ChargerId, options: SetOptions) => {
    process.exitCode = await set(id, options);
  });
}

async function set(id: ChargerId, options: SetOptions): Promise<number> {
  const change = readSettings(options);
  if (!change.ok) {
    for (const mistake of change.error) complain(mistake);
    return exitCodes.usage;
  }
  if (Object.keys(change.value).length === 0) {
    complain('there is nothing to change; see: gatewatt charger set --help');
    return exitCodes.usage;
  }
  return onStore(options.config, async (visit) => {
    const { store } = visit;
    const entry = await store.transactDurably(async (db) => {
      const outcome = await setCharger(db, id, change.value, store.nowMs());
      if (outcome === 'unknown') return undefined;
      const changed = await findCharger(db, id);
      const { identity = id } = changed ?? {};
      await recordAct(visit, db, 'ChargerChanged', identity, { settings: change.value });
      return changed;
    });
    if (entry === undefined) {
      complain(`${id} is not in the registry; add it with: gatewatt charger add`);
      return exitCodes.failed;
    }
    const { identity, settings } = entry;
    const result = { identity, outcome: 'changed', settings };
    process.stdout.write(options.json === true ? jsonText(result) : `${identity} is changed\n`);
    return exitCodes.ok;
  });
}
