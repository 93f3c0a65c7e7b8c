/**
 * Goal: the simulated charger and the simulated CSMS speak security profiles 1 to 3, and the CSMS
 * refuses whoever has the wrong credential, or none.
 * Method: both over loopback in all versions, with real TLS; each refusal has its benign twin.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { ocppVersions } from '../../src/ocpp/version.ts';
import {
  type SimulatedChargerOptions,
  startSimulatedCharger,
} from '../../src/sim/charger/charger.ts';
import { type SimulatedCsmsOptions, startSimulatedCsms } from '../../src/sim/csms/csms.ts';
import { makeAuthority } from '../support/certificates.ts';
import { quick, until, withPair } from './pair.ts';
import { type LoopbackAuthority, loopbackAuthority } from './test-authority.ts';

const password = Buffer.from('correct horse battery');
const digits = '00112233445566778899aabbccddeeff';
const demands = { for: 'all', password } as const;

let pki: LoopbackAuthority;
before(async () => {
  pki = await loopbackAuthority();
});

/**
 * Why this charger does not get in, as it tells itself, and as the CSMS notes it (`isNoted`); fails
 * when it gets in.
 */
async function refusalOf(
  csmsOptions: Partial<SimulatedCsmsOptions>,
  chargerOptions: Partial<SimulatedChargerOptions>,
  isNoted = true,
): Promise<{ readonly note: string; readonly failure: string }> {
  const clock = systemClock();
  const random = seededRandom(5);
  const notes: string[] = [];
  const csms = await startSimulatedCsms({
    clock,
    random,
    onNote: (text) => notes.push(text),
    ...csmsOptions,
  });
  const charger = startSimulatedCharger({
    clock,
    random,
    url: csms.url,
    identity: 'CP-1',
    version: 'ocpp1.6',
    ...quick,
    ...chargerOptions,
  });
  try {
    await until(
      () => charger.state().connection === 'accepted' || charger.state().lastFailure !== undefined,
      'the attempt came to an end',
    );
    assert.notEqual(charger.state().connection, 'accepted');
    assert.deepEqual(csms.chargers(), []);
    if (isNoted) await until(() => notes.length > 0, 'the CSMS noted it');
    return { note: notes[0] ?? '', failure: charger.state().lastFailure ?? '' };
  } finally {
    await charger.close();
    await csms.close();
  }
}

for (const version of ocppVersions) {
  test(`${version}: profile 1, a password over plain text`, async () => {
    await withPair(
      version,
      async ({ charger, csms }) => {
        assert.equal(charger.state().securityProfile, 1);
        assert.match(csms.url, /^ws:/);
        assert.equal(csms.chargers()[0]?.certificate, undefined);
      },
      { charger: { passwordBytes: password }, csms: { passwords: demands } },
    );
  });

  test(`${version}: profile 2, a password over TLS`, async () => {
    await withPair(
      version,
      async ({ charger, csms }) => {
        assert.equal(charger.state().securityProfile, 2);
        assert.match(csms.url, /^wss:/);
      },
      {
        charger: { passwordBytes: password, tls: { ca: pki.authority.certificatePem } },
        csms: { passwords: demands, tls: pki.server },
      },
    );
  });

  test(`${version}: profile 3, a client certificate, and no password`, async () => {
    const clientCa = pki.authority.certificatePem;
    await withPair(
      version,
      async ({ charger, csms }) => {
        assert.equal(charger.state().securityProfile, 3);
        const { certificate } = (await csms.waitForCharger('CP-1')) ?? {};
        assert.equal(certificate?.commonName, 'SERIAL-1');
        assert.equal(certificate?.serialNumber, '0A11');
      },
      {
        charger: { tls: await pki.client({ serialNumber: '0a11' }) },
        csms: { tls: { ...pki.server, clientCa } },
      },
    );
  });
}

test('C10: a CSMS that knows a key takes its bytes and its digits', async () => {
  for (const passwordForm of ['raw', 'hex'] as const) {
    for (const known of [Buffer.from(digits), Buffer.from(digits, 'hex')]) {
      await withPair('ocpp1.6', async () => undefined, {
        charger: { passwordBytes: Buffer.from(digits.toUpperCase()), passwordForm },
        csms: { passwords: { for: 'each', byIdentity: new Map([['CP-1', known]]) } },
      });
    }
  }
});

test('a wrong password, another user name and no password are refused with 401', async () => {
  const cases: readonly (readonly [Partial<SimulatedChargerOptions>, RegExp])[] = [
    [{ passwordBytes: Buffer.from('wrong horse battery') }, /CP-1 was refused: .*wrong/],
    [{ passwordBytes: password, basicUser: 'CP-2' }, /CP-1 was refused: its user name/],
    [{}, /CP-1 was refused: it sent no password/],
  ];
  for (const [options, expected] of cases) {
    const { note, failure } = await refusalOf({ passwords: demands }, options);
    assert.match(note, expected);
    assert.match(failure, /401/);
  }
});

test('a charger that is not in the list of passwords is refused', async () => {
  const passwords = { for: 'each', byIdentity: new Map([['CP-2', password]]) } as const;
  const { note } = await refusalOf({ passwords }, { passwordBytes: password });
  assert.match(note, /CP-1 was refused: no password is known/);
});

test('no certificate, one of a stranger and one that has expired are refused with 401', async () => {
  const tls = { ...pki.server, clientCa: pki.authority.certificatePem };
  const ca = pki.authority.certificatePem;
  const stranger = await makeAuthority();
  const foreign = await stranger.issue({ commonName: 'SERIAL-1' });
  const past = { notBefore: new Date(2020, 0, 1), notAfter: new Date(2021, 0, 1) };
  const cases: readonly (readonly [SimulatedChargerOptions['tls'], RegExp])[] = [
    [{ ca }, /CP-1 was refused: it showed no certificate/],
    [
      { ca, certificate: foreign.certificatePem, key: foreign.keyPem },
      /CP-1 was refused: its certificate is not trusted/,
    ],
    [await pki.client(past), /not trusted \(CERT_HAS_EXPIRED\)/],
  ];
  for (const [shown, expected] of cases) {
    const { note, failure } = await refusalOf({ tls }, { tls: shown });
    assert.match(note, expected);
    assert.match(failure, /401/);
  }
});

test('a charger refuses a CSMS whose certificate it does not trust, or that is for another host', async () => {
  const stranger = await makeAuthority();
  const elsewhere = await pki.authority.issue({ commonName: 'x', dnsNames: ['csms.example'] });
  const wrongHost = { certificate: elsewhere.chainPem, key: elsewhere.keyPem };
  const untrusted = await refusalOf(
    { tls: pki.server },
    { tls: { ca: stranger.certificatePem }, passwordBytes: password },
    false,
  );
  assert.match(untrusted.failure, /certificate/);
  const misnamed = await refusalOf(
    { tls: wrongHost },
    { tls: { ca: pki.authority.certificatePem }, passwordBytes: password },
    false,
  );
  assert.match(misnamed.failure, /IP|altnames/i);
});

test('a charger with TLS 1.1 at most is refused, and one with TLS 1.2 is not', async () => {
  const ca = pki.authority.certificatePem;
  const { note } = await refusalOf(
    { tls: pki.server },
    { tls: { ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } },
  );
  assert.match(note, /failed in TLS/);
  await withPair('ocpp1.6', async () => undefined, {
    charger: { tls: { ca, maxVersion: 'TLSv1.2' } },
    csms: { tls: pki.server },
  });
});

test('profile 3 shows the certificate and sends no password; profile 2 the other way round', async () => {
  const tls = await pki.client();
  const clientCa = pki.authority.certificatePem;
  const shared = { passwordBytes: password, tls };
  const atThree = await refusalOf({ tls: pki.server, passwords: demands }, shared);
  assert.match(atThree.note, /no password/);
  const atTwo = await refusalOf(
    { tls: { ...pki.server, clientCa } },
    { ...shared, securityProfile: 2 },
  );
  assert.match(atTwo.note, /no certificate/);
});
