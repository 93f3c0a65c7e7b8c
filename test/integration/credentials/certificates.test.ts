import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { unbindCertificates } from '../../../src/chargers/certificate-bindings.ts';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { lockRegistry } from '../../../src/chargers/registry-changes.ts';
import { type OcppVersion, ocppVersions } from '../../../src/ocpp/version.ts';
import { certificateHashes } from '../../../src/pki/certificate-hashes.ts';
import {
  type IssueOptions,
  makeAuthority,
  makeRequest,
  type TestAuthority,
  type TestCertificate,
} from '../../support/certificates.ts';
import {
  type CredentialGateway,
  startCredentialGateway,
} from '../../support/credential-gateway.ts';
import type { ConfigChanges } from '../../support/live-gateway.ts';
import { type HandCsms, startHandCsms, type TextPeer } from '../../support/text-peer.ts';
import { connectTls, makeFiles, upgrade } from '../connection/tls-world.ts';

// Goal: with security profile 3 a good certificate lets in its own charger and nobody else; whoever
// is refused learns nothing; and what is done with certificates afterwards leaves the charger able
// to connect.
// Method: a live gateway and every bad certificate, in both versions of TLS, each beside a good one
// that differs in one thing; then conversations about certificates, by hand.

const tlsVersions = ['TLSv1.2', 'TLSv1.3'] as const;
const organization = 'Depot';
const ago = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

type Shown = Pick<TestCertificate, 'chainPem' | 'keyPem'>;

/** What comes of showing a certificate as CP-1: the whole answer, and what the operator is told. */
interface Knock {
  readonly status: number;
  readonly answer: string;
  readonly code: string | undefined;
  readonly session: Buffer | undefined;
  readonly isResumed: boolean;
}

async function knock(
  { authority, event, events, running }: CredentialGateway,
  shown: Shown | undefined,
  options: ConnectionOptions = {},
): Promise<Knock> {
  const port = running.gateway.listeners[3]?.port ?? 0;
  const own = shown === undefined ? {} : { cert: shown.chainPem, key: shown.keyPem };
  const before = events.length;
  const isNew = (it: (typeof events)[number]): boolean => events.indexOf(it) >= before;
  const socket = await connectTls({ port, authority }, { ...own, ...options });
  let session: Buffer | undefined;
  socket.on('session', (ticket) => {
    session = ticket;
  });
  const isResumed = socket.isSessionReused();
  const answer = await upgrade(socket, 'CP-1');
  const status = Number(answer.split(' ')[1]);
  // With TLS 1.2 it is there before anybody can listen for it.
  session ??= socket.getSession();
  socket.destroy();
  // A connection that is over does not stand in the way of the next one.
  if (status === 101) await event('SessionClosed', isNew);
  const refusal = events.find((it) => it.name === 'UpgradeRefused' && isNew(it));
  const code = refusal?.name === 'UpgradeRefused' ? refusal.code : undefined;
  return { status, answer, code, session, isResumed };
}

const unbind = (gateway: CredentialGateway, identity: string): Promise<void> =>
  gateway.inStore((store) =>
    store.transact(async (db) => {
      await lockRegistry(db);
      await unbindCertificates(db, identity as ChargerId, store.nowMs());
    }),
  );

describe('at the door', () => {
  const open = new AsyncDisposableStack();
  let csms: HandCsms;
  let gateway: CredentialGateway;
  /** The lists of the others are overdue, or missing. */
  let listed: TestAuthority;
  let maker: TestAuthority;
  let overdue: TestAuthority;
  let unlisted: TestAuthority;
  const serialNumber = '1234567890';

  before(async () => {
    const files = open.use(await makeFiles());
    listed = await makeAuthority({ commonName: 'Listed' });
    maker = await listed.intermediate({ commonName: 'Maker' });
    overdue = await makeAuthority({ commonName: 'Overdue' });
    unlisted = await makeAuthority({ commonName: 'Unlisted' });
    const authorities = [listed, maker, overdue, unlisted].map((one) => one.certificatePem);
    const lists = [
      await listed.crl([serialNumber]),
      await maker.crl([]),
      await overdue.crl([], { thisUpdate: ago(30), nextUpdate: ago(3) }),
    ];
    csms = open.use(await startHandCsms());
    const clientCertificates = {
      caFile: await files.write('ca.pem', authorities.join('')),
      crlFile: await files.write('crl.pem', lists.join('')),
      crlGraceHours: 2,
      organizations: [organization],
    };
    gateway = open.use(await startCredentialGateway(csms.url, { clientCertificates }));
    await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
    await gateway.bind('CP-2', { kind: 'common-name', value: 'SN-2' });
  });
  after(() => open.disposeAsync());

  const issued = (options: Partial<IssueOptions> = {}, by = listed): Promise<Shown> =>
    by.issue({ commonName: 'SN-1', organization, ...options });
  /** RSA keys of 1024 bits are more than OpenSSL lets a client have, but for this. */
  const weak = { ciphers: 'DEFAULT@SECLEVEL=0' };

  const rows: readonly {
    readonly id: string;
    readonly name: string;
    readonly code: string;
    show(): Promise<Shown | undefined>;
    readonly options?: ConnectionOptions;
  }[] = [
    {
      id: 'T2-01',
      name: 'no certificate',
      code: 'CERTIFICATE_MISSING',
      show: () => Promise.resolve(undefined),
    },
    {
      id: 'T2-07',
      name: 'the certificate of another charger',
      code: 'CERTIFICATE_FOREIGN',
      show: () => issued({ commonName: 'SN-2' }),
    },
    {
      id: 'T2-07',
      name: 'a certificate that belongs to nobody, though its CN is the identity',
      code: 'CERTIFICATE_UNBOUND',
      show: () => issued({ commonName: 'CP-1' }),
    },
    {
      id: 'T2-07',
      name: 'a certificate with the names of two chargers',
      code: 'CERTIFICATE_UNBOUND',
      show: () => issued({ commonName: ['SN-1', 'SN-2'] }),
    },
    {
      id: 'T2-08',
      name: 'an expired certificate',
      code: 'CERTIFICATE_EXPIRED',
      show: () => issued({ notBefore: ago(48), notAfter: ago(0.01) }),
    },
    {
      id: 'T2-08',
      name: 'a certificate of the future',
      code: 'CERTIFICATE_NOT_YET_VALID',
      show: () => issued({ notBefore: ago(-1) }),
    },
    {
      id: 'T2-08',
      name: 'a revoked certificate',
      code: 'CERTIFICATE_REVOKED',
      show: () => issued({ serialNumber }),
    },
    {
      id: 'T2-08',
      name: 'a certificate whose list is overdue for longer than may be',
      code: 'CERTIFICATE_REVOCATION_UNKNOWN',
      show: () => issued({}, overdue),
    },
    {
      id: 'T2-08',
      name: 'a certificate whose authority has no list',
      code: 'CERTIFICATE_REVOCATION_UNKNOWN',
      show: () => issued({}, unlisted),
    },
    {
      id: 'T2-08',
      name: 'a certificate of another organisation',
      code: 'CERTIFICATE_ORGANIZATION',
      show: () => issued({ organization: 'depot' }),
    },
    {
      id: 'T2-08',
      name: 'a certificate without organisation',
      code: 'CERTIFICATE_ORGANIZATION',
      show: () => listed.issue({ commonName: 'SN-1' }),
    },
    {
      id: 'T2-08',
      name: 'a self-signed certificate',
      code: 'CERTIFICATE_UNTRUSTED',
      show: () => makeAuthority({ commonName: 'SN-1', organization, isCa: false }),
    },
    {
      id: 'T2-08',
      name: 'a certificate of another authority with the same name',
      code: 'CERTIFICATE_UNTRUSTED',
      show: async () => issued({}, await makeAuthority({ commonName: 'Listed' })),
    },
    {
      id: 'T2-08',
      name: 'a certificate that another charger has issued',
      code: 'CERTIFICATE_UNTRUSTED',
      show: async () => {
        const other = await listed.intermediate({ commonName: 'SN-2', organization, isCa: false });
        return issued({}, other);
      },
    },
    {
      id: 'T2-08',
      name: 'a certificate with a weak key',
      code: 'CERTIFICATE_WEAK',
      show: () => issued({ algorithm: 'rsa-1024' }),
      options: weak,
    },
    {
      id: 'T2-08',
      name: 'a certificate with a weak signature',
      code: 'CERTIFICATE_WEAK',
      show: () => issued({ hash: 'SHA-1' }),
      options: weak,
    },
    {
      id: 'T2-08',
      name: 'the certificate of an authority',
      code: 'CERTIFICATE_IS_CA',
      show: () => listed.intermediate({ commonName: 'SN-1', organization }),
    },
  ];

  for (const version of tlsVersions) {
    const only = { minVersion: version, maxVersion: version } as const;

    test(`T2-07, T2-08: ${version}: a good certificate lets in, directly and by an intermediate`, async () => {
      assert.equal((await knock(gateway, await issued(), only)).status, 101);
      assert.equal(
        (await knock(gateway, await issued({ algorithm: 'rsa-2048' }), only)).status,
        101,
      );
      assert.equal((await knock(gateway, await issued({}, maker), only)).status, 101);
    });

    for (const { code, id, name, options, show } of rows) {
      test(`${id}: ${version}: ${name} is refused`, async () => {
        const dialled = csms.connections.length;
        const bad = await knock(gateway, await show(), { ...only, ...options });
        assert.equal(bad.code, code);
        assert.equal(bad.status, 403);
        assert.equal(csms.connections.length, dialled);
        // Whatever is wrong, the answer is the one to nobody at all.
        assert.equal(bad.answer, (await knock(gateway, undefined, only)).answer);
        assert.doesNotMatch(bad.answer, /certificate|expired|revoked|authenticate/i);
        assert.equal((await knock(gateway, await issued(), only)).status, 101);
      });
    }

    test(`T2-07: ${version}: a resumed session shows whose it is, and is judged again`, async () => {
      await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
      const shown = await issued();
      const first = await knock(gateway, shown, only);
      assert.equal(first.status, 101);
      const { session } = first;
      assert(session !== undefined);
      const again = await knock(gateway, shown, { ...only, session });
      assert.deepEqual([again.status, again.isResumed], [101, true]);
      await unbind(gateway, 'CP-1');
      const unbound = await knock(gateway, shown, { ...only, session });
      assert.deepEqual(
        [unbound.status, unbound.isResumed, unbound.code],
        [403, true, 'CERTIFICATE_UNBOUND'],
      );
      await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
    });
  }
});

/** A CSMS and a gateway, and a certificate that is the one of CP-1. */
async function bound(clientCertificates: ConfigChanges = {}): Promise<{
  readonly csms: HandCsms;
  readonly gateway: CredentialGateway;
  readonly certificate: TestCertificate;
  /** Connects CP-1, with that certificate or another one. */
  enter(version: OcppVersion, shown?: Shown): Promise<{ charger: TextPeer; upstream: TextPeer }>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const csms = await startHandCsms();
  const gateway = await startCredentialGateway(csms.url, { clientCertificates });
  await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
  const certificate = await gateway.authority.issue({ commonName: 'SN-1' });
  return {
    csms,
    gateway,
    certificate,
    enter: async (version, shown = certificate) => {
      const charger = await gateway.connect('CP-1', { profile: 3, version, certificate: shown });
      return { charger, upstream: await csms.nextConnection() };
    },
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await csms.close();
    },
  };
}

/** Answers every call: with what is given for its action, or with an error that passes. */
function answerAll(peer: TextPeer, answers: Readonly<Record<string, object>> = {}): void {
  peer.socket.on('message', (data) => {
    const [typeId, id, action] = JSON.parse(data.toString()) as readonly unknown[];
    if (typeId !== 2) return;
    const payload = answers[String(action)];
    if (payload === undefined) peer.sendMessage(4, id, 'GenericError', '', {});
    else peer.sendMessage(3, id, payload);
  });
}

let calls = 0;

/** Sends a call to a side that answers all, and says what came of it: its payload, or `refused`. */
async function ask(from: TextPeer, action: string, payload: object): Promise<unknown> {
  calls += 1;
  const id = `call-${calls}`;
  from.sendMessage(2, id, action, payload);
  for (;;) {
    const [typeId, answered, result] = await from.nextMessage();
    if (typeId === 2 || answered !== id) continue;
    if (typeId === 3) return result;
    return result === 'GenericError' ? 'passed' : result;
  }
}

const boot = (version: OcppVersion): object =>
  version === 'ocpp1.6'
    ? { chargePointVendor: 'V', chargePointModel: 'M' }
    : { reason: 'PowerUp', chargingStation: { vendorName: 'V', model: 'M' } };
const accepted = { status: 'Accepted', currentTime: '2026-01-01T00:00:00Z', interval: 300 };
const stop = (version: OcppVersion): readonly [string, object] =>
  version === 'ocpp1.6'
    ? ['RemoteStopTransaction', { transactionId: 7 }]
    : ['RequestStopTransaction', { transactionId: 'tx-7' }];
const start = (version: OcppVersion): readonly [string, object] =>
  version === 'ocpp1.6'
    ? ['RemoteStartTransaction', { idTag: 'TAG' }]
    : ['RequestStartTransaction', { remoteStartId: 1, idToken: { idToken: 'T', type: 'Central' } }];
const authorize = (version: OcppVersion): readonly [string, object] =>
  version === 'ocpp1.6'
    ? ['Authorize', { idTag: 'TAG' }]
    : ['Authorize', { idToken: { idToken: 'T', type: 'Central' } }];

describe('an expired certificate where it may be renewed', () => {
  for (const version of ocppVersions) {
    test(`A00, T2-08: ${version}: it is renewed, and nothing else is done until then`, async () => {
      await using it = await bound({ expired: 'restrict' });
      const { gateway } = it;
      const { authority } = gateway;
      const past = { notBefore: ago(48), notAfter: ago(1) };
      const old = await authority.issue({ commonName: 'SN-1', ...past });
      const { charger, upstream } = await it.enter(version, old);
      const { restriction } = await gateway.event('SessionOpened');
      assert.equal(restriction, 'expired-certificate');
      answerAll(upstream, {
        BootNotification: accepted,
        Heartbeat: { currentTime: accepted.currentTime },
        SignCertificate: { status: 'Accepted' },
      });
      answerAll(charger, { CertificateSigned: { status: 'Accepted' } });

      const told = await ask(charger, 'BootNotification', boot(version));
      assert.deepEqual(told, { ...accepted, status: 'Pending' });
      await gateway.event('FrameRewritten', ({ handler }) => handler === 'keep-pending');
      assert.equal(await ask(charger, ...authorize(version)), 'SecurityError');
      assert.equal(await ask(upstream, ...start(version)), 'SecurityError');
      assert.equal(await ask(upstream, 'ClearCache', {}), 'SecurityError');
      // A car that charges can be stopped whatever its charger may not.
      assert.equal(await ask(upstream, ...stop(version)), 'passed');
      const refusals = gateway.events.filter((event) => event.name === 'FrameRefused');
      assert.deepEqual(
        refusals.map((event) => event.name === 'FrameRefused' && event.code),
        ['RESTRICTED', 'RESTRICTED', 'RESTRICTED'],
      );

      const request = await makeRequest({ commonName: 'SN-1' });
      const asked = { csr: request.requestPem, ...(version === 'ocpp2.1' && { requestId: 1 }) };
      assert.deepEqual(await ask(charger, 'SignCertificate', asked), { status: 'Accepted' });
      const renewed = await authority.issue({ commonName: 'SN-1', keyPem: request.keyPem });
      const signed = {
        certificateChain: renewed.chainPem,
        ...(version === 'ocpp2.1' && { requestId: 1 }),
      };
      assert.deepEqual(await ask(upstream, 'CertificateSigned', signed), { status: 'Accepted' });
      await charger.close();

      const again = await it.enter(version, renewed);
      answerAll(again.upstream, { BootNotification: accepted });
      answerAll(again.charger);
      assert.deepEqual(await ask(again.charger, 'BootNotification', boot(version)), accepted);
      assert.equal(await ask(again.charger, ...authorize(version)), 'passed');
      assert.equal(await ask(again.upstream, ...start(version)), 'passed');
      assert.equal(await ask(again.upstream, 'ClearCache', {}), 'passed');
    });
  }

  test('T2-08: one that is revoked, of another charger or of nobody is refused all the same', async () => {
    const files = await makeFiles();
    await using authorities = new AsyncDisposableStack();
    authorities.use(files);
    const root = await makeAuthority();
    await using it = await bound({
      expired: 'restrict',
      caFile: await files.write('ca.pem', root.certificatePem),
      crlFile: await files.write('crl.pem', await root.crl(['0a'])),
    });
    const { gateway } = it;
    await gateway.bind('CP-2', { kind: 'common-name', value: 'SN-2' });
    const past = { notBefore: ago(48), notAfter: ago(1) };
    for (const [options, code] of [
      [{ commonName: 'SN-1', serialNumber: '0a' }, 'CERTIFICATE_REVOKED'],
      [{ commonName: 'SN-2' }, 'CERTIFICATE_FOREIGN'],
      [{ commonName: 'SN-3' }, 'CERTIFICATE_EXPIRED'],
      [{ commonName: 'SN-1' }, undefined],
    ] as const) {
      const shown = await root.issue({ ...past, ...options });
      assert.equal((await knock(gateway, shown)).code, code);
    }
  });
});

// Together, since one of them waits until the gateway looks at its files.
describe('a certificate that is taken away', { concurrency: true }, () => {
  test('T2-08: revoked while the gateway runs, it ends the connection, and opens no other, nor a resumed one', async () => {
    await using files = await makeFiles();
    const root = await makeAuthority();
    const caFile = await files.write('ca.pem', root.certificatePem);
    const crlFile = await files.write('crl.pem', await root.crl([]));
    await using it = await bound({ caFile, crlFile });
    const { gateway } = it;
    const revoked = await root.issue({ commonName: 'SN-1', serialNumber: '0a' });
    const other = await root.issue({ commonName: 'SN-1', serialNumber: '0b' });
    const sessions = new Map<string, Buffer | undefined>();
    for (const version of tlsVersions) {
      const only = { minVersion: version, maxVersion: version };
      sessions.set(version, (await knock(gateway, revoked, only)).session);
    }
    const connected = await gateway.connect('CP-1', { profile: 3, certificate: revoked });
    const loaded = gateway.events.length;
    await files.write('crl.pem', await root.crl(['0a']));
    // The gateway looks at its files every five seconds.
    await gateway.event(
      'TlsCertificatesLoaded',
      (event) => event.listener === 'field-3' && gateway.events.indexOf(event) >= loaded,
    );
    assert.equal((await connected.closed).code, 1008);
    await gateway.event('SessionClosed', ({ code }) => code === 'CREDENTIAL_REVOKED');
    for (const version of tlsVersions) {
      const only = { minVersion: version, maxVersion: version };
      for (const session of [undefined, sessions.get(version)]) {
        const again = await knock(gateway, revoked, { ...only, ...(session && { session }) });
        assert.deepEqual([again.status, again.code], [403, 'CERTIFICATE_REVOKED']);
      }
      assert.equal((await knock(gateway, other, only)).status, 101);
    }
  });

  test('unbound while the charger is connected, it ends the session', async () => {
    await using it = await bound();
    const { charger } = await it.enter('ocpp1.6');
    await unbind(it.gateway, 'CP-1');
    assert.equal((await charger.closed).code, 1008);
    await it.gateway.event('SessionClosed', ({ code }) => code === 'CREDENTIAL_REVOKED');
    assert.equal((await knock(it.gateway, it.certificate)).code, 'CERTIFICATE_UNBOUND');
  });

  test('bound to another charger, it ends the session of the first', async () => {
    await using it = await bound();
    const { charger } = await it.enter('ocpp1.6');
    await unbind(it.gateway, 'CP-1');
    await it.gateway.bind('CP-2', { kind: 'common-name', value: 'SN-1' });
    assert.equal((await charger.closed).code, 1008);
    assert.equal((await knock(it.gateway, it.certificate)).code, 'CERTIFICATE_FOREIGN');
  });

  test('of another charger, it ends nothing', async () => {
    await using it = await bound();
    await it.gateway.bind('CP-2', { kind: 'common-name', value: 'SN-2' });
    const other = await it.gateway.authority.issue({ commonName: 'SN-2' });
    const { charger, upstream } = await it.enter('ocpp1.6');
    answerAll(upstream, { BootNotification: accepted });
    const second = await it.gateway.connect('CP-2', { profile: 3, certificate: other });
    await unbind(it.gateway, 'CP-2');
    await second.closed;
    assert.deepEqual(await ask(charger, 'BootNotification', boot('ocpp1.6')), accepted);
  });
});

describe('messages about certificates', () => {
  async function talking(version: OcppVersion) {
    const it = await bound();
    const { charger, upstream } = await it.enter(version);
    answerAll(upstream, { BootNotification: accepted, SignCertificate: { status: 'Accepted' } });
    answerAll(charger, {
      CertificateSigned: { status: 'Accepted' },
      DeleteCertificate: { status: 'Accepted' },
    });
    await ask(charger, 'BootNotification', boot(version));
    const refused = async (): Promise<unknown> => {
      await it.gateway.stop();
      return it.gateway.events.flatMap((event) =>
        event.name === 'FrameRefused' ? [event.code] : [],
      );
    };
    return { ...it, charger, upstream, refused };
  }

  test('T2-12: ocpp1.6: the certificate that the charger is connected with is not deleted', async () => {
    await using it = await talking('ocpp1.6');
    const { certificate, gateway, upstream } = it;
    const issuer = new X509Certificate(gateway.authority.certificatePem);
    for (const [{ certificatePem }, outcome] of [
      [certificate, 'SecurityError'],
      [await gateway.authority.issue({ commonName: 'SN-1' }), { status: 'Accepted' }],
    ] as const) {
      for (const hashAlgorithm of ['SHA256', 'SHA384'] as const) {
        const leaf = new X509Certificate(certificatePem);
        const hashes = certificateHashes(leaf, issuer, hashAlgorithm);
        const certificateHashData = { hashAlgorithm, ...hashes };
        const answer = await ask(upstream, 'DeleteCertificate', { certificateHashData });
        assert.deepEqual(answer, outcome);
      }
    }
    assert.deepEqual(await it.refused(), ['CERTIFICATE_IN_USE', 'CERTIFICATE_IN_USE']);
  });

  test('T2-13: ocpp2.1: the charger gets the certificate that it has asked for, and no other', async () => {
    await using it = await talking('ocpp2.1');
    const { charger, gateway, upstream } = it;
    const { authority } = gateway;
    const request = await makeRequest({ commonName: 'SN-1' });
    const { keyPem, requestPem } = request;
    const good = await authority.issue({ commonName: 'SN-1', keyPem });
    const asked = { csr: requestPem, requestId: 5 };
    assert.deepEqual(await ask(charger, 'SignCertificate', asked), { status: 'Accepted' });
    const swaps: readonly (readonly [TestCertificate, number])[] = [
      [await authority.issue({ commonName: 'SN-1' }), 5],
      [await authority.issue({ commonName: 'SN-2', keyPem }), 5],
      [await authority.issue({ commonName: 'SN-1', keyPem, notBefore: ago(-1) }), 5],
      [await authority.issue({ commonName: 'SN-1', keyPem, isCa: true }), 5],
      [good, 4],
    ];
    for (const [{ chainPem: certificateChain }, requestId] of swaps) {
      const answer = await ask(upstream, 'CertificateSigned', { certificateChain, requestId });
      assert.equal(answer, 'SecurityError');
    }
    const signed = { certificateChain: good.chainPem, requestId: 5 };
    assert.deepEqual(await ask(upstream, 'CertificateSigned', signed), { status: 'Accepted' });
    const sent = charger.received.filter((text) => text.includes('CertificateSigned'));
    assert.equal(sent.length, 1);
    assert.deepEqual(await it.refused(), Array(5).fill('CERTIFICATE_UNREQUESTED'));
  });

  test('T2-14: ocpp2.0.1: a charger asks for its own certificate, with a good key, and not too often', async () => {
    await using it = await talking('ocpp2.0.1');
    const { charger, upstream } = it;
    const accept = { status: 'Accepted' };
    const rsa = await makeRequest({ commonName: 'SN-1', algorithm: 'rsa-2048' });
    for (const [request, outcome] of [
      [await makeRequest({ commonName: 'SN-2' }), 'SecurityError'],
      [await makeRequest({ commonName: ['SN-1', 'SN-2'] }), 'SecurityError'],
      [await makeRequest({ commonName: 'SN-1', isForeignKey: true }), 'SecurityError'],
      [await makeRequest({ commonName: 'SN-1', isForCa: true }), 'SecurityError'],
      [await makeRequest({ commonName: 'SN-1', algorithm: 'rsa-1024' }), 'SecurityError'],
      [rsa, accept],
    ] as const) {
      const answer = await ask(charger, 'SignCertificate', { csr: request.requestPem });
      assert.deepEqual(answer, outcome);
    }
    for (let count = 2; count <= 7; count += 1) {
      const answer = await ask(charger, 'SignCertificate', { csr: rsa.requestPem });
      assert.deepEqual(answer, count <= 5 ? accept : 'SecurityError');
    }
    const sent = upstream.received.filter((text) => text.includes('SignCertificate'));
    assert.equal(sent.length, 5);
    assert.deepEqual(await it.refused(), [
      ...Array(5).fill('CERTIFICATE_REQUEST_UNACCEPTABLE'),
      ...Array(2).fill('CERTIFICATE_REQUEST_TOO_OFTEN'),
    ]);
  });
});
