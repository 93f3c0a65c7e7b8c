import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import type { TestCertificate } from '../../support/certificates.ts';
import {
  type CredentialGateway,
  type Shown,
  startCredentialGateway,
} from '../../support/credential-gateway.ts';
import { type HandCsms, startHandCsms } from '../../support/text-peer.ts';

// Goal: with each security profile and version, the right credential lets a charger in and nothing
// else does; the CSMS hears of nobody who was refused; and a refusal does not say why.
// Method: one gateway with a listener for each profile; every credential on every listener, over
// real sockets and real TLS.

const password = 'a-long-password-of-its-own';
/** Issued before the tests, by the identity or the name of the case. */
const certificates = new Map<string, TestCertificate>();

interface Case {
  readonly name: string;
  /** What the charger shows. */
  show(identity: string): Shown;
  /** The profiles with which that is right, and the code with the others. */
  readonly goodWith: readonly number[];
  readonly code: (profile: number) => string;
}

const withCertificate = (name: string): Shown => {
  const certificate = certificates.get(name);
  return certificate === undefined ? {} : { certificate };
};
const missing = (profile: number): string =>
  profile === 3 ? 'CERTIFICATE_MISSING' : 'CREDENTIAL_MISSING';
const orCertificate =
  (code: string) =>
  (profile: number): string =>
    profile === 3 ? 'CERTIFICATE_MISSING' : code;
const orPassword =
  (code: string) =>
  (profile: number): string =>
    profile === 3 ? code : 'CREDENTIAL_MISSING';

const cases: readonly Case[] = [
  { name: 'nothing', show: () => ({}), goodWith: [], code: missing },
  {
    name: 'the right password',
    show: () => ({ password }),
    goodWith: [1, 2],
    code: orCertificate(''),
  },
  {
    name: 'a wrong password',
    show: () => ({ password: `${password}!` }),
    goodWith: [],
    code: orCertificate('PASSWORD_WRONG'),
  },
  {
    name: 'an empty password',
    show: () => ({ password: '' }),
    goodWith: [],
    code: orCertificate('PASSWORD_WRONG'),
  },
  {
    name: 'name and password of another charger',
    show: () => ({ user: 'CP-B', password: 'another-long-password' }),
    goodWith: [],
    code: orCertificate('CREDENTIAL_USER'),
  },
  {
    name: 'its own certificate',
    show: (identity) => withCertificate(identity),
    goodWith: [3],
    code: orPassword(''),
  },
  {
    name: 'the certificate of another charger',
    show: () => withCertificate('CP-B'),
    goodWith: [],
    code: orPassword('CERTIFICATE_FOREIGN'),
  },
  {
    name: 'a certificate that belongs to nobody',
    show: () => withCertificate('nobody'),
    goodWith: [],
    code: orPassword('CERTIFICATE_UNBOUND'),
  },
];

describe('security profiles', () => {
  let csms: HandCsms;
  let gateway: CredentialGateway;

  before(async () => {
    csms = await startHandCsms();
    gateway = await startCredentialGateway(csms.url);
    const identities = ocppVersions.flatMap((version) =>
      // Each has an identity of its own: a profile that was used is never lowered.
      [1, 2, 3].map((profile) => `CP-${profile}-${version}`),
    );
    for (const identity of [...identities, 'CP-B']) {
      await gateway.add(identity, identity === 'CP-B' ? 'another-long-password' : password);
      await gateway.bind(identity, { kind: 'common-name', value: `SN-${identity}` });
      const commonName = `SN-${identity}`;
      certificates.set(identity, await gateway.authority.issue({ commonName }));
    }
    certificates.set('nobody', await gateway.authority.issue({ commonName: 'SN-nobody' }));
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
    await csms.close();
  });

  for (const version of ocppVersions) {
    for (const profile of [1, 2, 3]) {
      const identity = `CP-${profile}-${version}`;
      for (const { code, goodWith, name, show } of cases) {
        const isGood = goodWith.includes(profile);

        test(`T2-01: ${version}, profile ${profile}: ${name} ${isGood ? 'lets it in' : 'does not'}`, async () => {
          const dialled = csms.connections.length;
          const status = await gateway.status(identity, { ...show(identity), version, profile });
          assert.equal(status, isGood ? 101 : profile === 3 ? 403 : 401);
          assert.equal(csms.connections.length, dialled + (isGood ? 1 : 0));
          const event = gateway.events.findLast(
            (it) => it.name === (isGood ? 'SessionOpened' : 'UpgradeRefused'),
          );
          if (event?.name === 'UpgradeRefused') assert.equal(event.code, code(profile));
          else assert(event?.name === 'SessionOpened' && event.securityProfile === profile);
        });
      }
    }
  }

  test('T2-05: a charger that has used a profile is refused with every lower one', async () => {
    const identity = 'CP-2-ocpp1.6';
    const shown = { password };
    assert.equal(await gateway.status(identity, { ...shown, profile: 2 }), 101);
    assert.equal(await gateway.status(identity, { ...shown, profile: 1 }), 401);
    assert.equal(await gateway.status(identity, { ...shown, profile: 0 }), 401);
    assert.equal(await gateway.status(identity, { ...shown, profile: 2 }), 101);
    const certificate = withCertificate(identity);
    assert.equal(await gateway.status(identity, { ...certificate, profile: 3 }), 101);
    assert.equal(await gateway.status(identity, { ...shown, profile: 2 }), 401);
    await gateway.event('SecurityProfileRaised', (it) => it.from === 2 && it.to === 3);
  });

  test('the log has the reason of each refusal, and no password', () => {
    assert.match(gateway.log(), /"code":"CERTIFICATE_FOREIGN"/);
    for (const secret of [password, 'another-long-password']) {
      assert(!gateway.log().includes(secret));
      assert(!gateway.log().includes(Buffer.from(secret).toString('base64').slice(0, 20)));
    }
  });
});
