import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/schema/config.ts';
import type { Clock } from '../lib/clock.ts';
import { openStore, type StoreLocation } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';

/**
 * Opens the store that a configuration names.
 *
 * @param isGateway whether a gateway asks, which keeps an SQLite file to itself; the command line
 *   only visits.
 * @throws StoreError, or the system's error when a file cannot be read or made.
 */
export async function openConfiguredStore(
  config: Config,
  configFile: string,
  isGateway: boolean,
  clock: Clock,
): Promise<Store> {
  return openStore(await storeLocation(config, configFile, isGateway), clock);
}

async function storeLocation(
  { gateway, store }: Config,
  configFile: string,
  isGateway: boolean,
): Promise<StoreLocation> {
  const folder = path.dirname(configFile);
  if (store.urlFile === undefined) {
    return { type: 'sqlite', directory: path.resolve(folder, gateway.dataDir), isGateway };
  }
  const url = (await readFile(path.resolve(folder, store.urlFile), 'utf8')).trim();
  if (!/^postgres(?:ql)?:\/\/\S+$/.test(url)) {
    // The text may hold a password: it is not repeated.
    throw new StoreError('unavailable', `${store.urlFile} does not hold a postgres:// URL`);
  }
  return { type: 'postgres', url };
}
