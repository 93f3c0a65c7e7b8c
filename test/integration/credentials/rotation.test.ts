import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChargerId } from '../../../src/chargers/charger-id.ts';
import { requestRotation, setPassword } from '../../../src/chargers/credentials.ts';
import { lockRegistry } from '../../../src/chargers/registry-changes.ts';
import { hashPassword } from '../../../src/identity/password-hash.ts';
import { type CredentialGateway, connectWithPassword } from '../../support/credential-gateway.ts';
import type { TextPeer } from '../../support/text-peer.ts';

// Goal: a password is replaced while charger and CSMS go on; neither of them can tell, and the old
// one holds until the new one has been used.
// Method: a charger and a CSMS by hand, and a request for a new password as the command line makes it.

const old = 'the-old-password-1';

const connected = (profile = 2) => connectWithPassword(old, { profile });

const request = (gateway: CredentialGateway): Promise<void> =>
  gateway.inStore((store) =>
    store.transact(async (db) => {
      await lockRegistry(db);
      await requestRotation(db, 'CP-1' as ChargerId, store.nowMs());
    }),
  );

async function takeNewPassword(
  charger: TextPeer,
): Promise<{ readonly callId: string; readonly digits: string }> {
  const [typeId, callId, action, payload] = await charger.nextMessage();
  assert.deepEqual([typeId, action], [2, 'ChangeConfiguration']);
  const { key, value } = payload as { readonly key: string; readonly value: string };
  assert.equal(key, 'AuthorizationKey');
  return { callId: String(callId), digits: value };
}

describe('rotation', () => {
  test('A01: asked for, a new password is given, and the old one holds until it is used', async () => {
    await using it = await connected();
    const { charger, csms, gateway } = it;
    await request(gateway);
    const { callId, digits } = await takeNewPassword(charger);
    charger.sendMessage(3, callId, { status: 'Accepted' });
    await gateway.event('PasswordChangeAccepted');
    // The CSMS has asked for nothing, and is told nothing; its own calls go on.
    csms.sendMessage(2, 'mine', 'TriggerMessage', { requestedMessage: 'Heartbeat' });
    assert.match(await charger.next(), /"mine"/);
    charger.sendMessage(3, 'mine', { status: 'Accepted' });
    assert.deepEqual(await csms.nextMessage(), [3, 'mine', { status: 'Accepted' }]);
    assert.equal(csms.received.length, 1);
    await charger.close();

    const late = await gateway.connect('CP-1', { password: old });
    await gateway.event('PasswordOldUsed');
    await late.close();
    const key = Buffer.from(digits, 'hex');
    assert.equal(await gateway.status('CP-1', { password: key }), 101);
    await gateway.event('PasswordChangeConfirmed');
    assert.equal(await gateway.status('CP-1', { password: old }), 401);
    // C10: many chargers send the digits themselves.
    for (const password of [digits, digits.toUpperCase()]) {
      assert.equal(await gateway.status('CP-1', { password }), 101);
    }
    const { rotationOutcome, rotationRequestedAtMs } = await gateway.credentialOf('CP-1');
    assert.equal(rotationOutcome?.outcome, 'confirmed');
    assert.equal(rotationRequestedAtMs, undefined);
  });

  test('a call of the gateway waits for the open call of the CSMS, as OCPP demands', async () => {
    await using it = await connected();
    const { charger, csms, gateway } = it;
    csms.sendMessage(2, 'first', 'TriggerMessage', { requestedMessage: 'Heartbeat' });
    assert.match(await charger.next(), /"first"/);
    await request(gateway);
    await gateway.event('PasswordChangeSent');
    csms.sendMessage(2, 'third', 'TriggerMessage', { requestedMessage: 'Heartbeat' });
    assert.equal(charger.received.length, 1);
    charger.sendMessage(3, 'first', { status: 'Accepted' });
    const { callId } = await takeNewPassword(charger);
    assert.equal(charger.received.length, 2);
    charger.sendMessage(3, callId, { status: 'Accepted' });
    assert.match(await charger.next(), /"third"/);
  });

  for (const [name, reply, outcome] of [
    ['Rejected', [3, { status: 'Rejected' }], 'rejected'],
    ['NotSupported', [3, { status: 'NotSupported' }], 'not-supported'],
    ['a CallError', [4, 'InternalError', '', {}], 'rejected'],
    ['NotImplemented', [4, 'NotImplemented', '', {}], 'not-supported'],
  ] as const) {
    test(`A01: ${name} keeps the old password`, async () => {
      await using it = await connected();
      const { charger, csms, gateway } = it;
      await request(gateway);
      const { callId, digits } = await takeNewPassword(charger);
      const [typeId, ...rest] = reply;
      charger.sendMessage(typeId, callId, ...rest);
      const failed = await gateway.event('PasswordChangeFailed');
      assert.equal(failed.outcome, outcome);
      assert.equal(csms.received.length, 0);
      await charger.close();
      assert.equal(await gateway.status('CP-1', { password: Buffer.from(digits, 'hex') }), 401);
      assert.equal(await gateway.status('CP-1', { password: old }), 101);
    });
  }

  test('RebootRequired counts as accepted: the charger has it when it comes again', async () => {
    await using it = await connected();
    const { charger, gateway } = it;
    await request(gateway);
    const { callId, digits } = await takeNewPassword(charger);
    charger.sendMessage(3, callId, { status: 'RebootRequired' });
    await gateway.event('PasswordChangeAccepted');
    await charger.close();
    assert.equal(await gateway.status('CP-1', { password: Buffer.from(digits, 'hex') }), 101);
  });

  test('a password is not sent without TLS', async () => {
    await using it = await connected(1);
    const { charger, gateway } = it;
    await request(gateway);
    const { outcome } = await gateway.event('PasswordChangeFailed');
    assert.equal(outcome, 'not-over-tls');
    assert.equal(charger.received.length, 0);
  });

  test('what is asked for while the charger is away is done when it comes', async () => {
    await using it = await connected();
    const { charger, gateway } = it;
    await charger.close();
    await request(gateway);
    const again = await gateway.connect('CP-1', { password: old });
    const { callId, digits } = await takeNewPassword(again);
    again.sendMessage(3, callId, { status: 'Accepted' });
    await gateway.event('PasswordChangeAccepted');
    await again.close();
    assert.equal(await gateway.status('CP-1', { password: Buffer.from(digits, 'hex') }), 101);
  });

  test('a password that is older than rotateDays is replaced without being asked for', async () => {
    await using it = await connectWithPassword(old, {
      changes: { credentials: { rotateDays: 30 } },
    });
    const { charger, gateway } = it;
    await gateway.inStore(async (store) => {
      const hash = await hashPassword(Buffer.from(old));
      const longAgoMs = store.nowMs() - 31 * 86_400_000;
      await store.transact(async (db) => {
        await lockRegistry(db);
        await setPassword(db, 'CP-1' as ChargerId, { hash, origin: 'operator' }, longAgoMs);
      });
    });
    // Its connection is by the password that was replaced; the next one is by the old one.
    await charger.closed;
    const again = await gateway.connect('CP-1', { password: old });
    const { callId, digits } = await takeNewPassword(again);
    again.sendMessage(3, callId, { status: 'Accepted' });
    await gateway.event('PasswordChangeAccepted');
    await again.close();
    assert.equal(await gateway.status('CP-1', { password: Buffer.from(digits, 'hex') }), 101);
  });

  test('a charger whose password is taken away is disconnected', async () => {
    await using it = await connected();
    const { charger, gateway } = it;
    await gateway.inStore(async (store) => {
      const hash = await hashPassword(Buffer.from('another-password-2'));
      await store.transact(async (db) => {
        await lockRegistry(db);
        await setPassword(db, 'CP-1' as ChargerId, { hash, origin: 'operator' }, store.nowMs());
      });
    });
    assert.equal((await charger.closed).code, 1008);
    await gateway.event('SessionClosed', ({ code }) => code === 'CREDENTIAL_REVOKED');
    assert.equal(await gateway.status('CP-1', { password: old }), 401);
    assert.equal(await gateway.status('CP-1', { password: 'another-password-2' }), 101);
  });

  test('A01: a charger that has accepted one password gets no other before it has used it', async () => {
    await using it = await connected();
    const { charger, gateway } = it;
    await request(gateway);
    const { callId, digits } = await takeNewPassword(charger);
    charger.sendMessage(3, callId, { status: 'RebootRequired' });
    await gateway.event('PasswordChangeAccepted');
    await charger.close();
    const again = await gateway.connect('CP-1', { password: old });
    await request(gateway);
    await gateway.event('PasswordChangeFailed', ({ outcome }) => outcome === 'pending');
    assert.equal(again.received.length, 0);
    await again.close();
    assert.equal(await gateway.status('CP-1', { password: Buffer.from(digits, 'hex') }), 101);
  });

  test('A01: a password that was never sent leaves the one that was sent before it', async () => {
    await using it = await connected();
    const { charger, csms, gateway } = it;
    await request(gateway);
    const { callId, digits } = await takeNewPassword(charger);
    charger.socket.terminate();
    await gateway.event('PasswordChangeFailed', ({ outcome }) => outcome === 'unanswered');
    await csms.closed;
    assert.notEqual(callId, '');

    const again = await gateway.connect('CP-1', { password: old });
    const upstream = await it.nextCsms();
    upstream.sendMessage(2, 'open', 'TriggerMessage', { requestedMessage: 'Heartbeat' });
    assert.match(await again.next(), /"open"/);
    // It waits behind the open call, and the connection ends before its turn.
    await request(gateway);
    await gateway.event('PasswordChangeSent', (event) => gateway.events.indexOf(event) > 0);
    const sent = () => gateway.events.filter(({ name }) => name === 'PasswordChangeSent').length;
    while (sent() < 2) await gateway.credentialOf('CP-1');
    again.socket.terminate();
    await gateway.event('PasswordChangeFailed', ({ outcome }) => outcome === 'unsent');
    assert.equal(await gateway.status('CP-1', { password: Buffer.from(digits, 'hex') }), 101);
  });
});
