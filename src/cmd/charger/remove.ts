import { Command } from 'commander';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { recordsFromList } from '../../chargers/record.ts';
import { findCharger, removeCharger } from '../../chargers/registry.ts';
import type { Config } from '../../config/schema/config.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore, recordAct } from '../on-store.ts';
import { claimOf } from './charger-status.ts';
import { withCommonOptions, withIdentity } from './identity-argument.ts';
import { jsonText } from './json-text.ts';

interface RemoveOptions {
  readonly config: string;
  readonly json?: true;
}

const help = `
What gateways have learned about the charger is deleted as well. Its transactions stay, and so does
a quarantine of its identity.

Example:
  gatewatt charger remove CP-1 -c gatewatt.yaml

Exit codes: 0 removed, 1 no such charger or the store failed, 2 wrong usage.
`;

/** `gatewatt charger remove`. */
export function removeCommand(): Command {
  const command = new Command('remove')
    .summary('take a charger out of the registry')
    .description(
      'Takes a charger out of the registry. A running gateway ends its connection, unless the ' +
        'configuration file admits it.',
    );
  withCommonOptions(withIdentity(command));
  return command
    .addHelpText('after', help)
    .action(async (id: ChargerId, options: RemoveOptions) => {
      process.exitCode = await remove(id, options);
    });
}

async function remove(id: ChargerId, options: RemoveOptions): Promise<number> {
  return onStore(options.config, async (visit) => {
    const { config, store } = visit;
    const removed = await store.transactDurably(async (db) => {
      const entry = await findCharger(db, id);
      const outcome = await removeCharger(db, id, store.nowMs());
      if (outcome === 'unknown') return undefined;
      const { identity = id } = entry ?? {};
      const claim = await claimOf(db, id, store.nowMs());
      await recordAct(visit, db, 'ChargerRemoved', identity, {});
      return { identity, connectedTo: claim?.connectedTo ?? null };
    });
    if (removed === undefined) {
      complain(`${id} is not in the registry`);
      return exitCodes.failed;
    }
    const stillAdmittedBy = admittedBy(config, id);
    if (options.json === true) {
      process.stdout.write(jsonText({ ...removed, outcome: 'removed', stillAdmittedBy }));
      return exitCodes.ok;
    }
    process.stdout.write(`${removed.identity} is removed\n`);
    if (stillAdmittedBy !== null) complain(`It may still connect: ${stillAdmittedBy}`);
    else if (removed.connectedTo !== null) {
      complain(`It is connected: gateway ${removed.connectedTo} will end its connection`);
    }
    return exitCodes.ok;
  });
}

/** What admits a charger that is not in the registry; null when nothing does. */
function admittedBy({ chargers }: Config, id: ChargerId): string | null {
  const record = recordsFromList(chargers.records).find(id);
  if (record !== undefined) return `the record "${record.id}" in the configuration file admits it`;
  return chargers.unknown === 'enroll'
    ? 'chargers.unknown is enroll, so that it would enroll itself'
    : null;
}
