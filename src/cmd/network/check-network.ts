import { lookup } from 'node:dns/promises';
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config } from '../../config/schema/config.ts';
import { type NetworkStatus, statusOf } from '../../connection/isolation/namespaces.ts';
import type { IsolatedNetwork } from '../../connection/isolation/network.ts';
import type { ReachTarget } from '../../connection/isolation/probe-reach.ts';
import {
  hasDefaultRoute,
  isForwarding,
  type Reach,
  reachFrom,
} from '../../connection/isolation/reach.ts';
import { exitCodes } from '../exit-codes.ts';
import { complain } from '../on-store.ts';
import { textTable } from '../text-table.ts';
import type { NetworkVisit } from './on-networks.ts';

/** Addresses for documentation, which are nobody's: RFC 5737 section 3, RFC 3849. */
const nowhereOnEarth: readonly ReachTarget[] = [
  { host: '192.0.2.1', port: 443 },
  { host: '2001:db8::1', port: 443 },
];

/**
 * Tries from inside each network what a charger there must not be able to do, and prints a table.
 *
 * @returns the exit code: 0 when nothing can be reached from anywhere, 1 when something can, or a
 *   network is not up.
 */
export async function checkNetworks(
  { keeping, networks }: NetworkVisit,
  { admin, csms }: Config,
): Promise<number> {
  const csmsTargets = await targetsOf(csms.url);
  const adminTargets = addressesOf(admin.address.host).map((host) => {
    return { host, port: admin.address.port };
  });
  const rows: (readonly string[])[] = [];
  const problems: string[] = [];
  for (const network of networks) {
    const status = await statusOf(network, keeping);
    const problem = whyNotUp(status);
    if (problem !== undefined) {
      problems.push(`${network.name}: ${problem}`);
      rows.push([network.name, 'NOT UP', ...Array<string>(columns.length - 2).fill('-')]);
      continue;
    }
    const others = networks.filter((other) => other !== network).flatMap(targetsIn(network));
    const groups = [csmsTargets, nowhereOnEarth, adminTargets, others];
    const reaches = await reachFrom(network.namespace, groups.flat());
    for (const { outcome, target } of reaches.filter(({ isReached }) => isReached)) {
      problems.push(`${network.name}: ${target.host}:${target.port} was reached (${outcome})`);
    }
    const [isOpen, passesOn] = [
      await hasDefaultRoute(network.namespace),
      await isForwarding(network.namespace),
    ];
    if (isOpen) problems.push(`${network.name}: it has a default route`);
    if (passesOn) problems.push(`${network.name}: its namespace passes packets on`);
    let from = 0;
    const cells = groups.map((group) => {
      const part = reaches.slice(from, from + group.length);
      from += group.length;
      return cellOf(part);
    });
    rows.push([
      network.name,
      'closed',
      passesOn ? 'YES' : 'no',
      isOpen ? 'DEFAULT ROUTE' : 'none',
      ...cells,
    ]);
  }
  process.stdout.write(textTable(rows, columns));
  for (const problem of problems) complain(problem);
  return problems.length === 0 ? exitCodes.ok : exitCodes.failed;
}

const columns = [
  ...['NETWORK', 'RULES', 'PASSES ON', 'ROUTES OUT'],
  ...['CSMS', 'INTERNET', 'ADMIN PORT', 'OTHER NETWORKS'],
];

function whyNotUp({ interface: place, isClosed, namespace, network, others }: NetworkStatus) {
  if (namespace !== 'there') return `its namespace ${network.namespace} is ${namespace}`;
  if (place === 'outside') return `${network.interface} is in the network of the machine`;
  if (place === 'missing') return `there is no interface ${network.interface}`;
  if (!isClosed) return 'its rules are not in force';
  return others.length === 0 ? undefined : `there are other interfaces in it: ${others.join(', ')}`;
}

/** What was tried, in few words: an outcome for all, or the worst one. */
function cellOf(reaches: readonly Reach[]): string {
  if (reaches.length === 0) return '-';
  if (reaches.some(({ isReached }) => isReached)) return 'REACHED';
  const isAllUnroutable = reaches.every(({ outcome }) => unroutable.has(outcome));
  return isAllUnroutable ? 'no route' : 'no answer';
}

const unroutable: ReadonlySet<string> = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** The listener of another network, unless its address means somebody in this one. */
function targetsIn(own: IsolatedNetwork) {
  const here = new BlockList();
  for (const { address, family, prefixLength } of own.addresses) {
    here.addSubnet(address, prefixLength, family);
  }
  return ({ addresses, port }: IsolatedNetwork): readonly ReachTarget[] =>
    addresses
      .filter(({ address, family }) => !here.check(address, family))
      .map(({ address }) => ({ host: address, port }));
}

async function targetsOf(url: string): Promise<readonly ReachTarget[]> {
  const { hostname, port, protocol } = new URL(url);
  const number = port === '' ? (protocol === 'wss:' ? 443 : 80) : Number(port);
  const host = hostname.replace(/^\[|\]$/g, '');
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => ({ host: address, port: number }));
  } catch {
    complain(`the name ${host} of the CSMS has no address here: it was not tried`);
    return [];
  }
}

/** All addresses of this machine at which `host` listens. */
function addressesOf(host: string): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const all = Object.values(networkInterfaces()).flatMap((it) => it ?? []);
  return all.filter(({ scopeid }) => !scopeid).map(({ address }) => address);
}
