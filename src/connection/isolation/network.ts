/** An address of the gateway in a network. */
export interface NetworkAddress {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  /** Bits of the address that name the network. */
  readonly prefixLength: number;
}

/** What the gateway answers in a network beside OCPP. */
export interface NetworkServices {
  /** Gives away addresses of a range. */
  readonly dhcp?: { readonly from: string; readonly to: string; readonly leaseSeconds: number };
  /** Names that are answered with the gateway's own addresses. */
  readonly dnsNames: readonly string[];
  readonly ntp: boolean;
}

/**
 * A network with a charger, or a small group of them, in a namespace of its own.
 *
 * Source: PNNL-35706 section 4.0, figures 5 and 6.
 */
export interface IsolatedNetwork {
  /** 1 to 24 of a-z, 0-9 and `-`. */
  readonly name: string;
  /** The name of its namespace, as `ip netns` has it. */
  readonly namespace: string;
  /** The interface that belongs into it. */
  readonly interface: string;
  readonly addresses: readonly NetworkAddress[];
  /** The TCP port of the listener. */
  readonly port: number;
  /** TCP ports, of whatever address, that lead to the listener. */
  readonly redirectPorts: readonly number[];
  readonly services: NetworkServices;
}

/** Sockets that are opened inside a network, by what they are for. */
export const networkSockets = ['listener', 'dhcp', 'dns', 'ntp'] as const;
export type NetworkSocket = (typeof networkSockets)[number];

/** UDP ports of the services. */
export const servicePorts = { dhcp: 67, dns: 53, ntp: 123 } as const;

/** The sockets that `network` needs. */
export function socketsOf({ services }: IsolatedNetwork): readonly NetworkSocket[] {
  const { dhcp, dnsNames, ntp } = services;
  return [
    'listener',
    ...(dhcp === undefined ? [] : (['dhcp'] as const)),
    ...(dnsNames.length === 0 ? [] : (['dns'] as const)),
    ...(ntp ? (['ntp'] as const) : []),
  ];
}

/** Where `ip netns` keeps a namespace. */
export function namespaceFile(namespace: string): string {
  return `/run/netns/${namespace}`;
}

/** Has it an address of this family? */
export function hasFamily(
  { addresses }: IsolatedNetwork,
  family: NetworkAddress['family'],
): boolean {
  return addresses.some((it) => it.family === family);
}
