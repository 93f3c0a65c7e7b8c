import type { Config } from '../config/schema/config.ts';
import { listenerFiles, readListener } from '../connection/tls-material.ts';
import { watchCsmsTls } from '../connection/watch-csms-tls.ts';
import { watchFiles } from '../connection/watched-files.ts';
import { systemClock } from '../lib/clock.ts';
import { describeSystemError } from './describe-system-error.ts';
import { readGatewayFiles } from './gateway-files.ts';
import { csmsTlsFiles, listenerTls } from './gateway-options.ts';
import { watchSigningKeys } from './signing-keys.ts';

/**
 * Reads the files that a configuration names as a gateway would: certificates, keys, authorities,
 * revocation lists, passwords and the keys of signed messages.
 *
 * @returns what is wrong with them, one line each; nothing of what is in them.
 */
export async function fileMistakes(config: Config, configFile: string): Promise<readonly string[]> {
  const mistakes: string[] = [];
  const note = async (part: string, read: () => Promise<unknown>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      mistakes.push(`${part}: ${describeSystemError(error)}`);
    }
  };
  for (const listener of config.listeners) {
    const tls = listenerTls(listener, configFile);
    if (tls === undefined) continue;
    await note(`listener ${listener.name}`, async () => {
      const watched = await watchFiles(
        {
          files: listenerFiles(tls),
          parse: (texts) => readListener(tls, texts),
          onChanged: () => {},
          onFailed: () => {},
          onLook: () => {},
        },
        systemClock(),
      );
      watched.close();
    });
  }
  await note('csms', async () => {
    const watched = await watchCsmsTls(csmsTlsFiles(config, configFile), systemClock(), () => {});
    watched.close();
  });
  await note('csms.signing', async () => {
    const watched = await watchSigningKeys(config, configFile, () => {}, systemClock());
    watched?.close();
  });
  await note('secrets', () => readGatewayFiles(config, configFile));
  return mistakes;
}
