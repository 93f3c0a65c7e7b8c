import { Command } from 'commander';
import { stringify } from 'yaml';
import { describeMistake, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import { exitCodes } from './exit-codes.ts';

/** `gatewatt check`. */
export function checkCommand(): Command {
  return new Command('check')
    .summary('check a configuration file')
    .description(
      'Shows every mistake in a configuration file with its line and column, or, if there is\n' +
        'none, the configuration with all defaults filled in.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('-q, --quiet', 'do not show the configuration')
    .addHelpText('after', '\nExit codes: 0 no mistakes, 2 mistakes.')
    .action(async (options: { readonly config: string; readonly quiet?: boolean }) => {
      process.exitCode = await check(options.config, options.quiet === true);
    });
}

async function check(file: string, isQuiet: boolean): Promise<number> {
  const config = await loadConfig(file);
  if (config.ok) {
    if (!isQuiet) process.stdout.write(stringify(effective(config.value)));
    process.stderr.write(`${file}: no mistakes\n`);
    return exitCodes.ok;
  }
  for (const mistake of config.error) process.stderr.write(`${describeMistake(file, mistake)}\n`);
  const count = config.error.length;
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
      address: address(listener.address),
    })),
    admin: { ...config.admin, address: address(config.admin.address) },
  };
}
