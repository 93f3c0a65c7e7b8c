import { hasFamily, type IsolatedNetwork, servicePorts } from './network.ts';

/** The table of nftables in each namespace. */
export const tableName = 'gatewatt';

/**
 * Addresses that a network may have talked from within the last minute. The kernel remembers a
 * limited number of neighbours (`gc_thresh3`, 1024 by default) over all namespaces together:
 * whoever invents more of them would take their place from other networks.
 */
const sendersMax = 64;

/**
 * The rules of a network, as `nft -f` reads them; they replace older ones in one step.
 *
 * Only what the gateway offers can be reached, nothing is passed on, and nothing begins in there by
 * itself. Everything else is counted and dropped without an answer.
 *
 * Source: PNNL-35706 section 4.0, figure 6.
 */
export function firewallRules(network: IsolatedNetwork): string {
  const { interface: name, port, redirectPorts, services } = network;
  const { dhcp, dnsNames, ntp } = services;
  const udpPorts = [
    ...(dnsNames.length > 0 ? [servicePorts.dns] : []),
    ...(ntp ? [servicePorts.ntp] : []),
  ];
  const neighbours = hasFamily(network, 'ipv6')
    ? 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }'
    : undefined;
  const input = [
    `iifname != "${name}" counter name refused drop`,
    'ct state invalid counter name refused drop',
    'ct state established,related accept',
    `fib daddr type local tcp dport ${port} tcp flags & (fin|syn|rst|ack) == syn goto senders`,
    ...(udpPorts.length > 0
      ? [`fib daddr type local udp dport { ${udpPorts.join(', ')} } goto senders`]
      : []),
    // Whoever has no address yet asks everybody.
    ...(dhcp === undefined ? [] : [`udp sport 68 udp dport ${servicePorts.dhcp} goto senders`]),
    neighbours && `${neighbours} goto senders`,
    'counter name refused drop',
  ];
  const output = [
    `oifname != "${name}" counter name refused drop`,
    'ct state established,related accept',
    ...(dhcp === undefined ? [] : [`udp sport ${servicePorts.dhcp} udp dport 68 accept`]),
    neighbours && `${neighbours} accept`,
    'counter name refused drop',
  ];
  const redirect =
    redirectPorts.length === 0
      ? []
      : chain('transparent', 'nat hook prerouting priority dstnat; policy accept', [
          `iifname "${name}" tcp dport { ${redirectPorts.join(', ')} } redirect to :${port}`,
        ]);
  return [
    // Made first, so that there is one to delete.
    `table inet ${tableName} {}`,
    `delete table inet ${tableName}`,
    `table inet ${tableName} {`,
    '  counter refused {}',
    ...senders('senders4', 'ipv4_addr'),
    ...senders('senders6', 'ipv6_addr'),
    '  chain senders {',
    // Where a set is full, such a rule ends before its verdict.
    '    update @senders4 { ip saddr } accept',
    '    update @senders6 { ip6 saddr } accept',
    '    counter name refused drop',
    '  }',
    ...chain('input', 'filter hook input priority filter; policy drop', input),
    ...chain('forward', 'filter hook forward priority filter; policy drop', [
      'counter name refused drop',
    ]),
    ...chain('output', 'filter hook output priority filter; policy drop', output),
    ...redirect,
    '}',
    `table arp ${tableName} {}`,
    `delete table arp ${tableName}`,
    `table arp ${tableName} {`,
    ...senders('senders', 'ipv4_addr'),
    ...chain('input', 'filter hook input priority filter; policy drop', [
      `iifname "${name}" update @senders { arp saddr ip } accept`,
    ]),
    '}',
    '',
  ].join('\n');
}

function senders(name: string, type: string): readonly string[] {
  return [
    `  set ${name} {`,
    `    type ${type}; size ${sendersMax}; flags dynamic,timeout; timeout 1m;`,
    '  }',
  ];
}

function chain(
  name: string,
  type: string,
  rules: readonly (string | undefined)[],
): readonly string[] {
  const lines = rules.filter((rule) => rule !== undefined).map((rule) => `    ${rule}`);
  return [`  chain ${name} {`, `    type ${type};`, ...lines, '  }'];
}

/** What the kernel is to do in a network, by the name of the setting under /proc/sys/net. */
export function kernelSettings(network: IsolatedNetwork): ReadonlyMap<string, number> {
  const isIpv6Off = hasFamily(network, 'ipv6') ? 0 : 1;
  return new Map([
    ['ipv4/ip_forward', 0],
    ['ipv4/conf/all/forwarding', 0],
    ['ipv4/conf/all/rp_filter', 1],
    ['ipv4/conf/default/rp_filter', 1],
    ['ipv4/conf/all/accept_redirects', 0],
    ['ipv4/conf/default/accept_redirects', 0],
    ['ipv4/conf/all/send_redirects', 0],
    ['ipv4/conf/default/send_redirects', 0],
    ['ipv4/conf/all/accept_source_route', 0],
    ['ipv4/conf/all/proxy_arp', 0],
    ['ipv6/conf/all/disable_ipv6', isIpv6Off],
    ['ipv6/conf/default/disable_ipv6', isIpv6Off],
    ['ipv6/conf/all/forwarding', 0],
    ['ipv6/conf/all/accept_ra', 0],
    ['ipv6/conf/default/accept_ra', 0],
    ['ipv6/conf/all/accept_redirects', 0],
  ]);
}
