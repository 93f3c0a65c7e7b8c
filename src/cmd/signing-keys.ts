import type { Config } from '../config/schema/config.ts';
import { type Watched, watchFiles } from '../connection/watched-files.ts';
import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import { type KeySet, readKeySet } from '../signing/key-set.ts';
import { besideConfig } from './gateway-files.ts';

/** Bytes of a file with keys; a set of 32 keys has less. */
const fileBytesMax = 256 * 1024;

/**
 * Reads the keys that the CSMS may sign with, and reads them again when their files change. Keys
 * that cannot be read change nothing.
 *
 * @returns undefined when no key is pinned.
 * @throws Error when they cannot be used at the start; its message names the file.
 */
export async function watchSigningKeys(
  { csms: { signing } }: Config,
  configFile: string,
  emit: EventSink,
  clock: Clock,
): Promise<Watched<KeySet> | undefined> {
  const { algorithms, certificateFiles, keysFile } = signing;
  const at = (file: string): string => besideConfig(configFile, file);
  const jwksPath = keysFile === undefined ? undefined : at(keysFile);
  const certificatePaths = certificateFiles.map(at);
  const paths = jwksPath === undefined ? certificatePaths : [jwksPath, ...certificatePaths];
  if (paths.length === 0) return undefined;
  const loaded = (keys: KeySet): void =>
    emit({ name: 'SigningKeysLoaded', keys: keys.descriptions });
  const watched = await watchFiles<KeySet>(
    {
      files: paths.map((path) => ({ path, bytesMax: fileBytesMax })),
      parse: (texts): Result<KeySet, string> => {
        const certificates = certificatePaths.map((path) => texts.get(path) ?? '');
        const jwks = jwksPath === undefined ? undefined : texts.get(jwksPath);
        const keys = readKeySet({ jwks, certificates }, algorithms);
        return keys.ok ? ok(keys.value) : failed(`${paths.join(', ')}: ${keys.error}`);
      },
      onChanged: loaded,
      onFailed: (detail) => emit({ name: 'SigningKeysReloadFailed', detail }),
      onLook: () => {},
    },
    clock,
  );
  loaded(watched.current());
  return watched;
}
