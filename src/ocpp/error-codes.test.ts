import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isErrorCodeSpelling, type OcppErrorCode, spellErrorCode } from './error-codes.ts';

// Goal: a peer gets the spelling of its version, and may itself use any.
// Method: the whole table of codes, written down again from the specifications.

const spellings: readonly (readonly [OcppErrorCode, string, string])[] = [
  ['NotImplemented', 'NotImplemented', 'NotImplemented'],
  ['NotSupported', 'NotSupported', 'NotSupported'],
  ['InternalError', 'InternalError', 'InternalError'],
  ['ProtocolError', 'ProtocolError', 'ProtocolError'],
  ['SecurityError', 'SecurityError', 'SecurityError'],
  ['FormatViolation', 'FormationViolation', 'FormatViolation'],
  ['PropertyConstraintViolation', 'PropertyConstraintViolation', 'PropertyConstraintViolation'],
  [
    'OccurrenceConstraintViolation',
    'OccurenceConstraintViolation',
    'OccurrenceConstraintViolation',
  ],
  ['TypeConstraintViolation', 'TypeConstraintViolation', 'TypeConstraintViolation'],
  ['GenericError', 'GenericError', 'GenericError'],
  ['MessageTypeNotSupported', 'ProtocolError', 'MessageTypeNotSupported'],
  ['RpcFrameworkError', 'FormationViolation', 'RpcFrameworkError'],
];

/** The codes that OCPP-J 1.6 section 4.2.3 lists, in its spelling. */
const codesOf16 = new Set(spellings.slice(0, 10).map(([, in16]) => in16));

describe('R8: error codes', () => {
  for (const [code, in16, in2x] of spellings) {
    test(`${code} is ${in16} in OCPP 1.6 and ${in2x} in 2.x`, () => {
      assert.equal(spellErrorCode('ocpp1.6', code), in16);
      assert.equal(spellErrorCode('ocpp2.0.1', code), in2x);
      assert.equal(spellErrorCode('ocpp2.1', code), in2x);
    });

    test(`${code} is accepted in both spellings`, () => {
      assert(isErrorCodeSpelling(in16));
      assert(isErrorCodeSpelling(in2x));
    });
  }

  test('OCPP 1.6 never gets a code that it does not know', () => {
    for (const [code] of spellings) assert(codesOf16.has(spellErrorCode('ocpp1.6', code)), code);
  });

  test('what no version lists is no error code', () => {
    for (const text of ['', 'Error', 'notsupported', 'NOTSUPPORTED', '__proto__', 'toString']) {
      assert.equal(isErrorCodeSpelling(text), false, text);
    }
  });
});
