import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { RPCClient, RPCServer } from 'ocpp-rpc';
import { ocppVersions } from '../../src/ocpp/version.ts';
import { type CredentialGateway, startCredentialGateway } from '../support/credential-gateway.ts';
import type { ConfigChanges } from '../support/live-gateway.ts';
import { type RpcEnd, startRpcCsms } from './ocpp-rpc-pair.ts';

// Goal: a foreign charger gets in with each security profile as the specification has it, and a
// foreign CSMS sees the password that the charger has shown, whatever its bytes are.
// Method: the npm package ocpp-rpc on both sides of a live gateway, with its own HTTP Basic and its
// own reading of it.

const text = 'a-password-of-text';
/** No UTF-8, with a colon, a NUL and a line break in it. */
const bytes = Buffer.from('fffe3a003a0d0ac0afee010203040506', 'hex');

interface Shown {
  readonly password?: string | Buffer;
  readonly wsOpts?: object;
  readonly version?: string;
}

/** A charger as ocpp-rpc makes it; it does not connect by itself. */
function rpcCharger(gateway: CredentialGateway, profile: number, shown: Shown = {}): RpcEnd {
  const { password, version = 'ocpp1.6', wsOpts } = shown;
  return new RPCClient({
    identity: 'CP-1',
    endpoint: path.posix.dirname(gateway.url('CP-1', profile)),
    protocols: [version],
    // Its types know texts alone; its code and its documentation take a Buffer.
    password: (password ?? null) as string | null,
    wsOpts: { ca: gateway.authority.certificatePem, ...wsOpts },
    headers: {},
    strictMode: false,
    strictModeValidators: [],
    reconnect: false,
    maxReconnects: 0,
    backoff: { initialDelay: 20, maxDelay: 100, factor: 2, randomisationFactor: 0 },
    callTimeoutMs: 10_000,
    pingIntervalMs: 10_000,
    deferPingsOnActivity: false,
    respondWithDetailedErrors: false,
    callConcurrency: 1,
    maxBadMessages: Number.POSITIVE_INFINITY,
  });
}

/** The HTTP status with which it is refused; 101 when it gets in, and then it is gone again. */
async function statusOf(charger: RpcEnd): Promise<number> {
  try {
    await charger.connect();
  } catch (error) {
    return (error as { readonly code: number }).code;
  }
  await charger.close();
  return 101;
}

/** A CSMS that tells which password each charger has shown, as ocpp-rpc reads it. */
async function startAuthenticatingCsms(): Promise<{
  readonly url: string;
  readonly passwords: readonly (Buffer | undefined)[];
  nextClient(): Promise<RpcEnd>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const server = new RPCServer({ protocols: ['ocpp1.6'], pingIntervalMs: 10_000 });
  const passwords: (Buffer | undefined)[] = [];
  const clients: RpcEnd[] = [];
  const waiting: ((client: RpcEnd) => void)[] = [];
  server.auth((accept, _reject, handshake) => {
    passwords.push((handshake as { readonly password?: Buffer }).password);
    accept();
  });
  server.on('client', (client: RpcEnd) => {
    const waiter = waiting.shift();
    if (waiter === undefined) clients.push(client);
    else waiter(client);
  });
  const http = await server.listen(0, '127.0.0.1');
  const { port } = http.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/csms`,
    passwords,
    nextClient: () => {
      const client = clients.shift();
      return client === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(client);
    },
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await server.close({ force: true });
    },
  };
}

describe('ocpp-rpc and security profiles', { timeout: 60_000 }, () => {
  for (const profile of [1, 2]) {
    for (const [name, password] of [
      ['text', text],
      ['bytes', bytes],
    ] as const) {
      test(`T4-06: profile ${profile}: a password of ${name} lets in, a wrong one does not`, async () => {
        await using csms = await startRpcCsms(['ocpp1.6']);
        await using gateway = await startCredentialGateway(csms.url);
        await gateway.add('CP-1', password);
        const charger = rpcCharger(gateway, profile, { password });
        await charger.connect();
        const client = await csms.nextClient();
        client.handle('Heartbeat', async () => ({ currentTime: '2026-01-01T00:00:00Z' }));
        const answer = await charger.call('Heartbeat', {});
        assert.deepEqual(answer, { currentTime: '2026-01-01T00:00:00Z' });
        await charger.close();
        const longer = Buffer.concat([Buffer.from(password), Buffer.from('!')]);
        for (const wrong of [longer, bytes.toString('utf8'), '', undefined]) {
          const shown = wrong === undefined ? {} : { password: wrong };
          assert.equal(await statusOf(rpcCharger(gateway, profile, shown)), 401);
        }
        assert.equal(await statusOf(rpcCharger(gateway, profile, { password })), 101);
      });
    }
  }

  for (const version of ocppVersions) {
    test(`T4-06: profile 3, ${version}: its own certificate lets in, and no other`, async () => {
      await using csms = await startRpcCsms([version]);
      await using gateway = await startCredentialGateway(csms.url);
      await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
      for (const [commonName, status] of [
        ['SN-1', 101],
        ['SN-2', 403],
        [undefined, 403],
      ] as const) {
        const own = commonName && (await gateway.authority.issue({ commonName }));
        const wsOpts = own ? { cert: own.chainPem, key: own.keyPem } : {};
        assert.equal(await statusOf(rpcCharger(gateway, 3, { version, wsOpts })), status);
      }
    });
  }

  test('forward: its CSMS is shown the password of the charger, byte for byte', async () => {
    await using csms = await startAuthenticatingCsms();
    const changes: ConfigChanges = { csms: { auth: { type: 'forward' } } };
    await using gateway = await startCredentialGateway(csms.url, { changes });
    for (const password of [text, bytes, randomBytes(20)]) {
      await gateway.add('CP-1', password);
      assert.equal(await statusOf(rpcCharger(gateway, 2, { password })), 101);
      assert.deepEqual(csms.passwords.at(-1), Buffer.from(password));
    }
    assert.equal(await statusOf(rpcCharger(gateway, 2, { password: 'wrong' })), 401);
    assert.equal(csms.passwords.length, 3);
  });

  test('none: its CSMS is shown nothing', async () => {
    await using csms = await startAuthenticatingCsms();
    await using gateway = await startCredentialGateway(csms.url);
    await gateway.add('CP-1', text);
    assert.equal(await statusOf(rpcCharger(gateway, 2, { password: text })), 101);
    assert.deepEqual(csms.passwords, [undefined]);
  });

  for (const form of ['bytes', 'digits'] as const) {
    test(`A01, C10: a key that its CSMS sets holds, where the charger sends its ${form}`, async () => {
      const key = randomBytes(20);
      const digits = key.toString('hex').toUpperCase();
      await using csms = await startAuthenticatingCsms();
      const changes: ConfigChanges = { csms: { auth: { type: 'forward' } } };
      await using gateway = await startCredentialGateway(csms.url, { changes });
      await gateway.add('CP-1', text);
      const charger = rpcCharger(gateway, 2, { password: text });
      charger.handle('ChangeConfiguration', async () => ({ status: 'Accepted' }));
      await charger.connect();
      const client = await csms.nextClient();
      const call = { key: 'AuthorizationKey', value: digits };
      assert.deepEqual(await client.call('ChangeConfiguration', call), { status: 'Accepted' });
      await gateway.event('PasswordChangeAccepted', ({ by }) => by === 'csms');
      await charger.close();

      const password = form === 'bytes' ? key : digits;
      assert.equal(await statusOf(rpcCharger(gateway, 2, { password })), 101);
      await gateway.event('PasswordChangeConfirmed');
      assert.deepEqual(csms.passwords, [Buffer.from(text), Buffer.from(password)]);
      assert.equal(await statusOf(rpcCharger(gateway, 2, { password: text })), 401);
      assert(!gateway.log().includes(digits));
    });
  }

  test('T2-11: without forward, its CSMS is refused, and the old password goes on', async () => {
    await using csms = await startAuthenticatingCsms();
    await using gateway = await startCredentialGateway(csms.url);
    await gateway.add('CP-1', text);
    const charger = rpcCharger(gateway, 2, { password: text });
    charger.handle('ChangeConfiguration', async () => ({ status: 'Accepted' }));
    await charger.connect();
    const client = await csms.nextClient();
    const change = client.call('ChangeConfiguration', {
      key: 'AuthorizationKey',
      value: randomBytes(20).toString('hex'),
    });
    await assert.rejects(change, { rpcErrorCode: 'SecurityError' });
    await charger.close();
    assert.equal(await statusOf(rpcCharger(gateway, 2, { password: text })), 101);
  });
});
