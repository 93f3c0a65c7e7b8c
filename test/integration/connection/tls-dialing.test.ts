import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { WebSocketServer } from 'ws';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { type CsmsAuthorization, csmsDialer } from '../../../src/connection/csms-dialer.ts';
import type { CsmsTls } from '../../../src/connection/csms-tls.ts';
import { watchCsmsTls } from '../../../src/connection/watch-csms-tls.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import {
  type IssueOptions,
  makeAuthority,
  type TestAuthority,
} from '../../support/certificates.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { eventLog, makeFiles, serverNames } from './tls-world.ts';

// Goal: the gateway talks to no other CSMS than the one that was configured, and tells it nothing
//   before that is certain; it shows the CSMS who it is.
// Method: TLS servers with good and bad certificates, and a dialer in front of each.

const authority = await makeAuthority({ commonName: 'CSMS Root' });
const otherAuthority = await makeAuthority({ commonName: 'Other Root' });

/** What a TLS server saw of a connection. */
interface Seen {
  readonly serverName: string | false | null;
  readonly clientName: string | undefined;
}

interface TestCsms {
  readonly port: number;
  readonly fingerprint: string;
  /** One for each connection that got through its handshake. */
  readonly connections: readonly Seen[];
  /** The headers of each upgrade request. */
  readonly requests: readonly (string | undefined)[];
  [Symbol.asyncDispose](): Promise<void>;
}

async function startCsms(
  changes: {
    readonly certificate?: IssueOptions;
    readonly issuer?: TestAuthority;
    readonly tls?: TlsOptions;
  } = {},
): Promise<TestCsms> {
  const { certificate, issuer = authority, tls } = changes;
  const own = await issuer.issue({ commonName: 'csms', ...serverNames, ...certificate });
  const server = createServer({ key: own.keyPem, cert: own.chainPem, ...tls });
  const connections: Seen[] = [];
  const requests: (string | undefined)[] = [];
  const sockets: TLSSocket[] = [];
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => {
    sockets.push(socket);
    connections.push({
      serverName: (socket as TLSSocket & { servername: string | false | null }).servername,
      clientName: socket.getPeerX509Certificate()?.subject,
    });
    socket.on('error', () => {});
  });
  server.on('request', (_request, response) => response.end());
  const upgrades = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    requests.push(request.headers.authorization);
    upgrades.handleUpgrade(request, socket, head, () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    fingerprint: new X509Certificate(own.certificatePem).fingerprint256,
    connections,
    requests,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A TLS server that keeps what the first connection has sent until it ended. */
async function startListener(tls: TlsOptions): Promise<{
  readonly port: number;
  readonly received: Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const own = await otherAuthority.issue({ commonName: 'csms', ...serverNames });
  const server = createTlsServer({ key: own.keyPem, cert: own.chainPem, ...tls });
  const received = new Promise<string>((resolve) => {
    server.on('tlsClientError', () => resolve(''));
    server.once('secureConnection', (socket) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const verified: CsmsTls = {
  ca: authority.certificatePem,
  pinnedSha256: [],
  acceptsAnyCertificate: false,
};

/** `connected`, or why not. */
async function dial(
  csms: Pick<TestCsms, 'port'>,
  tls: CsmsTls | undefined,
  { host = 'localhost', authorization }: { host?: string; authorization?: CsmsAuthorization } = {},
): Promise<string> {
  const clock = systemClock();
  const limits = {
    frameBytesMax: 65_536,
    pingSeconds: 0,
    pongSeconds: 30,
    silentSeconds: 3600,
    stallSeconds: 30,
  };
  const call = csmsDialer(
    {
      url: `wss://${host}:${csms.port}/ocpp`,
      connectTimeoutSeconds: 10,
      tls: tls && (() => tls),
    },
    limits,
    clock,
  );
  const result = await call({
    id: 'CP-1' as ChargerId,
    versions: ['ocpp1.6'],
    signal: new AbortController().signal,
    authorization,
  });
  if (!result.ok) return `${result.error.code} ${result.error.detail}`;
  result.value.socket.destroy();
  return 'connected';
}

describe('verifying the CSMS', { concurrency: false }, () => {
  test('the right authority and the right name', async () => {
    await using csms = await startCsms();
    assert.equal(await dial(csms, verified), 'connected');
    assert.equal(await dial(csms, verified, { host: '127.0.0.1' }), 'connected');
  });

  const untrusted: readonly (readonly [
    name: string,
    detail: string,
    csms: Parameters<typeof startCsms>[0],
    tls?: Partial<CsmsTls>,
  ])[] = [
    ['issued by another authority', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', { issuer: otherAuthority }],
    ['for another name', 'ERR_TLS_CERT_ALTNAME_INVALID', { certificate: { dnsNames: ['other'] } }],
    [
      'that has expired',
      'CERT_HAS_EXPIRED',
      { certificate: { notAfter: new Date(Date.now() - 1000) } },
    ],
    [
      'of the future',
      'CERT_NOT_YET_VALID',
      { certificate: { notBefore: new Date(Date.now() + 3_600_000) } },
    ],
    [
      'of another name than `serverName`',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      {},
      { serverName: 'csms.example' },
    ],
    ['that is not pinned', 'CERTIFICATE_NOT_PINNED', {}, { pinnedSha256: ['ab'.repeat(32)] }],
  ];
  for (const [name, detail, options, changes] of untrusted) {
    test(`a certificate ${name}: CSMS_UNTRUSTED, and no password is sent`, async () => {
      await using csms = await startCsms(options);
      const authorization = { user: 'CP-1', password: Buffer.from('secret') };
      const outcome = await dial(csms, { ...verified, ...changes }, { authorization });
      assert.equal(outcome, `CSMS_UNTRUSTED ${detail}`);
      assert.deepEqual(csms.requests, []);
    });
  }

  test('without settings, the authorities that Node.js trusts decide', async () => {
    await using csms = await startCsms();
    assert.equal(await dial(csms, undefined), 'CSMS_UNTRUSTED UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    assert.deepEqual(csms.requests, []);
  });

  test('a pin that matches, in any spelling, beside one that does not', async () => {
    await using csms = await startCsms();
    for (const pin of [
      csms.fingerprint,
      csms.fingerprint.toLowerCase(),
      csms.fingerprint.replaceAll(':', ''),
    ]) {
      const tls = { ...verified, pinnedSha256: ['ab'.repeat(32), pin] };
      assert.equal(await dial(csms, tls), 'connected');
    }
  });

  test('a pin does not make up for a wrong authority or name', async () => {
    const issuer = otherAuthority;
    await using foreign = await startCsms({ issuer });
    const pinned = { ...verified, pinnedSha256: [foreign.fingerprint] };
    assert.match(await dial(foreign, pinned), /^CSMS_UNTRUSTED UNABLE_/);
    await using misnamed = await startCsms({ certificate: { dnsNames: ['other'] } });
    const named = { ...verified, pinnedSha256: [misnamed.fingerprint] };
    assert.equal(await dial(misnamed, named), 'CSMS_UNTRUSTED ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('`acceptsAnyCertificate` accepts any, but pins still hold, before a password is sent', async () => {
    const issuer = otherAuthority;
    const certificate = { dnsNames: ['other'], notAfter: new Date(Date.now() - 1000) };
    await using csms = await startCsms({ issuer, certificate });
    const any = { ...verified, acceptsAnyCertificate: true };
    assert.equal(await dial(csms, any), 'connected');
    assert.equal(await dial(csms, { ...any, pinnedSha256: [csms.fingerprint] }), 'connected');
    const authorization = { user: 'CP-1', password: Buffer.from('secret') };
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      await using other = await startListener({ maxVersion });
      const outcome = await dial(
        other,
        { ...any, pinnedSha256: [csms.fingerprint] },
        { authorization },
      );
      assert.equal(outcome, 'CSMS_UNTRUSTED CERTIFICATE_NOT_PINNED');
      assert.equal(await other.received, '');
    }
  });

  test('T2-09: a CSMS that only speaks TLS 1.1, or only CBC suites, is not called', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await using ancient = await startCsms({ tls: old as TlsOptions });
    assert.match(await dial(ancient, verified), /^CSMS_UNREACHABLE (?:EPROTO|ERR_SSL_[A-Z_]+)$/);
    const cbc = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' };
    await using weak = await startCsms({ tls: cbc as TlsOptions });
    assert.match(await dial(weak, verified), /^CSMS_UNREACHABLE (?:EPROTO|ERR_SSL_[A-Z_]+)$/);
    await using good = await startCsms({ tls: { maxVersion: 'TLSv1.2' } });
    assert.equal(await dial(good, verified), 'connected');
  });
});

describe('what the CSMS sees', { concurrency: false }, () => {
  test('the name of the host, or `serverName`; none for an address', async () => {
    await using csms = await startCsms({
      certificate: { dnsNames: ['localhost', 'csms.example'] },
    });
    await dial(csms, verified);
    await dial(csms, { ...verified, serverName: 'csms.example' });
    await dial(csms, verified, { host: '127.0.0.1' });
    await dial(csms, { ...verified, serverName: '127.0.0.1' });
    await dial(csms, { ...verified, serverName: 'csms.example' }, { host: '127.0.0.1' });
    assert.deepEqual(
      csms.connections.map(({ serverName }) => serverName || 'none'),
      ['localhost', 'csms.example', 'none', 'none', 'csms.example'],
    );
  });

  test('the client certificate of the gateway', async () => {
    const { certificatePem: cert, keyPem: key } = await authority.issue({ commonName: 'gateway' });
    await using csms = await startCsms({
      tls: { requestCert: true, rejectUnauthorized: true, ca: authority.certificatePem },
    });
    const outcome = await dial(csms, { ...verified, clientCertificate: { cert, key } });
    assert.equal(outcome, 'connected');
    assert.equal(csms.connections[0]?.clientName, 'CN=gateway');
    assert.match(await dial(csms, verified), /^CSMS_UNREACHABLE /);
  });

  test('user and password, which may be any bytes; and no header without them', async () => {
    await using csms = await startCsms();
    const password = Buffer.from([0, 0x3a, 0xff, 0xc3, 0x28]);
    await dial(csms, verified, { authorization: { user: 'CP-ü', password } });
    await dial(csms, verified);
    const expected = Buffer.concat([Buffer.from('CP-ü:'), password]).toString('base64');
    assert.deepEqual(csms.requests, [`Basic ${expected}`, undefined]);
  });
});

describe('the files of the CSMS', { concurrency: false }, () => {
  test('are read, read again when they change, and kept when they cannot be used', async () => {
    await using files = await makeFiles();
    await using csms = await startCsms({
      tls: { requestCert: true, rejectUnauthorized: false, ca: authority.certificatePem },
    });
    const other = otherAuthority;
    const gateway = await authority.issue({ commonName: 'gateway' });
    const clock = manualClock(Date.now());
    const events = eventLog();
    const watch = await watchCsmsTls(
      {
        caFile: await files.write('ca.pem', other.certificatePem),
        clientCertificate: {
          certFile: await files.write('own.pem', gateway.chainPem),
          keyFile: await files.write('own.key', gateway.keyPem),
        },
        pinnedSha256: [],
        acceptsAnyCertificate: false,
      },
      clock,
      events.emit,
    );
    assert.match(await dial(csms, watch.current()), /^CSMS_UNTRUSTED /);
    assert.equal(watch.current(), watch.current());

    await files.write('ca.pem', authority.certificatePem.slice(0, 100));
    clock.advance(5_000);
    const { detail, listener } = await events.first('TlsReloadFailed');
    assert.match(`${listener} ${detail}`, /^csms .*ca\.pem: a block has no end$/);
    assert.match(await dial(csms, watch.current()), /^CSMS_UNTRUSTED /);

    await files.write('ca.pem', other.certificatePem + authority.certificatePem);
    clock.advance(5_000);
    const before = watch.current();
    while (watch.current() === before) await new Promise(setImmediate);
    assert.equal(await dial(csms, watch.current()), 'connected');
    assert.equal(csms.connections.at(-1)?.clientName, 'CN=gateway');
    watch.close();
  });

  test('announce a client certificate that expires', async () => {
    await using files = await makeFiles();
    const notAfter = new Date(Date.now() + 60_000);
    const gateway = await authority.issue({ commonName: 'gateway', notAfter });
    const events = eventLog();
    const watch = await watchCsmsTls(
      {
        clientCertificate: {
          certFile: await files.write('own.pem', gateway.chainPem),
          keyFile: await files.write('own.key', gateway.keyPem),
        },
        pinnedSha256: [],
        acceptsAnyCertificate: false,
      },
      manualClock(Date.now()),
      events.emit,
    );
    assert.equal((await events.first('TlsCertificateExpiring')).listener, 'csms');
    watch.close();
  });

  test('that cannot be used at the start: an error with the file', async () => {
    await using files = await makeFiles();
    const caFile = await files.write('ca.pem', 'nothing');
    const settings = { pinnedSha256: [], acceptsAnyCertificate: false };
    await assert.rejects(
      watchCsmsTls({ ...settings, caFile }, manualClock(), () => {}),
      /ca\.pem: it has no block CERTIFICATE$/,
    );
    const missing = files.at('missing.pem');
    await assert.rejects(
      watchCsmsTls({ ...settings, caFile: missing }, manualClock(), () => {}),
      /missing\.pem: cannot be read \(ENOENT\)$/,
    );
  });
});
