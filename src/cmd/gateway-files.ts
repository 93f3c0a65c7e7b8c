import path from 'node:path';
import type { Config } from '../config/schema/config.ts';
import type { CsmsAuth } from '../gateway/arrivals.ts';
import type { PasswordBatch } from '../identity/authentication.ts';
import { passwordLengthMax } from '../identity/basic-auth.ts';
import { readKeyFile } from './key-file.ts';
import { readSecretFile, withoutLineBreak } from './secret-file.ts';

/** The secrets that a configuration names, read once at the start. */
export interface GatewayFiles {
  readonly batches: readonly PasswordBatch[];
  readonly csmsAuth: CsmsAuth;
}

/** Files that a gateway cannot start without, and cannot use. */
export class GatewayFilesError extends Error {
  override readonly name = 'GatewayFilesError';
}

/** Where a path in the configuration leads: it is relative to the configuration file. */
export function besideConfig(configFile: string, file: string): string {
  return path.resolve(path.dirname(configFile), file);
}

/**
 * Reads the secrets that `config` names.
 *
 * @throws GatewayFilesError, whose text names the files and nothing that is in them.
 */
export async function readGatewayFiles(config: Config, configFile: string): Promise<GatewayFiles> {
  const batches: PasswordBatch[] = [];
  for (const { chargers, name, passwordFile } of config.credentials.batches) {
    const password = await readPassword(besideConfig(configFile, passwordFile));
    const patterns = chargers.map((pattern) => pattern.toLowerCase());
    batches.push({ name, chargers: patterns, password });
  }
  return { batches, csmsAuth: await readCsmsAuth(config, configFile) };
}

async function readPassword(file: string): Promise<Buffer> {
  const read = await readSecretFile(file, passwordLengthMax + '\r\n'.length);
  if (!read.ok) throw new GatewayFilesError(read.error);
  const password = withoutLineBreak(read.value.bytes);
  if (password.length === 0) throw new GatewayFilesError(`${file} holds no password`);
  if (password.length <= passwordLengthMax) return password;
  throw new GatewayFilesError(`${file} has more than ${passwordLengthMax} bytes`);
}

async function readCsmsAuth({ csms }: Config, configFile: string): Promise<CsmsAuth> {
  if (csms.auth.type !== 'perCharger') return { type: csms.auth.type };
  const key = await readKeyFile(besideConfig(configFile, csms.auth.keyFile));
  if (!key.ok) throw new GatewayFilesError(key.error);
  return { type: 'perCharger', key: key.value };
}
