import path from 'node:path';
import type { Config } from '../../config/schema/config.ts';
import { NamespaceRecords } from '../../connection/isolation/namespace-record.ts';
import type { NamespaceKeeping } from '../../connection/isolation/namespaces.ts';
import type { IsolatedNetwork } from '../../connection/isolation/network.ts';
import { besideConfig } from '../gateway-files.ts';

/** The `isolation` section of a configuration that has one. */
export type Isolation = NonNullable<Config['isolation']>;

/** The networks that the configuration describes. */
export function networksOf({ bindings, namespacePrefix }: Isolation): readonly IsolatedNetwork[] {
  return bindings.map(
    ({ addresses, dhcp, dnsNames, interface: device, name, ntp, port, redirectPorts }) => ({
      name,
      namespace: `${namespacePrefix}${name}`,
      interface: device,
      addresses,
      port,
      redirectPorts,
      services: { ...(dhcp && { dhcp }), dnsNames, ntp },
    }),
  );
}

/** Whose namespaces they are, and where that is noted. */
export function keepingOf(
  { stateDir }: Isolation,
  { gateway }: Config,
  configFile: string,
): NamespaceKeeping {
  const directory = path.join(besideConfig(configFile, stateDir), 'namespaces');
  return { gateway: gateway.id, directory, records: new NamespaceRecords(directory) };
}
