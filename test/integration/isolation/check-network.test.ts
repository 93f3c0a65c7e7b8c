import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  at,
  buildSite,
  type ChargerSite,
  csmsPort,
  ipIn,
  runIn,
} from '../../support/charger-site.ts';
import type { Ended } from '../../support/command-line.ts';
import {
  type CommandLine,
  commandLineOn,
  isolatedConfig,
  writeConfig,
} from '../../support/isolated-gateway.ts';
import { describeIsolation } from '../../support/isolation-needs.ts';
import { configFor, portOf, serve, setUp } from '../../support/serve-process.ts';

// Goal: `gatewatt check --network` says that nothing can be reached where that is so, and what can be
//   reached where something can.
// Method: the real command on a site whose networks are up; then one network is opened in each of the
//   ways in which that can happen, and the other one stays closed.

describeIsolation('gatewatt check --network', () => {
  let site: ChargerSite;
  let configFile: string;
  let run: CommandLine;

  const check = (): Promise<Ended> => run('check', '--network', '-c', configFile);
  const inside = (...words: readonly [string, ...string[]]): Promise<string> =>
    runIn(`${site.prefix}bay-1`, ...words);

  before(async () => {
    site = await buildSite({ chargers: 2 });
    run = commandLineOn(site);
    // Other addresses in the second one, so that one can be tried from the other.
    const binding = (index: number): object =>
      index === 0 ? {} : { addresses: ['192.168.2.1/24'] };
    configFile = await writeConfig(site, isolatedConfig(site, { binding }));
    await run('network', 'up', '-c', configFile);
  });

  // `up` closes what a test has opened.
  afterEach(async () => {
    const { code, stderr } = await run('network', 'up', '-c', configFile);
    assert.equal(code, 0, stderr);
  });

  after(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  test('nothing can be reached from networks that are up', async () => {
    const { code, stderr, stdout } = await check();
    assert.deepEqual([code, stderr], [0, '']);
    const [headings, ...rows] = stdout.trimEnd().split('\n');
    assert.match(headings ?? '', /^NETWORK +RULES +PASSES ON +ROUTES OUT +CSMS +INTERNET +ADMIN/);
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/)),
      ['bay-1', 'bay-2'].map((name) => [
        ...[name, 'closed', 'no', 'none'],
        ...['no route', 'no route', 'no route', 'no route'],
      ]),
    );
  });

  const openings: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
    [
      'a default route',
      /^bay-1: it has a default route$/m,
      () =>
        ipIn(`${site.prefix}bay-1`, [`route add default via ${at.gateway.replace(/1$/, '10')}`]),
    ],
    [
      'packets that are passed on',
      /^bay-1: its namespace passes packets on$/m,
      () => inside('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'),
    ],
    [
      'rules that are gone',
      /^bay-1: its rules are not in force$/m,
      () => inside('nft', 'flush', 'ruleset'),
    ],
    [
      'another interface',
      /^bay-1: there are other interfaces in it: stray\d, stray\d$/m,
      () => inside('ip', 'link', 'add', 'stray0', 'type', 'veth', 'peer', 'name', 'stray1'),
    ],
  ];
  for (const [what, said, open] of openings) {
    test(`${what} is found, and named`, async () => {
      await open();
      const { code, stderr, stdout } = await check();
      assert.equal(code, 1);
      assert.match(stderr, said);
      assert.doesNotMatch(stderr, /bay-2/);
      assert.match(stdout, /^bay-2 +closed +no +none/m);
      if (what === 'another interface') await inside('ip', 'link', 'delete', 'stray0');
    });
  }

  test('what answers is found, and named, be it by refusing', async () => {
    const [charger] = site.chargers;
    assert.ok(charger);
    // The charger has the address of the CSMS, there is a way to it, and the rules have a hole.
    await ipIn(charger.namespace, [`address add ${at.uplink}/32 dev lo`, 'link set dev lo up']);
    await ipIn(`${site.prefix}bay-1`, [`route add ${at.uplink}/32 via ${charger.address}`]);
    await inside('nft', 'insert', 'rule', 'inet', 'gatewatt', 'output', 'accept');
    const { code, stderr, stdout } = await check();
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^bay-1: ${at.uplink}:${csmsPort} was reached`, 'm'));
    assert.match(stdout, /^bay-1 +closed +no +none +REACHED +no route/m);
    await ipIn(`${site.prefix}bay-1`, [`route delete ${at.uplink}/32`]);
    await ipIn(charger.namespace, [`address delete ${at.uplink}/32 dev lo`]);
  });

  test('a network without its interface is no success', async () => {
    const [charger] = site.chargers;
    assert.ok(charger);
    await runIn(charger.namespace, 'ip', 'link', 'delete', 'e0');
    const { code, stderr, stdout } = await check();
    await site.plugIn(charger);
    assert.equal(code, 1);
    assert.match(stderr, /^bay-1: there is no interface g1$/m);
    assert.match(stdout, /^bay-1 +NOT UP .*\nbay-2 +closed /m);
  });

  test('networks that are not up are no success', async () => {
    await run('network', 'down', '-c', configFile);
    const { code, stderr, stdout } = await check();
    assert.equal(code, 1);
    assert.match(stderr, /^bay-1: its namespace \S+ is missing$/m);
    assert.match(stdout, /^bay-2 +NOT UP +-/m);
  });
});

test('a gateway without isolated networks says that it keeps nobody apart', async () => {
  await using setup = await setUp(configFor({}));
  using gateway = serve(setup.configFile);
  await portOf(gateway);
  const entry = await gateway.logged('NetworksNotIsolated');
  assert.deepEqual(entry['listeners'], ['field']);
});
