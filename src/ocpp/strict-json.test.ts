import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isPlainJson } from './plain-json.ts';
import { foldKey, type JsonHazard, parseStrictJson } from './strict-json.ts';

// Goal: no text that two JSON parsers read differently is taken for an ordinary one, and no ordinary
// text is taken for a hazard (docs/decisions/0003-original-bytes.md; threat T2-26).
// Method: a table of texts with the hazards of each, the dangerous ones beside their benign twins; and
//   texts at random, which the quick look and the close one have to find the same in.

const depthMax = 24;

function hazardsOf(text: string): readonly JsonHazard[] {
  const parsed = parseStrictJson(text, { depthMax });
  assert(parsed.ok, `is JSON: ${text.slice(0, 60)}`);
  return [...parsed.value.hazards].sort();
}

function failureOf(text: string): string | undefined {
  const parsed = parseStrictJson(text, { depthMax });
  return parsed.ok ? undefined : parsed.error;
}

describe('strict JSON: ordinary texts are read as JSON.parse reads them', () => {
  const texts = [
    '[2,"1","Heartbeat",{}]',
    ' \t\r\n[ 3 , "1" , { "currentTime" : "2026-01-01T00:00:00Z" } ] \n',
    '{"a":{"b":1},"b":{"b":1,"a":2}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '["a","a",{"a":["a","a"]}]',
    '{"":0}',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":"\\\\","b":"\\\\\\""}',
    '{"text":"}],{[:,\\u0022"}',
    '[true,false,null,-0,0,1.5e3]',
    '{"länge":"Größe 長さ 😀"}',
    '"just a text"',
    '12',
  ];
  for (const text of texts) {
    test(JSON.stringify(text), () => {
      const parsed = parseStrictJson(text, { depthMax });
      assert(parsed.ok);
      assert.deepEqual(parsed.value.value, JSON.parse(text));
      assert.deepEqual([...parsed.value.hazards], []);
    });
  }
});

describe('strict JSON: keys that hide other keys', () => {
  const cases: readonly (readonly [string, readonly JsonHazard[]])[] = [
    ['{"a":1,"a":2}', ['duplicate-key']],
    ['{"a":1,"a":1}', ['duplicate-key']],
    ['[2,"1","Reset",{"type":"Soft","type":"Hard"}]', ['duplicate-key']],
    ['{"a":{"b":[{"c":1,"d":2,"c":3}]}}', ['duplicate-key']],
    ['{"a":{"a":1},"a":2}', ['duplicate-key']],
    ['{"a":[1,2],"b":"x","a":2}', ['duplicate-key']],
    ['{"type":1,"Type":2}', ['duplicate-key']],
    ['{"idTag":1,"IDTAG":2}', ['duplicate-key']],
    ['{"a":1,"\\u0061":2}', ['duplicate-key']],
    ['{"\\u0061":1,"\\u0041":2}', ['duplicate-key']],
    ['{"\\/":1,"/":2}', ['duplicate-key']],
    ['{"__proto__":{"x":1}}', ['prototype-key']],
    ['{"a":{"constructor":1}}', ['prototype-key']],
    ['{"prototype":1}', ['prototype-key']],
    ['{"\\u005f_proto__":1}', ['prototype-key']],
    ['{"__proto__":1,"__proto__":2}', ['duplicate-key', 'prototype-key']],
  ];
  for (const [text, hazards] of cases) {
    test(`${text} is ${hazards.join(' and ')}`, () => assert.deepEqual(hazardsOf(text), hazards));
  }

  test('the same key in neighbours, parents and children is no duplicate', () => {
    assert.deepEqual(hazardsOf('{"id":{"id":{"id":1}},"b":[{"id":1},{"id":2}]}'), []);
  });

  test('a value or an action named like a prototype key is no hazard by itself', () => {
    assert.deepEqual(hazardsOf('[2,"1","__proto__",{"a":"constructor"}]'), []);
  });

  test('a prototype key does not become the prototype of what is read', () => {
    const parsed = parseStrictJson('{"__proto__":{"isAdmin":true}}', { depthMax });
    assert(parsed.ok);
    assert.equal(Reflect.get(Object(parsed.value.value), 'isAdmin'), undefined);
  });
});

describe('strict JSON: characters that end or change a text elsewhere', () => {
  const cases: readonly (readonly [string, readonly JsonHazard[]])[] = [
    ['["\\ud800"]', ['lone-surrogate']],
    ['["\\udc00"]', ['lone-surrogate']],
    ['["\\udc00\\ud800"]', ['lone-surrogate']],
    ['["x\\uD83Dy"]', ['lone-surrogate']],
    ['{"\\ud800":1}', ['lone-surrogate']],
    ['["\\ud83d\\ude00"]', []],
    ['["😀"]', []],
    ['["CP\\u0000"]', ['nul-character']],
    ['{"\\u0000":1}', ['nul-character']],
    ['["\\u0001\\u001f\\u007f"]', []],
    ['["\\\\u0000"]', []],
    ['["\\\\ud800"]', []],
    ['["\\n\\t\\"\\\\\\/\\b\\f\\r"]', []],
  ];
  for (const [text, hazards] of cases) {
    test(`${text} is ${hazards.join(' and ') || 'ordinary'}`, () => {
      assert.deepEqual(hazardsOf(text), hazards);
    });
  }
});

describe('strict JSON: numbers that lose themselves', () => {
  const cases: readonly (readonly [string, readonly JsonHazard[]])[] = [
    ['9007199254740991', []], // 2^53 - 1
    ['-9007199254740991', []],
    ['9007199254740992', ['inexact-integer']], // 2^53
    ['9007199254740993', ['inexact-integer']],
    ['-9007199254740992', ['inexact-integer']],
    ['9223372036854775807', ['inexact-integer']], // 2^63 - 1
    ['-9223372036854775808', ['inexact-integer']],
    ['9223372036854775808', ['number-out-of-range']], // 2^63
    ['-9223372036854775809', ['number-out-of-range']],
    ['99999999999999999999', ['number-out-of-range']],
    ['1e400', ['number-out-of-range']],
    ['-1e400', ['number-out-of-range']],
    ['1E+400', ['number-out-of-range']],
    ['1e-400', ['number-out-of-range']],
    ['0.1E-400', ['number-out-of-range']],
    ['1e16', ['number-out-of-range']],
    ['9007199254740993.5', ['number-out-of-range']],
    ['1e15', []],
    ['0e400', []],
    ['0.000e-400', []],
    ['-0.0', []],
    ['3.14159265358979312', []], // 17 decimals: rounded by every parser alike
    ['0.1234567890123456789', []],
    ['230.12345678901234', []],
    ['123456789012345', []],
    ['1234567890123456', []],
  ];
  for (const [number, hazards] of cases) {
    test(`${number} is ${hazards.join(' and ') || 'ordinary'}, wherever it stands`, () => {
      for (const text of [number, `[${number}]`, `{"a":${number},"b":0}`, `[0, ${number} ]`]) {
        assert.deepEqual(hazardsOf(text), hazards, text);
      }
    });
  }

  test('digits in a text are no number', () => {
    assert.deepEqual(hazardsOf('["9007199254740993","1e400"]'), []);
  });
});

describe('strict JSON: depth', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  const nestedObjects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  test('as deep as allowed passes, one deeper does not', () => {
    assert.equal(failureOf(nested(depthMax)), undefined);
    assert.equal(failureOf(nested(depthMax + 1)), 'too-deep');
    assert.equal(failureOf(nestedObjects(depthMax)), undefined);
    assert.equal(failureOf(nestedObjects(depthMax + 1)), 'too-deep');
  });

  test('T2-26: a depth of 100 000 is refused and breaks nothing', () => {
    assert.equal(failureOf(nested(100_000)), 'too-deep');
    assert.equal(failureOf(nestedObjects(100_000)), 'too-deep');
  });

  test('many brackets beside each other, or in a text, are not deep', () => {
    assert.equal(failureOf(`[${Array(1000).fill('[]').join(',')}]`), undefined);
    assert.equal(failureOf(`["${'['.repeat(1000)}"]`), undefined);
  });
});

describe('strict JSON: what is no JSON', () => {
  const texts = [
    '',
    ' ',
    '[',
    '[1,]',
    '{"a":}',
    '{"transactionId":,"b":1}',
    "['a']",
    '{a:1}',
    '[NaN]',
    '[Infinity]',
    '[01]',
    '[1.]',
    '[.5]',
    '[+1]',
    '[0x10]',
    '["a\tb"]',
    '["a\u0000b"]',
    '["\\x41"]',
    '["\\u12"]',
    '[1]x',
    '[1][2]',
    '[1]\u0000',
    '/* */[1]',
    '\u00a0[1]',
  ];
  for (const text of texts) {
    test(`${JSON.stringify(text)} is refused`, () => assert.equal(failureOf(text), 'syntax'));
  }

  test('a byte order mark is refused, though some parsers skip it', () => {
    assert.equal(failureOf('\ufeff[1]'), 'byte-order-mark');
    assert.equal(failureOf('["\ufeff"]'), undefined);
  });
});

describe('strict JSON: large texts', () => {
  test('T2-26: 100 000 keys are read, and the duplicate among them is found', () => {
    const keys = Array.from({ length: 100_000 }, (_, index) => `"k${index}":0`).join(',');
    assert.deepEqual(hazardsOf(`{${keys}}`), []);
    assert.deepEqual(hazardsOf(`{${keys},"k77":1}`), ['duplicate-key']);
  });

  test('a text of one megabyte with an escape at its end is read whole', () => {
    assert.deepEqual(hazardsOf(`["${'x'.repeat(1_000_000)}\\u0000"]`), ['nul-character']);
  });
});

describe('strict JSON: keys that some parsers fold', () => {
  test('the long s and the Kelvin sign are s and k', () => {
    assert.deepEqual(['time\u017ftamp', '\u212aey', 'IDTAG'].map(foldKey), [
      'timestamp',
      'key',
      'idtag',
    ]);
    const json = parseStrictJson('{"timestamp":1,"time\u017ftamp":2}', { depthMax: 9 });
    assert(json.ok && json.value.hazards.has('duplicate-key'));
  });

  test('a decimal that a double rounds to an integer is out of range', () => {
    const hazards = (text: string): number => {
      const json = parseStrictJson(text, { depthMax: 9 });
      return json.ok ? json.value.hazards.size : -1;
    };
    assert.deepEqual(
      ['0.99999999999999999999', '1.0000000000000000000', '0.30000000000000004'].map(hazards),
      [1, 0, 0],
    );
  });
});

describe('strict JSON: the quick look', () => {
  const keys = ['a', 'A', 'b', '_', '', 'constructor', 'Prototype', 'ä', '\\u0061', '\\"', ']}'];
  const { text } = fc.letrec<{ text: string; list: string; object: string }>((tie) => ({
    text: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(
        '1',
        '-0',
        '1e3',
        '9007199254740993',
        '0.1',
        'true',
        'null',
        '123456789012345',
      ),
      fc.constantFrom('"a"', '""', '"ä]"', '"{\\"a\\":1"', '"\\u0000"', '"\\ud800"', '":"'),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('text'), { maxLength: 3 }).map((items) => `[${items.join(' , ')}]`),
    object: fc
      .array(fc.tuple(fc.constantFrom(...keys), tie('text')), { maxLength: 4 })
      .map((entries) => `{${entries.map(([key, value]) => `"${key}" :${value}`).join(',')}}`),
  }));

  test('clears nothing in which the close look finds something', () => {
    let cleared = 0;
    fc.assert(
      fc.property(text, (inner) => {
        // An escape makes sure that the text is looked at closely.
        const closely = parseStrictJson(`["\\u0061",${inner}]`, { depthMax: 6 });
        const quickly = parseStrictJson(`["a",${inner}]`, { depthMax: 6 });
        assert.deepEqual(
          quickly.ok ? [...quickly.value.hazards] : quickly.error,
          closely.ok ? [...closely.value.hazards] : closely.error,
          inner,
        );
        if (isPlainJson(Buffer.from(inner), 6)) cleared += 1;
      }),
      { numRuns: 5_000 },
    );
    assert(cleared > 500, `${cleared} of 5000`);
  });

  test('clears what chargers send', () => {
    const frame =
      '[2,"19223201","MeterValues",{"connectorId":1,"transactionId":7,"meterValue":[{"timestamp":' +
      '"2026-01-01T00:00:00Z","sampledValue":[{"value":"1234.5","unit":"Wh"},{"value":"-1.5"}]}]}]';
    assert.equal(isPlainJson(Buffer.from(frame), 24), true);
    assert.equal(isPlainJson(Buffer.from(frame), 5), false);
  });

  test('ends at the end of what is no JSON', () => {
    for (const text of ['"', '{"', '{"a', '["a', '-', '[[[', ']]]', '']) {
      isPlainJson(Buffer.from(text), 24);
    }
  });

  test('leaves more keys than it can keep to the close look', () => {
    const open = Array.from({ length: 300 }, (_, index) => `"k${index}":1`).join(',');
    assert.equal(isPlainJson(Buffer.from(`{${open}}`), 24), false);
    assert.deepEqual(hazardsOf(`{${open}}`), []);
  });
});
