import { tableName } from '../../../src/connection/isolation/firewall.ts';
import {
  at,
  type ChargerSite,
  feedIn,
  runIn,
  type SiteCharger,
} from '../../support/charger-site.ts';

/** Sends each line, in hexadecimal digits, as a frame through the interface with that number. */
const frameSender = `
  my $interface = shift;
  socket(my $out, 17, 3, 0) or die $!;
  my $to = pack("SnlSCCa8", 17, 0, $interface, 0, 0, 0, "");
  while (<STDIN>) { chomp; send($out, pack("H*", $_), 0, $to) or die $! }
`;

/** Sends frames as they are, from the charger's end of its cable. */
export async function sendFrames(
  { namespace }: Pick<SiteCharger, 'namespace'>,
  frames: readonly Buffer[],
): Promise<void> {
  const shown = await runIn(namespace, 'ip', '-json', 'link', 'show', 'e0');
  const [{ ifindex }] = JSON.parse(shown) as readonly [{ readonly ifindex: number }];
  const lines = frames.map((frame) => `${frame.toString('hex')}\n`).join('');
  await feedIn(namespace, lines, 'perl', '-e', frameSender, String(ifindex));
}

/** Where packets of strangers are counted. */
export type Watched = 'charger 2' | 'charger 3' | 'the Internet' | 'the machine';

/** Counts packets that are from somebody else than the gateway, as they come in from the cable. */
export interface Watch {
  /** How many have come since the last time. */
  since(): Promise<Readonly<Record<Watched, number>>>;
}

/** Puts a counter at every place that an attacker could want to reach. */
export async function watchStrangers(site: ChargerSite): Promise<Watch> {
  const { machine, uplink } = site;
  const charger = (index: number): SiteCharger => site.chargers[index] ?? fail(index);
  const places: Readonly<Record<Watched, { namespace: string; rules: string }>> = {
    'charger 2': { namespace: charger(1).namespace, rules: chargerRules(charger(1)) },
    'charger 3': { namespace: charger(2).namespace, rules: chargerRules(charger(2)) },
    'the Internet': {
      namespace: uplink,
      rules: table('netdev', 'ingress device "w0"', [
        `ip saddr ${at.site} accept`,
        `arp saddr ip ${at.site} accept`,
        `ip6 saddr { ${at.site6}, ::, fe80::/10 } accept`,
      ]),
    },
    // From wherever chargers are or have been.
    'the machine': {
      namespace: machine,
      rules: table('inet', 'prerouting', ['iifname { "lo", "up0" } accept']),
    },
  };
  for (const { namespace, rules } of Object.values(places)) {
    await feedIn(namespace, rules, 'nft', '-f', '-');
  }
  const read = async (): Promise<Record<Watched, number>> => {
    const counts = Object.entries(places).map(async ([place, { namespace }]) => {
      const count = await counterIn(namespace, 'watch', 'strangers');
      return [place, count] as const;
    });
    return Object.fromEntries(await Promise.all(counts)) as Record<Watched, number>;
  };
  let last = await read();
  return {
    since: async () => {
      const before = last;
      last = await read();
      const changes = Object.entries(last).map(([place, count]) => {
        return [place, count - before[place as Watched]] as const;
      });
      return Object.fromEntries(changes) as Record<Watched, number>;
    },
  };
}

function fail(index: number): never {
  throw new Error(`there is no charger ${index + 1}`);
}

/** What its own gateway sends to a charger is all that there should be. */
function chargerRules({ gatewayMac }: SiteCharger): string {
  const mac = `ether saddr ${gatewayMac}`;
  const ownAddresses = `{ ${at.gateway6}, ::, fe80::/10 }`;
  return table('netdev', 'ingress device "e0"', [
    `${mac} ip saddr ${at.gateway} accept`,
    `${mac} arp saddr ip ${at.gateway} accept`,
    `${mac} ip6 saddr ${ownAddresses} meta l4proto tcp accept`,
    `${mac} ip6 saddr ${ownAddresses} icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept`,
  ]);
}

function table(family: 'inet' | 'netdev', hook: string, rules: readonly string[]): string {
  return [
    `table ${family} watch {`,
    '  counter strangers {}',
    '  chain arriving {',
    `    type filter hook ${hook} priority 0; policy accept;`,
    ...rules.map((rule) => `    ${rule}`),
    '    counter name strangers',
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Packets that a counter has seen. */
async function counterIn(namespace: string, tableOf: string, name: string): Promise<number> {
  const text = await runIn(namespace, 'nft', '-j', 'list', 'ruleset');
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly CounterJson[] };
  const found = nftables.find(({ counter: it }) => it?.table === tableOf && it.name === name);
  return found?.counter?.packets ?? 0;
}

interface CounterJson {
  readonly counter?: { readonly table: string; readonly name: string; readonly packets: number };
}

/** Packets that the rules in a namespace of the gateway have refused. */
export function refusedIn(namespace: string): Promise<number> {
  return counterIn(namespace, tableName, 'refused');
}

/** Packets that have arrived at the gateway's end of a cable, or at any interface. */
export async function arrivedAt(namespace: string, name: string): Promise<number> {
  const shown = await runIn(namespace, 'ip', '-json', '-stats', 'link', 'show', name);
  const [{ stats64 }] = JSON.parse(shown) as readonly [
    { readonly stats64: { readonly rx: { readonly packets: number } } },
  ];
  return stats64.rx.packets;
}

/** The MAC address at which a charger believes an address to be; empty when it believes nothing. */
export async function believedMac(namespace: string, address: string): Promise<string> {
  const shown = await runIn(namespace, 'ip', '-json', 'neighbour', 'show', 'to', address);
  const [entry] = JSON.parse(shown) as readonly { readonly lladdr?: string }[];
  return entry?.lladdr ?? '';
}

/** Has somebody who said that he was a router been believed? */
export async function hasLearnedRouter(namespace: string): Promise<boolean> {
  return (await runIn(namespace, 'ip', '-6', 'route', 'show')).includes('proto ra');
}
