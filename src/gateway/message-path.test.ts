import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testConversation } from '../../test/support/conversation.ts';
import { refusalOf } from './effects.ts';

// Goal: what the path decides becomes the right effects, in the right order.
// Method: whole conversations through the path, with real lanes, and the effects that come out.
// (What passes and what does not: test/conformance.)

const boot = { chargePointVendor: 'Huawei', chargePointModel: 'M', firmwareVersion: '1' };

describe('admitted messages', () => {
  test('a call is counted, then queued, and nothing is sent by the path itself', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    const { effects } = conversation.passMessage('charger', 2, '1', 'Heartbeat', {});
    assert.deepEqual(
      effects.map((effect) => effect.do),
      ['emit', 'enqueue'],
    );
    assert.deepEqual(effects[0], {
      do: 'emit',
      event: {
        name: 'FrameAdmitted',
        charger: 'CP-1',
        from: 'charger',
        version: 'ocpp1.6',
        frameKind: 'call',
        action: 'Heartbeat',
      },
    });
  });

  test('a result is forwarded before its call is settled, so that the order stays', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '1', 'ClearCache', {});
    const { effects } = conversation.passMessage('charger', 3, '1', { status: 'Accepted' });
    assert.deepEqual(
      effects.map((effect) => effect.do),
      ['emit', 'forward', 'settle'],
    );
    assert.deepEqual(effects[2], { do: 'settle', caller: 'csms', id: '1', hasResult: true });
  });

  test('an error settles its call without a result', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '1', 'ClearCache', {});
    const { effects } = conversation.passMessage('charger', 4, '1', 'NotSupported', '', {});
    assert.deepEqual(effects.at(-1), { do: 'settle', caller: 'csms', id: '1', hasResult: false });
  });

  test('T2-10: a reply with a credential is rewritten, told, and still settles its call', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '1', 'GetConfiguration', {});
    const key = { key: 'AuthorizationKey', readonly: false, value: '00112233' };
    const { effects, out } = conversation.passMessage('charger', 3, '1', {
      configurationKey: [key],
    });
    assert.deepEqual(
      effects.map((effect) => effect.do),
      ['emit', 'rewrite', 'settle', 'emit'],
    );
    assert.equal(out.length, 1);
    assert.doesNotMatch(JSON.stringify([out, effects]), /00112233/);
    assert.equal(conversation.lanes.csms.hasOpenCall, false);
  });

  test('a reply to GetConfiguration without one keeps its bytes', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '1', 'GetConfiguration', {});
    const text = '[3, "1", {"unknownKey" : ["X"]}]';
    assert.deepEqual(conversation.pass('charger', text).out, [{ to: 'csms', text, isOwn: false }]);
  });

  test('monitor passes a call whose id is in use at once: the lane could not hold both', () => {
    const conversation = testConversation('ocpp1.6', 'monitor');
    conversation.passMessage('charger', 2, '1', 'Heartbeat', {});
    const { effects } = conversation.passMessage('charger', 2, '1', 'BootNotification', boot);
    assert.deepEqual(
      effects.map((effect) => effect.do),
      ['emit', 'emit', 'forward'],
    );
  });

  test('monitor passes a text that is no message at all, untouched', () => {
    const text = 'nonsense \u0000';
    const { out, flagged } = testConversation('ocpp1.6', 'monitor').pass('csms', text);
    assert.deepEqual([out, flagged], [[{ to: 'charger', text, isOwn: false }], ['FORMAT_JSON']]);
  });
});

describe('refused messages', () => {
  test('are told and kept before anything is answered', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    const { effects } = conversation.passMessage('charger', 2, '1', 'Reset', { type: 'Soft' });
    assert.deepEqual(
      effects.map((effect) => effect.do),
      ['emit', 'quarantine', 'call-error'],
    );
  });

  test('a refused reply frees the lane, so that the next call may go', () => {
    for (const preset of ['standard', 'strict'] as const) {
      const conversation = testConversation('ocpp1.6', preset);
      conversation.passMessage('csms', 2, '1', 'ClearCache', {});
      conversation.passMessage('csms', 2, '2', 'ClearCache', {});
      const { out, refused } = conversation.passMessage('charger', 3, '1', {});
      assert.equal(refused?.code, 'PAYLOAD_MISSING');
      const own = out.filter(({ isOwn }) => isOwn).map(({ to }) => to);
      assert.deepEqual(own, preset === 'strict' ? [] : ['csms']);
      assert.deepEqual(out.at(-1), {
        to: 'charger',
        text: '[2,"2","ClearCache",{}]',
        isOwn: false,
      });
    }
  });

  test('a reply that could not even be read frees it as well', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '1', 'ClearCache', {});
    const { out } = conversation.pass('charger', '[3,"1"]');
    assert.deepEqual(
      out.map(({ to }) => to),
      ['csms'],
    );
    assert.equal(conversation.lanes.csms.hasOpenCall, false);
  });

  test('a reply to nothing frees nothing and tells nobody', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    conversation.passMessage('csms', 2, '1', 'ClearCache', {});
    for (const text of ['[3,"2",{}]', '[3,"2"]', '[3]', '[4,"2",5]']) {
      assert.deepEqual(conversation.pass('charger', text).out, [], text);
    }
    assert.equal(conversation.lanes.csms.hasOpenCall, true);
  });

  test('a refused call with the id of an open one is not answered under it', () => {
    for (const version of ['ocpp1.6', 'ocpp2.1'] as const) {
      const conversation = testConversation(version, 'standard');
      conversation.passMessage('charger', 2, '1', 'Heartbeat', {});
      for (const text of ['[2,"1","Reset",{}]', '[2,"1","Heartbeat",[]]']) {
        assert.deepEqual(conversation.pass('charger', text).out, [], text);
      }
      assert.equal(conversation.lanes.charger.hasOpenCall, true);
    }
  });

  test('a close names who caused it and why, and is no strike beside it', () => {
    const { effects } = testConversation('ocpp2.0.1', 'strict').pass('csms', 'nonsense');
    assert.deepEqual(
      effects.map((effect) => effect.do),
      ['emit', 'quarantine', 'close'],
    );
    assert.deepEqual(effects.at(-1), { do: 'close', because: 'csms', code: 'FORMAT_JSON' });
  });

  test('T2-34: what is told of a message holds nothing that the peer made up', () => {
    const texts = [
      '[2,"SECRET","SECRET",{"SECRET":1}]',
      '[2,"SECRET","Heartbeat",{"SECRET":"SECRET"}]',
      '[3,"SECRET",{"SECRET":1}]',
      '[2,"SECRET","SECRET\\n",{}]',
      '{"SECRET":1}',
    ];
    for (const preset of ['standard', 'strict', 'monitor'] as const) {
      for (const text of texts) {
        const { events } = testConversation('ocpp1.6', preset).pass('charger', text);
        const findings = events.filter(({ name }) => name !== 'FrameAdmitted');
        assert.notEqual(findings.length, 0);
        assert.doesNotMatch(JSON.stringify(findings), /SECRET/, text);
      }
    }
  });
});

describe('what the charger says of itself', () => {
  const overrides = [{ match: { vendor: 'Huawei*' }, rule: 'payload', mode: 'monitor' } as const];
  const broken = { ...boot, chargePointModel: null };

  test('holds for the very message that says it', () => {
    const conversation = testConversation('ocpp1.6', 'standard', overrides);
    assert.equal(
      conversation.passMessage('charger', 2, '1', 'BootNotification', broken).refused,
      undefined,
    );
    assert.equal(conversation.description?.vendor, 'Huawei');
    const other = { ...broken, chargePointVendor: 'Other' };
    const refused = conversation.passMessage('charger', 2, '2', 'BootNotification', other).refused;
    assert.equal(refused?.code, 'PAYLOAD_TYPE');
  });

  test('the CSMS cannot say it', () => {
    const conversation = testConversation('ocpp1.6', 'standard', overrides);
    conversation.passMessage('csms', 2, '1', 'BootNotification', boot);
    assert.equal(conversation.description, undefined);
  });
});

describe('calls that cannot be passed on', () => {
  test('are answered, and told by action without their payload', () => {
    const call = { kind: 'call', id: '7', action: 'Reset', payload: { type: 'Hard' } } as const;
    assert.deepEqual(refusalOf('CP-1', 'csms', call, 'QUEUE_FULL'), [
      { do: 'call-error', to: 'csms', id: '7', code: 'QUEUE_FULL' },
      {
        do: 'emit',
        event: {
          name: 'CallRefused',
          charger: 'CP-1',
          from: 'csms',
          code: 'QUEUE_FULL',
          action: 'Reset',
        },
      },
    ]);
  });
});
