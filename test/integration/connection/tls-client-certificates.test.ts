import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { makeAuthority, type TestCertificate } from '../../support/certificates.ts';
import { connectTls, startTlsWorld, type TlsWorld, upgrade, upgradeOnce } from './tls-world.ts';

// Goal: whoever judges a client certificate has the leaf, the whole chain, and OpenSSL's word, on
//   every connection, resumed or not; and nobody resumes what was made with other authorities.
// Method: a listener that asks for certificates, and clients with real ones, in both versions.

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

function shows({ chainPem, keyPem }: TestCertificate): ConnectionOptions {
  return { cert: chainPem, key: keyPem };
}

/** Connects twice; the second time with the session of the first. */
async function resume(
  world: TlsWorld,
  options: ConnectionOptions,
  between: () => Promise<unknown> = () => Promise.resolve(),
): Promise<{ readonly isResumed: boolean; readonly answer: string }> {
  const first = await connectTls(world, options);
  // With TLS 1.3 the ticket comes after the handshake.
  const later = new Promise<Buffer>((resolve) => first.once('session', resolve));
  await upgrade(first);
  const ticket = first.getProtocol() === 'TLSv1.2' ? first.getSession() : await later;
  first.destroy();
  await between();
  const second = await connectTls(world, { ...options, session: ticket });
  const isResumed = second.isSessionReused();
  const answer = await upgrade(second);
  second.destroy();
  return { isResumed, answer };
}

const names = (certificates: readonly X509Certificate[] | undefined): readonly string[] =>
  (certificates ?? []).map(({ subject }) => subject);

describe('client certificates', { concurrency: false }, () => {
  for (const version of versions) {
    const only = { minVersion: version, maxVersion: version } as const;

    test(`${version}: leaf, chain and OpenSSL's verdict are there, also when resumed`, async () => {
      const root = await makeAuthority({ commonName: 'Charger Root' });
      const one = await root.intermediate({ commonName: 'Maker' });
      const two = await one.intermediate({ commonName: 'Plant' });
      const certificate = await two.issue({ commonName: 'CP-1' });
      await using world = await startTlsWorld({ clientCa: root.certificatePem });

      const { answer, isResumed } = await resume(world, { ...only, ...shows(certificate) });
      assert.equal(isResumed, true);
      assert.match(answer, / 101 /);
      assert.equal(world.arrivals.length, 2);
      const leaf = new X509Certificate(certificate.certificatePem);
      for (const { request } of world.arrivals) {
        assert.equal(request.clientCertificate?.leaf.fingerprint256, leaf.fingerprint256);
        assert.deepEqual(names(request.clientCertificate?.chain), ['CN=Plant', 'CN=Maker']);
        assert.equal(request.clientCertificate?.isChainVerified, true);
      }
    });

    test(`${version}: a charger that was refused has its chain when it resumes, too`, async () => {
      const root = await makeAuthority({ commonName: 'Charger Root' });
      const maker = await root.intermediate({ commonName: 'Maker' });
      const certificate = await maker.issue({
        commonName: 'CP-1',
        notAfter: new Date(Date.now() - 1000),
      });
      await using world = await startTlsWorld({
        clientCa: root.certificatePem,
        onArrival: (arrival) => arrival.refuse('CERTIFICATE_EXPIRED'),
      });
      const { isResumed } = await resume(world, { ...only, ...shows(certificate) });
      assert.equal(isResumed, true);
      for (const { request } of world.arrivals) {
        assert.deepEqual(names(request.clientCertificate?.chain), ['CN=Maker']);
        assert.equal(request.clientCertificate?.isChainVerified, false);
      }
    });

    test(`${version}: a session from before a change of authorities is not resumed`, async () => {
      const former = await makeAuthority({ commonName: 'Former Root' });
      const next = await makeAuthority({ commonName: 'Next Root' });
      const certificate = await former.issue({ commonName: 'CP-1' });
      await using world = await startTlsWorld({ clientCa: former.certificatePem });
      let before: unknown;
      const { isResumed } = await resume(world, { ...only, ...shows(certificate) }, async () => {
        before = world.arrivals[0]?.clientTrust();
        await world.files.write('ca.pem', next.certificatePem);
        world.events.clear();
        world.look();
        await world.events.first('TlsCertificatesLoaded');
      });
      assert.equal(isResumed, false);
      const [first, second] = world.arrivals;
      assert.equal(first?.request.clientCertificate?.isChainVerified, true);
      assert.equal(second?.request.clientCertificate?.isChainVerified, false);
      // An earlier arrival, asked again, has the new authorities as well.
      assert.notEqual(before, undefined);
      assert.notEqual(before, first?.clientTrust());
      assert.equal(first?.clientTrust(), second?.clientTrust());
    });
  }

  test('none is shown: the listener does not insist, the judge does', async () => {
    const root = await makeAuthority();
    await using world = await startTlsWorld({ clientCa: root.certificatePem });
    assert.match(await upgradeOnce(world), / 101 /);
    assert.equal(world.arrivals[0]?.request.clientCertificate, undefined);
    assert.notEqual(world.arrivals[0]?.clientTrust(), undefined);
  });

  test('T2-08: self-signed and foreign certificates arrive as what they are', async () => {
    const root = await makeAuthority({ commonName: 'Charger Root' });
    const foreign = await makeAuthority({ commonName: 'Foreign Root' });
    const selfSigned = await makeAuthority({ commonName: 'CP-1', isCa: false });
    const issued = await foreign.issue({ commonName: 'CP-1' });
    await using world = await startTlsWorld({ clientCa: root.certificatePem });
    await upgradeOnce(world, shows(selfSigned));
    await upgradeOnce(world, shows(issued));
    assert.deepEqual(
      world.arrivals.map(({ request }) => request.clientCertificate?.isChainVerified),
      [false, false],
    );
  });

  test('T2-08: a chain of a hundred certificates is cut', async () => {
    const root = await makeAuthority({ commonName: 'Charger Root' });
    const junk = await root.issue({ commonName: 'Junk' });
    const certificate = await root.issue({ commonName: 'CP-1' });
    await using world = await startTlsWorld({ clientCa: root.certificatePem });
    const cert = certificate.certificatePem + junk.certificatePem.repeat(100);
    await upgradeOnce(world, { cert, key: certificate.keyPem });
    assert.equal(world.arrivals[0]?.request.clientCertificate?.chain.length, 8);
  });

  test('a listener with security profile 2 asks for no certificate', async () => {
    const root = await makeAuthority();
    const certificate = await root.issue({ commonName: 'CP-1' });
    await using world = await startTlsWorld();
    await upgradeOnce(world, shows(certificate));
    assert.equal(world.arrivals[0]?.request.clientCertificate, undefined);
  });
});
