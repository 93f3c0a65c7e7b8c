import { z } from 'zod';
import { chargerPattern, filePath } from './fields.ts';

const figure = 'PNNL-35706 section 4.0, figures 5 and 6';

const port = z.int().min(1).max(65_535);

/** An address of an interface with the length of its network, such as 192.168.101.1/24. */
const interfaceAddress = z
  .string()
  .max(64)
  .transform((text, context) => {
    const [address = '', length = ''] = text.split('/');
    const isIpv4 = z.cidrv4().safeParse(text).success;
    // A network of all addresses is none.
    if (!(isIpv4 || z.cidrv6().safeParse(text).success) || Number(length) === 0) {
      context.addIssue({
        code: 'custom',
        message: 'must be an address with the length of its network, such as 192.168.101.1/24',
      });
      return z.NEVER;
    }
    return { family: isIpv4 ? 'ipv4' : 'ipv6', address, prefixLength: Number(length) } as const;
  });

const ipv4 = z.ipv4('must be an IPv4 address');

const hostName = z
  .string()
  .max(253)
  .regex(/^(?:(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.|$))+$/, 'must be a host name');

const dhcp = z.strictObject({
  from: ipv4.meta({ description: 'The first address that is given away.' }),
  to: ipv4.meta({ description: 'The last one, at most 255 after it.' }),
  leaseSeconds: z.int().min(60).max(86_400).default(3600).meta({
    description: 'How long a charger may keep its address without asking again.',
  }),
});

/** One entry of `isolation.bindings`. */
export const bindingEntry = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^(?!-|.*-$)[a-z0-9-]{1,24}$/,
        'must be 1 to 24 of a-z, 0-9 and -, and neither begin nor end with -',
      )
      .meta({
        description:
          'The name of the network, in log and tables. Its namespace is `namespacePrefix` with this.',
      }),
    interface: z
      .string()
      .regex(/^(?!\.{1,2}$|lo$)[A-Za-z0-9._-]{1,15}$/, 'must be the name of an interface')
      .meta({
        description:
          'The interface that the chargers are behind: a port, a VLAN sub-interface, a veth, ' +
          'WireGuard, or any other. It is moved into the namespace, and is not seen outside.',
        source: figure,
      }),
    addresses: z
      .array(interfaceAddress)
      .min(1)
      .max(4)
      .meta({
        description:
          'The addresses of the gateway in there, with the length of their networks: ' +
          '192.168.101.1/24. Two networks may have the same.',
      }),
    listener: z.string().min(1).max(64).meta({
      description: 'The entry of `listeners` whose settings hold in there.',
    }),
    port: port.meta({ description: 'The port that the listener has in there.' }),
    chargers: z
      .array(chargerPattern)
      .min(1)
      .max(64)
      .meta({
        description:
          'Who may connect from there: identities, or patterns with `*`. They may connect from ' +
          'nowhere else.',
        source: figure,
      }),
    redirectPorts: z
      .array(port)
      .max(16)
      .default([])
      .meta({
        description:
          'What chargers send to these ports of any address arrives at the listener: for chargers ' +
          'that are set up with the name and the port of the CSMS.',
        source: figure,
      }),
    connectionsMax: z.int().min(1).max(10_000).default(16).meta({
      description: 'Open TCP connections from there. A flood takes nothing from the others.',
    }),
    dhcp: dhcp.optional().meta({
      description: 'Gives the chargers IPv4 addresses, with the gateway as their router.',
    }),
    dnsNames: z
      .array(hostName)
      .max(16)
      .default([])
      .meta({
        description:
          'Names that the gateway answers with its own address, and all others with "no such name". ' +
          'Without them it answers no DNS.',
      }),
    ntp: z
      .boolean()
      .default(false)
      .meta({ description: 'Tells the time of its own clock by NTP.' }),
  })
  .superRefine(({ addresses, dhcp: lease }, context) => {
    if (lease === undefined) return;
    const own = addresses.find(({ family }) => family === 'ipv4');
    const mistake =
      own === undefined ? 'needs an IPv4 address in addresses' : rangeMistake(lease, own);
    if (mistake !== undefined) {
      context.addIssue({ code: 'custom', path: ['dhcp'], message: mistake });
    }
  });

/** Addresses that a DHCP range may have. */
const rangeMax = 256;

function rangeMistake(
  { from, to }: z.output<typeof dhcp>,
  { address, prefixLength }: { readonly address: string; readonly prefixLength: number },
): string | undefined {
  const [first, last] = [numberOf(from), numberOf(to)];
  if (first > last || last - first >= rangeMax) return 'must go up, by at most 256 addresses';
  const own = numberOf(address);
  const size = 2 ** (32 - prefixLength);
  const isInside = (one: number): boolean => Math.floor(one / size) === Math.floor(own / size);
  if (!isInside(first) || !isInside(last)) return 'must be within the network of addresses';
  return first <= own && own <= last ? 'must not hold the address of the gateway' : undefined;
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The `isolation` section. */
export const isolationSection = z
  .strictObject({
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be the name of a user')
      .default('gatewatt')
      .meta({
        description:
          'The user that the gateway runs as. Only a small process that keeps the namespaces is root.',
      }),
    namespacePrefix: z
      .string()
      .regex(/^[a-z0-9-]{1,24}$/)
      .default('gatewatt-')
      .meta({ description: 'What the names of the namespaces begin with.' }),
    stateDir: filePath.default('/run/gatewatt').meta({
      description:
        'Where is noted which namespaces were made here, so that nothing else is ever touched. ' +
        'Belongs on a file system that a restart of the machine empties.',
    }),
    bindings: z
      .array(bindingEntry)
      .min(1)
      .max(1024)
      .meta({ description: 'The networks, each in a namespace of its own.', source: figure }),
  })
  .superRefine(({ bindings }, context) => {
    for (const key of ['name', 'interface'] as const) {
      for (const [index, binding] of bindings.entries()) {
        if (bindings.findIndex((other) => other[key] === binding[key]) === index) continue;
        const message = `another binding has this ${key}`;
        context.addIssue({ code: 'custom', path: ['bindings', index, key], message });
      }
    }
  });
