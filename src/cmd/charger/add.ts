import { Command } from 'commander';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { addCharger, findCharger } from '../../chargers/registry.ts';
import { exitCodes } from '../exit-codes.ts';
import { actOn, complain, onStore } from '../on-store.ts';
import { changeCharger, readChanges } from './change-charger.ts';
import { RefusedChange } from './credential-changes.ts';
import { withCredentialOptions } from './credential-options.ts';
import { withCommonOptions, withIdentity } from './identity-argument.ts';
import { type GivenOptions, withSettingOptions } from './setting-options.ts';

interface AddOptions extends GivenOptions {
  readonly config: string;
  readonly json?: true;
}

const help = `
A charger that has enrolled itself, or that the configuration file admitted, becomes one that was
added; what was set for it before stays, unless it is set anew. A password is stored as a hash and
cannot be read back.

Examples:
  gatewatt charger add CP-1 -c gatewatt.yaml --feeder north --vendor Example
  gatewatt charger add CP-2 -c gatewatt.yaml --rule payload=monitor:charger --notes "old firmware"
  gatewatt charger add CP-3 -c gatewatt.yaml --password-file cp-3.password --security-profile 2
  gatewatt charger add CP-4 -c gatewatt.yaml --certificate-name SN-0815 --security-profile 3

Exit codes: 0 added, 1 it was added before, it was refused, or the store failed, 2 wrong usage.
`;

/** `gatewatt charger add`. */
export function addCommand(): Command {
  const command = new Command('add')
    .summary('let a charger connect')
    .description(
      'Adds a charger to the registry: it may connect, whatever the configuration file says, ' +
        'within a second also to a gateway that is running.',
    );
  withCredentialOptions(withSettingOptions(withCommonOptions(withIdentity(command))));
  return command.addHelpText('after', help).action(async (id: ChargerId, options: AddOptions) => {
    process.exitCode = await add(id, options);
  });
}

async function add(id: ChargerId, options: AddOptions): Promise<number> {
  const given = await readChanges(options, []);
  const mistakes = [
    ...(id.includes('*')
      ? ['<id>: patterns belong into chargers.records of the configuration file']
      : []),
    ...(given.ok ? [] : given.error),
  ];
  if (mistakes.length > 0 || !given.ok) {
    for (const mistake of mistakes) complain(mistake);
    return exitCodes.usage;
  }
  const { settings } = given.value;
  return onStore(options.config, (visit) =>
    changeCharger(visit, id, options, given.value, async (db) => {
      const outcome = await addCharger(db, id, settings, visit.store.nowMs());
      if (outcome === 'exists') {
        const { identity = id } = (await findCharger(db, id)) ?? {};
        throw new RefusedChange(
          `${identity} was added before; change it with: gatewatt charger set`,
        );
      }
      return { outcome, acts: (identity) => [actOn('ChargerAdded', identity, { settings })] };
    }),
  );
}
