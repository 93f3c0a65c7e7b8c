import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { describeIsolation } from '../../../test/support/isolation-needs.ts';
import { firewallRules, kernelSettings } from './firewall.ts';
import type { IsolatedNetwork } from './network.ts';
import { toolEnvironment } from './run-tool.ts';

// Goal: the rules of a network let in what its gateway offers there, and nothing else; and they are
//   rules that the kernel takes.
// Method: networks with and without each choice; their rules as text, and given to `nft` where there
//   is one. What the rules do to packets is in test/integration/isolation.

const ipv4 = { family: 'ipv4', address: '192.168.1.1', prefixLength: 24 } as const;
const ipv6 = { family: 'ipv6', address: 'fd00:1::1', prefixLength: 64 } as const;

const smallest: IsolatedNetwork = {
  name: 'bay-1',
  namespace: 'gatewatt-bay-1',
  interface: 'eth1',
  addresses: [ipv4],
  port: 9000,
  redirectPorts: [],
  services: { dnsNames: [], ntp: false },
};

const largest: IsolatedNetwork = {
  ...smallest,
  // As long and as strange as the configuration lets it be.
  interface: 'enp129s0f1.4094',
  addresses: [ipv4, ipv6],
  redirectPorts: [80, 443],
  services: {
    dhcp: { from: '192.168.1.10', to: '192.168.1.20', leaseSeconds: 60 },
    dnsNames: ['csms.example.com'],
    ntp: true,
  },
};

const choices: Readonly<Record<string, IsolatedNetwork>> = {
  smallest,
  largest,
  'IPv6 alone': { ...smallest, addresses: [ipv6] },
  'DHCP alone': { ...smallest, services: { ...smallest.services, dhcp: largest.services.dhcp } },
  'DNS alone': { ...smallest, services: { ...smallest.services, dnsNames: ['a.example'] } },
  'NTP alone': { ...smallest, services: { ...smallest.services, ntp: true } },
  'a redirect': { ...smallest, redirectPorts: [443] },
  'a name of hyphens and dots': { ...smallest, interface: '-a.b_c' },
} as Readonly<Record<string, IsolatedNetwork>>;

/** The lines of one chain, without its braces. */
function chainOf(network: IsolatedNetwork, name: string): readonly string[] {
  const lines = firewallRules(network).split('\n');
  const start = lines.indexOf(`  chain ${name} {`);
  return start < 0
    ? []
    : lines.slice(start + 1, lines.indexOf('  }', start)).map((it) => it.trim());
}

describe('the rules of a network', () => {
  test('figure 6: whatever is not let through is dropped, on every way', () => {
    for (const [name, network] of Object.entries(choices)) {
      for (const way of ['input', 'forward', 'output']) {
        const rules = chainOf(network, way);
        assert.equal(rules[0], `type filter hook ${way} priority filter; policy drop;`, name);
        assert.equal(rules.at(-1), 'counter name refused drop', name);
      }
      assert.equal(chainOf(network, 'forward').length, 2, 'nothing is forwarded');
    }
  });

  test('figure 6: what is let through is what there is', () => {
    const passed = (network: IsolatedNetwork, way: string): number =>
      chainOf(network, way).filter((rule) => / (?:accept|goto senders)$/.test(rule)).length;
    // What belongs to a connection that was let in, and new ones to the listener.
    assert.equal(passed(smallest, 'input'), 2);
    assert.equal(passed(smallest, 'output'), 1);
    // And DNS with NTP, DHCP, and neighbours of IPv6.
    assert.equal(passed(largest, 'input'), 5);
    assert.equal(passed(largest, 'output'), 3);
    const neighbours = chainOf(largest, 'input').filter((rule) => rule.includes('icmpv6'));
    assert.deepEqual(neighbours, [
      'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } goto senders',
    ]);
    const udp = chainOf(largest, 'input').find((rule) => rule.includes('udp dport {'));
    assert.match(udp ?? '', /^fib daddr type local udp dport \{ 53, 123 \} goto senders$/);
    assert.deepEqual(
      chainOf(smallest, 'input').filter((rule) => rule.includes('dport')),
      ['fib daddr type local tcp dport 9000 tcp flags & (fin|syn|rst|ack) == syn goto senders'],
    );
  });

  test('figure 6: other interfaces are nobody, the loopback too', () => {
    assert.equal(chainOf(smallest, 'input')[1], 'iifname != "eth1" counter name refused drop');
    assert.equal(chainOf(smallest, 'output')[1], 'oifname != "eth1" counter name refused drop');
  });

  test('figure 6: a redirect leads to the listener, and without one there is none', () => {
    assert.deepEqual(chainOf(smallest, 'transparent'), []);
    assert.deepEqual(chainOf(largest, 'transparent'), [
      'type nat hook prerouting priority dstnat; policy accept;',
      'iifname "enp129s0f1.4094" tcp dport { 80, 443 } redirect to :9000',
    ]);
  });

  test('a network has a limited number of neighbours, in ARP as well', () => {
    const text = firewallRules(largest);
    assert.equal(text.match(/size 64; flags dynamic,timeout; timeout 1m;/g)?.length, 3);
    assert.match(text, /iifname "enp129s0f1\.4094" update @senders \{ arp saddr ip \} accept/);
  });

  test('the kernel of a network passes nothing on and believes nobody', () => {
    const settings = kernelSettings(largest);
    assert.equal(settings.get('ipv4/ip_forward'), 0);
    assert.equal(settings.get('ipv6/conf/all/forwarding'), 0);
    assert.equal(settings.get('ipv6/conf/default/accept_ra'), 0);
    assert.equal(settings.get('ipv4/conf/all/rp_filter'), 1);
    assert.equal(settings.get('ipv6/conf/all/disable_ipv6'), 0);
    assert.equal(kernelSettings(smallest).get('ipv6/conf/all/disable_ipv6'), 1);
  });
});

describeIsolation('the rules of a network, and nft', () => {
  for (const [name, network] of Object.entries(choices)) {
    test(`takes those of ${name}, and again in place of the older ones`, () => {
      // In a namespace that goes with the process.
      const twice = firewallRules(network).repeat(2);
      const { status, stderr } = spawnSync('unshare', ['--net', '--', 'nft', '-f', '-'], {
        env: toolEnvironment,
        input: twice,
      });
      assert.equal(status, 0, String(stderr));
    });
  }

  test('and nft does say when rules are none', () => {
    const check = ['--net', '--', 'nft', '-c', '-f', '-'];
    const input = firewallRules(smallest).replaceAll('policy drop', 'policy perhaps');
    assert.notEqual(spawnSync('unshare', check, { env: toolEnvironment, input }).status, 0);
  });
});
