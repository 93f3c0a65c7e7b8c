import { Command } from 'commander';
import { takeAllDown } from '../../connection/isolation/all-networks.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain } from '../on-store.ts';
import { onNetworks } from './on-networks.ts';

const help = `
The interfaces go back into the network of the machine, switched off and without addresses. Stop the
gateway first: while it runs, it brings them up again. Nothing is touched that was not made for this
gateway.

Exit codes: 0 all are down, 1 one is not, 2 wrong usage.
`;

/** `gatewatt network down`. */
export function downCommand(): Command {
  return new Command('down')
    .summary('take the namespaces down')
    .description('Takes down the namespaces that were made for this gateway.')
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .addHelpText('after', help)
    .action(async ({ config }: { readonly config: string }) => {
      process.exitCode = await down(config);
    });
}

function down(configFile: string): Promise<number> {
  return onNetworks(configFile, async ({ clock, keeping }) => {
    const outcomes = await takeAllDown([], keeping, clock);
    for (const { of, ...done } of outcomes) {
      if (!done.ok) complain(`${of.namespace}: ${done.detail}`);
      else process.stdout.write(`${of.namespace} ${done.outcome ? 'is' : 'was'} down\n`);
    }
    if (outcomes.length === 0) process.stdout.write('nothing was up\n');
    return outcomes.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.failed;
  });
}
