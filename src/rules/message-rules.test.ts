import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionsOf, isSendAction, senderOf, senders } from '../ocpp/actions.ts';
import type { OcppVersion, Peer } from '../ocpp/version.ts';
import { ocppVersions } from '../ocpp/version.ts';
import { actionDirection } from './action-direction.ts';
import { decode } from './decode.ts';
import type { Frame } from './frame.ts';
import { messageFormat } from './message-format.ts';
import { messageIdMatching } from './message-id.ts';
import { type Correlation, type RuleInput, ruleNames, worst } from './rule.ts';
import { secureFirmware } from './secure-firmware.ts';
import { rules } from './table.ts';

// Goal: each row of PNNL-35706 Table 1 finds what it is for, and nothing else.
// Method: each rule by itself, over its whole table where it has one. (Rule 4: payload.test.ts.)

const peers: readonly Peer[] = ['charger', 'csms'];

function frameOf(elements: readonly unknown[], version: OcppVersion): Frame {
  const { frame } = decode(Buffer.from(JSON.stringify(elements)), 'charger', version);
  assert(frame.kind !== 'unreadable', JSON.stringify(elements));
  return frame;
}

function input(
  elements: readonly unknown[],
  changes: Partial<Omit<RuleInput, 'frame'>> = {},
): RuleInput {
  const version = changes.version ?? 'ocpp2.1';
  const correlation: Correlation = { is: 'new' };
  return { frame: frameOf(elements, version), from: 'csms', version, correlation, ...changes };
}

describe('the table of rules', () => {
  test('has rows 0 to 5 of PNNL-35706 in order, each with its name and source', () => {
    assert.deepEqual(
      rules.map(({ id }) => id),
      [0, 1, 2, 3, 4, 5],
    );
    assert.deepEqual(
      rules.map(({ name }) => name),
      // The rules of context come after them.
      ruleNames.slice(0, 6),
    );
    for (const { id, source } of rules) assert.equal(source, `PNNL-35706 Table 1, row ${id}`);
  });

  test('says what the table says: close, or CallError for calls and drop for replies', () => {
    assert.deepEqual(
      rules.map(({ onFail }) => onFail),
      [
        { call: 'close', reply: 'close' },
        { call: 'close', reply: 'close' },
        { call: 'call-error', reply: 'drop' },
        { call: 'drop', reply: 'drop' },
        { call: 'call-error', reply: 'drop' },
        { call: 'call-error', reply: 'drop' },
      ],
    );
  });

  test('the worst violation counts, the first of equals', () => {
    const violation = (severity: 'hard' | 'soft' | 'benign', detail: string) =>
      ({ rule: 'payload', code: 'PAYLOAD_TYPE', severity, detail }) as const;
    const [soft, hard, benign] = [
      violation('soft', 's'),
      violation('hard', 'h'),
      violation('benign', 'b'),
    ];
    assert.equal(worst([benign, soft, hard, violation('hard', 'later')]), hard);
    assert.equal(worst([benign, soft, violation('soft', 'later')]), soft);
    assert.equal(worst([]), undefined);
  });
});

describe('rule 1: the reserved id', () => {
  test('"-1" names no call, result or SEND; an error may have it', () => {
    const refused = [
      [2, '-1', 'Heartbeat', {}],
      [3, '-1', {}],
      [5, '-1', 'GenericError', '', {}],
      [6, '-1', 'NotifyPeriodicEventStream', {}],
    ];
    for (const elements of refused) {
      assert.equal(messageFormat.check(input(elements))?.code, 'FORMAT_MESSAGE_ID');
    }
    assert.equal(messageFormat.check(input([4, '-1', 'RpcFrameworkError', '', {}])), undefined);
    for (const id of ['-2', '1', '-10', ' -1']) {
      assert.equal(messageFormat.check(input([2, id, 'Heartbeat', {}])), undefined, id);
    }
  });
});

describe('rule 2: action direction', () => {
  for (const version of ocppVersions) {
    for (const [action, sender] of Object.entries(senders[version])) {
      for (const from of peers) {
        const allowed = sender === from || sender === 'either';
        test(`${version} ${action} from the ${from} is ${allowed ? 'admitted' : 'refused'}`, () => {
          const typeId = isSendAction(version, action) ? 6 : 2;
          const violation = actionDirection.check(
            input([typeId, '1', action, {}], { from, version }),
          );
          assert.equal(violation?.code, allowed ? undefined : 'DIRECTION_WRONG_SENDER');
        });
      }
    }
  }

  test('an action of another version is unknown, not misdirected', () => {
    for (const version of ocppVersions) {
      const others = ocppVersions.flatMap(actionsOf).filter((it) => !senderOf(version, it));
      for (const action of others) {
        const violation = actionDirection.check(input([2, '1', action, {}], { version }));
        assert.equal(violation?.code, 'DIRECTION_UNKNOWN_ACTION', `${version} ${action}`);
      }
    }
  });

  test('an action named like an object property is unknown', () => {
    for (const action of ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty']) {
      const violation = actionDirection.check(input([2, '1', action, {}]));
      assert.equal(violation?.code, 'DIRECTION_UNKNOWN_ACTION', action);
    }
  });

  test('T2-18: SEND and CALL are not exchanged', () => {
    const wrong: readonly (readonly [readonly unknown[], Peer])[] = [
      [[6, '1', 'Reset', {}], 'csms'],
      [[6, '1', 'Heartbeat', {}], 'charger'],
      [[2, '1', 'NotifyPeriodicEventStream', {}], 'charger'],
    ];
    for (const [elements, from] of wrong) {
      assert.equal(actionDirection.check(input(elements, { from }))?.code, 'DIRECTION_WRONG_KIND');
    }
    const fromCsms = actionDirection.check(input([6, '1', 'NotifyPeriodicEventStream', {}]));
    assert.equal(fromCsms?.code, 'DIRECTION_WRONG_SENDER');
  });

  test('a reply passes: it has no action', () => {
    for (const elements of [
      [3, '1', {}],
      [4, '1', 'GenericError', '', {}],
    ]) {
      assert.equal(actionDirection.check(input(elements)), undefined);
    }
  });
});

describe('rule 3: message ids', () => {
  const cases: readonly (readonly [Correlation, Peer, string | undefined, string | undefined])[] = [
    [{ is: 'new' }, 'csms', undefined, undefined],
    [{ is: 'answer', action: 'Reset' }, 'charger', undefined, undefined],
    [{ is: 'retry', open: true }, 'charger', undefined, undefined],
    [{ is: 'retry', open: false }, 'csms', undefined, undefined],
    [{ is: 'conflict', open: true, isUnanswered: true }, 'charger', 'MATCH_ID_IN_USE', 'hard'],
    [{ is: 'conflict', open: true, isUnanswered: true }, 'csms', 'MATCH_ID_IN_USE', 'hard'],
    [{ is: 'conflict', open: false, isUnanswered: false }, 'charger', 'MATCH_ID_REUSED', 'soft'],
    [{ is: 'conflict', open: false, isUnanswered: false }, 'csms', 'MATCH_ID_REUSED', 'hard'],
    [{ is: 'late' }, 'charger', 'MATCH_LATE', 'hard'],
    [{ is: 'unsolicited' }, 'csms', 'MATCH_UNSOLICITED', 'hard'],
  ];
  for (const [correlation, from, code, severity] of cases) {
    test(`${JSON.stringify(correlation)} from the ${from} is ${code ?? 'fine'}`, () => {
      const violation = messageIdMatching.check(input([3, '1', {}], { correlation, from }));
      assert.deepEqual([violation?.code, violation?.severity], [code, severity]);
    });
  }
});

describe('rule 5: firmware updates are signed', () => {
  const signed = {
    location: 'https://f/',
    retrieveDateTime: 'x',
    signingCertificate: 'c',
    signature: 's',
  };
  const update = (firmware: unknown) => [2, '1', 'UpdateFirmware', { requestId: 1, firmware }];

  for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
    test(`${version}: with certificate and signature it passes`, () => {
      assert.equal(secureFirmware.check(input(update(signed), { version })), undefined);
    });

    const { signingCertificate: _c, ...withoutCertificate } = signed;
    const { signature: _s, ...withoutSignature } = signed;
    const unsigned: Readonly<Record<string, unknown>> = {
      'no certificate': withoutCertificate,
      'no signature': withoutSignature,
      'an empty certificate': { ...signed, signingCertificate: '' },
      'an empty signature': { ...signed, signature: '' },
      'null for the certificate': { ...signed, signingCertificate: null },
      'a number for the signature': { ...signed, signature: 1 },
      'no firmware': undefined,
      'a list of firmware': [signed],
    };
    for (const [what, firmware] of Object.entries(unsigned)) {
      test(`${version}: T1-12: with ${what} it does not`, () => {
        const violation = secureFirmware.check(input(update(firmware), { version }));
        assert.deepEqual([violation?.code, violation?.severity], ['FIRMWARE_UNSIGNED', 'hard']);
      });
    }
  }

  test('T1-11: OCPP 1.6: UpdateFirmware never passes, SignedUpdateFirmware does', () => {
    const version = 'ocpp1.6';
    const plain = [2, '1', 'UpdateFirmware', { ...signed, location: 'http://f/' }];
    assert.equal(secureFirmware.check(input(plain, { version }))?.code, 'FIRMWARE_UNSIGNED');
    const modern = [2, '1', 'SignedUpdateFirmware', { requestId: 1, firmware: signed }];
    assert.equal(secureFirmware.check(input(modern, { version })), undefined);
  });

  test('replies and other actions are not its business', () => {
    for (const elements of [
      [3, '1', {}],
      [2, '1', 'Reset', {}],
      [2, '1', 'updatefirmware', {}],
    ]) {
      assert.equal(secureFirmware.check(input(elements)), undefined);
    }
  });
});
