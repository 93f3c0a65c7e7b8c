import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  basicAuthorization,
  isHexadecimalKey,
  isSamePassword,
  passwordToSend,
  readBasicPassword,
} from './password.ts';

// Goal: a password leaves the charger as the bytes that its version and its form demand, and comes
// back out of the header as the same bytes.
// Method: known bytes on both sides.
const digits = Buffer.from('00112233445566778899aabbccddeeff00FFfeFD');
const spelled = Buffer.from('00112233445566778899aabbccddeeff00fffefd', 'hex');

test('C10: 1.6 sends a key of hexadecimal digits as the bytes that they spell, or as digits', () => {
  assert.equal(spelled.length, 20);
  assert.deepEqual(passwordToSend(digits, 'ocpp1.6'), spelled);
  assert.deepEqual(passwordToSend(digits, 'ocpp1.6', 'raw'), spelled);
  assert.deepEqual(passwordToSend(digits, 'ocpp1.6', 'hex'), digits);
  assert.deepEqual(passwordToSend(digits, 'ocpp1.6', 'text'), digits);
});

test('2.x sends every password as it is', () => {
  for (const form of [undefined, 'raw', 'hex', 'text'] as const) {
    assert.deepEqual(passwordToSend(digits, 'ocpp2.0.1', form), digits);
    assert.deepEqual(passwordToSend(digits, 'ocpp2.1', form), digits);
  }
});

test('only 32 to 40 digits, an even number of them, are a key; the rest is sent as it is', () => {
  const keys = ['a'.repeat(32), 'F'.repeat(34), '0'.repeat(40)];
  const others = ['', 'a'.repeat(30), 'a'.repeat(33), 'a'.repeat(42), `${'a'.repeat(31)}g`];
  for (const key of keys) assert.ok(isHexadecimalKey(Buffer.from(key)), key);
  for (const text of [...others, `${'a'.repeat(31)}\n`, 'é'.repeat(16)]) {
    assert.ok(!isHexadecimalKey(Buffer.from(text)), text);
    assert.deepEqual(passwordToSend(Buffer.from(text), 'ocpp1.6'), Buffer.from(text));
  }
});

test('a key, in either case, and its bytes are the same password; another key is not', () => {
  const lower = Buffer.from(digits.toString().toLowerCase());
  assert.ok(isSamePassword(digits, spelled));
  assert.ok(isSamePassword(lower, digits));
  assert.ok(!isSamePassword(digits, Buffer.from(`${digits.toString().slice(0, -1)}0`)));
  assert.ok(isSamePassword(Buffer.from('secret'), Buffer.from('secret')));
  assert.ok(!isSamePassword(Buffer.from('secret'), Buffer.from('Secret')));
  assert.ok(!isSamePassword(Buffer.alloc(0), Buffer.from('secret')));
});

test('C12: user names and passwords may hold colons and bytes that are no text', () => {
  const password = Buffer.from([0xff, 0x3a, 0x00, 0x41]);
  const header = basicAuthorization('CP:1', password);
  assert.deepEqual(readBasicPassword(header, 'CP:1'), { is: 'password', password });
  assert.deepEqual(readBasicPassword(header, 'CP'), {
    is: 'password',
    password: Buffer.concat([Buffer.from('1:'), password]),
  });
  assert.deepEqual(readBasicPassword(header, 'CP:2'), { is: 'other-user' });
  assert.deepEqual(readBasicPassword(header, 'CP:1:x'), { is: 'other-user' });
});

test('a header that is missing, of another scheme or broken holds no password', () => {
  for (const header of [undefined, '', 'Basic', 'Bearer Q1A6eA==', 'Basic *', 'Basic Q1A6 eA==']) {
    assert.deepEqual(readBasicPassword(header, 'CP'), { is: 'absent' });
  }
});
