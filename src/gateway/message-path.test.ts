import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testConversation } from '../../test/support/conversation.ts';
import { samplePayload } from '../../test/support/sample-payload.ts';
import { type Effect, refusalOf } from './effects.ts';

// Goal: what the path decides becomes the right effects, in the right order.
// Method: whole conversations through the path, with real lanes, and the effects that come out.
// (What passes and what does not: test/conformance.)

const boot = { chargePointVendor: 'Huawei', chargePointModel: 'M', firmwareVersion: '1' };

describe('admitted messages', () => {
  test('a call is counted, learned, then queued, and nothing is sent by the path itself', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    const { effects } = conversation.passMessage('charger', 2, '1', 'Heartbeat', {});
    assert.deepEqual(
      effects.map((effect) => effect.do),
      ['emit', 'learn', 'enqueue'],
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
      ['emit', 'learn', 'forward', 'settle'],
    );
    assert.deepEqual(effects[3], { do: 'settle', caller: 'csms', id: '1', hasResult: true });
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
      ['emit', 'learn', 'rewrite', 'settle', 'emit'],
    );
    assert.equal(out.length, 1);
    // The memory of the charger sees the message itself, and keeps no secret of it.
    const told = effects.filter((effect) => effect.do !== 'learn');
    assert.doesNotMatch(JSON.stringify([out, told]), /00112233/);
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

describe('what is learned', () => {
  const learned = ({ effects }: { readonly effects: readonly Effect[] }): readonly string[] =>
    effects.flatMap((effect) =>
      effect.do === 'learn' ? [`${effect.from} ${effect.frame.kind}`] : [],
    );

  test('is what passes: calls and their answers, of both sides', () => {
    const conversation = testConversation('ocpp2.1', 'standard');
    assert.deepEqual(learned(conversation.passMessage('charger', 2, '1', 'Heartbeat', {})), [
      'charger call',
    ]);
    const answer = { currentTime: '2026-01-01T00:00:00Z' };
    assert.deepEqual(learned(conversation.passMessage('csms', 3, '1', answer)), [
      'csms call-result',
    ]);
    assert.deepEqual(learned(conversation.passMessage('csms', 2, '2', 'ClearCache', {})), [
      'csms call',
    ]);
    assert.deepEqual(
      learned(conversation.passMessage('charger', 4, '2', 'InternalError', '', {})),
      ['charger call-error'],
    );
    const stream = samplePayload('ocpp2.1', 'NotifyPeriodicEventStream', 'request', 'minimal');
    const send = conversation.passMessage('charger', 6, '3', 'NotifyPeriodicEventStream', stream);
    assert.deepEqual(learned(send), ['charger send']);
  });

  test('is nothing that was refused, or that is no answer', () => {
    for (const preset of ['standard', 'strict', 'monitor'] as const) {
      const conversation = testConversation('ocpp1.6', preset);
      const passes = [
        conversation.passMessage('charger', 3, 'ghost', { status: 'Accepted' }),
        conversation.passMessage('csms', 4, 'ghost', 'InternalError', '', {}),
        conversation.pass('charger', 'nonsense'),
      ];
      // monitor passes what strict and standard refuse; then it says nothing all the same.
      assert.deepEqual(passes.flatMap(learned), [], preset);
      if (preset === 'monitor') continue;
      assert.deepEqual(learned(conversation.passMessage('charger', 2, '1', 'Reset', {})), []);
    }
  });

  test('is not learned twice from a retry', () => {
    const conversation = testConversation('ocpp1.6', 'standard');
    const texts = ['[2,"1","Heartbeat",{}]', '[2,"1","Heartbeat",{}]'];
    assert.deepEqual(
      texts.flatMap((text) => learned(conversation.pass('charger', text))),
      ['charger call'],
    );
  });
});

describe('replies from before a reconnect', () => {
  const stale = { charger: ['up'], csms: ['down'] };
  const refusal = ({ refused }: { readonly refused: { readonly code: string } | undefined }) =>
    refused?.code;

  for (const preset of ['standard', 'strict'] as const) {
    test(`are dropped, and are no strike (${preset})`, () => {
      const conversation = testConversation('ocpp1.6', preset, [], { stale });
      for (const [from, id] of [
        ['csms', 'up'],
        ['charger', 'down'],
      ] as const) {
        for (const text of [
          `[3,"${id}",{"status":"Accepted"}]`,
          `[4,"${id}","InternalError","",{}]`,
        ]) {
          const passed = conversation.pass(from, text);
          assert.deepEqual([refusal(passed), passed.out], ['MATCH_STALE', []]);
          const done = passed.effects.map((effect) => effect.do);
          assert.deepEqual(done, ['emit', 'quarantine']);
        }
      }
      // An id counts for the side that called alone.
      assert.equal(refusal(conversation.pass('charger', '[3,"up",{}]')), 'MATCH_UNSOLICITED');
      assert.equal(refusal(conversation.pass('csms', '[3,"DOWN",{}]')), 'MATCH_UNSOLICITED');
    });
  }

  test('are told apart from replies to a new call of the same id', () => {
    const conversation = testConversation('ocpp1.6', 'standard', [], { stale });
    conversation.passMessage('csms', 2, 'down', 'ClearCache', {});
    const { out } = conversation.passMessage('charger', 3, 'down', { status: 'Accepted' });
    assert.equal(out.length, 1);
    const again = conversation.passMessage('charger', 3, 'down', { status: 'Accepted' });
    assert.equal(refusal(again), 'MATCH_LATE');
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

describe('a restricted charger', () => {
  for (const [preset, status] of [
    ['standard', 'Pending'],
    ['strict', 'Pending'],
    ['monitor', 'Accepted'],
  ] as const) {
    test(`${preset}: the CSMS accepts it, and it is told ${status}`, () => {
      const restriction = 'expired-certificate';
      const { passMessage } = testConversation('ocpp1.6', preset, [], { context: { restriction } });
      const boot = { chargePointVendor: 'V', chargePointModel: 'M' };
      passMessage('charger', 2, 'boot', 'BootNotification', boot);
      const answer = { status: 'Accepted', currentTime: '2026-01-01T00:00:00Z', interval: 60 };
      const { out } = passMessage('csms', 3, 'boot', answer);
      assert.deepEqual(JSON.parse(out[0]?.text ?? ''), [3, 'boot', { ...answer, status }]);
    });
  }
});

describe('calls that cannot be passed on', () => {
  test('are told by action without their payload, and answered after that', () => {
    const call = { kind: 'call', id: '7', action: 'Reset', payload: { type: 'Hard' } } as const;
    assert.deepEqual(refusalOf('CP-1', 'csms', call, 'QUEUE_FULL'), [
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
      { do: 'call-error', to: 'csms', id: '7', code: 'QUEUE_FULL' },
    ]);
  });
});
