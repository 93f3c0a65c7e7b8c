import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { setPassword } from '../../../src/chargers/credentials.ts';
import { lockRegistry } from '../../../src/chargers/registry-changes.ts';
import { hashPassword } from '../../../src/identity/password-hash.ts';
import {
  type CredentialGateway,
  startCredentialGateway,
} from '../../support/credential-gateway.ts';
import type { ConfigChanges } from '../../support/live-gateway.ts';
import { type HandCsms, startHandCsms } from '../../support/text-peer.ts';

// Goal: where the operator says so, the first credential of a charger that has none is believed,
// once; everywhere else nothing is believed.
// Method: chargers that come with one credential and then with another, with and without
// `credentials.firstUse: learn`, on each listener; an operator who is quicker.

const first = 'the-first-password';
const second = 'another-password-2';

interface World {
  readonly csms: HandCsms;
  readonly gateway: CredentialGateway;
  [Symbol.asyncDispose](): Promise<void>;
}

async function setUp(changes: ConfigChanges = {}): Promise<World> {
  const csms = await startHandCsms();
  const gateway = await startCredentialGateway(csms.url, { changes });
  return {
    csms,
    gateway,
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await csms.close();
    },
  };
}

const learn = { credentials: { firstUse: 'learn' } };
const enroll = { chargers: { unknown: 'enroll' } };

const setByOperator = (gateway: CredentialGateway, password: string): Promise<void> =>
  gateway.inStore(async (store) => {
    const hash = await hashPassword(Buffer.from(password));
    await store.transact(async (db) => {
      await lockRegistry(db);
      await setPassword(db, 'CP-1' as ChargerId, { hash, origin: 'operator' }, store.nowMs());
    });
  });

describe('firstUse: learn, passwords', () => {
  for (const profile of [1, 2]) {
    test(`profile ${profile}: the first one is learned, and from then on it is the only one`, async () => {
      await using it = await setUp(learn);
      const { csms, gateway } = it;
      await gateway.add('CP-1');
      assert.equal(await gateway.status('CP-1', { password: first, profile }), 101);
      const { credential } = await gateway.event('CredentialLearned');
      assert.equal(credential, 'password');
      const opened = await gateway.event('SessionOpened');
      assert.equal(opened.credential, 'first password');
      const { password } = await gateway.credentialOf('CP-1');
      assert.equal(password?.origin, 'first-use');
      await csms.nextConnection();

      assert.equal(await gateway.status('CP-1', { password: second, profile }), 401);
      await gateway.event('UpgradeRefused', ({ code }) => code === 'PASSWORD_WRONG');
      assert.equal(csms.connections.length, 1, 'the CSMS heard of the second');
      assert.equal(await gateway.status('CP-1', { password: first, profile }), 101);
      assert.equal(gateway.events.filter(({ name }) => name === 'CredentialLearned').length, 1);
      for (const secret of [first, second]) assert(!gateway.log().includes(secret));
    });
  }

  test('of two that come together one is learned, and only its charger stays in', async () => {
    await using it = await setUp(learn);
    const { gateway } = it;
    await gateway.add('CP-1');
    const [one, other] = await Promise.all(
      [first, second].map((password) => gateway.status('CP-1', { password })),
    );
    assert.equal([one, other].filter((status) => status === 101).length, 1);
    const [good, bad] = one === 101 ? [first, second] : [second, first];
    assert.equal(await gateway.status('CP-1', { password: bad }), 401);
    assert.equal(await gateway.status('CP-1', { password: good }), 101);
  });

  test('a charger that nobody knows is learned where unknown ones may connect, and only there', async () => {
    await using strict = await setUp(learn);
    assert.equal(await strict.gateway.status('NEW', { password: first }), 401);
    await strict.gateway.event('UpgradeRefused', ({ code }) => code === 'IDENTITY_UNKNOWN');
    assert.equal(strict.csms.connections.length, 0);
    await using open = await setUp({ ...learn, ...enroll });
    assert.equal(await open.gateway.status('NEW', { password: first }), 101);
    await open.gateway.event('ChargerEnrolled');
    assert.equal(await open.gateway.status('NEW', { password: second }), 401);
    assert.equal(await open.gateway.status('new', { password: first, user: 'new' }), 101);
  });

  test('a password that an operator has set is the one, before and after', async () => {
    await using it = await setUp(learn);
    const { gateway } = it;
    await gateway.add('CP-1');
    await setByOperator(gateway, second);
    assert.equal(await gateway.status('CP-1', { password: first }), 401);
    await setByOperator(gateway, first);
    assert.equal(await gateway.status('CP-1', { password: second }), 401);
    assert.equal(await gateway.status('CP-1', { password: first }), 101);
    assert(!gateway.events.some(({ name }) => name === 'CredentialLearned'));
  });

  test('an operator who sets one while the CSMS is being called wins', async () => {
    // The CSMS takes its time: only when the operator is done does it answer.
    const { createServer } = await import('node:http');
    const { WebSocketServer } = await import('ws');
    const server = createServer();
    const webSockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'ocpp1.6' });
    let dialled = (): void => {};
    const isDialled = new Promise<void>((resolve) => {
      dialled = resolve;
    });
    let goOn: () => void = () => {};
    server.on('upgrade', (request, socket, head) => {
      goOn = () => webSockets.handleUpgrade(request, socket, head, () => {});
      dialled();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as { readonly port: number };
    const gateway = await startCredentialGateway(`ws://127.0.0.1:${port}/csms`, { changes: learn });
    try {
      await gateway.add('CP-1');
      const status = gateway.status('CP-1', { password: first });
      await isDialled;
      await setByOperator(gateway, second);
      goOn();
      assert.equal(await status, 401);
      await gateway.event('UpgradeRefused', ({ code }) => code === 'CREDENTIAL_SUPERSEDED');
      const { password } = await gateway.credentialOf('CP-1');
      assert.equal(password?.origin, 'operator');
      assert(!gateway.events.some(({ name }) => name === 'CredentialLearned'));
    } finally {
      await gateway[Symbol.asyncDispose]();
      for (const client of webSockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('firstUse: learn, certificates', () => {
  test('the first one is learned; another one of the authority is not, nor for anybody else', async () => {
    await using it = await setUp(learn);
    const { csms, gateway } = it;
    await gateway.add('CP-1');
    await gateway.add('CP-2');
    const own = await gateway.authority.issue({ commonName: 'SN-1' });
    const other = await gateway.authority.issue({ commonName: 'SN-2' });
    assert.equal(await gateway.status('CP-1', { profile: 3, certificate: own }), 101);
    const { credential } = await gateway.event('CredentialLearned');
    assert.equal(credential, 'certificate');
    await csms.nextConnection();

    assert.equal(await gateway.status('CP-1', { profile: 3, certificate: other }), 403);
    assert.equal(await gateway.status('CP-2', { profile: 3, certificate: own }), 403);
    await gateway.event('UpgradeRefused', ({ code }) => code === 'CERTIFICATE_FOREIGN');
    // The binding is to the name: a renewed certificate lets in as well.
    const renewed = await gateway.authority.issue({ commonName: 'SN-1' });
    assert.equal(await gateway.status('CP-1', { profile: 3, certificate: renewed }), 101);
    assert.equal(await gateway.status('CP-2', { profile: 3, certificate: other }), 101);
    assert.equal(gateway.events.filter(({ name }) => name === 'CredentialLearned').length, 2);
  });

  test('a bad one is not learned', async () => {
    await using it = await setUp(learn);
    const { gateway } = it;
    await gateway.add('CP-1');
    const expired = await gateway.authority.issue({
      commonName: 'SN-1',
      notBefore: new Date(0),
      notAfter: new Date(Date.now() - 1000),
    });
    assert.equal(await gateway.status('CP-1', { profile: 3, certificate: expired }), 403);
    await gateway.event('UpgradeRefused', ({ code }) => code === 'CERTIFICATE_EXPIRED');
    assert.equal(await gateway.status('NEW', { profile: 3, certificate: expired }), 403);
    assert(!gateway.events.some(({ name }) => name === 'CredentialLearned'));
  });

  test('a charger that has a password is not taken over with a certificate', async () => {
    await using it = await setUp(learn);
    const { gateway } = it;
    await gateway.add('CP-1', first);
    const certificate = await gateway.authority.issue({ commonName: 'SN-9' });
    assert.equal(await gateway.status('CP-1', { profile: 3, certificate }), 403);
    await gateway.event('UpgradeRefused', ({ code }) => code === 'CERTIFICATE_UNBOUND');
    assert.equal(await gateway.status('CP-1', { password: first }), 101);
  });

  test('a charger that has a certificate is not taken over with a password', async () => {
    await using it = await setUp(learn);
    const { gateway } = it;
    await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
    assert.equal(await gateway.status('CP-1', { password: first }), 401);
    assert.equal((await gateway.credentialOf('CP-1')).password, undefined);
    const certificate = await gateway.authority.issue({ commonName: 'SN-1' });
    assert.equal(await gateway.status('CP-1', { profile: 3, certificate }), 101);
  });

  test('what is not believed does not reach the CSMS', async () => {
    await using it = await setUp(learn);
    const { csms, gateway } = it;
    await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
    const other = await gateway.authority.issue({ commonName: 'SN-2' });
    assert.equal(await gateway.status('CP-1', { profile: 3, certificate: other }), 403);
    assert.equal(await gateway.status('CP-1', { password: first }), 401);
    assert.equal(csms.connections.length, 0);
  });
});

describe('firstUse: refuse, which is the default', () => {
  test('nothing is believed, of nobody', async () => {
    await using it = await setUp(enroll);
    const { csms, gateway } = it;
    await gateway.add('CP-1');
    const certificate = await gateway.authority.issue({ commonName: 'SN-1' });
    for (const identity of ['CP-1', 'NEW']) {
      assert.equal(await gateway.status(identity, { password: first }), 401);
      assert.equal(await gateway.status(identity, { profile: 3, certificate }), 403);
    }
    const codes = gateway.events.flatMap((event) =>
      event.name === 'UpgradeRefused' ? [event.code] : [],
    );
    assert.deepEqual(codes, [
      'PASSWORD_NOT_SET',
      'CERTIFICATE_UNBOUND',
      'PASSWORD_NOT_SET',
      'CERTIFICATE_UNBOUND',
    ]);
    assert.equal(csms.connections.length, 0);
    assert(!gateway.events.some(({ name }) => name === 'ChargerEnrolled'));
  });
});
