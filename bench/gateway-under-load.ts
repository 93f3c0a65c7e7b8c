import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import {
  type MeasuredProcess,
  makeTemporaryFolder,
  removeTemporaryFolder,
  startMeasuredProcess,
} from './compare/measured-process.ts';

/** A `gatewatt serve` that is being measured. */
export interface MeasuredGateway extends MeasuredProcess {
  /** Host and port of its listener. */
  readonly address: string;
  /** Where a charger with this identity connects, to a listener without TLS. */
  url(identity: string): string;
}

/** What `startMeasuredGateway` has in the section `gateway`. */
export const measuredGatewaySection = { dataDir: 'data', logLevel: 'info', drainSeconds: 0 };

/**
 * Starts `gatewatt serve` from the checkout in `folder` in front of `csmsUrl`, with defaults but for
 * `sections` of the configuration.
 */
export async function startMeasuredGateway(
  folder: string,
  csmsUrl: string,
  sections: object = {},
): Promise<MeasuredGateway> {
  const directory = makeTemporaryFolder();
  const configFile = path.join(directory, 'gatewatt.yaml');
  const listener = { name: 'field', address: '127.0.0.1:0', path: '/ocpp', securityProfile: 0 };
  const config = {
    gateway: measuredGatewaySection,
    listeners: [{ ...listener, allowUnauthenticated: true }],
    csms: { url: csmsUrl },
    chargers: { unknown: 'enroll' },
    admin: { address: '127.0.0.1:0' },
    ...sections,
  };
  await writeFile(configFile, stringify(config));
  const started = Promise.withResolvers<string>();
  const measured = startMeasuredProcess(
    path.join(folder, 'bin/gatewatt'),
    ['serve', '--config', configFile],
    (line) => {
      const entry = JSON.parse(line) as { readonly event: string; readonly listeners?: string[] };
      const port = entry.listeners?.[0]?.split(':').at(-1);
      if (entry.event === 'GatewayStarted' && port !== undefined) {
        started.resolve(`127.0.0.1:${port}`);
      }
    },
  );
  const address = await Promise.race([started.promise, measured.ended]);
  return {
    ...measured,
    address,
    url: (identity) => `ws://${address}/ocpp/${identity}`,
    stop: async () => {
      await measured.stop();
      removeTemporaryFolder(directory);
    },
  };
}
