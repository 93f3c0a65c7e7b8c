import type { Config } from '../config/schema/config.ts';
import { NetworkKeeper, type UserIds } from '../connection/isolation/keeper.ts';
import { runTool } from '../connection/isolation/run-tool.ts';
import { systemClock } from '../lib/clock.ts';
import { describeSystemError } from './describe-system-error.ts';
import { exitCodes } from './exit-codes.ts';
import { type Isolation, keepingOf, networksOf } from './network/networks-of.ts';
import { whyNotPossible } from './network/on-networks.ts';
import { complain } from './on-store.ts';

/**
 * Keeps the namespaces, and runs the gateway as another user, as `gatewatt serve` with the same
 * configuration: that one finds out that it is kept.
 *
 * @returns the exit code.
 */
export async function keepNetworks(
  isolation: Isolation,
  config: Config,
  configFile: string,
): Promise<number> {
  const problem = whyNotPossible();
  if (problem !== undefined) {
    complain(
      `gatewatt: cannot start: ${problem}. Start it as root: only a small process stays root, and the ` +
        `gateway runs as the user ${isolation.user}. Without the isolation section it needs no root`,
    );
    return exitCodes.failed;
  }
  try {
    const [, script = ''] = process.argv;
    const keeper = new NetworkKeeper({
      networks: networksOf(isolation),
      keeping: keepingOf(isolation, config, configFile),
      program: [process.execPath, ...process.execArgv, script, 'serve', '-c', configFile],
      user: await userIds(isolation.user),
      clock: systemClock(),
      say: (text) => complain(`gatewatt: ${text}`),
    });
    const stop = (): void => keeper.stop();
    process.on('SIGINT', stop).on('SIGTERM', stop);
    return await keeper.run();
  } catch (error) {
    complain(`gatewatt: cannot start: ${describeSystemError(error)}`);
    return exitCodes.failed;
  }
}

async function userIds(user: string): Promise<UserIds> {
  const idOf = async (option: string): Promise<number> =>
    Number(await runTool('id', [option, user]));
  const [uid, gid] = [await idOf('-u'), await idOf('-g')];
  if (uid === 0) throw new Error('isolation.user must not be root');
  return { uid, gid };
}
