import { Command } from 'commander';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { addCharger, findCharger } from '../../chargers/registry.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore, recordAct } from '../on-store.ts';
import { withCommonOptions, withIdentity } from './identity-argument.ts';
import { jsonText } from './json-text.ts';
import { type GivenOptions, readSettings, withSettingOptions } from './setting-options.ts';

interface AddOptions extends GivenOptions {
  readonly config: string;
  readonly json?: true;
}

const help = `
A charger that has enrolled itself, or that the configuration file admitted, becomes one that was
added; what was set for it before stays, unless it is set anew.

Examples:
  gatewatt charger add CP-1 -c gatewatt.yaml --feeder north --vendor Example
  gatewatt charger add CP-2 -c gatewatt.yaml --rule payload=monitor:charger --notes "old firmware"

Exit codes: 0 added, 1 it was added before or the store failed, 2 wrong usage.
`;

/** `gatewatt charger add`. */
export function addCommand(): Command {
  const command = new Command('add')
    .summary('let a charger connect')
    .description(
      'Adds a charger to the registry: it may connect, whatever the configuration file says, ' +
        'within a second also to a gateway that is running.',
    );
  withSettingOptions(withCommonOptions(withIdentity(command)));
  return command.addHelpText('after', help).action(async (id: ChargerId, options: AddOptions) => {
    process.exitCode = await add(id, options);
  });
}

async function add(id: ChargerId, options: AddOptions): Promise<number> {
  const mistakes: string[] = [];
  if (id.includes('*')) {
    mistakes.push('<id>: patterns belong into chargers.records of the configuration file');
  }
  const settings = readSettings(options);
  if (!settings.ok) mistakes.push(...settings.error);
  if (mistakes.length > 0 || !settings.ok) {
    for (const mistake of mistakes) complain(mistake);
    return exitCodes.usage;
  }
  return onStore(options.config, async (visit) => {
    const { store } = visit;
    const { outcome, entry } = await store.transactDurably(async (db) => {
      const added = await addCharger(db, id, settings.value, store.nowMs());
      if (added !== 'exists') {
        await recordAct(visit, db, 'ChargerAdded', id, { settings: settings.value });
      }
      return { outcome: added, entry: await findCharger(db, id) };
    });
    if (outcome === 'exists') {
      complain(`${entry?.identity ?? id} was added before; change it with: gatewatt charger set`);
      return exitCodes.failed;
    }
    const result = { identity: id, outcome, settings: entry?.settings ?? {} };
    process.stdout.write(options.json === true ? jsonText(result) : said(id, outcome));
    return exitCodes.ok;
  });
}

function said(id: ChargerId, outcome: 'added' | 'confirmed'): string {
  return outcome === 'confirmed' ? `${id} is added; it had enrolled itself\n` : `${id} is added\n`;
}
