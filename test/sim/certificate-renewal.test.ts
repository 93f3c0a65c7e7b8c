/**
 * Goal: a charger renews its client certificate (A02), and the next connection shows the new one.
 * Method: both simulators over real TLS in all versions; the CSMS tells whose certificate it sees.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, test } from 'node:test';
import { type OcppVersion, ocppVersions } from '../../src/ocpp/version.ts';
import type { SimulatedCsms, SimulatedCsmsOptions } from '../../src/sim/csms/csms.ts';
import { textOf } from '../../src/sim/protocol/payload.ts';
import type { Traffic } from '../../src/sim/protocol/traffic.ts';
import { makeAuthority, makeRequest } from '../support/certificates.ts';
import { type Pair, until, withPair } from './pair.ts';
import { type LoopbackAuthority, loopbackAuthority } from './test-authority.ts';

let pki: LoopbackAuthority;
before(async () => {
  pki = await loopbackAuthority();
});

interface Watched extends Pair {
  readonly notes: readonly string[];
  /** The payloads of this action, in order. */
  readonly sent: (action: string) => readonly object[];
}

/** Runs `run` with a charger of profile 3, and a CSMS with an authority. */
async function withCertificates(
  version: OcppVersion,
  run: (watched: Watched) => Promise<void>,
  csms: Partial<SimulatedCsmsOptions> = {},
): Promise<void> {
  const notes: string[] = [];
  const payloads: (readonly [string, object])[] = [];
  const { certificatePem, keyPem } = pki.authority;
  const onTraffic = ({ message }: Traffic): void => {
    if (message?.kind === 'call') payloads.push([message.action, message.payload]);
  };
  const sent = (action: string): readonly object[] =>
    payloads.filter(([name]) => name === action).map(([, payload]) => payload);
  await withPair(version, (pair) => run({ ...pair, notes, sent }), {
    charger: { tls: await pki.client({ serialNumber: '01' }), onTraffic },
    csms: {
      tls: { ...pki.server, clientCa: certificatePem },
      authority: { certificate: certificatePem, key: keyPem, issueDays: 30 },
      onNote: (text) => notes.push(text),
      ...csms,
    },
  });
}

function serialAt(csms: SimulatedCsms): string {
  return csms.chargers()[0]?.certificate?.serialNumber ?? '';
}

for (const version of ocppVersions) {
  test(`${version}: A02: a renewed certificate is used at the next connection`, async () => {
    await withCertificates(version, async ({ csms, notes, judge, sent }) => {
      assert.equal(serialAt(csms), '01');
      assert.equal(await csms.askForRenewal('CP-1'), 'Accepted');
      await until(() => !['', '01'].includes(serialAt(csms)), 'the new certificate is in use');
      const [signed] = sent('CertificateSigned');
      const leaf = new X509Certificate(textOf(signed, 'certificateChain'));
      assert.equal(serialAt(csms), leaf.serialNumber);
      // As in the old certificate.
      assert.equal(leaf.subject, 'O=Test operator\nCN=SERIAL-1');
      const days = (Date.parse(leaf.validTo) - Date.now()) / 86_400_000;
      assert.ok(days > 29.9 && days < 30.1, String(days));
      const [requested] = sent('SignCertificate');
      for (const key of ['certificateType', 'requestId']) {
        assert.equal(Reflect.get(signed ?? {}, key), Reflect.get(requested ?? {}, key), key);
      }
      assert.equal(Reflect.has(requested ?? {}, 'requestId'), version === 'ocpp2.1');
      assert.deepEqual(notes, []);
      assert.deepEqual(judge.departures, []);
    });
  });

  test(`${version}: a renewal makes a new key each time`, async () => {
    await withCertificates(version, async ({ csms, sent }) => {
      const serials = ['01'];
      for (const _turn of [1, 2]) {
        await csms.waitForCharger('CP-1');
        await csms.askForRenewal('CP-1');
        await until(() => !['', ...serials].includes(serialAt(csms)), 'a new certificate');
        serials.push(serialAt(csms));
      }
      const keys = sent('CertificateSigned').map((payload) =>
        new X509Certificate(textOf(payload, 'certificateChain')).publicKey.export({
          type: 'spki',
          format: 'pem',
        }),
      );
      assert.equal(new Set(keys).size, 2);
    });
  });

  test(`${version}: certificates for other keys, not valid now, or unasked are rejected`, async () => {
    await withCertificates(version, async ({ charger, csms, sent }) => {
      const answer = async (certificateChain: string): Promise<string> =>
        textOf(await csms.call('CP-1', 'CertificateSigned', { certificateChain }), 'status');
      const { chainPem } = await pki.authority.issue({ commonName: 'SERIAL-1' });
      assert.equal(await answer(chainPem), 'Rejected', 'unasked');
      csms.on('SignCertificate', () => ({ status: 'Accepted' }));
      const asked = csms.waitFor('CP-1', 'SignCertificate');
      await csms.askForRenewal('CP-1');
      await asked;
      assert.equal(await answer(chainPem), 'Rejected', 'the key of somebody else');
      assert.equal(await answer('-----BEGIN CERTIFICATE-----\n-----END'), 'Rejected', 'nonsense');
      assert.equal(sent('SignCertificate').length, 1);
      assert.equal(charger.state().connection, 'accepted');
      assert.equal(serialAt(csms), '01');
    });
  });
}

test('a certificate that has expired when it comes is rejected, and the charger stays', async () => {
  const { certificatePem: certificate, keyPem: key } = pki.authority;
  // A minute before the request at the earliest, so it is over already.
  const authority = { certificate, key, issueDays: -1 / 86_400 };
  await withCertificates(
    'ocpp2.0.1',
    async ({ csms, notes }) => {
      await csms.askForRenewal('CP-1');
      await until(() => notes.length > 0, 'the CSMS noted it');
      assert.match(notes[0] ?? '', /CP-1 did not accept its certificate/);
      assert.equal(serialAt(csms), '01');
    },
    { authority },
  );
});

test('a request that is not signed by its own key gets no certificate; a good one does', async () => {
  await withCertificates('ocpp1.6', async ({ charger, notes, sent }) => {
    const forged = await makeRequest({ commonName: 'SERIAL-1', isForeignKey: true });
    const refused = await charger.call('SignCertificate', { csr: forged.requestPem });
    assert.deepEqual(refused, { status: 'Rejected' });
    assert.match(notes[0] ?? '', /CP-1 got no certificate/);
    assert.deepEqual(await charger.call('SignCertificate', { csr: 'nonsense' }), {
      status: 'Rejected',
    });
    for (const algorithm of ['ecdsa-p384', 'rsa-2048'] as const) {
      const good = await makeRequest({ commonName: 'SERIAL-1', algorithm });
      const taken = await charger.call('SignCertificate', { csr: good.requestPem });
      assert.deepEqual(taken, { status: 'Accepted' });
    }
    await until(() => sent('CertificateSigned').length === 2, 'both were issued');
  });
});

test('an intermediate authority sends its own certificate along; RSA authorities issue as well', async () => {
  const root = await makeAuthority({ algorithm: 'rsa-2048' });
  const middle = await root.intermediate({ algorithm: 'ecdsa-p384' });
  const cases = [
    [root.certificatePem, root.keyPem, 1],
    [middle.certificatePem + root.certificatePem, middle.keyPem, 2],
  ] as const;
  for (const [certificate, key, count] of cases) {
    await withCertificates(
      'ocpp1.6',
      async ({ csms, charger, sent }) => {
        charger.on('CertificateSigned', () => ({ status: 'Accepted' }));
        await csms.askForRenewal('CP-1');
        await until(() => sent('CertificateSigned').length === 1, 'it was issued');
        const chain = textOf(sent('CertificateSigned')[0], 'certificateChain');
        const blocks = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
        assert.equal(blocks.length, count);
        const issuer = new X509Certificate(certificate);
        assert.ok(new X509Certificate(chain).verify(issuer.publicKey));
      },
      { authority: { certificate, key } },
    );
  }
});

test('an authority whose key does not belong to its certificate is refused at the start', async () => {
  const other = await makeAuthority();
  const mixed = { certificate: pki.authority.certificatePem, key: other.keyPem };
  const start = withCertificates('ocpp1.6', async () => undefined, { authority: mixed });
  await assert.rejects(start, /does not belong/);
});

test('M02, M03, M04: a root is installed, told by its hashes, and deleted by them', async () => {
  const second = await loopbackAuthority();
  await withCertificates('ocpp1.6', async ({ csms, judge }) => {
    const certificateType = 'CentralSystemRootCertificate';
    const ids = (): Promise<object> =>
      csms.call('CP-1', 'GetInstalledCertificateIds', { certificateType });
    assert.deepEqual(await ids(), { status: 'NotFound' });
    const certificate = second.authority.certificatePem;
    const install = { certificateType, certificate };
    assert.deepEqual(await csms.call('CP-1', 'InstallCertificate', install), {
      status: 'Accepted',
    });
    const broken = { certificateType, certificate: 'no certificate' };
    assert.deepEqual(await csms.call('CP-1', 'InstallCertificate', broken), { status: 'Rejected' });
    const [certificateHashData] = Reflect.get(await ids(), 'certificateHashData');
    const hashes = { certificateHashData };
    const deleted = await csms.call('CP-1', 'DeleteCertificate', hashes);
    assert.deepEqual(deleted, { status: 'Accepted' });
    const again = await csms.call('CP-1', 'DeleteCertificate', hashes);
    assert.deepEqual(again, { status: 'NotFound' });
    assert.deepEqual(judge.departures, []);
  });
});
