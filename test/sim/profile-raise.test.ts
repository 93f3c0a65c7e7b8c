/**
 * Goal: a charger raises its security profile when it is told to (A05), and goes on with the old
 * one when the new one cannot be reached (A05.FR.08).
 * Method: one charger and two simulated CSMSs, one for each profile, over loopback with real TLS.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { type OcppVersion, ocppVersions } from '../../src/ocpp/version.ts';
import type { SimulatedChargerOptions } from '../../src/sim/charger/charger.ts';
import {
  type SimulatedCsms,
  type SimulatedCsmsOptions,
  startSimulatedCsms,
} from '../../src/sim/csms/csms.ts';
import { listOf, textOf } from '../../src/sim/protocol/payload.ts';
import { type Pair, until, withPair } from './pair.ts';
import { type LoopbackAuthority, loopbackAuthority } from './test-authority.ts';

const password = Buffer.from('correct horse battery');
const passwords = { for: 'all', password } as const;

let pki: LoopbackAuthority;
before(async () => {
  pki = await loopbackAuthority();
});

interface Raised extends Pair {
  /** Where the higher profile is spoken. */
  readonly higher: SimulatedCsms;
}

/** Runs `run` with a charger of profile 1, and a second CSMS with TLS. */
async function withTwo(
  version: OcppVersion,
  run: (raised: Raised) => Promise<void>,
  options: {
    readonly charger?: Partial<SimulatedChargerOptions>;
    readonly higher?: Partial<SimulatedCsmsOptions>;
  } = {},
): Promise<void> {
  const higher = await startSimulatedCsms({
    clock: systemClock(),
    random: seededRandom(9),
    tls: pki.server,
    passwords,
    ...options.higher,
  });
  try {
    await withPair(version, (pair) => run({ ...pair, higher }), {
      charger: {
        passwordBytes: password,
        tls: { ca: pki.authority.certificatePem },
        urls: { 2: higher.url },
        ...options.charger,
      },
      csms: { passwords },
    });
  } finally {
    await higher.close();
  }
}

/** The profile that the charger itself reports. */
async function reportedProfile(csms: SimulatedCsms, version: OcppVersion): Promise<string> {
  if (version === 'ocpp1.6') {
    const reply = await csms.call('CP-1', 'GetConfiguration', { key: ['SecurityProfile'] });
    return textOf(listOf(reply, 'configurationKey')[0], 'value');
  }
  const asked = { component: { name: 'SecurityCtrlr' }, variable: { name: 'SecurityProfile' } };
  const reply = await csms.call('CP-1', 'GetVariables', { getVariableData: [asked] });
  return textOf(listOf(reply, 'getVariableResult')[0], 'attributeValue');
}

for (const version of ocppVersions) {
  test(`${version}: A05: the profile is raised from 1 to 2`, async () => {
    await withTwo(version, async ({ charger, csms, higher, judge }) => {
      assert.equal(await reportedProfile(csms, version), '1');
      assert.equal(await csms.raiseProfile('CP-1', 2, higher.url), 'Accepted');
      await higher.waitForCharger('CP-1');
      assert.equal(charger.state().securityProfile, 2);
      assert.equal(await reportedProfile(higher, version), '2');
      assert.deepEqual(csms.chargers(), []);
      // It stays there, also after a reset.
      const type = version === 'ocpp1.6' ? 'Soft' : 'Immediate';
      await higher.call('CP-1', 'Reset', { type });
      await until(() => higher.chargers().length === 0, 'the charger has left');
      await higher.waitForCharger('CP-1');
      assert.deepEqual(judge.departures, []);
    });
  });

  test(`${version}: A05.FR.08: the old profile is used again when the new one fails`, async () => {
    const other = { for: 'all', password: Buffer.from('another password') } as const;
    const notes: string[] = [];
    await withTwo(
      version,
      async ({ charger, csms, higher, judge }) => {
        const boots = (): number =>
          judge.actions.filter((action) => action === 'BootNotification').length;
        assert.equal(await csms.raiseProfile('CP-1', 2, higher.url), 'Accepted');
        await until(() => boots() === 2, 'the charger came back');
        assert.match(notes[0] ?? '', /CP-1 was refused/);
        assert.equal(charger.state().securityProfile, 1);
        assert.equal(await reportedProfile(csms, version), '1');
      },
      { higher: { passwords: other, onNote: (text) => notes.push(text) } },
    );
  });

  test(`${version}: A05: a lower profile, and one without its prerequisites, are rejected`, async () => {
    await withTwo(version, async ({ charger, csms, higher, judge }) => {
      assert.equal(await csms.raiseProfile('CP-1', 0), 'Rejected');
      // There is no certificate.
      assert.equal(await csms.raiseProfile('CP-1', 3, higher.url), 'Rejected');
      assert.equal(charger.state().securityProfile, 1);
      assert.deepEqual(judge.departures, []);
    });
  });
}

test('1.6: A05: the profile that is in use already is rejected', async () => {
  await withTwo('ocpp1.6', async ({ csms }) => {
    assert.equal(await csms.raiseProfile('CP-1', 1), 'Rejected');
  });
});

test('A05, A02: from 2 to 3, with a certificate that was issued before', async () => {
  const { certificatePem, keyPem } = pki.authority;
  const authority = { certificate: certificatePem, key: keyPem };
  const third = await startSimulatedCsms({
    clock: systemClock(),
    random: seededRandom(10),
    tls: { ...pki.server, clientCa: certificatePem },
  });
  try {
    for (const version of ocppVersions) {
      await withPair(
        version,
        async ({ charger, csms }) => {
          assert.equal(await csms.raiseProfile('CP-1', 3, third.url), 'Rejected');
          const signed = charger.waitFor('CertificateSigned');
          assert.equal(await csms.askForRenewal('CP-1'), 'Accepted');
          await signed;
          assert.equal(await csms.raiseProfile('CP-1', 3, third.url), 'Accepted');
          const { certificate } = await third.waitForCharger('CP-1');
          assert.equal(certificate?.commonName, 'SERIAL-7');
          assert.equal(charger.state().securityProfile, 3);
        },
        {
          charger: {
            passwordBytes: password,
            tls: { ca: certificatePem },
            urls: { 3: third.url },
            description: { serialNumber: 'SERIAL-7' },
          },
          csms: { tls: pki.server, passwords, authority },
        },
      );
    }
  } finally {
    await third.close();
  }
});

test('a root that the CSMS installs is what the raised connection trusts', async () => {
  const second = await loopbackAuthority();
  const tls = second.server;
  await withTwo(
    'ocpp1.6',
    async ({ csms, higher, judge }) => {
      const boots = (): number =>
        judge.actions.filter((action) => action === 'BootNotification').length;
      await csms.raiseProfile('CP-1', 2);
      await until(() => boots() === 2, 'the charger came back, for it does not trust the other');
      const install = {
        certificateType: 'CentralSystemRootCertificate',
        certificate: second.authority.certificatePem,
      };
      await csms.call('CP-1', 'InstallCertificate', install);
      await csms.raiseProfile('CP-1', 2);
      await higher.waitForCharger('CP-1');
    },
    { higher: { tls } },
  );
});
