import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  encodeMessage,
  isJsonObject,
  type Message,
  messageTypeIds,
  ownProperty,
} from './message.ts';

// Goal: what the gateway writes itself is OCPP-J, and what it reads of a peer's object is that
// object's own.
// Method: one message of every kind; then objects that inherit, pretend, or are none.

describe('message encoding (OCPP-J 1.6 section 4.2; OCPP 2.1 part 4 section 4.2)', () => {
  const messages: readonly (readonly [Message, string])[] = [
    [{ kind: 'call', id: '1', action: 'Heartbeat', payload: {} }, '[2,"1","Heartbeat",{}]'],
    [{ kind: 'call-result', id: '1', payload: { a: [1] } }, '[3,"1",{"a":[1]}]'],
    [
      { kind: 'call-error', id: '1', code: 'GenericError', description: 'd', details: {} },
      '[4,"1","GenericError","d",{}]',
    ],
    [
      { kind: 'call-result-error', id: '1', code: 'GenericError', description: '', details: {} },
      '[5,"1","GenericError","",{}]',
    ],
    [
      { kind: 'send', id: '1', action: 'NotifyPeriodicEventStream', payload: { id: 1 } },
      '[6,"1","NotifyPeriodicEventStream",{"id":1}]',
    ],
  ];
  for (const [message, text] of messages) {
    test(`a ${message.kind} is ${text}`, () => assert.equal(encodeMessage(message), text));
  }

  test('every kind is among them', () => {
    const kinds = messages.map(([message]) => message.kind);
    assert.deepEqual(kinds.sort(), Object.keys(messageTypeIds).sort());
  });

  test('an id with quotes cannot break out of its place', () => {
    const id = '1","Reset",{"type":"Hard"}]';
    const text = encodeMessage({ kind: 'call-result', id, payload: {} });
    assert.deepEqual(JSON.parse(text), [3, id, {}]);
  });
});

describe('objects of a peer', () => {
  test('only a JSON object is one', () => {
    assert(isJsonObject({}));
    for (const value of [null, undefined, [], 'a', 1, true]) {
      assert.equal(isJsonObject(value), false, String(value));
    }
  });

  test('an inherited property is not there', () => {
    assert.equal(ownProperty({ a: 1 }, 'a'), 1);
    for (const key of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      assert.equal(ownProperty({}, key), undefined, key);
    }
    assert.equal(ownProperty(JSON.parse('{"__proto__":5}'), '__proto__'), 5);
  });

  test('what is no object has no properties', () => {
    for (const value of [null, undefined, [1], 'text', 1]) {
      assert.equal(ownProperty(value, 'length'), undefined, String(value));
      assert.equal(ownProperty(value, '0'), undefined, String(value));
    }
  });
});
