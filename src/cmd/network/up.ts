import { Command } from 'commander';
import { bringAllUp, takeAllDown } from '../../connection/isolation/all-networks.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain } from '../on-store.ts';
import { onNetworks } from './on-networks.ts';

const help = `
It needs root, iproute2, nftables and util-linux. What is up already is only checked. Namespaces that
an earlier configuration of this gateway had are taken down; nothing is touched that was not made
here. \`gatewatt serve\` does the same when it starts: this command is for doing it earlier, when the
machine starts, so that no charger is ever in the network of the machine.

Exit codes: 0 all networks are up, 1 one is not, 2 wrong usage.
`;

/** `gatewatt network up`. */
export function upCommand(): Command {
  return new Command('up')
    .summary('make the namespaces and move the interfaces in')
    .description(
      'Makes a namespace for each entry of isolation.bindings, closes it with rules of nftables, ' +
        'and moves its interface in.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .addHelpText('after', help)
    .action(async ({ config }: { readonly config: string }) => {
      process.exitCode = await up(config);
    });
}

function up(configFile: string): Promise<number> {
  return onNetworks(configFile, async ({ clock, keeping, networks }) => {
    let isComplete = true;
    const fail = (text: string): void => {
      isComplete = false;
      complain(text);
    };
    for (const { of, ...gone } of await takeAllDown(networks, keeping, clock)) {
      if (gone.ok) process.stdout.write(`${of.namespace} is taken down: it has no binding\n`);
      else fail(`${of.namespace}: ${gone.detail}`);
    }
    await bringAllUp(networks, keeping, clock, ({ of, ...done }) => {
      const { interface: device, name, namespace } = of;
      if (!done.ok) {
        fail(`${name}: ${done.detail}`);
        return;
      }
      if (done.outcome.is === 'missing') {
        fail(`${name}: there is no interface ${device}; its namespace ${namespace} waits for it`);
        return;
      }
      const said = done.outcome.isChanged ? 'is up' : 'was up';
      process.stdout.write(`${name} ${said}: ${device} in ${namespace}\n`);
    });
    return isComplete ? exitCodes.ok : exitCodes.failed;
  });
}
