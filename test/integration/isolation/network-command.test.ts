import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { namespaceFile } from '../../../src/connection/isolation/network.ts';
import {
  at,
  buildSite,
  type ChargerSite,
  csmsPort,
  nobody,
  runIn,
} from '../../support/charger-site.ts';
import type { Ended } from '../../support/command-line.ts';
import {
  type CommandLine,
  commandLineOn,
  isolatedConfig,
  listenerPort,
  serveIsolated,
  writeConfig,
} from '../../support/isolated-gateway.ts';
import { describeIsolation } from '../../support/isolation-needs.ts';

// Goal: `gatewatt network` does what it says, says what it did, does nothing twice, and touches
//   nothing that it has not made itself.
// Method: the real command on a site with three cables; what it says and its exit code, and beside
//   that what iproute2 and nftables say of the same namespaces.

describeIsolation('gatewatt network', () => {
  let site: ChargerSite;
  let configFile: string;
  let run: CommandLine;

  const network = (command: string, file = configFile, line = run): Promise<Ended> =>
    line('network', command, '-c', file);
  const namespaceOf = (number: number): string => `${site.prefix}bay-${number}`;
  const inodeOf = async (number: number) => (await stat(namespaceFile(namespaceOf(number)))).ino;
  const linksIn = (namespace: string): Promise<string> =>
    runIn(namespace, 'ip', '-brief', 'link', 'show');
  const recordOf = (number: number): string =>
    path.join(site.folder, 'state', 'namespaces', `${namespaceOf(number)}.json`);
  const isThere = (file: string): Promise<boolean> =>
    stat(file).then(
      () => true,
      () => false,
    );
  /** Also those that were made by somebody else. */
  const namespaces = async (): Promise<readonly string[]> => {
    const all = (await site.run('ip', 'netns', 'list')).split('\n').map((it) => it.split(' ')[0]);
    return all
      .filter((name) => name?.startsWith(site.prefix))
      .map((it) => it ?? '')
      .sort();
  };

  before(async () => {
    site = await buildSite({ chargers: 3 });
    run = commandLineOn(site);
    configFile = await writeConfig(site, isolatedConfig(site));
  });

  afterEach(async () => {
    assertCode(await network('down'), 0);
    assert.deepEqual(await namespaces(), []);
  });

  after(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  test('up makes the networks, and a second time changes nothing; down gives all back', async () => {
    const up = await network('up');
    assertCode(up, 0);
    for (const number of [1, 2, 3]) {
      const said = `bay-${number} is up: g${number} in ${namespaceOf(number)}`;
      assert(up.stdout.includes(said), up.stdout);
      assert.match(await linksIn(namespaceOf(number)), new RegExp(`^g${number}\\b.*LOWER_UP`, 'm'));
    }
    assert.doesNotMatch(await linksIn(site.machine), /^g[123]\b/m);
    const before = await stateOf(namespaceOf(1));
    const inode = await inodeOf(1);

    const again = await network('up');
    assertCode(again, 0);
    assert.equal(again.stdout.match(/ was up: /g)?.length, 3, again.stdout);
    assert.doesNotMatch(again.stdout, / is up: /);
    assert.deepEqual(await stateOf(namespaceOf(1)), before);
    assert.equal(await inodeOf(1), inode);

    const down = await network('down');
    assertCode(down, 0);
    assert.equal(down.stdout.match(/ is down$/gm)?.length, 3, down.stdout);
    assert.equal((await linksIn(site.machine)).match(/^g[123]\b/gm)?.length, 3);
    const shown = await site.run('ip', '-json', 'address', 'show', 'dev', 'g1');
    const [{ addr_info: addresses, operstate }] = JSON.parse(shown) as [LinkJson];
    assert.deepEqual([addresses, operstate], [[], 'DOWN']);
    assert.match((await network('down')).stdout, /^nothing was up$/m);
  });

  test('two that come up at the same time do not get in each other’s way', async () => {
    const another = commandLineOn(site);
    for (const ended of await Promise.all([network('up'), network('up', configFile, another)]))
      assertCode(ended, 0);
    assert.equal((await namespaces()).length, 3);
    assertCode(await network('status'), 0);
  });

  test('a binding that was removed is taken down by the next up', async () => {
    assertCode(await network('up'), 0);
    const fewer = await writeConfig(site, only(site, [1, 3]), 'fewer.yaml');
    const up = await network('up', fewer);
    assertCode(up, 0);
    assert.match(
      up.stdout,
      new RegExp(`^${namespaceOf(2)} is taken down: it has no binding$`, 'm'),
    );
    assert.deepEqual(await namespaces(), [namespaceOf(1), namespaceOf(3)]);
    assert.match(await linksIn(site.machine), /^g2\b/m);
  });

  test('a namespace of somebody else is left alone, and the other networks come up', async () => {
    const foreign = namespaceOf(2);
    await site.run('ip', 'netns', 'add', foreign);
    await runIn(foreign, 'ip', 'link', 'add', 'theirs', 'type', 'veth', 'peer', 'name', 'other');
    const before = await stateOf(foreign);
    try {
      const up = await network('up');
      assertCode(up, 1);
      assert.match(
        up.stderr,
        new RegExp(`bay-2: the namespace ${foreign} was not made by Gatewatt`),
      );
      assert.match(up.stdout, /^bay-1 is up/m);
      assert.match(up.stdout, /^bay-3 is up/m);
      const status = await network('status');
      assertCode(status, 1);
      assert.match(status.stdout, /^bay-2 .*\(foreign\) .*g2 outside/m);
      assertCode(await network('down'), 0);
      assert.deepEqual(await stateOf(foreign), before);
      assert.match(await linksIn(site.machine), /^g2\b/m);
    } finally {
      await site.run('ip', 'netns', 'delete', foreign);
    }
  });

  test('one that somebody has made anew is left alone as well: up, down and status say so', async () => {
    assertCode(await network('up'), 0);
    const foreign = namespaceOf(2);
    await site.run('ip', '-n', foreign, 'link', 'set', 'g2', 'netns', site.machine);
    // While somebody is in the old one, the new one has another number.
    const holder = await site.agent(foreign);
    await site.run('ip', 'netns', 'delete', foreign);
    await site.run('ip', 'netns', 'add', foreign);
    assert.equal(await holder.do('heard', 1), 0);
    for (const command of ['up', 'status', 'down']) {
      const ended = await network(command);
      assertCode(ended, 1);
      assert.match(ended.stdout + ended.stderr, /foreign|made the namespace .* anew/);
    }
    await site.run('ip', 'netns', 'delete', foreign);
  });

  test('a crash between making a namespace and noting its number is cleaned up', async () => {
    // As it is after the first half of `makeNamespace`.
    await mkdir(path.dirname(recordOf(1)), { recursive: true });
    const record = { namespace: namespaceOf(1), gateway: 'gatewatt', interface: 'g1' };
    await writeFile(recordOf(1), JSON.stringify(record));
    await site.run('ip', 'netns', 'add', namespaceOf(1));
    const up = await network('up');
    assertCode(up, 0);
    assert.match(up.stdout, /^bay-1 is up/m);
    const { inode } = JSON.parse(await readFile(recordOf(1), 'utf8')) as { readonly inode: number };
    assert.equal(inode, await inodeOf(1));
    assertCode(await network('status'), 0);
    assertCode(await network('down'), 0);
    assert.equal(await isThere(recordOf(1)), false);

    // And where nobody comes up any more, but down.
    await writeFile(recordOf(1), JSON.stringify(record));
    await site.run('ip', 'netns', 'add', namespaceOf(1));
    assertCode(await network('down'), 0);
    assert.deepEqual(await namespaces(), []);
  });

  test('the interface through which the machine reaches others stays', async () => {
    const config = isolatedConfig(site, {
      binding: (index) => (index === 0 ? { interface: 'up0' } : {}),
    });
    const up = await network('up', await writeConfig(site, config, 'uplink.yaml'));
    assertCode(up, 1);
    assert.match(up.stderr, /bay-1: the machine reaches others through up0: it is not moved/);
    assert.match(up.stdout, /^bay-2 is up/m);
    assert.match(await linksIn(site.machine), /^up0\b/m);
    assert.match(
      await site.run('ip', 'route'),
      new RegExp(`^default via ${at.uplink} dev up0`, 'm'),
    );
  });

  test('status says what is open, and what does not belong there', async () => {
    assertCode(await network('up'), 0);
    assertCode(await network('status'), 0);
    await runIn(
      namespaceOf(1),
      'nft',
      'add',
      'chain',
      'inet',
      'gatewatt',
      'input',
      '{ policy accept; }',
    );
    const open = await network('status');
    assertCode(open, 1);
    assert.match(open.stdout, /^bay-1 .* OPEN /m);
    await runIn(
      namespaceOf(2),
      'ip',
      'link',
      'add',
      'stray0',
      'type',
      'veth',
      'peer',
      'name',
      'stray1',
    );
    const others = await network('status');
    assert.match(others.stdout, /^bay-2 .*g2 inside, and stray[01], stray[01]/m);
    // The twin: up closes what was opened.
    await network('up');
    assert.match((await network('status')).stdout, /^bay-1 .* closed /m);
  });

  test('a gateway serves the networks that are up, and opens nothing in a foreign namespace', async () => {
    const foreign = namespaceOf(2);
    await site.run('ip', 'netns', 'add', foreign);
    const internet = await site.agent(site.uplink);
    await internet.do('csms', csmsPort);
    const gateway = serveIsolated(site, configFile);
    try {
      await gateway.logged('IsolatedNetworkServed', { network: 'bay-1' });
      await gateway.logged('IsolatedNetworkServed', { network: 'bay-3' });
      await gateway.logged('IsolatedNetworkFailed', { network: 'bay-2' });
      const listening = await runIn(foreign, 'cat', '/proc/net/tcp', '/proc/net/tcp6');
      assert.doesNotMatch(listening, new RegExp(`:${listenerPort.toString(16).toUpperCase()} `));
    } finally {
      await gateway.stop();
      await site.run('ip', 'netns', 'delete', foreign);
    }
  });

  test('without root, or without isolation, it says so', async () => {
    const wrapper = ['setpriv', `--reuid=${nobody.uid}`, `--regid=${nobody.uid}`, '--clear-groups'];
    const nobodys = commandLineOn(site, wrapper);
    const plain = isolatedConfig(site) as Record<string, unknown>;
    const { isolation: _, ...others } = plain;
    const config = {
      ...others,
      listeners: [{ name: 'f', address: '127.0.0.1:0', securityProfile: 1 }],
    };
    const without = await writeConfig(site, config, 'plain.yaml');
    for (const command of ['up', 'down', 'status']) {
      const ended = await network(command, configFile, nobodys);
      assertCode(ended, 1);
      assert.match(ended.stderr, /network namespaces need root/);
      const plainEnded = await network(command, without);
      assertCode(plainEnded, 2);
      assert.match(plainEnded.stderr, /has no isolation section/);
    }
    const serve = await nobodys('serve', '-c', configFile);
    assertCode(serve, 1);
    assert.match(serve.stderr, /network namespaces need root/);
  });
});

interface LinkJson {
  readonly addr_info: readonly unknown[];
  readonly operstate: string;
}

function assertCode({ code, stderr, stdout }: Ended, wanted: number): void {
  assert.equal(code, wanted, `${stdout}${stderr}`);
}

/** What iproute2 and nftables say of a namespace. */
async function stateOf(namespace: string): Promise<readonly string[]> {
  return [
    await runIn(namespace, 'ip', '-brief', 'address'),
    await runIn(namespace, 'ip', '-brief', 'link'),
    // Without what was counted meanwhile.
    (await runIn(namespace, 'nft', 'list', 'ruleset')).replaceAll(/packets \d+ bytes \d+/g, ''),
  ];
}

/** A configuration without the other bindings. */
function only(site: ChargerSite, numbers: readonly number[]): object {
  const config = isolatedConfig(site) as {
    readonly isolation: { readonly bindings: readonly object[] };
  };
  const bindings = config.isolation.bindings.filter((_, index) => numbers.includes(index + 1));
  return { ...config, isolation: { ...config.isolation, bindings } };
}
