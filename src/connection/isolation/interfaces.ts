import { readFile } from 'node:fs/promises';
import type { IsolatedNetwork, NetworkAddress } from './network.ts';
import { runTool } from './run-tool.ts';

/** An interface as `ip -json address` shows it. */
export interface InterfaceState {
  readonly name: string;
  readonly isUp: boolean;
  /** Does its cable, or its other end, carry something? */
  readonly hasCarrier: boolean;
  /** Addresses of global scope, with the lengths of their networks: 192.168.1.1/24. */
  readonly addresses: readonly string[];
}

/** Names of the interfaces that this process sees. */
export async function visibleInterfaces(): Promise<ReadonlySet<string>> {
  // Not /sys/class/net, which shows the network of whoever has mounted it.
  const text = await readFile('/proc/self/net/dev', 'utf8');
  const names = text.split('\n').flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
  return new Set(names);
}

/** The interfaces in a namespace, but for its loopback. */
export async function interfacesIn(namespace: string): Promise<readonly InterfaceState[]> {
  const text = await runTool('ip', ['-json', '-n', namespace, 'address', 'show']);
  const links = JSON.parse(text === '' ? '[]' : text) as readonly LinkJson[];
  return links.flatMap(({ addr_info: infos = [], flags = [], ifname }) => {
    // `ip` prints an empty object for what it leaves out.
    if (ifname === undefined || ifname === 'lo') return [];
    const addresses = infos.flatMap(({ local, prefixlen, scope }) =>
      scope === 'global' && local !== undefined ? [`${local}/${prefixlen}`] : [],
    );
    const [isUp, hasCarrier] = [flags.includes('UP'), flags.includes('LOWER_UP')];
    return [{ name: ifname, isUp, hasCarrier, addresses }];
  });
}

interface LinkJson {
  readonly ifname?: string;
  readonly flags?: readonly string[];
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly scope?: string;
  }[];
}

/** Does the machine itself reach others through this interface? */
export async function isUplink(name: string): Promise<boolean> {
  for (const family of ['-4', '-6']) {
    const text = await runTool('ip', ['-json', family, 'route', 'show', 'default']);
    const routes = JSON.parse(text === '' ? '[]' : text) as readonly { readonly dev?: string }[];
    if (routes.some(({ dev }) => dev === name)) return true;
  }
  return false;
}

/** Moves an interface out of the network of this process. Its addresses go. */
export async function moveInto(namespace: string, name: string): Promise<void> {
  await runTool('ip', ['link', 'set', 'dev', name, 'netns', namespace]);
}

/** Moves it back. */
export async function moveBack(namespace: string, name: string): Promise<void> {
  const here = String(process.pid);
  await runTool('ip', ['-n', namespace, 'link', 'set', 'dev', name, 'netns', here]);
}

/** Gives the interface of a network its addresses, and no others, and switches it on. */
export async function setUpInterface(
  { addresses, interface: name, namespace, services }: IsolatedNetwork,
  current: InterfaceState,
): Promise<void> {
  const wanted = new Map<string, NetworkAddress>(
    addresses.map((it) => [`${canonical(it.address)}/${it.prefixLength}`, it] as const),
  );
  const has = new Set<string>(current.addresses.map(withCanonical));
  const lines: string[] = [];
  for (const text of current.addresses) {
    if (!wanted.has(withCanonical(text))) lines.push(`address delete ${text} dev ${name}`);
  }
  for (const [text, { family }] of wanted) {
    if (has.has(text)) continue;
    // Nobody else in there is asked whether the address is free: it is the gateway's.
    lines.push(`address add ${text} dev ${name}${family === 'ipv6' ? ' nodad' : ''}`);
  }
  lines.push(`link set dev ${name} up`);
  // Whoever has made one meant well; there is nowhere to go from here.
  lines.push('route flush default');
  if (services.dhcp !== undefined) {
    // Answers to those who have no address yet go to everybody.
    lines.push(`route replace 255.255.255.255/32 dev ${name}`);
  }
  await runTool('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
  if (addresses.some(({ family }) => family === 'ipv6')) {
    await runTool('ip', ['-n', namespace, '-6', 'route', 'flush', 'default']);
  }
}

function withCanonical(text: string): string {
  const [address = '', length = ''] = text.split('/');
  return `${canonical(address)}/${length}`;
}

/** IPv6 addresses have several spellings; RFC 5952 has one. */
export function canonical(address: string): string {
  if (!address.includes(':')) return address;
  return URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? address;
}
