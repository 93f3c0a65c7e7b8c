import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  at,
  buildSite,
  type ChargerSite,
  csmsPort,
  greetingPort,
  nobody,
  runIn,
  type SiteCharger,
  strayPort,
} from '../../support/charger-site.ts';
import type { Ended } from '../../support/command-line.ts';
import {
  type CommandLine,
  chargerUrl,
  commandLineOn,
  type IsolatedGateway,
  isolatedConfig,
  listenerPort,
  serveIsolated,
  writeConfig,
} from '../../support/isolated-gateway.ts';
import { describeIsolation } from '../../support/isolation-needs.ts';
import type { NetworkAgent } from '../../support/network-agent.ts';
import { until } from '../../support/until.ts';

// Goal: chargers stay isolated whatever happens to the gateway, and are served again afterwards; and
//   as little as possible is root (PNNL-35706 section 4.0, figure 6).
// Method: a real keeper and its gateway, with the privileges of the systemd unit and no others. Both
//   are killed, and the cable of a charger is cut, while the charger tries to reach what it must not.

/** Whoever says something waits for an answer. */
const hello = 'hello';
/** What the keeper needs to have. */
const capabilities = ['sys_admin', 'net_admin', 'setuid', 'setgid', 'net_bind_service'];
const asInUnit = [
  'setpriv',
  `--bounding-set=-all,${capabilities.map((name) => `+${name}`).join(',')}`,
  '--no-new-privs',
];

describeIsolation('a gateway with isolated networks', () => {
  let site: ChargerSite;
  let configFile: string;
  let gateway: IsolatedGateway;
  let charger: NetworkAgent;
  let cable: SiteCharger;
  let run: CommandLine;

  before(async () => {
    site = await buildSite({ chargers: 2 });
    const [first] = site.chargers;
    assert(first !== undefined);
    cable = first;
    const [internet, machine] = await Promise.all([
      site.agent(site.uplink),
      site.agent(site.machine),
    ]);
    await internet.do('csms', csmsPort);
    await internet.do('listen', greetingPort, 'hello from the Internet');
    await machine.do('listen', strayPort, 'hello from the machine');
    assert.equal(
      await machine.do('connect', at.uplink, greetingPort, hello),
      'hello from the Internet',
    );
    assert.equal(await machine.do('connect', at.site, strayPort, hello), 'hello from the machine');
    charger = await site.agent(cable.namespace);
    run = commandLineOn(site);
    // With a service, so that a port needs a privilege.
    const services = { dnsNames: ['csms.example.com'] };
    configFile = await writeConfig(site, isolatedConfig(site, { binding: () => services }));
  });

  after(async () => {
    try {
      await gateway?.stop();
    } finally {
      await site?.[Symbol.asyncDispose]();
    }
  });

  const serve = async (): Promise<void> => {
    gateway = serveIsolated(site, configFile, asInUnit);
    await gateway.served(2);
  };
  const canConnect = async (): Promise<void> => {
    await until(
      async () => {
        const { handle, status } = await charger.do('call', chargerUrl('CP-1'));
        if (handle !== undefined) await charger.do('hangUp', handle);
        return status === 101;
      },
      () => `CP-1 gets in: ${gateway.stderr()}`,
    );
  };
  const isIsolated = async (): Promise<void> => {
    const outcomes = await Promise.all([
      charger.do('connect', at.uplink, greetingPort),
      charger.do('connect', at.site, strayPort),
      charger.do('connect', at.gateway, strayPort),
    ]);
    assert.deepEqual(outcomes, ['timeout', 'timeout', 'timeout']);
  };
  const status = (): Promise<Ended> => run('network', 'status', '-c', configFile);
  const untilEnded = (id: number): Promise<void> =>
    until(
      () => !existsSync(`/proc/${id}`),
      () => `the process ${id} ends`,
    );

  test('works with the privileges of its unit, and the gateway itself has none', async () => {
    await serve();
    await canConnect();
    const keeper = await privilegesOf(gateway.keeper.pid ?? 0);
    assert.equal(keeper.get('Uid'), '0 0 0 0');
    assert.equal(capabilityCount(keeper.get('CapEff')), capabilities.length);
    const own = await privilegesOf(await gateway.gatewayId());
    const ids = Array.from({ length: 4 }, () => nobody.uid).join(' ');
    assert.equal(own.get('Uid'), ids);
    assert.equal(own.get('Gid'), ids);
    assert.equal(own.get('Groups'), '');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) {
      assert.match(own.get(set) ?? '', /^0+$/, set);
    }
    assert.equal(own.get('NoNewPrivs'), '1');
  });

  test('its gateway is killed: the keeper ends, the network stays closed, and comes back', async () => {
    process.kill(await gateway.gatewayId(), 'SIGKILL');
    assert.deepEqual(await gateway.ended(), [1, null]);
    await isIsolated();
    assert.equal(await charger.do('connect', at.gateway, listenerPort), 'ECONNREFUSED');
    const { code, stdout } = await status();
    // Nobody is at home; but the doors are locked.
    assert.equal(code, 0, stdout);
    assert.match(stdout, /bay-1 .*g1 inside .*closed .* no\n/);
    await serve();
    await canConnect();
    await isIsolated();
  });

  test('its keeper is killed: the gateway ends, the network stays closed, and comes back', async () => {
    const id = await gateway.gatewayId();
    gateway.keeper.kill('SIGKILL');
    await gateway.ended();
    await isIsolated();
    await untilEnded(id);
    assert.equal(await charger.do('connect', at.gateway, listenerPort), 'ECONNREFUSED');
    assert.equal(
      (await runIn(site.machine, 'ip', 'netns', 'pids', site.machine)).includes(String(id)),
      false,
    );
    await serve();
    await canConnect();
    await isIsolated();
  });

  test('an interface vanishes and returns: it is fetched again, without a restart', async () => {
    const seen = gateway.log.length;
    // One end of the cable takes the other one with it.
    await runIn(cable.namespace, 'ip', 'link', 'delete', 'e0');
    const { code, stdout } = await status();
    assert.equal(code, 1, stdout);
    assert.match(stdout, /bay-1 .*g1 missing/);
    assert.match(stdout, /bay-2 .*g2 inside/);
    await site.plugIn(cable);
    await gateway.logged('IsolatedInterfaceReturned', { network: 'bay-1', interface: 'g1' }, seen);
    await canConnect();
    await isIsolated();
    const again = await status();
    assert.equal(again.code, 0, again.stdout);
    assert.match(again.stdout, new RegExp(`bay-1 .*g1 inside .*closed .*port ${listenerPort}`));
  });

  test('its networks are taken down meanwhile: they are made anew, and served', async () => {
    const seen = gateway.log.length;
    const { code, stderr } = await run('network', 'down', '-c', configFile);
    assert.equal(code, 0, stderr);
    for (const network of ['bay-1', 'bay-2']) {
      await gateway.logged('IsolatedInterfaceReturned', { network }, seen);
      await gateway.logged('IsolatedNetworkServed', { network }, seen);
    }
    await canConnect();
    await isIsolated();
  });

  test('a gateway that cannot start ends, and so does its keeper', async () => {
    const file = await writeConfig(
      site,
      isolatedConfig(site, { gateway: { dataDir: 'closed' } }),
      'closed.yaml',
    );
    // Of root, and the gateway is nobody.
    await mkdir(path.join(site.folder, 'closed'), { mode: 0o700 });
    const other = serveIsolated(site, file, asInUnit);
    assert.deepEqual(await other.ended(), [1, null]);
    assert.match(other.stderr(), /cannot start: the data directory .* cannot be used/);
  });

  test('it is asked to end: both end, and the chargers stay isolated', async () => {
    const id = await gateway.gatewayId();
    // As a terminal does, and a service manager that signals to all. The gateway is busy meanwhile.
    process.kill(id, 'SIGSTOP');
    gateway.keeper.kill('SIGTERM');
    process.kill(id, 'SIGTERM');
    process.kill(id, 'SIGCONT');
    assert.deepEqual(await gateway.ended(), [0, null]);
    await gateway.logged('GatewayStopped');
    await untilEnded(id);
    await isIsolated();
    assert.equal((await status()).code, 0);
  });
});

/** What the kernel says of a process, by the names of its file. */
async function privilegesOf(id: number): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(`/proc/${id}/status`, 'utf8');
  const lines = text.split('\n').map((line) => line.split(':'));
  return new Map(
    lines.map(([name = '', value = '']) => [name, value.trim().replaceAll(/\s+/g, ' ')]),
  );
}

/** How many capabilities a set has. */
function capabilityCount(hexadecimal = ''): number {
  return [...BigInt(`0x${hexadecimal}`).toString(2)].filter((bit) => bit === '1').length;
}
