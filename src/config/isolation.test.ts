import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from './load.ts';

// Goal: what an operator says of isolated networks has one meaning, and what cannot work is refused
//   with its place, before anything is made.
// Method: the `isolation` section as an operator would write it, each mistake beside what is right.

const field = '{ name: field, path: /ocpp, securityProfile: 1 }';
const bay =
  'name: bay-1, interface: eth1, addresses: [192.168.1.1/24], listener: field, port: 9000, ' +
  'chargers: [CP-1]';

function textOf(isolation: string, listeners = field): string {
  return (
    `listeners: [${listeners}]\ncsms: { url: "ws://c/" }\n` +
    (isolation === '' ? '' : `isolation: { ${isolation} }\n`)
  );
}

/** The mistakes, with their places in the `isolation` section. */
function mistakesIn(isolation: string, listeners?: string): readonly string[] {
  const parsed = parseConfig(textOf(isolation, listeners));
  return parsed.ok
    ? []
    : parsed.error.map(({ path, message }) => `${path.replace('isolation.', '')}: ${message}`);
}

const bindings = (...entries: readonly string[]): string =>
  `bindings: [${entries.map((entry) => `{ ${entry} }`).join(', ')}]`;

/** A binding with something else in place of what it has, or added. */
function bayWith(changes: string): string {
  const [key = ''] = changes.split(':');
  const others = bay.split(/, (?=[a-zA-Z]+:)/).filter((part) => !part.startsWith(`${key}:`));
  return bindings([...others, changes].join(', '));
}

/** Is exactly this one thing wrong? */
function assertMistake(changes: string, place: string, message: RegExp): void {
  const mistakes = mistakesIn(bayWith(changes));
  assert.equal(mistakes.length, 1, `${changes}: ${mistakes.join('; ')}`);
  const [mistake = ''] = mistakes;
  assert(mistake.startsWith(`${place}: `), `${changes}: ${mistake}`);
  assert.match(mistake, message, changes);
}

function assertGood(changes: string): void {
  assert.deepEqual(mistakesIn(bayWith(changes)), [], changes);
}

describe('the isolation section', () => {
  test('yesterday’s configuration has none, and isolates nobody', () => {
    const parsed = parseConfig(textOf('', '{ name: f, address: "a:1", securityProfile: 1 }'));
    assert(parsed.ok);
    assert.equal(parsed.value.isolation, undefined);
  });

  test('the smallest one has the safe defaults', () => {
    const parsed = parseConfig(textOf(bindings(bay)));
    assert(parsed.ok, JSON.stringify(parsed));
    assert.deepEqual(parsed.value.isolation, {
      user: 'gatewatt',
      namespacePrefix: 'gatewatt-',
      stateDir: '/run/gatewatt',
      bindings: [
        {
          name: 'bay-1',
          interface: 'eth1',
          addresses: [{ family: 'ipv4', address: '192.168.1.1', prefixLength: 24 }],
          listener: 'field',
          port: 9000,
          chargers: ['CP-1'],
          redirectPorts: [],
          connectionsMax: 16,
          dnsNames: [],
          ntp: false,
        },
      ],
    });
  });

  test('one with everything is accepted, and two networks with the same addresses', () => {
    const full =
      `${bay}, redirectPorts: [80, 443], connectionsMax: 4, dnsNames: [csms.example.com], ntp: true, ` +
      'dhcp: { from: 192.168.1.10, to: 192.168.1.20, leaseSeconds: 600 }';
    const second = bay
      .replace('bay-1', 'bay-2')
      .replace('eth1', 'eth1.100')
      .replace('CP-1', 'CP-2');
    assert.deepEqual(
      mistakesIn(`user: gw, namespacePrefix: a-, stateDir: state, ${bindings(full, second)}`),
      [],
    );
  });

  test('unknown keys are mistakes on every level', () => {
    const wrong = bindings(
      `${bay}, vlan: 3, dhcp: { from: 192.168.1.10, to: 192.168.1.20, dns: x }`,
    );
    assert.deepEqual(
      mistakesIn(`group: x, ${wrong}`).map((mistake) => mistake.split(': ')[0]),
      ['bindings[0].dhcp.dns', 'bindings[0].vlan', 'group'],
    );
  });

  test('a binding names a listener that there is', () => {
    const withAddress = field.replace('path: /ocpp', 'address: "a:1"');
    assert.deepEqual(mistakesIn(bayWith('listener: feild'), withAddress), [
      'bindings[0].listener: there is no listener of this name',
    ]);
    assert.deepEqual(mistakesIn(bayWith('listener: field'), withAddress), []);
    assertGood('listener: field');
  });

  test('a listener without an address needs a binding, and one with an address none', () => {
    const listeners = (address: string): string => {
      return `${field}, { name: second, ${address} securityProfile: 1 }`;
    };
    assert.deepEqual(mistakesIn(bindings(bay), listeners('')), [
      'listeners[1].address: is missing, and no entry of isolation.bindings names this listener',
    ]);
    assert.deepEqual(mistakesIn('', field), [
      'listeners[0].address: is missing, and no entry of isolation.bindings names this listener',
    ]);
    assert.deepEqual(mistakesIn(bindings(bay), listeners('address: "a:1",')), []);
  });

  test('names and interfaces occur once', () => {
    const second = bay.replace('bay-1', 'bay-2').replace('eth1', 'eth2').replace('CP-1', 'CP-2');
    assert.deepEqual(mistakesIn(bindings(bay, second)), []);
    assert.deepEqual(mistakesIn(bindings(bay, second.replace('bay-2', 'bay-1'))), [
      'bindings[1].name: another binding has this name',
    ]);
    assert.deepEqual(mistakesIn(bindings(bay, second.replace('eth2', 'eth1'))), [
      'bindings[1].interface: another binding has this interface',
    ]);
  });

  test('names are names of networks, of interfaces, of users and of namespaces', () => {
    const networks = ['', 'Bay', 'bay_1', '-bay', 'bay-', 'a'.repeat(25), '../x', 'a b'];
    for (const name of networks)
      assertMistake(`name: "${name}"`, 'bindings[0].name', /must be 1 to/);
    for (const name of ['a', '7', 'a'.repeat(24), 'b-1']) assertGood(`name: "${name}"`);
    const interfaces = ['', 'lo', '.', '..', 'a'.repeat(16), 'a/b', 'a b', 'eth1"', 'eth1;x', 'é'];
    for (const name of interfaces) {
      assertMistake(`interface: '${name}'`, 'bindings[0].interface', /name of an interface/);
    }
    for (const name of ['eth1', 'enp1s0.100', 'wg0', 'br-lan', 'a'.repeat(15), 'lo1']) {
      assertGood(`interface: "${name}"`);
    }
    for (const user of ['', 'Root', '1a', 'a b', 'a:b']) {
      assert.equal(mistakesIn(`user: "${user}", ${bindings(bay)}`).length, 1, user);
    }
    for (const prefix of ['', '../', 'A', 'a'.repeat(25), 'a b']) {
      assert.equal(mistakesIn(`namespacePrefix: "${prefix}", ${bindings(bay)}`).length, 1, prefix);
    }
  });

  test('addresses have the length of their network', () => {
    const bad = [
      ...['192.168.1.1', '192.168.1.1/0', '192.168.1.1/33', '192.168.1/24', '192.168.1.256/24'],
      ...['fd00::1/129', 'fd00::1/0', 'fd00::1', 'example.com/24', '/24', '192.168.1.1/24/24'],
      ...['192.168.1.1/ 24', '192.168.1.1/-1', ':/64'],
    ];
    for (const address of bad) {
      assertMistake(`addresses: ["${address}"]`, 'bindings[0].addresses[0]', /with the length/);
    }
    for (const address of ['10.0.0.1/8', '192.168.1.1/32', 'fd00::1/64', 'FD00:0::1/128']) {
      assertGood(`addresses: ["${address}"]`);
    }
    assertMistake('addresses: []', 'bindings[0].addresses', /./);
    const five = Array.from({ length: 5 }, (_, index) => `10.0.0.${index + 1}/24`);
    assertMistake(`addresses: [${five.join(', ')}]`, 'bindings[0].addresses', /./);
  });

  test('ports, chargers and connections are within their limits', () => {
    for (const port of ['0', '65536', '-1', '1.5', '"80"']) {
      assertMistake(`port: ${port}`, 'bindings[0].port', /./);
      assertMistake(`redirectPorts: [${port}]`, 'bindings[0].redirectPorts[0]', /./);
    }
    assertMistake('chargers: []', 'bindings[0].chargers', /./);
    assertMistake('connectionsMax: 0', 'bindings[0].connectionsMax', /./);
    assertGood('port: 65535');
    assertGood('redirectPorts: [1, 65535]');
    assertGood('chargers: [CP-1, "DEPOT-*"]');
    assertGood('connectionsMax: 1');
    assert(mistakesIn('bindings: []').some((mistake) => mistake.startsWith('bindings: ')));
  });

  test('a DHCP range is within the network, goes up, and does not hold the gateway', () => {
    const dhcp = (from: string, to: string): string => `dhcp: { from: "${from}", to: "${to}" }`;
    const place = 'bindings[0].dhcp';
    assertMistake(dhcp('192.168.2.10', '192.168.2.20'), place, /within the network/);
    assertMistake(dhcp('192.168.0.250', '192.168.1.5'), place, /within the network/);
    assertMistake(dhcp('192.168.1.20', '192.168.1.10'), place, /must go up/);
    assertMistake(dhcp('192.168.1.1', '192.168.1.20'), place, /must not hold the address/);
    assert(
      mistakesIn(bayWith(dhcp('192.168.1.10', 'fd00::1'))).includes(
        `${place}.to: must be an IPv4 address`,
      ),
    );
    assertGood(dhcp('192.168.1.2', '192.168.1.254'));
    assertGood(dhcp('192.168.1.2', '192.168.1.2'));
    const large = bayWith('addresses: [10.0.0.1/8]');
    const withRange = (to: string): string =>
      large.replace('name:', `dhcp: { from: 10.0.1.0, to: ${to} }, name:`);
    assert.deepEqual(mistakesIn(withRange('10.0.1.255')), []);
    assert.deepEqual(mistakesIn(withRange('10.0.2.0')), [
      'bindings[0].dhcp: must go up, by at most 256 addresses',
    ]);
    const ipv6 = bayWith('addresses: ["fd00::1/64"]');
    const range = 'dhcp: { from: 192.168.1.10, to: 192.168.1.20 }';
    assert.deepEqual(mistakesIn(ipv6.replace('name:', `${range}, name:`)), [
      'bindings[0].dhcp: needs an IPv4 address in addresses',
    ]);
  });

  test('names for DNS are names of hosts', () => {
    for (const name of [
      '',
      '-a.example',
      'a..b',
      'a b',
      '*.example',
      `${'a'.repeat(64)}.example`,
    ]) {
      assertMistake(`dnsNames: ["${name}"]`, 'bindings[0].dnsNames[0]', /./);
    }
    for (const name of ['csms', 'csms.example.com', 'CSMS.Example', 'a_b.example']) {
      assertGood(`dnsNames: ["${name}"]`);
    }
  });
});
