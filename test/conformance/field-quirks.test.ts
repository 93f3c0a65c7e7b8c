import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OcppVersion, ocppVersions, otherPeer, type Peer } from '../../src/ocpp/version.ts';
import { testConversation } from '../support/conversation.ts';
import { samplePayload } from '../support/sample-payload.ts';

// Goal: what real chargers get wrong passes through the default preset, and what only looks like it
// does not: rows R1 to R13 of docs/divergences.md. (Rows of connections: test/integration.)
// Method: one test a row, on the message path with the standard preset, and its opposite beside it.

const at = '2026-01-01T00:00:00Z';
const boot = { chargePointVendor: 'V', chargePointModel: 'M' };

/** `passed`, `flagged CODE ...` or `refused CODE` for one call on a fresh conversation. */
function outcome(
  from: Peer,
  action: string,
  payload: unknown,
  version: OcppVersion = 'ocpp1.6',
): string {
  return outcomeOf(from, JSON.stringify([2, '1', action, payload]), version);
}

function outcomeOf(from: Peer, text: string, version: OcppVersion = 'ocpp1.6'): string {
  const { flagged, out, refused } = testConversation(version, 'standard').pass(from, text);
  if (refused !== undefined) return `refused ${refused.code}`;
  assert.deepEqual(out, [{ to: otherPeer(from), text, isOwn: false }], 'byte for byte');
  return flagged.length === 0 ? 'passed' : `flagged ${flagged.join(' ')}`;
}

describe('what real chargers do: messages', () => {
  test('R1: MessageTypeId 1 is refused', () => {
    for (const version of ocppVersions) {
      assert.equal(
        outcomeOf('charger', '[1,"1","Heartbeat",{}]', version),
        'refused FORMAT_MESSAGE_TYPE',
      );
    }
  });

  test('R2: a call that is sent again with its id is passed on once while it is open', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    const again = () => conversation.passMessage('charger', 2, '7', 'Heartbeat', {});
    assert.equal(again().out.length, 1);
    for (let round = 0; round < 10; round += 1) assert.deepEqual(again().out, []);
    assert.equal(conversation.lanes.charger.waitingCount, 0);
    conversation.passMessage('csms', 3, '7', { currentTime: at });
    assert.equal(again().out.length, 1, 'after the answer, it is a call like any other');
  });

  test('R3: duplicate results are dropped, and are no strike', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '7', 'ClearCache', {});
    const answer = () => conversation.passMessage('charger', 3, '7', { status: 'Accepted' });
    assert.equal(answer().out.length, 1);
    const { effects, out, refused } = answer();
    assert.deepEqual([refused?.code, out], ['MATCH_LATE', []]);
    assert(!effects.some((effect) => effect.do === 'strike'));
  });

  test('R4: message ids of 40 characters pass in OCPP 1.6, numeric-looking ones everywhere', () => {
    const call = (id: string) => JSON.stringify([2, id, 'Heartbeat', {}]);
    assert.equal(outcomeOf('charger', call('x'.repeat(40))), 'flagged FORMAT_MESSAGE_ID_LONG');
    assert.equal(outcomeOf('charger', call('x'.repeat(256))), 'refused FORMAT_MESSAGE_ID');
    for (const version of ocppVersions) {
      assert.equal(outcomeOf('charger', call('12345678901234567890'), version), 'passed');
      assert.equal(outcomeOf('charger', call('00ff00ff'), version), 'passed');
    }
  });

  test('R5: a message id that is no text is refused', () => {
    for (const id of ['1', 'null', '[]', '{}', 'true', '1.5']) {
      assert.equal(outcomeOf('charger', `[2,${id},"Heartbeat",{}]`), 'refused FORMAT_MESSAGE_ID');
    }
  });

  test('R6: null for an empty payload passes from a charger, in calls and in results', () => {
    for (const version of ocppVersions) {
      assert.equal(outcome('charger', 'Heartbeat', null, version), 'flagged FORMAT_PAYLOAD_NULL');
    }
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '7', 'GetConfiguration', {});
    const { out } = conversation.pass('charger', '[3,"7",null]');
    assert.deepEqual(out, [{ to: 'csms', text: '[3,"7",null]', isOwn: false }]);
  });

  test('R7: errors with a text for details, or without elements, pass; the gateway writes none', () => {
    for (const text of ['[4,"7","GenericError","x","details"]', '[4,"7","GenericError"]']) {
      const conversation = testConversation('ocpp1.6', 'standard');
      conversation.passMessage('csms', 2, '7', 'ClearCache', {});
      assert.deepEqual(conversation.pass('charger', text).out[0]?.text, text);
    }
    const { out } = testConversation('ocpp1.6', 'standard').passMessage(
      'charger',
      2,
      '7',
      'Reset',
      {},
    );
    assert.deepEqual(JSON.parse(out[0]?.text ?? ''), [
      4,
      '7',
      'NotSupported',
      'The action may not be sent by this side.',
      {},
    ]);
  });

  test('R4: the answer to a call with a long id reaches the charger under that id', () => {
    const id = 'x'.repeat(60);
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('charger', 2, id, 'Heartbeat', {});
    const reply = { currentTime: '2026-01-01T00:00:00Z' };
    const { out, refused } = conversation.passMessage('csms', 3, id, reply);
    assert.deepEqual(
      [refused, out.map(({ isOwn, to }) => [isOwn, to])],
      [undefined, [[false, 'charger']]],
    );
  });

  test('R8: every spelling of an error code passes; each version gets its own from the gateway', () => {
    for (const version of ocppVersions) {
      for (const code of [
        'FormationViolation',
        'FormatViolation',
        'OccurenceConstraintViolation',
      ]) {
        const conversation = testConversation(version, 'standard');
        conversation.passMessage('csms', 2, '7', 'ClearCache', {});
        const { flagged, out } = conversation.passMessage('charger', 4, '7', code, '', {});
        assert.deepEqual([flagged, out.length], [[], 1], code);
      }
    }
    const codes = ocppVersions.map((version) => {
      const { out } = testConversation(version, 'standard').pass(
        'charger',
        '[2,"1","Heartbeat",[1]]',
      );
      return (JSON.parse(out[0]?.text ?? '') as unknown[])[2];
    });
    assert.deepEqual(codes, ['FormationViolation', 'FormatViolation', 'FormatViolation']);
  });

  test('R9: crossing calls pass, several calls wait in order, and nothing blocks for ever', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('charger', 2, 'a', 'BootNotification', boot);
    const second = conversation.passMessage('charger', 2, 'b', 'Heartbeat', {});
    assert.deepEqual(second.out, [], 'one open call a direction');
    assert.equal(
      conversation.passMessage('csms', 2, 'a', 'ClearCache', {}).out.length,
      1,
      'crossing',
    );
    assert.equal(conversation.passMessage('charger', 3, 'a', { status: 'Accepted' }).out.length, 1);
    const answered = conversation.passMessage('csms', 3, 'a', {
      status: 'Accepted',
      currentTime: at,
      interval: 300,
    });
    assert.deepEqual(
      answered.out.map(({ to, text }) => [to, (JSON.parse(text) as unknown[])[1]]),
      [
        ['charger', 'a'],
        ['csms', 'b'],
      ],
    );
  });

  test('R10: a StartTransaction before the answer to RemoteStart passes, and the answer after it', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, 'r', 'RemoteStartTransaction', { idTag: 'T' });
    const start = { connectorId: 1, idTag: 'T', meterStart: 0, timestamp: at };
    assert.equal(
      conversation.passMessage('charger', 2, 's', 'StartTransaction', start).out.length,
      1,
    );
    assert.equal(conversation.passMessage('charger', 3, 'r', { status: 'Accepted' }).out.length, 1);
  });

  test('R11: white space is passed on as it came', () => {
    assert.equal(outcomeOf('charger', '[\r\n  2, "1",\t"Heartbeat",\n  { }\n]\n'), 'passed');
  });

  test('R12: broken JSON in every MeterValues is dropped and counted, and closes nothing by itself', () => {
    const text = '[2,"1","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[]}]';
    const { effects, out, refused } = testConversation('ocpp1.6', 'standard').pass('charger', text);
    assert.deepEqual([refused?.code, refused?.penalty, out], ['FORMAT_JSON', 'drop', []]);
    const seen = effects.map((effect) => effect.do);
    assert.deepEqual(seen, ['emit', 'quarantine', 'strike']);
  });

  test('R13: CALLRESULTERROR and SEND exist in OCPP 2.1, and only there', () => {
    const send = JSON.stringify([
      6,
      '1',
      'NotifyPeriodicEventStream',
      samplePayload('ocpp2.1', 'NotifyPeriodicEventStream', 'request', 'full'),
    ]);
    const outcomes = ocppVersions.map((version) => outcomeOf('charger', send, version));
    assert.deepEqual(outcomes, [
      'refused FORMAT_MESSAGE_TYPE',
      'refused FORMAT_MESSAGE_TYPE',
      'passed',
    ]);
  });
});
