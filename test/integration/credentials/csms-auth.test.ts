import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { setCsmsPassword } from '../../../src/chargers/credentials.ts';
import { lockRegistry } from '../../../src/chargers/registry-changes.ts';
import { seal } from '../../../src/identity/sealed-text.ts';
import { makeAuthority, type TestCertificate } from '../../support/certificates.ts';
import { startCredentialGateway } from '../../support/credential-gateway.ts';
import type { ConfigChanges } from '../../support/live-gateway.ts';
import { startHandCsms } from '../../support/text-peer.ts';

// Goal: the gateway shows the CSMS what it was told to show and nothing else, and speaks to no CSMS
// that it cannot verify.
// Method: CSMS by hand, with and without TLS, that look at what they are shown.

const password = 'the-password-of-cp-1';

describe('towards the CSMS', () => {
  test('none: nothing of what the charger has shown is passed on', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startCredentialGateway(csms.url);
    await gateway.add('CP-1', password);
    await gateway.connect('CP-1', { password });
    const { request } = await csms.nextConnection();
    assert.equal(request?.headers.authorization, undefined);
  });

  test('forward: the bytes of the charger, whatever they are', async () => {
    await using csms = await startHandCsms();
    const changes = { csms: { auth: { type: 'forward' } } };
    await using gateway = await startCredentialGateway(csms.url, { changes });
    // C10: no UTF-8, a colon, and a NUL.
    const key = Buffer.from('fffe3a003a00c0afee0102030405060708090a0b', 'hex');
    await gateway.add('CP-1', key);
    await gateway.connect('CP-1', { password: key });
    const { request } = await csms.nextConnection();
    const expected = Buffer.concat([Buffer.from('CP-1:'), key]).toString('base64');
    assert.equal(request?.headers.authorization, `Basic ${expected}`);
  });

  test('perCharger: a password of its own, which the charger does not know', async () => {
    await using csms = await startHandCsms();
    const key = randomBytes(32);
    await using gateway = await startCredentialGateway(csms.url, {
      prepare: async (files) => {
        const keyFile = path.join(files, 'sealing.key');
        await writeFile(keyFile, `${key.toString('hex')}\n`);
        return { csms: { auth: { type: 'perCharger', keyFile } } };
      },
    });
    await gateway.add('CP-1', password);
    assert.equal(await gateway.status('CP-1', { password }), 502);
    await gateway.event('CsmsDialFailed', ({ code }) => code === 'CSMS_CREDENTIAL_MISSING');
    const sealed = seal(Buffer.from('towards the CSMS'), key, 'cp-1');
    await gateway.inStore((store) =>
      store.transact(async (db) => {
        await lockRegistry(db);
        await setCsmsPassword(db, 'CP-1' as ChargerId, sealed, store.nowMs());
      }),
    );
    await gateway.connect('CP-1', { password });
    const { request } = await csms.nextConnection();
    const expected = Buffer.from('CP-1:towards the CSMS').toString('base64');
    assert.equal(request?.headers.authorization, `Basic ${expected}`);
  });

  test('a password that was sealed for another charger is none', async () => {
    await using csms = await startHandCsms();
    const key = randomBytes(32);
    await using gateway = await startCredentialGateway(csms.url, {
      prepare: async (files) => {
        const keyFile = path.join(files, 'sealing.key');
        await writeFile(keyFile, key.toString('hex'));
        return { csms: { auth: { type: 'perCharger', keyFile } } };
      },
    });
    await gateway.add('CP-1', password);
    const sealed = seal(Buffer.from('secret'), key, 'cp-2');
    await gateway.inStore((store) =>
      store.transact(async (db) => {
        await lockRegistry(db);
        await setCsmsPassword(db, 'CP-1' as ChargerId, sealed, store.nowMs());
      }),
    );
    assert.equal(await gateway.status('CP-1', { password }), 502);
  });
});

interface TlsCsms {
  readonly url: string;
  /** The common names of the certificates that it was shown; empty texts for none. */
  readonly shown: readonly string[];
  readonly serverNames: readonly unknown[];
  [Symbol.asyncDispose](): Promise<void>;
}

async function startTlsCsms(server: TestCertificate, clientCa: string): Promise<TlsCsms> {
  const shown: string[] = [];
  const serverNames: unknown[] = [];
  const https = createServer({
    cert: server.chainPem,
    key: server.keyPem,
    ca: clientCa,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const webSockets = new WebSocketServer({ server: https, handleProtocols: () => 'ocpp1.6' });
  https.on('secureConnection', (socket: TLSSocket) => {
    const name = socket.getPeerCertificate().subject?.CN;
    shown.push(String(name ?? ''));
    serverNames.push((socket as { readonly servername?: unknown }).servername);
  });
  await new Promise<void>((resolve) => {
    https.listen(0, '127.0.0.1', resolve);
  });
  const { port } = https.address() as AddressInfo;
  return {
    url: `wss://127.0.0.1:${port}/csms`,
    shown,
    serverNames,
    [Symbol.asyncDispose]: async () => {
      for (const client of webSockets.clients) client.terminate();
      await new Promise((resolve) => {
        https.close(resolve);
        https.closeAllConnections();
      });
    },
  };
}

describe('towards the CSMS, over TLS', () => {
  interface Variant {
    readonly name: string;
    readonly tls: (files: {
      readonly ca: string;
      readonly other: string;
      readonly pin: string;
    }) => object;
    readonly status: number;
  }
  const variants: readonly Variant[] = [
    { name: 'its authority', tls: ({ ca }) => ({ caFile: ca }), status: 101 },
    { name: 'another authority', tls: ({ other }) => ({ caFile: other }), status: 503 },
    { name: 'the authorities of Node.js', tls: () => ({}), status: 503 },
    {
      name: 'its authority and another name',
      tls: ({ ca }) => ({ caFile: ca, serverName: 'elsewhere.example' }),
      status: 503,
    },
    {
      name: 'its authority and the name that was given',
      tls: ({ ca }) => ({ caFile: ca, serverName: 'csms.example' }),
      status: 101,
    },
    {
      name: 'its authority and its fingerprint',
      tls: ({ ca, pin }) => ({ caFile: ca, pinnedSha256: [pin] }),
      status: 101,
    },
    {
      name: 'its authority and another fingerprint',
      tls: ({ ca }) => ({ caFile: ca, pinnedSha256: ['00'.repeat(32)] }),
      status: 503,
    },
    {
      name: 'no verification at all',
      tls: () => ({ dangerouslyAcceptAnyCertificate: true }),
      status: 101,
    },
  ];

  for (const { name, status, tls } of variants) {
    test(`with ${name}: ${status === 101 ? 'connects' : 'does not'}`, async () => {
      const authority = await makeAuthority();
      const server = await authority.issue({
        commonName: 'csms',
        ipAddresses: ['127.0.0.1'],
        dnsNames: ['csms.example'],
      });
      const { X509Certificate } = await import('node:crypto');
      const pin = new X509Certificate(server.certificatePem).fingerprint256;
      await using csms = await startTlsCsms(server, authority.certificatePem);
      await using gateway = await startCredentialGateway(csms.url, {
        prepare: async (files): Promise<ConfigChanges> => {
          const [ca, other] = [path.join(files, 'csms-ca.pem'), path.join(files, 'other-ca.pem')];
          await writeFile(ca, authority.certificatePem);
          await writeFile(other, (await makeAuthority()).certificatePem);
          return { csms: { tls: tls({ ca, other, pin }) } };
        },
      });
      await gateway.add('CP-1', password);
      assert.equal(await gateway.status('CP-1', { password }), status);
      if (status !== 101) {
        await gateway.event('CsmsDialFailed', ({ code }) => code === 'CSMS_UNTRUSTED');
      }
      const isUnverified = name === 'no verification at all';
      const said = gateway.events.some((event) => event.name === 'CsmsVerificationOff');
      assert.equal(said, isUnverified);
      if (name.endsWith('name that was given'))
        assert.deepEqual(csms.serverNames, ['csms.example']);
    });
  }

  test('clientCertificate: the gateway shows its own', async () => {
    const authority = await makeAuthority();
    const server = await authority.issue({ commonName: 'csms', ipAddresses: ['127.0.0.1'] });
    const own = await authority.issue({ commonName: 'gateway of depot 7' });
    await using csms = await startTlsCsms(server, authority.certificatePem);
    await using gateway = await startCredentialGateway(csms.url, {
      prepare: async (files): Promise<ConfigChanges> => {
        const at = (file: string): string => path.join(files, file);
        await writeFile(at('csms-ca.pem'), authority.certificatePem);
        await writeFile(at('own.pem'), own.chainPem);
        await writeFile(at('own.key'), own.keyPem);
        const auth = { type: 'clientCertificate', certFile: at('own.pem'), keyFile: at('own.key') };
        return { csms: { auth, tls: { caFile: at('csms-ca.pem') } } };
      },
    });
    await gateway.add('CP-1', password);
    assert.equal(await gateway.status('CP-1', { password }), 101);
    assert.deepEqual(csms.shown, ['gateway of depot 7']);
  });
});
