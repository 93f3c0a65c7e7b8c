import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ConfigChanges,
  type LiveGateway,
  startLiveGateway,
} from '../../support/live-gateway.ts';
import {
  connectRaw,
  connectRawCharger,
  exchange,
  upgradeText,
} from '../../support/raw-websocket.ts';
import { type HandCsms, startHandCsms } from '../../support/text-peer.ts';
import { connectThrough, refusalOf } from './talk.ts';

// Goal: the identity that is checked is the identity that the CSMS sees, and whatever could be read
//   in two ways gets nobody in.
// Method: request targets as bytes, because every HTTP library tidies them up.

/** Connects with `target` and returns the path that the CSMS saw. */
async function pathFor(gateway: LiveGateway, csms: HandCsms, target: string): Promise<string> {
  using _charger = await connectRawCharger(gateway.port, target);
  const upstream = await csms.nextConnection();
  upstream.socket.terminate();
  await upstream.closed;
  return upstream.request?.url ?? '';
}

interface Door {
  readonly name: string;
  readonly changes?: ConfigChanges;
  readonly listener?: ConfigChanges;
  /** What gets in, and as whom the CSMS knows it. */
  readonly accepted: Readonly<Record<string, string>>;
  readonly refused: readonly (readonly [target: string, status: number])[];
}

const doors: readonly Door[] = [
  {
    name: 'a listener with a path',
    accepted: {
      '/ocpp/CP-1': '/csms/CP-1',
      // C6: one trailing slash.
      '/ocpp/CP-2/': '/csms/CP-2',
      // C6: some chargers append what the URL holds already.
      '/ocpp/CP-3/CP-3': '/csms/CP-3',
      // C4: decoded once, encoded once.
      '/ocpp/RDAM%7C123': '/csms/RDAM%7C123',
      '/ocpp/%43P-4': '/csms/CP-4',
      '/ocpp/CP%205': '/csms/CP%205',
      '/ocpp/a:b': '/csms/a%3Ab',
      // C5: the whole URL, whose host is nobody's business.
      'http://gateway.example/ocpp/CP-6': '/csms/CP-6',
      'ws://gateway.example:9000/ocpp/CP-7': '/csms/CP-7',
      [`/ocpp/${'x'.repeat(64)}`]: `/csms/${'x'.repeat(64)}`,
    },
    refused: [
      // Defect 1: authenticates as one, connects as another.
      ['/ocpp/CP_A?x=/CP_B', 400],
      ['/ocpp/CP_A?', 400],
      ['/ocpp/CP_A?station=CP_B', 400],
      ['/ocpp/CP_A??', 400],
      ['/ocpp/CP_A#/CP_B', 404],
      // T2-32.
      ['/ocpp/CP%2F..%2FB', 400],
      ['/ocpp/CP%5CB', 400],
      ['/ocpp/..%2FCP', 400],
      ['/ocpp/CP_1%00', 400],
      ['/ocpp/CP_1%0D%0AX-Evil:%201', 400],
      ['/ocpp/%2543P', 400],
      ['/ocpp/CP%', 400],
      ['/ocpp/CP%zz', 400],
      ['/ocpp/CP%C0%AE', 400],
      ['/ocpp/CP-1%20', 400],
      ['/ocpp/%20CP-1', 400],
      ['/ocpp/.', 400],
      ['/ocpp/..', 400],
      ['/ocpp/../CP-1', 400],
      ['/ocpp/a..b', 400],
      ['/ocpp/%2e%2e', 400],
      // Cyrillic; looks like CP-1.
      ['/ocpp/%D0%A1%D0%A0-1', 400],
      ['/ocpp/CP-1%E2%80%8B', 400],
      [`/ocpp/${'x'.repeat(65)}`, 400],
      [`/ocpp/${'%78'.repeat(65)}`, 400],
      [`/ocpp/${'x'.repeat(4000)}`, 400],
      // C5 is a choice of the operator.
      ['/ocpp/CP-1/SERIAL', 400],
      ['/ocpp/CP-1/CP-1/CP-1', 400],
      ['/ocpp/CP-1//', 400],
      ['/ocpp//CP-1', 400],
      ['/ocpp/', 400],
      ['/ocpp', 404],
      ['/', 404],
      ['/CP-1', 404],
      ['/ocppx/CP-1', 404],
      ['/OCPP/CP-1', 404],
      ['//ocpp/CP-1', 404],
      ['/%6Fcpp/CP-1', 404],
      ['http://gateway.example', 404],
      ['ftp://gateway.example/ocpp/CP-1', 404],
      ['*', 404],
    ],
  },
  {
    name: 'a listener with several paths, one of them the root',
    listener: { path: ['/ocpp/1.6', '/'] },
    accepted: { '/ocpp/1.6/CP-1': '/csms/CP-1', '/CP-2': '/csms/CP-2', '/CP-3/': '/csms/CP-3' },
    refused: [
      ['/ocpp/CP-1', 400],
      ['/', 400],
    ],
  },
  {
    name: 'C5: a listener that takes the first segment',
    listener: { identityFrom: 'first-segment' },
    accepted: {
      '/ocpp/CP-1': '/csms/CP-1',
      '/ocpp/CP-2/SERIAL': '/csms/CP-2',
      '/ocpp/4/CBI-00001/more/': '/csms/4',
    },
    refused: [
      ['/ocpp/CP-1/SERIAL?x=/CP-2', 400],
      ['/ocpp//CP-1', 400],
    ],
  },
  {
    name: 'C7: a listener that takes a query parameter',
    listener: { identityFrom: 'query', path: '/ocpp1.6', identityParameter: 'station' },
    accepted: {
      '/ocpp1.6?station=CP-1': '/csms/CP-1',
      '/ocpp1.6/?version=2&station=RDAM%7C1': '/csms/RDAM%7C1',
    },
    refused: [
      ['/ocpp1.6?station=CP-1&station=CP-2', 400],
      ['/ocpp1.6?station=CP-1=CP-2', 400],
      ['/ocpp1.6?Station=CP-1', 400],
      ['/ocpp1.6?%73tation=CP-1', 400],
      ['/ocpp1.6?station=', 400],
      ['/ocpp1.6?station=CP%2F1', 400],
      ['/ocpp1.6?station=CP-1?station=CP-2', 400],
      ['/ocpp1.6', 400],
      ['/ocpp1.6/CP-1?station=CP-2', 404],
    ],
  },
];

for (const { name, changes = {}, listener = {}, accepted, refused } of doors) {
  describe(name, () => {
    test('T2-32: what it accepts reaches the CSMS in one canonical form', async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url, changes, listener);
      for (const [target, path] of Object.entries(accepted)) {
        assert.equal(await pathFor(gateway, csms, target), path, target);
      }
    });

    test('T2-32: what it refuses never reaches the CSMS', async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url, changes, listener);
      for (const [target, status] of refused) {
        const answer = await exchange(gateway.port, upgradeText(target));
        assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), target);
      }
      const events = gateway.events.filter((event) => event.name === 'UpgradeRefused');
      assert.equal(events.length, refused.length);
      assert.equal(csms.connections.length, 0);
    });
  });
}

describe('bytes that HTTP does not allow', () => {
  for (const target of ['/ocpp/CP 1', '/ocpp/CP\u00001', '/ocpp/CP\t1', '/ocpp/CP\u00e91', '']) {
    test(`in a target are refused: ${JSON.stringify(target)}`, async () => {
      await using csms = await startHandCsms();
      await using gateway = await startLiveGateway(csms.url);
      const answer = await exchange(gateway.port, Buffer.from(upgradeText(target), 'latin1'));
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.equal(csms.connections.length, 0);
    });
  }
});

describe('whose identity it is', () => {
  test('C3: a foreign Origin passes, because embedded stacks send their own', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRawCharger(gateway.port, '/ocpp/CP-1', {
      Origin: 'https://github.com/gilmaimon/TinyWebsockets',
    });
    charger.send('[2,"1","Heartbeat",{}]');
    const upstream = await csms.nextConnection();
    assert.equal(await upstream.next(), '[2,"1","Heartbeat",{}]');
    assert.equal(upstream.request?.headers.origin, undefined);
  });

  test('C8: an exact record decides the case; a pattern and no record leave it', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      chargers: { records: [{ id: 'Depot-7' }, { id: 'SITE-*' }] },
    });
    assert.equal(await pathFor(gateway, csms, '/ocpp/DEPOT-7'), '/csms/Depot-7');
    assert.equal(await pathFor(gateway, csms, '/ocpp/depot-7'), '/csms/Depot-7');
    assert.equal(await pathFor(gateway, csms, '/ocpp/site-Ab'), '/csms/site-Ab');
    assert.equal(await pathFor(gateway, csms, '/ocpp/oTHER'), '/csms/oTHER');
    const opened = gateway.events.filter((event) => event.name === 'SessionOpened');
    assert.deepEqual(
      opened.map(({ charger }) => charger),
      ['Depot-7', 'Depot-7', 'site-Ab', 'oTHER'],
    );
  });

  test('T4-01: an unknown identity gets a 401 that is the same for all, and no call to the CSMS', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      chargers: { unknown: 'reject', records: [{ id: 'CP-1' }] },
    });
    const answers = new Set<string>();
    for (const identity of ['CP-2', 'CP-10', 'admin', 'x'.repeat(64)]) {
      answers.add(await exchange(gateway.port, upgradeText(`/ocpp/${identity}`)));
      // A stranger learns nothing about versions either.
      const oldVersion = { 'Sec-WebSocket-Protocol': 'ocpp1.2' };
      answers.add(await exchange(gateway.port, upgradeText(`/ocpp/${identity}`, oldVersion)));
    }
    assert.equal(answers.size, 1);
    const [answer = ''] = answers;
    assert.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n/);
    assert.match(answer, /\r\nwww-authenticate: Basic realm="ocpp"/);
    // T4-02.
    assert.doesNotMatch(answer, /server:|gatewatt|node/i);
    assert.equal(csms.connections.length, 0);
    const refused = gateway.events.filter((event) => event.name === 'UpgradeRefused');
    assert.deepEqual([...new Set(refused.map(({ code }) => code))], ['IDENTITY_UNKNOWN']);
    assert.equal(await pathFor(gateway, csms, '/ocpp/cp-1'), '/csms/CP-1');
  });

  test('D1: a second identity in the query is refused, so that nobody can read it instead', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    const mixed = await refusalOf(`ws://127.0.0.1:${gateway.port}/ocpp/CP_A?x=/CP_B`);
    assert.equal(mixed.status, 400);
    const { charger, upstream } = await connectThrough(gateway, csms, 'CP_A');
    assert.equal(upstream.request?.url, '/csms/CP_A');
    assert.equal(csms.connections.length, 1);
    await charger.close();
  });

  test('D8: an enrolled stranger still has to say its version', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    assert.equal((await refusalOf(gateway.url('STRANGER'), [])).status, 400);
    assert.equal(csms.connections.length, 0);
  });

  test('D5: headers that claim an address or an identity are not believed', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url);
    using charger = await connectRaw(gateway.port);
    charger.write(
      upgradeText('/ocpp/CP-1', {
        'X-Forwarded-For': '203.0.113.9',
        'X-Real-IP': '203.0.113.9',
        'X-Forwarded-Proto': 'https',
        'X-Client-Cert': 'CN=CP-2',
      }),
    );
    const { charger: identity, remoteAddress } = await gateway.event('SessionOpened');
    assert.deepEqual([identity, remoteAddress], ['CP-1', '127.0.0.1']);
    assert.doesNotMatch(gateway.log(), /203\.0\.113\.9|CP-2/);
  });
});
