import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectCharger } from '../../support/text-peer.ts';
import {
  assertNothingElseToCsms,
  assertRefused,
  type LiveConversation,
  startConversation,
} from './live-conversation.ts';

// Goal: an override holds for exactly the chargers that it names, from the first message that
// tells what a charger is, and nothing else is loosened by it.
// Method: the same departure is sent with and without a matching override, from both sides.

const now = '2026-01-01T00:00:00Z';
const boot = (chargePointVendor: string): string =>
  JSON.stringify([2, 'b', 'BootNotification', { chargePointVendor, chargePointModel: 'M' }]);
const booted = JSON.stringify([3, 'b', { currentTime: now, interval: 60, status: 'Accepted' }]);
/** Hard: a required property is missing. */
const badStart = '[2,"s","StartTransaction",{"connectorId":1,"idTag":"T","meterStart":0}]';
/** Huawei, as reported: an empty vendor where 2.x wants a text, and a null that 1.6 does not know. */
const huaweiBoot =
  '[2,"b","BootNotification",{"chargePointVendor":"","chargePointModel":null,"iccid":""}]';

function overrides(...list: readonly object[]): { readonly changes: { readonly rules: object } } {
  return { changes: { rules: { overrides: list } } };
}

async function assertPasses({ charger, csms }: LiveConversation, text: string): Promise<void> {
  charger.send(text);
  assert.equal(await csms.next(), text);
}

function countOf({ gateway }: LiveConversation, name: string): number {
  return gateway.events.filter((event) => event.name === name).length;
}

describe('overrides', { timeout: 20_000 }, () => {
  test('P3: by vendor, from the first BootNotification on', async () => {
    await using conversation = await startConversation(
      overrides({ match: { vendor: 'Huawei*' }, rule: 'payload', mode: 'monitor' }),
    );
    const { charger, csms, version } = conversation;
    // Nobody knows yet what it is.
    charger.send(badStart);
    await assertRefused(charger, version, 's', 'PAYLOAD_MISSING');
    // The BootNotification that names the vendor is judged by the override already.
    const badBoot = '[2,"b","BootNotification",{"chargePointVendor":"Huawei Digital"}]';
    await assertPasses(conversation, badBoot);
    csms.send(booted);
    await charger.next();
    await assertPasses(conversation, badStart);
    assert.equal(countOf(conversation, 'FrameFlagged'), 2);
  });

  test('P3: the twin of another vendor stays refused', async () => {
    await using conversation = await startConversation(
      overrides({ match: { vendor: 'Huawei*' }, rule: 'payload', mode: 'monitor' }),
    );
    const { charger, csms, version } = conversation;
    await assertPasses(conversation, boot('NotHuawei'));
    csms.send(booted);
    await charger.next();
    charger.send(badStart);
    await assertRefused(charger, version, 's', 'PAYLOAD_MISSING');
  });

  test('P3: a vendor that is an empty text passes with an override by charger', async () => {
    await using without = await startConversation();
    without.charger.send(huaweiBoot);
    await assertRefused(without.charger, 'ocpp1.6', 'b', 'PAYLOAD_TYPE');
    await using conversation = await startConversation(
      overrides({ match: { charger: 'cp-*' }, rule: 'payload', mode: 'monitor' }),
    );
    await assertPasses(conversation, huaweiBoot);
  });

  test('C16: after a reconnect without BootNotification the vendor is still known', async () => {
    await using conversation = await startConversation(
      overrides({ match: { vendor: 'Huawei*' }, rule: 'payload', mode: 'off' }),
    );
    const { charger, csms, gateway, server } = conversation;
    await assertPasses(conversation, boot('Huawei'));
    csms.send(booted);
    await charger.next();
    charger.socket.terminate();
    await gateway.event('SessionClosed');

    const again = await connectCharger(gateway.url('CP-1'));
    const upstream = await server.nextConnection();
    again.send(badStart);
    assert.equal(await upstream.next(), badStart);
    // Another charger inherits nothing.
    const other = await connectCharger(gateway.url('CP-2'));
    await server.nextConnection();
    other.send(badStart);
    await assertRefused(other, 'ocpp1.6', 's', 'PAYLOAD_MISSING');
    await again.close();
    await other.close();
  });

  test('a charger that describes itself anew falls under other overrides at once', async () => {
    await using conversation = await startConversation(
      overrides({ match: { vendor: 'Lenient' }, rule: 'payload', mode: 'monitor' }),
    );
    const { charger, csms, version } = conversation;
    for (const vendor of ['Lenient', 'Other']) {
      await assertPasses(conversation, boot(vendor));
      csms.send(booted);
      await charger.next();
      if (vendor === 'Lenient') {
        await assertPasses(conversation, badStart);
        csms.sendMessage(3, 's', { transactionId: 1, idTagInfo: { status: 'Accepted' } });
        await charger.next();
      }
    }
    charger.send(badStart);
    await assertRefused(charger, version, 's', 'PAYLOAD_MISSING');
  });

  test('what the operator wrote down counts for more than what the charger says', async () => {
    await using conversation = await startConversation({
      changes: {
        rules: { overrides: [{ match: { vendor: 'Trusted' }, rule: 'payload', mode: 'off' }] },
        chargers: { unknown: 'enroll', records: [{ id: 'CP-1', vendor: 'Suspect' }] },
      },
    });
    const { charger, csms, version } = conversation;
    await assertPasses(conversation, boot('Trusted'));
    csms.send(booted);
    await charger.next();
    charger.send(badStart);
    await assertRefused(charger, version, 's', 'PAYLOAD_MISSING');
  });

  for (const [what, match] of [
    ['charger', { charger: 'CP-1' }],
    ['charger, in another case', { charger: 'cp-1' }],
    ['listener', { listener: 'field' }],
    ['both', { listener: 'f*', charger: 'CP-?' }],
  ] as const) {
    test(`by ${what}: ${JSON.stringify(match)}`, async () => {
      await using conversation = await startConversation(
        overrides({ match, rule: 'payload', mode: 'monitor' }),
      );
      if (what === 'both') {
        // A question mark is no wildcard, so not all that is given matches.
        conversation.charger.send(badStart);
        await assertRefused(conversation.charger, 'ocpp1.6', 's', 'PAYLOAD_MISSING');
      } else {
        await assertPasses(conversation, badStart);
      }
    });
  }

  test('off is silent, monitor records, enforce refuses even what standard lets pass', async () => {
    // Soft: standard lets it pass from a charger.
    const soft = '[2,"1","Heartbeat",{"extra":1}]';
    for (const [mode, flagged] of [
      ['off', 0],
      ['monitor', 1],
    ] as const) {
      await using conversation = await startConversation(
        overrides({ match: { charger: '*' }, rule: 'payload', mode }),
      );
      await assertPasses(conversation, soft);
      const ofPayload = conversation.gateway.events.filter(
        (event) => event.name === 'FrameFlagged' && event.rule === 'payload',
      );
      assert.equal(ofPayload.length, flagged);
    }
    await using conversation = await startConversation(
      overrides({ match: { charger: '*' }, rule: 'payload', mode: 'enforce' }),
    );
    conversation.charger.send(soft);
    await assertRefused(conversation.charger, 'ocpp1.6', '1', 'PAYLOAD_EXTRA');
    await assertNothingElseToCsms(conversation);
  });

  test('from: an override for one side leaves the other as it was', async () => {
    await using conversation = await startConversation(
      overrides({ match: { charger: '*' }, rule: 'direction', mode: 'monitor', from: 'charger' }),
    );
    const { csms, version } = conversation;
    await assertPasses(conversation, '[2,"r","Reset",{"type":"Soft"}]');
    csms.send('[2,"h","Heartbeat",{}]');
    await assertRefused(csms, version, 'h', 'DIRECTION_WRONG_SENDER');
  });

  test('later overrides win', async () => {
    await using conversation = await startConversation(
      overrides(
        { match: { charger: '*' }, rule: 'payload', mode: 'off' },
        { match: { charger: 'CP-1' }, rule: 'payload', mode: 'enforce' },
      ),
    );
    conversation.charger.send(badStart);
    await assertRefused(conversation.charger, 'ocpp1.6', 's', 'PAYLOAD_MISSING');
  });
});
