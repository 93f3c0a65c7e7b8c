import { Command } from 'commander';
import type { ChargerId } from '../../chargers/charger-id.ts';
import { findCharger } from '../../chargers/registry.ts';
import { releaseIdentity } from '../../chargers/registry-quarantine.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain, onStore, recordAct } from '../on-store.ts';
import { withCommonOptions, withIdentity } from './identity-argument.ts';
import { jsonText } from './json-text.ts';

interface ReleaseOptions {
  readonly config: string;
  readonly json?: true;
}

const help = `
Example:
  gatewatt charger release CP-1 -c gatewatt.yaml

Exit codes: 0 released, 1 it is not quarantined or the store failed, 2 wrong usage.
`;

/** `gatewatt charger release`. */
export function releaseCommand(): Command {
  const command = new Command('release')
    .summary('end the quarantine of an identity')
    .description('Ends the quarantine of an identity before its time.');
  withCommonOptions(withIdentity(command));
  return command
    .addHelpText('after', help)
    .action(async (id: ChargerId, options: ReleaseOptions) => {
      process.exitCode = await release(id, options);
    });
}

async function release(id: ChargerId, options: ReleaseOptions): Promise<number> {
  return onStore(options.config, async (visit) => {
    const { store } = visit;
    const released = await store.transactDurably(async (db) => {
      const outcome = await releaseIdentity(db, id, store.nowMs());
      const identity = (await findCharger(db, id))?.identity ?? id;
      if (outcome === 'released') await recordAct(visit, db, 'IdentityReleased', identity, {});
      return { identity, outcome };
    });
    if (released.outcome === 'not-quarantined') {
      complain(`${released.identity} is not quarantined`);
      return exitCodes.failed;
    }
    const text = `${released.identity} may connect again\n`;
    process.stdout.write(options.json === true ? jsonText(released) : text);
    return exitCodes.ok;
  });
}
