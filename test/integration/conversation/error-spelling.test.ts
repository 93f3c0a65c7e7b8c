import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CallErrorCode } from '../../../src/errors/catalogue.ts';
import { ocppVersions } from '../../../src/ocpp/version.ts';
import { assertRefused, startConversation } from './live-conversation.ts';

// Goal: a refusal is spelled as the negotiated version spells it, or as the record of the charger
// asks: some chargers send a message for ever when the answer is spelled in another way.
// Method: one refused message for each error code that versions spell differently.

/** Refused calls of a charger, the code of the refusal, and its spelling in 1.6 and in 2.x. */
const cases: readonly (readonly [string, CallErrorCode, string, string])[] = [
  ['[2,"1","Heartbeat",[1]]', 'FORMAT_FRAME', 'FormationViolation', 'FormatViolation'],
  [
    '[2,"1","BootNotification",{}]',
    'PAYLOAD_MISSING',
    'OccurenceConstraintViolation',
    'OccurrenceConstraintViolation',
  ],
  ['[2,"1","Authorize",{"idTag":{},"idToken":1}]', 'PAYLOAD_TYPE', 'TypeConstraintViolation', ''],
  ['[2,"1","Reset",{}]', 'DIRECTION_WRONG_SENDER', 'NotSupported', 'NotSupported'],
  ['[2,"1","Nothing",{}]', 'DIRECTION_UNKNOWN_ACTION', 'NotImplemented', 'NotImplemented'],
];

describe('R8: error codes', { timeout: 20_000 }, () => {
  for (const version of ocppVersions) {
    test(`${version} refusals are spelled as ${version} spells them`, async () => {
      await using conversation = await startConversation({ version });
      const { charger } = conversation;
      for (const [text, code, in16, in2x] of cases) {
        const spelling = version === 'ocpp1.6' ? in16 : in2x;
        if (spelling === '') continue;
        charger.send(text);
        await assertRefused(charger, version, '1', code);
        const last: unknown = JSON.parse(charger.received.at(-1) ?? '');
        assert.equal(Array.isArray(last) && last[2], spelling);
      }
    });
  }

  test('1.6 is silent about a text without an id, 2.x answers "-1"', async () => {
    await using old = await startConversation();
    old.charger.send('no JSON');
    old.charger.send('[2,"1","Nothing",{}]');
    await assertRefused(old.charger, 'ocpp1.6', '1', 'DIRECTION_UNKNOWN_ACTION');
    for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
      await using recent = await startConversation({ version });
      recent.charger.send('no JSON');
      await assertRefused(recent.charger, version, '-1', 'FORMAT_JSON');
      assert.match(recent.charger.received.at(-1) ?? '', /"RpcFrameworkError"/);
    }
  });

  test('2.0.1 answers an unknown message type, 1.6 and 2.1 ignore it', async () => {
    for (const version of ocppVersions) {
      await using conversation = await startConversation({ version });
      const { charger } = conversation;
      charger.send('[7,"1","Heartbeat",{}]');
      if (version === 'ocpp2.0.1') {
        await assertRefused(charger, version, '1', 'FORMAT_MESSAGE_TYPE');
        assert.match(charger.received.at(-1) ?? '', /"MessageTypeNotSupported"/);
      }
      charger.send('[2,"2","Nothing",{}]');
      await assertRefused(charger, version, '2', 'DIRECTION_UNKNOWN_ACTION');
    }
  });

  test('spellErrorsAs changes the spelling towards that charger, and no other', async () => {
    const chargers = {
      unknown: 'enroll',
      records: [
        { id: 'OLD-*', spellErrorsAs: 'ocpp1.6' },
        { id: 'NEW-1', spellErrorsAs: 'ocpp2.1' },
      ],
    };
    const asked = [
      ['OLD-7', 'ocpp2.0.1', 'ocpp1.6', /"OccurenceConstraintViolation"/],
      ['NEW-1', 'ocpp1.6', 'ocpp2.1', /"OccurrenceConstraintViolation"/],
      ['CP-1', 'ocpp1.6', 'ocpp1.6', /"OccurenceConstraintViolation"/],
    ] as const;
    for (const [identity, version, spelled, spelling] of asked) {
      await using conversation = await startConversation({
        identity,
        version,
        changes: { chargers },
      });
      const { charger, csms } = conversation;
      charger.send('[2,"1","BootNotification",{}]');
      await assertRefused(charger, spelled, '1', 'PAYLOAD_MISSING');
      assert.match(charger.received.at(-1) ?? '', spelling);
      // The CSMS is answered as the version says.
      csms.send('[2,"1","Reset",{}]');
      await assertRefused(csms, version, '1', 'PAYLOAD_MISSING');
    }
  });

  test('any spelling of a peer passes as it is', async () => {
    await using conversation = await startConversation({ version: 'ocpp2.0.1' });
    const { charger, csms } = conversation;
    for (const spelling of ['FormationViolation', 'OccurenceConstraintViolation']) {
      charger.send('[2,"1","Heartbeat",{}]');
      await csms.next();
      const text = JSON.stringify([4, '1', spelling, 'no', {}]);
      csms.send(text);
      assert.equal(await charger.next(), text);
    }
  });
});
