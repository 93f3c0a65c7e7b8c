import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeAuthority, type TestAuthority } from '../../support/certificates.ts';
import { at, buildSite, type ChargerSite, csmsPort, nobody } from '../../support/charger-site.ts';
import { tcpSyn } from '../../support/ethernet-frames.ts';
import {
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
import { sendFrames } from './attacker.ts';

// Goal: where a charger connects from says who it may be, and what one network does is held against
//   that network alone (PNNL-35706 section 4.0, figures 5 and 6).
// Method: one gateway with six networks that all have the same addresses, with listeners of the
//   security profiles 0, 1 and 2; beside them an ordinary listener. Real chargers, behind cables of
//   their own, say who they are and who they are not.

const ordinaryPort = 8090;
const password = 'one-long-password-for-this-test';
const csmsName = 'csms.example.com';
const floodCount = 300;
/** Of bay-1. */
const connectionsMax = 8;

describeIsolation('chargers in networks of their own', () => {
  let site: ChargerSite;
  let gateway: IsolatedGateway;
  let authority: TestAuthority;
  let internet: NetworkAgent;
  /** Charger 1 is at index 0. */
  let chargers: readonly NetworkAgent[];
  /** Conversations, by the number of the charger. */
  const talking = new Map<number, number>();

  const charger = (number: number): NetworkAgent => {
    const agent = chargers[number - 1];
    assert(agent !== undefined);
    return agent;
  };
  /** Connects, and begins a conversation. */
  const converse = async (number: number): Promise<number> => {
    let handle = -1;
    await until(
      async () => {
        const attempt = await charger(number).do('call', chargerUrl(`CP-${number}`));
        handle = attempt.handle ?? -1;
        // Who has just gone may still be held.
        assert([101, 409].includes(Number(attempt.status)), `CP-${number}: ${attempt.status}`);
        return attempt.status === 101;
      },
      () => `CP-${number} gets in`,
    );
    const boot = { chargePointVendor: 'Example', chargePointModel: 'One' };
    await charger(number).do('ask', handle, 'BootNotification', boot);
    await charger(number).do('converse', handle);
    return handle;
  };
  /** The conversation goes on, and has never been interrupted. */
  const stillTalks = async (number: number, handle: number): Promise<void> => {
    const { answered } = await charger(number).do('conversation', handle);
    await until(
      async () => {
        const now = await charger(number).do('conversation', handle);
        assert.equal(now.failure, undefined, `CP-${number}`);
        return now.answered > answered;
      },
      () => `CP-${number} still talks`,
    );
  };
  const allStillTalk = async (): Promise<void> => {
    for (const [number, handle] of talking) await stillTalks(number, handle);
  };
  /** Goes, and comes again. */
  const comesAgain = async (number: number): Promise<void> => {
    await charger(number).do('hangUp', talking.get(number) ?? -1);
    await until(
      async () => !(await internet.do('csmsHas')).chargers.includes(`CP-${number}`),
      () => `CP-${number} has gone`,
    );
    talking.set(number, await converse(number));
    await stillTalks(number, talking.get(number) ?? -1);
  };
  const addressOf = (number: number): string => site.chargers[number - 1]?.address ?? '';
  const statusFrom = async (number: number, url: string, shown: object = {}) =>
    (await charger(number).do('call', url, shown)).status;

  before(async () => {
    site = await buildSite({ chargers: 6 });
    authority = await makeAuthority();
    const agents = site.chargers.map(({ namespace }) => site.agent(namespace));
    [internet, ...chargers] = await Promise.all([site.agent(site.uplink), ...agents]);
    await internet.do('csms', csmsPort);
    const configFile = await writeConfig(site, await configOf(site, authority));
    await addPasswords(site, configFile);
    gateway = serveIsolated(site, configFile);
    await gateway.served(6);
  });

  after(async () => {
    try {
      await gateway?.stop();
    } finally {
      await site?.[Symbol.asyncDispose]();
    }
  });

  test('figure 5: with the same addresses in each network, every charger is its own', async () => {
    talking.set(2, await converse(2));
    talking.set(3, await converse(3));
    assert.deepEqual((await internet.do('csmsHas')).chargers, ['CP-2', 'CP-3']);
    for (const number of [2, 3]) {
      await gateway.logged('SessionOpened', {
        charger: `CP-${number}`,
        remoteAddress: `${addressOf(number)}@bay-${number}`,
      });
    }
    assert.equal(addressOf(2), addressOf(3));
  });

  test('figure 6: the identity of another charger is refused, and that one stays', async () => {
    for (const identity of ['CP-2', 'cp-2', 'CP-3', 'NOBODY']) {
      assert.equal(await statusFrom(1, chargerUrl(identity)), 403, identity);
      const entry = await gateway.logged('IdentityOutOfPlace', { charger: identity });
      assert.equal(entry['network'], 'bay-1');
      assert.equal(entry['remoteAddress'], `${addressOf(1)}@bay-1`);
      await gateway.logged('UpgradeRefused', { charger: identity, code: 'IDENTITY_OUT_OF_PLACE' });
    }
    await allStillTalk();
  });

  test('figure 6: its own identities are accepted: by name, and by pattern', async () => {
    for (const identity of ['CP-1', 'BAY1-7', 'bay1-8']) {
      const { handle = -1, status } = await charger(1).do('call', chargerUrl(identity));
      assert.equal(status, 101, identity);
      await charger(1).do('hangUp', handle);
    }
  });

  test('figure 6: from an ordinary listener a bound identity is refused, another is not', async () => {
    const url = (identity: string): string => `ws://${at.site}:${ordinaryPort}/ocpp/${identity}`;
    const statusOf = async (identity: string) => (await internet.do('call', url(identity))).status;
    for (const identity of ['CP-2', 'CP-1', 'BAY1-9', 'CP-4']) {
      assert.equal(await statusOf(identity), 403, identity);
      const refused = { charger: identity, remoteAddress: at.uplink };
      const entry = await gateway.logged('IdentityOutOfPlace', refused);
      assert.equal(entry['network'], undefined);
    }
    assert.equal(await statusOf('VISITOR'), 101);
    await allStillTalk();
  });

  test('figure 6: a flood of connections uses up those of its own network', async () => {
    const halfRequest = 'GET /ocpp/CP-1 HTTP/1.1\r\n';
    await charger(1).do('flood', at.gateway, listenerPort, floodCount, halfRequest);
    await until(
      async () => (await charger(1).do('flooded')).closed >= floodCount - connectionsMax,
      () => `all connections but ${connectionsMax} are closed`,
    );
    // What was there before may have gone only meanwhile.
    const { open } = await charger(1).do('flooded');
    assert(open > 0 && open <= connectionsMax, `${open} connections are open`);
    const full = { code: 'CONNECTIONS_FULL', remoteAddress: `${addressOf(1)}@bay-1` };
    await gateway.logged('UpgradeRefused', full);
    // Meanwhile nobody else notices: who is there stays, and who is not there comes.
    await allStillTalk();
    await comesAgain(2);
    // The twin: without the flood there is room.
    await charger(1).do('endFlood');
    await until(
      async () => (await charger(1).do('call', chargerUrl('CP-1'))).status === 101,
      () => 'charger 1 gets in again',
    );
  });

  test('figure 6: a flood of handshakes that go no further harms no other network', async () => {
    const [first] = site.chargers;
    assert(first !== undefined);
    const { gatewayMac: toMac, mac: fromMac } = first;
    const frames = Array.from({ length: 5_000 }, (_, index) => {
      const from = `192.168.1.${20 + (index % 200)}`;
      return tcpSyn({ fromMac, toMac, from, to: at.gateway }, 10_000 + index, listenerPort);
    });
    await sendFrames(first, frames);
    await allStillTalk();
    await comesAgain(2);
    await comesAgain(3);
  });

  test('figure 6: who guesses passwords in one network locks no other one', async () => {
    const shown = (identity: string, secret: string): object => {
      const authorization = `Basic ${Buffer.from(`${identity}:${secret}`).toString('base64')}`;
      return { authorization };
    };
    const statuses: unknown[] = [];
    while (statuses.at(-1) !== 429 && statuses.length < 100) {
      const guess = shown('CP-4', `guess number ${statuses.length}`);
      statuses.push(await statusFrom(4, chargerUrl('CP-4'), guess));
    }
    assert.equal(statuses.at(-1), 429);
    assert.deepEqual(new Set(statuses.slice(0, -1)), new Set([401]));
    // The right password comes too late there, and the same address in another network is another.
    assert.equal(await statusFrom(4, chargerUrl('CP-4'), shown('CP-4', password)), 429);
    assert.equal(addressOf(4), addressOf(5));
    assert.equal(await statusFrom(5, chargerUrl('CP-5'), shown('CP-5', password)), 101);
    // Of another network no password is even looked at.
    assert.equal(await statusFrom(4, chargerUrl('CP-5'), shown('CP-5', password)), 403);
  });

  test('figure 6: a charger that is set up for the CSMS finds the gateway, by DNS and TLS', async () => {
    const { certificatePem: ca } = authority;
    const authorization = `Basic ${Buffer.from(`CP-6:${password}`).toString('base64')}`;
    const shown = { authorization, ca, dns: at.gateway };
    const statusAt = (host: string, changes: object = {}) =>
      statusFrom(6, `wss://${host}/ocpp/CP-6`, { ...shown, ...changes });
    assert.deepEqual(await charger(6).do('resolve', at.gateway, csmsName), [at.gateway]);
    assert.equal(await statusAt(csmsName), 101);
    // The twins: it does verify whom it talks to.
    assert.equal(await statusAt(at.uplink), 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.equal(await statusAt('other.example.com'), 'ENOTFOUND');
    const { certificatePem: stranger } = await makeAuthority({ commonName: 'Another Root' });
    assert.match(String(await statusAt(csmsName, { ca: stranger })), /UNABLE_TO|SELF_SIGNED/);
  });
});

async function configOf(site: ChargerSite, authority: TestAuthority): Promise<object> {
  const { chainPem, keyPem } = await authority.issue({
    commonName: csmsName,
    dnsNames: [csmsName],
  });
  await writeFile(path.join(site.folder, 'listener.pem'), chainPem);
  await writeFile(path.join(site.folder, 'listener.key'), keyPem);
  const certificates = [{ certFile: 'listener.pem', keyFile: 'listener.key' }];
  const bindings: Readonly<Record<number, object>> = {
    1: { chargers: ['CP-1', 'BAY1-*'], connectionsMax },
    4: { listener: 'guarded' },
    5: { listener: 'guarded' },
    6: { listener: 'secure', port: 8443, redirectPorts: [443], dnsNames: [csmsName] },
  };
  return isolatedConfig(site, {
    binding: (index) => bindings[index + 1] ?? {},
    listeners: [
      {
        name: 'field',
        address: `${at.site}:${ordinaryPort}`,
        path: '/ocpp',
        securityProfile: 0,
        allowUnauthenticated: true,
      },
      { name: 'guarded', path: '/ocpp', securityProfile: 1 },
      { name: 'secure', path: '/ocpp', securityProfile: 2, tls: { certificates } },
    ],
    // A half request stays as long as the flood is looked at.
    limits: { handshakeSeconds: 60 },
    // No attempt is forgiven between the last guess and the right password.
    credentials: { attemptWindowSeconds: 3600 },
  });
}

async function addPasswords(site: ChargerSite, configFile: string): Promise<void> {
  const passwordFile = path.join(site.folder, 'password');
  await writeFile(passwordFile, password);
  const nobodys = ['setpriv', `--reuid=${nobody.uid}`, `--regid=${nobody.uid}`, '--clear-groups'];
  const run = commandLineOn(site, nobodys);
  for (const number of [4, 5, 6]) {
    const words = ['charger', 'add', `CP-${number}`, '-c', configFile];
    const added = await run(...words, '--password-file', passwordFile);
    assert.equal(added.code, 0, added.stderr);
  }
}
