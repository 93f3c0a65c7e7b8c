import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ErrorCode, errors, isCallErrorCode } from '../errors/catalogue.ts';
import { type OcppVersion, ocppVersions } from '../ocpp/version.ts';
import { decode, messageIdLengthMax } from './decode.ts';
import type { Frame, Unreadable } from './frame.ts';
import { type Penalty, penaltyFor } from './penalty.ts';
import { type PresetName, presetNames } from './presets.ts';
import type { RuleName, Violation } from './rule.ts';

// Goal: whatever breaks whichever rule, the sender is told at most what its protocol lets it be
// told, and nobody waits for ever.
// Method: every code with every kind of message, in every version and preset; then the exceptions.

const ruleOf: Readonly<Record<string, RuleName>> = {
  SIGNATURE: 'signature',
  FORMAT: 'format',
  DIRECTION: 'direction',
  MATCH: 'message-id',
  PAYLOAD: 'payload',
  FIRMWARE: 'secure-firmware',
};

const violations: readonly Violation[] = (Object.keys(errors) as ErrorCode[]).flatMap((code) => {
  const rule = ruleOf[code.split('_')[0] ?? ''];
  return rule === undefined ? [] : [{ rule, code, severity: 'hard', detail: '' } as const];
});

const samples: readonly (readonly unknown[])[] = [
  [2, 'i', 'Reset', {}],
  [3, 'i', {}],
  [4, 'i', 'GenericError', '', {}],
  [5, 'i', 'GenericError', '', {}],
  [6, 'i', 'Reset', {}],
  [2, 'i'],
  [2, 5],
  [3, 'i'],
  [3, 5],
  [4, 'i'],
  [5, 'i'],
  [6, 'i'],
  [9, 'i'],
  [],
];

function frameOf(elements: readonly unknown[], version: OcppVersion): Frame | Unreadable {
  return decode(Buffer.from(JSON.stringify(elements)), 'charger', version).frame;
}

/** Rows 0 and 1 of Table 1 close. */
function isOfCloseRow({ rule }: Violation): boolean {
  return rule === 'signature' || rule === 'format';
}

function typeIdOf(elements: readonly unknown[]): unknown {
  return elements[0];
}

function each(
  check: (
    penalty: Penalty,
    at: {
      elements: readonly unknown[];
      frame: Frame | Unreadable;
      violation: Violation;
      version: OcppVersion;
      preset: PresetName;
    },
    where: string,
  ) => void,
): void {
  for (const version of ocppVersions) {
    for (const preset of presetNames) {
      for (const elements of samples) {
        const frame = frameOf(elements, version);
        for (const violation of violations) {
          // A text that is no message cannot break a rule about messages.
          if (frame.kind === 'unreadable' && violation.rule !== 'format') continue;
          const penalty = penaltyFor(frame, violation, version, preset);
          const where = `${version} ${preset} ${JSON.stringify(elements)} ${violation.code}`;
          check(penalty, { elements, frame, violation, version, preset }, where);
        }
      }
    }
  }
}

describe('penalties, over every code, kind, version and preset', () => {
  test('there are violations of all six rules to walk', () => {
    assert.equal(new Set(violations.map(({ rule }) => rule)).size, 6);
  });

  test('a reply is never answered with a CallError to its sender', () => {
    each((penalty, { elements }, where) => {
      const typeId = typeIdOf(elements);
      if (typeId === 3 || typeId === 4 || typeId === 5) {
        assert.notEqual(penalty.is, 'call-error', where);
      }
    });
  });

  test('T2-18: a SEND is never answered', () => {
    each((penalty, { elements }, where) => {
      if (typeIdOf(elements) !== 6) return;
      assert(penalty.is === 'drop' || penalty.is === 'close', where);
    });
  });

  test('a CallError has a code that can answer a call, and an id that can be sent', () => {
    each((penalty, _, where) => {
      if (penalty.is !== 'call-error' && penalty.is !== 'answer-caller') return;
      assert(penalty.code !== undefined && isCallErrorCode(penalty.code), where);
      assert(penalty.id === 'i' || penalty.id === '-1', where);
    });
  });

  test('only strict closes, and only for rules 0 and 1', () => {
    each((penalty, { preset, violation }, where) => {
      const closes = preset === 'strict' && isOfCloseRow(violation);
      assert.equal(penalty.is === 'close', closes, where);
    });
  });

  test('strict is Table 1: CallError for calls that break 2, 4 or 5, else nothing is said', () => {
    each((penalty, { frame, preset, violation }, where) => {
      if (preset !== 'strict' || isOfCloseRow(violation)) return;
      const isAnswered = frame.kind === 'call' && violation.rule !== 'message-id';
      assert.equal(penalty.is, isAnswered ? 'call-error' : 'drop', where);
    });
  });

  test('outside strict, a refused reply is made up for to the caller, unless it answers nothing or is forged', () => {
    each((penalty, { frame, preset, violation }, where) => {
      const isReply = frame.kind === 'call-result' || frame.kind === 'call-error';
      if (preset === 'strict' || !isReply) return;
      if (violation.code === 'FORMAT_EMPTY') return;
      const { rule } = violation;
      const isDropped = rule === 'message-id' || rule === 'signature';
      const expected = isDropped ? 'drop' : 'answer-caller';
      assert.equal(penalty.is, expected, where);
    });
  });

  test('a strike is given for what is malformed, unsolicited or forged, and for nothing else', () => {
    each((penalty, { preset, violation }, where) => {
      if (preset === 'strict') return;
      const { code, rule } = violation;
      const counts = rule === 'signature' || rule === 'format' || rule === 'message-id';
      const isHarmless = ['FORMAT_EMPTY', 'MATCH_LATE', 'MATCH_STALE'].includes(code);
      assert.equal(penalty.isStrike, counts && !isHarmless, where);
    });
  });

  test('OCPP 1.6 never hears of the id "-1"', () => {
    each((penalty, { version }, where) => {
      if (version === 'ocpp1.6') assert.notEqual(penalty.id, '-1', where);
    });
  });
});

describe('penalties outside strict', () => {
  const penalty = (
    elements: readonly unknown[],
    code: ErrorCode,
    version: OcppVersion,
  ): Penalty => {
    const violation = violations.find((candidate) => candidate.code === code);
    assert(violation !== undefined);
    return penaltyFor(frameOf(elements, version), violation, version, 'standard');
  };

  test('C18: an empty frame and a late reply are ignored and are no strike', () => {
    for (const version of ocppVersions) {
      assert.deepEqual(penalty([], 'FORMAT_EMPTY', version), { is: 'drop', isStrike: false });
      assert.deepEqual(penalty([3, 'i', {}], 'MATCH_LATE', version), {
        is: 'drop',
        isStrike: false,
      });
    }
  });

  test('an unsolicited reply is dropped and is a strike', () => {
    assert.deepEqual(penalty([3, 'i', {}], 'MATCH_UNSOLICITED', 'ocpp1.6'), {
      is: 'drop',
      isStrike: true,
    });
  });

  test('an error under "-1" says that an id could not be read: dropped, and no strike', () => {
    const elements = [4, '-1', 'RpcFrameworkError', '', {}];
    assert.deepEqual(penalty(elements, 'MATCH_UNSOLICITED', 'ocpp2.1'), {
      is: 'drop',
      isStrike: false,
    });
  });

  test('an unknown message type is answered by OCPP 2.0.1 alone (part 4 section 4.4)', () => {
    const outcomes = ocppVersions.map(
      (version) => penalty([9, 'i'], 'FORMAT_MESSAGE_TYPE', version).is,
    );
    assert.deepEqual(outcomes, ['drop', 'call-error', 'drop']);
  });

  test('a text without a readable id is answered under "-1" in OCPP 2.x, not at all in 1.6', () => {
    const outcomes = ocppVersions.map((version) => penalty([], 'FORMAT_JSON', version));
    assert.deepEqual(
      outcomes.map(({ is, id }) => [is, id]),
      [
        ['drop', undefined],
        ['call-error', '-1'],
        ['call-error', '-1'],
      ],
    );
  });

  test('an id that is far too long is not sent back', () => {
    const elements = [2, 'x'.repeat(messageIdLengthMax + 1), 'Reset', {}];
    assert.equal(penalty(elements, 'FORMAT_MESSAGE_ID', 'ocpp2.1').id, '-1');
    assert.equal(penalty(elements, 'FORMAT_MESSAGE_ID', 'ocpp1.6').is, 'drop');
    const longest = [2, 'x'.repeat(messageIdLengthMax), 'Reset', {}];
    assert.equal(penalty(longest, 'DIRECTION_WRONG_SENDER', 'ocpp1.6').id?.length, 255);
  });

  test('a call with the id of an open call is dropped: an answer would answer the other one', () => {
    for (const version of ocppVersions) {
      assert.equal(penalty([2, 'i', 'Reset', {}], 'MATCH_ID_IN_USE', version).is, 'drop');
    }
  });
});

describe('rule 0: a message whose signature is not good', () => {
  const code = 'SIGNATURE_ALTERED';
  const violation: Violation = { rule: 'signature', code, severity: 'hard', detail: '' };

  test('closes the connection in strict, whatever it is', () => {
    for (const elements of samples) {
      for (const version of ocppVersions) {
        const penalty = penaltyFor(frameOf(elements, version), violation, version, 'strict');
        assert.deepEqual(penalty, { is: 'close', isStrike: true });
      }
    }
  });

  test('in standard is a strike; a call is answered, and no reply of his settles anything', () => {
    for (const elements of samples) {
      for (const version of ocppVersions) {
        const frame = frameOf(elements, version);
        const penalty = penaltyFor(frame, violation, version, 'standard');
        assert.deepEqual(
          penalty,
          frame.kind === 'call'
            ? { is: 'call-error', id: frame.id, code, isStrike: true }
            : { is: 'drop', isStrike: true },
        );
      }
    }
  });
});
