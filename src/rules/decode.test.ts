import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OcppVersion, ocppVersions } from '../ocpp/version.ts';
import { type Decoded, decode, messageIdLengthMax } from './decode.ts';

// Goal: what is decoded is one of the five OCPP messages, with its own bytes, and what is not says
// as much of itself as could be read.
// Method: tables of texts by version; the ones that pass beside the ones that do not.

function decoded(text: string, version: OcppVersion = 'ocpp1.6'): Decoded {
  return decode(Buffer.from(text), 'charger', version);
}

/** The worst of it in one word: `ok`, or the codes. */
function codes(text: string, version: OcppVersion = 'ocpp1.6'): string {
  const { violations } = decoded(text, version);
  return violations.map(({ code, severity }) => `${severity} ${code}`).join(', ') || 'ok';
}

describe('rule 1: the five messages', () => {
  const messages: readonly (readonly [string, readonly OcppVersion[], object])[] = [
    [
      '[2,"1","Heartbeat",{"a":1}]',
      ocppVersions,
      { kind: 'call', id: '1', action: 'Heartbeat', payload: { a: 1 } },
    ],
    ['[3,"1",{"a":1}]', ocppVersions, { kind: 'call-result', id: '1', payload: { a: 1 } }],
    [
      '[4,"1","GenericError","text",{"a":1}]',
      ocppVersions,
      { kind: 'call-error', id: '1', code: 'GenericError', description: 'text', details: { a: 1 } },
    ],
    [
      '[5,"1","GenericError","text",{}]',
      ['ocpp2.1'],
      {
        kind: 'call-result-error',
        id: '1',
        code: 'GenericError',
        description: 'text',
        details: {},
      },
    ],
    [
      '[6,"1","NotifyPeriodicEventStream",{}]',
      ['ocpp2.1'],
      { kind: 'send', id: '1', action: 'NotifyPeriodicEventStream', payload: {} },
    ],
  ];
  for (const [text, versions, expected] of messages) {
    for (const version of ocppVersions) {
      const exists = versions.includes(version);
      test(`${version}: ${text} is ${exists ? 'read' : 'no message of this version'}`, () => {
        const { frame, violations } = decoded(text, version);
        if (exists) {
          const { bytes, ...message } = frame;
          assert.deepEqual(message, expected);
          assert.equal(Buffer.from(bytes).toString(), text);
          assert.deepEqual(violations, []);
        } else {
          assert.equal(frame.kind, 'unreadable');
          assert.deepEqual(
            violations.map(({ code }) => code),
            ['FORMAT_MESSAGE_TYPE'],
          );
        }
      });
    }
  }

  test('the bytes are the ones that came, not a copy that was written again', () => {
    const bytes = Buffer.from(' [2 ,"1", "Heartbeat",\n{ "limit" : 1.10 } ] ');
    assert.equal(decode(bytes, 'charger', 'ocpp1.6').frame.bytes, bytes);
  });

  test('a view into a larger buffer is read as what it is', () => {
    const whole = Buffer.from('xxxx[3,"1",{}]yyyy');
    const { frame } = decode(whole.subarray(4, -4), 'charger', 'ocpp1.6');
    assert.equal(frame.kind, 'call-result');
  });
});

describe('rule 1: what is no message', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'hard FORMAT_EMPTY'],
    [' ', 'hard FORMAT_JSON'],
    ['nonsense', 'hard FORMAT_JSON'],
    ['\ufeff[3,"1",{}]', 'hard FORMAT_JSON'],
    [`[2,"1","Heartbeat",${'['.repeat(50)}${']'.repeat(50)}]`, 'hard FORMAT_JSON_DEPTH'],
    ['{}', 'hard FORMAT_FRAME'],
    ['null', 'hard FORMAT_FRAME'],
    ['"text"', 'hard FORMAT_FRAME'],
    ['{"0":2,"1":"1","length":4}', 'hard FORMAT_FRAME'],
    ['[]', 'hard FORMAT_MESSAGE_TYPE'],
    ['["2","1","Heartbeat",{}]', 'hard FORMAT_MESSAGE_TYPE'],
    ['[1,"1","Heartbeat",{}]', 'hard FORMAT_MESSAGE_TYPE'],
    ['[0,"1",{}]', 'hard FORMAT_MESSAGE_TYPE'],
    ['[7,"1",{}]', 'hard FORMAT_MESSAGE_TYPE'],
    ['[2.5,"1","Heartbeat",{}]', 'hard FORMAT_MESSAGE_TYPE'],
    ['[null,"1","Heartbeat",{}]', 'hard FORMAT_MESSAGE_TYPE'],
    ['[2]', 'hard FORMAT_MESSAGE_ID'],
    ['[2,1,"Heartbeat",{}]', 'hard FORMAT_MESSAGE_ID'],
    ['[2,null,"Heartbeat",{}]', 'hard FORMAT_MESSAGE_ID'],
    ['[2,["1"],"Heartbeat",{}]', 'hard FORMAT_MESSAGE_ID'],
    ['[3,1,{}]', 'hard FORMAT_MESSAGE_ID'],
    ['[2,"1"]', 'hard FORMAT_FRAME'],
    ['[2,"1","Heartbeat"]', 'hard FORMAT_FRAME'],
    ['[2,"1","Heartbeat",{},{}]', 'hard FORMAT_FRAME'],
    ['[2,"1",5,{}]', 'hard FORMAT_FRAME'],
    ['[2,"1","",{}]', 'hard FORMAT_FRAME'],
    [`[2,"1","${'A'.repeat(65)}",{}]`, 'hard FORMAT_FRAME'],
    ['[2,"1","Heartbeat",[1]]', 'hard FORMAT_FRAME'],
    ['[2,"1","Heartbeat","{}"]', 'hard FORMAT_FRAME'],
    ['[3,"1"]', 'hard FORMAT_FRAME'],
    ['[3,"1",{},{}]', 'hard FORMAT_FRAME'],
    ['[3,"1",[1]]', 'hard FORMAT_FRAME'],
    ['[4,"1"]', 'hard FORMAT_FRAME'],
    ['[4,"1",5,"",{}]', 'hard FORMAT_FRAME'],
    ['[4,"1","GenericError","",{},1]', 'hard FORMAT_FRAME'],
  ];
  for (const [text, expected] of cases) {
    test(`${text.slice(0, 50) || 'an empty text'} is ${expected}`, () => {
      assert.equal(codes(text), expected);
      assert.equal(decoded(text).frame.kind, 'unreadable');
    });
  }

  test('type and id are told where they could be read, for the answer', () => {
    const { frame } = decoded('[2,"my-id","Heartbeat"]');
    assert(frame.kind === 'unreadable');
    assert.deepEqual([frame.typeId, frame.id], [2, 'my-id']);
    const { frame: none } = decoded('[2,"my-id","Heartbeat"');
    assert(none.kind === 'unreadable');
    assert.deepEqual([none.typeId, none.id], [undefined, undefined]);
  });
});

describe('rule 1: the details of a message', () => {
  test('an action of 64 characters is a name, whatever rule 2 says of it', () => {
    assert.equal(codes(`[2,"1","${'A'.repeat(64)}",{}]`), 'ok');
  });

  const ids: readonly (readonly [string, string, string])[] = [
    ['1', 'ok', 'ok'],
    ['x'.repeat(36), 'ok', 'ok'],
    ['x'.repeat(37), 'soft FORMAT_MESSAGE_ID_LONG', 'hard FORMAT_MESSAGE_ID_LONG'],
    ['x'.repeat(messageIdLengthMax), 'soft FORMAT_MESSAGE_ID_LONG', 'hard FORMAT_MESSAGE_ID_LONG'],
    ['x'.repeat(messageIdLengthMax + 1), 'hard FORMAT_MESSAGE_ID', 'hard FORMAT_MESSAGE_ID'],
    ['', 'hard FORMAT_MESSAGE_ID', 'hard FORMAT_MESSAGE_ID'],
    ['__proto__', 'ok', 'ok'],
    ['12345678901234567890', 'ok', 'ok'],
  ];
  for (const [id, in16, in2x] of ids) {
    test(`R4: a message id of ${id.length} characters (${id.slice(0, 20)})`, () => {
      const text = `[2,"${id}","Heartbeat",{}]`;
      assert.equal(codes(text, 'ocpp1.6'), in16);
      assert.equal(codes(text, 'ocpp2.0.1'), in2x);
      assert.equal(codes(text, 'ocpp2.1'), in2x);
    });
  }

  test('R4: a reply has the id of its call, however long, up to what is refused in a call', () => {
    for (const version of ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const) {
      assert.equal(codes(`[3,"${'x'.repeat(255)}",{}]`, version), 'ok');
      assert.equal(codes(`[3,"${'x'.repeat(256)}",{}]`, version), 'hard FORMAT_MESSAGE_ID');
    }
  });

  test('an empty list for an empty payload is one too, as PHP writes it', () => {
    for (const text of ['[2,"1","Heartbeat",[]]', '[3,"1",[]]']) {
      assert.equal(codes(text, 'ocpp1.6'), 'benign FORMAT_PAYLOAD_NULL');
      assert.equal(codes(text, 'ocpp2.1'), 'benign FORMAT_PAYLOAD_NULL');
    }
  });

  test('R6: null for an empty payload is an empty payload, and noted', () => {
    for (const text of ['[2,"1","Heartbeat",null]', '[3,"1",null]']) {
      assert.equal(codes(text, 'ocpp1.6'), 'benign FORMAT_PAYLOAD_NULL');
      assert.equal(codes(text, 'ocpp2.0.1'), 'soft FORMAT_PAYLOAD_NULL');
      const { frame } = decoded(text);
      assert.deepEqual('payload' in frame ? frame.payload : undefined, {});
    }
  });

  const incomplete: readonly (readonly [string, string])[] = [
    ['[4,"1","GenericError","",{}]', 'ok'],
    ['[4,"1","FormationViolation","",{}]', 'ok'],
    ['[4,"1","OccurenceConstraintViolation","",{}]', 'ok'],
    ['[4,"1","GenericError"]', 'benign FORMAT_ERROR_FIELDS'],
    ['[4,"1","GenericError",""]', 'benign FORMAT_ERROR_FIELDS'],
    ['[4,"1","GenericError","","details"]', 'benign FORMAT_ERROR_FIELDS'],
    ['[4,"1","GenericError",null,null]', 'benign FORMAT_ERROR_FIELDS'],
    ['[4,"1","","",{}]', 'benign FORMAT_ERROR_FIELDS'],
    ['[4,"1","VendorError","",{}]', 'benign FORMAT_ERROR_FIELDS'],
    [`[4,"1","GenericError","${'x'.repeat(255)}",{}]`, 'ok'],
    [`[4,"1","GenericError","${'x'.repeat(256)}",{}]`, 'soft FORMAT_ERROR_FIELDS'],
    [`[4,"1","${'x'.repeat(256)}","",{}]`, 'soft FORMAT_ERROR_FIELDS'],
  ];
  for (const [text, expected] of incomplete) {
    test(`R7: ${text.slice(0, 50)} is ${expected}`, () => {
      for (const version of ocppVersions) assert.equal(codes(text, version), expected);
      assert.equal(decoded(text).frame.kind, 'call-error');
    });
  }

  test('P12: an inexact integer is soft from a charger and hard from the CSMS', () => {
    const bytes = Buffer.from('[2,"1","StopTransaction",{"transactionId":9223372036854775807}]');
    const severity = (from: 'charger' | 'csms') =>
      decode(bytes, from, 'ocpp1.6').violations.map((it) => `${it.severity} ${it.code}`);
    assert.deepEqual(severity('charger'), ['soft FORMAT_NUMBER_INEXACT']);
    assert.deepEqual(severity('csms'), ['hard FORMAT_NUMBER_INEXACT']);
  });

  test('every hazard of a text is told, beside what its shape breaks', () => {
    assert.equal(
      codes('[2,"1","X",{"a":1,"a":2,"b":1e400,"c":"\\u0000"},1]'),
      'hard FORMAT_JSON_AMBIGUOUS, hard FORMAT_NUMBER_RANGE, hard FORMAT_JSON_AMBIGUOUS, ' +
        'hard FORMAT_FRAME',
    );
  });

  test('no detail repeats what the peer sent', () => {
    const { violations } = decoded('[2,"SECRET","SECRET",{"SECRET":1,"SECRET":2},"SECRET"]');
    assert(violations.length > 0);
    for (const { detail } of violations) assert.doesNotMatch(detail, /SECRET/);
  });
});

describe('rule 0: what came in the envelope of a signature', () => {
  const inside = Buffer.from('[2,"1","Heartbeat",{}]');
  const received = Buffer.from('[2,"1","Heartbeat-Signed",{}]');
  const code = 'SIGNATURE_STALE';
  const violation = { rule: 'signature', code, severity: 'hard', detail: '' } as const;

  test('is the message inside, with its envelope beside it', () => {
    const { frame, violations } = decode(inside, 'csms', 'ocpp1.6', { received, sealed: received });
    assert.equal(frame.bytes, inside);
    assert.deepEqual([frame.received, frame.sealed], [received, received]);
    assert.deepEqual(violations, []);
  });

  test('what is wrong with the signature comes first', () => {
    const text = Buffer.from('[2,"1","Heartbeat",{"a":1,"a":2}]');
    const { violations } = decode(text, 'csms', 'ocpp1.6', { received, violation });
    assert.deepEqual(
      violations.map((it) => it.code),
      [code, 'FORMAT_JSON_AMBIGUOUS'],
    );
  });

  test('what cannot be read keeps its envelope as well', () => {
    const { frame } = decode(Buffer.from('?'), 'csms', 'ocpp1.6', { received, violation });
    assert.deepEqual([frame.kind, frame.received], ['unreadable', received]);
  });
});
