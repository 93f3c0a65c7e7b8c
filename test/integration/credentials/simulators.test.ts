import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { requestRotation } from '../../../src/chargers/credentials.ts';
import { lockRegistry } from '../../../src/chargers/registry-changes.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import {
  type SimulatedCharger,
  type SimulatedChargerOptions,
  startSimulatedCharger,
} from '../../../src/sim/charger/charger.ts';
import {
  type SimulatedCsms,
  type SimulatedCsmsOptions,
  startSimulatedCsms,
} from '../../../src/sim/csms/csms.ts';
import type { Traffic } from '../../../src/sim/protocol/traffic.ts';
import { quick } from '../../sim/pair.ts';
import { makeAuthority, type TestAuthority } from '../../support/certificates.ts';
import {
  type CredentialGateway,
  type CredentialGatewayOptions,
  startCredentialGateway,
} from '../../support/credential-gateway.ts';

// Goal: charger, gateway and CSMS get from one credential to the next by themselves, in each version,
// and nobody notices the gateway but by the credential that he shows to it.
// Method: both simulators with a live gateway between them; nothing is done by hand but what an
// operator does.

const clock = systemClock();
const random = systemRandom;
const password = 'the-password-of-cp-1';
const factory = 'factory-default-0001';

interface Chain {
  readonly csms: SimulatedCsms;
  readonly gateway: CredentialGateway;
  /** What the CSMS had to complain about. */
  readonly notes: readonly string[];
  /** Starts a charger on the listener of a security profile. */
  charger(
    profile: number,
    options: Partial<SimulatedChargerOptions> & Pick<SimulatedChargerOptions, 'version'>,
  ): SimulatedCharger;
  /** How often it was let in. */
  sessions(): number;
  /** Which of them were restricted. */
  restrictions(): readonly unknown[];
  [Symbol.asyncDispose](): Promise<void>;
}

interface Wanted {
  readonly gateway?: CredentialGatewayOptions;
  readonly csms?: Partial<SimulatedCsmsOptions>;
}

async function startChain(wanted: Wanted = {}): Promise<Chain> {
  const notes: string[] = [];
  await using stack = new AsyncDisposableStack();
  const onNote = (text: string): void => {
    notes.push(text);
  };
  const csms = await startSimulatedCsms({ clock, random, onNote, ...wanted.csms });
  stack.defer(() => csms.close());
  const gateway = stack.use(await startCredentialGateway(csms.url, wanted.gateway));
  const opened = () =>
    gateway.events.flatMap((event) => (event.name === 'SessionOpened' ? [event] : []));
  const open = stack.move();
  return {
    csms,
    gateway,
    notes,
    charger: (profile, options) => {
      const identity = options.identity ?? 'CP-1';
      const charger = startSimulatedCharger({
        clock,
        random,
        url: path.posix.dirname(gateway.url(identity, profile)),
        identity,
        ...quick,
        ...options,
        tls: { ca: gateway.authority.certificatePem, ...options.tls },
      });
      open.defer(() => charger.close());
      return charger;
    },
    sessions: () => opened().length,
    restrictions: () => opened().map(({ restriction }) => restriction),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Resolves when the charger has come for the `count`th time, and the CSMS has answered its boot. */
async function comesAgain({ csms, gateway, sessions }: Chain, count: number): Promise<void> {
  const boot = csms.waitFor('CP-1', 'BootNotification');
  await gateway.event('SessionOpened', () => sessions() >= count);
  await boot;
  await csms.waitForCharger('CP-1');
}

for (const version of ocppVersions) {
  describe(`simulated charger and CSMS, ${version}`, () => {
    for (const profile of [1, 2, 3]) {
      test(`security profile ${profile}: what the charger says reaches the CSMS, and back`, async () => {
        await using chain = await startChain();
        const { csms, gateway } = chain;
        await gateway.add('CP-1', password);
        await gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
        const { certificatePem, keyPem } = await gateway.authority.issue({ commonName: 'SN-1' });
        const charger = chain.charger(profile, {
          version,
          ...(profile < 3
            ? { passwordBytes: Buffer.from(password) }
            : { tls: { certificate: certificatePem, key: keyPem } }),
        });
        await charger.connected();
        assert.equal(charger.state().securityProfile, profile);
        assert.equal((await csms.waitForCharger('CP-1')).version, version);
        const opened = await gateway.event('SessionOpened');
        assert.equal(opened.securityProfile, profile);
        assert.equal(opened.credential, profile < 3 ? 'password' : 'certificate');
        assert.deepEqual(await csms.call('CP-1', 'ClearCache', {}), { status: 'Accepted' });
        const transactionId = await charger.startTransaction(1);
        assert.ok(transactionId.length > 0);
        assert.equal(await charger.stopTransaction(1), true);
        assert.deepEqual(
          gateway.events.filter(({ name }) => name === 'FrameRefused'),
          [],
        );
      });
    }

    test('A00: a new charger with a default password ends up with its own, and accepted', async () => {
      await using chain = await startChain({
        gateway: {
          changes: { chargers: { records: [{ id: 'CP-*' }] } },
          prepare: async (files) => {
            const passwordFile = path.join(files, 'default.txt');
            await writeFile(passwordFile, `${factory}\n`);
            const batch = { name: 'spring', chargers: ['CP-*'], passwordFile };
            return { credentials: { batches: [batch] } };
          },
        },
      });
      const { csms, gateway } = chain;
      const charger = chain.charger(2, { version, passwordBytes: Buffer.from(factory) });
      await charger.connected();
      await csms.waitForCharger('CP-1');
      assert.deepEqual(chain.restrictions(), ['default-password', undefined]);
      await gateway.event('DefaultPasswordUsed', ({ batch }) => batch === 'spring');
      await gateway.event('PasswordChangeConfirmed');
      const { isDefaultRetired, password: stored } = await gateway.credentialOf('CP-1');
      assert.deepEqual([isDefaultRetired, stored?.origin], [true, 'provisioned']);
      assert.deepEqual(await csms.call('CP-1', 'ClearCache', {}), { status: 'Accepted' });
      assert.equal(await gateway.status('CP-1', { password: factory, version }), 401);
      assert.deepEqual(chain.notes, []);
    });

    test('A01: a password that the gateway replaces is replaced, and the CSMS notices nothing', async () => {
      let seen = '';
      const onTraffic = ({ text }: Traffic): void => {
        seen += text;
      };
      await using chain = await startChain({ csms: { onTraffic } });
      const { csms, gateway } = chain;
      await gateway.add('CP-1', password);
      const charger = chain.charger(2, { version, passwordBytes: Buffer.from(password) });
      await charger.connected();
      const again = comesAgain(chain, 2);
      await gateway.inStore((store) =>
        store.transact(async (db) => {
          await lockRegistry(db);
          await requestRotation(db, 'CP-1' as ChargerId, store.nowMs());
        }),
      );
      await again;
      await gateway.event('PasswordChangeConfirmed');
      assert.deepEqual(await csms.call('CP-1', 'ClearCache', {}), { status: 'Accepted' });
      assert.match(seen, /ClearCache/);
      assert.doesNotMatch(seen, /AuthorizationKey|BasicAuthPassword|[0-9a-f]{40}/);
      await charger.close();
      assert.equal(await gateway.status('CP-1', { password, version }), 401);
    });

    test('A01: a password that the CSMS replaces is good at both afterwards', async () => {
      const byIdentity = new Map([['CP-1', Buffer.from(password)]]);
      await using chain = await startChain({
        gateway: { changes: { csms: { auth: { type: 'forward' } } } },
        csms: { passwords: { for: 'each', byIdentity } },
      });
      const { csms, gateway } = chain;
      await gateway.add('CP-1', password);
      const charger = chain.charger(2, { version, passwordBytes: Buffer.from(password) });
      await charger.connected();
      const again = comesAgain(chain, 2);
      const rotated = await csms.rotatePassword('CP-1');
      assert.equal(rotated.status, 'Accepted');
      await again;
      await gateway.event('PasswordChangeConfirmed');
      assert.deepEqual(await csms.call('CP-1', 'ClearCache', {}), { status: 'Accepted' });
      await charger.close();
      assert.equal(await gateway.status('CP-1', { password, version }), 401);
      const shown = { password: rotated.password, version };
      assert.equal(await gateway.status('CP-1', shown), 101);
      assert.deepEqual(chain.notes, []);
      assert(!gateway.log().includes(rotated.password));
    });

    test('A02: a charger renews its certificate, and comes with the new one', async () => {
      const { chain, issuer } = await withIssuer();
      await using _chain = chain;
      const { csms, gateway } = chain;
      const old = await issuer.issue({ commonName: 'SN-1' });
      const charger = chain.charger(3, {
        version,
        tls: { certificate: old.chainPem, key: old.keyPem },
      });
      await charger.connected();
      await csms.waitForCharger('CP-1');
      const again = comesAgain(chain, 2);
      assert.equal(await csms.askForRenewal('CP-1'), 'Accepted');
      await again;
      assert.deepEqual(chain.restrictions(), [undefined, undefined]);
      assert.deepEqual(await csms.call('CP-1', 'ClearCache', {}), { status: 'Accepted' });
      assert.deepEqual(chain.notes, []);
      assert.deepEqual(
        gateway.events.filter(({ name }) => name === 'FrameRefused' || name === 'FrameFlagged'),
        [],
      );
    });

    test('A00, A02: one whose certificate has expired renews it, and only then is accepted', async () => {
      const { chain, issuer } = await withIssuer('restrict');
      await using _chain = chain;
      const { csms } = chain;
      const past = { notBefore: new Date(0), notAfter: new Date(Date.now() - 1000) };
      const old = await issuer.issue({ commonName: 'SN-1', ...past });
      const charger = chain.charger(3, {
        version,
        tls: { certificate: old.chainPem, key: old.keyPem },
      });
      // The CSMS takes it for accepted; the charger does not know.
      await csms.waitForCharger('CP-1');
      assert.deepEqual(chain.restrictions(), ['expired-certificate']);
      assert.notEqual(charger.state().connection, 'accepted');
      assert.equal(await csms.askForRenewal('CP-1'), 'Accepted');
      await charger.connected();
      // That it is not restricted any more shows which certificate it was.
      assert.deepEqual(chain.restrictions(), ['expired-certificate', undefined]);
      assert.deepEqual(await csms.call('CP-1', 'ClearCache', {}), { status: 'Accepted' });
      assert.deepEqual(chain.notes, []);
    });
  });
}

/** A chain whose CSMS issues the certificates that the gateway accepts. CP-1 is bound to SN-1. */
async function withIssuer(
  expired = 'refuse',
): Promise<{ readonly chain: Chain; readonly issuer: TestAuthority }> {
  const issuer = await makeAuthority({ commonName: 'Issuer' });
  const { certificatePem: certificate, keyPem: key } = issuer;
  const clientCertificates: Record<string, unknown> = { expired };
  const chain = await startChain({
    gateway: {
      clientCertificates,
      prepare: async (files) => {
        const caFile = path.join(files, 'issuer.pem');
        await writeFile(caFile, certificate);
        clientCertificates['caFile'] = caFile;
        return undefined;
      },
    },
    csms: { authority: { certificate, key, issueDays: 30 } },
  });
  await chain.gateway.bind('CP-1', { kind: 'common-name', value: 'SN-1' });
  return { chain, issuer };
}
