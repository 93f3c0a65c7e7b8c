import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  adminPort,
  at,
  csmsPort,
  greetingPort,
  ipIn,
  runIn,
  strayPort,
} from '../../support/charger-site.ts';
import {
  chargerUrl,
  type IsolatedGateway,
  isolatedConfig,
  listenerPort,
  serveIsolated,
  writeConfig,
} from '../../support/isolated-gateway.ts';
import { describeIsolation } from '../../support/isolation-needs.ts';
import { until } from '../../support/until.ts';
import { floodOfLies, floodsOfNeighbours, spoofs } from './attack-frames.ts';
import {
  describe,
  isGateway,
  nothing,
  quietly,
  reached,
  redirectPorts,
  request,
  type Scene,
  setScene,
  type Target,
  targetsOf,
} from './attack-scene.ts';
import { believedMac, hasLearnedRouter, sendFrames } from './attacker.ts';

// Goal: whoever has taken over a charger reaches the gateway's listener and nothing else: no other
//   charger, no CSMS, no Internet, no other port of the gateway's machine (PNNL-35706 section 4.0,
//   figures 5 and 6); and the others do not notice.
// Method: one site, twice. First all chargers are behind a switch of a machine that is a router,
//   where every attack must succeed, so that it is known to be one. Then a gateway with isolated
//   networks is started there, and the same attacks come again while chargers 2 and 3 are in
//   conversation. Packets of strangers are counted where they would arrive.

describeIsolation('an attacker that has charger 1', () => {
  let scene: Scene;
  let gateway: IsolatedGateway;
  /** Of the conversations of the chargers 2 and 3. */
  const handles: number[] = [];

  before(async () => {
    scene = await setScene();
  });

  after(async () => {
    await scene?.site[Symbol.asyncDispose]();
  });

  test('without isolation: it reaches chargers, CSMS, Internet and every port of the machine', async () => {
    const { attacker, watch } = scene;
    await watch.since();
    for (const target of targetsOf(scene)) {
      const outcome = await attacker.do('connect', target.address, target.port, request);
      assert.match(outcome, reached, describe(target));
      assert((await watch.since())[target.place] > 0, `${describe(target)} has counted nothing`);
    }
  });

  test('without isolation: its raw frames arrive everywhere', async () => {
    const { chargers, watch } = scene;
    await watch.since();
    await sendFrames(chargers[0], floodOfLies(scene.chargers));
    const arrived = await watch.since();
    for (const [place, count] of Object.entries(arrived)) assert(count > 0, place);
  });

  test('without isolation: others believe its ARP, its neighbour and its router messages', async () => {
    const [, victim] = scene.chargers;
    const [firstVictim] = scene.victims;
    for (const address of [at.gateway, at.gateway6]) {
      await firstVictim.do('connect', address, strayPort, request);
      assert.notEqual(await believedMac(victim.namespace, address), '');
    }
    await until(
      async () => {
        await sendFrames(scene.chargers[0], spoofs(scene.chargers));
        const believed = await Promise.all([
          ...[at.gateway, at.gateway6].map(async (address) => {
            return (await believedMac(victim.namespace, address)) === scene.chargers[0].mac;
          }),
          hasLearnedRouter(victim.namespace),
        ]);
        return believed.every((it) => it);
      },
      () => 'the attacker is believed to be the gateway and a router',
    );
    for (const { namespace } of scene.chargers) {
      await ipIn(namespace, ['neighbour flush all', 'route flush table all proto ra']);
    }
  });

  test('with isolation: the chargers 2 and 3 begin to talk', async () => {
    const { internet, site, victims } = scene;
    // A large network, so that there is room for many neighbours.
    const addresses = [`${at.gateway}/16`, `${at.gateway6}/64`];
    const config = isolatedConfig(site, {
      binding: (index) => ({ addresses, ...(index === 0 && { redirectPorts }) }),
    });
    gateway = serveIsolated(site, await writeConfig(site, config));
    await gateway.served(3);
    for (const [index, victim] of victims.entries()) {
      const { handle = -1, status } = await victim.do('call', chargerUrl(`CP-${index + 2}`));
      assert.equal(status, 101);
      const boot = { chargePointVendor: 'Example', chargePointModel: 'One' };
      await victim.do('ask', handle, 'BootNotification', boot);
      await victim.do('converse', handle);
      handles.push(handle);
    }
    assert.deepEqual((await internet.do('csmsHas')).chargers, ['CP-2', 'CP-3']);
    // What was on its way when the switch was taken away.
    await scene.watch.since();
  });

  test('it connects to its listener, and so does the machine of the gateway to everything', async () => {
    const { attacker, machine } = scene;
    for (const address of [at.gateway, at.gateway6]) {
      assert.equal(
        await attacker.do('connect', address, listenerPort, request),
        'HTTP/1.1 426 Upgrade Required',
      );
    }
    assert.match(
      await machine.do('connect', at.site, adminPort, 'GET /healthz HTTP/1.0\r\n\r\n'),
      /^HTTP\/1\.1 200 /,
    );
    for (const { address, place, port } of targetsOf(scene)) {
      if (place.startsWith('charger') || address === at.gateway) continue;
      assert.match(await machine.do('connect', address, port, request), reached);
    }
  });

  test('figure 6: it connects to nothing else, over IPv4 and IPv6', async () => {
    const { attacker } = scene;
    await quietly(scene, async () => {
      const admin = [at.site, at.gateway, at.site6, at.gateway6].map((address): Target => {
        return { place: 'the machine', address, port: adminPort };
      });
      const targets = [...targetsOf(scene), ...admin];
      const outcomes = await Promise.all(
        targets.map(({ address, port }) => attacker.do('connect', address, port)),
      );
      for (const [index, target] of targets.entries()) {
        assert.equal(outcomes[index], 'timeout', describe(target));
      }
      const toGateway = targets.filter(({ address }) => isGateway(address));
      return { arrived: targets.length, refused: toGateway.length };
    });
  });

  test('figure 6: with the addresses of others in its own tables, too', async () => {
    const { attacker, chargers } = scene;
    const [{ gatewayMac, namespace }, ...others] = chargers;
    // Whatever it asks for is at the gateway's end of its cable.
    const addresses = others.flatMap(({ address, address6 }) => [address, address6]);
    await ipIn(
      namespace,
      addresses.map((it) => `neighbour replace ${it} lladdr ${gatewayMac} nud permanent dev e0`),
    );
    await quietly(scene, async () => {
      const outcomes = await Promise.all(
        addresses.map((address) => attacker.do('connect', address, greetingPort)),
      );
      assert.deepEqual(new Set(outcomes), new Set(['timeout']));
      return { arrived: addresses.length, refused: 0 };
    });
  });

  test('figure 6: a scan of the gateway finds one port, and the redirected ones', async () => {
    const { attacker } = scene;
    const ports = [
      ...Array.from({ length: 150 }, (_, index) => index + 1),
      ...[443, 502, adminPort, csmsPort, greetingPort, listenerPort, strayPort, 22_222],
    ];
    const open: number[] = [];
    await quietly(scene, async () => {
      await Promise.all(
        ports.map(async (port) => {
          const outcome = await attacker.do('connect', at.gateway, port);
          if (outcome !== 'timeout') open.push(port);
        }),
      );
      const refused = ports.length - redirectPorts.length - 1;
      return { arrived: ports.length, refused };
    });
    assert.deepEqual(
      open.sort((a, b) => a - b),
      [...redirectPorts, listenerPort],
    );
  });

  test('figure 6: a redirected port leads to the listener, whatever the address', async () => {
    const { attacker, internet, machine } = scene;
    const before = await internet.do('heard', 443);
    for (const address of [at.uplink, at.site, at.gateway, at.uplink6, '203.0.113.9']) {
      for (const port of redirectPorts) {
        const outcome = await attacker.do('connect', address, port, request);
        assert.equal(outcome, 'HTTP/1.1 426 Upgrade Required', `${address} port ${port}`);
      }
    }
    assert.equal(await internet.do('heard', 443), before);
    assert.deepEqual(await scene.watch.since(), nothing);
    // The twin: there is somebody at that port.
    assert.equal(await machine.do('connect', at.uplink, 443, request), 'hello from the Internet');
    assert.equal(await internet.do('heard', 443), before + 1);
  });

  test('figure 6: its raw frames get no further than its own cable', async () => {
    const frames = floodOfLies(scene.chargers);
    const { chargers } = scene;
    await quietly(scene, async () => {
      await sendFrames(chargers[0], frames);
      // The rest is to others, or from where nobody can be.
      return { arrived: frames.length, refused: 100 };
    });
  });

  test('figure 6: nobody else believes its ARP, its neighbour and its router messages', async () => {
    const { chargers, site, victims } = scene;
    const [attacker, ...others] = chargers;
    for (const victim of victims) {
      await victim.do('connect', at.gateway6, listenerPort, request);
    }
    const frames = Array.from({ length: 5 }, () => spoofs(scene.chargers)).flat();
    await quietly(scene, async () => {
      await sendFrames(attacker, frames);
      return { arrived: frames.length, refused: 0 };
    });
    for (const { gatewayMac, namespace: other } of others) {
      assert.equal(await believedMac(other, at.gateway), gatewayMac);
      assert.equal(await believedMac(other, at.gateway6), gatewayMac);
      assert.equal(await hasLearnedRouter(other), false);
    }
    assert.equal(
      await hasLearnedRouter(`${site.prefix}bay-1`),
      false,
      'the gateway has a new router',
    );
  });

  test('figure 6: from inside its network nothing can be begun', async () => {
    const { attacker, chargers, internet, site } = scene;
    const namespace = `${site.prefix}bay-1`;
    const connectFrom = (host: string, port: number): Promise<string> =>
      runIn(namespace, process.execPath, '-e', connectScript, host, String(port));
    const csmsBefore = await internet.do('csmsHas');
    assert.equal(await connectFrom(at.uplink, csmsPort), 'ENETUNREACH');
    assert.equal(await connectFrom(at.uplink6, csmsPort), 'ENETUNREACH');
    assert.equal(await connectFrom(chargers[1].address, greetingPort), 'timeout');
    const heardBefore = await attacker.do('heard', greetingPort);
    assert.equal(await connectFrom(chargers[0].address, greetingPort), 'timeout');
    assert.equal(await attacker.do('heard', greetingPort), heardBefore);
    assert.deepEqual((await internet.do('csmsHas')).chargers, csmsBefore.chargers);
    // The twin: its own charger is there and takes connections, and the script can connect.
    const own = chargers[0];
    const asItself = await runIn(
      own.namespace,
      process.execPath,
      '-e',
      connectScript,
      own.address,
      String(greetingPort),
    );
    assert.equal(asItself, 'connected');
  });

  // The kernel remembers a limited number of neighbours, over all namespaces together.
  test('figure 6: a flood of addresses in its own network leaves room for the others', async () => {
    for (const lies of floodsOfNeighbours(scene.chargers)) {
      await whileFlooded(scene, lies, async () => {
        for (const address of [at.gateway, `[${at.gateway6}]`]) {
          // As after some minutes of silence: the gateway has to ask where the charger is.
          await ipIn(`${scene.site.prefix}bay-2`, ['neighbour flush all']);
          // Of nobody, so that the answer comes at once.
          const { status } = await scene.victims[0].do('call', chargerUrl('NOBODY', address));
          assert.equal(status, 403, address);
        }
      });
    }
  });

  test('the chargers 2 and 3 have noticed nothing', async () => {
    const { internet, victims } = scene;
    for (const [index, victim] of victims.entries()) {
      const handle = handles[index] ?? -1;
      const { answered, failure } = await victim.do('conversation', handle);
      assert.equal(failure, undefined);
      await until(
        async () => (await victim.do('conversation', handle)).answered > answered,
        () => `charger ${index + 2} still talks`,
      );
    }
    assert.deepEqual((await internet.do('csmsHas')).chargers, ['CP-2', 'CP-3']);
    await gateway.stop();
  });
});

/** Tries the connection that its parameters say, and writes how that ended. */
const connectScript = `
  const [, host, port] = process.argv;
  const socket = require('node:net').connect({ host, port });
  const end = (text) => { process.stdout.write(text); process.exit(); };
  socket.on('error', ({ code }) => end(code)).on('connect', () => end('connected'));
  setTimeout(() => end('timeout'), 800);
`;

/** Does something while the attacker sends these frames, again and again. */
async function whileFlooded(
  { chargers: [attacker] }: Scene,
  frames: readonly Buffer[],
  act: () => Promise<void>,
): Promise<void> {
  await sendFrames(attacker, frames);
  let isOver = false;
  const flood = (async (): Promise<void> => {
    while (!isOver) await sendFrames(attacker, frames);
  })();
  try {
    await act();
  } finally {
    isOver = true;
    await flood;
  }
}
