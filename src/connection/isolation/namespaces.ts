import { firewallRules, kernelSettings, tableName } from './firewall.ts';
import {
  type InterfaceState,
  interfacesIn,
  isUplink,
  moveBack,
  moveInto,
  setUpInterface,
  visibleInterfaces,
} from './interfaces.ts';
import { inodeOf, type NamespaceRecord, type NamespaceRecords } from './namespace-record.ts';
import type { IsolatedNetwork } from './network.ts';
import { runInside, runTool } from './run-tool.ts';

/** Why something was left alone. For operators; nothing was changed. */
export class NotOurs extends Error {
  override readonly name = 'NotOurs';
}

/** Whose namespaces are made, and where that is noted. */
export interface NamespaceKeeping {
  /** The id of the gateway. */
  readonly gateway: string;
  /** The folder of the notes. */
  readonly directory: string;
  readonly records: NamespaceRecords;
}

/** How a network came out. */
export interface NetworkOutcome {
  /** `missing`: the namespace is there, and its interface is not. */
  readonly is: 'up' | 'missing';
  /** Was the namespace made now? Sockets of an older one are in that. */
  readonly isMade: boolean;
  /** Was anything made or moved? */
  readonly isChanged: boolean;
}

/**
 * Makes the namespace of a network, closes it, and moves the interface in. What is there already is
 * brought into the state that it should have; doing it twice changes nothing.
 *
 * The rules are in force before the interface is in there.
 *
 * @throws NotOurs when the namespace was made by somebody else, or the interface must stay;
 *   ToolError when a program of the system fails.
 */
export async function bringUp(
  network: IsolatedNetwork,
  keeping: NamespaceKeeping,
): Promise<NetworkOutcome> {
  const { interface: name, namespace } = network;
  const isMade = await makeNamespace(network, keeping);
  await runInside(namespace, ['sh', '-c', settingsScript(network)]);
  await runInside(namespace, ['nft', '-f', '-'], firewallRules(network));
  const isMoved = await fetchInterface(network);
  const inside = (await interfacesIn(namespace)).find((it) => it.name === name);
  if (inside === undefined) return { is: 'missing', isMade, isChanged: isMade };
  await setUpInterface(network, inside);
  return { is: 'up', isMade, isChanged: isMade || isMoved };
}

/** @returns whether it had to be made. */
async function makeNamespace(
  { interface: name, namespace }: IsolatedNetwork,
  { gateway, records }: NamespaceKeeping,
): Promise<boolean> {
  const record = await records.find(namespace);
  const inode = await inodeOf(namespace);
  if (inode !== undefined) {
    checkOwner(namespace, gateway, record, inode);
    if (record?.inode !== undefined && record.interface === name) return false;
    await records.write({ namespace, gateway, interface: name, inode });
    return record?.inode === undefined;
  }
  await records.write({ namespace, gateway, interface: name, inode: undefined });
  await runTool('ip', ['netns', 'add', namespace]);
  const made = await inodeOf(namespace);
  await records.write({ namespace, gateway, interface: name, inode: made });
  return true;
}

/** @throws NotOurs */
function checkOwner(
  namespace: string,
  gateway: string,
  record: NamespaceRecord | undefined,
  inode: number,
): void {
  if (record === undefined) {
    throw new NotOurs(`the namespace ${namespace} was not made by Gatewatt: it is left alone`);
  }
  if (record.gateway !== gateway) {
    throw new NotOurs(`the namespace ${namespace} belongs to the gateway ${record.gateway}`);
  }
  if (record.inode !== undefined && record.inode !== inode) {
    throw new NotOurs(`somebody else has made the namespace ${namespace} anew: it is left alone`);
  }
}

/** Moves the interface in if it is outside. @returns whether it was moved. */
async function fetchInterface({ interface: name, namespace }: IsolatedNetwork): Promise<boolean> {
  if (!(await visibleInterfaces()).has(name)) return false;
  if (await isUplink(name)) {
    throw new NotOurs(`the machine reaches others through ${name}: it is not moved`);
  }
  await moveInto(namespace, name);
  return true;
}

/** A setting that this kernel does not have is none that could be open. */
function settingsScript(network: IsolatedNetwork): string {
  const lines = [...kernelSettings(network)].map(
    ([name, value]) => `f=/proc/sys/net/${name}; [ ! -e "$f" ] || echo ${value} >"$f"`,
  );
  return ['set -e', ...lines].join('\n');
}

/**
 * Takes a namespace down that was made here: the interface goes back to where it came from.
 *
 * @returns whether there was anything to take down.
 * @throws NotOurs, ToolError.
 */
export async function takeDown(
  record: NamespaceRecord,
  { gateway, records }: NamespaceKeeping,
): Promise<boolean> {
  const { interface: name, namespace } = record;
  const inode = await inodeOf(namespace);
  if (inode === undefined) {
    await records.remove(namespace);
    return false;
  }
  checkOwner(namespace, gateway, record, inode);
  const inside = await interfacesIn(namespace);
  // With the namespace an interface would go that has no hardware.
  if (inside.some((it) => it.name === name)) await moveBack(namespace, name);
  await runTool('ip', ['netns', 'delete', namespace]);
  await records.remove(namespace);
  return true;
}

/** How things stand with a network. */
export interface NetworkStatus {
  readonly network: IsolatedNetwork;
  /** `foreign`: there is a namespace of that name, and it was not made here. */
  readonly namespace: 'there' | 'missing' | 'foreign';
  readonly interface: 'inside' | 'outside' | 'missing';
  /** The interface in there; undefined when it is not. */
  readonly link: InterfaceState | undefined;
  /** Interfaces that do not belong in there. */
  readonly others: readonly string[];
  /** Are the rules there that belong there, as far as their chains and their policies go? */
  readonly isClosed: boolean;
  /** Packets that the rules have dropped; undefined without rules. */
  readonly refusedPackets: number | undefined;
}

/** Looks, and changes nothing. */
export async function statusOf(
  network: IsolatedNetwork,
  { gateway, records }: NamespaceKeeping,
): Promise<NetworkStatus> {
  const { interface: name, namespace } = network;
  const isOutside = (await visibleInterfaces()).has(name);
  const inode = await inodeOf(namespace);
  const record = await records.find(namespace);
  const isOurs =
    record?.gateway === gateway && (record.inode === undefined || record.inode === inode);
  if (inode === undefined || !isOurs) {
    return {
      network,
      namespace: inode === undefined ? 'missing' : 'foreign',
      interface: isOutside ? 'outside' : 'missing',
      link: undefined,
      others: [],
      isClosed: false,
      refusedPackets: undefined,
    };
  }
  const links = await interfacesIn(namespace);
  const link = links.find((it) => it.name === name);
  const rules = await rulesIn(namespace);
  return {
    network,
    namespace: 'there',
    interface: link === undefined ? (isOutside ? 'outside' : 'missing') : 'inside',
    link,
    others: links.filter((it) => it.name !== name).map((it) => it.name),
    ...rules,
  };
}

/** The chains that must drop what no rule of theirs lets through. */
const droppingChains = ['input', 'forward', 'output'];

async function rulesIn(
  namespace: string,
): Promise<Pick<NetworkStatus, 'isClosed' | 'refusedPackets'>> {
  let text: string;
  try {
    text = await runInside(namespace, ['nft', '-j', 'list', 'table', 'inet', tableName]);
  } catch {
    return { isClosed: false, refusedPackets: undefined };
  }
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly RuleJson[] };
  const closed = nftables.flatMap(({ chain }) => (chain?.policy === 'drop' ? [chain.name] : []));
  const counter = nftables.find((it) => it.counter?.name === 'refused')?.counter;
  return {
    isClosed: droppingChains.every((name) => closed.includes(name)),
    refusedPackets: counter?.packets,
  };
}

interface RuleJson {
  readonly chain?: { readonly name: string; readonly policy?: string };
  readonly counter?: { readonly name: string; readonly packets: number };
}
