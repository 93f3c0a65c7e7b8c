import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertNothingElseToCharger,
  assertNothingElseToCsms,
  startConversation,
} from './live-conversation.ts';

// Goal: each refused message is kept whole, with the reason; what merely watches keeps nothing.
// Method: one refused message for each rule, and then the records on disk.

/** What is sent, by whom, and what the record must say. */
const refused = [
  ['charger', '[2,"1","Heartbeat",[1]]', 'format', 'FORMAT_FRAME', 'call-error', 'hard'],
  ['charger', 'no JSON at all', 'format', 'FORMAT_JSON', 'drop', 'hard'],
  [
    'charger',
    '[2,"2","Reset",{"type":"Soft"}]',
    'direction',
    'DIRECTION_WRONG_SENDER',
    'call-error',
    'hard',
  ],
  ['charger', '[3,"3",{}]', 'message-id', 'MATCH_UNSOLICITED', 'drop', 'hard'],
  [
    'charger',
    '[2,"4","Authorize",{ "idTag" : {} }]',
    'payload',
    'PAYLOAD_TYPE',
    'call-error',
    'hard',
  ],
  [
    'csms',
    '[2,"5","Reset",{"type":"Soft","x":1}]',
    'payload',
    'PAYLOAD_EXTRA',
    'call-error',
    'soft',
  ],
  [
    'csms',
    '[2,"6","UpdateFirmware",{"location":"https://f.example/1","retrieveDate":"2026-01-01T00:00:00Z"}]',
    'secure-firmware',
    'FIRMWARE_UNSIGNED',
    'call-error',
    'hard',
  ],
] as const;

describe('quarantine', { timeout: 20_000 }, () => {
  test('every refused message is kept with its rule, code and penalty', async () => {
    await using conversation = await startConversation();
    const { gateway } = conversation;
    for (const [index, [from, text]] of refused.entries()) {
      conversation[from].send(text);
      await gateway.event(
        'FrameRefused',
        () => gateway.events.filter(({ name }) => name === 'FrameRefused').length === index + 1,
      );
    }
    await gateway.stop();
    const records = await gateway.quarantined();
    assert.deepEqual(
      records.map(({ charger, from, version, rule, code, penalty, severity, frame }) => ({
        charger,
        from,
        version,
        rule,
        code,
        penalty,
        severity,
        frame,
      })),
      refused.map(([from, frame, rule, code, penalty, severity]) => ({
        charger: 'CP-1',
        from,
        version: 'ocpp1.6',
        rule,
        code,
        penalty,
        severity,
        frame,
      })),
    );
    for (const { at, detail } of records) {
      assert.match(String(at), /^20\d\d-\d\d-\d\dT/);
      assert.equal(typeof detail, 'string');
    }
  });

  test('monitor keeps nothing: its findings are events alone', async () => {
    await using conversation = await startConversation({
      changes: { rules: { preset: 'monitor' } },
    });
    const { gateway, charger, csms } = conversation;
    for (const [from, text] of refused) {
      conversation[from].send(text);
      const other = from === 'charger' ? csms : charger;
      assert.equal(await other.next(), text);
      const id = /^\[2,"(\d)"/.exec(text)?.[1];
      if (id === undefined) continue;
      other.sendMessage(4, id, 'NotSupported', '', {});
      await conversation[from].next();
    }
    await assertNothingElseToCsms(conversation);
    await assertNothingElseToCharger(conversation);
    await gateway.stop();
    assert.deepEqual(await gateway.quarantined(), []);
    const codes = gateway.events.flatMap((event) =>
      event.name === 'FrameFlagged' ? [event.code] : [],
    );
    for (const [, , , code] of refused) assert.ok(codes.includes(code), code);
    assert.equal(gateway.events.filter(({ name }) => name === 'FrameRefused').length, 0);
  });

  test('what passes is not kept', async () => {
    await using conversation = await startConversation();
    await assertNothingElseToCsms(conversation);
    await conversation.gateway.stop();
    assert.deepEqual(await conversation.gateway.quarantined(), []);
  });
});
