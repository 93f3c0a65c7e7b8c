import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type OcppVersion, ocppVersions } from '../../../src/ocpp/version.ts';
import {
  type CredentialGateway,
  startCredentialGateway,
} from '../../support/credential-gateway.ts';
import { type HandCsms, startHandCsms, type TextPeer } from '../../support/text-peer.ts';

// Goal: a new charger gets in with the default password of its batch once, for a password of its own
// and nothing else; whatever goes wrong on the way, it can come again.
// Method: chargers by hand against a live gateway over TLS, in every version, along each way that the
// change can go.

const factory = 'factory-default-0001';

async function setUp(): Promise<{
  readonly csms: HandCsms;
  readonly gateway: CredentialGateway;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const csms = await startHandCsms();
  const gateway = await startCredentialGateway(csms.url, {
    changes: { chargers: { records: [{ id: 'NEW-*' }] } },
    prepare: async (files) => {
      const passwordFile = path.join(files, 'default.txt');
      await writeFile(passwordFile, `${factory}\n`);
      return { credentials: { batches: [{ name: 'spring', chargers: ['NEW-*'], passwordFile }] } };
    },
  }).catch(async (error: unknown) => {
    await csms.close();
    throw error;
  });
  return {
    csms,
    gateway,
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await csms.close();
    },
  };
}

const bootPayloads: Readonly<Record<OcppVersion, object>> = {
  'ocpp1.6': { chargePointVendor: 'V', chargePointModel: 'M' },
  'ocpp2.0.1': { reason: 'PowerUp', chargingStation: { vendorName: 'V', model: 'M' } },
  'ocpp2.1': { reason: 'PowerUp', chargingStation: { vendorName: 'V', model: 'M' } },
};

/** Boots, is told to wait, and waits for its new password. */
async function askForPassword(
  charger: TextPeer,
  version: OcppVersion,
): Promise<{ readonly callId: string; readonly digits: string }> {
  charger.sendMessage(2, 'boot', 'BootNotification', bootPayloads[version]);
  const [typeId, id, answer] = await charger.nextMessage();
  assert.deepEqual([typeId, id], [3, 'boot']);
  assert.equal((answer as { readonly status: string }).status, 'Pending');
  const [, callId, action, payload] = await charger.nextMessage();
  const value =
    version === 'ocpp1.6'
      ? (payload as { readonly value: string }).value
      : (payload as { readonly setVariableData: readonly { readonly attributeValue: string }[] })
          .setVariableData[0]?.attributeValue;
  assert.equal(action, version === 'ocpp1.6' ? 'ChangeConfiguration' : 'SetVariables');
  assert.match(String(value), /^[0-9a-f]{40}$/);
  return { callId: String(callId), digits: String(value) };
}

function answerTo(version: OcppVersion, status: string): object {
  if (version === 'ocpp1.6') return { status };
  const names = { component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } };
  return { setVariableResult: [{ attributeStatus: status, ...names }] };
}

/** A charger that was cut off may find its old connection for a moment. */
async function untilFree(connect: () => Promise<number>): Promise<number> {
  for (;;) {
    const status = await connect();
    if (status !== 409) return status;
  }
}

for (const version of ocppVersions) {
  describe(`commissioning, ${version}`, () => {
    test('A00: a default password leads to one of its own, and then holds no more', async () => {
      await using it = await setUp();
      const { csms, gateway } = it;
      const charger = await gateway.connect('NEW-1', { password: factory, version });
      const opened = await gateway.event('SessionOpened');
      assert.equal(opened.restriction, 'default-password');
      const { callId, digits } = await askForPassword(charger, version);
      charger.sendMessage(3, callId, answerTo(version, 'Accepted'));
      await gateway.event('PasswordChangeAccepted');
      await charger.close();
      await gateway.event('SessionClosed');
      assert.equal(csms.connections.length, 0, 'the CSMS heard of it');

      const password = version === 'ocpp1.6' ? Buffer.from(digits, 'hex') : digits;
      const own = await gateway.connect('NEW-1', { password, version });
      await gateway.event('PasswordChangeConfirmed');
      const upstream = await csms.nextConnection();
      own.sendMessage(2, 'boot', 'BootNotification', bootPayloads[version]);
      assert.match(await upstream.next(), /BootNotification/);
      await own.close();

      assert.equal(await gateway.status('NEW-1', { password: factory, version }), 401);
      await gateway.event('UpgradeRefused', ({ code }) => code === 'DEFAULT_PASSWORD_RETIRED');
      const { isDefaultRetired, next, password: stored } = await gateway.credentialOf('NEW-1');
      assert.equal(isDefaultRetired, true);
      assert.equal(next, undefined);
      assert.equal(stored?.origin, 'provisioned');
      assert.equal(stored?.form, version === 'ocpp1.6' ? 'raw' : 'hex');
      for (const secret of [factory, digits]) assert(!gateway.log().includes(secret));
    });

    for (const status of ['Rejected', 'NotSupported'] as const) {
      // SetVariables of 2.x says it in other words.
      const word = version === 'ocpp1.6' || status === 'Rejected' ? status : 'UnknownVariable';

      test(`A01: ${word} keeps the default, and says so`, async () => {
        await using it = await setUp();
        const { csms, gateway } = it;
        const charger = await gateway.connect('NEW-1', { password: factory, version });
        const { callId, digits } = await askForPassword(charger, version);
        charger.sendMessage(3, callId, answerTo(version, word));
        const { outcome } = await gateway.event('PasswordChangeFailed');
        assert.equal(outcome, status === 'Rejected' ? 'rejected' : 'not-supported');
        await charger.close();
        assert.equal(await gateway.status('NEW-1', { password: digits, version }), 401);
        assert.equal(await gateway.status('NEW-1', { password: factory, version }), 101);
        const { isDefaultRetired, rotationOutcome } = await gateway.credentialOf('NEW-1');
        assert.equal(isDefaultRetired, false);
        assert.equal(rotationOutcome?.outcome, outcome);
        assert.equal(csms.connections.length, 0);
      });
    }

    test('A01: a charger that vanishes before it has answered gets in with either', async () => {
      await using it = await setUp();
      const { gateway } = it;
      const charger = await gateway.connect('NEW-1', { password: factory, version });
      const { digits } = await askForPassword(charger, version);
      charger.socket.terminate();
      const { outcome } = await gateway.event('PasswordChangeFailed');
      assert.equal(outcome, 'unanswered');
      await gateway.event('SessionClosed');
      const again = await gateway.connect('NEW-1', { password: factory, version });
      await again.close();
      await gateway.event('SessionClosed', ({ durationSeconds }) => durationSeconds >= 0);
      assert.equal(await gateway.status('NEW-1', { password: digits, version }), 101);
      assert.equal(await gateway.status('NEW-1', { password: factory, version }), 401);
    });
  });
}

describe('commissioning', () => {
  test('nothing but what leads to a password is answered', async () => {
    await using it = await setUp();
    const { csms, gateway } = it;
    const charger = await gateway.connect('NEW-1', { password: factory });
    for (const [action, payload] of [
      ['Authorize', { idTag: 'TAG' }],
      [
        'StartTransaction',
        { connectorId: 1, idTag: 'T', meterStart: 0, timestamp: '2026-01-01T00:00:00Z' },
      ],
      ['StopTransaction', { transactionId: 7, meterStop: 1, timestamp: '2026-01-01T00:00:00Z' }],
    ] as const) {
      charger.sendMessage(2, action, action, payload);
      const [typeId, id, code] = await charger.nextMessage();
      assert.deepEqual([typeId, id, code], [4, action, 'SecurityError']);
    }
    charger.sendMessage(2, 'beat', 'Heartbeat', {});
    assert.deepEqual((await charger.nextMessage()).slice(0, 2), [3, 'beat']);
    await charger.close();
    assert.equal(csms.connections.length, 0);
  });

  test('without TLS a default password is refused, and nothing secret is sent', async () => {
    await using it = await setUp();
    const { gateway } = it;
    assert.equal(await gateway.status('NEW-1', { password: factory, profile: 1 }), 401);
    await gateway.event('UpgradeRefused', ({ code }) => code === 'DEFAULT_PASSWORD_INSECURE');
  });

  test('the default of a batch is none for other chargers', async () => {
    await using it = await setUp();
    const { gateway } = it;
    await gateway.add('OLD-1');
    assert.equal(await gateway.status('OLD-1', { password: factory }), 401);
    await gateway.event('UpgradeRefused', ({ code }) => code === 'PASSWORD_NOT_SET');
    assert.equal(await gateway.status('STRANGER', { password: factory }), 401);
    await gateway.event('UpgradeRefused', ({ code }) => code === 'IDENTITY_UNKNOWN');
  });

  test('a charger that must boot first is told to, and gets no second password', async () => {
    await using it = await setUp();
    const { gateway } = it;
    const charger = await gateway.connect('NEW-1', { password: factory });
    const { callId, digits } = await askForPassword(charger, 'ocpp1.6');
    charger.sendMessage(3, callId, answerTo('ocpp1.6', 'RebootRequired'));
    const [, , action, payload] = await charger.nextMessage();
    assert.deepEqual([action, payload], ['Reset', { type: 'Soft' }]);
    charger.socket.terminate();
    await gateway.event('SessionClosed');
    // It comes before it has booted: the same again, and the password stays what it is.
    const early = await gateway.connect('NEW-1', { password: factory });
    early.sendMessage(2, 'boot', 'BootNotification', bootPayloads['ocpp1.6']);
    assert.deepEqual((await early.nextMessage()).slice(0, 2), [3, 'boot']);
    assert.equal((await early.nextMessage())[2], 'Reset');
    early.socket.terminate();
    await gateway.event('PasswordChangeFailed', ({ outcome }) => outcome === 'pending');
    const key = Buffer.from(digits, 'hex');
    assert.equal(await untilFree(() => gateway.status('NEW-1', { password: key })), 101);
  });

  test('a password that an operator sets ends a connection with the default, and holds', async () => {
    await using it = await setUp();
    const { gateway } = it;
    const impostor = await gateway.connect('NEW-1', { password: factory });
    await gateway.add('NEW-1', 'what-the-operator-says');
    assert.equal((await impostor.closed).code, 1008);
    await gateway.event('SessionClosed', ({ code }) => code === 'CREDENTIAL_REVOKED');
    assert.equal(await gateway.status('NEW-1', { password: 'what-the-operator-says' }), 101);
    assert.equal(await gateway.status('NEW-1', { password: factory }), 401);
  });

  test('T2-04: who has shown nothing does not keep out who has', async () => {
    await using it = await setUp();
    const { csms, gateway } = it;
    await gateway.add('CP-9', 'the-password-of-cp-9');
    const squatter = await gateway.connect('CP-9', { profile: 0 });
    await csms.nextConnection();
    const charger = await gateway.connect('CP-9', { password: 'the-password-of-cp-9' });
    assert.equal((await squatter.closed).code, 1001);
    // And among those who have, the older one is asked.
    const shown = { password: 'the-password-of-cp-9' };
    assert.equal(await gateway.status('CP-9', shown), 409);
    await charger.close();
  });

  test('the default password is in no table of the store', async () => {
    await using it = await setUp();
    const { gateway } = it;
    const charger = await gateway.connect('NEW-1', { password: factory });
    const { callId, digits } = await askForPassword(charger, 'ocpp1.6');
    charger.sendMessage(3, callId, answerTo('ocpp1.6', 'Accepted'));
    await gateway.event('PasswordChangeAccepted');
    await charger.close();
    await gateway.stop();
    const file = await readFile(path.join(gateway.dataDirectory, 'gatewatt.sqlite'));
    for (const secret of [factory, digits, Buffer.from(digits, 'hex')]) {
      assert.equal(file.includes(secret), false);
    }
  });
});
