import { describeMistake, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema/config.ts';
import type { NamespaceKeeping } from '../../connection/isolation/namespaces.ts';
import type { IsolatedNetwork } from '../../connection/isolation/network.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { describeSystemError } from '../describe-system-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain } from '../on-store.ts';
import { keepingOf, networksOf } from './networks-of.ts';

/** What a command about networks works with. */
export interface NetworkVisit {
  readonly networks: readonly IsolatedNetwork[];
  readonly keeping: NamespaceKeeping;
  readonly clock: Clock;
}

/**
 * Reads the networks of a configuration and lets `visit` do its work.
 *
 * @returns the exit code: that of `visit`, or that of what went wrong, which is on standard error.
 */
export async function onNetworks(
  configFile: string,
  visit: (visit: NetworkVisit, config: Config) => Promise<number>,
): Promise<number> {
  const config = await loadConfig(configFile);
  if (!config.ok) {
    for (const mistake of config.error) complain(describeMistake(configFile, mistake));
    return exitCodes.usage;
  }
  const { isolation } = config.value;
  if (isolation === undefined) {
    complain(`${configFile} has no isolation section: its chargers are not isolated`);
    return exitCodes.usage;
  }
  const problem = whyNotPossible();
  if (problem !== undefined) {
    complain(`gatewatt: ${problem}`);
    return exitCodes.failed;
  }
  const keeping = keepingOf(isolation, config.value, configFile);
  try {
    const networks = networksOf(isolation);
    return await visit({ networks, keeping, clock: systemClock() }, config.value);
  } catch (error) {
    complain(`gatewatt: ${describeSystemError(error)}`);
    return exitCodes.failed;
  }
}

/** Why this process cannot work on namespaces; undefined when it can. */
export function whyNotPossible(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  return process.geteuid?.() === 0 ? undefined : 'network namespaces need root';
}
