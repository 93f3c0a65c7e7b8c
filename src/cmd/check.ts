import { Command } from 'commander';
import { stringify } from 'yaml';
import { describeMistake, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import { fileMistakes } from './check-files.ts';
import { exitCodes } from './exit-codes.ts';
import { checkNetworks } from './network/check-network.ts';
import { onNetworks } from './network/on-networks.ts';

const help = `
With --network it needs root. From inside the namespace of each entry of isolation.bindings it tries
to connect to the CSMS, to an address for documentation that stands for the Internet, to the admin
port, and to the listeners of the other networks. None of them may answer.

Exit codes: 0 no mistakes, and nothing could be reached; 1 something could, or a network is not up;
2 mistakes.
`;

/** `gatewatt check`. */
export function checkCommand(): Command {
  return new Command('check')
    .summary('check a configuration file')
    .description(
      'Shows every mistake in a configuration file with its line and column, or, if there is\n' +
        'none, the configuration with all defaults filled in. The files that it names\n' +
        '(certificates, keys, passwords) are read as a gateway would read them.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('-q, --quiet', 'do not show the configuration')
    .option('--no-files', 'do not read the files that it names, as on another machine')
    .option('--network', 'try instead what chargers can reach from each isolated network')
    .addHelpText('after', help)
    .action(async (options: CheckOptions) => {
      process.exitCode = await (options.network === true
        ? onNetworks(options.config, checkNetworks)
        : check(options));
    });
}

interface CheckOptions {
  readonly config: string;
  readonly quiet?: true;
  readonly files: boolean;
  readonly network?: true;
}

async function check({ config: file, files, quiet }: CheckOptions): Promise<number> {
  const config = await loadConfig(file);
  const mistakes = config.ok
    ? (files ? await fileMistakes(config.value, file) : []).map((text) => `${file}: ${text}`)
    : config.error.map((mistake) => describeMistake(file, mistake));
  if (config.ok && mistakes.length === 0) {
    if (quiet !== true) process.stdout.write(stringify(effective(config.value)));
    process.stderr.write(`${file}: no mistakes\n`);
    return exitCodes.ok;
  }
  for (const mistake of mistakes) process.stderr.write(`${mistake}\n`);
  const count = mistakes.length;
  process.stderr.write(`${count} ${count === 1 ? 'mistake' : 'mistakes'}\n`);
  return exitCodes.usage;
}

/** The configuration as a file could hold it: addresses are texts again. */
function effective(config: Config): unknown {
  const address = ({ host, port }: { readonly host: string; readonly port: number }): string =>
    `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    ...config,
    listeners: config.listeners.map((listener) => ({
      ...listener,
      ...(listener.address && { address: address(listener.address) }),
    })),
    admin: { ...config.admin, address: address(config.admin.address) },
    ...(config.isolation && { isolation: isolationText(config.isolation) }),
  };
}

function isolationText(isolation: NonNullable<Config['isolation']>): unknown {
  const bindings = isolation.bindings.map((binding) => ({
    ...binding,
    addresses: binding.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
  }));
  return { ...isolation, bindings };
}
