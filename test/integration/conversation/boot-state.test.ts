import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OcppVersion, ocppVersions } from '../../../src/ocpp/version.ts';
import { samplePayload } from '../../support/sample-payload.ts';
import { connectCharger, type TextPeer } from '../../support/text-peer.ts';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  assertRefused,
  boot,
  type LiveConversation,
  refusalText,
  startConversation,
} from './live-conversation.ts';

// Goal: a charger that the CSMS has not accepted does nothing but what the versions allow; and one
// that it has accepted, or that nobody has seen boot, works.
// Method: a hand-driven charger and CSMS around a real gateway; the CSMS answers BootNotification
// with each status, and both sides then send what is allowed and what is not.

const names = {
  'ocpp1.6': { start: 'RemoteStartTransaction', stop: 'RemoteStopTransaction' },
  'ocpp2.0.1': { start: 'RequestStartTransaction', stop: 'RequestStopTransaction' },
  'ocpp2.1': { start: 'RequestStartTransaction', stop: 'RequestStopTransaction' },
} as const satisfies Readonly<Record<OcppVersion, object>>;

let calls = 0;

/** A call with a sample payload, as text, and its id. */
function callOf(version: OcppVersion, action: string, payload?: object): readonly [string, string] {
  calls += 1;
  const id = `call-${calls}`;
  const sample = payload ?? samplePayload(version, action, 'request', 'minimal');
  return [JSON.stringify([2, id, action, sample]), id];
}

/** `from` sends a call, `to` gets it and answers, and `from` gets the answer. */
async function exchange(
  version: OcppVersion,
  [from, to]: readonly [TextPeer, TextPeer],
  action: string,
  payload?: object,
): Promise<void> {
  const [call, id] = callOf(version, action, payload);
  from.send(call);
  assert.equal(await to.next(), call);
  const sample = samplePayload(version, action, 'response', 'minimal');
  const answer = JSON.stringify([3, id, sample]);
  to.send(answer);
  assert.equal(await from.next(), answer);
}

function codes({ gateway }: LiveConversation, name: 'FrameFlagged' | 'FrameRefused') {
  return gateway.events.flatMap((event) =>
    event.name === name ? [`${event.from} ${event.code} ${event.action}`] : [],
  );
}

describe('a charger that is not accepted', { timeout: 40_000 }, () => {
  for (const version of ocppVersions) {
    for (const status of ['Pending', 'Rejected'] as const) {
      test(`T2-19, C20: ${version}: ${status}, then Accepted`, async () => {
        await using conversation = await startConversation({ version });
        const { charger, csms } = conversation;
        const up = [charger, csms] as const;
        const down = [csms, charger] as const;
        const { start, stop } = names[version];
        await boot(charger, csms, version, status);

        const [readings, readingsId] = callOf(version, 'MeterValues');
        charger.send(readings);
        await assertRefused(charger, version, readingsId, 'BOOT_NOT_ACCEPTED');
        const text = refusalText(version, readingsId, 'BOOT_NOT_ACCEPTED');
        assert.equal(JSON.parse(text)[2], 'SecurityError');

        // What it may always send.
        await exchange(version, up, 'SecurityEventNotification');
        // What it was asked for, and nothing else for that.
        await exchange(version, down, 'TriggerMessage', { requestedMessage: 'MeterValues' });
        await exchange(version, up, 'MeterValues');
        const [early, earlyId] = callOf(version, 'Authorize');
        charger.send(early);
        await assertRefused(charger, version, earlyId, 'BOOT_NOT_ACCEPTED');
        // The end of a transaction, which happens whether anybody allows it or not.
        if (version === 'ocpp1.6') await exchange(version, up, 'StopTransaction');

        // The CSMS may stop, and may not start.
        const [command, commandId] = callOf(version, start);
        csms.send(command);
        await assertRefused(csms, version, commandId, 'BOOT_NOT_ACCEPTED');
        await exchange(version, down, stop);
        await assertNothingElseToCharger(conversation);
        assert.deepEqual(codes(conversation, 'FrameRefused'), [
          'charger BOOT_NOT_ACCEPTED MeterValues',
          'charger BOOT_NOT_ACCEPTED Authorize',
          `csms BOOT_NOT_ACCEPTED ${start}`,
        ]);

        await boot(charger, csms, version, 'Accepted');
        await exchange(version, up, 'MeterValues');
        await exchange(version, up, 'Authorize');
        await exchange(version, down, start);
        await assertNothingElseToCsms(conversation);
        await assertNothingElseToCharger(conversation, 'sentinel-2');
        assert.equal(codes(conversation, 'FrameRefused').length, 3);
      });
    }
  }

  test('T2-19: what was asked for before it was accepted is not asked for when it is not again', async () => {
    await using conversation = await startConversation();
    const { charger, csms, version } = conversation;
    await boot(charger, csms, version, 'Pending');
    const trigger = { requestedMessage: 'Heartbeat' };
    await exchange(version, [csms, charger], 'TriggerMessage', trigger);
    await boot(charger, csms, version, 'Accepted');
    charger.forgetTaken();
    csms.forgetTaken();
    const rejected = JSON.stringify([2, 'again', 'BootNotification', payloadOfBoot]);
    charger.send(rejected);
    assert.equal(await csms.next(), rejected);
    csms.sendMessage(3, 'again', {
      status: 'Rejected',
      currentTime: '2026-01-01T00:00:00Z',
      interval: 1,
    });
    await charger.next();
    const [call, id] = callOf(version, 'Heartbeat');
    charger.send(call);
    await assertRefused(charger, version, id, 'BOOT_NOT_ACCEPTED');
  });

  test('T2-19: a reply that answers nothing accepts nobody, whoever sends it', async () => {
    await using conversation = await startConversation();
    const { charger, csms, version } = conversation;
    await boot(charger, csms, version, 'Pending');
    // Nor does the charger accept itself.
    charger.sendMessage(3, 'boot-Pending', { status: 'Accepted' });
    csms.sendMessage(3, 'boot-Pending', { status: 'Accepted', currentTime: 'x', interval: 1 });
    const [call, id] = callOf(version, 'Heartbeat');
    charger.send(call);
    await assertRefused(charger, version, id, 'BOOT_NOT_ACCEPTED');
  });
});

const payloadOfBoot = { chargePointVendor: 'Gatewatt', chargePointModel: 'Test' };

describe('a charger that nobody has seen boot', { timeout: 40_000 }, () => {
  for (const version of ocppVersions) {
    test(`C16: ${version}, standard: passes with a flag, until the CSMS has answered it`, async () => {
      await using conversation = await startConversation({ version });
      const { charger, csms } = conversation;
      await exchange(version, [csms, charger], names[version].start);
      await exchange(version, [charger, csms], 'MeterValues');
      await exchange(version, [charger, csms], 'MeterValues');
      await assertNothingElseToCsms(conversation);
      assert.deepEqual(codes(conversation, 'FrameFlagged'), [
        'charger BOOT_NOT_ACCEPTED MeterValues',
      ]);
      assert.deepEqual(codes(conversation, 'FrameRefused'), []);
    });

    test(`T2-19: ${version}, strict: is refused until it is accepted`, async () => {
      const changes = { rules: { preset: 'strict' } };
      await using conversation = await startConversation({ version, changes });
      const { gateway, server } = conversation;
      const charger = await connectCharger(gateway.url('CP-2'), [version]);
      const csms = await server.nextConnection();
      const [call, id] = callOf(version, 'MeterValues');
      charger.send(call);
      await assertRefused(charger, version, id, 'BOOT_NOT_ACCEPTED');
      await boot(charger, csms, version);
      await exchange(version, [charger, csms], 'MeterValues');
      assert.equal(csms.received.length, 2);
      await charger.close();
    });
  }

  test('C16: a CSMS that refuses it with SecurityError is believed: it is flagged from then on', async () => {
    await using conversation = await startConversation();
    const { charger, csms, version } = conversation;
    for (const flags of [1, 2]) {
      const [call, id] = callOf(version, 'MeterValues');
      charger.send(call);
      assert.equal(await csms.next(), call);
      csms.sendMessage(4, id, 'SecurityError', '', {});
      await charger.next();
      assert.equal(codes(conversation, 'FrameFlagged').length, flags);
    }
  });
});
