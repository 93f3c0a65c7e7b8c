import { Command } from 'commander';
import { isListening as isListeningIn } from '../../connection/isolation/listening.ts';
import { type NetworkStatus, statusOf } from '../../connection/isolation/namespaces.ts';
import { jsonText } from '../charger/json-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { textTable } from '../text-table.ts';
import { onNetworks } from './on-networks.ts';

const help = `
REFUSED counts packets that the rules have dropped since they were last set. LISTENING says whether a
gateway takes connections in there. An interface is "outside" when it is in the network of the
machine: \`gatewatt network up\`, or a running gateway, moves it in.

Exit codes: 0 all networks are up and closed, 1 one is not, 2 wrong usage.
`;

interface StatusOptions {
  readonly config: string;
  readonly json?: true;
}

/** `gatewatt network status`. */
export function statusCommand(): Command {
  return new Command('status')
    .summary('show how things stand with each network')
    .description('Shows the networks of isolation.bindings, and changes nothing.')
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action(async (options: StatusOptions) => {
      process.exitCode = await status(options);
    });
}

function status({ config, json }: StatusOptions): Promise<number> {
  return onNetworks(config, async ({ keeping, networks }) => {
    const all: Seen[] = [];
    for (const network of networks) {
      const state = await statusOf(network, keeping);
      const isThere = state.namespace === 'there';
      all.push({ ...state, isListening: isThere && (await isListeningIn(network)) });
    }
    const text =
      json === true ? jsonText({ networks: all.map(report) }) : textTable(all.map(row), headings);
    process.stdout.write(text);
    return all.every(isUp) ? exitCodes.ok : exitCodes.failed;
  });
}

type Seen = NetworkStatus & { readonly isListening: boolean };

function isUp({ interface: place, isClosed, others }: NetworkStatus): boolean {
  return place === 'inside' && isClosed && others.length === 0;
}

const headings = [
  ...['NETWORK', 'NAMESPACE', 'INTERFACE', 'LINK', 'ADDRESSES', 'RULES', 'REFUSED', 'LISTENING'],
];

function row(seen: Seen): readonly string[] {
  const { isClosed, isListening, link, namespace, network, others, refusedPackets } = seen;
  const place = namespace === 'there' ? '' : ` (${namespace})`;
  const also = others.length === 0 ? '' : `, and ${others.join(', ')}`;
  return [
    network.name,
    `${network.namespace}${place}`,
    `${network.interface} ${seen.interface}${also}`,
    link === undefined ? '-' : linkText(link),
    link?.addresses.join(' ') || '-',
    isClosed ? 'closed' : 'OPEN',
    String(refusedPackets ?? '-'),
    isListening ? `port ${network.port}` : 'no',
  ];
}

function linkText({ hasCarrier, isUp: isOn }: NonNullable<NetworkStatus['link']>): string {
  if (!isOn) return 'off';
  return hasCarrier ? 'up' : 'no carrier';
}

function report(seen: Seen): unknown {
  const { isClosed, isListening, link, namespace, network, others, refusedPackets } = seen;
  return {
    network: network.name,
    namespace: { name: network.namespace, is: namespace },
    interface: { name: network.interface, is: seen.interface },
    link: link === undefined ? null : linkText(link),
    addresses: link?.addresses ?? [],
    others,
    closed: isClosed,
    refusedPackets: refusedPackets ?? null,
    listening: isListening,
    port: network.port,
  };
}
