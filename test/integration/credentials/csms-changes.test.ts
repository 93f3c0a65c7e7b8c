import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OcppVersion, ocppVersions } from '../../../src/ocpp/version.ts';
import { connectWithPassword } from '../../support/credential-gateway.ts';
import type { ConfigChanges } from '../../support/live-gateway.ts';

// Goal: whatever the CSMS changes of a charger's credential, gateway, charger and CSMS agree on it
// afterwards; and what nobody could agree on does not reach the charger.
// Method: a CSMS by hand that sets passwords and security profiles, in every version, where they are
// its own as well (`forward`) and where they are not.

const old = 'the-old-password-1';
const fresh = '00112233445566778899aabbccddeeff00112233';

const connected = (version: OcppVersion, csms: ConfigChanges = {}, profile = 2) =>
  connectWithPassword(old, { changes: { csms }, profile, version });

const forward = { auth: { type: 'forward' } };
const names = { component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } };

function setPassword(version: OcppVersion, value: string): readonly [string, object] {
  return version === 'ocpp1.6'
    ? ['ChangeConfiguration', { key: 'AuthorizationKey', value }]
    : ['SetVariables', { setVariableData: [{ attributeValue: value, ...names }] }];
}

function answer(version: OcppVersion, status: string): object {
  return version === 'ocpp1.6'
    ? { status }
    : { setVariableResult: [{ attributeStatus: status, ...names }] };
}

for (const version of ocppVersions) {
  describe(`the CSMS changes a password, ${version}`, () => {
    test('T2-11: where the password is not its own, it is refused and the charger never hears of it', async () => {
      await using it = await connected(version);
      const { charger, csms, gateway } = it;
      csms.sendMessage(2, 'set', ...setPassword(version, fresh));
      const [typeId, id, code] = await csms.nextMessage();
      assert.deepEqual([typeId, id, code], [4, 'set', 'SecurityError']);
      const { rule } = await gateway.event('FrameRefused');
      assert.equal(rule, 'credential-change');
      assert.equal(charger.received.length, 0);
      assert.equal(await gateway.credentialOf('CP-1').then(({ next }) => next), undefined);
      // What is beside it passes.
      csms.sendMessage(2, 'other', 'TriggerMessage', { requestedMessage: 'Heartbeat' });
      assert.match(await charger.next(), /"other"/);
      const [frame] = await gateway.quarantined();
      assert(!String(frame?.['frame']).includes(fresh));
      assert(!gateway.log().includes(fresh));
    });

    test('T2-11: where it is, both hold until the charger has come with the new one', async () => {
      await using it = await connected(version, forward);
      const { charger, csms, gateway } = it;
      csms.sendMessage(2, 'set', ...setPassword(version, fresh));
      assert.match(await charger.next(), new RegExp(fresh));
      charger.sendMessage(3, 'set', answer(version, 'Accepted'));
      assert.deepEqual(await csms.nextMessage(), [3, 'set', answer(version, 'Accepted')]);
      await gateway.event('PasswordChangeAccepted', ({ by }) => by === 'csms');
      await charger.close();
      assert.equal(await gateway.status('CP-1', { password: old, version }), 101);
      await it.nextCsms();
      const password = version === 'ocpp1.6' ? Buffer.from(fresh, 'hex') : fresh;
      const again = await gateway.connect('CP-1', { password, version });
      // The CSMS gets what the charger has sent, byte for byte.
      const { request } = await it.nextCsms();
      const expected = Buffer.concat([Buffer.from('CP-1:'), Buffer.from(password)]);
      assert.equal(request?.headers.authorization, `Basic ${expected.toString('base64')}`);
      await again.close();
      assert.equal(await gateway.status('CP-1', { password: old, version }), 401);
      assert(!gateway.log().includes(fresh));
    });

    test('A01: Rejected keeps the old one, and the new one is worth nothing', async () => {
      await using it = await connected(version, forward);
      const { charger, csms, gateway } = it;
      csms.sendMessage(2, 'set', ...setPassword(version, fresh));
      await charger.next();
      charger.sendMessage(3, 'set', answer(version, 'Rejected'));
      await csms.nextMessage();
      await gateway.event('PasswordChangeFailed', ({ by }) => by === 'csms');
      await charger.close();
      assert.equal(await gateway.status('CP-1', { password: fresh, version }), 401);
      assert.equal(await gateway.status('CP-1', { password: old, version }), 101);
    });

    test('messages of the CSMS keep their order while a password is noted', async () => {
      await using it = await connected(version, forward);
      const { charger, csms } = it;
      csms.sendMessage(2, 'set', ...setPassword(version, fresh));
      for (const id of ['a', 'b']) {
        csms.sendMessage(2, id, 'TriggerMessage', { requestedMessage: 'Heartbeat' });
      }
      const ids: string[] = [];
      for (let count = 0; count < 3; count += 1) {
        const [, id] = await charger.nextMessage();
        ids.push(String(id));
        charger.sendMessage(
          3,
          id,
          id === 'set' ? answer(version, 'Accepted') : { status: 'Accepted' },
        );
        await csms.nextMessage();
      }
      assert.deepEqual(ids, ['set', 'a', 'b']);
    });
  });
}

describe('the CSMS changes a security profile', () => {
  for (const [version, call] of [
    ['ocpp1.6', ['ChangeConfiguration', { key: 'SecurityProfile', value: '1' }]],
    ['ocpp1.6', ['ChangeConfiguration', { key: ' securityprofile', value: '0' }]],
    [
      'ocpp2.0.1',
      [
        'SetVariables',
        {
          setVariableData: [
            {
              attributeValue: 'true',
              component: { name: 'SecurityCtrlr' },
              variable: { name: 'AllowSecurityProfileDowngrade' },
            },
          ],
        },
      ],
    ],
  ] as const) {
    test(`T1-17: ${version}: ${JSON.stringify(call[1]).slice(0, 60)} is refused`, async () => {
      await using it = await connected(version);
      const { charger, csms, gateway } = it;
      csms.sendMessage(2, 'low', ...call);
      assert.deepEqual((await csms.nextMessage()).slice(0, 3), [4, 'low', 'SecurityError']);
      const { code } = await gateway.event('FrameRefused');
      assert.equal(code, 'SECURITY_PROFILE_LOWERED');
      assert.equal(charger.received.length, 0);
    });
  }

  test('T2-05: a raise opens a window that is counted, told, and closed by the first success', async () => {
    await using it = await connected('ocpp1.6', {}, 1);
    const { charger, csms, gateway } = it;
    csms.sendMessage(2, 'up', 'ChangeConfiguration', { key: 'SecurityProfile', value: '2' });
    assert.match(await charger.next(), /SecurityProfile/);
    charger.sendMessage(3, 'up', { status: 'Accepted' });
    await csms.nextMessage();
    await charger.close();
    // Somebody keeps it from its new profile: it falls back.
    for (const count of [1, 2]) {
      assert.equal(await gateway.status('CP-1', { password: old, profile: 1 }), 101);
      await gateway.event(
        'SecurityProfileFallback',
        (it) => it.count === count && it.profile === 1 && it.candidate === 2,
      );
    }
    assert.equal(await gateway.status('CP-1', { password: old, profile: 2 }), 101);
    await gateway.event('SecurityProfileRaised', ({ from, to }) => from === 1 && to === 2);
    assert.equal(await gateway.status('CP-1', { password: old, profile: 1 }), 401);
    await gateway.event('UpgradeRefused', ({ code }) => code === 'SECURITY_PROFILE_TOO_LOW');
  });

  test('T2-05: a raise that the charger rejects opens no window', async () => {
    await using it = await connected('ocpp1.6', {}, 1);
    const { charger, csms, gateway } = it;
    csms.sendMessage(2, 'up', 'ChangeConfiguration', { key: 'SecurityProfile', value: '3' });
    await charger.next();
    charger.sendMessage(3, 'up', { status: 'Rejected' });
    await csms.nextMessage();
    await charger.close();
    assert.equal(await gateway.status('CP-1', { password: old, profile: 1 }), 101);
    assert(!gateway.events.some(({ name }) => name === 'SecurityProfileFallback'));
  });
});

describe('certificates', () => {
  for (const profile of [1, 2]) {
    test(`A00: InstallCertificate ${profile === 1 ? 'is refused' : 'passes'} with security profile ${profile}`, async () => {
      await using it = await connected('ocpp1.6', {}, profile);
      const { charger, csms, gateway } = it;
      csms.sendMessage(2, 'get', 'GetInstalledCertificateIds', {
        certificateType: 'CentralSystemRootCertificate',
      });
      if (profile === 2) {
        assert.match(await charger.next(), /"get"/);
        return;
      }
      assert.deepEqual((await csms.nextMessage()).slice(0, 3), [4, 'get', 'SecurityError']);
      const { code } = await gateway.event('FrameRefused');
      assert.equal(code, 'CERTIFICATE_OPERATION_INSECURE');
    });
  }
});
